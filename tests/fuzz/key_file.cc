#include "certstore/vault/import.h"
#include "tests/fuzz/fuzz_target.h"

/// A key that was read from a file is one that the vault takes, and comes with certificates of its own or
/// none.

using namespace signet;
using namespace signet::vault;
using fuzz::require;

SIGNET_FUZZ_TARGET(key_file) {
  for (const char* passphrase : {static_cast<const char*>(nullptr), "secret"}) {
    std::optional<SecretBytes> secret;
    if (passphrase != nullptr) secret = SecretBytes::copy_of(std::string_view(passphrase));
    const auto imported = read_key_file(input, secret);
    if (!imported) continue;
    const auto again = read_pkcs8(imported->key.pkcs8.view());
    require(again && again->kind == imported->key.kind, "the key that was read is a key");
    require(imported->certificates.size() <= 100, "the certificates are bounded");
  }
}
