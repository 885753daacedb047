#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "certstore/x509/certificate.h"

/// What is doubtful about a certificate. Findings are for people: whether one stops a message is the
/// agreement's decision.

namespace signet::certstore {

enum class CertificateProblem {
  Expired,
  ExpiresSoon,  ///< within kExpiryNotice
  NotYetValid,
  WeakKey,   ///< check_key_strength() refuses it
  KeyUsage,  ///< the key-usage extension, or the kind of key, does not allow the purpose
};

/// "expired", "expires-soon", "not-yet-valid", "weak-key", "key-usage": for JSON and the log.
std::string_view to_string(CertificateProblem problem);

/// What a certificate is relied on for. A partner's certificate that verifies has the purpose Sign, and the
/// one that we decrypt by has Encrypt: it is the certificate that is judged, whichever side holds the key.
enum class Purpose { Sign, Encrypt, Tls };

struct Finding {
  CertificateProblem problem = CertificateProblem::Expired;
  std::string
      text;  ///< one sentence that stands alone: names the certificate by its subject, says what to do

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// How long before its end a certificate is warned about.
inline constexpr std::chrono::days kExpiryNotice{30};

/// Everything that is doubtful about relying on a certificate for a purpose at a moment; empty when nothing
/// is.
///
/// Key usage, after RFC 5280 section 4.2.1.3 and RFC 8550 section 4.4.2: Sign needs digitalSignature or
/// nonRepudiation, Tls digitalSignature, Encrypt keyEncipherment for RSA and keyAgreement for EC. A
/// certificate without the extension is good for everything.
std::vector<Finding> examine(const Certificate& certificate, Purpose purpose, Time now);

}  // namespace signet::certstore
