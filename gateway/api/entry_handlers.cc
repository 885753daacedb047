#include "gateway/api/entry_handlers_internal.h"

#include "gateway/api/agreement_identities.h"
#include "gateway/api/vault_resource.h"

namespace signet::gateway::api {
namespace {

/// What the id of a certificate's vault begins with.
std::string vaults_of(Services& services, const agreements::CertificateEntry& certificate) {
  const auto vault = certificate.key ? find_vault(services, certificate.key->key_vault)
                                     : Result<std::optional<VaultResource>>(std::nullopt);
  if (!vault || !*vault) return default_vaults(services.account.installation);
  const std::string id = (*vault)->id(services.account.installation);
  return id.substr(0, id.rfind('/') + 1);
}

}  // namespace

Json properties_of(Services&, const agreements::Account&, const agreements::Partner& partner) {
  return agreements::write_json(partner)["properties"];
}
Json properties_of(Services& services, const agreements::Account&,
                   const agreements::CertificateEntry& certificate) {
  return agreements::write_json(certificate, vaults_of(services, certificate))["properties"];
}
Json properties_of(Services&, const agreements::Account& account, agreements::Agreement agreement) {
  fill_in_identities(account, agreement);
  return agreements::write_json(agreement)["properties"];
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

/// The page that is asked for of those whose type is wanted, in the order of their names.
Result<Answer> page_of_items(const Call& call, std::vector<Item> items, std::string_view wanted_type) {
  std::erase_if(items, [&](const Item& item) { return !wanted_type.empty() && item.type != wanted_type; });
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
  return arm_page(
      call, items, [](const Item& item) { return item.name; }, [](const Item& item) { return item.json(); });
}

}  // namespace signet::gateway::api
