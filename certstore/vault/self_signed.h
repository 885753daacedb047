#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/key.h"
#include "certstore/x509/certificate.h"

namespace signet::vault {

class KeyVault;

/// What a new self-signed certificate says of its holder.
struct SelfSignedSettings {
  std::string common_name;   ///< 1 to 64 characters of UTF-8 (RFC 5280's upper bound)
  std::string organisation;  ///< absent when empty
  std::string dns_name;      ///< subject alternative name, for TLS; absent when empty
  Time not_before{};
  std::chrono::days validity{730};  ///< 1 to 3650 days
};

/// Makes a certificate for a key of the vault, signed by that key: what most AS2 partners exchange (RFC 4130
/// section 8 allows it; trust comes from the agreement). Its key usage covers signatures and encryption. The
/// principal needs `get` and `sign`.
///
/// @error InvalidInput  a name or a validity outside the bounds above.  @error PermissionDenied, NotFound the
/// vault.
Result<certstore::Certificate> make_self_signed(KeyVault& vault, const Principal& principal, const KeyId& key,
                                                const SelfSignedSettings& settings);

}  // namespace signet::vault
