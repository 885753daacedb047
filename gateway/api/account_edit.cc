#include "gateway/api/account_edit.h"

#include <fmt/format.h>

#include <algorithm>

namespace signet::gateway::api {
namespace {

using agreements::Account;

constexpr int kAttempts = 5;

std::string_view word(agreements::EntryKind kind) {
  switch (kind) {
    case agreements::EntryKind::Partner:
      return "partner";
    case agreements::EntryKind::Certificate:
      return "certificate";
    case agreements::EntryKind::Agreement:
      return "agreement";
  }
  return "?";
}

/// Whether two problems are the same one, wherever it was found.
bool same(const agreements::Problem& a, const agreements::Problem& b) {
  return a.path == b.path && a.expected == b.expected && a.found == b.found;
}

bool is_about(const agreements::Problem& problem, const EditedEntry& entry) {
  const std::string path = fmt::format("{}[{}]", word(entry.kind), entry.name);
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

Result<> record(const AccountServices& services, const Call& call, Time now, const EditedEntry& entry,
                const std::string& changes) {
  vault::AuditRecord record;
  record.time = now;
  record.principal = call.principal.name;
  record.operation = "changeAccount";
  record.object = vault::AuditObject::Call;
  record.key.name = fmt::format("{}s/{}", word(entry.kind), entry.name);
  record.message = vault::audited_message();
  record.result = vault::AuditResult::Success;
  record.detail = printable(changes, 1000);
  return services.audit.append(record);
}

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
    SIGNET_CHECK(record(services, call, now, entry, agreements::to_string(changes)));
    const auto replaced = services.accounts.replace(wanted, stored.generation);
    if (replaced) return errors;
    if (replaced.error().kind != ErrorKind::AlreadyExists || attempt == kAttempts)
      return fail(replaced.error());
  }
}

}  // namespace signet::gateway::api
