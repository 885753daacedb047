#include "gateway/exchange/service_certificates.h"

#include <algorithm>

namespace signet::gateway {

agreements::Account with_service_certificates(agreements::Account account,
                                              const ServiceCertificates& services) {
  std::vector<agreements::CertificateEntry>& entries = account.certificates;
  std::erase_if(entries, [&](const auto& entry) { return services.broken.contains(entry.name); });
  for (const BoundCertificate& bound : services.bound) {
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&](const auto& entry) { return entry.name == bound.entry.name; });
    if (same == entries.end())
      entries.push_back(bound.entry);
    else
      *same = bound.entry;
  }
  return account;
}

}  // namespace signet::gateway
