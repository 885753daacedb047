#include "certstore/vault/key_pair.h"

#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/private_key_internal.h"

namespace signet::vault {

class KeyPair::Secret {
 public:
  explicit Secret(std::unique_ptr<SoftwareKey> key) : key_(std::move(key)) {}
  [[nodiscard]] const SoftwareKey& key() const { return *key_; }

 private:
  std::unique_ptr<SoftwareKey> key_;
};

KeyPair::KeyPair(std::unique_ptr<Secret> secret) : secret_(std::move(secret)) {}
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;
KeyPair::~KeyPair() = default;

Result<KeyPair> KeyPair::generate(KeyKind kind) {
  SIGNET_TRY(auto key, SoftwareKey::generate(kind));
  return KeyPair(std::make_unique<Secret>(std::move(key)));
}

const Bytes& KeyPair::public_key() const { return secret_->key().public_key(); }

Result<SecretBytes> KeyPair::to_pfx(const std::vector<certstore::Certificate>& chain,
                                    const SecretBytes& password) const {
  return pfx_of(secret_->key(), chain, {password.view(), kKeyFileRounds});
}

Result<SecretBytes> KeyPair::to_pem(const std::vector<certstore::Certificate>& chain,
                                    const SecretBytes& password) const {
  return encrypted_pem_of(secret_->key(), chain, {password.view(), kKeyFileRounds});
}

}  // namespace signet::vault
