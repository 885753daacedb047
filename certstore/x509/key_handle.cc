#include "certstore/x509/key_handle.h"

#include <openssl/evp.h>

#include <utility>

namespace signet::certstore {

KeyHandle KeyHandle::adopt(EVP_PKEY* owned) {
  KeyHandle handle;
  handle.key_ = owned;
  return handle;
}
KeyHandle::KeyHandle(const KeyHandle& other) : key_(other.key_) {
  if (key_ != nullptr) EVP_PKEY_up_ref(key_);
}
KeyHandle::KeyHandle(KeyHandle&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
KeyHandle& KeyHandle::operator=(KeyHandle other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}
KeyHandle::~KeyHandle() { EVP_PKEY_free(key_); }

}  // namespace signet::certstore
