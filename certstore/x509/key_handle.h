#pragma once

#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// A private key as OpenSSL's calls take it: a shared EVP_PKEY. For a key of the vault it is a name that the
/// vault answers to, and the private half is not in it. Copying shares the key.
class KeyHandle {
 public:
  KeyHandle() = default;
  /// Takes the reference that the caller owns.
  static KeyHandle adopt(EVP_PKEY* owned);
  KeyHandle(const KeyHandle& other);
  KeyHandle(KeyHandle&& other) noexcept;
  KeyHandle& operator=(KeyHandle other) noexcept;
  ~KeyHandle();

  [[nodiscard]] EVP_PKEY* native() const { return key_; }  ///< borrowed
  explicit operator bool() const { return key_ != nullptr; }

 private:
  EVP_PKEY* key_ = nullptr;
};

/// A certificate of ours with its key: Azure's "private certificate".
struct PrivateCertificate {
  Certificate certificate;
  KeyHandle key;
};

}  // namespace signet::certstore
