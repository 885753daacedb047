#pragma once

#include <utility>
#include <vector>

#include "gateway/api/account_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// What `signet apply` says of an account, for the REST services of a running gateway. Its texts go out, so
/// they name no path on this host.
class HomeAccountJudge final : public api::AccountJudge {
 public:
  /// The home outlives this. `given` are the options that the gateway runs with; serve.toml has the others.
  HomeAccountJudge(Home& home, GivenOptions given) : home_(home), given_(std::move(given)) {}

  std::vector<agreements::Problem> problems(const agreements::Account& account) override;
  Result<> check_replacement(const agreements::Account& before, const agreements::Account& after) override;

 private:
  Home& home_;
  const GivenOptions given_;
};

}  // namespace signet::gateway
