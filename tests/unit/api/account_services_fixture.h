#pragma once

#include <gtest/gtest.h>

#include "certstore/vault/audit_log.h"
#include "gateway/api/account_services.h"
#include "tests/unit/api/memory_resource_store.h"

namespace signet::gateway::api {

/// An account in memory, that somebody else may change just before it is replaced.
class MemoryAccountStore final : public agreements::AccountStore {
 public:
  Result<agreements::StoredAccount> load() override { return stored; }
  Result<std::uint64_t> replace(const agreements::Account& account, std::uint64_t expected) override {
    if (others_changes > 0) {
      --others_changes;
      ++stored.generation;
    }
    if (expected != stored.generation) return fail(ErrorKind::AlreadyExists, "changed in the meantime");
    stored.account = account;
    return ++stored.generation;
  }
  Result<agreements::TimesByName> times(agreements::EntryKind) override { return agreements::TimesByName(); }

  agreements::StoredAccount stored;
  int others_changes = 0;
};

/// Finds fault with each partner named "bad...", and lets nothing be replaced while `refuses`.
class StrictJudge final : public AccountJudge {
 public:
  std::vector<agreements::Problem> problems(const agreements::Account& account) override {
    std::vector<agreements::Problem> all;
    for (const agreements::Partner& partner : account.partners) {
      agreements::Problem problem;
      problem.path = "partner[" + partner.name + "]/partnerType";
      problem.severity =
          partner.name.starts_with("bad") ? agreements::Severity::Error : agreements::Severity::Warning;
      all.push_back(problem);
    }
    return all;
  }
  Result<> check_replacement(const agreements::Account&, const agreements::Account&) override {
    if (refuses) return fail(ErrorKind::AlreadyExists, "a listener shows it");
    return {};
  }
  bool refuses = false;
};

class CountingAudit final : public vault::AuditLog {
 public:
  Result<> append(const vault::AuditRecord& record) override {
    if (full) return fail(ErrorKind::IoFailure, "the disk of /srv is full");
    records.push_back(record);
    return {};
  }
  std::vector<vault::AuditRecord> records;
  bool full = false;
};

/// What the handlers of an account work with, in memory.
struct MemoryAccount {
  static constexpr Time kNow{std::chrono::seconds(1'795'000'000)};

  MemoryAccountStore accounts;
  StrictJudge judge;
  MemoryResourceStore resources;
  CountingAudit audit;
  Installation installation{"t", "s"};
  AccountServices services{
      accounts, judge,        resources,
      audit,    installation, [] { return SecretBytes::copy_of("0123456789abcdef0123456789abcdef"); }};
};

struct AccountFixture : testing::Test, MemoryAccount {};

}  // namespace signet::gateway::api
