#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/crl.h"
#include "certstore/x509/issue.h"

/// The Online Certificate Status Protocol (RFC 6960): what a responder reads and signs, and what its client
/// asks and checks. Octets in, octets out; no network, no storage.

namespace signet::certstore {

/// Whom a question is about (CertID, RFC 6960 section 4.1.1): the issuer by hashes of its name and key, and a
/// serial number.
struct OcspCertificateId {
  /// DER, which an answer repeats. Of one certificate there are eight at the most that mean a known issuer:
  /// four hashes, each without parameters or with NULL for them.
  Bytes der;
  std::string serial;  ///< upper-case hexadecimal, as Certificate::serial()

  /// Whether the issuer that is meant is this one, by SHA-1, SHA-256, SHA-384 or SHA-512.
  [[nodiscard]] bool is_of(const Certificate& issuer) const;
};

struct OcspRequest {
  std::vector<OcspCertificateId> wanted;  ///< one at least
  Bytes nonce;                            ///< 1 to 32 octets (RFC 8954 section 2.1); empty when there is none

  /// Reads a request of anybody: DER of at most 16 KiB, at most 32 questions. A signature on it is not looked
  /// at: nothing hangs on who asks.
  ///
  /// @error InvalidInput   none, octets after its end, no question, a serial number of over 32 octets, a hash
  ///                       with parameters other than NULL, a nonce of none or over 32 octets, a critical
  ///                       extension that is not known: answer MalformedRequest.  @error LimitExceeded
  ///                       likewise.
  static Result<OcspRequest> parse(ByteView der);
};

enum class CertificateStatus { Good, Revoked, Unknown };
/// "good", "revoked", "unknown": RFC 6960's words.
std::string_view to_string(CertificateStatus status);

/// What a responder says of one certificate.
struct OcspAnswer {
  OcspCertificateId id;
  CertificateStatus status = CertificateStatus::Unknown;
  Time revoked{};  ///< of a revoked one
  RevocationReason reason = RevocationReason::Unspecified;
};

struct OcspContents {
  std::vector<OcspAnswer> answers;  ///< one at least
  Time produced_at{};               ///< now; whole seconds count in all times
  Time this_update{};               ///< when the answers were known to be right
  Time next_update{};               ///< when there will be newer ones, at the latest
  Bytes nonce;                      ///< of the request, to be repeated; empty for none
};

/// Makes a signed answer (a basic response), DER. The responder is named by its key's hash.
///
/// @param responder  the issuer of the certificates asked about, or a delegate: a certificate by that issuer
///                   with the extended key usage OCSPSigning, which goes along with the answer
/// @error InvalidInput   no answers, dates that leave no time, a nonce that is too long, a responder that is
///                       neither, or whose key is another.
/// @error CryptoFailure  the key does not sign. Where it lies in a vault, vault::take_vault_refusal() says
///                       why.
Result<Bytes> make_ocsp_response(const SigningKey& key, const Certificate& responder,
                                 const OcspContents& contents);

/// Why there is no answer; the values are RFC 6960's (section 4.2.1).
enum class OcspRefusal { MalformedRequest = 1, InternalError = 2, TryLater = 3, Unauthorized = 6 };

/// An answer that is none, unsigned, DER.
Bytes make_ocsp_refusal(OcspRefusal refusal);

/// The object identifier of the extended key usage OCSPSigning (RFC 6960 section 4.2.2.2).
inline constexpr std::string_view kOcspSigning = "1.3.6.1.5.5.7.3.9";

/// Asks about one certificate: a request to be posted to its issuer's responder, DER. The issuer is named by
/// SHA-1, which every responder knows (RFC 5019 section 2.1.1), and on which nothing hangs.
///
/// @param nonce  1 to 32 random octets, or none  @error InvalidInput  more.
Result<Bytes> make_ocsp_request(const Certificate& certificate, const Certificate& issuer, ByteView nonce);

/// What a responder's answer says, once it was found to be one.
struct OcspStatus {
  CertificateStatus status = CertificateStatus::Unknown;
  Time revoked{};
  RevocationReason reason = RevocationReason::Unspecified;
  Time this_update{};
  Time next_update{};
  bool fresh = false;  ///< it repeats our nonce, so it was made for us; without one it may be a stored one
};

/// Reads a responder's answer about one certificate: DER of at most 64 KiB.
///
/// It counts when it is signed by the issuer, or by a delegate that the issuer itself gave a certificate for
/// OCSPSigning, valid now, with a signature by SHA-256 or better; when it speaks of this certificate, once;
/// and when its time is now, give or take five minutes. The delegate's own revocation is not asked about.
///
/// @param issuer  of the certificate
/// @param nonce   that was sent; empty when none was
/// @error Unavailable    the responder says it cannot answer (tryLater, internalError), or its answer is too
///                       old or from the future.
/// @error InvalidInput   it is no answer, says nothing of the certificate, does not say until when it is
/// good,
///                       or refuses.
/// @error CryptoFailure  nobody signed it who may, or it repeats another nonce.
/// @error Unsupported    a signature by SHA-1 and the like; a critical extension that is not known.
/// @error LimitExceeded
Result<OcspStatus> read_ocsp_response(ByteView der, const Certificate& certificate, const Certificate& issuer,
                                      ByteView nonce, Time now);

}  // namespace signet::certstore
