#include "gateway/api/jwk.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include <fmt/format.h>

#include <array>

#include "base/openssl.h"
#include "certstore/vault/key_numbers.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

struct Curve {
  std::string_view openssl;
  std::string_view jwk;
};
constexpr std::array<Curve, 3> kCurves{
    {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}}};

Error unreadable() { return take_openssl_error(ErrorKind::Internal, "reading a public key of the vault"); }

/// Big-endian, without leading zeros, in base64url.
Result<std::string> number(const EVP_PKEY* key, const char* parameter) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &raw) != 1) return fail(unreadable());
  const BignumPtr value(raw);
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(value.get())));
  BN_bn2bin(value.get(), octets.data());
  return base64url(octets);
}

Result<Json> rsa_jwk(const EVP_PKEY* key) {
  SIGNET_TRY(const std::string n, number(key, OSSL_PKEY_PARAM_RSA_N));
  SIGNET_TRY(const std::string e, number(key, OSSL_PKEY_PARAM_RSA_E));
  return Json{{"kty", "RSA"}, {"n", n}, {"e", e}};
}

Result<std::string_view> curve_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) return fail(unreadable());
  for (const Curve& curve : kCurves)
    if (curve.openssl == std::string_view(name.data(), length)) return curve.jwk;
  return fail(ErrorKind::Internal,
              "a key of the vault is on a curve that JSON Web Keys have no name for here");
}

/// The point is 0x04, x, y (SEC 1 section 2.3.3), each coordinate as long as the field's elements.
Result<Json> ec_jwk(const EVP_PKEY* key) {
  SIGNET_TRY(const std::string_view curve, curve_of(key));
  constexpr std::size_t kLongestPoint = 256;
  Bytes point(kLongestPoint);
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) != 1)
    return fail(unreadable());
  if (length % 2 == 0 || point.front() != 0x04)
    return fail(ErrorKind::Internal, "an EC key of the vault is not stored as an uncompressed point");
  const ByteView coordinates = ByteView(point).subspan(1, length - 1);
  return Json{{"kty", "EC"},
              {"crv", curve},
              {"x", base64url(coordinates.first(coordinates.size() / 2))},
              {"y", base64url(coordinates.subspan(coordinates.size() / 2))}};
}

Result<SecretBytes> number_member(const Json& jwk, std::string_view name) {
  SIGNET_TRY(Bytes octets, required(name, octets_member(jwk, name)));
  SecretBytes number = SecretBytes::copy_of(ByteView(octets));
  wipe(octets);
  return number;
}

Result<vault::KeyMaterial> read_rsa_jwk(const Json& jwk) {
  vault::RsaNumbers numbers;
  SIGNET_TRY(numbers.n, number_member(jwk, "n"));
  SIGNET_TRY(numbers.e, number_member(jwk, "e"));
  SIGNET_TRY(numbers.d, number_member(jwk, "d"));
  SIGNET_TRY(numbers.p, number_member(jwk, "p"));
  SIGNET_TRY(numbers.q, number_member(jwk, "q"));
  SIGNET_TRY(numbers.dp, number_member(jwk, "dp"));
  SIGNET_TRY(numbers.dq, number_member(jwk, "dq"));
  SIGNET_TRY(numbers.qi, number_member(jwk, "qi"));
  return vault::read_rsa_key(numbers);
}

Result<vault::KeyMaterial> read_ec_jwk(const Json& jwk) {
  SIGNET_TRY(const std::string curve, required("crv", text_member(jwk, "crv")));
  vault::EcNumbers numbers;
  SIGNET_TRY(numbers.curve, ec_kind(curve));
  SIGNET_TRY(numbers.x, number_member(jwk, "x"));
  SIGNET_TRY(numbers.y, number_member(jwk, "y"));
  SIGNET_TRY(numbers.d, number_member(jwk, "d"));
  return vault::read_ec_key(numbers);
}

}  // namespace

Result<Json> public_jwk(ByteView subject_public_key_info) {
  const unsigned char* cursor = subject_public_key_info.data();
  const EvpPkeyPtr key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(subject_public_key_info.size())));
  if (!key) return fail(unreadable());
  return EVP_PKEY_is_a(key.get(), "RSA") == 1 ? rsa_jwk(key.get()) : ec_jwk(key.get());
}

Result<vault::KeyMaterial> read_private_jwk(const Json& jwk) {
  SIGNET_TRY(const std::string word, required("kty", text_member(jwk, "kty")));
  const std::string type = key_type(word).type;
  if (type == "RSA") return read_rsa_jwk(jwk);
  if (type == "EC") return read_ec_jwk(jwk);
  return fail(unknown_key_type(word));
}

Result<vault::KeyKind> ec_kind(std::string_view curve) {
  if (curve == "P-256") return vault::KeyKind::EcP256;
  if (curve == "P-384") return vault::KeyKind::EcP384;
  if (curve == "P-521") return vault::KeyKind::EcP521;
  return fail(ErrorKind::InvalidInput,
              fmt::format("an EC key has the crv P-256, P-384 or P-521, not '{}'", printable(curve)));
}

KeyType key_type(std::string word) {
  constexpr std::string_view kInToken = "-HSM";
  if (!word.ends_with(kInToken)) return {std::move(word), false};
  word.resize(word.size() - kInToken.size());
  return {std::move(word), true};
}

Error unknown_key_type(std::string_view type) {
  return {
      ErrorKind::InvalidInput,
      fmt::format("the vault has keys of the kty RSA and EC, and RSA-HSM and EC-HSM in a token; '{}' is none",
                  printable(type))};
}

}  // namespace signet::gateway::api
