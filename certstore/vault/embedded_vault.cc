#include "certstore/vault/embedded_vault_internal.h"

namespace signet::vault {
namespace {

constexpr KeyOperation kSign{"sign", KeyPermission::Sign, KeyOp::Sign, true, true};
constexpr KeyOperation kVerify{"verify", KeyPermission::Verify, KeyOp::Verify, false, false};
constexpr KeyOperation kEncrypt{"encrypt", KeyPermission::Encrypt, KeyOp::Encrypt, true, false};
constexpr KeyOperation kDecrypt{"decrypt", KeyPermission::Decrypt, KeyOp::Decrypt, false, true};
constexpr KeyOperation kWrapKey{"wrapKey", KeyPermission::WrapKey, KeyOp::WrapKey, true, false};
constexpr KeyOperation kUnwrapKey{"unwrapKey", KeyPermission::UnwrapKey, KeyOp::UnwrapKey, false, true};
constexpr KeyOperation kDerive{"derive", KeyPermission::Decrypt, KeyOp::Decrypt, false, true};

}  // namespace

Result<> check_usable(const KeyInfo& info, const KeyOperation& operation, Time now) {
  const auto refuse = [&](std::string_view why, ErrorKind kind = ErrorKind::PermissionDenied) {
    return fail(kind, fmt::format("operation {} is not allowed on key '{}': {}", operation.name,
                                  to_string(info.id), why));
  };
  if (!info.attributes.enabled)
    return refuse("the key is disabled; enable it, or name another version", ErrorKind::Disabled);
  if (!info.ops.has(operation.op))
    return refuse(
        fmt::format("its key_ops are '{}', without '{}'", to_string(info.ops), to_string(operation.op)));
  if (!operation.makes_something_new) return {};
  if (info.attributes.not_before && now < *info.attributes.not_before)
    return refuse("it is not valid before " + to_rfc3339(*info.attributes.not_before));
  if (info.attributes.expires && now >= *info.attributes.expires)
    return refuse(fmt::format("it expired at {}; make a new version", to_rfc3339(*info.attributes.expires)));
  return {};
}

Result<> check_settings(const KeyInfo& info) {
  for (const KeyOp op : {KeyOp::Encrypt, KeyOp::WrapKey, KeyOp::UnwrapKey})
    if (!is_rsa(info.kind) && info.ops.has(op))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format(
              "an EC key cannot have the key operation '{}': it has sign, verify and decrypt (key agreement)",
              to_string(op)));
  SIGNET_CHECK(check_dates(info.attributes, "key"));
  return check_tags(info.tags, "key");
}

Bytes context_of(const KeyId& id, KeyKind kind) {
  return sealing_context(
      {"signet vault key 1", to_lower(id.vault), to_lower(id.name), id.version, to_string(kind)});
}

EmbeddedVault::EmbeddedVault(std::unique_ptr<State> state) : state_(std::move(state)) {}
EmbeddedVault::~EmbeddedVault() = default;

Result<std::unique_ptr<EmbeddedVault>> EmbeddedVault::open(KeyStore& store, SecretStore& secrets,
                                                           VaultCertificateStore& certificates,
                                                           AuditLog& audit, MasterKey master_key,
                                                           const Clock& clock, EmbeddedVaultOptions options) {
  auto vault = open_sealed(store, secrets, certificates, audit, clock, options);
  State& state = *vault->state_;
  SIGNET_CHECK(state.confirm(master_key));
  state.put_master_key(std::make_shared<const MasterKey>(std::move(master_key)));
  return vault;
}

std::unique_ptr<EmbeddedVault> EmbeddedVault::open_sealed(KeyStore& store, SecretStore& secrets,
                                                          VaultCertificateStore& certificates,
                                                          AuditLog& audit, const Clock& clock,
                                                          EmbeddedVaultOptions options) {
  return std::unique_ptr<EmbeddedVault>(
      new EmbeddedVault(std::make_unique<State>(store, secrets, certificates, audit, clock, options)));
}

Result<> check_is_operator(const Principal& principal, std::string_view vault) {
  if (principal == Principal::local_operator()) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format(
          "principal '{}' may not see or set the access policies or the settings of key vault '{}': that is "
          "for "
          "the local administrator at the command line (signet vault policy ..., signet vault settings ...)",
          printable(principal.name), vault));
}

namespace {

/// As an audit record has it. Tags are not repeated there.
std::string describe(const KeyUpdate& update) {
  std::string text = to_string(update.attributes);
  const auto add = [&text](std::string_view words) { text.append(text.empty() ? "" : " ").append(words); };
  if (update.ops) add("key_ops=" + to_string(*update.ops));
  if (update.tags) add(fmt::format("tags={}", update.tags->size()));
  return text;
}

Result<> take(KeyKind kind, const KeySettings& settings, KeyInfo& info) {
  info.kind = kind;
  info.ops = settings.ops.value_or(default_key_ops(kind));
  info.attributes = settings.attributes;
  info.tags = settings.tags;
  return {};
}

Result<> check_principal_name(const Principal& principal) {
  if (!principal.name.empty() && principal.name.size() <= 200 && printable(principal.name) == principal.name)
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' cannot name a principal: 1 to 200 printable ASCII characters are needed",
                          printable(principal.name)));
}

}  // namespace

Result<> EmbeddedVault::set_policy(const Principal& principal, const AccessPolicy& policy) {
  KeyId vault{policy.vault, {}, {}};
  return state_->change(
      state_->new_record(principal, "setPolicy", vault,
                         fmt::format("principal '{}': keys '{}', secrets '{}', certificates '{}'",
                                     printable(policy.principal.name), to_string(policy.keys),
                                     to_string(policy.secrets), to_string(policy.certificates))),
      vault,
      [&]() -> Result<> {
        SIGNET_CHECK(check_vault_name(policy.vault));
        SIGNET_CHECK(check_principal_name(policy.principal));
        return check_is_operator(principal, policy.vault);
      },
      [&] { return state_->store().put_policy(policy); });
}

void EmbeddedVault::forget() { state_->forget(); }

Result<std::vector<AccessPolicy>> EmbeddedVault::policies(const Principal& principal,
                                                          std::string_view vault) {
  SIGNET_CHECK(check_vault_name(vault));
  SIGNET_CHECK(check_is_operator(principal, vault));
  return state_->store().policies(vault);
}

Result<> EmbeddedVault::check_access(const Principal& principal, std::string_view operation,
                                     const KeyId& what, KeyPermission needed) {
  return state_->authorise_look(state_->new_record(principal, operation, what), needed);
}

Result<> EmbeddedVault::check_access(const Principal& principal, std::string_view operation,
                                     const KeyId& what, SecretPermission needed) {
  return state_->authorise_look(state_->new_secret_record(principal, operation, what), needed);
}

Result<> EmbeddedVault::check_access(const Principal& principal, std::string_view operation,
                                     const KeyId& what, CertificatePermission needed) {
  return state_->authorise_look(state_->new_certificate_record(principal, operation, what), needed);
}

Result<KeyInfo> EmbeddedVault::create_key(const Principal& principal, std::string_view vault,
                                          std::string_view name, KeyKind kind, const KeySettings& settings) {
  return state_->add(
      state_->new_record(principal, "create", {std::string(vault), std::string(name), {}},
                         std::string(to_string(kind))),
      state_->permit(principal, KeyPermission::Create),
      [&](KeyInfo& info) -> Result<> {
        SIGNET_CHECK(State::check_may_be_named(principal, {std::string(vault), std::string(name), {}}));
        return take(kind, settings, info);
      },
      [&](const KeyId& id, KeyKind made) -> Result<std::unique_ptr<PrivateKey>> {
        SIGNET_CHECK(state_->holders().check_offers(id.vault, settings.in_token));
        return state_->holders().generate(id, made);
      });
}

Result<KeyInfo> EmbeddedVault::import_key(const Principal& principal, std::string_view vault,
                                          std::string_view name, const KeyMaterial& key,
                                          const KeySettings& settings) {
  return state_->add(
      state_->new_record(principal, "import", {std::string(vault), std::string(name), {}},
                         std::string(to_string(key.kind))),
      state_->permit(principal, KeyPermission::Import),
      [&](KeyInfo& info) -> Result<> {
        SIGNET_CHECK(State::check_may_be_named(principal, {std::string(vault), std::string(name), {}}));
        return take(key.kind, settings, info);
      },
      [&](const KeyId& id, KeyKind) -> Result<std::unique_ptr<PrivateKey>> {
        SIGNET_CHECK(state_->holders().check_offers(id.vault, settings.in_token));
        return state_->holders().import(id, key.pkcs8.view());
      });
}

Result<KeyInfo> EmbeddedVault::get(const Principal& principal, const KeyId& id) {
  SIGNET_CHECK(check_key_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_record(principal, "get", id), KeyPermission::Get));
  SIGNET_TRY(StoredKey stored, state_->store().load(id));
  return std::move(stored.info);
}

Result<std::vector<KeyInfo>> EmbeddedVault::list(const Principal& principal, std::string_view vault) {
  SIGNET_CHECK(state_->authorise_look(state_->new_record(principal, "list", {std::string(vault), {}, {}}),
                                      KeyPermission::List));
  return state_->store().list(vault);
}

Result<std::vector<KeyInfo>> EmbeddedVault::versions(const Principal& principal, std::string_view vault,
                                                     std::string_view name) {
  const KeyId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_key_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_record(principal, "list", id), KeyPermission::List));
  SIGNET_TRY(std::vector<KeyInfo> versions, state_->store().versions(vault, name));
  if (versions.empty())
    return fail(ErrorKind::NotFound, fmt::format("there is no key '{}' in key vault '{}'", name, vault));
  return versions;
}

Result<KeyInfo> EmbeddedVault::update(const Principal& principal, const KeyId& id, const KeyUpdate& update) {
  KeyInfo info;
  KeyId key = id;
  const KeyChange change = [&](KeyInfo& now) -> Result<> {
    update.attributes.apply_to(now.attributes);
    now.ops = update.ops.value_or(now.ops);
    now.tags = update.tags.value_or(now.tags);
    now.updated = state_->now();
    return check_settings(now);
  };
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_key_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, KeyPermission::Update));
    SIGNET_CHECK(state_->check_is_no_certificates(id, "key"));
    SIGNET_TRY(StoredKey stored, state_->store().load(id));
    key = stored.info.id;
    return change(stored.info);
  };
  const auto commit = [&]() -> Result<> {
    SIGNET_TRY(info, state_->store().update(key, change));
    return {};
  };
  SIGNET_CHECK(
      state_->change(state_->new_record(principal, "update", key, describe(update)), key, prepare, commit));
  return info;
}

Result<Bytes> EmbeddedVault::sign(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                                  ByteView digest) {
  return state_->use(principal, id, kSign, std::string(to_string(algorithm)),
                     [&](const PrivateKey& key) { return key.sign(algorithm, digest); });
}

Result<bool> EmbeddedVault::verify(const Principal& principal, const KeyId& id, SignatureAlgorithm algorithm,
                                   ByteView digest, ByteView signature) {
  return state_->use(principal, id, kVerify, std::string(to_string(algorithm)),
                     [&](const PrivateKey& key) { return key.verify(algorithm, digest, signature); });
}

Result<Bytes> EmbeddedVault::encrypt(const Principal& principal, const KeyId& id,
                                     const EncryptionAlgorithm& algorithm, ByteView plaintext) {
  return state_->use(principal, id, kEncrypt, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.encrypt(algorithm, plaintext); });
}

Result<SecretBytes> EmbeddedVault::decrypt(const Principal& principal, const KeyId& id,
                                           const EncryptionAlgorithm& algorithm, ByteView ciphertext) {
  return state_->use(principal, id, kDecrypt, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.decrypt(algorithm, ciphertext); });
}

Result<Bytes> EmbeddedVault::wrap_key(const Principal& principal, const KeyId& id,
                                      const EncryptionAlgorithm& algorithm, ByteView key_to_wrap) {
  return state_->use(principal, id, kWrapKey, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.encrypt(algorithm, key_to_wrap); });
}

Result<SecretBytes> EmbeddedVault::unwrap_key(const Principal& principal, const KeyId& id,
                                              const EncryptionAlgorithm& algorithm, ByteView wrapped) {
  return state_->use(principal, id, kUnwrapKey, to_string(algorithm),
                     [&](const PrivateKey& key) { return key.decrypt(algorithm, wrapped); });
}

Result<SecretBytes> EmbeddedVault::derive(const Principal& principal, const KeyId& id, ByteView peer_point) {
  return state_->use(principal, id, kDerive, "ECDH",
                     [&](const PrivateKey& key) { return key.derive(peer_point); });
}

}  // namespace signet::vault
