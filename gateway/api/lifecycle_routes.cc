#include "gateway/api/lifecycle_routes.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"
#include "gateway/api/lifecycle_json.h"

namespace signet::gateway::api {
namespace {

/// 400 with all errors, each as a detail of its own too (Azure's error body has these).
Answer refusal_of(const RolloverOutcome& outcome) {
  std::string message = "nothing was changed: ";
  Json details = Json::array();
  for (const agreements::Problem& error : outcome.errors) {
    const std::string text = agreements::to_string(error);
    message += (details.empty() ? "" : "; ") + text;
    details.push_back({{"code", "RolloverRefused"}, {"target", error.path}, {"message", text}});
  }
  Answer answer = answer_of(Problem{400, "RolloverRefused", std::move(message)});
  (*answer.body)["error"]["details"] = std::move(details);
  return answer;
}

/// To the second, as the account keeps it.
Result<Time> date_member(const Json& body, std::string_view name, std::optional<Time> otherwise = {}) {
  SIGNET_TRY(const auto text, text_member(body, name));
  if (!text && otherwise) return std::chrono::floor<std::chrono::seconds>(*otherwise);
  if (!text)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the request's body lacks the member '{}', a time", name));
  auto time = parse_time(*text);
  if (!time) return fail(std::move(time).error().within(fmt::format("the member '{}'", name)));
  return std::chrono::floor<std::chrono::seconds>(*time);
}

Result<RolloverPlan> plan_in(const Json& body, Time now) {
  RolloverPlan plan;
  SIGNET_TRY(plan.successor, required("certificate", text_member(body, "certificate")));
  SIGNET_TRY(plan.replaced, required("replaces", text_member(body, "replaces")));
  SIGNET_TRY(const auto agreements, words_member(body, "agreements"));
  plan.agreements = agreements.value_or(std::vector<std::string>());
  SIGNET_TRY(const auto roles, words_member(body, "roles"));
  for (const std::string& word : roles.value_or(std::vector<std::string>())) {
    SIGNET_TRY(const agreements::CertificateRole role, parse_certificate_role(word));
    plan.roles.push_back(role);
  }
  SIGNET_TRY(plan.accept_from, date_member(body, "acceptFrom", now));
  SIGNET_TRY(plan.use_from, date_member(body, "useFrom"));
  SIGNET_TRY(plan.retire_at, date_member(body, "retireAt"));
  return plan;
}

Result<bool> wants_dry_run(const Call& call) {
  SIGNET_TRY(const auto dry_run, flag_member(call.body, "dryRun"));
  return dry_run.value_or(false);
}

}  // namespace

Result<Answer> answer_with(const Result<RolloverOutcome>& outcome) {
  if (!outcome) return fail(outcome.error());
  if (!outcome->errors.empty()) return refusal_of(*outcome);
  return Answer::of(json_of(*outcome));
}

Result<Answer> list_inventory(Services& services, const Call& /*call*/) {
  SIGNET_TRY(const auto certificates, services.inventory.certificates());
  const Time now = services.clock.now();
  Json value = Json::array();
  for (const InventoryEntry& entry : certificates) value.push_back(json_of(entry, now));
  return Answer::of({{"value", std::move(value)}});
}

Result<Answer> list_rollovers(Services& services, const Call& /*call*/) {
  SIGNET_TRY(const auto rollovers, services.rollovers.list());
  const Time now = services.clock.now();
  Json value = Json::array();
  for (const Rollover& rollover : rollovers) value.push_back(json_of(rollover, now));
  return Answer::of({{"value", std::move(value)}});
}

Result<Answer> plan_rollovers(Services& services, const Call& call) {
  SIGNET_TRY(const RolloverPlan plan, plan_in(call.body, services.clock.now()));
  SIGNET_TRY(const bool dry_run, wants_dry_run(call));
  return answer_with(services.rollovers.plan(call.vault_principal(), plan, dry_run));
}

Result<Answer> get_rollover(Services& services, const Call& call) {
  SIGNET_TRY(const Rollover rollover,
             services.rollovers.show(call.parameter("agreement"), call.parameter("certificate")));
  return Answer::of(json_of(rollover, services.clock.now()));
}

Result<Answer> cancel_rollover(Services& services, const Call& call) {
  return answer_with(services.rollovers.cancel(call.vault_principal(), call.parameter("agreement"),
                                               call.parameter("certificate"), false));
}

Result<Answer> advance_rollover(Services& services, const Call& call) {
  SIGNET_TRY(const bool dry_run, wants_dry_run(call));
  return answer_with(services.rollovers.advance(call.vault_principal(), call.parameter("agreement"),
                                                call.parameter("certificate"), dry_run));
}

Result<Answer> complete_rollover(Services& services, const Call& call) {
  SIGNET_TRY(const bool dry_run, wants_dry_run(call));
  return answer_with(services.rollovers.complete(call.vault_principal(), call.parameter("agreement"),
                                                 call.parameter("certificate"), dry_run));
}

}  // namespace signet::gateway::api
