#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/tags.h"

/// Internal to gateway/store: what the rows of keys, secrets and certificates have in common.

namespace signet::gateway {

class SqlConnection;

/// As the column `tags` has them: a JSON object.
std::string to_column(const vault::Tags& tags);
/// @error IoFailure  the column holds something else: the database is damaged.
Result<vault::Tags> tags_of(std::string_view column);

/// Whether something may be written into a vault of this home, inside of the transaction that writes it.
///
/// @error AlreadyExists  the name is that of a link to a vault elsewhere.
Result<> check_not_linked(SqlConnection& connection, std::string_view vault);

/// Part of each transaction that writes something sealed.
///
/// @error Unavailable  it was sealed under a master key that is not the one of now any more.
Result<> check_seal(SqlConnection& connection, ByteView sealed);

/// For a statement: of vaults that were not deleted as a whole. @param vault  a column
#define SIGNET_VAULT_IN_USE(vault) \
  " AND NOT EXISTS (SELECT 1 FROM resources WHERE kind = 'deletedVault' AND resources.name = " vault ")"

/// Whether a vault takes anything new. @error DeletedButRecoverable  it was deleted as a whole.
Result<> check_vault_in_use(SqlConnection& connection, std::string_view vault);

/// A key that is written is where the vault's keys are: in its token, or here.
///
/// @error Unavailable  that was changed since the key was made.
Result<> check_place_of_key(SqlConnection& connection, std::string_view vault, bool in_token);

/// Adds a version inside of a transaction. @error AlreadyExists, DeletedButRecoverable
Result<> put_key_version(SqlConnection& connection, const vault::StoredKey& key);
Result<> put_secret_version(SqlConnection& connection, const vault::StoredSecret& secret);

/// All versions of a name in use, the oldest first, inside of a transaction.
Result<std::vector<vault::StoredKey>> load_key_versions(SqlConnection& connection, std::string_view vault,
                                                        std::string_view name);
Result<std::vector<vault::StoredSecret>> load_secret_versions(SqlConnection& connection,
                                                              std::string_view vault, std::string_view name);

}  // namespace signet::gateway
