#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstring>
#include <optional>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/provider_key_internal.h"

/// Signatures: see provider-signature(7). A digest is computed here, only it goes to the vault.

namespace signet::vault {
namespace {

struct SignatureContext {
  std::shared_ptr<const ProviderKey> key;
  EvpPkeyPtr public_half;
  bool ec = false;
  bool pss = false;
  std::optional<Hash> hash;
  std::optional<Hash> mgf1_hash;
  EvpMdCtxPtr digest;
};

SignatureContext& context_of(void* context) { return *static_cast<SignatureContext*>(context); }

void* new_context(void* /*provider*/, const char* /*properties*/) {
  return guarded(static_cast<void*>(nullptr), [] { return static_cast<void*>(new SignatureContext); });
}

void free_context(void* context) { delete static_cast<SignatureContext*>(context); }

EvpPkeyPtr share(const EvpPkeyPtr& key) {
  if (key) EVP_PKEY_up_ref(key.get());
  return EvpPkeyPtr(key.get());
}

/// EVP_DigestSignFinal() works on a copy.
void* duplicate_context(void* from) {
  return guarded(static_cast<void*>(nullptr), [&]() -> void* {
    const SignatureContext& original = context_of(from);
    auto copy = std::make_unique<SignatureContext>();
    copy->key = original.key;
    copy->public_half = share(original.public_half);
    copy->ec = original.ec;
    copy->pss = original.pss;
    copy->hash = original.hash;
    copy->mgf1_hash = original.mgf1_hash;
    if (original.digest) {
      copy->digest.reset(EVP_MD_CTX_new());
      if (!copy->digest || EVP_MD_CTX_copy_ex(copy->digest.get(), original.digest.get()) != 1) return nullptr;
    }
    return copy.release();
  });
}

int refuse(const char* what) {
  ERR_raise_data(ERR_LIB_PROV, ERR_R_PASSED_INVALID_ARGUMENT, "a key of the vault does not sign %s", what);
  return 0;
}

/// SHA-256, SHA-384 and SHA-512 are what the vault signs.
std::optional<SignatureAlgorithm> algorithm_of(bool ec, bool pss, Hash hash) {
  using enum SignatureAlgorithm;
  if (hash == Hash::Sha256) return ec ? ES256 : pss ? PS256 : RS256;
  if (hash == Hash::Sha384) return ec ? ES384 : pss ? PS384 : RS384;
  if (hash == Hash::Sha512) return ec ? ES512 : pss ? PS512 : RS512;
  return std::nullopt;
}

bool set_hash(SignatureContext& context, const char* name) {
  context.hash = hash_by_openssl_name(name);
  return context.hash && algorithm_of(false, false, *context.hash);
}

bool set_padding_mode(SignatureContext& context, const OSSL_PARAM* parameter) {
  std::string mode;
  if (!read_text(parameter, mode)) return false;
  context.pss = mode == OSSL_PKEY_RSA_PAD_MODE_PSS || mode == std::to_string(RSA_PKCS1_PSS_PADDING);
  return context.pss || mode == OSSL_PKEY_RSA_PAD_MODE_PKCSV15 || mode == std::to_string(RSA_PKCS1_PADDING);
}

/// The salt is as long as the digest, also where the caller leaves the length to us.
bool salt_is_ours(const SignatureContext& context, const OSSL_PARAM* parameter) {
  std::string length;
  if (!read_text(parameter, length)) return false;
  if (length == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST || length == std::to_string(RSA_PSS_SALTLEN_DIGEST))
    return true;
  if (length == OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO || length == std::to_string(RSA_PSS_SALTLEN_AUTO))
    return true;
  return context.hash && length == std::to_string(digest_size(*context.hash));
}

int set_context_params(void* context_pointer, const OSSL_PARAM parameters[]) {
  if (parameters == nullptr) return 1;
  SignatureContext& context = context_of(context_pointer);
  return guarded(0, [&] {
    std::string name;
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_DIGEST);
        given != nullptr)
      if (!read_text(given, name) || !set_hash(context, name.c_str())) return refuse("with this hash");
    if (context.ec) return 1;
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE);
        given != nullptr)
      if (!set_padding_mode(context, given)) return refuse("with this padding");
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
        given != nullptr)
      if (!salt_is_ours(context, given)) return refuse("with a salt of another length than the digest's");
    if (const auto* given = OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
        given != nullptr) {
      if (!read_text(given, name)) return 0;
      context.mgf1_hash = hash_by_openssl_name(name.c_str());
      if (!context.mgf1_hash) return refuse("with this MGF1 hash");
    }
    return 1;
  });
}

const OSSL_PARAM* settable_context_params(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

/// The signature's AlgorithmIdentifier, as OpenSSL's own provider writes it for such a key.
bool put_algorithm_id(const SignatureContext& context, OSSL_PARAM* into) {
  if (!context.hash) return false;
  const EvpPkeyCtxPtr model(EVP_PKEY_CTX_new_from_pkey(key_library(), context.public_half.get(), nullptr));
  if (!model || EVP_PKEY_verify_init(model.get()) != 1) return false;
  if (context.pss && (EVP_PKEY_CTX_set_rsa_padding(model.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
                      EVP_PKEY_CTX_set_rsa_pss_saltlen(model.get(), RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  if (EVP_PKEY_CTX_set_signature_md(model.get(), digest_method(*context.hash)) != 1) return false;
  OSSL_PARAM asked[] = {*into, OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(model.get(), asked) != 1) return false;
  into->return_size = asked[0].return_size;
  return true;
}

bool put_mode(OSSL_PARAM* into, int number, const char* name) {
  if (into->data_type == OSSL_PARAM_UTF8_STRING) return OSSL_PARAM_set_utf8_string(into, name) == 1;
  return OSSL_PARAM_set_int(into, number) == 1;
}

int get_context_params(void* context_pointer, OSSL_PARAM parameters[]) {
  const SignatureContext& context = context_of(context_pointer);
  return guarded(0, [&] {
    const char* const hash = context.hash ? openssl_name(*context.hash) : "";
    if (auto* asked = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_ALGORITHM_ID); asked != nullptr)
      if (!put_algorithm_id(context, asked)) return 0;
    if (auto* asked = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_DIGEST); asked != nullptr)
      if (OSSL_PARAM_set_utf8_string(asked, hash) != 1) return 0;
    if (context.ec) return 1;
    if (auto* asked = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE); asked != nullptr)
      if (!put_mode(asked, context.pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING,
                    context.pss ? OSSL_PKEY_RSA_PAD_MODE_PSS : OSSL_PKEY_RSA_PAD_MODE_PKCSV15))
        return 0;
    if (auto* asked = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN); asked != nullptr)
      if (!put_mode(asked, RSA_PSS_SALTLEN_DIGEST, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST)) return 0;
    if (auto* asked = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST); asked != nullptr)
      if (OSSL_PARAM_set_utf8_string(asked, hash) != 1) return 0;
    return 1;
  });
}

const OSSL_PARAM* gettable_context_params(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

int start(SignatureContext& context, const void* key) {
  if (key != nullptr) {
    const auto& data = *static_cast<const KeyData*>(key);
    context.key = data.key;
    context.public_half = share(data.public_half);
    context.ec = data.ec;
  }
  return context.key != nullptr ? 1 : refuse("without its private half");
}

int sign_init(void* context_pointer, void* key, const OSSL_PARAM parameters[]) {
  return guarded(0, [&] {
    return start(context_of(context_pointer), key) == 1 ? set_context_params(context_pointer, parameters) : 0;
  });
}

int digest_sign_init(void* context_pointer, const char* digest_name, void* key,
                     const OSSL_PARAM parameters[]) {
  SignatureContext& context = context_of(context_pointer);
  return guarded(0, [&] {
    if (start(context, key) != 1) return 0;
    const bool named = digest_name != nullptr && *digest_name != '\0';
    if (!set_hash(context, named ? digest_name : "SHA2-256")) return refuse("with this hash");
    if (set_context_params(context_pointer, parameters) != 1) return 0;
    context.digest.reset(EVP_MD_CTX_new());
    return EVP_DigestInit_ex2(context.digest.get(), digest_method(*context.hash), nullptr);
  });
}

int digest_sign_update(void* context_pointer, const unsigned char* data, std::size_t size) {
  SignatureContext& context = context_of(context_pointer);
  return context.digest ? EVP_DigestUpdate(context.digest.get(), data, size) : 0;
}

int sign(void* context_pointer, unsigned char* out, std::size_t* out_size, std::size_t out_limit,
         const unsigned char* digest, std::size_t digest_length) {
  const SignatureContext& context = context_of(context_pointer);
  if (out == nullptr) {
    *out_size = static_cast<std::size_t>(EVP_PKEY_get_size(context.public_half.get()));
    return 1;
  }
  return guarded(0, [&] {
    begin_operation();
    // Without a hash this would be the raw operation, which signs anything.
    if (!context.hash) return refuse("without a hash");
    if (context.pss && context.mgf1_hash && context.mgf1_hash != context.hash)
      return refuse("with an MGF1 hash other than the message's");
    const auto algorithm = algorithm_of(context.ec, context.pss, *context.hash);
    if (!algorithm) return refuse("with this hash");
    Result<Bytes> signature = context.key->sign(*algorithm, {digest, digest_length});
    if (signature && context.ec) signature = ecdsa_raw_to_der(*signature);
    if (!signature) {
      report_failure(signature.error(), ERR_LIB_PROV, ERR_R_OPERATION_FAIL);
      return 0;
    }
    if (signature->size() > out_limit) return refuse("into so short a buffer");
    std::memcpy(out, signature->data(), signature->size());
    *out_size = signature->size();
    return 1;
  });
}

int digest_sign_final(void* context_pointer, unsigned char* out, std::size_t* out_size,
                      std::size_t out_limit) {
  SignatureContext& context = context_of(context_pointer);
  if (out == nullptr) return sign(context_pointer, nullptr, out_size, 0, nullptr, 0);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!context.digest || EVP_DigestFinal_ex(context.digest.get(), digest, &size) != 1) return 0;
  return sign(context_pointer, out, out_size, out_limit, digest, size);
}

}  // namespace

const OSSL_DISPATCH kSignature[] = {entry(OSSL_FUNC_SIGNATURE_NEWCTX, new_context),
                                    entry(OSSL_FUNC_SIGNATURE_FREECTX, free_context),
                                    entry(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate_context),
                                    entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),
                                    entry(OSSL_FUNC_SIGNATURE_SIGN, sign),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, digest_sign_update),
                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_sign_final),
                                    entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_context_params),
                                    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_context_params),
                                    entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_context_params),
                                    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_context_params),
                                    {0, nullptr}};

}  // namespace signet::vault
