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
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given_, home_.directory() / "serve.toml"));
  return check_shown_certificates(before, after, settings, "");
}

}  // namespace signet::gateway
