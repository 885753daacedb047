#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agreements/account_store.h"
#include "agreements/problem.h"
#include "base/secret.h"
#include "certstore/vault/audit_log.h"
#include "gateway/api/principal.h"
#include "gateway/api/resource_store.h"

namespace signet::gateway::api {

/// Says of an account that is to take the stored one's place what `signet apply` would say of it.
class AccountJudge {
 public:
  virtual ~AccountJudge() = default;
  /// Everything about its meaning, errors and warnings.
  virtual std::vector<agreements::Problem> problems(const agreements::Account& account) = 0;
  /// @error AlreadyExists  something that the running gateway shows would be gone; says what.
  virtual Result<> check_replacement(const agreements::Account& before, const agreements::Account& after) = 0;
};

/// What the handlers of the integration account work with. Everything outlives them, and is thread-safe.
struct AccountServices {
  agreements::AccountStore& accounts;
  AccountJudge& judge;
  ResourceStore& resources;
  vault::AuditLog& audit;
  const Installation& installation;
  /// What the signatures of callback URLs are made with. @error Unavailable  the vault is sealed.
  std::function<Result<SecretBytes>()> callback_key;
};

/// What the account and its resource group are called until somebody gives the account another name.
inline constexpr std::string_view kDefaultAccount = "signet";
inline constexpr std::string_view kDefaultGroup = "signet";
inline constexpr std::string_view kDefaultLocation = "local";

}  // namespace signet::gateway::api
