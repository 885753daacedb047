#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signet::gateway {

/// What may be connected to of what others name: a partner's message, a certificate. Nothing unless it is
/// listed.
struct AllowedUrls {
  std::vector<std::string> urls;      ///< http or https; what lies below their paths is allowed as well
  std::vector<std::string> networks;  ///< "10.0.0.0/8": what a host's name may stand for beside the public
                                      ///< internet

  /// Whether the URL is http or https, and its scheme, host, port and path are those of, or lie below, one
  /// that is listed. Escapes such as "%20" are compared as they are written, and there are none below a URL
  /// that is listed. Which address the host's name may stand for is judged when it is connected to.
  [[nodiscard]] bool has_url(std::string_view url) const;

  /// Whether `address` (numeric IPv4 or IPv6) may be connected to: one of the public internet, or one that
  /// lies in a network that is listed, or that a listed URL itself names. Loopback, private, link-local (so
  /// every cloud's metadata service), unique-local, shared, multicast and reserved addresses need to be
  /// listed.
  [[nodiscard]] bool has_address(std::string_view address) const;

  friend bool operator==(const AllowedUrls&, const AllowedUrls&) = default;
};

}  // namespace signet::gateway
