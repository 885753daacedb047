#include "gateway/cli/service_certificates.h"

#include <fmt/format.h>

#include <algorithm>

#include "agreements/account_index.h"
#include "agreements/certificate_roles.h"
#include "agreements/lint.h"
#include "gateway/cli/account_services.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/service_resolution_internal.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/lifecycle/rollover.h"
#include "gateway/revocation/prospect.h"

namespace signet::gateway {
namespace {

/// A problem at a path, with its place.
agreements::Problem problem_at(std::string path, const agreements::Positions& positions) {
  agreements::Problem problem;
  const agreements::Position at = positions.find(path);
  problem.file = positions.file();
  problem.line = at.line;
  problem.column = at.column;
  problem.path = std::move(path);
  return problem;
}

/// @param account  with the service certificates in it
void lint_elevated(const agreements::Account& account, const ServiceCertificates& services,
                   const agreements::Positions& positions, std::vector<agreements::Problem>& problems) {
  const KeysOfListeners keys = keys_of_listeners(services);
  if (keys.empty()) return;
  for (const agreements::Agreement& agreement : account.agreements)
    for (const std::string& name : names_of_private_keys(agreement)) {
      const agreements::CertificateEntry* entry = agreements::find_certificate(account, name);
      const auto listener = entry != nullptr ? listener_with_key_of(*entry, keys) : std::nullopt;
      if (!listener) continue;
      agreements::Problem problem = problem_at(fmt::format("agreement[{}]", agreement.name), positions);
      problem.expected = "a certificate whose key is for messages";
      problem.found = fmt::format(
          "'{}', with the key of the service certificate '{}', which is elevated: for listeners alone", name,
          *listener);
      problem.advice = "Name another certificate, or have the definition not say elevated.";
      problems.push_back(std::move(problem));
    }
}

/// @param account  without the service certificates
void lint_hidden(const agreements::Account& account, const ServiceCertificates& services,
                 const agreements::Positions& positions, std::vector<agreements::Problem>& problems) {
  for (const BoundCertificate& bound : services.bound) {
    const agreements::CertificateEntry* own = agreements::find_certificate(account, bound.entry.name);
    if (own == nullptr || own->public_certificate == bound.entry.public_certificate) continue;
    agreements::Problem problem = problem_at(fmt::format("certificate[{}]", bound.entry.name), positions);
    problem.severity = agreements::Severity::Warning;
    problem.expected = "a name of its own";
    problem.found =
        "that of a service certificate, which is bound to another certificate and takes its place";
    problem.advice = "Remove it here, unless it is to be there when the binding is deleted.";
    problems.push_back(std::move(problem));
  }
}

/// How certificates of an account could be looked up in this home. Nothing where that cannot be told.
ParsedCertificateFacts::FindProspect prospects_in(Home& home, const agreements::Account& account, Time now) {
  const auto settings = read_serve_settings({}, home.directory() / "serve.toml");
  auto lists = home.revocations().lists();
  if (!settings || !lists) return {};
  return [authorities = public_authorities(account), lists = *std::move(lists),
          allowed = crl_places_of(*settings), now](const certstore::Certificate& certificate) {
    return prospect_of(certificate, authorities, lists, allowed, now);
  };
}

/// Dates that somebody wrote, of which no role has a certificate from some moment on.
///
/// @param account  with the service certificates in it
void lint_rollovers(const agreements::Account& account, const ParsedCertificateFacts& facts, Time now,
                    const agreements::Positions& positions, std::vector<agreements::Problem>& problems) {
  const agreements::AccountIndex index(account);
  const auto validity_of = [&](const std::string& name) -> Result<Validity> {
    const agreements::CertificateEntry* entry = index.find_certificate(name);
    std::string why_not = "no certificate of this name";
    const auto fact = entry == nullptr ? std::nullopt : facts.find(*entry, why_not);
    if (!fact) return fail(ErrorKind::NotFound, why_not);
    return Validity{fact->not_before, fact->not_after};
  };
  for (const agreements::Agreement& agreement : account.agreements)
    for (const agreements::Problem& gap : gaps_of(agreement, validity_of, now)) {
      agreements::Problem problem = problem_at(gap.path, positions);
      problem.severity = agreements::Severity::Warning;
      problem.expected = gap.expected;
      problem.found = gap.found;
      problem.advice = gap.advice;
      problems.push_back(std::move(problem));
    }
}

}  // namespace

Result<ServiceCertificates> resolve_service_certificates(Home& home,
                                                         const certstore::ServiceDefinitions& definitions,
                                                         const agreements::Account& account) {
  if (definitions.certificates.empty()) return ServiceCertificates{};
  SIGNET_TRY(const auto bindings, home.service_bindings().bindings());
  Candidates candidates(home.service_bindings());
  return resolve_all(definitions, bindings, account, candidates);
}

std::vector<agreements::Problem> lint_in_home(Home& home, const agreements::Account& account, Time now,
                                              const agreements::Positions& positions) {
  const bool looks_up =
      std::any_of(account.agreements.begin(), account.agreements.end(),
                  [](const auto& one) { return !agreements::certificates_looked_up(one).empty(); });
  const ParsedCertificateFacts facts(looks_up ? prospects_in(home, account, now)
                                              : ParsedCertificateFacts::FindProspect());
  const HomeVaultFacts vaults(home, now);
  const auto definitions = home.service_definitions();
  const auto services = definitions ? resolve_service_certificates(home, *definitions, account)
                                    : Result<ServiceCertificates>(fail(definitions.error()));
  if (!services) {
    auto problems = agreements::lint(account, facts, now, positions, &vaults);
    agreements::Problem problem;
    problem.expected = "service certificates that can be looked up";
    problem.found = services.error().detail;
    problem.advice = "Mend that first.";
    problems.push_back(std::move(problem));
    return problems;
  }
  const agreements::Account whole = with_service_certificates(account, *services);
  auto problems = agreements::lint(whole, facts, now, positions, &vaults);
  lint_elevated(whole, *services, positions, problems);
  lint_hidden(account, *services, positions, problems);
  lint_rollovers(whole, facts, now, positions, problems);
  return problems;
}

}  // namespace signet::gateway
