#pragma once

#include "gateway/cli/command.h"

/// Commands for vaults as a whole, and for the whole life of keys and secrets: delete, deleted, recover,
/// purge, backup, restore; and rotation.

namespace signet::gateway {

class Home;

/// Added to `vault key`.
void add_key_lifecycle_commands(CLI::App& key, CommandContext& context);
/// Added to `vault secret`.
void add_secret_lifecycle_commands(CLI::App& secret, CommandContext& context);
/// `vault key rotation`.
void add_key_rotation_commands(CLI::App& key, CommandContext& context);
/// What `vault show` says of a vault of this home.
Result<> print_own_vault(const CommandContext& context, Home& home, const std::string& vault);
/// `vault create`.
void add_vault_back_end_commands(CLI::App& vault, CommandContext& context);
/// `vault settings`.
void add_vault_settings_commands(CLI::App& vault, CommandContext& context);

}  // namespace signet::gateway
