#include "base/openssl_keys.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <new>

namespace signet {
namespace {

using ParameterBuilderPtr = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParametersPtr = Handle<OSSL_PARAM, OSSL_PARAM_free>;

}  // namespace

Result<EvpPkeyPtr> rsa_public_key(OSSL_LIB_CTX* library, ByteView modulus, ByteView exponent) {
  const BignumPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const BignumPtr e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const ParameterBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    throw std::bad_alloc();
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(library, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "an RSA key of these numbers"));
  return EvpPkeyPtr(key);
}

}  // namespace signet
