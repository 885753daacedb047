#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/params.h>

#include <memory>
#include <string>

#include "base/openssl.h"
#include "base/secret.h"
#include "certstore/vault/algorithms.h"
#include "certstore/x509/key_handle.h"

/// Internal: what the parts of the OpenSSL provider share.

namespace signet::vault {

/// Who does the work behind a handle. Thread-safe.
class ProviderKey {
 public:
  virtual ~ProviderKey() = default;
  virtual Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const = 0;
  virtual Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const = 0;
  virtual Result<SecretBytes> derive(ByteView peer_point) const = 0;
};

/// A handle whose operations go to `key`. @param public_key  SubjectPublicKeyInfo, DER.
Result<certstore::KeyHandle> make_handle(std::shared_ptr<const ProviderKey> key, ByteView public_key);

/// What OpenSSL holds for a key of ours: "keydata". Its public half is an ordinary key of key_library(),
/// which answers every question about it; there is no private half.
struct KeyData {
  bool ec = false;
  std::shared_ptr<const ProviderKey> key;  ///< none for the other side's key in a key agreement
  EvpPkeyPtr public_half;                  ///< for a mere set of parameters, without a public key
  bool has_public = false;

  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(EVP_PKEY_get_size(public_half.get()));
  }
};

/// The parameter that carries a HandleImport into the provider; nobody outside of this folder makes one.
inline constexpr char kHandleParameter[] = "vault-handle";
struct HandleImport {
  std::shared_ptr<const ProviderKey> key;
  EVP_PKEY* public_half = nullptr;
};

/// Keeps the reason of a failed operation for take_vault_refusal() and puts it into OpenSSL's error queue.
/// For a ciphertext that does not decrypt, the queue gets `library` and `reason`, which are those of
/// OpenSSL's own provider.
void report_failure(const Error& error, int library, int reason);
/// Forgets the reason of an earlier operation.
void begin_operation();

/// Calls `work` for OpenSSL, which understands no exceptions: one, which can only be memory that ran out, is
/// `failure`.
template <class Work, class Value>
Value guarded(Value failure, Work work) noexcept {
  try {
    return work();
  } catch (...) {
    ERR_raise(ERR_LIB_PROV, ERR_R_MALLOC_FAILURE);
    return failure;
  }
}

/// Functions as OpenSSL's tables hold them.
template <class Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

/// Values that OpenSSL's callers give either as a number or by name. @returns false for another type.
bool read_text(const OSSL_PARAM* parameter, std::string& text);

extern const OSSL_DISPATCH kRsaKeyManagement[];
extern const OSSL_DISPATCH kEcKeyManagement[];
extern const OSSL_DISPATCH kSignature[];
extern const OSSL_DISPATCH kDecryption[];
extern const OSSL_DISPATCH kExchange[];

}  // namespace signet::vault
