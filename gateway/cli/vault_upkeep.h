#pragma once

#include "certstore/vault/embedded_vault.h"

namespace signet::gateway {

/// What a gateway does daily for its vaults: purges what was deleted and is overdue, rotates the keys whose
/// policies say so, and warns in the log of those that expire soon, as their policies say.
void look_after(vault::EmbeddedVault& vault);

}  // namespace signet::gateway
