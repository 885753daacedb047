#include "certstore/service/objections.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "certstore/x509/host_name.h"

namespace signet::certstore {
namespace {

std::string hosts_of(const Certificate& certificate) {
  std::vector<std::string> hosts;
  for (const std::string& name : certificate.subject_alternative_names())
    if (name.starts_with("DNS:")) hosts.push_back(name.substr(4));
  return hosts.empty() ? certificate.subject() : fmt::format("{}", fmt::join(hosts, ", "));
}

void object_to_showing(const Certificate& certificate, const ServiceCertificate& name,
                       bool self_signed_allowed, std::vector<std::string>& objections) {
  for (const std::string& host : name.hosts)
    if (!is_for_host(certificate, host))
      objections.push_back(
          fmt::format("is for {}, not for the host {}", printable(hosts_of(certificate)), host));
  if (!is_for_tls_servers(certificate))
    objections.emplace_back("is not for TLS servers, by its key usage or extended key usage");
  if (certificate.self_signed() && !self_signed_allowed)
    objections.emplace_back(
        "is self-signed, and nobody who connects could check it: have one issued; in development, "
        "self-signed-certificates = \"allowed\" in serve.toml lets it pass");
}

}  // namespace

std::vector<std::string> objections_to(const Certificate& certificate, const ServiceCertificate& name,
                                       bool self_signed_allowed, Time now) {
  std::vector<std::string> objections;
  if (const auto strong = check_key_strength(certificate); !strong)
    objections.push_back(fmt::format("has a weak key: {}", strong.error().detail));
  if (now < certificate.not_before())
    objections.push_back(fmt::format("is not valid before {}", to_rfc3339(certificate.not_before())));
  if (now > certificate.not_after())
    objections.push_back(fmt::format("expired at {}", to_rfc3339(certificate.not_after())));
  if (name.for_listeners()) object_to_showing(certificate, name, self_signed_allowed, objections);
  if (name.use == ServiceUse::Intermediate && !is_authority(certificate))
    objections.emplace_back("is not a certificate authority's, so nothing can be issued by it");
  return objections;
}

}  // namespace signet::certstore
