#include "certstore/service/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "certstore/account/certificates.h"

namespace signet::certstore {
namespace {

constexpr std::string_view kForm = "[STORE/]NAME[=HOST[,HOST]...][:elevated|:intermediate]";
constexpr std::size_t kLongestHost = 253;  // [RFC1035 3.1]

/// What stands behind the last `mark`, which is cut off; nothing where there is none.
std::optional<std::string_view> cut_behind(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

Result<std::vector<std::string>> parse_hosts(std::string_view text) {
  std::vector<std::string> hosts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::string host = to_lower(text.substr(begin, text.find(',', begin) - begin));
    if (host.empty() || host.size() > kLongestHost ||
        !std::all_of(host.begin(), host.end(), is_host_character))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("'{}' is no host that a listener can be reached by: a name without wildcards, "
                              "or an IPv4 address is",
                              printable(host)));
    hosts.push_back(host);
    begin += host.size() + 1;
  }
  return hosts;
}

Result<ServiceUse> parse_use(std::string_view word) {
  for (const ServiceUse use : {ServiceUse::Listeners, ServiceUse::Intermediate})
    if (word == to_string(use)) return use;
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("'{}' is no use of a service certificate: elevated and intermediate are, and without "
                  "either it is for listeners and messages",
                  printable(word)));
}

Result<ServiceCertificate> parse(std::string_view text) {
  ServiceCertificate certificate;
  if (const auto word = cut_behind(text, ':')) {
    SIGNET_TRY(certificate.use, parse_use(*word));
  }
  if (const auto hosts = cut_behind(text, '=')) {
    SIGNET_TRY(certificate.hosts, parse_hosts(*hosts));
  }
  const bool has_store = text.find('/') != std::string_view::npos;
  if (const auto name = cut_behind(text, '/')) certificate.store = std::exchange(text, *name);
  certificate.name = text;
  for (const std::string& part : {certificate.store, certificate.name})
    SIGNET_CHECK(check_certificate_name(part));
  if (certificate.use == ServiceUse::Listeners && !certificate.for_listeners())
    return fail(ErrorKind::InvalidInput, "an elevated one is for listeners alone, so it names their host");
  if (certificate.use == ServiceUse::Intermediate && (certificate.for_listeners() || has_store))
    return fail(ErrorKind::InvalidInput,
                "an intermediate one names no host and no store: it is a public certificate of the account");
  return certificate;
}

}  // namespace

std::string_view to_string(ServiceUse use) {
  switch (use) {
    case ServiceUse::General:
      return "limitedOrElevated";
    case ServiceUse::Listeners:
      return "elevated";
    case ServiceUse::Intermediate:
      return "intermediate";
  }
  return "?";
}

Result<ServiceCertificate> parse_service_certificate(std::string_view text) {
  auto certificate = parse(text);
  if (!certificate)
    return fail(ErrorKind::InvalidInput, fmt::format("the service certificate '{}': {}; expected {}",
                                                     printable(text), certificate.error().detail, kForm));
  return certificate;
}

const ServiceCertificate* ServiceDefinitions::find(std::string_view name) const {
  const auto found = std::find_if(certificates.begin(), certificates.end(),
                                  [&](const ServiceCertificate& one) { return one.name == name; });
  return found == certificates.end() ? nullptr : &*found;
}

Result<std::vector<ServiceCertificate>> parse_service_certificates(const std::vector<std::string>& texts) {
  std::vector<ServiceCertificate> certificates;
  for (const std::string& text : texts) {
    SIGNET_TRY(ServiceCertificate certificate, parse_service_certificate(text));
    for (const ServiceCertificate& other : certificates)
      if (equal_ignoring_case(other.name, certificate.name))
        return fail(ErrorKind::InvalidInput,
                    fmt::format("the service certificate '{}' is defined twice", certificate.name));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace signet::certstore
