#include "certstore/vault/key_library_internal.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <array>
#include <new>

namespace signet::vault {
namespace {

struct DigestMethod {
  Hash hash;
  const char* name;
  EVP_MD* method;
};

OSSL_LIB_CTX* make_key_library() {
  OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
  if (library == nullptr || OSSL_PROVIDER_load(library, "default") == nullptr) throw std::bad_alloc();
  return library;
}

DigestMethod fetch(Hash hash, const char* name) {
  EVP_MD* const method = EVP_MD_fetch(key_library(), name, nullptr);
  if (method == nullptr) throw std::bad_alloc();
  return {hash, name, method};
}

const std::array<DigestMethod, 5>& digest_methods() {
  static const std::array<DigestMethod, 5> methods{
      fetch(Hash::Sha1, "SHA1"), fetch(Hash::Sha224, "SHA2-224"), fetch(Hash::Sha256, "SHA2-256"),
      fetch(Hash::Sha384, "SHA2-384"), fetch(Hash::Sha512, "SHA2-512")};
  return methods;
}

}  // namespace

// Never freed: keys that live until the process ends refer to it.
OSSL_LIB_CTX* key_library() {
  static OSSL_LIB_CTX* const library = make_key_library();
  return library;
}

const char* openssl_name(Hash hash) {
  for (const DigestMethod& method : digest_methods())
    if (method.hash == hash) return method.name;
  return "";
}

std::optional<Hash> hash_by_openssl_name(const char* name) {
  for (const DigestMethod& method : digest_methods())
    if (EVP_MD_is_a(method.method, name) != 0) return method.hash;
  return std::nullopt;
}

const EVP_MD* digest_method(Hash hash) {
  for (const DigestMethod& method : digest_methods())
    if (method.hash == hash) return method.method;
  return nullptr;
}

Error ErrorQueueMark::newest(ErrorKind kind, std::string_view what) {
  std::string detail(what);
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    const char* const reason = ERR_reason_error_string(code);
    detail.append(": ").append(reason != nullptr ? reason : "OpenSSL error " + std::to_string(code));
  }
  return Error{kind, std::move(detail)};
}

}  // namespace signet::vault
