#include "gateway/cli/account_judge.h"

#include "agreements/lint.h"
#include "gateway/cli/account_services.h"

namespace signet::gateway {

std::vector<agreements::Problem> HomeAccountJudge::problems(const agreements::Account& account) {
  const Time now = home_.clock().now();
  const ParsedCertificateFacts certificates;
  const HomeVaultFacts vaults(home_, now);
  return agreements::lint(account, certificates, now, agreements::Positions(), &vaults);
}

Result<> HomeAccountJudge::check_replacement(const agreements::Account& before,
                                             const agreements::Account& after) {
  return check_listeners_certificate(home_, before, after);
}

}  // namespace signet::gateway
