#pragma once

#include "gateway/api/account_services.h"
#include "gateway/cli/home.h"

namespace signet::gateway {

/// What `signet apply` says of an account, for the REST services.
class HomeAccountJudge final : public api::AccountJudge {
 public:
  /// The home outlives this.
  explicit HomeAccountJudge(Home& home) : home_(home) {}

  std::vector<agreements::Problem> problems(const agreements::Account& account) override;
  Result<> check_replacement(const agreements::Account& before, const agreements::Account& after) override;

 private:
  Home& home_;
};

}  // namespace signet::gateway
