#include "agreements/directory.h"

#include <fmt/format.h>

#include "agreements/certificate_roles.h"
#include "agreements/resolution.h"

namespace signet::agreements {

namespace {

template <class Index>
const ResolvedAgreement* look_up(const Index& index, const typename Index::key_type& key) {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

tl::unexpected<Error> taken(const ResolvedAgreement& first, const ResolvedAgreement& second,
                            std::string_view what) {
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("the agreements '{}' and '{}' have the same {}; a message could belong to either. Give one "
                  "of them another identity, or remove it",
                  first.agreement.name, second.agreement.name, what));
}

}  // namespace

Result<ResolvedAgreement> resolve(const AccountIndex& account, const Agreement& agreement) {
  Resolution resolution = resolve_names(account, agreement);
  if (resolution.problems.empty()) return std::move(resolution.resolved);
  const bool no_partner = account.find_partner(agreement.host_partner) == nullptr ||
                          account.find_partner(agreement.guest_partner) == nullptr;
  return fail(no_partner ? ErrorKind::NotFound : ErrorKind::InvalidInput,
              to_string(resolution.problems.front()));
}

std::size_t AgreementDirectory::PairHash::operator()(const Pair& pair) const {
  const std::hash<std::string_view> hash;
  return hash(pair.from) * 31 + hash(pair.to);
}

Result<std::shared_ptr<const AgreementDirectory>> AgreementDirectory::build(Account account) {
  std::shared_ptr<AgreementDirectory> directory(new AgreementDirectory(std::move(account)));
  SIGNET_CHECK(directory->resolve_all());
  SIGNET_CHECK(directory->index());
  return std::shared_ptr<const AgreementDirectory>(std::move(directory));
}

Result<> AgreementDirectory::resolve_all() {
  const AccountIndex entries(account_);
  agreements_.reserve(account_.agreements.size());
  for (const Agreement& agreement : account_.agreements) {
    SIGNET_TRY(ResolvedAgreement resolved, resolve(entries, agreement));
    agreements_.push_back(std::move(resolved));
  }
  return {};
}

Result<> AgreementDirectory::index() {
  for (const ResolvedAgreement& entry : agreements_) {
    const auto [named, new_name] = by_name_.emplace(entry.agreement.name, &entry);
    if (!new_name) return taken(*named->second, entry, "name");
    const auto [in, new_in] = inbound_.emplace(Pair{entry.receive_from, entry.receive_to}, &entry);
    if (!new_in) return taken(*in->second, entry, "AS2-From and AS2-To for messages that come in");
    const auto [out, new_out] = outbound_.emplace(Pair{entry.send_from, entry.send_to}, &entry);
    if (!new_out) return taken(*out->second, entry, "AS2-From and AS2-To for messages that go out");
  }
  return {};
}

const ResolvedAgreement* AgreementDirectory::find_inbound(std::string_view as2_from,
                                                          std::string_view as2_to) const {
  return look_up(inbound_, Pair{as2_from, as2_to});
}

const ResolvedAgreement* AgreementDirectory::find_outbound(std::string_view as2_from,
                                                           std::string_view as2_to) const {
  return look_up(outbound_, Pair{as2_from, as2_to});
}

const ResolvedAgreement* AgreementDirectory::by_name(std::string_view name) const {
  return look_up(by_name_, name);
}

}  // namespace signet::agreements
