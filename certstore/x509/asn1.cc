#include <fmt/format.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "certstore/x509/asn1_internal.h"

namespace signet::certstore {
namespace {

/// RFC 4055 section 3.1: without parameters, PSS means SHA-1.
int pss_hash_of(const X509_ALGOR* algorithm) {
  const void* value = nullptr;
  int type = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_sha1;
  const Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free> parameters(static_cast<RSA_PSS_PARAMS*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(RSA_PSS_PARAMS))));
  if (!parameters) return NID_undef;
  return parameters->hashAlgorithm == nullptr ? NID_sha1 : OBJ_obj2nid(parameters->hashAlgorithm->algorithm);
}

std::string algorithm_name(const X509_ALGOR* algorithm) {
  std::array<char, 128> name{};
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  OBJ_obj2txt(name.data(), name.size(), object, 0);
  return printable(name.data());
}

}  // namespace

std::string hex_of(const ASN1_INTEGER* number) {
  const BignumPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  if (!value || BN_is_zero(value.get())) return "00";
  char* digits = BN_bn2hex(value.get());
  std::string text = digits == nullptr ? "" : digits;
  OPENSSL_free(digits);
  return text;
}

Handle<ASN1_INTEGER, ASN1_INTEGER_free> integer_of(std::string_view hex) {
  constexpr std::size_t kMostOctets = 20;
  const auto octets = parse_hex(hex);
  if (!octets || octets->empty() || octets->size() > kMostOctets) return nullptr;
  const BignumPtr value(BN_bin2bn(octets->data(), static_cast<int>(octets->size()), nullptr));
  Handle<ASN1_INTEGER, ASN1_INTEGER_free> number(value ? BN_to_ASN1_INTEGER(value.get(), nullptr) : nullptr);
  if (number && hex_of(number.get()) != hex) return nullptr;  // lower case, a leading 00
  return number;
}

Result<Time> time_of(const ASN1_TIME* field, std::string_view which) {
  std::tm parts{};
  if (field == nullptr || ASN1_TIME_to_tm(field, &parts) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::InvalidInput, fmt::format("{} is not a time", which));
  }
  using namespace std::chrono;
  const sys_days day = year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
  return Time(day.time_since_epoch() + hours{parts.tm_hour} + minutes{parts.tm_min} + seconds{parts.tm_sec});
}

bool set_time(ASN1_TIME* field, Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return ASN1_TIME_set(field, seconds) != nullptr;
}

Asn1TimePtr new_time(Time time) {
  Asn1TimePtr field(ASN1_TIME_new());
  if (field && !set_time(field.get(), time)) return nullptr;
  return field;
}

Result<EvpPkeyPtr> read_public_key(ByteView der) {
  const unsigned char* at = der.data();
  EvpPkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size())
    return fail(take_openssl_error(ErrorKind::InvalidInput, "the public key cannot be read"));
  return key;
}

Result<const EVP_MD*> method_of(Hash hash) {
  if (hash == Hash::Sha256) return EVP_sha256();
  if (hash == Hash::Sha384) return EVP_sha384();
  if (hash == Hash::Sha512) return EVP_sha512();
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("certificates are signed with SHA-256, SHA-384 or SHA-512, not with {}", to_string(hash)));
}

Result<> check_signature_algorithm(const X509_ALGOR* algorithm, std::string_view what) {
  const OwnErrors errors;
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  int hash = NID_undef;
  int key = NID_undef;
  OBJ_find_sigid_algs(OBJ_obj2nid(object), &hash, &key);
  if (OBJ_obj2nid(object) == NID_rsassaPss) hash = pss_hash_of(algorithm);
  const bool known_key = key == NID_rsaEncryption || key == NID_rsassaPss || key == NID_X9_62_id_ecPublicKey;
  if (known_key && (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512)) return {};
  return fail(ErrorKind::Unsupported,
              fmt::format("{} is signed by {}{}: RSA or ECDSA with SHA-256, SHA-384 or SHA-512 is needed",
                          what, algorithm_name(algorithm),
                          hash == NID_undef ? "" : fmt::format(" with {}", OBJ_nid2sn(hash))));
}

Bytes identifier_octets(const ASN1_OCTET_STRING* identifier) {
  if (identifier == nullptr) return {};
  const unsigned char* const data = ASN1_STRING_get0_data(identifier);
  return Bytes(data, data + ASN1_STRING_length(identifier));
}

bool identifiers_match(const Bytes& a, const Bytes& b) { return a.empty() || b.empty() || a == b; }

Bytes subject_key_identifier_of(const X509* certificate) {
  // The accessor fills a cache, which a parsed Certificate has filled already.
  return identifier_octets(X509_get0_subject_key_id(const_cast<X509*>(certificate)));
}

Bytes authority_key_identifier_of(const X509* certificate) {
  return identifier_octets(X509_get0_authority_key_id(const_cast<X509*>(certificate)));
}

}  // namespace signet::certstore
