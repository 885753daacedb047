#include "certstore/vault/embedded_certificates_internal.h"

#include <algorithm>

#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/x509/issue.h"

namespace signet::vault {
namespace {

/// As an audit record has it.
std::string describe(const CertificatePolicy& policy) {
  return fmt::format("issuer '{}' subject '{}' {}{}", policy.issuer, printable(policy.subject),
                     to_string(policy.kind), policy.exportable ? " exportable" : "");
}

Result<> check_settings(const CertificateSettings& settings) {
  return check_tags(settings.tags, "certificate");
}

Result<> check_issuer_is_served(const CertificatePolicy& policy) {
  if (policy.issuer == kSelfIssuer || policy.issuer == kUnknownIssuer) return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the issuer '{}' cannot be asked for certificates here: the policy's issuer is Self, or "
                  "Unknown for one that is requested elsewhere and merged",
                  policy.issuer));
}

certstore::SigningKey signing_key(const PrivateKey& key) {
  return {key.handle(), key.public_key(), Hash::Sha256, key_library()};
}

Result<EvpPkeyPtr> read_public_key(const Bytes& der) {
  const unsigned char* at = der.data();
  EvpPkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key) return fail(take_openssl_error(ErrorKind::Unavailable, "the public key of an operation"));
  return key;
}

/// The certificates with the one for `public_key` first.
Result<std::vector<certstore::Certificate>> own_first(std::vector<certstore::Certificate> certificates,
                                                      const Bytes& public_key, const CertificateId& id) {
  SIGNET_TRY(const EvpPkeyPtr key, read_public_key(public_key));
  const auto own = std::find_if(certificates.begin(), certificates.end(), [&](const auto& certificate) {
    return certificate.has_public_key(key.get());
  });
  if (own == certificates.end())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("none of the {} certificates given is for the key of the request of '{}': have the "
                    "request that is pending signed, and give the certificate that came of it",
                    certificates.size(), to_string(id)));
  std::rotate(certificates.begin(), own, own + 1);
  return certificates;
}

/// @error AlreadyExists  a key or a secret of its own has the name.
template <class Store>
Result<> check_free(Store& store, const CertificateId& id, std::string_view what) {
  const auto there = store.load({id.vault, id.name, {}});
  if (there)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("there is a {} '{}', which the certificate would need for its own: choose another name",
                    what, to_string(id)));
  if (there.error().kind != ErrorKind::NotFound) return fail(there.error());
  return {};
}

/// The policy as the certificate's, which it was first at `created`.
CertificatePolicy with_dates(CertificatePolicy policy, const StoredName& before, Time now) {
  policy.created = before.policy.created == Time{} ? now : before.policy.created;
  policy.updated = now;
  return policy;
}

Result<CertificatePolicy> policy_for(const StoredName& name, const std::optional<CertificatePolicy>& given,
                                     Time now) {
  if (given) return with_dates(*given, name, now);
  if (name.policy.created != Time{}) return name.policy;
  return fail(ErrorKind::InvalidInput,
              fmt::format("the first version of certificate '{}' needs a policy", to_string(name.id)));
}

Result<CertificatePolicy> policy_of_import(const CertificateFile& file, const PolicyChange& change) {
  CertificatePolicy policy = policy_of(file.contents.certificates.front(), file.contents.key.kind);
  policy.content = file.content;
  if (!change) return policy;
  SIGNET_TRY(CertificatePolicy changed, change(policy));
  if (changed.kind != policy.kind)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the policy wants a key of kind {}, the file has one of {}",
                            to_string(changed.kind), to_string(policy.kind)));
  SIGNET_CHECK(check_policy(changed));
  return changed;
}

/// An operation with its request, in progress.
Result<StoredOperation> begin_operation(const CertificateId& id, const CertificatePolicy& policy,
                                        const CertificateSettings& settings, const KeyOfVersion& key,
                                        Time now) {
  SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(policy, now));
  StoredOperation begun;
  SIGNET_TRY(begun.operation.request, certstore::make_certification_request(signing_key(*key.key), profile));
  begun.operation.id = {id.vault, id.name, {}};
  begun.operation.issuer = policy.issuer;
  begun.operation.request_id = random_id();
  begun.policy = policy;
  begun.settings = settings;
  begun.version = id.version;
  begun.public_key = key.key->public_key();
  begun.sealed = key.sealed;
  return begun;
}

void complete(StoredOperation& operation) {
  operation.operation.status = OperationStatus::Completed;
  operation.sealed.clear();
}

}  // namespace

Result<StoredName> EmbeddedVault::CertificateSteps::known(const CertificateId& id) {
  return state_.certificates().load_name(id.vault, id.name);
}

Result<StoredName> EmbeddedVault::CertificateSteps::with_operation(const CertificateId& id) {
  SIGNET_TRY(StoredName name, known(id));
  if (name.operation) return name;
  return fail(ErrorKind::NotFound,
              fmt::format("there is no pending operation of certificate '{}'", to_string(id)));
}

Result<StoredName> EmbeddedVault::CertificateSteps::begin(const CertificateId& id) {
  auto name = known(id);
  if (name && name->operation && name->operation->operation.status == OperationStatus::InProgress)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("certificate '{}' has an operation in progress: complete it by a merge, or cancel or "
                    "delete it first",
                    to_string(id)));
  if (name || name.error().kind != ErrorKind::NotFound) return name;
  SIGNET_CHECK(check_not_deleted<Certificates>(state_, id));
  SIGNET_CHECK(check_not_deleted<Keys>(state_, id));
  SIGNET_CHECK(check_not_deleted<Secrets>(state_, id));
  SIGNET_CHECK(check_free(state_.store(), id, "key"));
  SIGNET_CHECK(check_free(state_.secrets(), id, "secret"));
  return StoredName{{id.vault, id.name, {}}, {}, std::nullopt};
}

KeyOfVersion EmbeddedVault::CertificateSteps::seal(std::shared_ptr<const PrivateKey> key, ByteView pkcs8,
                                                   const CertificateId& id) {
  Bytes sealed = state_.master_key().seal(pkcs8, context_of(id, key->kind()));
  return {std::move(key), std::move(sealed)};
}

Result<KeyOfVersion> EmbeddedVault::CertificateSteps::make_key(const CertificateId& id,
                                                               const CertificatePolicy& policy) {
  std::shared_ptr<const PrivateKey> key;
  if (policy.reuse_key) {
    SIGNET_TRY(key, current_key(id, policy));
  }
  if (!key) {
    SIGNET_TRY(key, PrivateKey::generate(policy.kind));
  }
  SIGNET_TRY(const SecretBytes pkcs8, key->to_pkcs8());
  return seal(std::move(key), pkcs8.view(), id);
}

Result<std::shared_ptr<const PrivateKey>> EmbeddedVault::CertificateSteps::current_key(
    const CertificateId& id, const CertificatePolicy& policy) {
  const KeyId current{id.vault, id.name, {}};
  const auto before = state_.certificates().load(current);
  if (!before && before.error().kind == ErrorKind::NotFound) return nullptr;
  if (!before) return fail(before.error());
  if (policy.exportable && !before->exportable)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the key of certificate '{}' is not exportable and stays so: set exportable to false, or "
                    "reuse_key to false for a new key",
                    to_string(current)));
  SIGNET_TRY(StoredKey stored, state_.store().load(current));
  if (!stored.info.attributes.enabled)
    return fail(
        ErrorKind::Disabled,
        fmt::format("the current version of certificate '{}' is disabled, and its key cannot be reused: "
                    "enable it, or set reuse_key to false for a new key",
                    to_string(current)));
  SIGNET_TRY(const std::shared_ptr<const OpenKey> opened, state_.unseal(std::move(stored)));
  if (opened->key->kind() != policy.kind) return nullptr;
  return std::shared_ptr<const PrivateKey>(opened, opened->key.get());
}

Result<KeyOfVersion> EmbeddedVault::CertificateSteps::key_of(const StoredOperation& operation,
                                                             const CertificateId& id) {
  StoredKey stored;
  stored.info.id = id;
  stored.info.kind = operation.policy.kind;
  stored.info.public_key = operation.public_key;
  stored.sealed = operation.sealed;
  SIGNET_TRY(const std::shared_ptr<const OpenKey> opened, state_.unseal(std::move(stored)));
  return KeyOfVersion{std::shared_ptr<const PrivateKey>(opened, opened->key.get()), operation.sealed};
}

Result<NewVersion> EmbeddedVault::CertificateSteps::assemble(StoredName name, const CertificateId& id,
                                                             const CertificatePolicy& policy,
                                                             const KeyOfVersion& key,
                                                             std::vector<certstore::Certificate> chain,
                                                             const CertificateSettings& settings) {
  SIGNET_CHECK(check_chain(chain));
  const Time now = state_.now();
  const certstore::Certificate& own = chain.front();
  const KeyAttributes attributes{settings.enabled, own.not_before(), own.not_after()};
  SIGNET_TRY(const SecretBytes secret,
             certificate_secret(policy.content, policy.exportable ? key.key.get() : nullptr, chain));
  NewVersion version;
  version.name = std::move(name);
  KeyInfo& info = version.key.info;
  info.id = id;
  info.kind = key.key->kind();
  info.ops = key_ops_of(info.kind, certstore::profile_of(own).key_uses);
  info.attributes = attributes;
  info.tags = settings.tags;
  info.managed = true;
  info.created = info.updated = now;
  info.public_key = key.key->public_key();
  version.key.sealed = key.sealed;
  version.secret.info = {
      id, {std::string(to_string(policy.content)), attributes, settings.tags}, now, now, true};
  version.secret.sealed = state_.master_key().seal(secret.view(), context_of_secret(id));
  version.certificate = {{id, std::move(chain), settings, now, now}, policy.exportable};
  return version;
}

Result<VaultCertificate> EmbeddedVault::CertificateSteps::show(const CertificateId& id) {
  SIGNET_TRY(StoredName name, known(id));
  VaultCertificate shown{{name.id, {}, {}, name.policy.created, name.policy.updated},
                         std::move(name.policy),
                         name.operation.has_value()};
  auto version = state_.certificates().load(id);
  if (version) {
    shown.info = std::move(version->info);
  } else if (version.error().kind == ErrorKind::NotFound && id.version.empty() && name.operation) {
    shown.info.settings = {false, name.operation->settings.tags};
  } else {
    return fail(std::move(version).error());
  }
  return shown;
}

Result<CertificateOperation> EmbeddedVault::create_certificate(const Principal& principal,
                                                               std::string_view vault, std::string_view name,
                                                               const std::optional<CertificatePolicy>& policy,
                                                               const CertificateSettings& settings) {
  CertificateSteps certificates(*state_);
  CertificateId id{std::string(vault), std::string(name), {}};
  StoredName made;
  std::optional<NewVersion> version;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Create));
    SIGNET_CHECK(check_settings(settings));
    SIGNET_TRY(made, certificates.begin(id));
    SIGNET_TRY(made.policy, policy_for(made, policy, state_->now()));
    SIGNET_CHECK(check_policy(made.policy));
    SIGNET_CHECK(check_issuer_is_served(made.policy));
    id = {made.id.vault, made.id.name, random_id()};
    SIGNET_TRY(const KeyOfVersion key, certificates.make_key(id, made.policy));
    SIGNET_TRY(made.operation, begin_operation(id, made.policy, settings, key, state_->now()));
    if (made.policy.issuer != kSelfIssuer) return {};
    SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(made.policy, state_->now()));
    SIGNET_TRY(certstore::Certificate own, certstore::make_self_signed(signing_key(*key.key), profile));
    complete(*made.operation);
    SIGNET_TRY(version, certificates.assemble(made, id, made.policy, key, {std::move(own)}, settings));
    return {};
  };
  const std::string detail = policy ? describe(*policy) : "by the policy that is there";
  SIGNET_CHECK(state_->change(
      state_->new_certificate_record(principal, "createCertificate", id, detail), id, prepare, [&] {
        return version ? state_->certificates().put_version(*version) : state_->certificates().put_name(made);
      }));
  return std::move(made.operation->operation);
}

Result<VaultCertificate> EmbeddedVault::import_certificate(const Principal& principal, std::string_view vault,
                                                           std::string_view name, const CertificateFile& file,
                                                           const PolicyChange& change,
                                                           const CertificateSettings& settings) {
  CertificateSteps certificates(*state_);
  CertificateId id{std::string(vault), std::string(name), {}};
  NewVersion version;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Import));
    SIGNET_CHECK(check_settings(settings));
    SIGNET_TRY(StoredName made, certificates.begin(id));
    SIGNET_CHECK(certstore::check_key_strength(file.contents.certificates.front()));
    SIGNET_TRY(const CertificatePolicy policy, policy_of_import(file, change));
    made.policy = with_dates(policy, made, state_->now());
    id = {made.id.vault, made.id.name, random_id()};
    SIGNET_TRY(std::shared_ptr<const PrivateKey> key, PrivateKey::from_pkcs8(file.contents.key.pkcs8.view()));
    const KeyOfVersion sealed = certificates.seal(std::move(key), file.contents.key.pkcs8.view(), id);
    SIGNET_TRY(version,
               certificates.assemble(made, id, made.policy, sealed, file.contents.certificates, settings));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "importCertificate", id,
                                                             std::string(to_string(file.content))),
                              id, prepare, [&] { return state_->certificates().put_version(version); }));
  return certificates.show(id);
}

Result<VaultCertificate> EmbeddedVault::merge_certificate(
    const Principal& principal, std::string_view vault, std::string_view name,
    const std::vector<certstore::Certificate>& certificates, const CertificateUpdate& settings) {
  CertificateSteps steps(*state_);
  CertificateId id{std::string(vault), std::string(name), {}};
  NewVersion version;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Create));
    SIGNET_TRY(StoredName made, steps.with_operation(id));
    StoredOperation& operation = *made.operation;
    SIGNET_CHECK(check_in_progress(operation.operation));
    CertificateSettings wanted = operation.settings;
    wanted.enabled = settings.enabled.value_or(wanted.enabled);
    wanted.tags = settings.tags.value_or(wanted.tags);
    SIGNET_CHECK(check_settings(wanted));
    id = {made.id.vault, made.id.name, operation.version};
    SIGNET_TRY(std::vector<certstore::Certificate> chain, own_first(certificates, operation.public_key, id));
    SIGNET_TRY(const KeyOfVersion key, steps.key_of(operation, id));
    complete(operation);
    const CertificatePolicy policy = operation.policy;
    SIGNET_TRY(version, steps.assemble(std::move(made), id, policy, key, std::move(chain), wanted));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "mergeCertificate", id), id, prepare,
                              [&] { return state_->certificates().put_version(version); }));
  return steps.show(id);
}

Result<VaultCertificate> EmbeddedVault::get_certificate(const Principal& principal, const CertificateId& id) {
  SIGNET_CHECK(check_certificate_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_certificate_record(principal, "getCertificate", id),
                                      CertificatePermission::Get));
  return CertificateSteps(*state_).show(id);
}

Result<std::vector<CertificateInfo>> EmbeddedVault::list_certificates(const Principal& principal,
                                                                      std::string_view vault,
                                                                      bool include_pending) {
  SIGNET_CHECK(state_->authorise_look(
      state_->new_certificate_record(principal, "listCertificates", {std::string(vault), {}, {}}),
      CertificatePermission::List));
  SIGNET_TRY(std::vector<CertificateInfo> all, state_->certificates().list(vault));
  if (!include_pending) return all;
  SIGNET_TRY(const std::vector<StoredName> pending, state_->certificates().list_without_version(vault));
  for (const StoredName& name : pending)
    all.push_back({name.id, {}, {false, {}}, name.policy.created, name.policy.updated});
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return to_lower(a.id.name) < to_lower(b.id.name); });
  return all;
}

Result<std::vector<CertificateInfo>> EmbeddedVault::certificate_versions(const Principal& principal,
                                                                         std::string_view vault,
                                                                         std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_certificate_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_certificate_record(principal, "listCertificates", id),
                                      CertificatePermission::List));
  SIGNET_CHECK(CertificateSteps(*state_).known(id));
  return state_->certificates().versions(vault, name);
}

Result<VaultCertificate> EmbeddedVault::update_certificate(const Principal& principal,
                                                           const CertificateId& id,
                                                           const CertificateUpdate& update) {
  CertificateId version = id;
  const CertificateChange change = [&](CertificateInfo& now) -> Result<> {
    now.settings.enabled = update.enabled.value_or(now.settings.enabled);
    now.settings.tags = update.tags.value_or(now.settings.tags);
    now.updated = state_->now();
    return check_settings(now.settings);
  };
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Update));
    SIGNET_TRY(StoredCertificate stored, state_->certificates().load(id));
    version = stored.info.id;
    return change(stored.info);
  };
  const auto commit = [&]() -> Result<> {
    SIGNET_CHECK(state_->certificates().update(version, change));
    return {};
  };
  const std::string detail =
      fmt::format("enabled={} tags={}", update.enabled ? fmt::to_string(*update.enabled) : "-",
                  update.tags ? fmt::to_string(update.tags->size()) : "-");
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "updateCertificate", id, detail),
                              version, prepare, commit));
  return CertificateSteps(*state_).show(version);
}

}  // namespace signet::vault
