#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/vault_certificate.h"

/// What happens to certificates by themselves when their end comes near, as their policies say, and who is
/// told of it.

namespace signet::vault {

/// When an action is due for a version. A number of days counts back from its end, but never into the first
/// half of its life: an issuer may give a shorter one than the policy wants, and would be asked again at
/// once.
Time due_time(const LifetimeAction& action, const certstore::Certificate& certificate);

/// Something that those are told of who look after a vault's certificates.
struct CertificateNotice {
  enum class Event {
    NearExpiry,     ///< nobody renews it: somebody has to
    RenewalBegins,  ///< a new version was asked for
    Renewed,        ///< there is one
    NotRenewed,     ///< there is none yet: it will be tried again
  };
  std::int64_t number = 0;  ///< in the queue
  Event event = Event::NearExpiry;
  CertificateId id;  ///< with its version: the new one of Renewed, else the current one
  Time time{};
  Time expires{};      ///< that version
  std::string reason;  ///< of NotRenewed
  bool mailed = false;
};

/// "near-expiry", "renewal-begins", "renewed", "not-renewed": also the form that is stored.
std::string_view to_string(CertificateNotice::Event event);
/// @error InvalidInput
Result<CertificateNotice::Event> parse_notice_event(std::string_view text);

/// What the gateway does for the lifetime of certificates, in its own name. It needs no permission for that:
/// the policies are the permission. Thread-safe.
class CertificateLifetimes {
 public:
  virtual ~CertificateLifetimes() = default;

  struct Round {
    std::vector<CertificateNotice> events;  ///< what came of it; those that are queued, too
    std::optional<Time> next;               ///< when there will be something to do, as far as is known now
  };
  /// Does once, for every certificate in use, what its policy says is due. AutoRenew begins a new version
  /// with the settings of the current one, which is complete at once where its issuer is Self; a failure is
  /// tried again, at growing intervals. Each event queues a notice in the same transaction. One certificate
  /// that fails does not stop the others.
  ///
  /// @error IoFailure, ...  the certificates could not be read.
  virtual Result<Round> renew_due() = 0;

  /// The queue of notices, the oldest first.
  virtual Result<std::vector<CertificateNotice>> notices() = 0;
  virtual Result<> put_notice_mailed(const CertificateNotice& notice) = 0;
  virtual Result<> remove_notice(const CertificateNotice& notice) = 0;
  /// Whom a vault wants to be told; none where it has no contacts.
  virtual Result<std::vector<CertificateContact>> contacts_to_tell(std::string_view vault) = 0;
};

}  // namespace signet::vault
