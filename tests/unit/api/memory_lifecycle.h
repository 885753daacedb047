#pragma once

#include "gateway/api/exchange_services.h"
#include "gateway/api/lifecycle_services.h"

namespace signet::gateway::api {

/// Takes every change of a rollover that a test gave it, and tells of those.
class MemoryRollovers final : public RolloverAdministration {
 public:
  Result<std::vector<Rollover>> list() override { return rollovers; }
  Result<Rollover> show(std::string_view agreement, std::string_view successor) override {
    for (const Rollover& rollover : rollovers)
      if (rollover.agreement == agreement && rollover.successor == successor) return rollover;
    return fail(ErrorKind::NotFound, "there is no such rollover");
  }
  Result<RolloverOutcome> plan(const vault::Principal& principal, const RolloverPlan& plan,
                               bool dry_run) override {
    asked = plan;
    return take("plan", principal, dry_run);
  }
  Result<RolloverOutcome> advance(const vault::Principal& principal, std::string_view agreement,
                                  std::string_view successor, bool dry_run) override {
    SIGNET_CHECK(show(agreement, successor));
    return take("advance", principal, dry_run);
  }
  Result<RolloverOutcome> cancel(const vault::Principal& principal, std::string_view agreement,
                                 std::string_view successor, bool dry_run) override {
    SIGNET_CHECK(show(agreement, successor));
    return take("cancel", principal, dry_run);
  }
  Result<RolloverOutcome> complete(const vault::Principal& principal, std::string_view agreement,
                                   std::string_view successor, bool dry_run) override {
    SIGNET_CHECK(show(agreement, successor));
    return take("complete", principal, dry_run);
  }

  std::vector<Rollover> rollovers;
  RolloverOutcome outcome;
  RolloverPlan asked;
  std::vector<std::string> taken;  ///< "plan writer"

 private:
  Result<RolloverOutcome> take(std::string_view step, const vault::Principal& principal, bool dry_run) {
    taken.push_back(std::string(step) + " " + principal.name);
    RolloverOutcome made = outcome;
    made.changed = !dry_run && made.errors.empty();
    return made;
  }
};

class MemoryInventory final : public CertificateInventory {
 public:
  Result<std::vector<InventoryEntry>> certificates() override { return entries; }
  std::vector<InventoryEntry> entries;
};

/// Takes every decision on what a test gave it.
class MemoryExchanges final : public CertificateExchangeAdministration {
 public:
  Result<std::vector<CertificateExchangeRecord>> list() override { return records; }
  Result<CertificateExchangeRecord> show(std::string_view id) override {
    for (const CertificateExchangeRecord& record : records)
      if (record.id == id) return record;
    return fail(ErrorKind::NotFound, "there is no such exchange");
  }
  Result<RolloverOutcome> accept(const vault::Principal& principal, const ExchangeAcceptance& acceptance,
                                 bool dry_run) override {
    SIGNET_CHECK(show(acceptance.id));
    asked = acceptance;
    taken.push_back("accept " + principal.name);
    RolloverOutcome outcome;
    outcome.changed = !dry_run;
    return outcome;
  }
  Result<CertificateExchangeRecord> reject(const vault::Principal& principal, std::string_view id,
                                           std::string_view reason) override {
    SIGNET_TRY(CertificateExchangeRecord record, show(id));
    taken.push_back("reject " + principal.name);
    record.state = ExchangeState::Rejected;
    record.reason = reason;
    return record;
  }
  Result<CertificateExchangeRecord> announce(const vault::Principal& principal, std::string_view agreement,
                                             std::string_view successor,
                                             std::optional<Time> respond_by) override {
    taken.push_back("announce " + principal.name);
    CertificateExchangeRecord record;
    record.origin = ExchangeOrigin::Us;
    record.agreement = agreement;
    record.terms.name = successor;
    record.respond_by = respond_by;
    return record;
  }

  std::vector<CertificateExchangeRecord> records;
  ExchangeAcceptance asked;
  std::vector<std::string> taken;  ///< "accept approver"
};

}  // namespace signet::gateway::api
