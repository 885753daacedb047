#include "gateway/revocation/revocation_lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "certstore/x509/publication.h"
#include "gateway/revocation/issuer_steps.h"

namespace signet::gateway {
namespace {

std::string name_of(const certstore::Certificate& certificate) {
  return "'" + printable(certificate.subject()) + "'";
}

std::string words_of(const certstore::RevokedCertificate& entry, const certstore::Certificate& certificate,
                     bool is_issuer) {
  return fmt::format("{} is on its issuer's list since {} ({})",
                     is_issuer ? "the authority's certificate " + name_of(certificate) : "it",
                     to_rfc3339(entry.revoked), to_string(entry.reason));
}

}  // namespace

RevocationOrigin origin_of(const RevocationLink& link) {
  return {link.authority, fmt::format("{}", fmt::join(link.urls, " "))};
}

RevocationOrigin origin_of(const RevocationSource& source) { return {source.authority, source.urls}; }

Result<> RevocationLists::reload() {
  SIGNET_TRY(const std::uint64_t generation, store_.generation());
  {
    const std::lock_guard lock(mutex_);
    if (generation_ == generation) return {};
  }
  SIGNET_TRY(std::vector<StoredRevocationList> stored, store_.lists());
  SIGNET_TRY(const std::vector<RevocationSource> sources, store_.sources());
  const std::lock_guard lock(mutex_);
  lists_.clear();
  for (StoredRevocationList& one : stored) {
    std::string authority = one.authority;
    lists_.emplace(std::move(authority), std::move(one));
  }
  for (const RevocationSource& source : sources) notes_[origin_of(source)] = source.reason;
  epoch_.known.clear();
  generation_ = generation;
  return {};
}

RevocationFinding RevocationLists::look_up(const certstore::Certificate& certificate,
                                           const std::shared_ptr<const AccountSnapshot>& account, Time now) {
  const std::vector<certstore::Certificate>& authorities = account->authorities();
  const std::lock_guard lock(mutex_);
  return finding(known({certificate, {}}, account, authorities), now);
}

RevocationFinding RevocationLists::look_up_server(const TlsServer& server, const std::string& agreement,
                                                  const std::shared_ptr<const AccountSnapshot>& account,
                                                  Time now) {
  const std::vector<certstore::Certificate>& authorities = account->authorities();
  const std::lock_guard lock(mutex_);
  remember(server, agreement, now);
  return finding(known(server, account, authorities), now);
}

void RevocationLists::remember(const TlsServer& server, const std::string& agreement, Time now) {
  const std::string thumbprint = server.certificate.thumbprint_sha256();
  auto found = servers_.find(thumbprint);
  if (found == servers_.end()) {
    if (servers_.size() >= kMostServers)
      servers_.erase(std::min_element(servers_.begin(), servers_.end(), [](const auto& a, const auto& b) {
        return a.second.seen < b.second.seen;
      }));
    found = servers_.emplace(thumbprint, Server{server, {}, now}).first;
    ++servers_generation_;
  }
  found->second.seen = now;
  if (found->second.agreements.insert(agreement).second) ++servers_generation_;
}

std::vector<RevocationLists::Server> RevocationLists::servers() const {
  const std::lock_guard lock(mutex_);
  std::vector<Server> all;
  for (const auto& [thumbprint, server] : servers_) all.push_back(server);
  return all;
}

std::uint64_t RevocationLists::servers_generation() const {
  const std::lock_guard lock(mutex_);
  return servers_generation_;
}

std::vector<RevocationLink> RevocationLists::links_of(const TlsServer& server,
                                                      const std::shared_ptr<const AccountSnapshot>& account) {
  const std::vector<certstore::Certificate>& authorities = account->authorities();
  const std::lock_guard lock(mutex_);
  return known(server, account, authorities).links;
}

std::vector<RevocationLink> RevocationLists::links_of(const certstore::Certificate& certificate,
                                                      const std::shared_ptr<const AccountSnapshot>& account) {
  const std::vector<certstore::Certificate>& authorities = account->authorities();
  const std::lock_guard lock(mutex_);
  return known({certificate, {}}, account, authorities).links;
}

const RevocationLists::Known& RevocationLists::known(const TlsServer& shown,
                                                     const std::shared_ptr<const AccountSnapshot>& account,
                                                     const std::vector<certstore::Certificate>& authorities) {
  if (epoch_.account != account || epoch_.known.size() >= kMostKnown) epoch_ = {account, {}};
  std::string key = shown.certificate.thumbprint_sha256();
  for (const certstore::Certificate& issuer : shown.issuers) key += " " + issuer.thumbprint_sha256();
  const auto found = epoch_.known.find(key);
  if (found != epoch_.known.end()) return *found->second;
  std::vector<certstore::Certificate> issuers = shown.issuers;
  issuers.insert(issuers.end(), authorities.begin(), authorities.end());
  auto made = std::make_unique<const Known>(evaluate(shown.certificate, issuers));
  return *epoch_.known.emplace(std::move(key), std::move(made)).first->second;
}

RevocationLists::Known RevocationLists::evaluate(
    const certstore::Certificate& certificate, const std::vector<certstore::Certificate>& authorities) const {
  Known known;
  known.self_signed = certificate.self_signed();
  for (IssuerStep& step : issuer_steps(certificate, authorities)) {
    std::string authority = certstore::key_thumbprint(step.issuer.public_key());
    auto list = list_for(authority, step.subject);
    auto urls = certstore::publication_of(step.subject).crl_urls;
    known.links.push_back({std::move(step.subject), std::move(step.issuer), std::move(authority),
                           std::move(list), std::move(urls)});
  }
  if (!known.self_signed && known.links.empty())
    known.no_issuer = text_of_no_issuer(certificate) + ": add it as a public certificate";
  for (const RevocationLink& link : known.links) {
    if (!link.list) {
      if (known.missing == nullptr) known.missing = &link;
      continue;
    }
    if (const auto* entry = link.list->find(link.subject.serial()); entry != nullptr && known.revoked.empty())
      known.revoked = words_of(*entry, link.subject, &link != &known.links.front());
    known.from = std::max(known.from.value_or(link.list->this_update()), link.list->this_update());
    if (known.until && *known.until <= link.list->next_update()) continue;
    known.until = link.list->next_update();
    known.first_to_end = &link;
  }
  return known;
}

std::optional<certstore::Crl> RevocationLists::list_for(const std::string& authority,
                                                        const certstore::Certificate& subject) const {
  std::optional<certstore::Crl> newest;
  const auto [begin, end] = lists_.equal_range(authority);
  // Each part of an authority's lists has numbers of its own: the time alone compares them.
  for (auto one = begin; one != end; ++one)
    if (const certstore::Crl& list = one->second.list;
        list.covers(subject) && (!newest || newest->this_update() < list.this_update()))
      newest = list;
  return newest;
}

RevocationFinding RevocationLists::finding(const Known& known, Time now) const {
  if (known.self_signed) return {RevocationStatus::NothingToCheck, {}};
  if (!known.revoked.empty()) return {RevocationStatus::Revoked, known.revoked};
  if (!known.no_issuer.empty()) return {RevocationStatus::Unknown, known.no_issuer};
  if (known.missing != nullptr)
    return not_at_hand(*known.missing,
                       fmt::format("no revocation list of {} is at hand", name_of(known.missing->issuer)),
                       now);
  if (now + kIssuersClockAhead < *known.from)
    return {RevocationStatus::Unknown,
            fmt::format("the revocation list begins at {} only", to_rfc3339(*known.from))};
  if (*known.until < now)
    return not_at_hand(*known.first_to_end,
                       fmt::format("the revocation list of {} has ended at {}",
                                   name_of(known.first_to_end->issuer), to_rfc3339(*known.until)),
                       now);
  return {RevocationStatus::NotRevoked, {}};
}

RevocationFinding RevocationLists::not_at_hand(const RevocationLink& link, std::string what, Time now) const {
  const auto note = notes_.find(origin_of(link));
  if (note != notes_.end() && !note->second.empty()) what += ": " + note->second;
  return {is_pending(link, now) ? RevocationStatus::Pending : RevocationStatus::Unknown, std::move(what)};
}

/// What is refused for want of a list is refused for good, and a list that is about to come would show it to
/// be right.
bool RevocationLists::is_pending(const RevocationLink& link, Time now) const {
  if (!fetches_) return false;
  if (expected_ == nullptr || expected_ != epoch_.account) return true;
  const RevocationOrigin origin = origin_of(link);
  const auto fetched = origins_.find(origin);
  if (fetched == origins_.end()) return false;
  if (!fetched->second) return true;
  if (!link.list) return false;
  const Time end = link.list->next_update();
  return *fetched->second < end || now < std::max(end, fetches_since_) + kGrace;
}

void RevocationLists::expect_fetching(Time now) {
  const std::lock_guard lock(mutex_);
  fetches_since_ = now;
  fetches_ = true;
}

void RevocationLists::expect(std::shared_ptr<const AccountSnapshot> account, RevocationOrigins origins) {
  const std::lock_guard lock(mutex_);
  fetches_ = true;
  expected_ = std::move(account);
  origins_ = std::move(origins);
}

void RevocationLists::note(const RevocationOrigin& origin, std::string reason, Time asked) {
  const std::lock_guard lock(mutex_);
  if (const auto fetched = origins_.find(origin); fetched != origins_.end()) fetched->second = asked;
  notes_[origin] = std::move(reason);
}

void RevocationLists::decided(const std::string& agreement, agreements::LookedUpUse use,
                              RevocationOutcome outcome) {
  const std::lock_guard lock(counts_mutex_);
  ++counts_[agreement].at(static_cast<std::size_t>(use)).at(static_cast<std::size_t>(outcome));
}

std::vector<RevocationLists::Count> RevocationLists::counts() const {
  const std::lock_guard lock(counts_mutex_);
  std::vector<Count> all;
  for (const auto& [agreement, counters] : counts_)
    for (std::size_t use = 0; use < kUses; ++use)
      for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome)
        if (const std::uint64_t count = counters.at(use).at(outcome); count > 0)
          all.push_back({agreement, agreements::kAllLookedUpUses.at(use),
                         static_cast<RevocationOutcome>(outcome), count});
  return all;
}

}  // namespace signet::gateway
