#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/vault/provider.h"
#include "certstore/vault/provider_key_internal.h"

namespace signet::vault {
namespace {

using KeyManagementPtr = Handle<EVP_KEYMGMT, EVP_KEYMGMT_free>;
using SignaturePtr = Handle<EVP_SIGNATURE, EVP_SIGNATURE_free>;
using AsymCipherPtr = Handle<EVP_ASYM_CIPHER, EVP_ASYM_CIPHER_free>;
using KeyExchangePtr = Handle<EVP_KEYEXCH, EVP_KEYEXCH_free>;

constexpr unsigned long kOldestWithoutKnownHoles = 0x30000160;  // 3.0.22

/// A key that exists for the check alone.
class PassingKey final : public ProviderKey {
 public:
  explicit PassingKey(std::unique_ptr<const PrivateKey> key) : key_(std::move(key)) {}
  Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView digest) const override {
    return key_->sign(algorithm, digest);
  }
  Result<SecretBytes> decrypt(const EncryptionAlgorithm& algorithm, ByteView ciphertext) const override {
    return key_->decrypt(algorithm, ciphertext);
  }
  Result<SecretBytes> derive(ByteView peer_point) const override { return key_->derive(peer_point); }

 private:
  std::unique_ptr<const PrivateKey> key_;
};

Result<> expect_default(std::string_view what, const OSSL_PROVIDER* provider) {
  const std::string_view name = provider == nullptr ? "none" : OSSL_PROVIDER_get0_name(provider);
  if (name == "default") return {};
  return fail(
      ErrorKind::Internal,
      fmt::format("self-check: ordinary {} would go to OpenSSL's provider '{}' and not to 'default'; check "
                  "openssl.cnf and OPENSSL_CONF",
                  what, name));
}

Result<> check_ordinary_keys() {
  const ErrorQueueMark mark;
  for (const char* const name : {"RSA", "EC"}) {
    const KeyManagementPtr found(EVP_KEYMGMT_fetch(nullptr, name, nullptr));
    SIGNET_CHECK(expect_default(fmt::format("{} keys", name),
                                found ? EVP_KEYMGMT_get0_provider(found.get()) : nullptr));
  }
  for (const char* const name : {"RSA", "ECDSA"}) {
    const SignaturePtr found(EVP_SIGNATURE_fetch(nullptr, name, nullptr));
    SIGNET_CHECK(expect_default(fmt::format("{} signatures", name),
                                found ? EVP_SIGNATURE_get0_provider(found.get()) : nullptr));
  }
  const AsymCipherPtr cipher(EVP_ASYM_CIPHER_fetch(nullptr, "RSA", nullptr));
  SIGNET_CHECK(
      expect_default("RSA decryption", cipher ? EVP_ASYM_CIPHER_get0_provider(cipher.get()) : nullptr));
  const KeyExchangePtr exchange(EVP_KEYEXCH_fetch(nullptr, "ECDH", nullptr));
  return expect_default("ECDH", exchange ? EVP_KEYEXCH_get0_provider(exchange.get()) : nullptr);
}

bool signs_and_verifies(EVP_PKEY* key, EVP_PKEY* public_key) {
  const ByteView text = as_bytes("self-check");
  const EvpMdCtxPtr signing(EVP_MD_CTX_new());
  const EvpMdCtxPtr verifying(EVP_MD_CTX_new());
  Bytes signature(512);
  std::size_t size = signature.size();
  return EVP_DigestSignInit_ex(signing.get(), nullptr, "SHA2-256", nullptr, nullptr, key, nullptr) == 1 &&
         EVP_DigestSign(signing.get(), signature.data(), &size, text.data(), text.size()) == 1 &&
         EVP_DigestVerifyInit_ex(verifying.get(), nullptr, "SHA2-256", nullptr, nullptr, public_key,
                                 nullptr) == 1 &&
         EVP_DigestVerify(verifying.get(), signature.data(), size, text.data(), text.size()) == 1;
}

bool keeps_its_private_half(EVP_PKEY* key) {
  OSSL_PARAM* parameters = nullptr;
  const bool exported = EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parameters) == 1;
  OSSL_PARAM_free(parameters);
  return !exported;
}

Result<> check_handle() {
  const ErrorQueueMark mark;
  SIGNET_TRY(auto made, SoftwareKey::generate(KeyKind::EcP256));
  const Bytes public_key = made->public_key();
  SIGNET_TRY(const certstore::KeyHandle handle,
             make_handle(std::make_shared<const PassingKey>(std::move(made)), public_key));
  const unsigned char* at = public_key.data();
  const EvpPkeyPtr ordinary(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  if (!signs_and_verifies(handle.native(), ordinary.get()))
    return fail(
        ErrorQueueMark::newest(ErrorKind::Internal, "self-check: a handle to a vault key does not sign"));
  if (!keeps_its_private_half(handle.native()))
    return fail(ErrorKind::Internal, "self-check: a handle to a vault key gives its private half away");
  const EvpPkeyPtr fresh(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!fresh || !signs_and_verifies(fresh.get(), fresh.get()))
    return fail(ErrorQueueMark::newest(ErrorKind::Internal, "self-check: an ordinary key does not sign"));
  return {};
}

}  // namespace

Result<> self_check() {
  SIGNET_CHECK(check_ordinary_keys());
  SIGNET_CHECK(check_handle());
  return check_ordinary_keys();
}

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION); }

std::optional<std::string> openssl_version_warning(unsigned long version_number) {
  if (version_number >= kOldestWithoutKnownHoles) return std::nullopt;
  return fmt::format(
      "{} is older than 3.0.22 and has known holes in its CMS code (CVE-2026-45447, CVE-2026-34182, "
      "CVE-2026-63072): install the current libssl3 (apt-get install --only-upgrade libssl3)",
      openssl_version());
}

std::optional<std::string> openssl_version_warning() {
  return openssl_version_warning(OpenSSL_version_num());
}

}  // namespace signet::vault
