#include "gateway/operations/readiness.h"

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace signet::gateway {
namespace {

Result<> run(const Readiness::Check& check) {
  try {
    return check();
  } catch (const std::exception& thrown) {
    return fail(ErrorKind::Internal, thrown.what());
  }
}

/// The log hears of a change, and not of every look.
void report(const std::string& name, const Result<>& before, const Result<>& now) {
  if (!now && (before || before.error().detail != now.error().detail))
    log::error("not-ready", {{"check", name}, {"reason", now.error().detail}});
  if (now && !before) log::info("ready-again", {{"check", name}});
}

}  // namespace

std::vector<Readiness::Finding> Readiness::examine() {
  const std::lock_guard lock(mutex_);
  if (!findings_.empty() && Clock::now() - examined_ < kept_) return findings_;
  if (findings_.empty())
    for (const auto& [name, check] : checks_) findings_.push_back({name, {}});
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    Result<> outcome = run(checks_[i].second);
    report(findings_[i].name, findings_[i].outcome, outcome);
    findings_[i].outcome = std::move(outcome);
  }
  examined_ = Clock::now();
  return findings_;
}

bool all_well(const std::vector<Readiness::Finding>& findings) {
  return std::all_of(findings.begin(), findings.end(),
                     [](const auto& finding) { return finding.outcome.has_value(); });
}

}  // namespace signet::gateway
