#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstring>
#include <optional>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/provider_key_internal.h"

/// RSA decryption: see provider-asym_cipher(7).

namespace signet::vault {
namespace {

struct DecryptionContext {
  std::shared_ptr<const ProviderKey> key;
  std::size_t size = 0;
  bool oaep = false;
  Hash hash = Hash::Sha1;
  std::optional<Hash> mgf1_hash;  ///< as `hash` when not given
};

DecryptionContext& context_of(void* context) { return *static_cast<DecryptionContext*>(context); }

int refuse(const char* what) {
  ERR_raise_data(ERR_LIB_PROV, ERR_R_PASSED_INVALID_ARGUMENT, "a key of the vault does not decrypt %s", what);
  return 0;
}

void* new_context(void* /*provider*/) {
  return guarded(static_cast<void*>(nullptr), [] { return static_cast<void*>(new DecryptionContext); });
}

void free_context(void* context) { delete static_cast<DecryptionContext*>(context); }

void* duplicate_context(void* from) {
  return guarded(static_cast<void*>(nullptr),
                 [&] { return static_cast<void*>(new DecryptionContext(context_of(from))); });
}

/// PKCS#1 v1.5 and OAEP. Not without padding, which is raw RSA, and not for TLS's RSA key transport.
bool set_padding_mode(DecryptionContext& context, const OSSL_PARAM* parameter) {
  std::string mode;
  if (!read_text(parameter, mode)) return false;
  context.oaep = mode == OSSL_PKEY_RSA_PAD_MODE_OAEP || mode == std::to_string(RSA_PKCS1_OAEP_PADDING);
  return context.oaep || mode == OSSL_PKEY_RSA_PAD_MODE_PKCSV15 || mode == std::to_string(RSA_PKCS1_PADDING);
}

int set_context_params(void* context_pointer, const OSSL_PARAM parameters[]) {
  if (parameters == nullptr) return 1;
  DecryptionContext& context = context_of(context_pointer);
  return guarded(0, [&] {
    std::string name;
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);
        given != nullptr)
      if (!set_padding_mode(context, given)) return refuse("with this padding");
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
        given != nullptr) {
      const auto hash = read_text(given, name) ? hash_by_openssl_name(name.c_str()) : std::nullopt;
      if (!hash) return refuse("OAEP with this hash");
      context.hash = *hash;
    }
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
        given != nullptr) {
      context.mgf1_hash = read_text(given, name) ? hash_by_openssl_name(name.c_str()) : std::nullopt;
      if (!context.mgf1_hash) return refuse("OAEP with this MGF1 hash");
    }
    const auto* label = OSSL_PARAM_locate_const(parameters, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    if (label != nullptr && label->data_size != 0) return refuse("OAEP with a label");
    return 1;
  });
}

const OSSL_PARAM* settable_context_params(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM types[] = {
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, nullptr, 0),
      OSSL_PARAM_END};
  return types;
}

int decrypt_init(void* context_pointer, void* key, const OSSL_PARAM parameters[]) {
  return guarded(0, [&] {
    DecryptionContext& context = context_of(context_pointer);
    const auto& data = *static_cast<const KeyData*>(key);
    if (data.key == nullptr) return refuse("without its private half");
    context.key = data.key;
    context.size = data.size();
    return set_context_params(context_pointer, parameters);
  });
}

int decrypt(void* context_pointer, unsigned char* out, std::size_t* out_size, std::size_t out_limit,
            const unsigned char* in, std::size_t in_size) {
  const DecryptionContext& context = context_of(context_pointer);
  if (out == nullptr) {
    *out_size = context.size;
    return 1;
  }
  return guarded(0, [&] {
    begin_operation();
    if (out_limit < context.size) return refuse("into so short a buffer");
    const EncryptionAlgorithm algorithm{context.oaep, context.hash, context.mgf1_hash.value_or(context.hash)};
    const Result<SecretBytes> plaintext =
        context.key->decrypt(context.oaep ? algorithm : kRsa15, {in, in_size});
    // As OpenSSL's provider does it: 0, and its caller (CMS) goes on with a random key.
    if (!plaintext) {
      report_failure(plaintext.error(), ERR_LIB_RSA,
                     context.oaep ? RSA_R_OAEP_DECODING_ERROR : RSA_R_PADDING_CHECK_FAILED);
      return 0;
    }
    if (!plaintext->empty()) std::memcpy(out, plaintext->view().data(), plaintext->size());
    *out_size = plaintext->size();
    return 1;
  });
}

}  // namespace

const OSSL_DISPATCH kDecryption[] = {
    entry(OSSL_FUNC_ASYM_CIPHER_NEWCTX, new_context),
    entry(OSSL_FUNC_ASYM_CIPHER_FREECTX, free_context),
    entry(OSSL_FUNC_ASYM_CIPHER_DUPCTX, duplicate_context),
    entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, decrypt_init),
    entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
    entry(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, set_context_params),
    entry(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, settable_context_params),
    {0, nullptr}};

}  // namespace signet::vault
