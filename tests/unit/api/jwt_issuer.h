#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/openssl.h"

/// An issuer of tokens, made of OpenSSL alone, so that what verifies is not tested with itself.

namespace signet::gateway::api {

class SigningKey {
 public:
  /// @param kind  "RSA" (2048 bits), "RSA-1024", or the name of a curve
  SigningKey(const std::string& kind, std::string kid) : kid_(std::move(kid)) {
    if (kind.starts_with("RSA"))
      key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kind == "RSA" ? std::size_t{2048} : 1024));
    else
      key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str()));
    curve_ = kind.starts_with("RSA") ? "" : kind;
  }

  [[nodiscard]] nlohmann::json public_jwk() const {
    if (curve_.empty()) return {{"kty", "RSA"}, {"kid", kid_}, {"n", number("n")}, {"e", number("e")}};
    return {{"kty", "EC"}, {"kid", kid_}, {"crv", curve_}, {"x", number("qx")}, {"y", number("qy")}};
  }

  [[nodiscard]] std::string public_pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    char* text = nullptr;
    const long length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
  }

  [[nodiscard]] std::string sign(const std::string& algorithm, const nlohmann::json& claims) const {
    return sign(nlohmann::json{{"alg", algorithm}, {"kid", kid_}, {"typ", "JWT"}}.dump(), claims.dump(),
                algorithm);
  }
  /// With any header; `algorithm` is the one that is really used.
  [[nodiscard]] std::string sign(const std::string& header, const std::string& claims,
                                 const std::string& algorithm) const {
    const std::string input = base64url(as_bytes(header)) + "." + base64url(as_bytes(claims));
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    const std::string hash = "SHA" + algorithm.substr(2);
    EVP_DigestSignInit_ex(context.get(), &key_context, hash.c_str(), nullptr, nullptr, key_.get(), nullptr);
    if (algorithm.starts_with("PS")) {
      EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
    }
    const ByteView octets = as_bytes(input);
    std::size_t length = 0;
    EVP_DigestSign(context.get(), nullptr, &length, octets.data(), octets.size());
    Bytes signature(length);
    EVP_DigestSign(context.get(), signature.data(), &length, octets.data(), octets.size());
    signature.resize(length);
    return input + "." + base64url(curve_.empty() ? signature : two_numbers(signature));
  }

 private:
  [[nodiscard]] std::size_t number_octets() const {
    return (static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get())) + 7) / 8;
  }
  [[nodiscard]] std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    const BignumPtr owned(value);
    Bytes octets(curve_.empty() ? static_cast<std::size_t>(BN_num_bytes(value)) : number_octets());
    BN_bn2binpad(value, octets.data(), static_cast<int>(octets.size()));
    return base64url(octets);
  }
  /// RFC 7518 section 3.4: not DER.
  [[nodiscard]] Bytes two_numbers(const Bytes& der) const {
    const unsigned char* at = der.data();
    ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    Bytes octets(2 * number_octets());
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed), octets.data(), static_cast<int>(number_octets()));
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), octets.data() + number_octets(),
                 static_cast<int>(number_octets()));
    ECDSA_SIG_free(parsed);
    return octets;
  }

  std::string kid_;
  std::string curve_;
  EvpPkeyPtr key_;
};

inline std::string sign_hmac(const std::string& algorithm, const std::string& kid, const std::string& secret,
                             const nlohmann::json& claims) {
  const std::string input = base64url(as_bytes(nlohmann::json{{"alg", algorithm}, {"kid", kid}}.dump())) +
                            "." + base64url(as_bytes(claims.dump()));
  Bytes mac(EVP_MAX_MD_SIZE);
  std::size_t length = 0;
  const ByteView key = as_bytes(secret);
  const ByteView octets = as_bytes(input);
  EVP_Q_mac(nullptr, "HMAC", nullptr, ("SHA" + algorithm.substr(2)).c_str(), nullptr, key.data(), key.size(),
            octets.data(), octets.size(), mac.data(), mac.size(), &length);
  mac.resize(length);
  return input + "." + base64url(mac);
}

inline std::string jwk_set(const std::vector<nlohmann::json>& keys) {
  return nlohmann::json{{"keys", keys}}.dump();
}

}  // namespace signet::gateway::api
