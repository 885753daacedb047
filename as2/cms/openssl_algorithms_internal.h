#pragma once

#include <optional>

#include "as2/cms/algorithms.h"
#include "base/digest.h"
#include "base/openssl.h"

/// Our algorithms as OpenSSL knows them. Internal to as2/cms.

namespace signet::as2::cms {

/// Octets of the only authentication tag of GCM that is made and taken: a shorter one is easier to forge.
inline constexpr std::size_t kGcmTagSize = 16;

const EVP_MD* openssl_digest(Hash hash);
/// Fetched once per process.
const EVP_CIPHER* openssl_cipher(ContentCipher cipher);

/// None for what Signet has no name for.
std::optional<Hash> hash_of(const ASN1_OBJECT* oid);
std::optional<Hash> hash_of_nid(int nid);
std::optional<ContentCipher> cipher_of(const ASN1_OBJECT* oid);

/// Dotted, with OpenSSL's name for it when there is one: "rc2-cbc (1.2.840.113549.3.2)".
std::string describe(const ASN1_OBJECT* oid);

/// The object identifier in an AlgorithmIdentifier, borrowed.
const ASN1_OBJECT* algorithm_of(const X509_ALGOR* algorithm);
/// Whether the parameters are absent or NULL, the two spellings of none.
bool has_no_parameters(const X509_ALGOR* algorithm);
/// The parameters' DER when they are a SEQUENCE; empty otherwise. Borrowed.
ByteView parameters_of(const X509_ALGOR* algorithm);

/// RFC 4055 section 3.1, with OpenSSL's defaults filled in.
struct PssParameters {
  std::optional<Hash> hash;
  std::optional<Hash> mgf1_hash;
  long salt_length = 20;
  long trailer = 1;
};
Result<PssParameters> read_pss_parameters(const X509_ALGOR* algorithm);
/// The hash of OAEP's parameters (RFC 4055 section 4.1); SHA-1 when they say none.
Result<Hash> read_oaep_hash(const X509_ALGOR* algorithm);

/// Issuer (RFC 2253) and serial number, or key identifier, of a SignerInfo or RecipientInfo, for an operator
/// to compare.
std::string describe_identifier(const ASN1_OCTET_STRING* key_id, const X509_NAME* issuer,
                                const ASN1_INTEGER* serial);

/// What i2d_... makes of an object.
template <class T, class Encode>
Bytes to_der(const T* object, Encode encode) {
  unsigned char* out = nullptr;
  const int size = encode(object, &out);
  if (size < 0) return {};
  const OpensslMemory owner(out);
  return Bytes(out, out + size);
}

}  // namespace signet::as2::cms
