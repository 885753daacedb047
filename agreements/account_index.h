#pragma once

#include <string_view>
#include <unordered_map>

#include "agreements/model.h"

namespace signet::agreements {

/// An account's entries by name, for those who look up many; of several with one name, the first. Points into
/// the account, which has to outlive it unchanged.
class AccountIndex {
 public:
  explicit AccountIndex(const Account& account);

  /// nullptr: there is none of this name.
  [[nodiscard]] const Partner* find_partner(std::string_view name) const;
  [[nodiscard]] const CertificateEntry* find_certificate(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, const Partner*> partners_;
  std::unordered_map<std::string_view, const CertificateEntry*> certificates_;
};

}  // namespace signet::agreements
