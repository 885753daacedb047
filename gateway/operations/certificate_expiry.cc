#include "gateway/operations/certificate_expiry.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "agreements/certificate_roles.h"

namespace signet::gateway {
namespace {

using Uses = std::map<std::string, std::vector<CertificateUse>, std::less<>>;
using agreements::CertificateRole;

void add_uses(Uses& uses, const agreements::Agreement& agreement) {
  const auto add = [&](const std::string& certificate, std::string_view role) {
    if (!certificate.empty()) uses[certificate].push_back({agreement.name, std::string(role)});
  };
  for (const CertificateRole role :
       {CertificateRole::VerifyMessage, CertificateRole::Decrypt, CertificateRole::SignMdn,
        CertificateRole::SignMessage, CertificateRole::Encrypt, CertificateRole::VerifyMdn})
    for (const agreements::DatedCertificate& certificate : agreements::certificates_for(agreement, role))
      add(certificate.name, agreements::to_string(role));
  add(agreement.connection.client_certificate_name, "tlsClient");
  for (const std::string& certificate : agreement.connection.tls_trust.certificates)
    add(certificate, "tlsTrust");
}

}  // namespace

double CertificateExpiry::days_left(Time now) const {
  return std::chrono::duration<double, std::chrono::days::period>(not_after - now).count();
}

Result<std::vector<CertificateExpiry>> certificate_expiries(const AccountSnapshot& account,
                                                            const std::vector<std::string>& tls_servers) {
  Uses uses;
  for (const agreements::Agreement& agreement : account.account().agreements) add_uses(uses, agreement);
  for (const std::string& name : std::set<std::string>(tls_servers.begin(), tls_servers.end()))
    uses[name].push_back({"", "tlsServer"});
  std::vector<CertificateExpiry> all;
  for (const agreements::CertificateEntry& entry : account.account().certificates) {
    SIGNET_TRY(const Time not_after, account.not_after(entry.name));
    all.push_back({entry.name, entry.key.has_value(), not_after, uses[entry.name]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
  return all;
}

std::string to_string(const std::vector<CertificateUse>& uses) {
  std::map<std::string, std::vector<std::string>> roles;
  for (const CertificateUse& use : uses) roles[use.agreement].push_back(use.role);
  std::vector<std::string> texts;
  for (const auto& [agreement, in_it] : roles)
    texts.push_back(agreement.empty() ? fmt::format("{}", fmt::join(in_it, ", "))
                                      : fmt::format("{} ({})", agreement, fmt::join(in_it, ", ")));
  return fmt::format("{}", fmt::join(texts, ", "));
}

Reading reading_of(const std::vector<CertificateExpiry>& certificates, Time now) {
  Reading reading{"signet_certificate_expiry_days",
                  "Days until a certificate of the account expires; negative once it has",
                  {},
                  {}};
  for (const CertificateExpiry& certificate : certificates)
    reading.values.push_back({{{"certificate", certificate.name},
                               {"owner", certificate.has_key ? "us" : "partner"},
                               {"used", certificate.uses.empty() ? "false" : "true"}},
                              certificate.days_left(now)});
  return reading;
}

}  // namespace signet::gateway
