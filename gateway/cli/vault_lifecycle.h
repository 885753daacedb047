#pragma once

#include "gateway/cli/command.h"

/// Commands for the whole life of keys and secrets: delete, deleted, recover, purge, backup, restore; and
/// rotation.

namespace signet::gateway {

/// Added to `vault key`.
void add_key_lifecycle_commands(CLI::App& key, CommandContext& context);
/// Added to `vault secret`.
void add_secret_lifecycle_commands(CLI::App& secret, CommandContext& context);
/// `vault key rotation`.
void add_key_rotation_commands(CLI::App& key, CommandContext& context);
/// `vault settings`.
void add_vault_settings_commands(CLI::App& vault, CommandContext& context);

}  // namespace signet::gateway
