#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agreements/certificate_roles.h"
#include "gateway/lifecycle/rollover.h"

namespace signet::gateway {
namespace {

using agreements::Agreement;
using agreements::CertificateRole;
using agreements::DatedCertificate;

/// To the second, as certificates' dates are; the first moment at which one is no longer valid.
constexpr std::chrono::seconds kAfterItsEnd{1};

bool is_valid(const Result<Validity>& validity, Time time) {
  return validity && validity->not_before <= time && time <= validity->not_after;
}

/// What stands against a role at a moment; empty: nothing.
std::string gap_at(const Agreement& agreement, CertificateRole role, const ValidityOf& validity_of,
                   Time time) {
  const std::vector<std::string> active = agreements::active_certificates(agreement, role, time);
  if (active.empty()) return "none that is active";
  std::string found;
  for (const std::string& name : active) {
    const Result<Validity> validity = validity_of(name);
    if (is_valid(validity, time)) return "";
    found = validity ? fmt::format("'{}', valid from {} to {}", name, to_rfc3339(validity->not_before),
                                   to_rfc3339(validity->not_after))
                     : validity.error().detail;
    if (!accepts(role)) break;  // the newest is used, whatever else there is
  }
  return found;
}

/// The moments from which on something else may hold, up to the last date of the plan.
std::set<Time> moments(const std::vector<DatedCertificate>& certificates, const ValidityOf& validity_of,
                       Time now) {
  std::set<Time> times;
  Time last = now;
  for (const DatedCertificate& certificate : certificates) {
    for (const auto& date : {certificate.active_from, certificate.active_until})
      if (date) {
        times.insert(*date);
        last = std::max(last, *date);
      }
    if (const Result<Validity> validity = validity_of(certificate.name)) {
      times.insert(validity->not_before);
      times.insert(validity->not_after + kAfterItsEnd);
    }
  }
  times.insert(now);
  std::erase_if(times, [&](Time time) { return time < now || time > last; });
  return times;
}

}  // namespace

std::vector<agreements::Problem> gaps_of(const Agreement& agreement, const ValidityOf& validity_of,
                                         Time now) {
  std::set<CertificateRole> roles;
  for (const Rollover& rollover : rollovers_of(agreement))
    for (const RoleRollover& role : rollover.roles) roles.insert(role.role);
  std::vector<agreements::Problem> problems;
  for (const CertificateRole role : roles)
    for (const Time time : moments(agreements::certificates_for(agreement, role), validity_of, now)) {
      const std::string found = gap_at(agreement, role, validity_of, time);
      if (found.empty()) continue;
      agreements::Problem problem;
      problem.path =
          fmt::format("agreement[{}]/{}/x:certificates[{}]", agreement.name,
                      agreements::is_receiving(role) ? "receiveAgreement" : "sendAgreement", to_string(role));
      problem.expected = fmt::format("a certificate that is active and valid at {}", to_rfc3339(time));
      problem.found = found;
      problem.advice = "Change the dates so that one takes over before the other ends.";
      problems.push_back(std::move(problem));
      break;
    }
  return problems;
}

}  // namespace signet::gateway
