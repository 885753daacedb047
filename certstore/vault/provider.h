#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/key.h"
#include "certstore/x509/key_handle.h"

/// Keys of the vault as OpenSSL sees them: a small built-in OpenSSL provider, in a library context of its
/// own, turns the operations on a handle into operations of the vault. CMS and TLS of the default context
/// take such handles as they take any EVP_PKEY.

namespace signet::vault {

class KeyVault;

/// A handle to a key of the vault, for signing (RSA PKCS#1 v1.5 and PSS with a salt as long as the digest,
/// ECDSA; SHA-256, SHA-384, SHA-512), decrypting (RSA PKCS#1 v1.5, OAEP) and key agreement (ECDH). Raw RSA,
/// SHA-1 and MD5 signatures and TLS's RSA key transport are refused. Only the public half can be exported. To
/// verify or encrypt, use the certificate's public key.
///
/// Each operation is done in the name of `principal`, for the message of the thread's AuditScope, and asks
/// policy, attributes and audit log anew. An empty version is settled here: the handle stays with that
/// version.
///
/// The vault must outlive the handle and everything that shares it (an SSL_CTX, for one).
///
/// @error PermissionDenied  the principal lacks `get`.  @error NotFound
Result<certstore::KeyHandle> open_key(KeyVault& vault, const Principal& principal, const KeyId& id);

/// Why the vault refused or failed the last operation on a handle in this thread; empties it. Nothing when
/// the vault did the work, and nothing for a ciphertext or a signature that did not hold, which must look
/// like any other failure.
///
/// OpenSSL loses the reason on its way out of CMS and TLS, and CMS_decrypt goes on with a random key: ask
/// here after it failed, to tell the operator which permission is missing.
std::optional<Error> take_vault_refusal();

/// Proves that ordinary keys still go to OpenSSL's own provider, before and after an operation through ours,
/// and that a handle signs and keeps its private half. To be called once, at the start, by everything that
/// opens a vault.
///
/// @error Internal  says what was found.
Result<> self_check();

/// "OpenSSL 3.0.22 25 Aug 2026": the library that runs, not the one that was compiled against.
std::string openssl_version();

/// What to tell the operator when that library is older than 3.0.22 and thus has known holes in its CMS code
/// (CVE-2026-45447, CVE-2026-34182, CVE-2026-63072); nothing when it is not.
std::optional<std::string> openssl_version_warning();

/// The same for a given OPENSSL_VERSION_NUMBER, e.g. 0x30000160 for 3.0.22.
std::optional<std::string> openssl_version_warning(unsigned long version_number);

}  // namespace signet::vault
