#include "certstore/vault/backup_internal.h"
#include "certstore/vault/embedded_certificates_internal.h"

/// Backups of keys, secrets and certificates, and putting them back.

namespace signet::vault {
namespace {

/// A version's private half or value, which is to open before it is worth anything.
Result<SecretBytes> unseal(const MasterKey& master_key, const StoredKey& key) {
  return master_key.unseal(key.sealed, context_of(key.info.id, key.info.kind));
}
Result<SecretBytes> unseal(const MasterKey& master_key, const StoredSecret& secret) {
  return master_key.unseal(secret.sealed, context_of_secret(secret.info.id));
}

/// @error Unsupported  it holds names of keys in a token, and of what use were those?
Result<> check_is_here(const std::vector<StoredKey>& keys) {
  for (const StoredKey& key : keys)
    if (key.info.in_token)
      return fail(
          ErrorKind::Unsupported,
          fmt::format("key '{}' is in a token, which gives it to nobody: it is backed up by what the token's "
                      "maker has for that",
                      to_string(key.info.id)));
  return {};
}
Result<> check_is_here(const std::vector<StoredSecret>&) { return {}; }

Bytes seal(const MasterKey& master_key, const SecretBytes& opened, const KeyInfo& info) {
  return master_key.seal(opened.view(), context_of(info.id, info.kind));
}
Bytes seal(const MasterKey& master_key, const SecretBytes& opened, const SecretInfo& info) {
  return master_key.seal(opened.view(), context_of_secret(info.id));
}

/// @error Unavailable  one of them does not open: what cannot be restored is no backup.
template <class Stored>
Result<> check_opens(const MasterKey& master_key, const std::vector<Stored>& versions, AuditObject object) {
  for (const Stored& version : versions)
    if (const auto opened = unseal(master_key, version); !opened)
      return fail(ErrorKind::Unavailable, fmt::format("{} '{}' {}", to_string(object),
                                                      to_string(version.info.id), opened.error().detail));
  return {};
}

template <class Kind, class State>
Result<Bytes> back_up(State& state, const Principal& principal, const KeyId& id) {
  const auto work = [&](AuditRecord& record) -> Result<Bytes> {
    SIGNET_CHECK(check_object_id(id, to_string(Kind::kObject)));
    SIGNET_CHECK(state.authorise(principal, id.vault, Kind::Permission::Backup));
    if (Kind::kObject == AuditObject::Key) SIGNET_CHECK(state.check_is_no_issuers(principal, id));
    SIGNET_TRY(const auto versions, Kind::store(state).load_all(id.vault, id.name));
    if (versions.empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("there is no {} '{}'", to_string(Kind::kObject), to_string(id)));
    record.key = name_of(versions.front().info.id);
    record.detail = fmt::format("versions={}", versions.size());
    SIGNET_CHECK(check_is_here(versions));
    SIGNET_TRY(const auto master_key, state.master_key());
    SIGNET_CHECK(check_opens(*master_key, versions, Kind::kObject));
    return write_backup(*master_key, versions);
  };
  return state.audited(object_record<Kind>(state, principal, "backup", id), work);
}

/// What a blob holds, and the master key that it was made under.
template <class Contents>
struct Opened {
  Contents contents;
  std::shared_ptr<const MasterKey> master_key;
};

/// Opens a blob under the master key of now, or one that it has replaced.
template <class State, class Read>
auto open_blob(State& state, ByteView blob, Read read)
    -> Result<Opened<typename std::invoke_result_t<Read, const MasterKey&, ByteView>::value_type>> {
  using Contents = typename std::invoke_result_t<Read, const MasterKey&, ByteView>::value_type;
  SIGNET_TRY(std::shared_ptr<const MasterKey> master_key, state.master_key());
  auto contents = read(*master_key, blob);
  if (contents) return Opened<Contents>{*std::move(contents), std::move(master_key)};
  SIGNET_TRY(const std::vector<Bytes> retired, state.store().retired_master_keys());
  for (const Bytes& sealed : retired) {
    SIGNET_TRY(MasterKey earlier, master_key->unseal_retired(sealed));
    if (auto older = read(earlier, blob))
      return Opened<Contents>{*std::move(older), std::make_shared<const MasterKey>(std::move(earlier))};
  }
  return fail(std::move(contents).error());
}

/// Seals what a blob holds anew, for the vault that it comes into.
template <class Stored>
Result<> move_into(const MasterKey& master_key, const MasterKey& blobs_key, std::string_view vault,
                   std::vector<Stored>& versions) {
  for (Stored& version : versions) {
    const auto opened = unseal(blobs_key, version);
    if (!opened)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the backup's version {} {}", version.info.id.version, opened.error().detail));
    version.info.id.vault = vault;
    version.sealed = seal(master_key, *opened, version.info);
  }
  return {};
}

/// @error Unsupported  keys would come into a vault that keeps none itself.
template <class State>
Result<> check_takes_backups(State& state, std::string_view vault) {
  SIGNET_TRY(const std::shared_ptr<Token> token, state.holders().token_of(vault));
  if (!token) return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the keys of key vault '{}' are in a token, into which nothing is restored: restore into "
                  "another vault, or import the key",
                  vault));
}

template <class Kind, class State, class Read>
Result<typename Kind::Info> restore(State& state, const Principal& principal, std::string_view vault,
                                    ByteView blob, Read read) {
  using Versions = typename std::invoke_result_t<Read, const MasterKey&, ByteView>::value_type;
  KeyId id{std::string(vault), {}, {}};
  Opened<Versions> opened;
  Versions& versions = opened.contents;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_vault_name(vault));
    SIGNET_CHECK(state.authorise(principal, vault, Kind::Permission::Restore));
    if (Kind::kObject == AuditObject::Key) SIGNET_CHECK(check_takes_backups(state, vault));
    SIGNET_TRY(opened, open_blob(state, blob, read));
    id.name = versions.front().info.id.name;
    if (Kind::kObject == AuditObject::Key) SIGNET_CHECK(state.check_may_be_named(principal, id));
    SIGNET_CHECK(check_not_deleted<Kind>(state, id));
    if (const auto known = Kind::store(state).load(id); known || known.error().kind != ErrorKind::NotFound)
      return known ? fail(ErrorKind::AlreadyExists,
                          fmt::format(
                              "there is a {} '{}' already: what is restored takes no name that is in use",
                              to_string(Kind::kObject), to_string(id)))
                   : fail(known.error());
    SIGNET_CHECK(state.check_is_no_certificates(id, to_string(Kind::kObject)));
    SIGNET_TRY(const auto master_key, state.master_key());
    return move_into(*master_key, *opened.master_key, vault, versions);
  };
  SIGNET_CHECK(state.change(object_record<Kind>(state, principal, "restore", id), id, prepare,
                            [&] { return Kind::store(state).put_all(versions); }));
  return std::move(versions.back().info);
}

}  // namespace

Result<Bytes> EmbeddedVault::backup_key(const Principal& principal, std::string_view vault,
                                        std::string_view name) {
  return back_up<Keys>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<KeyInfo> EmbeddedVault::restore_key(const Principal& principal, std::string_view vault,
                                           ByteView blob) {
  return restore<Keys>(*state_, principal, vault, blob, read_key_backup);
}

Result<Bytes> EmbeddedVault::backup_secret(const Principal& principal, std::string_view vault,
                                           std::string_view name) {
  return back_up<Secrets>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<SecretInfo> EmbeddedVault::restore_secret(const Principal& principal, std::string_view vault,
                                                 ByteView blob) {
  return restore<Secrets>(*state_, principal, vault, blob, read_secret_backup);
}

Result<Bytes> EmbeddedVault::backup_certificate(const Principal& principal, std::string_view vault,
                                                std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  const auto work = [&](AuditRecord& record) -> Result<Bytes> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Backup));
    SIGNET_TRY(const WholeCertificate whole, state_->certificates().load_all(vault, name));
    record.key = whole.name.id;
    record.detail = fmt::format("versions={}", whole.versions.size());
    SIGNET_CHECK(check_is_here(whole.keys));
    SIGNET_TRY(const auto master_key, state_->master_key());
    SIGNET_CHECK(check_opens(*master_key, whole.keys, AuditObject::Key));
    SIGNET_CHECK(check_opens(*master_key, whole.secrets, AuditObject::Secret));
    return write_backup(*master_key, whole);
  };
  return state_->audited(object_record<Certificates>(*state_, principal, "backup", id), work);
}

Result<VaultCertificate> EmbeddedVault::restore_certificate(const Principal& principal,
                                                            std::string_view vault, ByteView blob) {
  CertificateId id{std::string(vault), {}, {}};
  Opened<WholeCertificate> opened;
  WholeCertificate& whole = opened.contents;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_vault_name(vault));
    SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::Restore));
    SIGNET_CHECK(check_takes_backups(*state_, vault));
    SIGNET_TRY(opened, open_blob(*state_, blob, read_certificate_backup));
    id.name = whole.name.id.name;
    SIGNET_CHECK(state_->check_may_be_named(principal, id));
    SIGNET_TRY(const StoredName free, CertificateSteps(*state_).begin(id));
    if (free.policy.created != Time{})
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("there is a certificate '{}' already: what is restored takes no name that is in use",
                      to_string(id)));
    whole.name.id = id;
    whole.name.policy_by = principal.name;
    for (StoredCertificate& version : whole.versions) version.info.id.vault = vault;
    SIGNET_TRY(const auto master_key, state_->master_key());
    SIGNET_CHECK(move_into(*master_key, *opened.master_key, vault, whole.keys));
    return move_into(*master_key, *opened.master_key, vault, whole.secrets);
  };
  SIGNET_CHECK(state_->change(object_record<Certificates>(*state_, principal, "restore", id), id, prepare,
                              [&] { return state_->certificates().put_all(whole); }));
  return CertificateSteps(*state_).show(id);
}

}  // namespace signet::vault
