#include "gateway/api/account_edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/api/change_record.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;

constexpr int kAttempts = 5;

/// Whether two problems are the same one, wherever it was found.
bool same(const agreements::Problem& a, const agreements::Problem& b) {
  return a.path == b.path && a.expected == b.expected && a.found == b.found;
}

bool is_about(const agreements::Problem& problem, const EditedEntry& entry) {
  const std::string path = fmt::format("{}[{}]", to_string(entry.kind), entry.name);
  return problem.path == path || problem.path.starts_with(path + "/");
}

/// The errors of the account as it would be that the change is to answer for.
std::vector<agreements::Problem> objections(AccountJudge& judge, const Account& before, const Account& after,
                                            const EditedEntry& entry) {
  std::vector<agreements::Problem> errors = judge.problems(after);
  std::erase_if(errors, [](const agreements::Problem& problem) {
    return problem.severity != agreements::Severity::Error;
  });
  if (errors.empty()) return errors;
  const std::vector<agreements::Problem> known = judge.problems(before);
  std::erase_if(errors, [&](const agreements::Problem& problem) {
    return !is_about(problem, entry) &&
           std::any_of(known.begin(), known.end(),
                       [&](const agreements::Problem& old) { return same(old, problem); });
  });
  return errors;
}

constexpr std::string_view kChange = "changeAccount";

}  // namespace

Result<std::vector<agreements::Problem>> edit_account(const AccountServices& services, const Call& call,
                                                      Time now, const EditedEntry& entry,
                                                      const std::function<Result<>(Account&)>& change) {
  for (int attempt = 1;; ++attempt) {
    SIGNET_TRY(const agreements::StoredAccount stored, services.accounts.load());
    Account wanted = stored.account;
    SIGNET_CHECK(change(wanted));
    std::vector<agreements::Problem> errors = objections(services.judge, stored.account, wanted, entry);
    if (!errors.empty()) return errors;
    SIGNET_CHECK(services.judge.check_replacement(stored.account, wanted));
    const auto changes = agreements::diff(stored.account, wanted);
    if (changes.empty()) return errors;
    const vault::KeyId what{{}, fmt::format("{}s/{}", to_string(entry.kind), entry.name), {}};
    SIGNET_CHECK(record_change(services, call, now, kChange, what, agreements::to_string(changes)));
    const auto replaced = services.accounts.replace(wanted, stored.generation);
    if (replaced) return errors;
    record_failure(services, call, now, kChange, what, replaced.error());
    if (replaced.error().kind != ErrorKind::AlreadyExists || attempt == kAttempts)
      return fail(replaced.error());
  }
}

}  // namespace signet::gateway::api
