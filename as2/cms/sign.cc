#include "as2/cms/sign.h"

#include <fmt/format.h>
#include <openssl/rsa.h>

#include "as2/cms/ber.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using Asn1TimePtr = Handle<ASN1_TIME, ASN1_TIME_free>;

constexpr const char* kAlgorithmProtection = "1.2.840.113549.1.9.52";
constexpr std::array<std::uint8_t, 2> kNull = {0x05, 0x00};
constexpr std::array<std::uint8_t, 15> kRsaEncryption = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                         0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};
constexpr std::array<std::uint8_t, 11> kRsassaPss = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                     0xF7, 0x0D, 0x01, 0x01, 0x0A};
constexpr std::array<std::uint8_t, 11> kMgf1 = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                0xF7, 0x0D, 0x01, 0x01, 0x08};

auto crypto_failure(std::string_view what) {
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

/// RFC 4055 section 3.1: everything that is SHA-1's default is left out. OpenSSL writes NULL parameters here,
/// and none in the SignerInfo's digest algorithm.
Bytes pss_algorithm(Hash hash) {
  if (hash == Hash::Sha1) return ber::element(ber::kSequence, {kRsassaPss, ber::element(ber::kSequence, {})});
  const Bytes name = to_der(OBJ_nid2obj(EVP_MD_get_type(openssl_digest(hash))), i2d_ASN1_OBJECT);
  const Bytes digest = ber::element(ber::kSequence, {name, kNull});
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

/// The AlgorithmIdentifier that OpenSSL is going to write for the signature.
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

/// RFC 6211: both algorithms once more, under the signature; signatureAlgorithm is [1] IMPLICIT.
Result<> add_algorithm_protection(CMS_SignerInfo* info, SignatureScheme scheme, Hash hash) {
  X509_ALGOR* digest_algorithm = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest_algorithm, nullptr);
  const Bytes digest_der = to_der(digest_algorithm, i2d_X509_ALGOR);
  Bytes signature_der = signature_algorithm(scheme, hash);
  signature_der.front() = ber::context(1);
  const Bytes value = ber::element(ber::kSequence, {digest_der, signature_der});
  if (CMS_signed_add1_attr_by_txt(info, kAlgorithmProtection, V_ASN1_SEQUENCE, value.data(),
                                  static_cast<int>(value.size())) != 1)
    return crypto_failure("adding the algorithm protection attribute");
  return {};
}

Result<> add_signing_time(CMS_SignerInfo* info, Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  // UTCTime until 2049, GeneralizedTime from 2050 on: RFC 5652 section 11.3.
  const Asn1TimePtr value(ASN1_TIME_set(nullptr, seconds));
  if (!value || CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, ASN1_STRING_type(value.get()),
                                            value.get(), -1) != 1)
    return crypto_failure("adding the signing time");
  return {};
}

Result<> choose_pss(CMS_SignerInfo* info) {
  EVP_PKEY_CTX* const context = CMS_SignerInfo_get0_pkey_ctx(info);
  if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) <= 0 ||
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) <= 0)
    return crypto_failure("choosing RSASSA-PSS");
  return {};
}

Result<> add_signer(CMS_ContentInfo* cms, const certstore::PrivateCertificate& signer,
                    const SignOptions& options) {
  const SignatureScheme scheme =
      signer.certificate.key_type() == certstore::KeyType::Ec ? SignatureScheme::Ecdsa : options.scheme;
  if (scheme == SignatureScheme::Ecdsa && signer.certificate.key_type() != certstore::KeyType::Ec)
    return fail(ErrorKind::Unsupported, "ECDSA was asked for, and the signing key is not an EC key");
  unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
  if (!options.include_certificate) flags |= CMS_NOCERTS;
  if (!options.signed_attributes) flags |= CMS_NOATTR;
  if (scheme == SignatureScheme::RsaPss) flags |= CMS_KEY_PARAM;
  CMS_SignerInfo* const info = CMS_add1_signer(cms, signer.certificate.native(), signer.key.native(),
                                               openssl_digest(options.hash), flags);
  if (info == nullptr)
    return crypto_failure("the key does not sign for the certificate " + signer.certificate.subject());
  if (scheme == SignatureScheme::RsaPss) SIGNET_CHECK(choose_pss(info));
  if (options.signed_attributes && options.signing_time)
    SIGNET_CHECK(add_signing_time(info, *options.signing_time));
  if (options.signed_attributes && options.algorithm_protection)
    SIGNET_CHECK(add_algorithm_protection(info, scheme, options.hash));
  return {};
}

/// What CMS_final() does, in steps of 64 KiB instead of one.
Result<> sign_content(CMS_ContentInfo* cms, const Slice& content) {
  const BioPtr digests(CMS_dataInit(cms, nullptr));
  if (!digests) return crypto_failure("preparing the digest");
  SliceSource source(content);
  Bytes chunk(static_cast<std::size_t>(std::min<std::uint64_t>(kChunkSize, content.size() + 1)));
  for (;;) {
    SIGNET_TRY(const std::size_t count, source.read(chunk));
    if (count == 0) break;
    if (BIO_write(digests.get(), chunk.data(), static_cast<int>(count)) != static_cast<int>(count))
      return crypto_failure("digesting the content");
  }
  if (CMS_dataFinal(cms, digests.get()) != 1) return crypto_failure("signing");
  return {};
}

}  // namespace

Result<Bytes> sign_detached(const Slice& content, const certstore::PrivateCertificate& signer,
                            const SignOptions& options) {
  SIGNET_CHECK(check(signer, options));
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_PARTIAL | CMS_BINARY | CMS_DETACHED));
  if (!cms) return crypto_failure("making a SignedData");
  SIGNET_CHECK(add_signer(cms.get(), signer, options));
  SIGNET_CHECK(sign_content(cms.get(), content));
  Bytes der = to_der(cms.get(), i2d_CMS_ContentInfo);
  if (der.empty()) return crypto_failure("encoding a SignedData");
  return der;
}

}  // namespace signet::as2::cms
