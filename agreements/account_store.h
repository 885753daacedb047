#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "agreements/diff.h"
#include "agreements/model.h"
#include "base/clock.h"
#include "base/result.h"

namespace signet::agreements {

/// An account as it was stored, and the how-manieth it is: 0 is the empty account that a new store begins
/// with.
struct StoredAccount {
  Account account;
  std::uint64_t generation = 0;
};

/// When an entry was made, and when it last changed.
struct EntryTimes {
  Time created{};
  Time changed{};
};
using TimesByName = std::map<std::string, EntryTimes, std::less<>>;

/// Where the account is kept; gateway/store implements it. The canonical XML (write_account, parse_account)
/// will do as its form on disk. Thread-safe.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  /// @error IoFailure, or InvalidInput  what is stored can no longer be read.
  virtual Result<StoredAccount> load() = 0;

  /// Puts an account in the place of the stored one, durably, all or nothing.
  ///
  /// @return  the new generation: expected + 1.
  /// @error AlreadyExists  the stored generation is not the expected one: somebody else changed the account
  /// meanwhile.
  virtual Result<std::uint64_t> replace(const Account& account, std::uint64_t expected_generation) = 0;

  /// Of the entries of a kind. Those that were there before times were kept have none until they change.
  virtual Result<TimesByName> times(EntryKind kind) = 0;
};

}  // namespace signet::agreements
