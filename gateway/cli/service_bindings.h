#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certstore/vault/audit_log.h"
#include "gateway/api/service_certificate_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// A home's service certificates: which are defined, what they are bound to, and changes of that.
class HomeServiceCertificates final : public api::ServiceCertificateAdministration {
 public:
  /// The home outlives this. `given` are the options that the gateway runs with; serve.toml has the others.
  explicit HomeServiceCertificates(Home& home, GivenOptions given = {})
      : home_(home), given_(std::move(given)) {}

  Result<std::vector<api::ServiceCertificateView>> list() override;
  Result<api::ServiceCertificateView> show(std::string_view name) override;
  Result<api::BindingOutcome> bind(const vault::Principal& principal,
                                   const std::vector<api::BindingRequest>& requests, bool dry_run) override;
  Result<> unbind(const vault::Principal& principal, std::string_view name) override;

 private:
  struct RecordedChange {
    certstore::BindingChange change;
    std::string store;
  };
  Result<> change(const vault::Principal& principal, const std::vector<RecordedChange>& wanted, Time now);
  Result<> record(const vault::Principal& principal, const RecordedChange& recorded,
                  vault::AuditResult result, std::string_view why_not);
  Result<> record_refusal(const vault::Principal& principal, const api::BindingOutcome& outcome);

  Home& home_;
  const GivenOptions given_;
};

}  // namespace signet::gateway
