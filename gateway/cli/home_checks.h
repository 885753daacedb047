#pragma once

#include <vector>

#include "gateway/cli/home.h"
#include "gateway/operations/disk_space.h"

/// Whether what a gateway stands on would carry it at the moment. Each error says what to do.

namespace signet::gateway {

/// The account can be read. @error  as Home::current_account().
Result<> check_account(Home& home);

/// A transaction commits, and a file can be written beside the database. @error  of the store, the audit log
/// or the disk.
Result<> check_store(Home& home);

/// The gateway may use the keys of every vault that the account's certificates name.
///
/// @error PermissionDenied  names the permission that is missing, and the command that grants it.
Result<> check_vault(Home& home);

/// The volumes of the home and of every folder that payloads are handed over to.
Result<std::vector<Volume>> volumes_of(Home& home);

}  // namespace signet::gateway
