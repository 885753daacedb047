#include "certstore/vault/embedded_certificates_internal.h"

#include <algorithm>

#include "certstore/vault/certificate_provider.h"
#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/provider.h"
#include "certstore/x509/issue.h"

/// What the operations with certificates are made of.

namespace signet::vault {
namespace {

Result<certstore::SigningKey> signing_key(const PrivateKey& key) {
  SIGNET_TRY(certstore::KeyHandle handle, key.handle());
  return certstore::SigningKey{std::move(handle), key.public_key(), Hash::Sha256, key_library()};
}

/// OpenSSL loses the reason why a token does not sign.
template <class T>
Result<T> with_reason(Result<T> signed_text) {
  if (signed_text) return signed_text;
  if (auto reason = take_vault_refusal()) return fail(*std::move(reason));
  return signed_text;
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

Result<CertificatePolicy> policy_for(const StoredName& name, const std::optional<CertificatePolicy>& given,
                                     Time now) {
  if (given) return with_dates(*given, name, now);
  if (name.policy.created != Time{}) return name.policy;
  return fail(ErrorKind::InvalidInput,
              fmt::format("the first version of certificate '{}' needs a policy", to_string(name.id)));
}

/// An operation with its request, in progress.
Result<StoredOperation> begin_operation(const CertificateId& id, const CertificatePolicy& policy,
                                        const CertificateSettings& settings, const KeyOfVersion& key,
                                        Time now) {
  SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(policy, now));
  StoredOperation begun;
  SIGNET_TRY(const certstore::SigningKey signing, signing_key(*key.key));
  SIGNET_TRY(begun.operation.request, with_reason(certstore::make_certification_request(signing, profile)));
  begun.operation.id = {id.vault, id.name, {}};
  begun.operation.issuer = policy.issuer;
  begun.operation.request_id = random_id();
  begun.policy = policy;
  begun.settings = settings;
  begun.version = id.version;
  begun.public_key = key.key->public_key();
  begun.sealed = key.sealed;
  begun.begun = now;
  return begun;
}

void complete(StoredOperation& operation) {
  operation.operation.status = OperationStatus::Completed;
  operation.operation.details.clear();
  operation.sealed.clear();
}

}  // namespace

std::string describe(const CertificatePolicy& policy) {
  return fmt::format("issuer '{}' subject '{}' {}{}", policy.issuer, printable(policy.subject),
                     to_string(policy.kind), policy.exportable ? " exportable" : "");
}

Result<> check_settings(const CertificateSettings& settings) {
  return check_tags(settings.tags, "certificate");
}

CertificatePolicy with_dates(CertificatePolicy policy, const StoredName& before, Time now) {
  policy.created = before.policy.created == Time{} ? now : before.policy.created;
  policy.updated = now;
  return policy;
}

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

Result<> EmbeddedVault::CertificateSteps::take_holder(const CertificateId& id, CertificatePolicy& policy) {
  SIGNET_CHECK(state_.holders().check_offers(id.vault, policy.in_token));
  SIGNET_TRY(const std::shared_ptr<Token> token, state_.holders().token_of(id.vault));
  policy.in_token = token != nullptr;
  if (!token || !policy.exportable) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("the keys of key vault '{}' are in a token, which gives none to anybody: set exportable to "
                  "false (--not-exportable)",
                  id.vault));
}

Result<KeyOfVersion> EmbeddedVault::CertificateSteps::seal(std::shared_ptr<const PrivateKey> key,
                                                           const CertificateId& id) {
  SIGNET_TRY(const SecretBytes at_rest, key->at_rest());
  SIGNET_TRY(const auto master_key, state_.master_key());
  Bytes sealed = master_key->seal(at_rest.view(), context_of(id, key->kind()));
  return KeyOfVersion{std::move(key), std::move(sealed)};
}

Result<KeyOfVersion> EmbeddedVault::CertificateSteps::make_key(const CertificateId& id,
                                                               const CertificatePolicy& policy) {
  std::shared_ptr<const PrivateKey> key;
  if (policy.reuse_key) {
    SIGNET_TRY(key, current_key(id, policy));
  }
  if (!key) {
    SIGNET_CHECK(state_.check_open());  // before anything is made in a token
    SIGNET_TRY(key, state_.holders().generate(id, policy.kind));
  }
  return seal(std::move(key), id);
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
  stored.info.in_token = operation.policy.in_token;
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
  info.in_token = key.key->in_token();
  info.created = info.updated = now;
  info.public_key = key.key->public_key();
  version.key.sealed = key.sealed;
  version.secret.info = {
      id, {std::string(to_string(policy.content)), attributes, settings.tags}, now, now, true};
  SIGNET_TRY(const auto master_key, state_.master_key());
  version.secret.sealed = master_key->seal(secret.view(), context_of_secret(id));
  version.certificate = {{id, std::move(chain), settings, now, now}, policy.exportable};
  return version;
}

namespace {

Result<> check_own_service(const CertificateIssuer& issuer) {
  if (!issuer.organisation.empty() && !issuer.account.empty()) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("the issuer '{}' is to be the certificate service, and does not say which group of it "
                  "(the organisation) and for which application there (the account): set both",
                  issuer.id.name));
}

}  // namespace

Result<> EmbeddedVault::CertificateSteps::check_issuer(const CertificateId& id,
                                                       const CertificatePolicy& policy) {
  if (!is_ordered(policy.issuer)) return {};
  SIGNET_TRY(const StoredIssuer stored, state_.certificates().load_issuer(id.vault, policy.issuer));
  const CertificateIssuer& issuer = stored.issuer;
  SIGNET_CHECK(check_enabled(issuer));
  if (!is_served(issuer.provider))
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the issuer '{}' cannot be asked for certificates here, its provider is '{}': there are Signet, "
            "ACME, DigiCert and GlobalSign; for another one let the policy's issuer be Unknown, have the "
            "request "
            "signed and merge what comes of it",
            policy.issuer, printable(issuer.provider)));
  if (is_own_service(issuer.provider)) return check_own_service(issuer);
  if (directory_of(issuer).empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the issuer '{}' has no directory: set the https URL where its ACME service is described "
                    "(signet vault certificate issuer set {} --directory URL)",
                    policy.issuer, policy.issuer));
  return {};
}

Result<> EmbeddedVault::CertificateSteps::begin_version(CertificateId& id,
                                                        const std::optional<CertificatePolicy>& policy,
                                                        const CertificateSettings& settings,
                                                        BegunVersion& begun) {
  StoredName& name = begun.name;
  SIGNET_TRY(name, begin(id));
  id = name.id;
  SIGNET_TRY(name.policy, policy_for(name, policy, state_.now()));
  SIGNET_CHECK(check_policy(name.policy));
  SIGNET_CHECK(take_holder(id, name.policy));
  SIGNET_CHECK(check_issuer(id, name.policy));
  id.version = random_id();
  SIGNET_TRY(const KeyOfVersion key, make_key(id, name.policy));
  begun.key = key.key;
  SIGNET_TRY(name.operation, begin_operation(id, name.policy, settings, key, state_.now()));
  if (is_ordered(name.policy.issuer)) name.operation->operation.details = "the gateway is to order it";
  if (name.policy.issuer != kSelfIssuer) return {};
  SIGNET_TRY(const certstore::CertificateProfile profile, profile_of(name.policy, state_.now()));
  SIGNET_TRY(const certstore::SigningKey signing, signing_key(*key.key));
  SIGNET_TRY(certstore::Certificate own, with_reason(certstore::make_self_signed(signing, profile)));
  complete(*name.operation);
  SIGNET_TRY(begun.version, assemble(name, id, name.policy, key, {std::move(own)}, settings));
  return {};
}

Result<NewVersion> EmbeddedVault::CertificateSteps::finish_version(
    StoredName name, const CertificateSettings& settings,
    const std::vector<certstore::Certificate>& certificates) {
  StoredOperation& operation = *name.operation;
  const CertificateId id{name.id.vault, name.id.name, operation.version};
  SIGNET_TRY(std::vector<certstore::Certificate> chain, own_first(certificates, operation.public_key, id));
  SIGNET_TRY(const KeyOfVersion key, key_of(operation, id));
  complete(operation);
  const CertificatePolicy policy = operation.policy;
  return assemble(std::move(name), id, policy, key, std::move(chain), settings);
}

Result<> EmbeddedVault::CertificateSteps::put(const BegunVersion& begun) {
  return begun.version ? state_.certificates().put_version(*begun.version)
                       : state_.certificates().put_name(begun.name);
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

}  // namespace signet::vault
