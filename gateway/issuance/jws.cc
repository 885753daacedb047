#include "gateway/issuance/jws.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/digest.h"

namespace signet::gateway {
namespace {

using nlohmann::json;

/// SubjectPublicKeyInfo of a key on P-256 up to its point (RFC 5480 section 2): id-ecPublicKey, prime256v1,
/// and a BIT STRING that begins with 04 for an uncompressed point.
constexpr std::array<std::uint8_t, 27> kP256Prefix{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                                   0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                                   0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t kCoordinateSize = 32;

json flattened(std::string_view protected_header, std::string_view payload, ByteView signature) {
  return {{"protected", base64url(as_bytes(protected_header))},
          {"payload", base64url(as_bytes(payload))},
          {"signature", base64url(signature)}};
}

}  // namespace

Result<json> ec_jwk(ByteView subject_public_key_info) {
  if (subject_public_key_info.size() != kP256Prefix.size() + 2 * kCoordinateSize ||
      !std::equal(kP256Prefix.begin(), kP256Prefix.end(), subject_public_key_info.begin()))
    return fail(ErrorKind::Internal, "an issuer account's key is none on P-256");
  const ByteView point = subject_public_key_info.subspan(kP256Prefix.size());
  return json{{"kty", "EC"},
              {"crv", "P-256"},
              {"x", base64url(point.first(kCoordinateSize))},
              {"y", base64url(point.last(kCoordinateSize))}};
}

std::string jwk_thumbprint(const json& jwk) {
  json required = json::object();  // nlohmann::json has its members in their order, as section 3.3 wants them
  for (const char* name : {"crv", "e", "kty", "n", "x", "y"})
    if (jwk.contains(name)) required[name] = jwk.at(name);
  return base64url(digest(Hash::Sha256, as_bytes(required.dump())));
}

bool is_base64url(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string signing_input(std::string_view protected_header, std::string_view payload) {
  return fmt::format("{}.{}", base64url(as_bytes(protected_header)), base64url(as_bytes(payload)));
}

Result<std::string> sign_es256(vault::IssuerAccount& account, const json& protected_header,
                               std::string_view payload) {
  const std::string header = protected_header.dump();
  SIGNET_TRY(const Bytes signature,
             account.sign(digest(Hash::Sha256, as_bytes(signing_input(header, payload)))));
  return flattened(header, payload, signature).dump();
}

json sign_hs256(const SecretBytes& key, const json& protected_header, std::string_view payload) {
  const std::string header = protected_header.dump();
  return flattened(header, payload, hmac_sha256(key.view(), as_bytes(signing_input(header, payload))));
}

}  // namespace signet::gateway
