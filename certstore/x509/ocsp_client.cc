#include <fmt/format.h>

#include <algorithm>

#include "certstore/x509/issuers.h"
#include "certstore/x509/ocsp_internal.h"

namespace signet::certstore {
namespace {

constexpr std::size_t kMostResponseOctets = 64 * 1024;
constexpr int kMostCertificatesInside = 8;
constexpr std::chrono::minutes kClockSkew{5};

tl::unexpected<Error> no_answer(ErrorKind kind, std::string_view why) {
  return fail(kind, fmt::format("the OCSP responder's answer does not count: {}", why));
}

Result<> check_response_status(OCSP_RESPONSE* response) {
  switch (OCSP_response_status(response)) {
    case OCSP_RESPONSE_STATUS_SUCCESSFUL:
      return {};
    case OCSP_RESPONSE_STATUS_INTERNALERROR:
      return fail(ErrorKind::Unavailable, "the OCSP responder says: internalError");
    case OCSP_RESPONSE_STATUS_TRYLATER:
      return fail(ErrorKind::Unavailable, "the OCSP responder says: tryLater");
    case OCSP_RESPONSE_STATUS_MALFORMEDREQUEST:
      return no_answer(ErrorKind::InvalidInput, "it says: malformedRequest");
    case OCSP_RESPONSE_STATUS_SIGREQUIRED:
      return no_answer(ErrorKind::InvalidInput, "it says: sigRequired");
    case OCSP_RESPONSE_STATUS_UNAUTHORIZED:
      return no_answer(ErrorKind::InvalidInput, "it says: unauthorized, so it does not know the issuer");
    default:
      return no_answer(ErrorKind::InvalidInput, "its status is none that RFC 6960 knows");
  }
}

bool signature_holds(const OCSP_BASICRESP* basic, EVP_PKEY* key) {
  const OwnErrors errors;
  // The signature is only read, though OpenSSL's declaration does not say so.
  auto* const signature = const_cast<ASN1_BIT_STRING*>(OCSP_resp_get0_signature(basic));
  return key != nullptr && ASN1_item_verify(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(basic),
                                            signature, OCSP_resp_get0_respdata(basic), key) == 1;
}

/// [RFC6960 4.2.2.2] given by the issuer itself, for this purpose.
Result<> check_delegate(const Certificate& delegate, const Certificate& issuer, Time now) {
  const OwnErrors errors;
  const std::string who = fmt::format("the signer '{}'", printable_name(delegate.subject()));
  if (!is_issued_by(delegate, issuer))
    return no_answer(ErrorKind::CryptoFailure,
                     fmt::format("{} has no certificate by '{}'", who, printable_name(issuer.subject())));
  if (!is_ocsp_delegate(delegate))
    return no_answer(ErrorKind::CryptoFailure, who + " may not sign OCSP responses (no OCSPSigning)");
  if (delegate.key_usage().present && !delegate.key_usage().digital_signature)
    return no_answer(ErrorKind::CryptoFailure, "the key usage lacks digitalSignature in " + who);
  if (!delegate.valid_at(now)) return no_answer(ErrorKind::CryptoFailure, who + " is not valid now");
  SIGNET_CHECK(check_signature_algorithm(X509_get0_tbs_sigalg(delegate.native()), who));
  return check_key_strength(delegate);
}

/// The certificates that came along; those that cannot be read as ours are nobody's.
std::vector<Certificate> certificates_inside(const OCSP_BASICRESP* basic) {
  std::vector<Certificate> inside;
  const STACK_OF(X509)* const stack = OCSP_resp_get0_certs(basic);
  for (int i = 0; i < std::min(sk_X509_num(stack), kMostCertificatesInside); ++i)
    if (const auto der = encode<X509>(sk_X509_value(stack, i), i2d_X509))
      if (auto certificate = Certificate::parse(*der)) inside.push_back(*std::move(certificate));
  return inside;
}

Result<> check_signer(const OCSP_BASICRESP* basic, const Certificate& issuer, Time now) {
  SIGNET_CHECK(check_signature_algorithm(OCSP_resp_get0_tbs_sigalg(basic), "the OCSP responder's answer"));
  if (signature_holds(basic, issuer.public_key())) return {};
  for (const Certificate& delegate : certificates_inside(basic))
    if (signature_holds(basic, delegate.public_key())) return check_delegate(delegate, issuer, now);
  return no_answer(
      ErrorKind::CryptoFailure,
      fmt::format("its signature is neither by the issuer '{}' nor by a certificate that came along",
                  printable_name(issuer.subject())));
}

/// The one answer about the certificate.
Result<OCSP_SINGLERESP*> answer_about(OCSP_BASICRESP* basic, const Certificate& certificate,
                                      const Certificate& issuer) {
  OCSP_SINGLERESP* found = nullptr;
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    OCSP_SINGLERESP* const answer = OCSP_resp_get0(basic, i);
    OcspCertificateId id;
    SIGNET_TRY(id.der, encode<OCSP_CERTID>(OCSP_SINGLERESP_get0_id(answer), i2d_OCSP_CERTID));
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                      const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(answer)));
    if (hex_of(serial) != certificate.serial() || !id.is_of(issuer)) continue;
    if (found != nullptr) return no_answer(ErrorKind::InvalidInput, "it speaks of the certificate twice");
    found = answer;
  }
  if (found == nullptr) return no_answer(ErrorKind::InvalidInput, "it says nothing of the certificate");
  if (OCSP_SINGLERESP_get_ext_by_critical(found, 1, -1) >= 0)
    return no_answer(ErrorKind::Unsupported, "it has a critical extension, of which none is known here");
  return found;
}

Result<OcspStatus> status_of(OCSP_SINGLERESP* answer) {
  OcspStatus read;
  int reason = OCSP_REVOKED_STATUS_NOSTATUS;
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int status = OCSP_single_get0_status(answer, &reason, &revoked, &from, &until);
  if (until == nullptr)
    return no_answer(ErrorKind::InvalidInput, "it does not say until when it is good (nextUpdate)");
  SIGNET_TRY(read.this_update, time_of(from, "the OCSP answer's thisUpdate"));
  SIGNET_TRY(read.next_update, time_of(until, "the OCSP answer's nextUpdate"));
  if (status == V_OCSP_CERTSTATUS_GOOD) read.status = CertificateStatus::Good;
  if (status != V_OCSP_CERTSTATUS_REVOKED) return read;
  read.status = CertificateStatus::Revoked;
  SIGNET_TRY(read.revoked, time_of(revoked, "the OCSP answer's revocationTime"));
  // A reason that is none leaves it revoked.
  if (const auto known = revocation_reason_of(reason)) read.reason = *known;
  return read;
}

Result<> check_time(const OcspStatus& status, Time now) {
  if (status.this_update <= now + kClockSkew && now - kClockSkew <= status.next_update) return {};
  return no_answer(ErrorKind::Unavailable,
                   fmt::format("it is good from {} to {}, and it is {}", to_rfc3339(status.this_update),
                               to_rfc3339(status.next_update), to_rfc3339(now)));
}

}  // namespace

Result<Bytes> make_ocsp_request(const Certificate& certificate, const Certificate& issuer, ByteView nonce) {
  const OwnErrors errors;
  if (nonce.size() > kLongestNonce)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a nonce of {} octets; at most {} are allowed", nonce.size(), kLongestNonce));
  const OcspRequestPtr request(OCSP_REQUEST_new());
  OcspCertIdPtr id(OCSP_cert_to_id(EVP_sha1(), certificate.native(), issuer.native()));
  if (!request || !id || OCSP_request_add0_id(request.get(), id.get()) == nullptr)
    return fail(take_openssl_error(ErrorKind::Internal, "making an OCSP request"));
  static_cast<void>(id.release());
  Bytes copy(nonce.begin(), nonce.end());
  if (!copy.empty() &&
      OCSP_request_add1_nonce(request.get(), copy.data(), static_cast<int>(copy.size())) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "making an OCSP request"));
  return encode<OCSP_REQUEST>(request.get(), i2d_OCSP_REQUEST);
}

Result<OcspStatus> read_ocsp_response(ByteView der, const Certificate& certificate, const Certificate& issuer,
                                      ByteView nonce, Time now) {
  const OwnErrors errors;
  if (der.size() > kMostResponseOctets)
    return fail(ErrorKind::LimitExceeded, fmt::format("an OCSP response of {} octets; at most {} are read",
                                                      der.size(), kMostResponseOctets));
  SIGNET_TRY(const OcspResponsePtr response,
             decode_der<OcspResponsePtr>(der, d2i_OCSP_RESPONSE, "OCSP response"));
  SIGNET_CHECK(check_response_status(response.get()));
  const OcspBasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return fail(take_openssl_error(ErrorKind::InvalidInput, "the OCSP responder's answer"));
  SIGNET_CHECK(check_signer(basic.get(), issuer, now));
  auto repeated = read_nonce(basic.get(), OCSP_BASICRESP_get_ext_count, OCSP_BASICRESP_get_ext);
  if (!repeated) return no_answer(repeated.error().kind, repeated.error().detail);
  if (!nonce.empty() && !repeated->empty() &&
      !std::equal(nonce.begin(), nonce.end(), repeated->begin(), repeated->end()))
    return no_answer(ErrorKind::CryptoFailure, "it was made for another question: the nonce is not ours");
  SIGNET_TRY(OCSP_SINGLERESP* const answer, answer_about(basic.get(), certificate, issuer));
  SIGNET_TRY(OcspStatus status, status_of(answer));
  SIGNET_CHECK(check_time(status, now));
  status.fresh = !nonce.empty() && !repeated->empty();
  return status;
}

}  // namespace signet::certstore
