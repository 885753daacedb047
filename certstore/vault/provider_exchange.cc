#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <cstring>
#include <optional>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/provider_key_internal.h"

/// ECDH: see provider-keyexch(7). The vault does the multiplication; CMS's key derivation (RFC 5753) is done
/// here.

namespace signet::vault {
namespace {

using KdfPtr = Handle<EVP_KDF, EVP_KDF_free>;
using KdfCtxPtr = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

/// Octets of key that X9.63 may be asked for: more than any cipher's.
constexpr std::size_t kMaxDerived = 1024;

struct ExchangeContext {
  std::shared_ptr<const ProviderKey> key;
  std::size_t secret_size = 0;
  Bytes peer_point;
  bool x963 = false;
  Hash hash = Hash::Sha1;
  std::size_t derived_size = 0;
  Bytes shared_info;
};

ExchangeContext& context_of(void* context) { return *static_cast<ExchangeContext*>(context); }

int refuse(const char* what) {
  ERR_raise_data(ERR_LIB_PROV, ERR_R_PASSED_INVALID_ARGUMENT, "a key of the vault does not agree on a key %s",
                 what);
  return 0;
}

void* new_context(void* /*provider*/) {
  return guarded(static_cast<void*>(nullptr), [] { return static_cast<void*>(new ExchangeContext); });
}

void free_context(void* context) { delete static_cast<ExchangeContext*>(context); }

void* duplicate_context(void* from) {
  return guarded(static_cast<void*>(nullptr),
                 [&] { return static_cast<void*>(new ExchangeContext(context_of(from))); });
}

bool set_kdf(ExchangeContext& context, const OSSL_PARAM parameters[]) {
  std::string text;
  if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_TYPE);
      given != nullptr) {
    if (!read_text(given, text)) return false;
    context.x963 = text == OSSL_KDF_NAME_X963KDF;
    if (!context.x963 && !text.empty()) return false;
  }
  if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_DIGEST);
      given != nullptr) {
    const auto hash = read_text(given, text) ? hash_by_openssl_name(text.c_str()) : std::nullopt;
    if (!hash) return false;
    context.hash = *hash;
  }
  if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
      given != nullptr)
    if (OSSL_PARAM_get_size_t(given, &context.derived_size) != 1 || context.derived_size > kMaxDerived)
      return false;
  if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_EXCHANGE_PARAM_KDF_UKM);
      given != nullptr) {
    if (given->data_type != OSSL_PARAM_OCTET_STRING) return false;
    const auto* const data = static_cast<const std::uint8_t*>(given->data);
    context.shared_info.assign(data, data + given->data_size);
  }
  return true;
}

int set_context_params(void* context_pointer, const OSSL_PARAM parameters[]) {
  if (parameters == nullptr) return 1;
  return guarded(0, [&] {
    // The cofactor of the NIST curves is 1: with or without it, the result is the same.
    return set_kdf(context_of(context_pointer), parameters) ? 1 : refuse("with this key derivation");
  });
}

const OSSL_PARAM* settable_context_params(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, nullptr),
                                     OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST_PROPS, nullptr, 0),
                                     OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, nullptr),
                                     OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

int init(void* context_pointer, void* key, const OSSL_PARAM parameters[]) {
  return guarded(0, [&] {
    ExchangeContext& context = context_of(context_pointer);
    const auto& data = *static_cast<const KeyData*>(key);
    if (data.key == nullptr) return refuse("without its private half");
    context.key = data.key;
    context.secret_size = static_cast<std::size_t>(EVP_PKEY_get_bits(data.public_half.get()) + 7) / 8;
    return set_context_params(context_pointer, parameters);
  });
}

int set_peer(void* context_pointer, void* peer) {
  return guarded(0, [&] {
    const auto& data = *static_cast<const KeyData*>(peer);
    if (!data.has_public) return refuse("without the other side's public key");
    unsigned char* point = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(data.public_half.get(), &point);
    const OpensslMemory owned(point);
    if (size == 0) return 0;
    context_of(context_pointer).peer_point.assign(point, point + size);
    return 1;
  });
}

/// ANSI X9.63 section 5.6.3, over what both sides computed.
bool stretch(const ExchangeContext& context, const SecretBytes& secret, unsigned char* out) {
  static const KdfPtr x963(EVP_KDF_fetch(key_library(), OSSL_KDF_NAME_X963KDF, nullptr));
  const KdfCtxPtr kdf(EVP_KDF_CTX_new(x963.get()));
  std::string hash = openssl_name(context.hash);
  Bytes info = context.shared_info;
  SecretBytes z = SecretBytes::copy_of(secret.view());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), hash.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z.writable().data(), z.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  return kdf && EVP_KDF_derive(kdf.get(), out, context.derived_size, parameters) == 1;
}

int derive(void* context_pointer, unsigned char* out, std::size_t* out_size, std::size_t out_limit) {
  const ExchangeContext& context = context_of(context_pointer);
  const std::size_t size = context.x963 ? context.derived_size : context.secret_size;
  if (out == nullptr) {
    *out_size = size;
    return 1;
  }
  return guarded(0, [&] {
    begin_operation();
    if (out_limit < size) return refuse("into so short a buffer");
    const Result<SecretBytes> secret = context.key->derive(context.peer_point);
    if (!secret) {
      report_failure(secret.error(), ERR_LIB_EC, EC_R_SHARED_INFO_ERROR);
      return 0;
    }
    *out_size = size;
    if (context.x963) return stretch(context, *secret, out) ? 1 : 0;
    if (secret->size() != size) return 0;
    std::memcpy(out, secret->view().data(), size);
    return 1;
  });
}

}  // namespace

const OSSL_DISPATCH kExchange[] = {entry(OSSL_FUNC_KEYEXCH_NEWCTX, new_context),
                                   entry(OSSL_FUNC_KEYEXCH_FREECTX, free_context),
                                   entry(OSSL_FUNC_KEYEXCH_DUPCTX, duplicate_context),
                                   entry(OSSL_FUNC_KEYEXCH_INIT, init),
                                   entry(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
                                   entry(OSSL_FUNC_KEYEXCH_DERIVE, derive),
                                   entry(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, set_context_params),
                                   entry(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, settable_context_params),
                                   {0, nullptr}};

}  // namespace signet::vault
