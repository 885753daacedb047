#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"

using X509 = struct x509_st;
using EVP_PKEY = struct evp_pkey_st;

namespace signet::certstore {

enum class KeyType { Rsa, Ec, Other };

/// The key-usage bits of RFC 5280 section 4.2.1.3 that matter here. All true when the extension is absent.
struct KeyUsage {
  bool present = false;
  bool digital_signature = true;
  bool non_repudiation = true;
  bool key_encipherment = true;
  bool data_encipherment = true;
  bool key_agreement = true;
  bool key_cert_sign = true;
};

/// An X.509 certificate, parsed once and then shared: immutable, cheap to copy, safe to use from any thread.
class Certificate {
 public:
  /// Reads exactly one certificate, DER or PEM.
  ///
  /// @error InvalidInput  no certificate, more than one, or one that does not parse to its last octet.
  static Result<Certificate> parse(ByteView pem_or_der);

  [[nodiscard]] const Bytes& der() const;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] const std::string& subject() const;  ///< RFC 2253 text, UTF-8
  [[nodiscard]] const std::string& issuer() const;
  [[nodiscard]] const std::string& serial() const;  ///< upper-case hexadecimal
  [[nodiscard]] Time not_before() const;
  [[nodiscard]] Time not_after() const;
  [[nodiscard]] bool valid_at(Time time) const { return not_before() <= time && time <= not_after(); }
  [[nodiscard]] KeyType key_type() const;
  [[nodiscard]] int key_bits() const;  ///< RSA modulus or EC field size
  /// "P-256", "P-384", "P-521" for those curves, OpenSSL's name for another, empty for RSA.
  [[nodiscard]] const std::string& curve() const;
  [[nodiscard]] const KeyUsage& key_usage() const;
  [[nodiscard]] const std::vector<std::string>& subject_alternative_names()
      const;  ///< "DNS:...", "URI:...", "email:..."
  [[nodiscard]] bool self_signed() const;

  /// Upper-case hexadecimal SHA-1 of the DER: Azure's thumbprint. For people to compare, never to decide
  /// trust by.
  [[nodiscard]] const std::string& thumbprint_sha1() const;
  /// Upper-case hexadecimal SHA-256 of the DER.
  [[nodiscard]] const std::string& thumbprint_sha256() const;
  /// Whether the public halves are the same key.
  [[nodiscard]] bool has_public_key(const EVP_PKEY* key) const;

  /// Borrowed; for calls into OpenSSL, which must not change it.
  [[nodiscard]] X509* native() const;
  /// The public key, borrowed.
  [[nodiscard]] EVP_PKEY* public_key() const;

  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der() == b.der(); }

 private:
  struct Facts;
  explicit Certificate(std::shared_ptr<const Facts> facts) : facts_(std::move(facts)) {}
  std::shared_ptr<const Facts> facts_;
  friend Result<std::vector<Certificate>> parse_certificates(ByteView bytes);
};

/// Reads every certificate of a PEM text, a DER certificate, or a PKCS#7 bundle (DER or PEM), in their order.
///
/// @error InvalidInput  none in it, or one that does not parse.  @error LimitExceeded  more than 100, or over
/// 1 MiB.
Result<std::vector<Certificate>> parse_certificates(ByteView bytes);

/// One after the other; parse_certificates() reads them again.
std::string to_pem(const std::vector<Certificate>& certificates);

/// Upper-case hexadecimal SHA-256 of a public key's SubjectPublicKeyInfo (RFC 5280 section 4.1): what a
/// certificate and the key it was issued for have in common. Empty when the key cannot be written.
std::string key_thumbprint(const EVP_PKEY* key);

/// What Signet asks of every certificate that it is to rely on: RSA of 2048 bits or more, EC on P-256, P-384
/// or P-521.
///
/// @error Unsupported  names the key and what is needed.
Result<> check_key_strength(const Certificate& certificate);

}  // namespace signet::certstore
