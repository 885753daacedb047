#include "gateway/api/authority_json.h"
#include "gateway/api/authority_paging.h"
#include "gateway/api/authority_routes.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

/// Every word of a parameter's text, between commas.
std::vector<std::string> words_of(const std::optional<std::string>& text) {
  std::vector<std::string> words;
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (const auto word = trim(rest.substr(0, comma)); !word.empty()) words.emplace_back(word);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return words;
}

Result<authority::ApplicationFilter> application_filter(const Call& call) {
  authority::ApplicationFilter filter;
  SIGNET_TRY(auto name, call.target.parameter("applicationName"));
  filter.name = std::move(name).value_or("");
  SIGNET_TRY(auto uri, call.target.parameter("applicationUri"));
  filter.uri = std::move(uri).value_or("");
  SIGNET_TRY(auto product, call.target.parameter("productUri"));
  filter.product_uri = std::move(product).value_or("");
  SIGNET_TRY(const auto type, call.target.parameter("applicationType"));
  if (type) {
    SIGNET_TRY(filter.type, authority::parse_opc_ua_type(*type));
  }
  SIGNET_TRY(const auto capabilities, call.target.parameter("serverCapabilities"));
  filter.capabilities = words_of(capabilities);
  SIGNET_TRY(const auto states, call.target.parameter("state"));
  if (!states) return filter;
  filter.states.clear();
  for (const std::string& word : words_of(states)) {
    if (word == "all") continue;
    SIGNET_TRY(const auto state, authority::parse_application_state(word));
    filter.states.insert(state);
  }
  return filter;
}

/// Whoever changes something says which of its revisions was looked at, or does not mind.
Result<std::int64_t> revision_in(const Call& call) {
  SIGNET_TRY(const auto revision, integer_member(call.body, "revision"));
  return revision.value_or(0);
}

}  // namespace

Result<Answer> list_applications(Services& services, const Call& call) {
  SIGNET_TRY(const auto filter, application_filter(call));
  SIGNET_TRY(const auto request, authority_page(call));
  SIGNET_TRY(const auto page,
             services.authority.service.applications(actor_of(call.principal), filter, request));
  return authority_page_answer(call, page.items, page.next);
}

Result<Answer> register_application(Services& services, const Call& call) {
  SIGNET_TRY(const auto description, application_in(call.body));
  SIGNET_TRY(const auto application,
             services.authority.service.register_application(actor_of(call.principal), description));
  return Answer{201, json_of(application), {}};
}

Result<Answer> get_application(Services& services, const Call& call) {
  SIGNET_TRY(const auto application,
             services.authority.service.application(actor_of(call.principal), call.parameter("id")));
  return Answer::of(json_of(application));
}

Result<Answer> change_application(Services& services, const Call& call) {
  SIGNET_TRY(const auto description, application_in(call.body));
  SIGNET_TRY(const std::int64_t revision, revision_in(call));
  SIGNET_TRY(const auto application,
             services.authority.service.change_application(actor_of(call.principal), call.parameter("id"),
                                                           description, revision));
  return Answer::of(json_of(application));
}

Result<Answer> approve_application(Services& services, const Call& call) {
  SIGNET_TRY(const auto application,
             services.authority.service.approve_application(actor_of(call.principal), call.parameter("id")));
  return Answer::of(json_of(application));
}

Result<Answer> reject_application(Services& services, const Call& call) {
  SIGNET_TRY(const std::string reason, required("reason", text_member(call.body, "reason")));
  SIGNET_TRY(const auto application, services.authority.service.reject_application(
                                         actor_of(call.principal), call.parameter("id"), reason));
  return Answer::of(json_of(application));
}

Result<Answer> unregister_application(Services& services, const Call& call) {
  SIGNET_TRY(const auto application, services.authority.service.unregister_application(
                                         actor_of(call.principal), call.parameter("id")));
  return Answer::of(json_of(application));
}

Result<Answer> remove_application(Services& services, const Call& call) {
  SIGNET_CHECK(services.authority.service.remove_application(actor_of(call.principal), call.parameter("id")));
  return Answer::no_content();
}

}  // namespace signet::gateway::api
