#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/account_edit.h"
#include "gateway/api/callback_request.h"
#include "gateway/api/entry_json.h"
#include "gateway/api/json_body.h"
#include "gateway/api/services.h"

/// What the handlers of partners, certificates and agreements have in common.

namespace signet::gateway::api {

/// "properties" of an entry.
Json properties_of(Services& services, const agreements::Account& account,
                   const agreements::Partner& partner);
Json properties_of(Services& services, const agreements::Account& account,
                   const agreements::CertificateEntry& certificate);
Json properties_of(Services& services, const agreements::Account& account, agreements::Agreement agreement);

/// The entry of that name, or else one that differs from it in case alone: to Azure both are the same.
template <class Entry>
Entry* find_entry(std::vector<Entry>& entries, std::string_view name) {
  Entry* found = nullptr;
  for (Entry& entry : entries) {
    if (entry.name == name) return &entry;
    if (equal_ignoring_case(entry.name, name)) found = &entry;
  }
  return found;
}

/// What the entry that the call names is called: as it was first written.
template <class Entry>
std::string name_of(const Entry* stored, const Call& call) {
  return stored != nullptr ? stored->name : call.parameter("name");
}

/// An entry as it is now.
template <class Entry>
Result<Json> shown(Services& services, const AccountResource& resource, const agreements::Account& account,
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
  const Entry* entry = find_entry(stored.account.*Type::kList, call.parameter("name"));
  if (entry == nullptr)
    return fail(ErrorKind::NotFound,
                fmt::format("there is nothing of the name '{}' among the {} of the account",
                            printable(call.parameter("name")), Type::kCollection));
  SIGNET_TRY(const auto times, services.account.accounts.times(Type::kKind));
  SIGNET_TRY(Json json, shown(services, resource, stored.account, *entry, times));
  return Answer::of(std::move(json));
}

/// The entry takes the place of the stored one of its name, if there is one.
template <class Entry>
Result<Answer> put(Services& services, const Call& call, agreements::JsonOutcome<Entry> outcome) {
  using Type = EntryType<Entry>;
  if (!outcome.entry) return refusal_of(outcome.problems);
  SIGNET_TRY(const Json envelope, read_envelope(call.body));
  const Entry& entry = *outcome.entry;
  bool made = false;
  const auto change = [&](agreements::Account& account) -> Result<> {
    auto& entries = account.*Type::kList;
    Entry* before = find_entry(entries, entry.name);
    made = before == nullptr;
    if (made)
      entries.push_back(entry);
    else
      *before = entry;
    return {};
  };
  SIGNET_TRY(const auto errors,
             edit_account(services.account, call, services.clock.now(), {Type::kKind, entry.name}, change));
  if (!errors.empty()) return refusal_of(errors);
  SIGNET_CHECK(
      keep_envelope(services.account, call, services.clock.now(), Type::kCollection, entry.name, envelope));
  SIGNET_TRY(Answer answer, get<Entry>(services, call));
  if (made) answer.status = 201;
  return answer;
}

/// @param users  of the entry of a name, by the names that they go by; it stays while there is one
template <class Entry, class Users>
Result<Answer> remove(Services& services, const Call& call, Users users) {
  using Type = EntryType<Entry>;
  SIGNET_CHECK(account_of(services.account, call));
  SIGNET_TRY(agreements::StoredAccount stored, services.account.accounts.load());
  const std::string name = name_of(find_entry(stored.account.*Type::kList, call.parameter("name")), call);
  bool was_there = false;
  const auto change = [&](agreements::Account& account) -> Result<> {
    auto& entries = account.*Type::kList;
    const Entry* entry = find_entry(entries, name);
    was_there = entry != nullptr;
    if (!was_there) return {};
    if (const std::vector<std::string> named = users(account, name); !named.empty())
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("'{}' is named by {}: change those first", name, fmt::join(named, ", ")));
    entries.erase(entries.begin() + (entry - entries.data()));
    return {};
  };
  SIGNET_TRY(const auto errors,
             edit_account(services.account, call, services.clock.now(), {Type::kKind, name}, change));
  if (!errors.empty()) return refusal_of(errors);
  if (!was_there) return Answer::no_content();
  SIGNET_CHECK(
      services.account.resources.remove(ResourceKind::Envelope, envelope_name(Type::kCollection, name)));
  return Answer{200, std::nullopt, {}};
}

/// The word of "MEMBER eq 'word'"; empty: everything is wanted. @error InvalidInput  another filter.
Result<std::string> filter_of(const Call& call, std::string_view member);

/// One entry of a list, shown when its page is.
struct Item {
  std::string name;
  std::string type;  ///< what a filter asks for
  std::function<Result<Json>()> json;
};

/// The page that is asked for of those whose type is wanted, in the order of their names.
Result<Answer> page_of_items(const Call& call, std::vector<Item> items, std::string_view wanted_type);

/// The account's entries of a kind, as they are listed. What is given outlives them.
template <class Entry, class TypeOf>
std::vector<Item> items_of(Services& services, const AccountResource& resource,
                           const agreements::Account& account, const agreements::TimesByName& times,
                           TypeOf type_of) {
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

}  // namespace signet::gateway::api
