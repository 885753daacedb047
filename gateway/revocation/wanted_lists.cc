#include "gateway/revocation/wanted_lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "agreements/certificate_roles.h"
#include "certstore/x509/publication.h"

namespace signet::gateway {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

bool is_looked_up(const RevocationLists::Server& server, const AccountSnapshot& account) {
  return std::any_of(server.agreements.begin(), server.agreements.end(), [&](const std::string& name) {
    const auto* agreement = account.directory().by_name(name);
    return agreement != nullptr && agreements::looks_up_server(agreement->agreement);
  });
}

}  // namespace

std::string WantedList::joined_urls() const { return fmt::format("{}", fmt::join(urls, " ")); }

std::map<std::string, std::vector<std::string>, std::less<>> certificates_looked_up(
    const agreements::Account& account, Time now) {
  std::map<std::string, std::vector<std::string>, std::less<>> all;
  for (const agreements::Agreement& agreement : account.agreements)
    for (const agreements::LookedUp& one : agreements::certificates_looked_up(agreement))
      for (const agreements::DatedCertificate& certificate : one.certificates)
        if (!certificate.active_until || now < *certificate.active_until)
          add_once(all[certificate.name], agreement.name);
  return all;
}

std::vector<WantedList> wanted_lists(const std::shared_ptr<const AccountSnapshot>& account,
                                     RevocationLists& lists, Time now) {
  std::map<RevocationOrigin, WantedList> wanted;
  const auto want = [&wanted](const std::string& name, const std::vector<RevocationLink>& links) {
    for (const RevocationLink& link : links) {
      WantedList one{link.authority, link.issuer, link.urls, {}, {}, {}};
      WantedList& known = wanted.try_emplace(origin_of(link), std::move(one)).first->second;
      if (link.list) known.until = std::max(known.until.value_or(Time()), link.list->next_update());
      add_once(known.certificates, name);
      if (std::find(known.subjects.begin(), known.subjects.end(), link.subject) == known.subjects.end())
        known.subjects.push_back(link.subject);
    }
  };
  for (const auto& [name, agreements] : certificates_looked_up(account->account(), now))
    if (const auto certificate = account->certificate(name))
      want(name, lists.links_of(*certificate, account));
  for (const RevocationLists::Server& server : lists.servers())
    if (is_looked_up(server, *account) && now < server.shown.certificate.not_after())
      want(printable(server.shown.certificate.subject()), lists.links_of(server.shown, account));
  std::vector<WantedList> all;
  for (auto& [key, one] : wanted) all.push_back(std::move(one));
  return all;
}

std::vector<RevocationStanding> revocation_standings(const std::shared_ptr<const AccountSnapshot>& account,
                                                     RevocationLists& lists, Time now) {
  std::vector<RevocationStanding> all;
  for (auto& [name, agreements] : certificates_looked_up(account->account(), now)) {
    RevocationStanding standing{name, agreements, RevocationStatus::Unknown, {}, {}, {}};
    const auto certificate = account->certificate(name);
    if (!certificate) {
      standing.reason = certificate.error().detail;
    } else {
      auto found = lists.look_up(*certificate, account, now);
      standing.status = found.status;
      standing.reason = std::move(found.reason);
      standing.urls = certstore::publication_of(*certificate).crl_urls;
      for (const RevocationLink& link : lists.links_of(*certificate, account))
        if (link.list)
          standing.until =
              std::min(standing.until.value_or(link.list->next_update()), link.list->next_update());
    }
    all.push_back(std::move(standing));
  }
  return all;
}

}  // namespace signet::gateway
