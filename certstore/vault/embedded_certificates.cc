#include "certstore/vault/embedded_certificates_internal.h"

#include <algorithm>

namespace signet::vault {
namespace {

Result<CertificatePolicy> policy_of_import(const CertificateFile& file, bool exportable,
                                           const PolicyChange& change) {
  CertificatePolicy policy = policy_of(file.contents.certificates.front(), file.contents.key.kind);
  policy.content = file.content;
  policy.exportable = exportable;
  if (!change) return policy;
  SIGNET_TRY(CertificatePolicy changed, change(policy));
  if (changed.kind != policy.kind)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the policy wants a key of kind {}, the file has one of {}",
                            to_string(changed.kind), to_string(policy.kind)));
  SIGNET_CHECK(check_policy(changed));
  return changed;
}

/// @error PermissionDenied  the gateway has it from an issuer of the vault.
Result<> check_is_merged(const CertificateOperation& operation) {
  if (!is_ordered(operation.issuer)) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("nothing is merged into the operation of certificate '{}': it is in progress at the issuer "
                  "'{}'; wait for it, or cancel it first",
                  to_string(operation.id), operation.issuer));
}

}  // namespace

Result<CertificateOperation> EmbeddedVault::create_certificate(const Principal& principal,
                                                               std::string_view vault, std::string_view name,
                                                               const std::optional<CertificatePolicy>& policy,
                                                               const CertificateSettings& settings) {
  CertificateSteps certificates(*state_);
  CertificateId id{std::string(vault), std::string(name), {}};
  BegunVersion begun;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Create));
    SIGNET_CHECK(state_->check_may_be_named(principal, id));
    SIGNET_CHECK(check_settings(settings));
    SIGNET_CHECK(certificates.begin_version(id, policy, settings, begun));
    StoredName& made = begun.version ? begun.version->name : begun.name;
    if (policy) made.policy_by = principal.name;
    made.operation->begun_by = principal.name;
    return {};
  };
  const std::string detail = policy ? describe(*policy) : "by the policy that is there";
  Result<> changed =
      state_->change(state_->new_certificate_record(principal, "createCertificate", id, detail), id, prepare,
                     [&] { return certificates.put(begun); });
  SIGNET_CHECK(state_->settled(id.vault, begun.key.get(), std::move(changed)));
  return std::move(begun.name.operation->operation);
}

Result<VaultCertificate> EmbeddedVault::import_certificate(const Principal& principal, std::string_view vault,
                                                           std::string_view name, const CertificateFile& file,
                                                           const PolicyChange& change,
                                                           const CertificateSettings& settings) {
  CertificateSteps certificates(*state_);
  CertificateId id{std::string(vault), std::string(name), {}};
  NewVersion version;
  std::shared_ptr<const PrivateKey> key;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Import));
    SIGNET_CHECK(state_->check_may_be_named(principal, id));
    SIGNET_CHECK(check_settings(settings));
    SIGNET_TRY(StoredName made, certificates.begin(id));
    SIGNET_CHECK(certstore::check_key_strength(file.contents.certificates.front()));
    SIGNET_TRY(const auto token, this->token(id.vault));
    SIGNET_TRY(CertificatePolicy policy, policy_of_import(file, !token, change));
    SIGNET_CHECK(certificates.take_holder(id, policy));
    made.policy = with_dates(policy, made, state_->now());
    made.policy_by = principal.name;
    id = {made.id.vault, made.id.name, random_id()};
    SIGNET_CHECK(state_->check_open());  // before anything comes into a token
    SIGNET_TRY(key, state_->holders().import(id, file.contents.key.pkcs8.view()));
    SIGNET_TRY(const KeyOfVersion sealed, certificates.seal(key, id));
    SIGNET_TRY(version,
               certificates.assemble(made, id, made.policy, sealed, file.contents.certificates, settings));
    return {};
  };
  Result<> changed = state_->change(state_->new_certificate_record(principal, "importCertificate", id,
                                                                   std::string(to_string(file.content))),
                                    id, prepare, [&] { return state_->certificates().put_version(version); });
  SIGNET_CHECK(state_->settled(id.vault, key.get(), std::move(changed)));
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
    const StoredOperation& operation = *made.operation;
    SIGNET_CHECK(check_in_progress(operation.operation));
    SIGNET_CHECK(check_is_merged(operation.operation));
    CertificateSettings wanted = operation.settings;
    wanted.enabled = settings.enabled.value_or(wanted.enabled);
    wanted.tags = settings.tags.value_or(wanted.tags);
    SIGNET_CHECK(check_settings(wanted));
    id = {made.id.vault, made.id.name, operation.version};
    SIGNET_TRY(version, steps.finish_version(std::move(made), wanted, certificates));
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
