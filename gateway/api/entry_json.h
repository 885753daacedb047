#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agreements/account_store.h"
#include "agreements/json.h"
#include "gateway/api/account_resource.h"
#include "gateway/api/arm_resource.h"

/// The account's entries as resources.

namespace signet::gateway::api {

/// What tells partners, certificates and agreements apart. `list` is their list in an account.
template <class Entry>
struct EntryType;

template <>
struct EntryType<agreements::Partner> {
  static constexpr agreements::EntryKind kKind = agreements::EntryKind::Partner;
  static constexpr std::string_view kCollection = "partners";
  static constexpr auto kList = &agreements::Account::partners;
};
template <>
struct EntryType<agreements::CertificateEntry> {
  static constexpr agreements::EntryKind kKind = agreements::EntryKind::Certificate;
  static constexpr std::string_view kCollection = "certificates";
  static constexpr auto kList = &agreements::Account::certificates;
};
template <>
struct EntryType<agreements::Agreement> {
  static constexpr agreements::EntryKind kKind = agreements::EntryKind::Agreement;
  static constexpr std::string_view kCollection = "agreements";
  static constexpr auto kList = &agreements::Account::agreements;
};

/// "partners/acme": an entry's name among the envelopes.
std::string envelope_name(std::string_view collection, std::string_view name);
/// Location and tags of an entry; the account's location where nobody gave one.
Result<Json> envelope_of(const AccountServices& services, const AccountResource& account,
                         std::string_view collection, std::string_view name);

/// Keeps it, with a record of its own, where it is not what it was.
Result<> keep_envelope(const AccountServices& services, const Call& call, Time now,
                       std::string_view collection, std::string_view name, const Json& envelope);

/// {"id", "name", "type", "location", "tags", "properties"} of an entry's JSON, with its times.
Json resource_json(const Installation& installation, const AccountResource& account,
                   std::string_view collection, std::string_view name, const Json& envelope, Json properties,
                   const std::optional<agreements::EntryTimes>& times);

/// "/subscriptions/.../providers/Microsoft.KeyVault/vaults/" where the default vaults are.
std::string default_vaults(const Installation& installation);

}  // namespace signet::gateway::api
