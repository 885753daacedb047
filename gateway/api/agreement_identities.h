#pragma once

#include "agreements/model.h"

/// The XML may leave an agreement's identities to its partners; Azure's JSON always has them.

namespace signet::gateway::api {

/// Gives the agreement the identities that it goes by where it names none: its partners' only AS2Identity.
/// What that is not clear for stays absent.
void fill_in_identities(const agreements::Account& account, agreements::Agreement& agreement);

/// Takes out again what fill_in_identities() gave `before` and `agreement` only repeats, so that an agreement
/// which was read and written back is what it was.
void leave_out_identities(const agreements::Account& account, const agreements::Agreement& before,
                          agreements::Agreement& agreement);

}  // namespace signet::gateway::api
