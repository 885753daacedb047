#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/x509/crl.h"

/// What must be kept of revocation lists. gateway/store implements it.

namespace signet::gateway {

/// How much an issuer's clock may be ahead of ours.
inline constexpr std::chrono::minutes kIssuersClockAhead{5};

/// Lists for parts of one authority's certificates that are kept: none has as many, and each may be 8 MiB.
inline constexpr std::size_t kMostScopes = 64;

/// A list that was believed when it was taken.
struct StoredRevocationList {
  std::string authority;  ///< certstore::key_thumbprint() of the key that signed it
  std::string scope;      ///< which part of the authority's certificates it is for; empty: all of them
  certstore::Crl list;
  std::string source;  ///< the URL that it came from; empty: an operator gave it
  Time taken{};
};

/// What became of the last attempt to fetch the lists of an authority from some URLs.
struct RevocationSource {
  std::string authority;  ///< as above
  std::string urls;       ///< with spaces between; each has the same lists
  Time tried{};
  std::uint32_t failures = 0;  ///< in a row; 0: it worked
  std::string reason;          ///< of the last failure

  friend bool operator==(const RevocationSource&, const RevocationSource&) = default;
};

/// Thread-safe.
class RevocationStore {
 public:
  enum class Change { Taken, Unchanged };

  virtual ~RevocationStore() = default;

  /// A number that is another one after any change of the lists, by whichever process. Cheap.
  virtual Result<std::uint64_t> generation() = 0;
  /// All of them. One that cannot be read any more is left out, and the log says so.
  virtual Result<std::vector<StoredRevocationList>> lists() = 0;
  /// Puts a list in the place of the one with its authority and scope. Where the authority would have more
  /// than kMostScopes, those that have ended make room; until then they go on saying what is revoked.
  ///
  /// @error AlreadyExists  that one is newer.  @error LimitExceeded  there is no room.
  virtual Result<Change> put(const StoredRevocationList& list) = 0;
  /// Removes the lists of an authority. @error NotFound  there is none.
  virtual Result<> remove(std::string_view authority) = 0;

  virtual Result<std::vector<RevocationSource>> sources() = 0;
  virtual Result<> put_source(const RevocationSource& source) = 0;
  virtual Result<> remove_source(std::string_view authority, std::string_view urls) = 0;
};

}  // namespace signet::gateway
