#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agreements/model.h"
#include "certstore/service/binding.h"
#include "certstore/service/definition.h"
#include "gateway/exchange/service_certificates.h"

/// Internal to gateway/cli: from a name to the certificate that it stands for, and who may use its key.

namespace signet::gateway {

/// The certificates of the key vaults, each vault's read once.
class Candidates {
 public:
  explicit Candidates(certstore::ServiceBindingStore& store) : store_(store) {}
  /// An enabled one, where several versions are the same certificate. Nothing: the vault has none.
  Result<std::optional<certstore::ServiceCandidate>> find(const std::string& vault,
                                                          const certstore::Thumbprint& thumbprint);

 private:
  certstore::ServiceBindingStore& store_;
  std::map<std::string, std::vector<certstore::ServiceCandidate>, std::less<>> read_;
};

/// The account's public certificate of this thumbprint; null: it has none.
const agreements::CertificateEntry* public_certificate(const agreements::Account& account,
                                                       const certstore::Thumbprint& thumbprint);

/// What the defined ones of the bindings stand for.
Result<ServiceCertificates> resolve_all(const certstore::ServiceDefinitions& definitions,
                                        const std::vector<certstore::ServiceBinding>& bindings,
                                        const agreements::Account& account, Candidates& candidates);

/// The certificates whose private keys an agreement uses, active or not.
std::vector<std::string> names_of_private_keys(const agreements::Agreement& agreement);

/// Which elevated name has each public key, by the key's SHA-256.
using KeysOfListeners = std::map<std::string, std::string, std::less<>>;
KeysOfListeners keys_of_listeners(const ServiceCertificates& services);
/// The elevated name whose key a certificate has; nothing: it has none's.
std::optional<std::string> listener_with_key_of(const agreements::CertificateEntry& certificate,
                                                const KeysOfListeners& keys);

}  // namespace signet::gateway
