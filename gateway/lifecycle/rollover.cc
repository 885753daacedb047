#include "gateway/lifecycle/rollover.h"

#include <fmt/format.h>

#include <algorithm>

#include "agreements/certificate_roles.h"

namespace signet::gateway {

using agreements::Agreement;
using agreements::CertificateRole;
using agreements::DatedCertificate;

bool accepts(CertificateRole role) {
  return role == CertificateRole::VerifyMessage || role == CertificateRole::Decrypt ||
         role == CertificateRole::VerifyMdn;
}

std::string_view to_string(RolloverState state) {
  switch (state) {
    case RolloverState::Planned:
      return "planned";
    case RolloverState::Accepted:
      return "accepted";
    case RolloverState::InUse:
      return "in-use";
    case RolloverState::Retired:
      return "retired";
  }
  return "planned";
}

Result<CertificateRole> parse_certificate_role(std::string_view word) {
  std::vector<std::string_view> words;
  for (const CertificateRole role : agreements::kAllRoles) {
    words.push_back(to_string(role));
    if (words.back() == word) return role;
  }
  return fail(ErrorKind::InvalidInput,
              fmt::format("expected a role out of {}, got '{}'", fmt::join(words, ", "), printable(word)));
}

namespace {

std::optional<Time> latest(const std::vector<RoleRollover>& roles, bool accepting) {
  std::optional<Time> time;
  for (const RoleRollover& role : roles)
    if (accepts(role.role) == accepting) time = std::max(time, std::optional(role.from));
  return time;
}

/// The first listed of equal ones in front, as active_certificates() has it the other way round.
std::vector<DatedCertificate> by_activation(std::vector<DatedCertificate> certificates) {
  std::stable_sort(
      certificates.begin(), certificates.end(),
      [](const DatedCertificate& a, const DatedCertificate& b) { return a.active_from < b.active_from; });
  return certificates;
}

/// Of those before it, in the order of their activation: the last one that has an end, or else the last.
const DatedCertificate& replaced_by(const std::vector<DatedCertificate>& certificates,
                                    std::size_t successor) {
  for (std::size_t i = successor; i-- > 0;)
    if (certificates[i].active_until) return certificates[i];
  return certificates[successor - 1];
}

Rollover& of_successor(std::vector<Rollover>& all, const Agreement& agreement, const std::string& successor) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Rollover& one) { return one.successor == successor; });
  if (found != all.end()) return *found;
  return all.emplace_back(Rollover{agreement.name, successor, false, {}});
}

}  // namespace

RolloverState Rollover::state(Time now) const {
  const bool held = awaits_acceptance();
  const bool retires = !held && std::all_of(roles.begin(), roles.end(), [&](const RoleRollover& role) {
    return role.retired_at && *role.retired_at <= now;
  });
  if (retires) return RolloverState::Retired;
  const auto accepted = accepted_from();
  if (accepted && *accepted > now) return RolloverState::Planned;
  const auto used = used_from();
  if (used && (held || *used > now)) return accepted ? RolloverState::Accepted : RolloverState::Planned;
  return used ? RolloverState::InUse : RolloverState::Accepted;
}

std::optional<Time> Rollover::accepted_from() const { return latest(roles, true); }
std::optional<Time> Rollover::used_from() const { return latest(roles, false); }

std::optional<Time> Rollover::retired_at() const {
  std::optional<Time> time;
  for (const RoleRollover& role : roles) {
    if (!role.retired_at) return std::nullopt;
    time = std::max(time, role.retired_at);
  }
  return time;
}

std::vector<std::string> Rollover::replaced() const {
  std::vector<std::string> names;
  for (const RoleRollover& role : roles)
    if (std::find(names.begin(), names.end(), role.replaced) == names.end()) names.push_back(role.replaced);
  return names;
}

bool Rollover::awaits_acceptance() const {
  return std::any_of(roles.begin(), roles.end(),
                     [](const RoleRollover& role) { return role.awaits_acceptance; });
}

std::vector<Rollover> rollovers_of(const Agreement& agreement) {
  std::vector<Rollover> all;
  for (const CertificateRole role : agreements::kAllRoles) {
    const auto certificates = by_activation(agreements::certificates_for(agreement, role));
    for (std::size_t i = 1; i < certificates.size(); ++i) {
      const DatedCertificate& successor = certificates[i];
      if (!successor.active_from) continue;
      const DatedCertificate& replaced = replaced_by(certificates, i);
      Rollover& rollover = of_successor(all, agreement, successor.name);
      rollover.ours = rollover.ours || agreements::needs_private_key(role);
      rollover.roles.push_back(
          {role, replaced.name, *successor.active_from, replaced.active_until, successor.awaits_acceptance});
    }
  }
  return all;
}

std::vector<Rollover> rollovers_of(const agreements::Account& account) {
  std::vector<Rollover> all;
  for (const Agreement& agreement : account.agreements) {
    std::vector<Rollover> own = rollovers_of(agreement);
    all.insert(all.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  }
  return all;
}

Result<Rollover> find_rollover(const agreements::Account& account, std::string_view agreement,
                               std::string_view successor) {
  const Agreement* const found = agreements::find_agreement(account, agreement);
  if (found == nullptr)
    return fail(
        ErrorKind::NotFound,
        fmt::format("the account has no agreement '{}'; 'signet rollover list' shows what is under way",
                    printable(agreement)));
  for (Rollover& rollover : rollovers_of(*found))
    if (rollover.successor == successor) return std::move(rollover);
  return fail(
      ErrorKind::NotFound,
      fmt::format("agreement '{}' has no rollover to the certificate '{}'; 'signet rollover list' shows "
                  "what is under way",
                  printable(agreement), printable(successor)));
}

}  // namespace signet::gateway
