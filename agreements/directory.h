#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agreements/account_index.h"
#include "agreements/model.h"
#include "base/result.h"

/// Which agreement a message belongs to.

namespace signet::agreements {

/// An agreement with the AS2 names that it goes by on the wire.
struct ResolvedAgreement {
  const Agreement& agreement;  ///< the one that was resolved, which outlives this
  std::string receive_from;    ///< AS2-From of the guest's messages
  std::string receive_to;      ///< AS2-To of the guest's messages: us
  std::string send_from;       ///< AS2-From of our messages: us
  std::string send_to;         ///< AS2-To of our messages
};

/// The AS2 names of an agreement: the direction's own identity, else hostIdentity or guestIdentity, else the
/// partner's only AS2Identity.
///
/// @error NotFound  a partner that is not in the account.
/// @error InvalidInput  a partner with no or several AS2 identities and none chosen, an identity that is not
/// the
///     partner's or no AS2Identity, or a value that is no AS2 name (RFC 4130 section 6.2).
Result<ResolvedAgreement> resolve(const AccountIndex& account, const Agreement& agreement);

/// One generation of the account, with its agreements to look up. Immutable, so safe to use from every
/// thread; share it by `shared_ptr<const AgreementDirectory>` and put a new one in its place when the account
/// changes. What it returns lives as long as it does.
class AgreementDirectory {
 public:
  /// @error as resolve(), and AlreadyExists  two agreements for the same pair of names in the same direction,
  /// or with
  ///     the same name; both are named.
  static Result<std::shared_ptr<const AgreementDirectory>> build(Account account);

  AgreementDirectory(const AgreementDirectory&) = delete;
  AgreementDirectory& operator=(const AgreementDirectory&) = delete;

  [[nodiscard]] const Account& account() const { return account_; }
  /// By the names of a message that came in. Case matters. nullptr: no such relationship.
  [[nodiscard]] const ResolvedAgreement* find_inbound(std::string_view as2_from,
                                                      std::string_view as2_to) const;
  /// By the names of a message that goes out. Case matters.
  [[nodiscard]] const ResolvedAgreement* find_outbound(std::string_view as2_from,
                                                       std::string_view as2_to) const;
  [[nodiscard]] const ResolvedAgreement* by_name(std::string_view name) const;
  [[nodiscard]] const std::vector<ResolvedAgreement>& all() const { return agreements_; }

 private:
  struct Pair {
    std::string_view from;
    std::string_view to;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const;
  };
  using Index = std::unordered_map<Pair, const ResolvedAgreement*, PairHash>;

  explicit AgreementDirectory(Account account) : account_(std::move(account)) {}
  Result<> resolve_all();
  Result<> index();

  const Account account_;
  std::vector<ResolvedAgreement> agreements_;  // never changed after index(): the indexes point into it
  Index inbound_;
  Index outbound_;
  std::unordered_map<std::string_view, const ResolvedAgreement*> by_name_;
};

}  // namespace signet::agreements
