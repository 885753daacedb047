#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certstore/service/binding.h"
#include "certstore/service/definition.h"
#include "certstore/vault/access_policy.h"
#include "certstore/x509/certificate.h"

namespace signet::gateway::api {

/// A name, what it stands for, and who goes by it.
struct ServiceCertificateView {
  certstore::ServiceCertificate definition;
  std::optional<certstore::ServiceBinding> binding;
  std::optional<certstore::Certificate> certificate;  ///< absent: it is not bound, or not to what is there
  std::vector<std::string> users;                     ///< "agreement 'acme-globex'", "tls-certificate"
  std::vector<std::string> objections;                ///< for which a binding to this would be refused now
};

struct BindingRequest {
  std::string name;
  std::string thumbprint;  ///< as certstore::parse_thumbprint() reads it
  std::string algorithm;   ///< empty: the number of digits says it
};

struct BindingRefusal {
  std::string name;
  std::string reason;  ///< a sentence without its subject's name in front
};

/// What became of bindings, or would.
struct BindingOutcome {
  bool changed = false;
  std::vector<certstore::BindingChange> changes;
  std::vector<BindingRefusal> refusals;  ///< every one; where there is any, nothing was changed
  std::vector<std::string> warnings;
};

/// The service certificates of a running gateway, and what they are bound to. Thread-safe.
class ServiceCertificateAdministration {
 public:
  virtual ~ServiceCertificateAdministration() = default;
  /// By name; with those that are bound and no longer defined.
  virtual Result<std::vector<ServiceCertificateView>> list() = 0;
  /// @error NotFound
  virtual Result<ServiceCertificateView> show(std::string_view name) = 0;
  /// Binds all names or none, and leaves an audit record of each, which comes first. To be refused is no
  /// error.
  ///
  /// @error AlreadyExists  somebody else was faster.
  virtual Result<BindingOutcome> bind(const vault::Principal& principal,
                                      const std::vector<BindingRequest>& requests, bool dry_run) = 0;
  /// Takes the binding from a name that nobody goes by.
  ///
  /// @error NotFound  it has none.  @error AlreadyExists  somebody goes by it; says who.
  virtual Result<> unbind(const vault::Principal& principal, std::string_view name) = 0;
};

}  // namespace signet::gateway::api
