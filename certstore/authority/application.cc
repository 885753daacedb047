#include "certstore/authority/application.h"

#include <algorithm>

#include "certstore/authority/uri_internal.h"
#include "certstore/vault/word_list.h"

namespace signet::authority {
namespace {

constexpr std::array<vault::Word<OpcUaType>, 4> kOpcUaTypes = {
    {{OpcUaType::Server, "server"},
     {OpcUaType::Client, "client"},
     {OpcUaType::ClientAndServer, "clientAndServer"},
     {OpcUaType::DiscoveryServer, "discoveryServer"}}};
constexpr std::array<vault::Word<ApplicationState>, 4> kApplicationStates = {
    {{ApplicationState::New, "new"},
     {ApplicationState::Approved, "approved"},
     {ApplicationState::Rejected, "rejected"},
     {ApplicationState::Unregistered, "unregistered"}}};
constexpr std::array<vault::Word<certstore::Purpose>, 3> kPurposes = {
    {{certstore::Purpose::Sign, "sign"},
     {certstore::Purpose::Encrypt, "encrypt"},
     {certstore::Purpose::Tls, "tls"}}};

constexpr std::size_t kMostOfAList = 100;
constexpr std::size_t kLongestApplicationName = 200;
constexpr std::size_t kLongestAs2Name = 128;

Result<> check_size(std::size_t size, std::size_t least, std::string_view what) {
  if (size >= least && size <= kMostOfAList) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("{}: {} to {} are wanted, not {}", what, least, kMostOfAList, size));
}

Result<> check_names(const std::vector<LocalizedText>& names) {
  SIGNET_CHECK(check_size(names.size(), 1, "applicationNames"));
  for (const LocalizedText& name : names)
    if (name.text.empty() || name.text.size() > kLongestApplicationName ||
        printable_name(name.text, kLongestApplicationName) != name.text ||
        printable(name.locale, 32) != name.locale)
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("applicationNames: 1 to {} octets of printable UTF-8 are wanted in each, not '{}'",
                      kLongestApplicationName, printable_name(name.text)));
  return {};
}

Result<> check_capabilities(const std::vector<std::string>& capabilities) {
  for (const std::string& capability : capabilities)
    if (capability.empty() || capability.size() > 16 ||
        !std::all_of(capability.begin(), capability.end(), [](char c) {
          return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '_';
        }))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("serverCapabilities: words of OPC 10000-12 annex D are wanted, such as DA, HD or NA, "
                      "not '{}'",
                      printable(capability)));
  return {};
}

/// What a server has and a client alone has not.
Result<> check_server_part(const OpcUaApplication& application) {
  if (application.type == OpcUaType::Client) {
    if (application.discovery_urls.empty() && application.capabilities.empty()) return {};
    return fail(
        ErrorKind::InvalidInput,
        "an application of the type 'client' has neither discoveryUrls nor serverCapabilities: leave them "
        "out, or register a 'clientAndServer'");
  }
  SIGNET_CHECK(check_size(application.discovery_urls.size(), 1, "discoveryUrls"));
  for (const std::string& url : application.discovery_urls) {
    const auto host = host_of(url, "discoveryUrls");
    if (!host) return fail(host.error());
  }
  SIGNET_CHECK(check_size(application.capabilities.size(), 1, "serverCapabilities"));
  return check_capabilities(application.capabilities);
}

Result<> check_description(const OpcUaApplication& application) {
  SIGNET_CHECK(check_absolute_uri(application.uri, "applicationUri"));
  SIGNET_CHECK(check_names(application.names));
  SIGNET_CHECK(check_absolute_uri(application.product_uri, "productUri"));
  if (!application.gateway_server_uri.empty())
    SIGNET_CHECK(check_absolute_uri(application.gateway_server_uri, "gatewayServerUri"));
  if (!application.discovery_profile_uri.empty())
    SIGNET_CHECK(check_absolute_uri(application.discovery_profile_uri, "discoveryProfileUri"));
  return check_server_part(application);
}

Result<> check_description(const As2Station& station) {
  const std::string& name = station.as2_name;
  // [RFC4130 6.2]: printable ASCII, without quotation marks and backslashes
  if (name.empty() || name.size() > kLongestAs2Name || printable(name, kLongestAs2Name) != name ||
      name.find_first_of("\"\\") != std::string::npos)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("as2Name: 1 to {} printable ASCII characters without quotation marks and backslashes "
                    "are wanted, not '{}'",
                    kLongestAs2Name, printable(name)));
  const auto host = host_of(station.url, "url");
  if (!host) return fail(host.error());
  if (!has_scheme(station.url, "http") && !has_scheme(station.url, "https"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("url: an http or https URL is wanted, not '{}'", printable(station.url)));
  if (!station.purposes.empty()) return {};
  return fail(ErrorKind::InvalidInput, "purposes: one or more of sign, encrypt, tls are wanted");
}

}  // namespace

std::string_view to_string(OpcUaType type) { return vault::word_of(kOpcUaTypes, type); }
Result<OpcUaType> parse_opc_ua_type(std::string_view text) {
  return vault::find_word(kOpcUaTypes, text, "type of OPC UA application");
}
std::string_view to_string(certstore::Purpose purpose) { return vault::word_of(kPurposes, purpose); }
Result<certstore::Purpose> parse_purpose(std::string_view text) {
  return vault::find_word(kPurposes, text, "purpose of a certificate");
}
std::string_view to_string(ApplicationState state) { return vault::word_of(kApplicationStates, state); }
Result<ApplicationState> parse_application_state(std::string_view text) {
  return vault::find_word(kApplicationStates, text, "state of an application");
}

Result<> check_application(const ApplicationDescription& description) {
  return std::visit([](const auto& one) { return check_description(one); }, description);
}

const std::string& uri_of(const ApplicationDescription& description) {
  if (const auto* application = std::get_if<OpcUaApplication>(&description)) return application->uri;
  return std::get<As2Station>(description).url;
}

const std::string& name_of(const ApplicationDescription& description) {
  if (const auto* application = std::get_if<OpcUaApplication>(&description)) {
    static const std::string kNone;
    return application->names.empty() ? kNone : application->names.front().text;
  }
  return std::get<As2Station>(description).as2_name;
}

}  // namespace signet::authority
