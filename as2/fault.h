#pragma once

#include <string>
#include <tl/expected.hpp>

#include "base/result.h"

/// What can be wrong with a partner's message, as far as the partner is told, kept apart by type from why,
/// which only the operator is told.

namespace signet::as2 {

/// One for each thing that a receipt can say (RFC 4130 section 7.4, RFC 5402, draft rfc4130bis).
/// disposition_for() in disposition.h turns it into the wire's words; a fault without words does not compile.
enum class Fault {
  DecryptionFailed,  ///< whatever went wrong while decrypting: padding, tag, key, structure. One word for all
                     ///< of them
  AuthenticationFailed,         ///< the signer is not the agreement's, or the signature does not hold
  IntegrityCheckFailed,         ///< the signed digest is not the content's
  DecompressionFailed,          ///< bad zlib data, or more of it than allowed
  InsufficientMessageSecurity,  ///< not signed, encrypted or compressed though the agreement demands it; or
                                ///< too weakly
  UnknownTradingRelationship,   ///< no agreement for this pair of AS2 names
  InvalidMessageId,
  IllegalFileName,  ///< in receipts of others only, as is the next: files have names of ours
  DuplicateFileName,
  DuplicateDocument,
  SenderEqualsReceiver,
  UnsupportedFormat,          ///< a receipt was asked for in a format we do not speak
  UnsupportedMicAlgorithms,   ///< a receipt was asked for with none but unknown hash algorithms
  UnexpectedProcessingError,  ///< everything else: our disk, our vault, a MIME structure that cannot be read
};

/// A message turned down: what the partner hears, and what the operator reads.
struct Refusal {
  Fault fault = Fault::UnexpectedProcessingError;
  Error cause;
};

/// The outcome of one step of a message's way.
template <class T = void>
class [[nodiscard]] Step : public tl::expected<T, Refusal> {
 public:
  using tl::expected<T, Refusal>::expected;
};

[[nodiscard]] inline tl::unexpected<Refusal> refuse(Fault fault, ErrorKind kind, std::string detail) {
  return tl::unexpected<Refusal>(Refusal{fault, Error{kind, std::move(detail)}});
}
[[nodiscard]] inline tl::unexpected<Refusal> refuse(Fault fault, Error cause) {
  return tl::unexpected<Refusal>(Refusal{fault, std::move(cause)});
}

/// Turns a failed Result into a refusal with this fault.
template <class T>
[[nodiscard]] Step<T> or_refuse(Fault fault, Result<T> result) {
  if (!result) return refuse(fault, std::move(result).error());
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return *std::move(result);
}

}  // namespace signet::as2
