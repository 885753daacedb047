#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agreements/account_index.h"
#include "agreements/directory.h"
#include "agreements/model.h"
#include "agreements/problem.h"

/// Internal: how an agreement comes by its AS2 names; for the directory, which wants the names, and the
/// linter, which wants everything that is wrong with them.

namespace signet::agreements {

struct Resolution {
  ResolvedAgreement resolved;     ///< complete when there are no problems
  std::vector<Problem> problems;  ///< without file and line; paths are within the account
};

Resolution resolve_names(const AccountIndex& account, const Agreement& agreement);

/// Whether both are the same; qualifiers are compared without regard to case, values with.
bool same_identity(const BusinessIdentity& a, const BusinessIdentity& b);

bool is_as2_identity(const BusinessIdentity& identity);

}  // namespace signet::agreements
