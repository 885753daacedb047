#include "as2/cms/openssl_algorithms_internal.h"

#include <fmt/format.h>
#include <openssl/rsa.h>

#include <array>

namespace signet::as2::cms {
namespace {

using PssParamsPtr = Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;
using OaepParamsPtr = Handle<RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_free>;
using AlgorithmPtr = Handle<X509_ALGOR, X509_ALGOR_free>;

constexpr std::array<ContentCipher, 7> kContentCiphers = {
    ContentCipher::Aes128Cbc, ContentCipher::Aes192Cbc, ContentCipher::Aes256Cbc, ContentCipher::Aes128Gcm,
    ContentCipher::Aes192Gcm, ContentCipher::Aes256Gcm, ContentCipher::Des3Cbc};

int nid_of(ContentCipher cipher) {
  switch (cipher) {
    case ContentCipher::Aes128Cbc:
      return NID_aes_128_cbc;
    case ContentCipher::Aes192Cbc:
      return NID_aes_192_cbc;
    case ContentCipher::Aes256Cbc:
      return NID_aes_256_cbc;
    case ContentCipher::Aes128Gcm:
      return NID_aes_128_gcm;
    case ContentCipher::Aes192Gcm:
      return NID_aes_192_gcm;
    case ContentCipher::Aes256Gcm:
      return NID_aes_256_gcm;
    case ContentCipher::Des3Cbc:
      return NID_des_ede3_cbc;
  }
  return NID_undef;
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

/// The hash named by an AlgorithmIdentifier that defaults to SHA-1.
std::optional<Hash> hash_or_sha1(const X509_ALGOR* algorithm) {
  return algorithm == nullptr ? Hash::Sha1 : hash_of(algorithm_of(algorithm));
}

/// The hash within an MGF1 AlgorithmIdentifier (SHA-1 when absent); none when it is no MGF1 or does not
/// parse.
std::optional<Hash> mgf1_hash_of(const X509_ALGOR* mgf) {
  if (mgf == nullptr) return Hash::Sha1;
  if (OBJ_obj2nid(algorithm_of(mgf)) != NID_mgf1) return std::nullopt;
  const ByteView der = parameters_of(mgf);
  const unsigned char* in = der.data();
  const AlgorithmPtr hash(der.empty() ? nullptr
                                      : d2i_X509_ALGOR(nullptr, &in, static_cast<long>(der.size())));
  ERR_clear_error();
  return hash ? hash_of(algorithm_of(hash.get())) : std::nullopt;
}

}  // namespace

const EVP_MD* openssl_digest(Hash hash) {
  switch (hash) {
    case Hash::Md5:
      return EVP_md5();
    case Hash::Sha1:
      return EVP_sha1();
    case Hash::Sha224:
      return EVP_sha224();
    case Hash::Sha256:
      return EVP_sha256();
    case Hash::Sha384:
      return EVP_sha384();
    case Hash::Sha512:
      return EVP_sha512();
  }
  return nullptr;
}

const EVP_CIPHER* openssl_cipher(ContentCipher cipher) {
  static const auto kFetched = [] {
    std::array<EvpCipherPtr, kContentCiphers.size()> all;
    for (std::size_t i = 0; i < kContentCiphers.size(); ++i)
      all[i].reset(EVP_CIPHER_fetch(nullptr, OBJ_nid2sn(nid_of(kContentCiphers[i])), nullptr));
    return all;
  }();
  return kFetched[static_cast<std::size_t>(cipher)].get();
}

std::optional<Hash> hash_of_nid(int nid) {
  switch (nid) {
    case NID_md5:
      return Hash::Md5;
    case NID_sha1:
      return Hash::Sha1;
    case NID_sha224:
      return Hash::Sha224;
    case NID_sha256:
      return Hash::Sha256;
    case NID_sha384:
      return Hash::Sha384;
    case NID_sha512:
      return Hash::Sha512;
    default:
      return std::nullopt;
  }
}

std::optional<Hash> hash_of(const ASN1_OBJECT* oid) { return hash_of_nid(OBJ_obj2nid(oid)); }

std::optional<ContentCipher> cipher_of(const ASN1_OBJECT* oid) {
  const int nid = OBJ_obj2nid(oid);
  for (const ContentCipher cipher : kContentCiphers)
    if (nid == nid_of(cipher)) return cipher;
  return std::nullopt;
}

std::string describe(const ASN1_OBJECT* oid) {
  char dotted[128] = {};
  OBJ_obj2txt(dotted, sizeof dotted, oid, 1);
  const int nid = OBJ_obj2nid(oid);
  return nid == NID_undef ? std::string(dotted) : fmt::format("{} ({})", OBJ_nid2sn(nid), dotted);
}

const ASN1_OBJECT* algorithm_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  return oid;
}

bool has_no_parameters(const X509_ALGOR* algorithm) {
  int type = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &type, nullptr, algorithm);
  return type == V_ASN1_UNDEF || type == V_ASN1_NULL;
}

ByteView parameters_of(const X509_ALGOR* algorithm) {
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return {};
  const auto* const sequence = static_cast<const ASN1_STRING*>(value);
  return {ASN1_STRING_get0_data(sequence), static_cast<std::size_t>(ASN1_STRING_length(sequence))};
}

Result<PssParameters> read_pss_parameters(const X509_ALGOR* algorithm) {
  const ByteView der = parameters_of(algorithm);
  const unsigned char* in = der.data();
  const PssParamsPtr parsed(der.empty() ? nullptr
                                        : d2i_RSA_PSS_PARAMS(nullptr, &in, static_cast<long>(der.size())));
  if (!parsed) {
    ERR_clear_error();
    return fail(ErrorKind::InvalidInput,
                "RSASSA-PSS without readable parameters, which RFC 4056 section 2.2 demands");
  }
  PssParameters parameters;
  parameters.hash = hash_or_sha1(parsed->hashAlgorithm);
  parameters.mgf1_hash = mgf1_hash_of(parsed->maskGenAlgorithm);
  if (parsed->saltLength != nullptr) parameters.salt_length = ASN1_INTEGER_get(parsed->saltLength);
  if (parsed->trailerField != nullptr) parameters.trailer = ASN1_INTEGER_get(parsed->trailerField);
  return parameters;
}

Result<Hash> read_oaep_hash(const X509_ALGOR* algorithm) {
  if (has_no_parameters(algorithm)) return Hash::Sha1;
  const ByteView der = parameters_of(algorithm);
  const unsigned char* in = der.data();
  const OaepParamsPtr parsed(der.empty() ? nullptr
                                         : d2i_RSA_OAEP_PARAMS(nullptr, &in, static_cast<long>(der.size())));
  ERR_clear_error();
  const std::optional<Hash> hash = parsed ? hash_or_sha1(parsed->hashFunc) : std::nullopt;
  if (!hash)
    return fail(ErrorKind::Unsupported, "RSAES-OAEP with parameters that cannot be read, or an unknown hash");
  return *hash;
}

std::string describe_identifier(const ASN1_OCTET_STRING* key_id, const X509_NAME* issuer,
                                const ASN1_INTEGER* serial) {
  if (key_id != nullptr)
    return "key identifier " +
           hex_upper({ASN1_STRING_get0_data(key_id), static_cast<std::size_t>(ASN1_STRING_length(key_id))});
  if (issuer == nullptr || serial == nullptr) return "nobody";
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out) return "somebody";
  BIO_puts(out.get(), "issuer ");
  X509_NAME_print_ex(out.get(), issuer, 0, XN_FLAG_RFC2253);
  BIO_puts(out.get(), ", serial ");
  i2a_ASN1_INTEGER(out.get(), serial);
  return printable(text_of(out.get()));
}

}  // namespace signet::as2::cms
