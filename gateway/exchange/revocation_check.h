#pragma once

#include <memory>
#include <string>

#include "agreements/certificate_roles.h"
#include "agreements/model.h"
#include "base/clock.h"
#include "certstore/x509/certificate.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"

/// Whether a certificate was revoked, as far as anybody can say, and what follows under an agreement.

namespace signet::gateway {

enum class RevocationStatus {
  NotRevoked,      ///< by lists that are valid
  NothingToCheck,  ///< self-signed: no list can have it
  Revoked,
  Unknown,  ///< no valid list is at hand
  Pending,  ///< nor can there be yet: it is being fetched, for the first time or since the last one ended
};
/// "not-revoked", "self-signed", "revoked", "unknown", "pending".
std::string_view to_string(RevocationStatus status);

struct RevocationFinding {
  RevocationStatus status = RevocationStatus::Unknown;
  std::string reason;  ///< for the operator; empty for the first two
};

/// What a look was good for.
enum class RevocationOutcome {
  Usable,     ///< not revoked, or there is nothing to check
  Unchecked,  ///< usable by softFail, though nobody can say
  Revoked,    ///< refused for good
  NoList,     ///< refused by hardFail for now, since nobody can say
  NotYet,     ///< the same for a moment, while lists are being fetched
};
/// "usable", "unchecked", "revoked", "no-list", "not-yet".
std::string_view to_string(RevocationOutcome outcome);

/// Revocation lists. Thread-safe.
class RevocationCheck {
 public:
  virtual ~RevocationCheck() = default;
  /// Looks into what is in memory, and waits for nobody.
  virtual RevocationFinding look_up(const certstore::Certificate& certificate,
                                    const std::shared_ptr<const AccountSnapshot>& account, Time now) = 0;
  /// The same for what a TLS server has shown under an agreement. Its certificate need not be the account's,
  /// nor its issuers': where they are not, their lists are fetched from now on, while the agreement has the
  /// server looked up.
  virtual RevocationFinding look_up_server(const TlsServer& server, const std::string& agreement,
                                           const std::shared_ptr<const AccountSnapshot>& account,
                                           Time now) = 0;
  /// Told what followed from a look, to be counted.
  virtual void decided(const std::string& agreement, agreements::LookedUpUse use,
                       RevocationOutcome outcome) = 0;
};

/// Where there are no lists, nobody can say anything.
class NoRevocationLists final : public RevocationCheck {
 public:
  static RevocationCheck& instance() {
    static NoRevocationLists none;
    return none;
  }
  RevocationFinding look_up(const certstore::Certificate& certificate,
                            const std::shared_ptr<const AccountSnapshot>& account, Time now) override;
  RevocationFinding look_up_server(const TlsServer& server, const std::string& agreement,
                                   const std::shared_ptr<const AccountSnapshot>& account, Time now) override;
  void decided(const std::string& /*agreement*/, agreements::LookedUpUse /*use*/,
               RevocationOutcome /*outcome*/) override {}
};

struct RevocationVerdict {
  RevocationOutcome outcome = RevocationOutcome::Usable;
  std::string text;  ///< what is wrong, for records; empty for Usable
};

/// Looks a certificate up that an agreement uses for something, and says what follows by its x:revocation.
/// What is used unchecked is a warning in the log.
///
/// @param message  the id of its record, for the log
RevocationVerdict judge_revocation(RevocationCheck& check, const agreements::Agreement& agreement,
                                   agreements::LookedUpUse use, const certstore::Certificate& certificate,
                                   const std::shared_ptr<const AccountSnapshot>& account, Time now,
                                   const std::string& message);

/// The same for what a TLS server has shown.
RevocationVerdict judge_server(RevocationCheck& check, const agreements::Agreement& agreement,
                               const TlsServer& server, const std::shared_ptr<const AccountSnapshot>& account,
                               Time now, const std::string& message);

/// The same for one that the account does not have any more, by its SHA-256 thumbprint.
RevocationVerdict judge_missing_certificate(RevocationCheck& check, const agreements::Agreement& agreement,
                                            agreements::LookedUpUse use, const std::string& thumbprint,
                                            const std::string& message);

}  // namespace signet::gateway
