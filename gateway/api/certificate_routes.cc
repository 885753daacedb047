#include "gateway/api/certificate_routes.h"

#include <fmt/format.h>

#include "base/percent_encoding.h"
#include "certstore/vault/certificate_policy_json.h"
#include "gateway/api/certificate_json.h"
#include "gateway/api/json_body.h"
#include "gateway/api/paging.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

const std::string& name_in(const Call& call) { return call.parameter("name"); }

Answer with_location(Answer answer, int status, const std::string& location) {
  answer.status = status;
  answer.headers.set("Location", location);
  return answer;
}

/// A handler's outcome where what is missing is the operation, and not the certificate.
Result<Answer> operation_answer(const Call& call, const Result<vault::CertificateOperation>& operation) {
  if (operation) return Answer::of(operation_json(call, *operation));
  if (operation.error().kind != ErrorKind::NotFound) return fail(operation.error());
  return answer_of(Problem{404, "PendingCertificateNotFound", operation.error().detail});
}

/// null is the same as absent.
bool has_policy(const Call& call) { return call.body.contains("policy") && !call.body["policy"].is_null(); }

vault::CertificateSettings settings_of(const vault::CertificateUpdate& given) {
  return {given.enabled.value_or(true), given.tags.value_or(vault::Tags())};
}

/// @error InvalidInput  a chain is to keep an order of its own.
Result<> check_order(const Call& call) {
  SIGNET_TRY(const auto preserve, flag_member(call.body, "preserveCertOrder"));
  if (!preserve.value_or(false)) return {};
  return fail(
      ErrorKind::InvalidInput,
      "the member 'preserveCertOrder' can only be false here: a chain begins with its own certificate");
}

}  // namespace

Result<Answer> create_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(check_order(call));
  SIGNET_TRY(const vault::CertificateUpdate settings, read_certificate_update(call.body));
  std::optional<vault::CertificatePolicy> policy;
  if (has_policy(call)) {
    SIGNET_TRY(policy, read_policy(call.body, {}));
  }
  const auto operation = services.certificates.create_certificate(
      call.vault_principal(), call.vault, name_in(call), policy, settings_of(settings));
  // The name need not be there, and nothing else could be missing.
  if (!operation && operation.error().kind == ErrorKind::NotFound)
    return answer_of(Problem{404, "CertificateIssuerNotFound", operation.error().detail});
  if (!operation) return fail(operation.error());
  Json json = operation_json(call, *operation);
  const std::string location = fmt::format("{}?api-version={}&request_id={}", json["id"].get<std::string>(),
                                           percent_encode(call.api_version), operation->request_id);
  constexpr int kAccepted = 202;
  return with_location(Answer::of(std::move(json)), kAccepted, location);
}

Result<Answer> import_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(check_order(call));
  SIGNET_TRY(const vault::CertificateUpdate settings, read_certificate_update(call.body));
  SIGNET_TRY(const vault::CertificateFile file, read_certificate_value(call.body));
  vault::PolicyChange change;
  if (has_policy(call))
    change = [&](vault::CertificatePolicy derived) { return read_policy(call.body, std::move(derived)); };
  SIGNET_TRY(const vault::VaultCertificate imported,
             services.certificates.import_certificate(call.vault_principal(), call.vault, name_in(call), file,
                                                      change, settings_of(settings)));
  return Answer::of(certificate_bundle(call, imported));
}

Result<Answer> get_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::VaultCertificate found,
             services.certificates.get_certificate(call.vault_principal(), named_in(call)));
  return Answer::of(certificate_bundle(call, found));
}

Result<Answer> update_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::CertificateUpdate update, read_certificate_update(call.body));
  if (has_policy(call)) SIGNET_CHECK(read_policy(call.body, {}));  // before anything is changed
  SIGNET_TRY(vault::VaultCertificate after,
             services.certificates.update_certificate(call.vault_principal(), named_in(call), update));
  if (has_policy(call)) {
    SIGNET_TRY(after.policy,
               services.certificates.update_certificate_policy(
                   call.vault_principal(), call.vault, name_in(call), [&](vault::CertificatePolicy before) {
                     return read_policy(call.body, std::move(before));
                   }));
  }
  return Answer::of(certificate_bundle(call, after));
}

Result<Answer> list_certificates(Services& services, const Call& call) {
  SIGNET_TRY(const auto pending, call.target.parameter("includePending"));
  SIGNET_TRY(const auto all,
             services.certificates.list_certificates(call.vault_principal(), call.vault,
                                                     equal_ignoring_case(pending.value_or("false"), "true")));
  return page_of(
      call, all, Order::Key, [](const vault::CertificateInfo& info) { return info.id.name; },
      [&](const vault::CertificateInfo& info) {
        return certificate_item(call, info, {info.id.vault, info.id.name, {}});
      });
}

Result<Answer> list_certificate_versions(Services& services, const Call& call) {
  SIGNET_TRY(const auto all,
             services.certificates.certificate_versions(call.vault_principal(), call.vault, name_in(call)));
  return page_of(
      call, all, Order::Other, [](const vault::CertificateInfo& info) { return info.id.version; },
      [&](const vault::CertificateInfo& info) { return certificate_item(call, info, info.id); });
}

Result<Answer> get_certificate_policy(Services& services, const Call& call) {
  SIGNET_TRY(const vault::CertificatePolicy policy,
             services.certificates.certificate_policy(call.vault_principal(), call.vault, name_in(call)));
  return Answer::of(policy_json(call, named_in(call), policy));
}

Result<Answer> update_certificate_policy(Services& services, const Call& call) {
  SIGNET_TRY(const vault::CertificatePolicy policy,
             services.certificates.update_certificate_policy(
                 call.vault_principal(), call.vault, name_in(call), [&](vault::CertificatePolicy before) {
                   return vault::apply_json(std::move(before), call.body);
                 }));
  return Answer::of(policy_json(call, named_in(call), policy));
}

Result<Answer> get_certificate_operation(Services& services, const Call& call) {
  SIGNET_TRY(const auto wanted, call.target.parameter("request_id"));
  auto operation =
      services.certificates.certificate_operation(call.vault_principal(), call.vault, name_in(call));
  if (operation && wanted && *wanted != operation->request_id)
    operation = fail(ErrorKind::NotFound, fmt::format("the last operation of certificate '{}' has another "
                                                      "request id than '{}'",
                                                      name_in(call), printable(*wanted)));
  return operation_answer(call, operation);
}

/// The one thing that can be changed of an operation is that it is to end.
Result<Answer> update_certificate_operation(Services& services, const Call& call) {
  SIGNET_TRY(const bool ends,
             required("cancellation_requested", flag_member(call.body, "cancellation_requested")));
  if (!ends)
    return fail(ErrorKind::InvalidInput,
                "'cancellation_requested' can only become true: what ended has ended");
  auto operation =
      services.certificates.cancel_certificate_operation(call.vault_principal(), call.vault, name_in(call));
  if (!operation && operation.error().kind == ErrorKind::AlreadyExists)
    return fail(ErrorKind::InvalidInput, operation.error().detail);
  return operation_answer(call, operation);
}

Result<Answer> delete_certificate_operation(Services& services, const Call& call) {
  return operation_answer(call, services.certificates.delete_certificate_operation(
                                    call.vault_principal(), call.vault, name_in(call)));
}

Result<Answer> merge_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::CertificateUpdate settings, read_certificate_update(call.body));
  SIGNET_TRY(const auto certificates, read_certificates(call.body));
  const auto merged = services.certificates.merge_certificate(call.vault_principal(), call.vault,
                                                              name_in(call), certificates, settings);
  if (!merged && merged.error().kind == ErrorKind::NotFound)
    return answer_of(Problem{404, "PendingCertificateNotFound", merged.error().detail});
  if (!merged) return fail(merged.error());
  constexpr int kCreated = 201;
  return with_location(Answer::of(certificate_bundle(call, *merged)), kCreated,
                       object_url(call, "certificates", merged->info.id));
}

Result<Answer> delete_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedCertificate deleted,
             services.certificates.delete_certificate(call.vault_principal(), call.vault, name_in(call)));
  return Answer::of(deleted_bundle(call, deleted));
}

Result<Answer> list_deleted_certificates(Services& services, const Call& call) {
  SIGNET_TRY(const auto all,
             services.certificates.list_deleted_certificates(call.vault_principal(), call.vault));
  using Deleted = vault::Deleted<vault::CertificateInfo>;
  return page_of(
      call, all, Order::Key, [](const Deleted& deleted) { return deleted.info.id.name; },
      [&](const Deleted& deleted) { return deleted_item(call, deleted); });
}

Result<Answer> get_deleted_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedCertificate deleted, services.certificates.get_deleted_certificate(
                                                          call.vault_principal(), call.vault, name_in(call)));
  return Answer::of(deleted_bundle(call, deleted));
}

Result<Answer> recover_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const vault::VaultCertificate back,
             services.certificates.recover_certificate(call.vault_principal(), call.vault, name_in(call)));
  return Answer::of(certificate_bundle(call, back));
}

Result<Answer> purge_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(services.certificates.purge_certificate(call.vault_principal(), call.vault, name_in(call)));
  return Answer::no_content();
}

Result<Answer> backup_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob,
             services.certificates.backup_certificate(call.vault_principal(), call.vault, name_in(call)));
  return backup_answer(blob);
}

Result<Answer> restore_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob, required("value", octets_member(call.body, "value")));
  SIGNET_TRY(const vault::VaultCertificate back,
             services.certificates.restore_certificate(call.vault_principal(), call.vault, blob));
  return Answer::of(certificate_bundle(call, back));
}

Result<Answer> get_contacts(Services& services, const Call& call) {
  SIGNET_TRY(const auto contacts,
             services.certificates.certificate_contacts(call.vault_principal(), call.vault));
  return Answer::of(contacts_json(call, contacts));
}

Result<Answer> set_contacts(Services& services, const Call& call) {
  SIGNET_TRY(const auto contacts, read_contacts(call.body));
  SIGNET_CHECK(services.certificates.set_certificate_contacts(call.vault_principal(), call.vault, contacts));
  return Answer::of(contacts_json(call, contacts));
}

Result<Answer> delete_contacts(Services& services, const Call& call) {
  SIGNET_TRY(const auto contacts,
             services.certificates.delete_certificate_contacts(call.vault_principal(), call.vault));
  return Answer::of(contacts_json(call, contacts));
}

Result<Answer> get_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuer,
             services.certificates.certificate_issuer(call.vault_principal(), call.vault, name_in(call)));
  return Answer::of(issuer_json(call, issuer));
}

Result<Answer> set_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const vault::IssuerUpdate given, read_issuer(call.body));
  SIGNET_TRY(const auto issuer, services.certificates.set_certificate_issuer(
                                    call.vault_principal(), call.vault, name_in(call), given));
  return Answer::of(issuer_json(call, issuer));
}

Result<Answer> update_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const vault::IssuerUpdate given, read_issuer(call.body));
  SIGNET_TRY(const auto issuer, services.certificates.update_certificate_issuer(
                                    call.vault_principal(), call.vault, name_in(call), given));
  return Answer::of(issuer_json(call, issuer));
}

Result<Answer> delete_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuer, services.certificates.delete_certificate_issuer(call.vault_principal(),
                                                                                call.vault, name_in(call)));
  return Answer::of(issuer_json(call, issuer));
}

Result<Answer> list_issuers(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuers,
             services.certificates.list_certificate_issuers(call.vault_principal(), call.vault));
  return page_of(
      call, issuers, Order::Key, [](const vault::CertificateIssuer& issuer) { return issuer.id.name; },
      [&](const vault::CertificateIssuer& issuer) {
        return Json{{"id", fmt::format("{}/certificates/issuers/{}", call.origin, issuer.id.name)},
                    {"provider", issuer.provider}};
      });
}

}  // namespace signet::gateway::api
