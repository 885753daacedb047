#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"

/// What an apply would change.

namespace signet::agreements {

enum class ChangeKind { Added, Changed, Removed };
enum class EntryKind { Partner, Certificate, Agreement };

std::string_view to_string(ChangeKind change);  ///< "added"...
std::string_view to_string(EntryKind kind);     ///< "partner"..., as the account's XML has it

/// One setting that differs. Values are as in the XML; certificates are shown by their SHA-256.
struct SettingChange {
  std::string path;    ///< within the entry: "sendAgreement/mdnSettings/needMDN"
  std::string before;  ///< "(none)" for an element that was not there
  std::string after;   ///< "(none)" for one that is gone

  friend bool operator==(const SettingChange&, const SettingChange&) = default;
};

/// One partner, certificate or agreement that is added, changed or removed.
struct EntryChange {
  ChangeKind change = ChangeKind::Changed;
  EntryKind kind = EntryKind::Agreement;
  std::string name;
  std::vector<SettingChange> settings;  ///< Changed only

  friend bool operator==(const EntryChange&, const EntryChange&) = default;
};

/// The way from one account to another; empty when they mean the same. The order of the entries means
/// nothing.
std::vector<EntryChange> diff(const Account& before, const Account& after);

/// The changes for people, a line for each:
///
///     + certificate globex-2027
///     ~ agreement acme-globex
///         sendAgreement/mdnSettings/needMDN: true -> false
///     - partner Initech
///
/// Empty when nothing changes.
std::string to_string(const std::vector<EntryChange>& changes);

}  // namespace signet::agreements
