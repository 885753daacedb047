#include "base/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/bytes.h"

namespace signet {
namespace {

/// [RFC6890 2.2.2, and IANA's special-purpose address registries]
constexpr std::string_view kNotPublic[] = {
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "::/128",         "::1/128",        "64:ff9b::/96",
    "64:ff9b:1::/48", "100::/64",     "2001::/23",      "2001:db8::/32",  "2002::/16",      "fc00::/7",
    "fe80::/10",      "fec0::/10",    "ff00::/8"};

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  std::string_view bare = text;
  if (bare.size() >= 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  bare = bare.substr(0, bare.find('%'));
  const std::string numeric(bare);
  IpAddress address;
  if (::inet_pton(AF_INET, numeric.c_str(), address.octets_.data()) == 1) return address;
  if (::inet_pton(AF_INET6, numeric.c_str(), address.octets_.data()) != 1)
    return fail(
        ErrorKind::InvalidInput,
        "expected a numeric IP address such as 192.0.2.1 or 2001:db8::1, got '" + printable(text) + "'");
  address.is_v4_ = false;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!std::equal(kMapped.begin(), kMapped.end(), address.octets_.begin())) return address;
  IpAddress mapped;
  std::copy(address.octets_.begin() + kMapped.size(), address.octets_.end(), mapped.octets_.begin());
  return mapped;
}

bool IpAddress::is_public() const {
  return std::none_of(std::begin(kNotPublic), std::end(kNotPublic), [this](std::string_view network) {
    const auto parsed = IpNetwork::parse(network);
    return parsed && parsed->contains(*this);
  });
}

bool IpAddress::is_loopback() const {
  const auto loopback = IpNetwork::parse(is_v4_ ? "127.0.0.0/8" : "::1/128");
  return loopback && loopback->contains(*this);
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorKind::InvalidInput,
                "expected a network such as 10.0.0.0/8 or fd00::/8, without bits behind its prefix, got '" +
                    printable(text) + "'");
  };
  const std::size_t slash = text.find('/');
  const auto first = IpAddress::parse(text.substr(0, slash));
  if (!first) return wrong();
  IpNetwork network;
  network.first_ = *first;
  const unsigned bits = first->is_v4_ ? 32 : 128;
  network.prefix_ = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_);
    if (error != std::errc{} || end != digits.data() + digits.size() || network.prefix_ > bits)
      return wrong();
  }
  for (unsigned bit = network.prefix_; bit < bits; ++bit)
    if ((first->octets_[bit / 8] >> (7 - bit % 8) & 1) != 0) return wrong();
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.is_v4_ != first_.is_v4_) return false;
  for (unsigned bit = 0; bit < prefix_; ++bit)
    if (((address.octets_[bit / 8] ^ first_.octets_[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  return true;
}

std::string network_of_subscriber(std::string_view address) {
  auto read = IpAddress::parse(address);
  if (!read) return std::string(address);
  if (!read->is_v4_) std::fill(read->octets_.begin() + 8, read->octets_.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(read->is_v4_ ? AF_INET : AF_INET6, read->octets_.data(), text.data(), text.size());
  return text.data();
}

}  // namespace signet
