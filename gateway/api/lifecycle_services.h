#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agreements/diff.h"
#include "agreements/problem.h"
#include "certstore/vault/access_policy.h"
#include "gateway/lifecycle/inventory.h"
#include "gateway/lifecycle/rollover.h"

namespace signet::gateway::api {

/// Every certificate that the gateway depends on. Thread-safe.
class CertificateInventory {
 public:
  virtual ~CertificateInventory() = default;
  /// Those that end first in front. @error ...  of the stores.
  virtual Result<std::vector<InventoryEntry>> certificates() = 0;
};

/// What became of a rollover, or would.
struct RolloverOutcome {
  bool changed = false;
  std::vector<agreements::EntryChange> changes;
  std::vector<agreements::Problem> errors;  ///< where there is any, nothing was changed
  std::vector<std::string> warnings;
};

/// The rollovers in the account's agreements. Every change is one of the account, all or nothing, and leaves
/// an audit record, which comes first; none is made that would leave a role without a certificate.
/// Thread-safe.
///
/// @error ...  of plan_rollover() and its like; and of the stores.
class RolloverAdministration {
 public:
  virtual ~RolloverAdministration() = default;
  virtual Result<std::vector<Rollover>> list() = 0;
  virtual Result<Rollover> show(std::string_view agreement, std::string_view successor) = 0;
  virtual Result<RolloverOutcome> plan(const vault::Principal& principal, const RolloverPlan& plan,
                                       bool dry_run) = 0;
  virtual Result<RolloverOutcome> advance(const vault::Principal& principal, std::string_view agreement,
                                          std::string_view successor, bool dry_run) = 0;
  virtual Result<RolloverOutcome> cancel(const vault::Principal& principal, std::string_view agreement,
                                         std::string_view successor, bool dry_run) = 0;
  virtual Result<RolloverOutcome> complete(const vault::Principal& principal, std::string_view agreement,
                                           std::string_view successor, bool dry_run) = 0;
};

}  // namespace signet::gateway::api
