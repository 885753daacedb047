#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/revocation_check.h"
#include "gateway/revocation/revocation_lists.h"

/// Which revocation lists an account needs, and how its certificates stand.

namespace signet::gateway {

/// A list of an authority that certificates in use are looked up in.
struct WantedList {
  std::string authority;  ///< certstore::key_thumbprint() of the issuer's key
  certstore::Certificate issuer;
  std::vector<std::string> urls;          ///< where the certificates say that it is; each has the same list
  std::optional<Time> until;              ///< when the one that is at hand ends; nothing: none is
  std::vector<std::string> certificates;  ///< those that are looked up in it: names in the account, for
                                          ///< people; of a server whose certificate is not there, its subject
  std::vector<certstore::Certificate> subjects;  ///< these, or issuers of theirs: the list has to be for one

  /// The URLs as RevocationSource has them.
  [[nodiscard]] std::string joined_urls() const;
  [[nodiscard]] RevocationOrigin origin() const { return {authority, joined_urls()}; }
};

/// The names of the certificates that agreements have looked up, and of these agreements, as far as their
/// time is not over. Without servers that are trusted by an authority, whose certificates have no names here.
std::map<std::string, std::vector<std::string>, std::less<>> certificates_looked_up(
    const agreements::Account& account, Time now);

std::vector<WantedList> wanted_lists(const std::shared_ptr<const AccountSnapshot>& account,
                                     RevocationLists& lists, Time now);

/// How a certificate stands that agreements have looked up.
struct RevocationStanding {
  std::string certificate;              ///< its name
  std::vector<std::string> agreements;  ///< that have it looked up
  RevocationStatus status = RevocationStatus::Unknown;
  std::string reason;
  std::optional<Time> until;      ///< when the first of its lists ends
  std::vector<std::string> urls;  ///< that the list of its issuer is at, by its own word
};

/// All of them, by name. One that cannot be read is Unknown, with the reason.
std::vector<RevocationStanding> revocation_standings(const std::shared_ptr<const AccountSnapshot>& account,
                                                     RevocationLists& lists, Time now);

}  // namespace signet::gateway
