#include "agreements/certificate_roles.h"
#include "gateway/api/agreement_identities.h"
#include "gateway/api/entry_handlers_internal.h"
#include "gateway/api/entry_routes.h"
#include "gateway/api/host_paths.h"
#include "gateway/api/other_agreements.h"
#include "gateway/api/vault_references.h"

namespace signet::gateway::api {

using agreements::Agreement;

Result<Answer> put_agreement(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  if (is_other_agreement(call.body)) return put_other_agreement(services, call, resource);
  SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
  const Agreement* before = find_entry(stored.account.agreements, call.parameter("name"));
  auto outcome = agreements::read_agreement(name_of(before, call), call.body);
  if (outcome.entry) {
    SIGNET_CHECK(check_secrets(services, call, *outcome.entry, before));
    if (auto problems = paths_on_this_host(*outcome.entry, before); !problems.empty())
      return refusal_of(problems);
    if (before != nullptr) leave_out_identities(stored.account, *before, *outcome.entry);
  }
  SIGNET_TRY(Answer answer, put(services, call, std::move(outcome)));
  if (answer.status >= 400) return answer;
  SIGNET_TRY(const bool was_another, remove_other_agreement(services.account, call, services.clock.now()));
  if (was_another) answer.status = 200;
  return answer;
}

Result<Answer> get_agreement(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(const auto other, find_other_agreement(services.account, call.parameter("name")));
  if (!other) return get<Agreement>(services, call);
  SIGNET_TRY(Json json, other->json(services.account, resource));
  return Answer::of(std::move(json));
}

Result<Answer> delete_agreement(Services& services, const Call& call) {
  const auto used_by_nothing = [](const agreements::Account&, std::string_view) {
    return std::vector<std::string>();
  };
  SIGNET_TRY(const Answer answer, remove<Agreement>(services, call, used_by_nothing));
  SIGNET_TRY(const bool was_another, remove_other_agreement(services.account, call, services.clock.now()));
  if (!was_another) return answer;
  SIGNET_CHECK(services.account.resources.remove(
      ResourceKind::Envelope, envelope_name(EntryType<Agreement>::kCollection, call.parameter("name"))));
  return Answer{200, std::nullopt, {}};
}

Result<Answer> list_agreements(Services& services, const Call& call) {
  SIGNET_TRY(const std::string type, filter_of(call, "agreementType"));
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  SIGNET_TRY(const auto times, services.account.accounts.times(agreements::EntryKind::Agreement));
  SIGNET_TRY(const auto others, other_agreements(services.account));
  std::vector<Item> items = items_of<Agreement>(
      services, resource, stored.account, times,
      [](const Agreement& agreement) { return agreements::to_string(agreement.agreement_type); });
  for (const OtherAgreement& other : others)
    items.push_back({other.name, other.type(), [&] { return other.json(services.account, resource); }});
  return page_of_items(call, std::move(items), type);
}

Result<Answer> agreement_content(Services& services, const Call& call) {
  return content_of(services, call, get_agreement);
}

Result<Answer> agreement_callback_url(Services& services, const Call& call) {
  return content_callback_url(services, call, get_agreement);
}

}  // namespace signet::gateway::api
