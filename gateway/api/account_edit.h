#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/diff.h"
#include "gateway/api/account_services.h"
#include "gateway/api/call.h"

namespace signet::gateway::api {

/// The entry that a change is about.
struct EditedEntry {
  agreements::EntryKind kind;
  std::string name;
};

/// Makes one change of the account, as `signet apply` makes many: the account as it would be is looked at
/// first, then there is an audit record, then it takes the stored one's place, durably, or nothing has
/// changed. Where somebody else changed the account meanwhile, all that is done again.
///
/// What was wrong in other entries before keeps nobody from changing this one.
///
/// @return  the errors that kept the account as it is; none: it is changed, or was already as it was to be.
/// @error ...  of `change`, of AccountJudge::check_replacement(), of the stores.
Result<std::vector<agreements::Problem>> edit_account(
    const AccountServices& services, const Call& call, Time now, const EditedEntry& entry,
    const std::function<Result<>(agreements::Account&)>& change);

}  // namespace signet::gateway::api
