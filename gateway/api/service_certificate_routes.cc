#include "gateway/api/service_certificate_routes.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

Json json_of(const std::optional<certstore::Thumbprint>& thumbprint) {
  if (!thumbprint) return nullptr;
  return {{"thumbprint", thumbprint->digits}, {"thumbprintAlgorithm", to_string(thumbprint->algorithm)}};
}

Json json_of(const certstore::ServiceBinding& binding) {
  Json json = json_of(std::optional(binding.thumbprint));
  json["changed"] = to_rfc3339(binding.changed);
  json["changedBy"] = binding.changed_by;
  json["earlier"] = Json::array();
  for (const certstore::Thumbprint& thumbprint : binding.earlier)
    json["earlier"].push_back(json_of(std::optional(thumbprint)));
  return json;
}

Json json_of(const ServiceCertificateView& view) {
  Json json = {{"name", view.definition.name},   {"store", view.definition.store},
               {"hosts", view.definition.hosts}, {"permissionLevel", to_string(view.definition.use)},
               {"usedBy", view.users},           {"objections", view.objections}};
  if (view.binding) json["binding"] = json_of(*view.binding);
  if (view.certificate)
    json["certificate"] = {{"subject", view.certificate->subject()},
                           {"notBefore", to_rfc3339(view.certificate->not_before())},
                           {"notAfter", to_rfc3339(view.certificate->not_after())},
                           {"thumbprintSha256", view.certificate->thumbprint_sha256()}};
  return json;
}

Json json_of(const BindingOutcome& outcome) {
  Json changes = Json::array();
  for (const certstore::BindingChange& change : outcome.changes) {
    Json json = {{"name", change.name}, {"after", json_of(change.after)}};
    if (change.before) json["before"] = json_of(change.before);
    changes.push_back(std::move(json));
  }
  return {{"changed", outcome.changed}, {"changes", std::move(changes)}, {"warnings", outcome.warnings}};
}

/// 400 with all reasons, each as a detail of its own too (Azure's error body has these).
Answer refusal_of(const BindingOutcome& outcome) {
  std::string message;
  Json details = Json::array();
  for (const BindingRefusal& refusal : outcome.refusals) {
    message += fmt::format("{}'{}' {}", message.empty() ? "nothing was changed: " : "; ", refusal.name,
                           refusal.reason);
    details.push_back({{"code", "BindingRefused"}, {"target", refusal.name}, {"message", refusal.reason}});
  }
  Answer answer = answer_of(Problem{400, "BindingRefused", std::move(message)});
  (*answer.body)["error"]["details"] = std::move(details);
  return answer;
}

Result<std::vector<BindingRequest>> requests_in(const Json& body) {
  SIGNET_TRY(const std::vector<Json> objects, objects_member(body, "bindings"));
  if (objects.empty())
    return fail(ErrorKind::InvalidInput,
                "the request's body lacks the member 'bindings', an array of names with their thumbprints");
  std::vector<BindingRequest> requests;
  for (const Json& object : objects) {
    SIGNET_TRY(std::string name, required("name", text_member(object, "name")));
    SIGNET_TRY(std::string thumbprint, required("thumbprint", text_member(object, "thumbprint")));
    SIGNET_TRY(const auto algorithm, text_member(object, "thumbprintAlgorithm"));
    requests.push_back({std::move(name), std::move(thumbprint), algorithm.value_or("")});
  }
  return requests;
}

}  // namespace

Result<Answer> list_service_certificates(Services& services, const Call& /*call*/) {
  SIGNET_TRY(const auto views, services.service_certificates.list());
  Json value = Json::array();
  for (const ServiceCertificateView& view : views) value.push_back(json_of(view));
  return Answer::of({{"value", std::move(value)}});
}

Result<Answer> get_service_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const auto view, services.service_certificates.show(call.parameter("name")));
  return Answer::of(json_of(view));
}

Result<Answer> bind_service_certificates(Services& services, const Call& call) {
  SIGNET_TRY(const auto requests, requests_in(call.body));
  SIGNET_TRY(const auto dry_run, flag_member(call.body, "dryRun"));
  SIGNET_TRY(const BindingOutcome outcome,
             services.service_certificates.bind(call.vault_principal(), requests, dry_run.value_or(false)));
  if (!outcome.refusals.empty()) return refusal_of(outcome);
  return Answer::of(json_of(outcome));
}

Result<Answer> unbind_service_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(services.service_certificates.unbind(call.vault_principal(), call.parameter("name")));
  return Answer::no_content();
}

}  // namespace signet::gateway::api
