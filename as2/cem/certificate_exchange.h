#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/stream.h"
#include "certstore/x509/certificate.h"

/// Certificate Exchange Messaging: what one partner announces and the other answers, as the content of AS2
/// messages [draft-meadors-certificate-exchange-14]. A multipart/related whose root is XML in the namespace
/// urn:ietf:params:xml:ns:ediintcertificateexchange; certificates are parts of their own, PKCS#7 without
/// content and signers, that the XML names by their Content-IDs.
///
/// Nothing here says whom to believe: that is told by the signature of the message around it.

namespace signet::as2::cem {

/// What a certificate is for.
enum class CertificateUsage { DigitalSignature, KeyEncipherment, TlsClient, TlsServer };
/// "digitalSignature", "keyEncipherment", "tlsClient", "tlsServer": CertUsage.
std::string_view to_string(CertificateUsage usage);
/// With a comma and a space between.
std::string to_string(const std::vector<CertificateUsage>& usages);
/// @error InvalidInput  another word.
Result<std::vector<CertificateUsage>> parse_usages(std::string_view text);

/// Names a certificate. The issuer's name is text that everybody writes in another way, so that only serial
/// numbers are compared.
struct CertificateIdentifier {
  std::string issuer;  ///< RFC 2253
  std::string serial;  ///< decimal

  friend bool operator==(const CertificateIdentifier&, const CertificateIdentifier&) = default;
};
CertificateIdentifier identifier_of(const certstore::Certificate& certificate);

struct TrustRequest {
  std::vector<CertificateUsage> usages;  ///< one at least, each once
  std::optional<Time> respond_by;
  std::string response_url;
  certstore::Certificate certificate;
};

struct Request {
  std::string request_id;
  std::string sender;  ///< his AS2 name
  Time originated{};
  std::vector<TrustRequest> certificates;  ///< one at least; one that was named several times is there once
};

struct TrustResponse {
  bool accepted = false;
  std::string reason;  ///< of a rejection; may be empty
  CertificateIdentifier certificate;
};

struct Response {
  std::string request_id;  ///< that of the request
  std::string sender;
  Time originated{};
  std::vector<TrustResponse> certificates;  ///< one at least
};

using Exchange = std::variant<Request, Response>;

/// What is sent under an agreement, as any document.
struct Composed {
  std::string content_type;  ///< with boundary and type
  std::string body;          ///< 7bit
};

/// @error Internal  a certificate cannot be written.
Result<Composed> compose(const Request& request);
Composed compose(const Response& response);

/// Whether a payload of this content type is one of these messages: a multipart/related of
/// application/ediint-cert-exchange+xml, or that alone.
bool is_exchange(std::string_view content_type);

/// Reads what is_exchange(). Strict: what the namespace does not have, what is missing or there twice is
/// refused; elements of other namespaces, and the chain that may come along, are left unread. At most 64
/// parts, 256 KiB of XML and 32 certificates in it; a document type is refused.
///
/// @error InvalidInput   anything wrong; says what was expected and what was found.
/// @error LimitExceeded  more than that.
/// @error IoFailure      the spool.
Result<Exchange> parse(std::string_view content_type, const Slice& body, const SpoolArea& area);

}  // namespace signet::as2::cem
