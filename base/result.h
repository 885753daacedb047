#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

/// Errors as values. Whatever a partner, a file or an operator can cause comes back as a `Result`;
/// exceptions are left for programming errors and for memory that has run out.

namespace signet {

/// Who has to act, and how; callers branch on this and never on an error's text.
enum class ErrorKind {
  InvalidInput,           ///< the bytes or words given do not say what they must
  NotFound,               ///< a name that nothing answers to
  AlreadyExists,          ///< a name that is taken, or a change that contradicts what is there
  DeletedButRecoverable,  ///< a name that is taken by something deleted, until that is recovered or purged
  PermissionDenied,       ///< an access policy says no
  Disabled,               ///< it is there, and its owner has switched it off
  LimitExceeded,          ///< larger, deeper or more than allowed
  Unsupported,            ///< understood, and not offered
  CryptoFailure,          ///< a signature, a decryption or a key that does not hold
  IoFailure,              ///< a disk or a connection
  Unavailable,            ///< not now: try again later
  Internal,               ///< our own mistake
};

/// The kind's name as it stands in logs and JSON, e.g. "InvalidInput".
std::string_view to_string(ErrorKind kind);

/// Why something failed. `detail` is for the operator: what was expected, what came, where, and what to
/// do. It never goes to a trading partner and never holds a secret.
struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string detail;

  /// The same error, told with its surroundings: "reading agreement 'x': <detail>".
  [[nodiscard]] Error within(std::string_view context) && {
    detail.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
};

/// Whether what is wrong is on our side, and may be over by the next attempt: the disk, the vault.
[[nodiscard]] inline bool is_our_trouble(const Error& error) {
  return error.kind == ErrorKind::IoFailure || error.kind == ErrorKind::Unavailable ||
         error.kind == ErrorKind::PermissionDenied || error.kind == ErrorKind::Disabled;
}

/// A T, or why there is none. A class of its own, not an alias, so that a dropped one is a compiler's
/// warning.
template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// Makes the failing side of any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string detail) {
  return tl::unexpected<Error>(Error{kind, std::move(detail)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace signet

#define SIGNET_CONCAT_INNER(a, b) a##b
#define SIGNET_CONCAT(a, b) SIGNET_CONCAT_INNER(a, b)

/// SIGNET_TRY(const Mic mic, parse_mic(text)); declares `mic`, or returns the error to the caller.
#define SIGNET_TRY(declaration, ...)                                                \
  auto SIGNET_CONCAT(signet_try_, __LINE__) = (__VA_ARGS__);                        \
  if (!SIGNET_CONCAT(signet_try_, __LINE__)) [[unlikely]]                           \
    return tl::unexpected(std::move(SIGNET_CONCAT(signet_try_, __LINE__)).error()); \
  declaration = *std::move(SIGNET_CONCAT(signet_try_, __LINE__))

/// SIGNET_CHECK(store.commit(...)); returns the error of a Result that carries no value.
#define SIGNET_CHECK(...)                                     \
  do {                                                        \
    auto signet_check = (__VA_ARGS__);                        \
    if (!signet_check) [[unlikely]]                           \
      return tl::unexpected(std::move(signet_check).error()); \
  } while (false)
