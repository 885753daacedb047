#pragma once

#include "base/result.h"

namespace signet::gateway {

class Connection;

/// Brings the database's schema from whatever version it has to this program's, each step and its number in
/// one transaction. May throw SQLite::Exception.
///
/// @error Unsupported  made by a newer Signet, or by something else.
Result<> migrate(Connection& connection);

}  // namespace signet::gateway
