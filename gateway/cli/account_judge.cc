#include "gateway/cli/account_judge.h"

#include "gateway/cli/account_services.h"
#include "gateway/cli/service_certificates.h"

namespace signet::gateway {

std::vector<agreements::Problem> HomeAccountJudge::problems(const agreements::Account& account) {
  return lint_in_home(home_, account, home_.clock().now());
}

Result<> HomeAccountJudge::check_replacement(const agreements::Account& before,
                                             const agreements::Account& after) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given_, home_.directory() / "serve.toml"));
  return check_shown_certificates(home_, before, after, settings, "");
}

}  // namespace signet::gateway
