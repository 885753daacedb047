#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agreements/certificate_roles.h"
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
  std::vector<std::string> urls;       ///< where the subject says that the list is
};

/// Where lists come from, as RevocationSource tells them apart: an authority, and its URLs.
using RevocationOrigin = std::pair<std::string, std::string>;
RevocationOrigin origin_of(const RevocationLink& link);
RevocationOrigin origin_of(const RevocationSource& source);

/// How long after a list's end a new one is waited for, where lists are fetched: one that is published when
/// the last one ends is on its way then, and a server may be away for a moment.
inline constexpr std::chrono::minutes kGrace{15};

/// Where the lists that an account needs are fetched from, each with when it was asked last, if ever.
using RevocationOrigins = std::map<RevocationOrigin, std::optional<Time>>;

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
  RevocationFinding look_up_server(const TlsServer& server, const std::string& agreement,
                                   const std::shared_ptr<const AccountSnapshot>& account, Time now) override;
  void decided(const std::string& agreement, agreements::LookedUpUse use, RevocationOutcome outcome) override;

  /// A server that was looked up, and the agreements that it was looked up for.
  struct Server {
    TlsServer shown;
    std::set<std::string> agreements;
    Time seen{};
  };
  /// Those that were looked up last, up to kMostServers.
  [[nodiscard]] std::vector<Server> servers() const;
  /// Another number once servers() has others.
  [[nodiscard]] std::uint64_t servers_generation() const;
  static constexpr std::size_t kMostServers = 256;

  /// The steps of a look: first the certificate's own, then its issuer's. Empty: it is self-signed, or the
  /// account does not have its issuer.
  std::vector<RevocationLink> links_of(const certstore::Certificate& certificate,
                                       const std::shared_ptr<const AccountSnapshot>& account);

  /// The same of a server: its issuers may also be those that vouch for it.
  std::vector<RevocationLink> links_of(const TlsServer& server,
                                       const std::shared_ptr<const AccountSnapshot>& account);

  /// Says that this process fetches lists from now on. Until expect() says from where, a list that is missing
  /// or has ended is Pending.
  void expect_fetching(Time now);
  /// Says what is fetched for this account. A list that is missing or has ended is Pending for a certificate
  /// of another account, and where its origin was not asked since; for kGrace after its end, or since
  /// expect_fetching(), where it is fetched from at all.
  void expect(std::shared_ptr<const AccountSnapshot> account, RevocationOrigins origins);
  /// Why no list comes from there, or no new one; empty: nothing is wrong.
  void note(const RevocationOrigin& origin, std::string reason, Time asked);

  /// How often what followed from a look.
  struct Count {
    std::string agreement;
    agreements::LookedUpUse use;
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
  /// More than an account has; partners' servers may show ever new ones.
  static constexpr std::size_t kMostKnown = 65'536;
  /// What was found out about one account with one set of lists.
  struct Epoch {
    std::shared_ptr<const AccountSnapshot> account;
    std::map<std::string, std::unique_ptr<const Known>, std::less<>> known;  ///< by SHA-256 thumbprints
  };

  /// @param shown        issuers that were verified vouch for it as much as those of the account do
  /// @param authorities  of the account: handed in, so that nobody parses them under the lock
  const Known& known(const TlsServer& shown, const std::shared_ptr<const AccountSnapshot>& account,
                     const std::vector<certstore::Certificate>& authorities);
  [[nodiscard]] Known evaluate(const certstore::Certificate& certificate,
                               const std::vector<certstore::Certificate>& authorities) const;
  [[nodiscard]] std::optional<certstore::Crl> list_for(const std::string& authority,
                                                       const certstore::Certificate& subject) const;
  void remember(const TlsServer& server, const std::string& agreement, Time now);
  [[nodiscard]] RevocationFinding finding(const Known& known, Time now) const;
  [[nodiscard]] RevocationFinding not_at_hand(const RevocationLink& link, std::string what, Time now) const;
  [[nodiscard]] bool is_pending(const RevocationLink& link, Time now) const;

  RevocationStore& store_;
  mutable std::mutex mutex_;
  std::optional<std::uint64_t> generation_;
  std::multimap<std::string, StoredRevocationList, std::less<>> lists_;  ///< by authority
  Epoch epoch_;
  std::map<std::string, Server, std::less<>> servers_;  ///< by SHA-256 thumbprint
  std::uint64_t servers_generation_ = 0;
  bool fetches_ = false;
  Time fetches_since_{};
  std::shared_ptr<const AccountSnapshot> expected_;
  RevocationOrigins origins_;
  std::map<RevocationOrigin, std::string> notes_;

  mutable std::mutex counts_mutex_;
  /// By agreement, then by use and outcome.
  static constexpr std::size_t kUses = agreements::kAllLookedUpUses.size();
  static constexpr std::size_t kOutcomes = 5;
  using Counters = std::array<std::array<std::uint64_t, kOutcomes>, kUses>;
  std::map<std::string, Counters, std::less<>> counts_;
};

}  // namespace signet::gateway
