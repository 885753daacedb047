#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "certstore/vault/audit_log.h"
#include "gateway/api/lifecycle_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// As dates of agreements are.
inline Time whole_seconds(Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

/// A partner's certificate that is to take the place of his present one.
struct TakeOver {
  std::string agreement;
  std::string name;   ///< that it has, or gets, in the account
  Bytes certificate;  ///< DER
  std::vector<agreements::CertificateRole> roles;
  Time accept_from{};  ///< whole seconds, as the next two
  Time use_from{};
  Time retire_at{};
};

/// The rollovers of a home's account.
class HomeRollovers final : public api::RolloverAdministration {
 public:
  /// The home outlives this. `given` are the options that the gateway runs with; serve.toml has the others.
  explicit HomeRollovers(Home& home, GivenOptions given = {}) : home_(home), given_(std::move(given)) {}

  Result<std::vector<Rollover>> list() override;
  Result<Rollover> show(std::string_view agreement, std::string_view successor) override;
  Result<api::RolloverOutcome> plan(const vault::Principal& principal, const RolloverPlan& plan,
                                    bool dry_run) override;
  Result<api::RolloverOutcome> advance(const vault::Principal& principal, std::string_view agreement,
                                       std::string_view successor, bool dry_run) override;
  Result<api::RolloverOutcome> cancel(const vault::Principal& principal, std::string_view agreement,
                                      std::string_view successor, bool dry_run) override;
  Result<api::RolloverOutcome> complete(const vault::Principal& principal, std::string_view agreement,
                                        std::string_view successor, bool dry_run) override;

  /// Puts the certificate into the account and plans its rollover, all or nothing; each role in the place of
  /// what is active there now. Once it is done, nothing changes any more.
  ///
  /// @error AlreadyExists  the account has another certificate of this name.  @error NotFound  no such
  /// agreement, or nothing in the role whose place it could take.  @error ...  as plan()
  Result<api::RolloverOutcome> take_over(const vault::Principal& principal, const TakeOver& wanted,
                                         bool dry_run);
  /// hold_rollover() and release_rollover().
  Result<api::RolloverOutcome> hold(const vault::Principal& principal, std::string_view agreement,
                                    std::string_view successor, bool dry_run);
  Result<api::RolloverOutcome> release(const vault::Principal& principal, std::string_view agreement,
                                       std::string_view successor);

 private:
  struct Edit {
    const vault::Principal& principal;
    std::string_view operation;  ///< "planRollover"...
    std::string successor;
    /// @return the names of the agreements that it changed
    std::function<Result<std::vector<std::string>>(agreements::Account&)> make;
    bool dry_run = false;
  };
  Result<api::RolloverOutcome> edit(const Edit& edit);
  std::vector<agreements::Problem> errors_of(const agreements::Account& before,
                                             const agreements::Account& after,
                                             const std::vector<std::string>& changed,
                                             const std::string& successor);

  Home& home_;
  const GivenOptions given_;
};

}  // namespace signet::gateway
