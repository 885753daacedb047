#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "certstore/x509/host_name.h"
#include "certstore/x509/ocsp_internal.h"

namespace signet::certstore {
namespace {

constexpr std::size_t kMostRequestOctets = 16 * 1024;
constexpr int kMostQuestions = 32;
constexpr int kLongestSerial = 32;

tl::unexpected<Error> malformed(std::string detail) {
  return fail(ErrorKind::InvalidInput, "the OCSP request is malformed: " + std::move(detail));
}

/// The hash of a CertID has no parameters, or NULL in their place [RFC4055 2.1]. Whatever else stood there
/// would make another question of the same one, as often as somebody likes.
bool has_plain_hash(ByteView id) {
  const unsigned char* at = id.data();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(id.size()));  // CertID
  const Handle<X509_ALGOR, X509_ALGOR_free> hash(d2i_X509_ALGOR(nullptr, &at, length));
  if (!hash) return false;
  int parameters = 0;
  X509_ALGOR_get0(nullptr, &parameters, nullptr, hash.get());
  return parameters == V_ASN1_UNDEF || parameters == V_ASN1_NULL;
}

Result<OcspCertificateId> question_of(OCSP_ONEREQ* question) {
  OCSP_CERTID* const id = OCSP_onereq_get0_id(question);
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, id);
  if (ASN1_STRING_length(serial) > kLongestSerial)
    return malformed(fmt::format("a serial number of {} octets", ASN1_STRING_length(serial)));
  if (OCSP_ONEREQ_get_ext_by_critical(question, 1, -1) >= 0)
    return malformed("a question with a critical extension, of which none is known here");
  OcspCertificateId read;
  read.serial = hex_of(serial);
  SIGNET_TRY(read.der, encode<OCSP_CERTID>(id, i2d_OCSP_CERTID));
  if (!has_plain_hash(read.der))
    return malformed("a hash with parameters, where there are none, or NULL, for SHA-1 and SHA-2");
  return read;
}

const EVP_MD* hash_of_id(OCSP_CERTID* id) {
  ASN1_OBJECT* object = nullptr;
  OCSP_id_get0_info(nullptr, &object, nullptr, nullptr, id);
  switch (OBJ_obj2nid(object)) {
    case NID_sha1:
      return EVP_sha1();
    case NID_sha256:
      return EVP_sha256();
    case NID_sha384:
      return EVP_sha384();
    case NID_sha512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

Result<> check_responder_contents(const OcspContents& contents) {
  if (contents.answers.empty()) return fail(ErrorKind::InvalidInput, "an OCSP response without an answer");
  if (contents.nonce.size() > kLongestNonce)
    return fail(ErrorKind::InvalidInput, fmt::format("a nonce of {} octets; at most {} are repeated",
                                                     contents.nonce.size(), kLongestNonce));
  if (contents.next_update > contents.this_update) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("an OCSP response from {} cannot be good until {}",
                          to_rfc3339(contents.this_update), to_rfc3339(contents.next_update)));
}

Result<> check_responder(const Certificate& responder) {
  if (is_authority(responder) || is_ocsp_delegate(responder)) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("certificate '{}' signs no OCSP responses: that takes the issuer's, or one by the issuer "
                  "with the extended key usage OCSPSigning ({})",
                  printable_name(responder.subject()), kOcspSigning));
}

int status_number(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::Good:
      return V_OCSP_CERTSTATUS_GOOD;
    case CertificateStatus::Revoked:
      return V_OCSP_CERTSTATUS_REVOKED;
    case CertificateStatus::Unknown:
      break;
  }
  return V_OCSP_CERTSTATUS_UNKNOWN;
}

Result<> add_answer(OCSP_BASICRESP* response, const OcspAnswer& answer, const OcspContents& contents) {
  SIGNET_TRY(const OcspCertIdPtr id, decode_der<OcspCertIdPtr>(answer.id.der, d2i_OCSP_CERTID, "CertID"));
  const Asn1TimePtr revoked = new_time(answer.revoked);
  const Asn1TimePtr from = new_time(contents.this_update);
  const Asn1TimePtr until = new_time(contents.next_update);
  const int reason = answer.reason == RevocationReason::Unspecified ? OCSP_REVOKED_STATUS_NOSTATUS
                                                                    : static_cast<int>(answer.reason);
  if (!revoked || !from || !until ||
      OCSP_basic_add1_status(response, id.get(), status_number(answer.status), reason, revoked.get(),
                             from.get(), until.get()) == nullptr)
    return fail(take_openssl_error(ErrorKind::Internal, "making an OCSP answer"));
  return {};
}

/// OpenSSL knows how to set it to what the system's clock says, and no other way.
bool set_produced_at(OCSP_BASICRESP* response, Time time) {
  auto* const field = const_cast<ASN1_GENERALIZEDTIME*>(OCSP_resp_get0_produced_at(response));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return ASN1_GENERALIZEDTIME_set(field, seconds) != nullptr;
}

Result<> sign_response(OCSP_BASICRESP* response, const SigningKey& key, const Certificate& responder) {
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, EVP_MD_get0_name(method), key.library,
                                        nullptr, key.key.native(), nullptr) != 1)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing an OCSP response"));
  // Whoever asks has the issuer's certificate, and needs a delegate's.
  const unsigned long flags = OCSP_RESPID_KEY | OCSP_NOTIME |
                              (is_authority(responder) ? static_cast<unsigned long>(OCSP_NOCERTS) : 0UL);
  if (OCSP_basic_sign_ctx(response, responder.native(), context.get(), nullptr, flags) == 1) return {};
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  const bool another_key = reason == OCSP_R_PRIVATE_KEY_DOES_NOT_MATCH_CERTIFICATE;
  return fail(take_openssl_error(another_key ? ErrorKind::InvalidInput : ErrorKind::CryptoFailure,
                                 "signing an OCSP response"));
}

}  // namespace

Result<Bytes> nonce_of(X509_EXTENSION* extension) {
  const ASN1_OCTET_STRING* const data = X509_EXTENSION_get_data(extension);
  const ByteView value(ASN1_STRING_get0_data(data), static_cast<std::size_t>(ASN1_STRING_length(data)));
  using OctetsPtr = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
  SIGNET_TRY(const OctetsPtr octets, decode_der<OctetsPtr>(value, d2i_ASN1_OCTET_STRING, "nonce"));
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(octets.get()));
  if (size < 1 || size > kLongestNonce)  // [RFC8954 2.1]
    return fail(ErrorKind::InvalidInput,
                fmt::format("a nonce of {} octets, where 1 to {} are allowed", size, kLongestNonce));
  const unsigned char* const first = ASN1_STRING_get0_data(octets.get());
  return Bytes(first, first + size);
}

bool is_ocsp_delegate(const Certificate& certificate) {
  const auto usages = profile_of(certificate).extended_key_usages;
  return std::find(usages.begin(), usages.end(), kOcspSigning) != usages.end();
}

std::string_view to_string(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::Good:
      return "good";
    case CertificateStatus::Revoked:
      return "revoked";
    case CertificateStatus::Unknown:
      break;
  }
  return "unknown";
}

bool OcspCertificateId::is_of(const Certificate& issuer) const {
  const OwnErrors errors;
  const auto id = decode_der<OcspCertIdPtr>(der, d2i_OCSP_CERTID, "CertID");
  if (!id) return false;
  const EVP_MD* const hash = hash_of_id(id->get());
  const auto number = Handle<ASN1_INTEGER, ASN1_INTEGER_free>(ASN1_INTEGER_new());
  if (hash == nullptr || !number) return false;
  const OcspCertIdPtr own(OCSP_cert_id_new(hash, X509_get_subject_name(issuer.native()),
                                           X509_get0_pubkey_bitstr(issuer.native()), number.get()));
  return own && OCSP_id_issuer_cmp(own.get(), id->get()) == 0;
}

Result<OcspRequest> OcspRequest::parse(ByteView der) {
  const OwnErrors errors;
  if (der.size() > kMostRequestOctets)
    return fail(ErrorKind::LimitExceeded, fmt::format("an OCSP request of {} octets; at most {} are read",
                                                      der.size(), kMostRequestOctets));
  SIGNET_TRY(const OcspRequestPtr request, decode_der<OcspRequestPtr>(der, d2i_OCSP_REQUEST, "OCSP request"));
  const int count = OCSP_request_onereq_count(request.get());
  if (count < 1) return malformed("it asks nothing");
  if (count > kMostQuestions)
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format("{} questions in an OCSP request; at most {} are answered", count, kMostQuestions));
  OcspRequest read;
  for (int i = 0; i < count; ++i) {
    SIGNET_TRY(OcspCertificateId id, question_of(OCSP_request_onereq_get0(request.get(), i)));
    read.wanted.push_back(std::move(id));
  }
  auto nonce = read_nonce(request.get(), OCSP_REQUEST_get_ext_count, OCSP_REQUEST_get_ext);
  if (!nonce) return malformed(std::move(nonce).error().detail);
  read.nonce = *std::move(nonce);
  return read;
}

Result<Bytes> make_ocsp_response(const SigningKey& key, const Certificate& responder,
                                 const OcspContents& contents) {
  const OwnErrors errors;
  SIGNET_CHECK(check_responder_contents(contents));
  SIGNET_CHECK(check_responder(responder));
  const OcspBasicPtr basic(OCSP_BASICRESP_new());
  if (!basic) return fail(take_openssl_error(ErrorKind::Internal, "making an OCSP response"));
  for (const OcspAnswer& answer : contents.answers) SIGNET_CHECK(add_answer(basic.get(), answer, contents));
  Bytes nonce = contents.nonce;
  if (!nonce.empty() && OCSP_basic_add1_nonce(basic.get(), nonce.data(), static_cast<int>(nonce.size())) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "repeating a nonce"));
  if (!set_produced_at(basic.get(), contents.produced_at))
    return fail(take_openssl_error(ErrorKind::Internal, "dating an OCSP response"));
  SIGNET_CHECK(sign_response(basic.get(), key, responder));
  const OcspResponsePtr response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  if (!response) return fail(take_openssl_error(ErrorKind::Internal, "making an OCSP response"));
  return encode<OCSP_RESPONSE>(response.get(), i2d_OCSP_RESPONSE);
}

Bytes make_ocsp_refusal(OcspRefusal refusal) {
  // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED } [RFC6960 4.2.1]
  constexpr std::uint8_t kSequence = 0x30;
  constexpr std::uint8_t kEnumerated = 0x0A;
  return {kSequence, 3, kEnumerated, 1, static_cast<std::uint8_t>(refusal)};
}

}  // namespace signet::certstore
