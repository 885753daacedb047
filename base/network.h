#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

/// IP addresses and networks, as far as it must be decided which ones may be connected to.

namespace signet {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address that
/// it maps.
class IpAddress {
 public:
  /// Numeric: "192.0.2.1", "2001:db8::1", also in brackets or with a zone ("fe80::1%eth0"). @error
  /// InvalidInput
  static Result<IpAddress> parse(std::string_view text);

  /// Whether it is one of the public internet: none of the special-purpose addresses of RFC 6890 and IANA's
  /// registries, such as loopback, private, shared, link-local (with every cloud's metadata service),
  /// unique-local, documentation, benchmarking, translated, multicast and reserved ones.
  [[nodiscard]] bool is_public() const;

  /// Whether it is this machine's own: 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  friend class IpNetwork;
  friend std::string network_of_subscriber(std::string_view address);
  bool is_v4_ = true;
  std::array<std::uint8_t, 16> octets_{};  ///< of IPv4 the first four
};

/// A network: the addresses that begin with the same bits.
class IpNetwork {
 public:
  /// "10.0.0.0/8", "fd00::/8"; a bare address is a network of one. @error InvalidInput  also when bits behind
  /// the prefix are set.
  static Result<IpNetwork> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpAddress first_;
  unsigned prefix_ = 0;
};

/// What one subscriber has of the internet, for counting what somebody does: an IPv4 address itself
/// ("192.0.2.1"), of an IPv6 address the first 64 bits ("2001:db8:0:1::", RFC 6177). What is no address stays
/// as it is.
std::string network_of_subscriber(std::string_view address);

}  // namespace signet
