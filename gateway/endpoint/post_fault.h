#pragma once

#include <optional>
#include <string_view>

/// Why a post failed, where programs and operators want to tell one failure from another.

namespace signet::gateway {

enum class PostFault {
  TlsUntrusted,          ///< no agreed authority vouches for the server's certificate
  TlsNotPinned,          ///< the server's certificate is none of those agreed
  TlsExpired,            ///< the server's certificate, or one above it, is no longer valid
  TlsNotYetValid,        ///< ... or not yet
  TlsNameMismatch,       ///< the server's certificate does not name the URL's host
  TlsRevoked,            ///< ... is revoked
  TlsRevocationUnknown,  ///< nobody can say whether it is, and that is asked for
  TlsRefusedByPeer,      ///< the server broke the handshake off, with an alert
  TlsNotSpoken,          ///< what answers at the URL's port does not speak TLS
  TlsFailed,             ///< another failure of TLS
  Unauthorized,          ///< HTTP 401
};

/// The word that a reason with this fault begins with, before ": ", such as "tls-expired". Those of TLS begin
/// with "tls-".
std::string_view to_string(PostFault fault);

/// The fault that a reason begins with; nothing when it is another reason.
std::optional<PostFault> fault_of(std::string_view reason);

}  // namespace signet::gateway
