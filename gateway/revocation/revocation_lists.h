#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/crl.h"
#include "gateway/exchange/revocation_check.h"
#include "gateway/revocation/revocation_store.h"

namespace signet::gateway {

/// A certificate, the certificate of its issuer, and what the issuer's lists say.
struct RevocationLink {
  certstore::Certificate subject;
  certstore::Certificate issuer;
  std::string authority;               ///< certstore::key_thumbprint() of the issuer's key
  std::optional<certstore::Crl> list;  ///< the newest that covers the subject; absent: none is at hand
};

/// The revocation lists of the store, in memory, and what they say of certificates.
///
/// A certificate is looked up in the list of its issuer, the issuer's in that of the next one, and so on as
/// far as the account has the issuers' certificates among its public ones: the last is believed because an
/// operator put it there. A list counts from its thisUpdate to its nextUpdate, and what it has stays revoked
/// after that. Thread-safe.
class RevocationLists final : public RevocationCheck {
 public:
  /// `store` outlives this.
  explicit RevocationLists(RevocationStore& store) : store_(store) {}

  /// Takes up what the store has, unless that is in memory already. Cheap when it is. @error  of the store
  Result<> reload();

  RevocationFinding look_up(const certstore::Certificate& certificate,
                            const std::shared_ptr<const AccountSnapshot>& account, Time now) override;
  void decided(const std::string& agreement, agreements::CertificateRole role,
               RevocationOutcome outcome) override;

  /// The steps of a look: first the certificate's own, then its issuer's. Empty: it is self-signed, or the
  /// account does not have its issuer.
  std::vector<RevocationLink> links_of(const certstore::Certificate& certificate,
                                       const std::shared_ptr<const AccountSnapshot>& account);

  /// Says that lists are fetched by this process, for this account: for a certificate of another one, or of
  /// an authority that no list was ever asked for, a missing list is Pending.
  void expect(std::shared_ptr<const AccountSnapshot> account, std::set<std::string> never_asked);
  /// Why there is no list of an authority, or no new one; empty: nothing is wrong. It was asked by now.
  void note(const std::string& authority, std::string reason);

  /// How often what followed from a look.
  struct Count {
    std::string agreement;
    agreements::CertificateRole role;
    RevocationOutcome outcome;
    std::uint64_t count;
  };
  [[nodiscard]] std::vector<Count> counts() const;

 private:
  /// What is known of a certificate; what depends on the time is decided at each look. Moved, and never
  /// copied, since it points into itself.
  struct Known {
    Known() = default;
    Known(Known&&) = default;
    bool self_signed = false;
    std::string no_issuer;  ///< why the look ends before it begins
    std::vector<RevocationLink> links;
    std::string revoked;                      ///< which certificate, when and why
    const RevocationLink* missing = nullptr;  ///< the first without a list
    std::optional<Time> from;                 ///< since when all lists count
    std::optional<Time> until;                ///< until when
    const RevocationLink* first_to_end = nullptr;
  };
  /// What was found out about one account with one set of lists.
  struct Epoch {
    std::shared_ptr<const AccountSnapshot> account;
    std::vector<certstore::Certificate> authorities;
    std::map<std::string, std::unique_ptr<const Known>, std::less<>> known;  ///< by SHA-256 thumbprint
  };

  const Known& known(const certstore::Certificate& certificate,
                     const std::shared_ptr<const AccountSnapshot>& account);
  [[nodiscard]] Known evaluate(const certstore::Certificate& certificate) const;
  [[nodiscard]] std::optional<certstore::Crl> list_for(const std::string& authority,
                                                       const certstore::Certificate& subject) const;
  [[nodiscard]] RevocationFinding finding(const Known& known, Time now) const;
  [[nodiscard]] RevocationFinding not_at_hand(const RevocationLink& link, std::string what) const;

  RevocationStore& store_;
  mutable std::mutex mutex_;
  std::optional<std::uint64_t> generation_;
  std::multimap<std::string, StoredRevocationList, std::less<>> lists_;  ///< by authority
  Epoch epoch_;
  std::shared_ptr<const AccountSnapshot> expected_;
  std::set<std::string> never_asked_;
  std::map<std::string, std::string, std::less<>> notes_;  ///< by authority

  mutable std::mutex counts_mutex_;
  /// By agreement, then by role and outcome.
  static constexpr std::size_t kRoles = 6;
  static constexpr std::size_t kOutcomes = 5;
  using Counters = std::array<std::array<std::uint64_t, kOutcomes>, kRoles>;
  std::map<std::string, Counters, std::less<>> counts_;
};

}  // namespace signet::gateway
