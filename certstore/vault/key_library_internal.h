#pragma once

#include <openssl/types.h>

#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/openssl.h"

/// Internal: OpenSSL as the vault uses it for the keys themselves, apart from the application's default
/// context and from the one that the provider of the handles lives in.

namespace signet::vault {

/// A library context with OpenSSL's default provider and nothing else, whatever openssl.cnf says: no legacy
/// provider, and no way back into our own. Lives as long as the process.
OSSL_LIB_CTX* key_library();

/// OpenSSL's name of a hash, e.g. "SHA2-256".
const char* openssl_name(Hash hash);
/// The hash that OpenSSL calls by this name (any of its aliases), if the vault offers it.
std::optional<Hash> hash_by_openssl_name(const char* name);
/// A fetched digest of key_library(); borrowed, lives as long as the process.
const EVP_MD* digest_method(Hash hash);

/// Leaves OpenSSL's error queue as it was found. The vault works inside of OpenSSL's own calls, whose earlier
/// errors and marks are not the vault's to take.
class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
  ErrorQueueMark(const ErrorQueueMark&) = delete;
  ErrorQueueMark& operator=(const ErrorQueueMark&) = delete;

  /// "<what>: <the newest reason>".
  [[nodiscard]] static Error newest(ErrorKind kind, std::string_view what);
};

}  // namespace signet::vault
