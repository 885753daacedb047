#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Service certificates, the definition: which names there are that listeners and agreements can use, and
/// what may stand behind each. Which certificate does, a binding says (binding.h). Azure's cloud services
/// have the same two halves: <Certificate> in the service definition, and in the service configuration.

namespace signet::certstore {

/// What the key behind a name is for.
enum class ServiceUse {
  General,       ///< listeners and messages: Azure's permission level limitedOrElevated
  Listeners,     ///< listeners alone, no part of the gateway that handles messages: Azure's elevated
  Intermediate,  ///< there is none: a certificate that is sent along in handshakes, whoever names it
};

/// "limitedOrElevated", "elevated", "intermediate".
std::string_view to_string(ServiceUse use);

/// The key vault that every home begins with.
inline constexpr std::string_view kFirstStore = "signet";

/// A name for a certificate.
struct ServiceCertificate {
  std::string name;                     ///< as check_certificate_name() takes it
  std::string store{kFirstStore};       ///< the key vault whose certificates it can be bound to
  std::vector<std::string> hosts = {};  ///< lower case; what listeners are reached by that show it
  ServiceUse use = ServiceUse::General;

  [[nodiscard]] bool for_listeners() const { return !hosts.empty(); }

  friend bool operator==(const ServiceCertificate&, const ServiceCertificate&) = default;
};

/// Reads [STORE/]NAME[=HOST[,HOST]...][:elevated|:intermediate], such as "www=as2.example.com:elevated".
///
/// @error InvalidInput  says which part it is, and the form; also where an elevated one has no host, since
/// only listeners could use it, and where an intermediate one has a host or a store: it is no key vault's.
Result<ServiceCertificate> parse_service_certificate(std::string_view text);

/// All that are defined.
struct ServiceDefinitions {
  std::vector<ServiceCertificate> certificates;
  /// Whether listeners may show certificates that nobody but themselves vouches for: in development.
  bool self_signed_allowed = false;

  /// By name, to the letter; null: no such one.
  [[nodiscard]] const ServiceCertificate* find(std::string_view name) const;

  friend bool operator==(const ServiceDefinitions&, const ServiceDefinitions&) = default;
};

/// @error InvalidInput  as parse_service_certificate(), or a name that stands there twice, in whatever case.
Result<std::vector<ServiceCertificate>> parse_service_certificates(const std::vector<std::string>& texts);

}  // namespace signet::certstore
