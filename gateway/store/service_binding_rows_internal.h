#pragma once

#include <string_view>
#include <vector>

#include "certstore/service/binding.h"
#include "gateway/store/sql_internal.h"

/// Internal to gateway/store: rows of service certificates' bindings.

namespace signet::gateway {

/// Without those before.
Result<std::vector<certstore::ServiceBinding>> read_service_bindings(SqlConnection& connection);

/// Inside of the transaction that takes a certificate of the vault out of use.
///
/// @error AlreadyExists  a name stands for one of its versions; says which.
Result<> check_not_bound(SqlConnection& connection, std::string_view vault, std::string_view name);

}  // namespace signet::gateway
