#include "gateway/cli/home_rollovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "agreements/certificate_roles.h"
#include "gateway/cli/account_judge.h"
#include "gateway/cli/call_record.h"

namespace signet::gateway {
namespace {

constexpr int kAttempts = 5;

bool is_known(const agreements::Problem& problem, const std::vector<agreements::Problem>& known) {
  return std::any_of(known.begin(), known.end(), [&](const agreements::Problem& old) {
    return old.path == problem.path && old.expected == problem.expected && old.found == problem.found;
  });
}

/// Of the account as it is, and of what is about to come into it.
ValidityOf validity_in(const AccountSnapshot& account, const agreements::Account& after) {
  return [&account, &after](const std::string& name) -> Result<Validity> {
    auto certificate = account.certificate(name);
    if (const auto* entry = agreements::find_certificate(after, name); !certificate && entry != nullptr)
      certificate = certstore::Certificate::parse(entry->public_certificate);
    if (!certificate) return fail(certificate.error());
    return Validity{certificate->not_before(), certificate->not_after()};
  };
}

/// Puts a partner's certificate into the account, where it is not there yet.
Result<> add_certificate(agreements::Account& account, const TakeOver& wanted) {
  if (const auto* entry = agreements::find_certificate(account, wanted.name)) {
    if (entry->public_certificate == wanted.certificate) return {};
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format(
            "the account has another certificate of the name '{}': give the new one a name of its own",
            printable(wanted.name)));
  }
  account.certificates.push_back({wanted.name, wanted.certificate, std::nullopt, {}});
  return {};
}

/// Which roles it takes over from which certificate; none of those that it has already.
Result<std::map<std::string, std::vector<agreements::CertificateRole>>> roles_by_replaced(
    const agreements::Account& account, const TakeOver& wanted) {
  const agreements::Agreement* agreement = agreements::find_agreement(account, wanted.agreement);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound,
                fmt::format("the account has no agreement '{}'", printable(wanted.agreement)));
  std::map<std::string, std::vector<agreements::CertificateRole>> roles;
  for (const agreements::CertificateRole role : wanted.roles) {
    const auto all = agreements::certificates_for(*agreement, role);
    if (std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == wanted.name; }))
      continue;
    const auto active = agreements::active_certificates(*agreement, role, wanted.accept_from);
    if (active.empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("agreement '{}' has no certificate in the role '{}' now that the new "
                              "one could take the place of: name it there by hand",
                              printable(wanted.agreement), to_string(role)));
    roles[active.front()].push_back(role);
  }
  return roles;
}

/// What was signed and encrypted before the change may be sent again after it.
std::vector<std::string> warnings_of(const agreements::Agreement& agreement, const std::string& successor,
                                     const AccountSnapshot& account) {
  std::vector<std::string> warnings;
  for (const Rollover& rollover : rollovers_of(agreement)) {
    if (rollover.successor != successor) continue;
    const auto used = rollover.used_from();
    const auto retired = rollover.retired_at();
    if (used && retired && *retired - *used < agreement.retry.max_duration)
      warnings.push_back(fmt::format(
          "agreement '{}' sends a message again for {} hours (x:retry), and '{}' is retired sooner after "
          "'{}' is used: "
          "what the partner did not take by then may be under the old certificate",
          agreement.name, std::chrono::floor<std::chrono::hours>(agreement.retry.max_duration).count(),
          rollover.roles.front().replaced, successor));
    const auto certificate = account.certificate(successor);
    if (certificate && retired && certificate->not_after() < *retired)
      warnings.push_back(fmt::format("certificate '{}' expires on {}, before the old one is retired",
                                     successor, to_rfc3339(certificate->not_after())));
  }
  return warnings;
}

}  // namespace

Result<std::vector<Rollover>> HomeRollovers::list() {
  SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
  return rollovers_of(stored.account);
}

Result<Rollover> HomeRollovers::show(std::string_view agreement, std::string_view successor) {
  SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
  return find_rollover(stored.account, agreement, successor);
}

Result<api::RolloverOutcome> HomeRollovers::plan(const vault::Principal& principal, const RolloverPlan& plan,
                                                 bool dry_run) {
  return edit(
      {principal, "planRollover", plan.successor,
       [&](agreements::Account& account) { return plan_rollover(account, plan, home_.clock().now()); },
       dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::advance(const vault::Principal& principal,
                                                    std::string_view agreement, std::string_view successor,
                                                    bool dry_run) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_CHECK(advance_rollover(account, agreement, successor, whole_seconds(home_.clock().now())));
    return std::vector{std::string(agreement)};
  };
  return edit({principal, "advanceRollover", std::string(successor), make, dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::cancel(const vault::Principal& principal,
                                                   std::string_view agreement, std::string_view successor,
                                                   bool dry_run) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_CHECK(cancel_rollover(account, agreement, successor));
    return std::vector{std::string(agreement)};
  };
  return edit({principal, "cancelRollover", std::string(successor), make, dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::complete(const vault::Principal& principal,
                                                     std::string_view agreement, std::string_view successor,
                                                     bool dry_run) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_CHECK(complete_rollover(account, agreement, successor, home_.clock().now()));
    return std::vector{std::string(agreement)};
  };
  return edit({principal, "completeRollover", std::string(successor), make, dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::take_over(const vault::Principal& principal,
                                                      const TakeOver& wanted, bool dry_run) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_TRY(const auto roles, roles_by_replaced(account, wanted));
    SIGNET_CHECK(add_certificate(account, wanted));
    for (const auto& [replaced, taken] : roles)
      SIGNET_CHECK(plan_rollover(account,
                                 {wanted.name,
                                  replaced,
                                  {wanted.agreement},
                                  taken,
                                  wanted.accept_from,
                                  wanted.use_from,
                                  wanted.retire_at},
                                 home_.clock().now()));
    return std::vector{wanted.agreement};
  };
  return edit({principal, "planRollover", wanted.name, make, dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::hold(const vault::Principal& principal,
                                                 std::string_view agreement, std::string_view successor,
                                                 bool dry_run) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_CHECK(hold_rollover(account, agreement, successor, home_.clock().now()));
    return std::vector{std::string(agreement)};
  };
  return edit({principal, "holdRollover", std::string(successor), make, dry_run});
}

Result<api::RolloverOutcome> HomeRollovers::release(const vault::Principal& principal,
                                                    std::string_view agreement, std::string_view successor) {
  const auto make = [&](agreements::Account& account) -> Result<std::vector<std::string>> {
    SIGNET_CHECK(release_rollover(account, agreement, successor, whole_seconds(home_.clock().now())));
    return std::vector{std::string(agreement)};
  };
  return edit({principal, "releaseRollover", std::string(successor), make, false});
}

/// Where somebody else changed the account meanwhile, all that is done again.
Result<api::RolloverOutcome> HomeRollovers::edit(const Edit& edit) {
  for (int attempt = 1;; ++attempt) {
    SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
    agreements::Account wanted = stored.account;
    SIGNET_TRY(const std::vector<std::string> changed, edit.make(wanted));
    api::RolloverOutcome outcome;
    outcome.changes = agreements::diff(stored.account, wanted);
    outcome.errors = errors_of(stored.account, wanted, changed, edit.successor);
    if (!outcome.errors.empty()) return outcome;
    SIGNET_TRY(const auto account, home_.current_account());
    for (const std::string& name : changed)
      for (std::string& warning :
           warnings_of(*agreements::find_agreement(wanted, name), edit.successor, *account))
        outcome.warnings.push_back(std::move(warning));
    if (edit.dry_run || outcome.changes.empty()) return outcome;
    const auto replaced = recorded(home_,
                                   {edit.principal.name,
                                    edit.operation,
                                    {{}, "certificates/" + edit.successor, {}},
                                    agreements::to_string(outcome.changes)},
                                   [&] { return home_.accounts().replace(wanted, stored.generation); });
    outcome.changed = replaced.has_value();
    if (replaced) return outcome;
    if (replaced.error().kind != ErrorKind::AlreadyExists || attempt == kAttempts)
      return fail(replaced.error());
  }
}

/// Gaps; a successor whose key cannot be used; and what the linter finds that was not there before.
std::vector<agreements::Problem> HomeRollovers::errors_of(const agreements::Account& before,
                                                          const agreements::Account& after,
                                                          const std::vector<std::string>& changed,
                                                          const std::string& successor) {
  HomeAccountJudge judge(home_, given_);
  const auto known = judge.problems(before);
  std::vector<agreements::Problem> errors = judge.problems(after);
  std::erase_if(errors, [&](const agreements::Problem& problem) {
    return problem.severity != agreements::Severity::Error || is_known(problem, known);
  });
  const auto account = home_.current_account();
  const auto add = [&](std::string path, std::string expected, std::string found, std::string advice) {
    agreements::Problem problem;
    problem.path = std::move(path);
    problem.expected = std::move(expected);
    problem.found = std::move(found);
    problem.advice = std::move(advice);
    errors.push_back(std::move(problem));
  };
  if (!account) {
    add("", "an account that can be read", account.error().detail, "Mend that first.");
    return errors;
  }
  for (const std::string& name : changed) {
    const agreements::Agreement& agreement = *agreements::find_agreement(after, name);
    for (agreements::Problem& gap : gaps_of(agreement, validity_in(**account, after), home_.clock().now()))
      errors.push_back(std::move(gap));
    for (const Rollover& rollover : rollovers_of(agreement))
      if (rollover.successor == successor && rollover.ours)
        if (const auto own = (*account)->private_certificate(successor); !own)
          add(fmt::format("agreement[{}]", name), "a key that the gateway can use", own.error().detail,
              "Put the key into the vault, and let the gateway use it.");
  }
  return errors;
}

}  // namespace signet::gateway
