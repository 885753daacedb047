#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/certificate_policy.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/x509/certificate.h"

/// Internal: what the secret of a certificate's name holds, and files with private keys.

namespace signet::vault {

/// For Pkcs12 a PFX with an empty passphrase in base64; for Pem a "PRIVATE KEY" and then the certificates,
/// the key's own first. `key` is null where it stays in the vault: then the certificates alone.
Result<SecretBytes> certificate_secret(CertificateContent content, const PrivateKey* key,
                                       const std::vector<certstore::Certificate>& chain);

/// What protects a file.
struct FileProtection {
  ByteView password;  ///< borrowed
  int rounds = 0;     ///< of key derivation
};

/// A PFX, DER, and a PEM text; AES-256 and SHA-256.
Result<SecretBytes> pfx_of(const PrivateKey& key, const std::vector<certstore::Certificate>& chain,
                           const FileProtection& protection);
Result<SecretBytes> encrypted_pem_of(const PrivateKey& key, const std::vector<certstore::Certificate>& chain,
                                     const FileProtection& protection);

}  // namespace signet::vault
