#include "agreements/account_index.h"

namespace signet::agreements {
namespace {

template <class Entry>
const Entry* look_up(const std::unordered_map<std::string_view, const Entry*>& index, std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

AccountIndex::AccountIndex(const Account& account) {
  for (const Partner& partner : account.partners) partners_.emplace(partner.name, &partner);
  for (const CertificateEntry& entry : account.certificates) certificates_.emplace(entry.name, &entry);
}

const Partner* AccountIndex::find_partner(std::string_view name) const { return look_up(partners_, name); }

const CertificateEntry* AccountIndex::find_certificate(std::string_view name) const {
  return look_up(certificates_, name);
}

}  // namespace signet::agreements
