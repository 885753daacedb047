#include "gateway/api/entry_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "agreements/certificate_roles.h"
#include "gateway/api/account_edit.h"
#include "gateway/api/agreement_identities.h"
#include "gateway/api/callback_request.h"
#include "gateway/api/entry_json.h"
#include "gateway/api/host_paths.h"
#include "gateway/api/json_body.h"
#include "gateway/api/other_agreements.h"
#include "gateway/api/vault_resource.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateEntry;
using agreements::Partner;

template <class Entry>
auto find_entry(std::vector<Entry>& entries, std::string_view name) {
  return std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
}

Json properties_of(Services&, const Account&, const Partner& partner) {
  return agreements::write_json(partner)["properties"];
}
/// What the id of a certificate's vault begins with.
std::string vaults_of(Services& services, const CertificateEntry& certificate) {
  const auto vault = certificate.key ? find_vault(services, certificate.key->key_vault)
                                     : Result<std::optional<VaultResource>>(std::nullopt);
  if (!vault || !*vault) return default_vaults(services.account.installation);
  const std::string id = (*vault)->id(services.account.installation);
  return id.substr(0, id.rfind('/') + 1);
}

Json properties_of(Services& services, const Account&, const CertificateEntry& certificate) {
  return agreements::write_json(certificate, vaults_of(services, certificate))["properties"];
}
Json properties_of(Services&, const Account& account, Agreement agreement) {
  fill_in_identities(account, agreement);
  return agreements::write_json(agreement)["properties"];
}

/// An entry as it is now.
template <class Entry>
Result<Json> shown(Services& services, const AccountResource& resource, const Account& account,
                   const Entry& entry, const agreements::TimesByName& times) {
  using Type = EntryType<Entry>;
  SIGNET_TRY(const Json envelope, envelope_of(services.account, resource, Type::kCollection, entry.name));
  const auto known = times.find(entry.name);
  return resource_json(services.account.installation, resource, Type::kCollection, entry.name, envelope,
                       properties_of(services, account, entry),
                       known == times.end() ? std::nullopt : std::optional(known->second));
}

template <class Entry>
Result<Answer> get(Services& services, const Call& call) {
  using Type = EntryType<Entry>;
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
  auto& entries = stored.account.*Type::kList;
  const auto entry = find_entry(entries, call.parameter("name"));
  if (entry == entries.end())
    return fail(ErrorKind::NotFound,
                fmt::format("there is nothing of the name '{}' among the {} of the account",
                            printable(call.parameter("name")), Type::kCollection));
  SIGNET_TRY(const auto times, services.account.accounts.times(Type::kKind));
  SIGNET_TRY(Json json, shown(services, resource, stored.account, *entry, times));
  return Answer::of(std::move(json));
}

template <class Entry>
Result<Answer> put(Services& services, const Call& call, agreements::JsonOutcome<Entry> outcome) {
  using Type = EntryType<Entry>;
  if (!outcome.entry) return refusal_of(outcome.problems);
  SIGNET_TRY(const Json envelope, read_envelope(call.body));
  const Entry& entry = *outcome.entry;
  bool made = false;
  SIGNET_TRY(const auto errors, edit_account(services.account, call, services.clock.now(),
                                             {Type::kKind, entry.name}, [&](Account& account) -> Result<> {
                                               auto& entries = account.*Type::kList;
                                               const auto before = find_entry(entries, entry.name);
                                               made = before == entries.end();
                                               if (made)
                                                 entries.push_back(entry);
                                               else
                                                 *before = entry;
                                               return {};
                                             }));
  if (!errors.empty()) return refusal_of(errors);
  SIGNET_CHECK(services.account.resources.put(ResourceKind::Envelope,
                                              envelope_name(Type::kCollection, entry.name), envelope.dump(),
                                              services.clock.now()));
  SIGNET_TRY(Answer answer, get<Entry>(services, call));
  if (made) answer.status = 201;
  return answer;
}

/// @param users  of an entry, by the names that they go by; it stays while there is one
template <class Entry, class Users>
Result<Answer> remove(Services& services, const Call& call, Users users) {
  using Type = EntryType<Entry>;
  SIGNET_CHECK(account_of(services.account, call));
  const std::string& name = call.parameter("name");
  bool was_there = false;
  SIGNET_TRY(const auto errors,
             edit_account(services.account, call, services.clock.now(), {Type::kKind, name},
                          [&](Account& account) -> Result<> {
                            auto& entries = account.*Type::kList;
                            const auto entry = find_entry(entries, name);
                            was_there = entry != entries.end();
                            if (!was_there) return {};
                            if (const std::vector<std::string> named = users(account); !named.empty())
                              return fail(ErrorKind::AlreadyExists,
                                          fmt::format("'{}' is named by {}: change those first", name,
                                                      fmt::join(named, ", ")));
                            entries.erase(entry);
                            return {};
                          }));
  if (!errors.empty()) return refusal_of(errors);
  SIGNET_CHECK(
      services.account.resources.remove(ResourceKind::Envelope, envelope_name(Type::kCollection, name)));
  return was_there ? Answer{200, std::nullopt, {}} : Answer::no_content();
}

/// The word of "MEMBER eq 'word'"; empty: everything is wanted. @error InvalidInput  another filter.
Result<std::string> filter_of(const Call& call, std::string_view member) {
  SIGNET_TRY(const auto filter, call.target.parameter("$filter"));
  if (!filter || trim(*filter).empty()) return std::string();
  const std::string_view text = trim(*filter);
  const std::size_t quote = text.find('\'');
  const bool good = quote != std::string_view::npos && text.ends_with('\'') && text.size() > quote + 1 &&
                    to_lower(text.substr(0, quote)) == to_lower(fmt::format("{} eq ", member));
  if (!good)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the only $filter is {} eq '...', not {}", member, printable(text)));
  return std::string(text.substr(quote + 1, text.size() - quote - 2));
}

/// One entry of a list, shown when its page is.
struct Item {
  std::string name;
  std::string type;  ///< what a filter asks for
  std::function<Result<Json>()> json;
};

/// The page that is asked for of those whose type is wanted, in the order of their names.
Result<Answer> page_of_items(const Call& call, std::vector<Item> items, std::string_view wanted_type) {
  std::erase_if(items, [&](const Item& item) { return !wanted_type.empty() && item.type != wanted_type; });
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
  Result<> failure;
  SIGNET_TRY(Answer answer, arm_page(
                                call, items, [](const Item& item) { return item.name; },
                                [&](const Item& item) {
                                  auto json = item.json();
                                  if (!json) failure = fail(json.error());
                                  return json.value_or(Json());
                                }));
  SIGNET_CHECK(std::move(failure));
  return answer;
}

/// The account's entries of a kind, as they are listed. What is given outlives them.
template <class Entry, class TypeOf>
std::vector<Item> items_of(Services& services, const AccountResource& resource, const Account& account,
                           const agreements::TimesByName& times, TypeOf type_of) {
  std::vector<Item> items;
  for (const Entry& entry : account.*EntryType<Entry>::kList)
    items.push_back(
        {entry.name, std::string(type_of(entry)), [&services, &resource, &account, &times, &entry] {
           return shown(services, resource, account, entry, times);
         }});
  return items;
}

template <class Entry, class TypeOf>
Result<Answer> list(Services& services, const Call& call, std::string_view wanted_type, TypeOf type_of) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  SIGNET_TRY(const agreements::StoredAccount stored, services.account.accounts.load());
  SIGNET_TRY(const auto times, services.account.accounts.times(EntryType<Entry>::kKind));
  return page_of_items(call, items_of<Entry>(services, resource, stored.account, times, type_of),
                       wanted_type);
}

/// Agreements that name the partner.
std::vector<std::string> users_of_partner(const Account& account, const std::vector<OtherAgreement>& others,
                                          std::string_view name) {
  std::vector<std::string> users;
  for (const Agreement& agreement : account.agreements)
    if (agreement.host_partner == name || agreement.guest_partner == name)
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  for (const OtherAgreement& agreement : others)
    if (agreement.names_partner(name)) users.push_back(fmt::format("agreement '{}'", agreement.name));
  return users;
}

std::vector<std::string> users_of_certificate(const Account& account, std::string_view name) {
  std::vector<std::string> users;
  for (const Agreement& agreement : account.agreements) {
    const std::vector<std::string> named = agreements::certificates_named(agreement);
    if (std::find(named.begin(), named.end(), name) != named.end())
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  }
  return users;
}

template <class Get>
Result<Answer> content_of(Services& services, const Call& call, Get get_entry) {
  SIGNET_TRY(const Answer answer, get_entry(services, call));
  return Answer::of(answer.body->at("properties").value("content", Json::object()));
}

template <class Get>
Result<Answer> content_callback_url(Services& services, const Call& call, Get get_entry) {
  SIGNET_TRY(const Answer entry, get_entry(services, call));
  SIGNET_TRY(const CallbackUrl url,
             requested_callback_url(services, call, entry.body->at("id").get<std::string>() + "/content"));
  Json queries = Json::object();
  for (const auto& [name, value] : url.query) queries[name] = value;
  return Answer::of({{"value", call.origin + url.text()},
                     {"method", "GET"},
                     {"basePath", call.origin + url.path},
                     {"relativePath", ""},
                     {"relativePathParameters", Json::array()},
                     {"queries", std::move(queries)}});
}

}  // namespace

// ---- Partners

Result<Answer> put_partner(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  return put(services, call, agreements::read_partner(call.parameter("name"), call.body));
}

Result<Answer> get_partner(Services& services, const Call& call) { return get<Partner>(services, call); }

Result<Answer> delete_partner(Services& services, const Call& call) {
  SIGNET_TRY(const auto others, other_agreements(services.account));
  return remove<Partner>(services, call, [&](const Account& account) {
    return users_of_partner(account, others, call.parameter("name"));
  });
}

Result<Answer> list_partners(Services& services, const Call& call) {
  SIGNET_TRY(const std::string type, filter_of(call, "partnerType"));
  return list<Partner>(services, call, type,
                       [](const Partner& partner) { return agreements::to_string(partner.partner_type); });
}

Result<Answer> partner_content(Services& services, const Call& call) {
  return content_of(services, call, get_partner);
}

Result<Answer> partner_callback_url(Services& services, const Call& call) {
  return content_callback_url(services, call, get_partner);
}

// ---- Certificates

Result<Answer> put_certificate(Services& services, const Call& call) {
  SIGNET_CHECK(account_of(services.account, call));
  const Json* id = nullptr;
  if (const auto at = Json::json_pointer("/properties/key/keyVault/id"); call.body.contains(at))
    id = &call.body.at(at);
  const std::string given = id != nullptr && id->is_string() ? id->get<std::string>() : std::string();
  const std::string_view elsewhere = vaults_prefix(services.account.installation, given);
  auto outcome = agreements::read_certificate(
      call.parameter("name"), call.body,
      elsewhere.empty() ? default_vaults(services.account.installation) : elsewhere);
  if (outcome.entry && outcome.entry->public_certificate.empty()) {
    agreements::Problem missing;
    missing.path = "/properties/publicCertificate";
    missing.expected = "the certificate that the key is for";
    missing.found = "none";
    outcome.problems.push_back(std::move(missing));
    outcome.entry.reset();
  }
  return put(services, call, std::move(outcome));
}

Result<Answer> get_account_certificate(Services& services, const Call& call) {
  return get<CertificateEntry>(services, call);
}

Result<Answer> delete_account_certificate(Services& services, const Call& call) {
  return remove<CertificateEntry>(services, call, [&](const Account& account) {
    return users_of_certificate(account, call.parameter("name"));
  });
}

Result<Answer> list_account_certificates(Services& services, const Call& call) {
  return list<CertificateEntry>(services, call, {},
                                [](const CertificateEntry&) { return std::string_view(); });
}

// ---- Agreements

Result<Answer> put_agreement(Services& services, const Call& call) {
  SIGNET_TRY(const AccountResource resource, account_of(services.account, call));
  if (is_other_agreement(call.body)) return put_other_agreement(services, call, resource);
  auto outcome = agreements::read_agreement(call.parameter("name"), call.body);
  if (outcome.entry) {
    SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
    const Agreement* before = agreements::find_agreement(stored.account, outcome.entry->name);
    if (auto problems = paths_on_this_host(*outcome.entry, before); !problems.empty())
      return refusal_of(problems);
    if (before != nullptr) leave_out_identities(stored.account, *before, *outcome.entry);
  }
  SIGNET_TRY(Answer answer, put(services, call, std::move(outcome)));
  if (answer.status >= 400) return answer;
  SIGNET_TRY(const bool was_another,
             services.account.resources.remove(ResourceKind::OtherAgreement, call.parameter("name")));
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
  SIGNET_TRY(const Answer answer,
             remove<Agreement>(services, call, [](const Account&) { return std::vector<std::string>(); }));
  SIGNET_TRY(const bool was_another,
             services.account.resources.remove(ResourceKind::OtherAgreement, call.parameter("name")));
  return was_another ? Answer{200, std::nullopt, {}} : answer;
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
