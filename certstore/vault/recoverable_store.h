#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/deletion.h"

namespace signet::vault {

/// What the stores of keys and of secrets have in common: objects that are deleted, recovered and purged with
/// all their versions, and restored with all of them. Whatever else a store is asked, it answers as if
/// nothing deleted were there.
template <class Stored, class Info>
class RecoverableStore {
 public:
  virtual ~RecoverableStore() = default;

  /// Takes a name out of use. @error NotFound
  virtual Result<> soft_delete(std::string_view vault, std::string_view name, const Deletion& deletion) = 0;
  /// What is deleted in a vault, by name.
  virtual Result<std::vector<Deleted<Info>>> list_deleted(std::string_view vault) = 0;
  /// @error NotFound
  virtual Result<Deleted<Info>> load_deleted(std::string_view vault, std::string_view name) = 0;
  /// What is deleted in any vault and was to be purged by `now`, but for what belongs to a certificate, with
  /// which it goes.
  virtual Result<std::vector<Deleted<Info>>> overdue(Time now) = 0;
  /// Puts a deleted name back to use. @error NotFound
  virtual Result<> recover(std::string_view vault, std::string_view name) = 0;
  /// Removes for good what this deletion took out of use. @error NotFound  another one did, or none.
  virtual Result<> purge(std::string_view vault, std::string_view name, const Deletion& deletion) = 0;

  /// Every version of a name as it rests, the oldest first; none when there is no such name.
  virtual Result<std::vector<Stored>> load_all(std::string_view vault, std::string_view name) = 0;
  /// Adds a new name with all its versions, the oldest first, in one transaction.
  ///
  /// @error AlreadyExists          the name is in use, be it by a certificate.
  /// @error DeletedButRecoverable  it is deleted.
  virtual Result<> put_all(const std::vector<Stored>& versions) = 0;
};

}  // namespace signet::vault
