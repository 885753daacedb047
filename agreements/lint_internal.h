#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agreements/account_index.h"
#include "agreements/lint.h"

/// Internal: what the parts of the linter share: `lint.cc` looks at an account, `lint_agreement.cc` at one
/// agreement of it.

namespace signet::agreements {

inline std::string day(Time time) { return to_rfc3339(time).substr(0, 10); }

inline std::string in_quotes(std::string_view text) { return "'" + printable(text, 140) + "'"; }

/// The problems found so far, and how they get their places.
class LintReport {
 public:
  explicit LintReport(const Positions& positions) : positions_(positions) {}

  void error(std::string path, std::string expected, std::string found, std::string advice) {
    add(Severity::Error, std::move(path), std::move(expected), std::move(found), std::move(advice));
  }
  void warning(std::string path, std::string expected, std::string found, std::string advice) {
    add(Severity::Warning, std::move(path), std::move(expected), std::move(found), std::move(advice));
  }
  void take(Problem problem) {
    place(problem);
    problems_.push_back(std::move(problem));
  }
  /// ", at line 12" for a path whose place is known.
  [[nodiscard]] std::string where(std::string_view path) const {
    const Position position = positions_.find(path);
    return position.line == 0 ? std::string() : fmt::format(", at line {}", position.line);
  }
  std::vector<Problem> finish() && { return std::move(problems_); }

 private:
  void add(Severity severity, std::string path, std::string expected, std::string found, std::string advice) {
    take(Problem{
        {}, 0, 0, std::move(path), severity, std::move(expected), std::move(found), std::move(advice)});
  }
  void place(Problem& problem) const {
    const Position position = positions_.find(problem.path);
    problem.file = positions_.file();
    problem.line = position.line;
    problem.column = position.column;
  }

  const Positions& positions_;
  std::vector<Problem> problems_;
};

/// What every check looks at.
struct LintScope {
  const Account& account;
  const AccountIndex& index;
  const CertificateFacts& facts;
  const VaultFacts* vaults;
  Time now;
  LintReport& report;
};

/// Adds what is wrong with one agreement by itself to the report.
void lint_agreement(const LintScope& scope, const Agreement& agreement);

}  // namespace signet::agreements
