#include "gateway/cli/home_checks.h"

#include <filesystem>
#include <set>
#include <string>

#include "base/file.h"
#include "gateway/remote_vault/linked_vaults.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kProbe = "is there room?";

/// Written, synced and gone again.
Result<> write_probe(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "probe";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);  // of a process that was killed in between
  SIGNET_TRY(NewFile file, NewFile::create(path));
  auto written = file.write(as_bytes(kProbe));
  if (written) written = file.sync();
  std::filesystem::remove(path, ignored);
  return written;
}

Result<vault::AccessPolicy> gateways_policy(vault::EmbeddedVault& vault, const std::string& name) {
  SIGNET_TRY(const auto policies, vault.policies(vault::Principal::local_operator(), name));
  for (const vault::AccessPolicy& policy : policies)
    if (policy.principal == vault::Principal::gateway()) return policy;
  return vault::AccessPolicy{name, vault::Principal::gateway()};
}

/// What a linked vault lets us do shows when we do it.
Result<> check_vault(Home& home, const std::string& name) {
  SIGNET_TRY(RemoteVault* const linked, home.linked_vaults().find(name));
  if (linked != nullptr) return linked->check();
  SIGNET_TRY(const vault::AccessPolicy granted, gateways_policy(home.vault(), name));
  for (const auto needed : {vault::KeyPermission::Get, vault::KeyPermission::List, vault::KeyPermission::Sign,
                            vault::KeyPermission::Decrypt})
    SIGNET_CHECK(vault::check_permission(vault::Principal::gateway(), name, granted.keys, needed));
  return home.vault().check_token(name);
}

/// The passwords that agreements name.
Result<> check_secrets(Home& home, const agreements::Account& account) {
  std::set<std::string> names;
  for (const agreements::Agreement& agreement : account.agreements)
    for (const auto& credentials : {agreement.connection.basic_authentication,
                                    agreement.receive_agreement.required_basic_authentication})
      if (credentials) names.insert(credentials->key_vault);
  for (const std::string& name : names) {
    SIGNET_TRY(RemoteVault* const linked, home.linked_vaults().find(name));
    if (linked != nullptr) {
      SIGNET_CHECK(linked->check());
      continue;
    }
    SIGNET_TRY(const vault::AccessPolicy granted, gateways_policy(home.vault(), name));
    SIGNET_CHECK(vault::check_permission(vault::Principal::gateway(), name, granted.secrets,
                                         vault::SecretPermission::Get));
  }
  return {};
}

}  // namespace

Result<> check_account(Home& home) {
  SIGNET_TRY(const auto account, home.current_account());
  return {};
}

Result<> check_store(Home& home) {
  SIGNET_CHECK(home.store().database()->write([](SqlConnection&) { return Result<>(); }));
  return write_probe(home.store().directory());
}

Result<> check_vault(Home& home) {
  if (home.vault().is_sealed()) return fail(ErrorKind::Unavailable, std::string(vault::kSealed));
  SIGNET_TRY(const auto account, home.current_account());
  std::set<std::string> names;
  for (const agreements::CertificateEntry& entry : account->account().certificates)
    if (entry.key) names.insert(entry.key->key_vault);
  for (const std::string& name : names) SIGNET_CHECK(check_vault(home, name));
  return check_secrets(home, account->account());
}

Result<std::vector<Volume>> volumes_of(Home& home) {
  SIGNET_TRY(const auto account, home.current_account());
  std::vector<std::filesystem::path> directories = {home.directory(), home.store().directory(),
                                                    home.delivery_directory()};
  for (const agreements::Agreement& agreement : account->account().agreements)
    if (const std::filesystem::path folder = agreement.receive_agreement.delivery.folder; !folder.empty())
      directories.push_back(home.delivery_directory() / folder);  // an absolute one stands for itself
  return volumes_of(directories);
}

}  // namespace signet::gateway
