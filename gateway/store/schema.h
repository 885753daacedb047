#pragma once

#include "base/result.h"

namespace signet::gateway {

class SqlConnection;

/// Brings the database's schema from whatever version it has to this program's, each step and its number in
/// one transaction. May throw SQLite::Exception.
///
/// @error Unsupported  made by a newer Signet, or by something else.
Result<> migrate(SqlConnection& connection);

}  // namespace signet::gateway
