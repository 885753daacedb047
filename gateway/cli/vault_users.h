#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

/// Who would be left without a key or a secret, were a vault no longer there.

namespace signet::gateway {

/// The settings of serve.toml and of `given` that name secrets of the vault, in words.
Result<std::vector<std::string>> users_in_settings(Home& home, const GivenOptions& given,
                                                   std::string_view vault);

/// Those, and before them the certificates and agreements of the account.
Result<std::vector<std::string>> users_of_vault(Home& home, const GivenOptions& given,
                                                std::string_view vault);

}  // namespace signet::gateway
