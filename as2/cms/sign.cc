#include "as2/cms/sign.h"

#include <fmt/format.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <vector>

#include "as2/cms/ber.h"
#include "as2/cms/oids.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "as2/cms/outside.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using Asn1TimePtr = Handle<ASN1_TIME, ASN1_TIME_free>;

/// RFC 5652 sections 11.1 to 11.3, RFC 6211.
constexpr std::array<std::uint8_t, 11> kContentType = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                       0xF7, 0x0D, 0x01, 0x09, 0x03};
constexpr std::array<std::uint8_t, 11> kMessageDigest = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                         0xF7, 0x0D, 0x01, 0x09, 0x04};
constexpr std::array<std::uint8_t, 11> kSigningTime = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                       0xF7, 0x0D, 0x01, 0x09, 0x05};
constexpr std::array<std::uint8_t, 11> kAlgorithmProtectionOid = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                                  0xF7, 0x0D, 0x01, 0x09, 0x34};

/// Of a SignedData of id-data, and of a SignerInfo that names its signer by issuer and serial number.
constexpr std::array<std::uint8_t, 3> kVersion = {ber::kInteger, 1, 1};
constexpr std::array<std::uint8_t, 2> kNull = {0x05, 0x00};
constexpr std::array<std::uint8_t, 15> kRsaEncryption = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                         0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};
constexpr std::array<std::uint8_t, 11> kRsassaPss = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                     0xF7, 0x0D, 0x01, 0x01, 0x0A};
constexpr std::array<std::uint8_t, 11> kMgf1 = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                0xF7, 0x0D, 0x01, 0x01, 0x08};

auto signing_failed(std::string_view what) {
  return fail(take_openssl_error(ErrorKind::CryptoFailure, what));
}

Result<> check(const certstore::PrivateCertificate& signer, const SignOptions& options) {
  if (options.hash == Hash::Md5 || options.hash == Hash::Sha224)
    return fail(ErrorKind::Unsupported,
                fmt::format("Signet does not sign with {}; use sha-256, sha-384 or sha-512",
                            to_string(options.hash)));
  if (!signer.key)
    return fail(ErrorKind::CryptoFailure, "the signing certificate comes without a private key");
  return certstore::check_key_strength(signer.certificate);
}

Bytes name_of(Hash hash) {
  return to_der(OBJ_nid2obj(EVP_MD_get_type(openssl_digest(hash))), i2d_ASN1_OBJECT);
}

/// RFC 5754 section 2: without parameters.
Bytes digest_algorithm(Hash hash) { return ber::element(ber::kSequence, {name_of(hash)}); }

/// RFC 4055 section 3.1: everything that is SHA-1's default is left out, and a hash has NULL for parameters.
Bytes pss_algorithm(Hash hash) {
  if (hash == Hash::Sha1) return ber::element(ber::kSequence, {kRsassaPss, ber::element(ber::kSequence, {})});
  const Bytes digest = ber::element(ber::kSequence, {name_of(hash), kNull});
  const Bytes mgf = ber::element(ber::kSequence, {kMgf1, digest});
  const std::array<std::uint8_t, 3> salt = {ber::kInteger, 1, static_cast<std::uint8_t>(digest_size(hash))};
  const Bytes parameters = ber::element(
      ber::kSequence, {ber::element(ber::context(0), {digest}), ber::element(ber::context(1), {mgf}),
                       ber::element(ber::context(2), {salt})});
  return ber::element(ber::kSequence, {kRsassaPss, parameters});
}

Bytes ecdsa_algorithm(Hash hash) {
  int nid = NID_undef;
  OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(openssl_digest(hash)), NID_X9_62_id_ecPublicKey);
  return ber::element(ber::kSequence, {to_der(OBJ_nid2obj(nid), i2d_ASN1_OBJECT)});
}

Bytes signature_algorithm(SignatureScheme scheme, Hash hash) {
  switch (scheme) {
    case SignatureScheme::RsaPkcs1:
      return Bytes(kRsaEncryption.begin(), kRsaEncryption.end());
    case SignatureScheme::RsaPss:
      return pss_algorithm(hash);
    case SignatureScheme::Ecdsa:
      return ecdsa_algorithm(hash);
  }
  return {};
}

Result<SignatureScheme> scheme_for(const certstore::PrivateCertificate& signer, const SignOptions& options) {
  if (signer.certificate.key_type() == certstore::KeyType::Ec) return SignatureScheme::Ecdsa;
  if (options.scheme == SignatureScheme::Ecdsa)
    return fail(ErrorKind::Unsupported, "ECDSA was asked for, and the signing key is not an EC key");
  return options.scheme;
}

Bytes attribute(ByteView type, ByteView value) {
  return ber::element(ber::kSequence, {type, ber::element(ber::kSet, {value})});
}

/// UTCTime until 2049, GeneralizedTime from 2050 on: RFC 5652 section 11.3.
Result<Bytes> encode_time(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  const Asn1TimePtr value(ASN1_TIME_set(nullptr, seconds));
  if (!value) return signing_failed("writing the signing time");
  return to_der(value.get(), i2d_ASN1_TIME);
}

/// RFC 6211: both algorithms once more, under the signature; signatureAlgorithm is [1] IMPLICIT.
Bytes algorithm_protection(SignatureScheme scheme, Hash hash) {
  Bytes signature = signature_algorithm(scheme, hash);
  signature.front() = ber::context(1);
  return attribute(kAlgorithmProtectionOid,
                   ber::element(ber::kSequence, {digest_algorithm(hash), signature}));
}

/// The attributes one after the other, in the order that DER has for a SET OF (X.690 section 11.6).
Result<Bytes> signed_attributes(ByteView content_digest, SignatureScheme scheme, const SignOptions& options) {
  SIGNET_TRY(const Bytes time, encode_time(options.signing_time.value_or(SystemClock().now())));
  std::vector<Bytes> attributes = {
      attribute(kContentType, oid::kData), attribute(kSigningTime, time),
      attribute(kMessageDigest, ber::element(ber::kOctetString, {content_digest}))};
  if (options.algorithm_protection) attributes.push_back(algorithm_protection(scheme, options.hash));
  // As text, since g++ 12 warns of what it makes of vectors of octets; both compare octets without a sign.
  std::sort(attributes.begin(), attributes.end(),
            [](const Bytes& a, const Bytes& b) { return as_text(a) < as_text(b); });
  Bytes all;
  for (const Bytes& each : attributes) all.insert(all.end(), each.begin(), each.end());
  return all;
}

bool choose_algorithm(EVP_PKEY_CTX* context, SignatureScheme scheme, Hash hash) {
  if (EVP_PKEY_CTX_set_signature_md(context, openssl_digest(hash)) <= 0) return false;
  if (scheme != SignatureScheme::RsaPss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

Result<Bytes> sign_digest(const certstore::PrivateCertificate& signer, SignatureScheme scheme, Hash hash,
                          ByteView digest) {
  if (X509_check_private_key(signer.certificate.native(), signer.key.native()) != 1)
    return signing_failed("the key does not sign for the certificate " + signer.certificate.subject());
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, signer.key.native(), nullptr));
  if (!context || EVP_PKEY_sign_init(context.get()) <= 0 || !choose_algorithm(context.get(), scheme, hash))
    return signing_failed("preparing the signature");
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(signer.key.native())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) <= 0)
    return signing_failed("signing");
  signature.resize(size);
  return signature;
}

/// The signer's issuer and serial number.
Bytes signer_identifier(const certstore::Certificate& certificate) {
  const X509* const x509 = certificate.native();
  return ber::element(ber::kSequence, {to_der(X509_get_issuer_name(x509), i2d_X509_NAME),
                                       to_der(X509_get0_serialNumber(x509), i2d_ASN1_INTEGER)});
}

/// RFC 5652 section 5.1, detached: without the content.
Bytes signed_data(ByteView digest, ByteView certificates, ByteView signer_info) {
  const Bytes digests = ber::element(ber::kSet, {digest});
  const Bytes no_content = ber::element(ber::kSequence, {oid::kData});
  return content_info(oid::kSignedData,
                      {kVersion, digests, no_content, certificates, ber::element(ber::kSet, {signer_info})});
}

}  // namespace

// Written here and not by OpenSSL's CMS_sign(), which builds, encodes twice and frees a tree of objects for
// it.
Result<Bytes> sign_detached(const Slice& content, const certstore::PrivateCertificate& signer,
                            const SignOptions& options) {
  SIGNET_CHECK(check(signer, options));
  SIGNET_TRY(const SignatureScheme scheme, scheme_for(signer, options));
  SIGNET_TRY(Bytes digest, signet::digest(options.hash, content));
  Bytes attributes;  // as the SignerInfo has them: [0] IMPLICIT
  if (options.signed_attributes) {
    SIGNET_TRY(const Bytes all, signed_attributes(digest, scheme, options));
    digest = signet::digest(options.hash, ber::element(ber::kSet, {all}));
    attributes = ber::element(ber::context(0), {all});
  }
  SIGNET_TRY(const Bytes signature, sign_digest(signer, scheme, options.hash, digest));

  const Bytes algorithm = digest_algorithm(options.hash);
  const Bytes signer_info =
      ber::element(ber::kSequence,
                   {kVersion, signer_identifier(signer.certificate), algorithm, attributes,
                    signature_algorithm(scheme, options.hash), ber::element(ber::kOctetString, {signature})});
  const Bytes certificates =
      options.include_certificate ? ber::element(ber::context(0), {signer.certificate.der()}) : Bytes();
  return signed_data(algorithm, certificates, signer_info);
}

}  // namespace signet::as2::cms
