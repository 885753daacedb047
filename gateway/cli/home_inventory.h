#pragma once

#include <vector>

#include "gateway/api/lifecycle_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// Every certificate that a home depends on: those of the account and of its own vaults, what listeners show,
/// management certificates, and the authorities in files that agreements and settings name.
class HomeInventory final : public api::CertificateInventory {
 public:
  /// The home outlives this. `given` are the options that the gateway runs with; serve.toml has the others.
  explicit HomeInventory(Home& home, GivenOptions given = {}) : home_(home), given_(std::move(given)) {}

  Result<std::vector<InventoryEntry>> certificates() override;

 private:
  Home& home_;
  const GivenOptions given_;
};

}  // namespace signet::gateway
