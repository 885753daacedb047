#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/import.h"

/// Internal: PKCS#12 files (RFC 7292) and encrypted PKCS#8 keys, with an eye on the work that they ask for.

namespace signet::vault {

/// Rounds of key derivation that one file has left. A file names its own number of rounds, several times:
/// without a bound on their sum a few octets could keep a processor busy for days.
class KeyDerivationBudget {
 public:
  /// @error LimitExceeded  says how many were asked for. @error InvalidInput  no positive number.
  Result<> spend(std::int64_t rounds);

 private:
  std::int64_t left_ = kMaxKeyDerivationRounds;
};

struct Pkcs12Contents {
  std::vector<SecretBytes> keys;  ///< PrivateKeyInfo, DER
  std::vector<Bytes> certificates;
};

/// Errors as read_key_file().
Result<Pkcs12Contents> read_pkcs12(ByteView file, const std::optional<SecretBytes>& passphrase);

/// Reads EncryptedPrivateKeyInfo. Errors as read_key_file().
Result<SecretBytes> decrypt_pkcs8(ByteView der, const std::optional<SecretBytes>& passphrase,
                                  KeyDerivationBudget& budget);

}  // namespace signet::vault
