#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/authority/actor.h"
#include "certstore/authority/group.h"
#include "certstore/vault/secret.h"
#include "certstore/x509/crl.h"

/// Requests for certificates, from their submission to the end of what was issued.

namespace signet::authority {

enum class RequestKind {
  KeyPair,  ///< the service makes the key, and hands it out once it is approved
  Signing,  ///< somebody has the key, and sent a PKCS#10 request
};
/// "keyPair", "signing".
std::string_view to_string(RequestKind kind);
Result<RequestKind> parse_request_kind(std::string_view text);

/// Of a key pair's file. Both are encrypted under the password that was given with the request.
enum class KeyFormat {
  Pfx,  ///< PKCS#12 (RFC 7292) with key and certificates: AES-256, PBKDF2 with HMAC-SHA-256
  Pem,  ///< "ENCRYPTED PRIVATE KEY" (RFC 5958), then the certificates
};
/// "PFX", "PEM".
std::string_view to_string(KeyFormat format);
/// In any case. @error InvalidInput  lists those there are.
Result<KeyFormat> parse_key_format(std::string_view text);

/// New to Approved, Rejected or Failed (of the approval; says why); Approved to Accepted; Approved and
/// Accepted to Revoked; New, Rejected and Failed to Removed. Nothing else.
enum class RequestState { New, Approved, Rejected, Failed, Accepted, Revoked, Removed };
/// "New", "Approved", "Rejected", "Failure", "Accepted", "Revoked", "Removed": as JSON and the store have
/// them.
std::string_view to_string(RequestState state);
/// Reads them in any case. @error InvalidInput  lists those there are.
Result<RequestState> parse_request_state(std::string_view text);

/// Why a certificate is revoked (RFC 5280 section 5.3.1).
using certstore::parse_revocation_reason;
using certstore::RevocationReason;
/// Whether there can be such a reason for what the service issues: for a hold, and for authorities, there is
/// none.
///
/// @error InvalidInput  lists those there are.
Result<> check_revocation_reason(RevocationReason reason);

/// A request and what came of it. Nothing in it is secret.
struct Request {
  std::string id;           ///< a GUID of the service's making
  std::int64_t record = 0;  ///< the store's: grows with each request
  std::string application;  ///< its id
  std::string group;
  RequestKind kind = RequestKind::Signing;
  RequestState state = RequestState::New;
  std::string subject;                    ///< RFC 4514; of Signing, as the PKCS#10 request has it
  std::vector<std::string> domain_names;  ///< host names and IP addresses that were asked for
  KeyFormat key_format = KeyFormat::Pfx;  ///< of KeyPair
  Bytes signing_request;                  ///< of Signing, PKCS#10, DER; erased by Rejected and Removed
  Bytes signing_request_sha256;           ///< of Signing; stays, so that it is known when it comes again

  std::optional<Certificate> certificate;   ///< from Approved on, and after Revoked too
  std::string issuer_serial;                ///< of the issuer that signed it, within the group
  std::optional<vault::SecretId> password;  ///< of KeyPair, where it lies until the approval
  std::optional<vault::SecretId> key_file;  ///< of KeyPair, where it lies from Approved to Accepted

  Stamp submitted;
  /// Who had the gateway submit it for a vault; empty for others, and where the vault does not know.
  std::string ordered_by;
  std::optional<Stamp> approved;  ///< of Failed, who had approved it
  std::optional<Stamp> rejected;
  std::optional<Stamp> accepted;
  std::optional<Stamp> revocation_requested;  ///< its next batch revokes it
  std::optional<Stamp> revoked;
  std::optional<Stamp> removed;
  std::optional<RevocationReason> revocation_reason;  ///< that was asked for, or that was stated
  std::string reason;                                 ///< of Rejected, Failed; one sentence
  std::int64_t revision = 0;                          ///< the store's, for changes that rely on what was read
};

/// What a request for a key pair says.
struct KeyPairOrder {
  std::string application;
  std::string group;
  std::string subject;  ///< RFC 4514, with a common name
  /// Joined by the hosts of the application's URLs.
  std::vector<std::string> domain_names;
  KeyFormat format = KeyFormat::Pfx;
  /// 12 to 128 octets of UTF-8 without control characters: whoever has the file tries passwords at leisure.
  SecretBytes password;
};

/// What a request for a signature says.
struct SigningOrder {
  std::string application;
  std::string group;
  Bytes request;           ///< PKCS#10, DER or PEM
  std::string ordered_by;  ///< of Request
};

/// What was issued, for its requester.
struct FetchedCertificate {
  Request request;
  std::vector<Certificate> issuers;  ///< the issuer first, then those above it
  /// Of a key pair while it is Approved: PFX or PEM, encrypted under the request's password.
  std::optional<Bytes> key_file;
};

/// Which requests are wanted; what is empty or absent is not asked about.
struct RequestFilter {
  std::string application;
  std::string group;
  std::set<RequestState> states;
  bool revocation_requested = false;  ///< those only that wait to be revoked
};

}  // namespace signet::authority
