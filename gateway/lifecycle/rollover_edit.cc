#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agreements/certificate_roles.h"
#include "gateway/lifecycle/rollover.h"

/// How rollovers are written into agreements. Every change says which certificates each of the six roles has
/// to have, and write_lists() brings that about: a role may have none of its own and take another one's.

namespace signet::gateway {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::CertificateRole;
using agreements::DatedCertificate;
using agreements::kAllRoles;

using Lists = std::array<std::vector<DatedCertificate>, kAllRoles.size()>;

Lists lists_of(const Agreement& agreement) {
  Lists lists;
  for (std::size_t i = 0; i < lists.size(); ++i)
    lists[i] = agreements::certificates_for(agreement, kAllRoles[i]);
  return lists;
}

DatedCertificate* find(std::vector<DatedCertificate>& certificates, std::string_view name) {
  const auto found = std::find_if(certificates.begin(), certificates.end(),
                                  [&](const DatedCertificate& one) { return one.name == name; });
  return found == certificates.end() ? nullptr : &*found;
}

void take_out(std::vector<DatedCertificate>& certificates, std::string_view name) {
  std::erase_if(certificates, [&](const DatedCertificate& one) { return one.name == name; });
}

void remove_list(Agreement& agreement, CertificateRole role) {
  std::erase_if(direction_of(agreement, role).certificates,
                [&](const agreements::RoleCertificates& list) { return list.role == role; });
}

/// Azure's name for the role stays one of them, since it counts as one.
void write_list(Agreement& agreement, CertificateRole role,
                const std::vector<DatedCertificate>& certificates) {
  std::string* const named = azure_name_of(agreement, role);
  if (named != nullptr && !named->empty()) {
    const auto is_named = [&](const DatedCertificate& one) { return one.name == *named; };
    if (std::none_of(certificates.begin(), certificates.end(), is_named)) *named = certificates.front().name;
  }
  remove_list(agreement, role);
  direction_of(agreement, role).certificates.push_back({role, certificates});
}

/// Lists that say no more than would hold without them are for nobody to read.
void remove_redundant_lists(Agreement& agreement, const Lists& wanted) {
  for (const CertificateRole role : kAllRoles) {
    Agreement without = agreement;
    remove_list(without, role);
    if (lists_of(without) == wanted) agreement = std::move(without);
  }
}

/// A list of its own for a role may change those that took its certificates, or what it named before; these
/// get theirs then, until all have what they are to have.
void write_lists(Agreement& agreement, const Lists& wanted) {
  for (std::size_t pass = 0; pass < kAllRoles.size(); ++pass)
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!wanted[i].empty() && agreements::certificates_for(agreement, kAllRoles[i]) != wanted[i])
        write_list(agreement, kAllRoles[i], wanted[i]);
  remove_redundant_lists(agreement, wanted);
}

Agreement* find(Account& account, std::string_view name) {
  const auto found = std::find_if(account.agreements.begin(), account.agreements.end(),
                                  [&](const Agreement& one) { return one.name == name; });
  return found == account.agreements.end() ? nullptr : &*found;
}

Result<> check_dates(const RolloverPlan& plan) {
  if (plan.successor == plan.replaced)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("'{}' cannot take its own place: name the new certificate and the one that it replaces",
                    printable(plan.successor)));
  if (plan.use_from < plan.accept_from)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("expected a certificate that is accepted before it is used: accepted from {}, used from "
                    "{}; exchange or correct the dates",
                    to_rfc3339(plan.accept_from), to_rfc3339(plan.use_from)));
  if (plan.retire_at <= plan.use_from)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("expected the old certificate to be retired after the new one is used: used from {}, "
                    "retired at {}; leave the partner time in between",
                    to_rfc3339(plan.use_from), to_rfc3339(plan.retire_at)));
  return {};
}

bool is_wanted(const RolloverPlan& plan, CertificateRole role) {
  return plan.roles.empty() || std::find(plan.roles.begin(), plan.roles.end(), role) != plan.roles.end();
}

/// Of two that begin together, or the other way round, nobody could say later which took whose place.
Result<> check_begins_before(const DatedCertificate& replaced, const RolloverPlan& plan, CertificateRole role,
                             Time from, std::string_view agreement) {
  if (!replaced.active_from || *replaced.active_from < from) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("expected a certificate that is active before the one that takes its place: in agreement "
                  "'{}', {}, '{}' is active from {} only, and '{}' would be from {}; give it a later date",
                  printable(agreement), to_string(role), printable(plan.replaced),
                  to_rfc3339(*replaced.active_from), printable(plan.successor), to_rfc3339(from)));
}

/// What an agreement has the replaced certificate for, in the roles of the plan.
enum class Found { None, OnlyRetired, Replaced };

Result<Found> write_plan(Agreement& agreement, const RolloverPlan& plan, Time now) {
  Lists wanted = lists_of(agreement);
  Found found = Found::None;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const CertificateRole role = kAllRoles[i];
    DatedCertificate* const replaced = find(wanted[i], plan.replaced);
    if (replaced == nullptr || !is_wanted(plan, role)) continue;
    if (replaced->active_until && *replaced->active_until <= now) {
      if (found == Found::None) found = Found::OnlyRetired;
      continue;
    }
    const Time from = accepts(role) ? plan.accept_from : plan.use_from;
    SIGNET_CHECK(check_begins_before(*replaced, plan, role, from, agreement.name));
    replaced->active_until = plan.retire_at;
    const DatedCertificate* const before = find(wanted[i], plan.successor);
    const bool awaits_acceptance = before != nullptr && before->awaits_acceptance;
    take_out(wanted[i], plan.successor);
    wanted[i].push_back({plan.successor, from, std::nullopt, awaits_acceptance});
    found = Found::Replaced;
  }
  if (found == Found::Replaced) write_lists(agreement, wanted);
  return found;
}

/// @param at_once  its use begins now, also where it was to begin later
void write_release(Lists& wanted, const Rollover& rollover, Time now, bool at_once) {
  const std::optional<Time> used = rollover.used_from();
  const auto late = used && *used < now ? now - *used : Time::duration(0);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const RoleRollover& role : rollover.roles) {
      if (role.role != kAllRoles[i]) continue;
      DatedCertificate& next = *find(wanted[i], rollover.successor);
      next.awaits_acceptance = false;
      if (!accepts(role.role) && (at_once || role.from < now)) next.active_from = now;
      DatedCertificate& replaced = *find(wanted[i], role.replaced);
      if (replaced.active_until) *replaced.active_until += late;
    }
}

std::vector<std::string> agreements_of(const Account& account, const RolloverPlan& plan) {
  if (!plan.agreements.empty()) return plan.agreements;
  std::vector<std::string> names;
  for (const Agreement& agreement : account.agreements) names.push_back(agreement.name);
  return names;
}

Error without_replaced(const RolloverPlan& plan, std::string_view where) {
  return {
      ErrorKind::NotFound,
      fmt::format("{} has the certificate '{}' in {} role: name one that is used there ('signet certificate "
                  "inventory' says which), or other roles",
                  where, printable(plan.replaced), plan.roles.empty() ? "no" : "no such")};
}

Error with_retired(const RolloverPlan& plan, std::string_view where) {
  return {ErrorKind::InvalidInput,
          fmt::format("{} has retired the certificate '{}' already: name the one that is active in its place "
                      "('signet certificate inventory' says which)",
                      where, printable(plan.replaced))};
}

}  // namespace

Result<std::vector<std::string>> plan_rollover(Account& account, const RolloverPlan& plan, Time now) {
  SIGNET_CHECK(check_dates(plan));
  std::vector<std::string> changed;
  bool any_retired = false;
  for (const std::string& name : agreements_of(account, plan)) {
    Agreement* const agreement = find(account, name);
    if (agreement == nullptr)
      return fail(ErrorKind::NotFound, fmt::format("the account has no agreement '{}'", printable(name)));
    SIGNET_TRY(const Found found, write_plan(*agreement, plan, now));
    if (found == Found::Replaced) changed.push_back(name);
    any_retired = any_retired || found == Found::OnlyRetired;
    if (found == Found::Replaced || plan.agreements.empty()) continue;
    const std::string where = fmt::format("agreement '{}'", printable(name));
    return fail(found == Found::OnlyRetired ? with_retired(plan, where) : without_replaced(plan, where));
  }
  if (changed.empty() && any_retired) return fail(with_retired(plan, "each agreement that has had it"));
  if (changed.empty()) return fail(without_replaced(plan, "no agreement"));
  return changed;
}

Result<> advance_rollover(Account& account, std::string_view agreement, std::string_view successor,
                          Time now) {
  SIGNET_TRY(const Rollover rollover, find_rollover(account, agreement, successor));
  const RolloverState state = rollover.state(now);
  if (state == RolloverState::Retired)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format("the rollover to '{}' has come to its end; 'signet rollover complete' takes out what is "
                    "retired",
                    printable(successor)));
  Agreement& changed = *find(account, agreement);
  Lists wanted = lists_of(changed);
  if (rollover.awaits_acceptance() && state == RolloverState::Accepted) {
    write_release(wanted, rollover, now, true);
    write_lists(changed, wanted);
    return {};
  }
  const bool accepts_next = state == RolloverState::Planned && rollover.accepted_from();
  const bool uses_next = !accepts_next && rollover.used_from() && *rollover.used_from() > now;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const RoleRollover& role : rollover.roles) {
      if (role.role != kAllRoles[i]) continue;
      DatedCertificate& next = *find(wanted[i], successor);
      if (accepts_next || uses_next) {
        const bool is_next = accepts(role.role) == accepts_next;
        if (is_next && role.from > now) next.active_from = now;
      } else if (!role.retired_at || *role.retired_at > now) {
        find(wanted[i], role.replaced)->active_until = now;
      }
    }
  write_lists(changed, wanted);
  return {};
}

Result<> hold_rollover(Account& account, std::string_view agreement, std::string_view successor, Time now) {
  SIGNET_TRY(const Rollover rollover, find_rollover(account, agreement, successor));
  if (!rollover.ours)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is the partner's certificate: only ours are for him to accept",
                            printable(successor)));
  const RolloverState state = rollover.state(now);
  if (state == RolloverState::InUse || state == RolloverState::Retired)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("the rollover to '{}' is {}: there is nothing left to wait for",
                            printable(successor), to_string(state)));
  Agreement& changed = *find(account, agreement);
  Lists wanted = lists_of(changed);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const RoleRollover& role : rollover.roles)
      if (role.role == kAllRoles[i] && agreements::needs_private_key(role.role))
        find(wanted[i], successor)->awaits_acceptance = true;
  write_lists(changed, wanted);
  return {};
}

Result<> release_rollover(Account& account, std::string_view agreement, std::string_view successor,
                          Time now) {
  SIGNET_TRY(const Rollover rollover, find_rollover(account, agreement, successor));
  if (!rollover.awaits_acceptance()) return {};
  Agreement& changed = *find(account, agreement);
  Lists wanted = lists_of(changed);
  write_release(wanted, rollover, now, false);
  write_lists(changed, wanted);
  return {};
}

Result<> cancel_rollover(Account& account, std::string_view agreement, std::string_view successor) {
  SIGNET_TRY(const Rollover rollover, find_rollover(account, agreement, successor));
  Agreement& changed = *find(account, agreement);
  Lists wanted = lists_of(changed);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const RoleRollover& role : rollover.roles) {
      if (role.role != kAllRoles[i]) continue;
      find(wanted[i], role.replaced)->active_until.reset();
      take_out(wanted[i], successor);
    }
  write_lists(changed, wanted);
  return {};
}

Result<> complete_rollover(Account& account, std::string_view agreement, std::string_view successor,
                           Time now) {
  SIGNET_TRY(const Rollover rollover, find_rollover(account, agreement, successor));
  if (rollover.state(now) != RolloverState::Retired)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("the rollover to '{}' is {}, and '{}' retired {}: wait for that, or advance it",
                            printable(successor), to_string(rollover.state(now)),
                            printable(rollover.roles.front().replaced),
                            rollover.retired_at() ? "at " + to_rfc3339(*rollover.retired_at()) : "never"));
  Agreement& changed = *find(account, agreement);
  Lists wanted = lists_of(changed);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const RoleRollover& role : rollover.roles) {
      if (role.role != kAllRoles[i]) continue;
      take_out(wanted[i], role.replaced);
      if (wanted[i].size() == 1) wanted[i].front().active_from.reset();
    }
  write_lists(changed, wanted);
  return {};
}

}  // namespace signet::gateway
