#include "certstore/vault/key_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

namespace signet::vault {
namespace {

// DER by hand, because it takes no memory but the secure heap's on its way to PKCS#8: X.690 section 8.
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kContext1 = 0xA1;

constexpr std::array<std::uint8_t, 1> kZero{0x00};
constexpr std::array<std::uint8_t, 3> kVersion0{kInteger, 1, 0};
constexpr std::array<std::uint8_t, 3> kVersion1{kInteger, 1, 1};
constexpr std::array<std::uint8_t, 1> kUncompressed{0x04};  // SEC 1 section 2.3.3

/// rsaEncryption with its NULL, and id-ecPublicKey.
constexpr std::array<std::uint8_t, 13> kRsa{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                            0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};
constexpr std::array<std::uint8_t, 9> kEc{0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};

constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 7> kP384{0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
constexpr std::array<std::uint8_t, 7> kP521{0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23};

struct Curve {
  ByteView identifier;
  std::size_t coordinate = 0;  ///< octets; none of an RSA key
};

Curve curve_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::EcP256:
      return {kP256, 32};
    case KeyKind::EcP384:
      return {kP384, 48};
    case KeyKind::EcP521:
      return {kP521, 66};
    case KeyKind::Rsa2048:
    case KeyKind::Rsa3072:
    case KeyKind::Rsa4096:
      break;
  }
  return {};
}

SecretBytes der(std::uint8_t tag, std::initializer_list<ByteView> parts) {
  constexpr std::size_t kLongestShort = 0x7F;
  constexpr std::size_t kLongestOfOneOctet = 0xFF;
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  Bytes head{tag};
  if (size > kLongestOfOneOctet) {
    head.insert(head.end(), {0x82, static_cast<std::uint8_t>(size >> 8U)});
  } else if (size > kLongestShort) {
    head.push_back(0x81);
  }
  head.push_back(static_cast<std::uint8_t>(size));
  SecretBytes whole(head.size() + size);
  auto at = std::copy(head.begin(), head.end(), whole.writable().begin());
  for (const ByteView part : parts) at = std::copy(part.begin(), part.end(), at);
  return whole;
}

ByteView without_zeros(const SecretBytes& number) {
  const ByteView octets = number.view();
  return octets.subspan(static_cast<std::size_t>(
      std::find_if(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet != 0; }) -
      octets.begin()));
}

/// A positive one: the first bit is the sign's.
SecretBytes integer(ByteView number) {
  constexpr std::uint8_t kSignBit = 0x80;
  return der(kInteger, {(number.front() & kSignBit) != 0 ? ByteView(kZero) : ByteView(), number});
}

Result<> check_length(std::string_view name, ByteView number, std::size_t shortest, std::size_t longest) {
  if (number.size() >= shortest && number.size() <= longest) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the key's number '{}' has {} octets, and needs {}", name, number.size(),
                          shortest == longest ? std::to_string(shortest)
                                              : fmt::format("{} to {}", shortest, longest)));
}

SecretBytes pkcs8(std::initializer_list<ByteView> algorithm, const SecretBytes& key) {
  const SecretBytes identifier = der(kSequence, algorithm);
  const SecretBytes octets = der(kOctetString, {key.view()});
  return der(kSequence, {kVersion0, identifier.view(), octets.view()});
}

}  // namespace

/// PrivateKeyInfo (RFC 5208 section 5) with RSAPrivateKey (RFC 8017 appendix A.1.2).
Result<KeyMaterial> read_rsa_key(const RsaNumbers& numbers) {
  constexpr std::size_t kShortestModulus = 2048 / 8;
  constexpr std::size_t kLongestModulus = 4096 / 8;
  constexpr std::size_t kLongestExponent = 8;
  const ByteView n = without_zeros(numbers.n);
  SIGNET_CHECK(check_length("n", n, kShortestModulus, kLongestModulus));
  const std::size_t half = n.size() / 2;
  struct Number {
    std::string_view name;
    ByteView octets;
    std::size_t shortest;
    std::size_t longest;
  };
  const std::array all{Number{"n", n, n.size(), n.size()},
                       Number{"e", without_zeros(numbers.e), 1, kLongestExponent},
                       Number{"d", without_zeros(numbers.d), 1, n.size()},
                       Number{"p", without_zeros(numbers.p), half, half},
                       Number{"q", without_zeros(numbers.q), half, half},
                       Number{"dp", without_zeros(numbers.dp), 1, half},
                       Number{"dq", without_zeros(numbers.dq), 1, half},
                       Number{"qi", without_zeros(numbers.qi), 1, half}};
  std::vector<SecretBytes> integers;
  for (const auto& [name, octets, shortest, longest] : all) {
    SIGNET_CHECK(check_length(name, octets, shortest, longest));
    integers.push_back(integer(octets));
  }
  const SecretBytes key = der(
      kSequence, {kVersion0, integers[0].view(), integers[1].view(), integers[2].view(), integers[3].view(),
                  integers[4].view(), integers[5].view(), integers[6].view(), integers[7].view()});
  return read_pkcs8(pkcs8({kRsa}, key).view());
}

/// PrivateKeyInfo with ECPrivateKey (RFC 5915 section 3).
Result<KeyMaterial> read_ec_key(const EcNumbers& numbers) {
  const Curve curve = curve_of(numbers.curve);
  SIGNET_CHECK(check_length("x", numbers.x.view(), curve.coordinate, curve.coordinate));
  SIGNET_CHECK(check_length("y", numbers.y.view(), curve.coordinate, curve.coordinate));
  SIGNET_CHECK(check_length("d", numbers.d.view(), curve.coordinate, curve.coordinate));
  const SecretBytes point = der(kBitString, {kZero, kUncompressed, numbers.x.view(), numbers.y.view()});
  const SecretBytes key = der(kSequence, {kVersion1, der(kOctetString, {numbers.d.view()}).view(),
                                          der(kContext1, {point.view()}).view()});
  return read_pkcs8(pkcs8({kEc, curve.identifier}, key).view());
}

}  // namespace signet::vault
