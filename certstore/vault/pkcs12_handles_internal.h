#pragma once

#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

#include "base/openssl.h"

/// Internal: handles for the parts of PKCS#12 files.

namespace signet::vault {

inline void free_safe_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
inline void free_auth_safes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }
using SafeBagsPtr = Handle<STACK_OF(PKCS12_SAFEBAG), free_safe_bags>;
using AuthSafesPtr = Handle<STACK_OF(PKCS7), free_auth_safes>;

}  // namespace signet::vault
