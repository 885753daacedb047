#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/remote_vault/remote_vault.h"

namespace signet::gateway {

/// The vaults that links of the store lead to. Thread-safe.
class LinkedVaults {
 public:
  /// All outlive it. `spool` is where the client's answers would go that are too large for memory, and none
  /// is.
  LinkedVaults(VaultLinkStore& store, vault::AuditLog& audit, const Clock& clock, SpoolArea spool,
               VaultClientLimits limits = {});

  /// The vault that the name is linked to; null where it is a vault of this home. It lives as long as this:
  /// handles of its keys may be kept. What is linked and unlinked meanwhile, by whatever process, counts.
  ///
  /// @error  as VaultLinkStore's.
  Result<RemoteVault*> find(std::string_view name);

  /// Links a name to a vault. The change comes behind its audit record.
  ///
  /// @error PermissionDenied  only the local operator may.  @error ...  as checked_link(), put_link().
  Result<VaultLink> link(const vault::Principal& principal, VaultLink link);
  /// Who names the vault is then refused. @error PermissionDenied, NotFound
  Result<> unlink(const vault::Principal& principal, std::string_view name);

  /// Breaks off every call, and lets no other begin. For the end of the process.
  void stop();

 private:
  Result<> refresh();
  template <class Work>
  Result<> change(const vault::Principal& principal, std::string_view operation, const std::string& name,
                  std::string detail, Work work);

  VaultLinkStore& store_;
  vault::AuditLog& audit_;
  const Clock& clock_;
  const VaultClientLimits limits_;
  HttpClient client_;

  std::mutex mutex_;  ///< guards what follows
  bool read_ = false;
  bool stopping_ = false;
  std::uint64_t generation_ = 0;
  std::vector<RemoteVault*> current_;
  std::vector<std::unique_ptr<RemoteVault>> all_;  ///< also those whose links were changed or removed since
};

}  // namespace signet::gateway
