#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

/// Internal: the URIs of applications and of publications.

namespace signet::authority {

/// An absolute URI (RFC 3986 section 4.3): a scheme, and something behind it; up to 1000 characters that may
/// stand in a URI.
///
/// @param what  "applicationUri", say. @error InvalidInput
Result<> check_absolute_uri(std::string_view uri, std::string_view what);

/// The host of a URL with an authority, "opc.tcp://plc7:4840/ua", "https://[2001:db8::1]/": lower case,
/// without brackets.
///
/// @error InvalidInput  there is none.
Result<std::string> host_of(std::string_view url, std::string_view what);

/// Whether it is a URL of that scheme.
bool has_scheme(std::string_view url, std::string_view scheme);

/// Whether it is an IPv4 or IPv6 address, without brackets.
bool is_ip_address(std::string_view host);
/// In the form that certificates' names are compared in. @error InvalidInput  none.
Result<std::string> normal_ip_address(std::string_view address);

}  // namespace signet::authority
