#include <fmt/format.h>
#include <openssl/core_names.h>

#include <array>

#include "base/openssl.h"
#include "certstore/x509/key_facts_internal.h"

namespace signet::certstore {
namespace {

KeyType type_of(const EVP_PKEY* key) {
  if (key == nullptr) return KeyType::Other;
  const int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS) return KeyType::Rsa;
  return id == EVP_PKEY_EC ? KeyType::Ec : KeyType::Other;
}

/// RFC 5480 section 2.1.1 wants curves named. One that a certificate spells out is not given a name here,
/// even where its numbers are those of P-256, so that nothing takes it for an approved curve.
std::string curve_of(const EVP_PKEY* key) {
  int spelled_out = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out);
  if (spelled_out != 0) return "explicit parameters";
  std::array<char, 80> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) return "unknown";
  std::string curve(name.data(), length);
  if (curve == SN_X9_62_prime256v1) return "P-256";
  if (curve == SN_secp384r1) return "P-384";
  if (curve == SN_secp521r1) return "P-521";
  return curve;
}

}  // namespace

KeyFacts key_facts_of(const EVP_PKEY* key) {
  KeyFacts facts;
  facts.type = type_of(key);
  if (key != nullptr) facts.bits = EVP_PKEY_get_bits(key);
  if (facts.type == KeyType::Ec) facts.curve = curve_of(key);
  return facts;
}

Result<> check_key_strength(const KeyFacts& facts, std::string_view whose) {
  constexpr int kFewestRsaBits = 2048;
  std::string key;
  switch (facts.type) {
    case KeyType::Rsa:
      if (facts.bits >= kFewestRsaBits) return {};
      key = fmt::format("RSA of {} bits", facts.bits);
      break;
    case KeyType::Ec:
      if (facts.curve == "P-256" || facts.curve == "P-384" || facts.curve == "P-521") return {};
      key = fmt::format("EC on {}", facts.curve);
      break;
    case KeyType::Other:
      key = "neither RSA nor EC";
      break;
  }
  return fail(ErrorKind::Unsupported,
              fmt::format("the key of {} is {}: RSA of {} bits or more, or EC on P-256, P-384 or P-521 is "
                          "needed; ask for a certificate with such a key",
                          whose, key, kFewestRsaBits));
}

Result<> check_exponent(const EVP_PKEY* key, std::string_view whose) {
  constexpr int kFewestBits = 17;
  constexpr int kMostBits = 256;
  if (key_facts_of(key).type != KeyType::Rsa) return {};
  BIGNUM* read = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &read) == 1;
  const BignumPtr exponent(read);
  if (known && BN_is_odd(exponent.get()) == 1 && BN_num_bits(exponent.get()) >= kFewestBits &&
      BN_num_bits(exponent.get()) <= kMostBits)
    return {};
  ERR_clear_error();
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the public exponent of the key of {} is even, or not of {} to {} bits: make a key with "
                  "the usual one, 65537",
                  whose, kFewestBits, kMostBits));
}

}  // namespace signet::certstore
