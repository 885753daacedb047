#include "certstore/vault/provider.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <utility>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/provider_key_internal.h"
#include "certstore/vault/vault.h"

namespace signet::vault {
namespace {

// The standard names: OpenSSL then finds the operations of a handle at once, and the handle is "an RSA key"
// to everybody.
constexpr char kRsaNames[] = "RSA:rsaEncryption:1.2.840.113549.1.1.1";
constexpr char kEcNames[] = "EC:id-ecPublicKey:1.2.840.10045.2.1";
constexpr char kProviderName[] = "vault";
constexpr char kProperties[] = "provider=vault";

constexpr OSSL_ALGORITHM kEnd{nullptr, nullptr, nullptr, nullptr};

const OSSL_ALGORITHM* query_operation(void* /*provider*/, int operation, int* no_cache) {
  static const OSSL_ALGORITHM key_management[] = {
      {kRsaNames, kProperties, kRsaKeyManagement, "RSA keys of the vault"},
      {kEcNames, kProperties, kEcKeyManagement, "EC keys of the vault"},
      kEnd};
  static const OSSL_ALGORITHM signature[] = {
      {kRsaNames, kProperties, kSignature, "RSA signatures of the vault"},
      {"ECDSA", kProperties, kSignature, "ECDSA signatures of the vault"},
      kEnd};
  static const OSSL_ALGORITHM decryption[] = {
      {kRsaNames, kProperties, kDecryption, "RSA decryption in the vault"}, kEnd};
  static const OSSL_ALGORITHM exchange[] = {{"ECDH", kProperties, kExchange, "ECDH in the vault"}, kEnd};
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return key_management;
    case OSSL_OP_SIGNATURE:
      return signature;
    case OSSL_OP_ASYM_CIPHER:
      return decryption;
    case OSSL_OP_KEYEXCH:
      return exchange;
    default:
      return nullptr;
  }
}

int start_provider(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*core_functions*/,
                   const OSSL_DISPATCH** functions, void** provider) {
  static const OSSL_DISPATCH table[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_operation),
                                        {0, nullptr}};
  static char state = 0;  // there is none, but OpenSSL wants an address
  *functions = table;
  *provider = &state;
  return 1;
}

/// Where handles live. Apart from the application's default context, in which a second provider of RSA can be
/// found in place of OpenSSL's own and then breaks everybody's ordinary keys. OpenSSL's provider is loaded as
/// well: encoders of public keys (for certificate requests) are looked up here. Never freed, as handles may
/// live until the process ends.
OSSL_LIB_CTX* make_handle_library() {
  OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
  if (library == nullptr || OSSL_PROVIDER_load(library, "default") == nullptr ||
      OSSL_PROVIDER_add_builtin(library, kProviderName, start_provider) != 1 ||
      OSSL_PROVIDER_load(library, kProviderName) == nullptr)
    throw std::bad_alloc();
  return library;
}

OSSL_LIB_CTX* handle_library() {
  static OSSL_LIB_CTX* const library = make_handle_library();
  return library;
}

/// A key of a vault, in somebody's name.
class VaultKey final : public ProviderKey {
 public:
  VaultKey(KeyVault& vault, Principal principal, KeyId id)
      : vault_(vault), principal_(std::move(principal)), id_(std::move(id)) {}

  Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const override {
    return vault_.sign(principal_, id_, algorithm, digest);
  }
  Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const override {
    return vault_.decrypt(principal_, id_, algorithm, ciphertext);
  }
  Result<SecretBytes> derive(ByteView peer_point) const override {
    return vault_.derive(principal_, id_, peer_point);
  }

 private:
  KeyVault& vault_;
  const Principal principal_;
  const KeyId id_;
};

std::optional<Error>& refusal() {
  thread_local std::optional<Error> last;
  return last;
}

}  // namespace

void begin_operation() { refusal().reset(); }

void report_failure(const Error& error, int library, int reason) {
  if (error.kind == ErrorKind::CryptoFailure || error.kind == ErrorKind::InvalidInput) {
    ERR_raise(library, reason);
    return;
  }
  refusal() = error;
  ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "%s", error.detail.c_str());
}

std::optional<Error> take_vault_refusal() { return std::exchange(refusal(), std::nullopt); }

bool read_text(const OSSL_PARAM* parameter, std::string& text) {
  if (parameter->data_type == OSSL_PARAM_UTF8_STRING) {
    if (parameter->data == nullptr) return false;
    text.assign(static_cast<const char*>(parameter->data));
    return true;
  }
  int number = 0;
  if (OSSL_PARAM_get_int(parameter, &number) != 1) return false;
  text = std::to_string(number);
  return true;
}

Result<certstore::KeyHandle> make_handle(std::shared_ptr<const ProviderKey> key, ByteView public_key) {
  const ErrorQueueMark mark;
  const unsigned char* at = public_key.data();
  const EvpPkeyPtr public_half(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(public_key.size()), key_library(), nullptr));
  if (!public_half)
    return fail(ErrorQueueMark::newest(ErrorKind::Internal, "reading the public half of a vault key"));
  HandleImport import{std::move(key), public_half.get()};
  void* address = &import;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_ptr(kHandleParameter, &address, sizeof import),
                             OSSL_PARAM_construct_end()};
  const char* const type = EVP_PKEY_is_a(public_half.get(), "RSA") != 0 ? "RSA" : "EC";
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(handle_library(), type, kProperties));
  EVP_PKEY* handle = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &handle, EVP_PKEY_KEYPAIR, parameters) != 1)
    return fail(ErrorQueueMark::newest(ErrorKind::Internal, "making a handle to a vault key"));
  return certstore::KeyHandle::adopt(handle);
}

Result<certstore::KeyHandle> open_key(KeyVault& vault, const Principal& principal, const KeyId& id) {
  SIGNET_TRY(const KeyInfo info, vault.get(principal, id));
  return make_handle(std::make_shared<const VaultKey>(vault, principal, info.id), info.public_key);
}

}  // namespace signet::vault
