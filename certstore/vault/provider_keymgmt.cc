#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/provider_key_internal.h"

/// Key management: what OpenSSL asks about a handle. See provider-keymgmt(7).

namespace signet::vault {
namespace {

KeyData& key_data(void* data) { return *static_cast<KeyData*>(data); }
const KeyData& key_data(const void* data) { return *static_cast<const KeyData*>(data); }

bool selects(int selection, int part) { return (selection & part) != 0; }

template <bool kEc>
void* new_key(void* /*provider*/) {
  return guarded(static_cast<void*>(nullptr), [] {
    auto data = std::make_unique<KeyData>();
    data->ec = kEc;
    return static_cast<void*>(data.release());
  });
}

void free_key(void* data) { delete static_cast<KeyData*>(data); }

/// Asked without keydata as well, for a key that is still empty.
int has(const void* data, int selection) {
  if (data == nullptr) return 0;
  const KeyData& key = key_data(data);
  if (selects(selection, OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && key.key == nullptr) return 0;
  if (selects(selection, OSSL_KEYMGMT_SELECT_PUBLIC_KEY) && !key.has_public) return 0;
  return selects(selection, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS) && !key.public_half ? 0 : 1;
}

int match(const void* left, const void* right, int selection) {
  const EVP_PKEY* const a = key_data(left).public_half.get();
  const EVP_PKEY* const b = key_data(right).public_half.get();
  if (a == nullptr || b == nullptr) return 0;
  if (selects(selection, OSSL_KEYMGMT_SELECT_KEYPAIR)) return EVP_PKEY_eq(a, b) == 1 ? 1 : 0;
  return EVP_PKEY_parameters_eq(a, b) == 1 ? 1 : 0;
}

EvpPkeyPtr curve_of(EVP_PKEY* key) {
  char group[80];
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return nullptr;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, length),
                             OSSL_PARAM_construct_end()};
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(key_library(), "EC", nullptr));
  EVP_PKEY* curve = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &curve, EVP_PKEY_KEY_PARAMETERS, parameters) != 1)
    return nullptr;
  return EvpPkeyPtr(curve);
}

/// CMS copies our key's curve into an empty key, to put the other side's point on it.
void* duplicate(const void* from, int selection) {
  return guarded(static_cast<void*>(nullptr), [&]() -> void* {
    const KeyData& original = key_data(from);
    auto copy = std::make_unique<KeyData>();
    copy->ec = original.ec;
    if (selects(selection, OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) copy->key = original.key;
    if (!original.public_half) return copy.release();
    if (original.ec && !selects(selection, OSSL_KEYMGMT_SELECT_KEYPAIR)) {
      copy->public_half = curve_of(original.public_half.get());
      return copy->public_half ? copy.release() : nullptr;
    }
    EVP_PKEY_up_ref(original.public_half.get());
    copy->public_half.reset(original.public_half.get());
    copy->has_public = original.has_public;
    return copy.release();
  });
}

/// Only open_key() and self_check() bring keys in, by address; no key material ever comes this way.
int import_key(void* data, int /*selection*/, const OSSL_PARAM parameters[]) {
  const OSSL_PARAM* const parameter = OSSL_PARAM_locate_const(parameters, kHandleParameter);
  const void* address = nullptr;
  std::size_t size = 0;
  if (parameter == nullptr || OSSL_PARAM_get_octet_ptr(parameter, &address, &size) != 1 ||
      size != sizeof(HandleImport))
    return 0;
  const auto& import = *static_cast<const HandleImport*>(address);
  KeyData& key = key_data(data);
  EVP_PKEY_up_ref(import.public_half);
  key.public_half.reset(import.public_half);
  key.key = import.key;
  key.has_public = true;
  return 1;
}

const OSSL_PARAM* import_types(int /*selection*/) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_octet_ptr(kHandleParameter, nullptr, 0), OSSL_PARAM_END};
  return types;
}

/// Refuses as soon as a private half is asked for, whatever else is: handing out the public half in its place
/// would let OpenSSL try the operation in its own provider, past the vault.
int export_key(void* data, int selection, OSSL_CALLBACK* callback, void* argument) {
  const KeyData& key = key_data(data);
  if (selects(selection, OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || !key.public_half) return 0;
  OSSL_PARAM* parameters = nullptr;
  if (EVP_PKEY_todata(key.public_half.get(), selection, &parameters) != 1) return 0;
  const int done = callback(parameters, argument);
  OSSL_PARAM_free(parameters);
  return done;
}

template <bool kEc>
const OSSL_PARAM* export_types(int selection) {
  static const OSSL_PARAM rsa[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                   OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM ec[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                  OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                  OSSL_PARAM_END};
  if (selects(selection, OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) return nullptr;
  return kEc ? ec : rsa;
}

int get_params(void* data, OSSL_PARAM parameters[]) {
  const KeyData& key = key_data(data);
  return key.public_half ? EVP_PKEY_get_params(key.public_half.get(), parameters) : 0;
}

template <bool kEc>
const OSSL_PARAM* gettable_params(void* /*provider*/) {
  static const OSSL_PARAM rsa[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                   OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                   OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                   OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                   OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                   OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                   OSSL_PARAM_END};
  static const OSSL_PARAM ec[] = {
      OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
      OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
      OSSL_PARAM_END};
  return kEc ? ec : rsa;
}

/// Puts the other side's point on the curve that duplicate() copied. The public half of a key of the vault
/// stays.
int set_params(void* data, const OSSL_PARAM parameters[]) {
  KeyData& key = key_data(data);
  const OSSL_PARAM* const point = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
  if (point == nullptr) return 1;
  if (key.key != nullptr || !key.public_half || point->data_type != OSSL_PARAM_OCTET_STRING) return 0;
  return guarded(0, [&] {
    char group[80];
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key.public_half.get(), group, sizeof group, &length) != 1) return 0;
    auto made = ec_public_key(group, {static_cast<const std::uint8_t*>(point->data), point->data_size});
    if (!made) return 0;
    key.public_half = *std::move(made);
    key.has_public = true;
    return 1;
  });
}

const OSSL_PARAM* settable_params(void* /*provider*/) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

const char* ec_operation_name(int operation) {
  if (operation == OSSL_OP_SIGNATURE) return "ECDSA";
  return operation == OSSL_OP_KEYEXCH ? "ECDH" : nullptr;
}

}  // namespace

const OSSL_DISPATCH kRsaKeyManagement[] = {entry(OSSL_FUNC_KEYMGMT_NEW, new_key<false>),
                                           entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                           entry(OSSL_FUNC_KEYMGMT_HAS, has),
                                           entry(OSSL_FUNC_KEYMGMT_MATCH, match),
                                           entry(OSSL_FUNC_KEYMGMT_DUP, duplicate),
                                           entry(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
                                           entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
                                           entry(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                           entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<false>),
                                           entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
                                           entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params<false>),
                                           {0, nullptr}};

const OSSL_DISPATCH kEcKeyManagement[] = {entry(OSSL_FUNC_KEYMGMT_NEW, new_key<true>),
                                          entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                          entry(OSSL_FUNC_KEYMGMT_HAS, has),
                                          entry(OSSL_FUNC_KEYMGMT_MATCH, match),
                                          entry(OSSL_FUNC_KEYMGMT_DUP, duplicate),
                                          entry(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
                                          entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
                                          entry(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                          entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<true>),
                                          entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
                                          entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params<true>),
                                          entry(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params),
                                          entry(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, settable_params),
                                          entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation_name),
                                          {0, nullptr}};

}  // namespace signet::vault
