#pragma once

#include "gateway/api/service_certificate_services.h"

namespace signet::gateway::api {

/// Takes every binding, and tells of those that a test gave it.
class MemoryServiceCertificates final : public ServiceCertificateAdministration {
 public:
  Result<std::vector<ServiceCertificateView>> list() override { return views; }
  Result<ServiceCertificateView> show(std::string_view name) override {
    for (const ServiceCertificateView& view : views)
      if (view.definition.name == name) return view;
    return fail(ErrorKind::NotFound, "there is no service certificate of this name");
  }
  Result<BindingOutcome> bind(const vault::Principal& principal, const std::vector<BindingRequest>& requests,
                              bool dry_run) override {
    asked_by = principal.name;
    asked = requests;
    BindingOutcome made = outcome;
    made.changed = !dry_run && made.refusals.empty();
    return made;
  }
  Result<> unbind(const vault::Principal& principal, std::string_view name) override {
    asked_by = principal.name;
    SIGNET_CHECK(show(name));
    return {};
  }

  std::vector<ServiceCertificateView> views;
  BindingOutcome outcome;
  std::vector<BindingRequest> asked;
  std::string asked_by;
};

}  // namespace signet::gateway::api
