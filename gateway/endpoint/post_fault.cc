#include "gateway/endpoint/post_fault.h"

#include <array>

namespace signet::gateway {
namespace {

constexpr std::array kAll = {
    PostFault::TlsRevoked,      PostFault::TlsRevocationUnknown, PostFault::TlsUntrusted,
    PostFault::TlsNotPinned,    PostFault::TlsExpired,           PostFault::TlsNotYetValid,
    PostFault::TlsNameMismatch, PostFault::TlsRefusedByPeer,     PostFault::TlsNotSpoken,
    PostFault::TlsFailed,       PostFault::Unauthorized,
};

}  // namespace

std::string_view to_string(PostFault fault) {
  switch (fault) {
    case PostFault::TlsUntrusted:
      return "tls-untrusted";
    case PostFault::TlsNotPinned:
      return "tls-not-pinned";
    case PostFault::TlsExpired:
      return "tls-expired";
    case PostFault::TlsNotYetValid:
      return "tls-not-yet-valid";
    case PostFault::TlsNameMismatch:
      return "tls-name-mismatch";
    case PostFault::TlsRevoked:
      return "tls-revoked";
    case PostFault::TlsRevocationUnknown:
      return "tls-revocation-unknown";
    case PostFault::TlsRefusedByPeer:
      return "tls-refused-by-peer";
    case PostFault::TlsNotSpoken:
      return "tls-not-spoken";
    case PostFault::TlsFailed:
      return "tls-failed";
    case PostFault::Unauthorized:
      return "unauthorized";
  }
  return "";
}

std::optional<PostFault> fault_of(std::string_view reason) {
  const std::string_view word = reason.substr(0, reason.find(": "));
  for (const PostFault fault : kAll)
    if (word == to_string(fault) && word.size() < reason.size()) return fault;
  return std::nullopt;
}

}  // namespace signet::gateway
