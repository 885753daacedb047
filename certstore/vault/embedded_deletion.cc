#include "certstore/vault/embedded_vault_internal.h"

/// Deleting, recovering and purging, and how a vault treats what is deleted in it.

namespace signet::vault {
namespace {

Result<> check_settings(const VaultSettings& now, const VaultSettings& wanted, std::string_view vault) {
  if (wanted.retention_days < kShortestRetention || wanted.retention_days > kLongestRetention)
    return fail(ErrorKind::InvalidInput,
                fmt::format("what is deleted is kept for {} to {} days, not {}", kShortestRetention,
                            kLongestRetention, wanted.retention_days));
  if (!now.purge_protection) return {};
  if (!wanted.purge_protection)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("key vault '{}' has purge protection, which is never taken off again", vault));
  if (wanted.retention_days < now.retention_days)
    return fail(
        ErrorKind::AlreadyExists,
        fmt::format(
            "key vault '{}' has purge protection and keeps what is deleted for {} days, which can become "
            "more, and not less",
            vault, now.retention_days));
  return {};
}

}  // namespace

Result<DeletedKey> EmbeddedVault::delete_key(const Principal& principal, std::string_view vault,
                                             std::string_view name) {
  return delete_object<Keys>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<std::vector<DeletedKey>> EmbeddedVault::list_deleted_keys(const Principal& principal,
                                                                 std::string_view vault) {
  return list_deleted_objects<Keys>(*state_, principal, vault);
}

Result<DeletedKey> EmbeddedVault::get_deleted_key(const Principal& principal, std::string_view vault,
                                                  std::string_view name) {
  return get_deleted_object<Keys>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<KeyInfo> EmbeddedVault::recover_key(const Principal& principal, std::string_view vault,
                                           std::string_view name) {
  return recover_object<Keys>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<> EmbeddedVault::purge_key(const Principal& principal, std::string_view vault, std::string_view name) {
  return purge_object<Keys>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<DeletedSecret> EmbeddedVault::delete_secret(const Principal& principal, std::string_view vault,
                                                   std::string_view name) {
  return delete_object<Secrets>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<std::vector<DeletedSecret>> EmbeddedVault::list_deleted_secrets(const Principal& principal,
                                                                       std::string_view vault) {
  return list_deleted_objects<Secrets>(*state_, principal, vault);
}

Result<DeletedSecret> EmbeddedVault::get_deleted_secret(const Principal& principal, std::string_view vault,
                                                        std::string_view name) {
  return get_deleted_object<Secrets>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<SecretInfo> EmbeddedVault::recover_secret(const Principal& principal, std::string_view vault,
                                                 std::string_view name) {
  return recover_object<Secrets>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<> EmbeddedVault::purge_secret(const Principal& principal, std::string_view vault,
                                     std::string_view name) {
  return purge_object<Secrets>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<> EmbeddedVault::purge_overdue() { return purge_all_overdue(*state_); }

Result<VaultSettings> EmbeddedVault::settings(std::string_view vault) {
  SIGNET_CHECK(check_vault_name(vault));
  return state_->store().settings(vault);
}

Result<> EmbeddedVault::set_settings(const Principal& principal, std::string_view vault,
                                     const VaultSettings& settings) {
  KeyId id{std::string(vault), {}, {}};
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_vault_name(vault));
    SIGNET_CHECK(check_is_operator(principal, vault));
    SIGNET_TRY(const VaultSettings now, state_->store().settings(vault));
    return check_settings(now, settings, vault);
  };
  return state_->change(state_->new_record(principal, "setVaultSettings", id,
                                           fmt::format("retention_days={} purge_protection={}",
                                                       settings.retention_days, settings.purge_protection)),
                        id, prepare, [&] { return state_->store().put_settings(vault, settings); });
}

}  // namespace signet::vault
