#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"
#include "agreements/problem.h"
#include "base/clock.h"
#include "base/result.h"

/// Planned rollover: in the roles of an agreement one certificate takes the place of another, at dates that
/// are agreed on. The account's own dates (DatedCertificate) are the plan, and nothing else is kept: what is
/// written by hand in the XML is the same rollover, and a running gateway goes by it message by message.
///
/// - accept from X: the roles that accept (decrypt, verifyMessage, verifyMdn) take the successor beside the
///   other.
/// - use from Y: the roles that send (signMessage, signMdn, encrypt) use the successor.
/// - retire at Z: no role takes the replaced one any more.

namespace signet::gateway {

/// Whether a role accepts what comes, by any of its active certificates; the others send, with the newest.
bool accepts(agreements::CertificateRole role);

/// "signMessage"... @error InvalidInput  names the word, and those there are.
Result<agreements::CertificateRole> parse_certificate_role(std::string_view word);

/// A role on its way from one certificate to another.
struct RoleRollover {
  agreements::CertificateRole role = agreements::CertificateRole::VerifyMessage;
  std::string replaced;
  Time from{};                     ///< the successor's activation
  std::optional<Time> retired_at;  ///< the end of the replaced one; absent: none is planned
  bool awaits_acceptance = false;  ///< the partner's: until then it is not used, and the other does not end

  friend bool operator==(const RoleRollover&, const RoleRollover&) = default;
};

enum class RolloverState {
  Planned,   ///< nothing has changed yet
  Accepted,  ///< the successor is taken, and the replaced one used
  InUse,     ///< the successor is used, and the replaced one taken
  Retired,   ///< the replaced one does nothing any more; complete_rollover() takes it out
};
/// "planned", "accepted", "in-use", "retired".
std::string_view to_string(RolloverState state);

struct Rollover {
  std::string agreement;
  std::string successor;
  bool ours = false;  ///< in one of the roles the successor's key is ours; else it is the partner's
  std::vector<RoleRollover> roles;

  [[nodiscard]] RolloverState state(Time now) const;
  [[nodiscard]] std::optional<Time> accepted_from() const;  ///< the last of its roles; absent: none accepts
  [[nodiscard]] std::optional<Time> used_from() const;      ///< likewise of those that send
  [[nodiscard]] std::optional<Time> retired_at() const;     ///< absent: not planned in some role
  [[nodiscard]] std::vector<std::string> replaced() const;  ///< each once
  [[nodiscard]] bool awaits_acceptance() const;             ///< in some role

  friend bool operator==(const Rollover&, const Rollover&) = default;
};

/// Everything in the account that is one, in its order, also what was written by hand.
std::vector<Rollover> rollovers_of(const agreements::Agreement& agreement);
std::vector<Rollover> rollovers_of(const agreements::Account& account);
/// @error NotFound  no such agreement, or no rollover to this certificate in it.
Result<Rollover> find_rollover(const agreements::Account& account, std::string_view agreement,
                               std::string_view successor);

struct RolloverPlan {
  std::string successor;  ///< the names of certificates, or of service certificates
  std::string replaced;
  std::vector<std::string> agreements;             ///< none: all where a role has the replaced one
  std::vector<agreements::CertificateRole> roles;  ///< none: all that have the replaced one
  Time accept_from{};                              ///< whole seconds, as the two that follow
  Time use_from{};
  Time retire_at{};
};

/// Writes the plan into the agreements. Planned again, a rollover gets the new dates. Roles that are not
/// named go on exactly as before, also those that take their certificates from one that is.
///
/// Roles in which the replaced certificate is retired already stay as they are.
///
/// @return the names of the agreements that were changed.
/// @error InvalidInput  dates out of order; a certificate that takes its own place, or that of one which is
///                      not active before it; only roles that are retired already.
/// @error NotFound      no such agreement; or the replaced certificate has none of the roles in it.
Result<std::vector<std::string>> plan_rollover(agreements::Account& account, const RolloverPlan& plan,
                                               Time now);

/// Takes the next step now instead of at its date: planned to accepted to in use to retired. The step to in
/// use waits for no partner's acceptance any more.
///
/// @error NotFound  as find_rollover().  @error AlreadyExists  it is retired: there is no next step.
Result<> advance_rollover(agreements::Account& account, std::string_view agreement,
                          std::string_view successor, Time now);

/// From now on the successor, which is ours, is used only once the partner has accepted it
/// (release_rollover()), and the other does not end before. Idempotent.
///
/// @error NotFound  as find_rollover().  @error InvalidInput  it is the partner's.  @error AlreadyExists  it
/// is in use, or the other one is retired.
Result<> hold_rollover(agreements::Account& account, std::string_view agreement, std::string_view successor,
                       Time now);

/// The partner has accepted it: what was planned holds. Where its use was to begin before, it begins now, and
/// what is replaced ends as much later. Idempotent.
///
/// @error NotFound  as find_rollover().
Result<> release_rollover(agreements::Account& account, std::string_view agreement,
                          std::string_view successor, Time now);

/// The way back, at whatever step: the successor leaves the roles, and the replaced one has no end any more.
///
/// @error NotFound  as find_rollover().
Result<> cancel_rollover(agreements::Account& account, std::string_view agreement,
                         std::string_view successor);

/// What is retired leaves the roles, and the successor has them alone.
///
/// @error NotFound  as find_rollover().  @error AlreadyExists  it is not retired yet.
Result<> complete_rollover(agreements::Account& account, std::string_view agreement,
                           std::string_view successor, Time now);

/// From when to when a certificate is valid.
struct Validity {
  Time not_before{};
  Time not_after{};
};
/// By name. @error ...  it cannot be read; then it is of no use to anybody.
using ValidityOf = std::function<Result<Validity>(const std::string& certificate)>;

/// Where an agreement's rollovers would leave a role without a certificate that is active and valid, between
/// now and their last date: errors, one for each role at most. A role whose dates nobody planned is not
/// looked at.
std::vector<agreements::Problem> gaps_of(const agreements::Agreement& agreement,
                                         const ValidityOf& validity_of, Time now);

}  // namespace signet::gateway
