#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "certstore/authority/uri_internal.h"

namespace signet::authority {
namespace {

constexpr std::size_t kLongestUri = 1000;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// RFC 3986 section 2: what can be anywhere in a URI.
bool may_stand_in_uri(char c) {
  return is_letter(c) || is_digit(c) ||
         std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) != std::string::npos;
}

std::string_view scheme_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(uri[0])) return {};
  const std::string_view scheme = uri.substr(0, colon);
  const bool good = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  return good ? scheme : std::string_view();
}

}  // namespace

Result<> check_absolute_uri(std::string_view uri, std::string_view what) {
  const std::string_view scheme = scheme_of(uri);
  if (!scheme.empty() && uri.size() > scheme.size() + 1 && uri.size() <= kLongestUri &&
      std::all_of(uri.begin(), uri.end(), may_stand_in_uri))
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("{}: an absolute URI of up to {} characters is wanted, such as "
                          "'urn:plant7:acme:line2' or 'https://acme.example/line2', not '{}'",
                          what, kLongestUri, printable(uri)));
}

Result<std::string> host_of(std::string_view url, std::string_view what) {
  SIGNET_CHECK(check_absolute_uri(url, what));
  std::string_view rest = url.substr(scheme_of(url).size() + 1);
  const auto none = [&] {
    return fail(ErrorKind::InvalidInput,
                fmt::format("{}: a URL with a host is wanted, such as 'opc.tcp://plc7:4840', not '{}'", what,
                            printable(url)));
  };
  if (!rest.starts_with("//")) return none();
  rest = rest.substr(2, rest.find_first_of("/?#", 2) - std::min<std::size_t>(2, rest.size()));
  if (const std::size_t user = rest.rfind('@'); user != std::string_view::npos) rest.remove_prefix(user + 1);
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return none();
    const std::string host = to_lower(rest.substr(1, end - 1));
    if (!is_ip_address(host)) return none();
    return host;
  }
  const std::string host = to_lower(rest.substr(0, rest.find(':')));
  if (host.empty()) return none();
  return host;
}

bool has_scheme(std::string_view url, std::string_view scheme) {
  return equal_ignoring_case(scheme_of(url), scheme);
}

bool is_ip_address(std::string_view host) { return normal_ip_address(host).has_value(); }

Result<std::string> normal_ip_address(std::string_view address) {
  const std::string text(address);
  for (const int family : {AF_INET, AF_INET6}) {
    std::array<unsigned char, sizeof(in6_addr)> octets{};
    std::array<char, INET6_ADDRSTRLEN> normal{};
    if (::inet_pton(family, text.c_str(), octets.data()) == 1 &&
        ::inet_ntop(family, octets.data(), normal.data(), normal.size()) != nullptr)
      return std::string(normal.data());
  }
  return fail(ErrorKind::InvalidInput, fmt::format("'{}' is no IP address", printable(address)));
}

}  // namespace signet::authority
