#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <algorithm>

#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/pkcs12_handles_internal.h"

namespace signet::vault {
namespace {

constexpr int kRounds = 2048;  // with an empty passphrase more would protect nothing

using SafeBagPtr = Handle<PKCS12_SAFEBAG, PKCS12_SAFEBAG_free>;
using X509SigPtr = Handle<X509_SIG, X509_SIG_free>;

Error failed_at(std::string_view what) { return take_openssl_error(ErrorKind::Internal, what); }

SecretBytes contents_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return SecretBytes::copy_of(std::string_view(data, size > 0 ? static_cast<std::size_t>(size) : 0));
}

SecretBytes to_base64(const SecretBytes& octets) {
  const std::size_t size = (octets.size() + 2) / 3 * 4;
  SecretBytes with_end(size + 1);  // EVP_EncodeBlock writes a NUL behind the text
  EVP_EncodeBlock(with_end.writable().data(), octets.view().data(), static_cast<int>(octets.size()));
  return SecretBytes::copy_of(with_end.view().first(size));
}

/// RFC 7292's parts, made one by one: PKCS12_create() would write the key in the clear to the ordinary heap
/// and leave it there.
class Pfx {
 public:
  explicit Pfx(const FileProtection& protection)
      : password_(SecretBytes(protection.password.size() + 1)), rounds_(protection.rounds) {
    std::copy(protection.password.begin(), protection.password.end(), password_.writable().begin());
  }

  /// @param own_id  binds the key to its certificate; empty for none.
  Result<> add_certificates(const std::vector<certstore::Certificate>& chain, Bytes own_id) {
    STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
    bool good = true;
    for (const certstore::Certificate& certificate : chain) {
      PKCS12_SAFEBAG* const bag = PKCS12_add_cert(&bags, certificate.native());
      good = good && bag != nullptr;
      if (good && &certificate == &chain.front()) good = name(bag, own_id);
    }
    const SafeBagsPtr owner(bags);
    STACK_OF(PKCS7)* safes = safes_.release();
    good = good && PKCS12_add_safe_ex(&safes, bags, NID_aes_256_cbc, rounds_, password(), key_library(),
                                      nullptr) == 1;
    safes_.reset(safes);
    return good ? Result<>() : fail(failed_at("putting certificates into a PFX"));
  }

  Result<> add_key(const PrivateKey& key, Bytes own_id) {
    SIGNET_TRY(const SecretBytes pkcs8, key.to_pkcs8());
    const unsigned char* at = pkcs8.view().data();
    const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
    const SafeBagsPtr bags(sk_PKCS12_SAFEBAG_new_null());
    SafeBagPtr bag(info == nullptr
                       ? nullptr
                       : PKCS12_SAFEBAG_create_pkcs8_encrypt_ex(NID_aes_256_cbc, password(), -1, nullptr, 0,
                                                                rounds_, info.get(), key_library(), nullptr));
    if (!bag || !bags || !name(bag.get(), own_id) || sk_PKCS12_SAFEBAG_push(bags.get(), bag.get()) <= 0)
      return fail(failed_at("putting a key into a PFX"));
    static_cast<void>(bag.release());
    constexpr int kNotEncryptedTwice = -1;
    STACK_OF(PKCS7)* safes = safes_.release();
    const bool good = PKCS12_add_safe(&safes, bags.get(), kNotEncryptedTwice, 0, nullptr) == 1;
    safes_.reset(safes);
    return good ? Result<>() : fail(failed_at("putting a key into a PFX"));
  }

  Result<SecretBytes> encode() {
    const Pkcs12Ptr pfx(PKCS12_add_safes_ex(safes_.get(), 0, key_library(), nullptr));
    const BioPtr out(BIO_new(BIO_s_secmem()));
    if (!pfx || PKCS12_set_mac(pfx.get(), password(), -1, nullptr, 0, rounds_, nullptr) != 1 || !out ||
        i2d_PKCS12_bio(out.get(), pfx.get()) != 1)
      return fail(failed_at("making a PFX"));
    return contents_of(out.get());
  }

 private:
  /// As OpenSSL takes it, which measures it by its end.
  [[nodiscard]] const char* password() const { return as_text(password_.view()).data(); }
  static bool name(PKCS12_SAFEBAG* bag, Bytes& own_id) {
    return own_id.empty() || PKCS12_add_localkeyid(bag, own_id.data(), static_cast<int>(own_id.size())) == 1;
  }
  SecretBytes password_;
  int rounds_;
  AuthSafesPtr safes_;
};

/// DER. `key` may be null.
Result<SecretBytes> make_pfx(const PrivateKey* key, const std::vector<certstore::Certificate>& chain,
                             const FileProtection& protection) {
  const Bytes own_id = key == nullptr ? Bytes() : digest(Hash::Sha1, chain.front().der());
  Pfx pfx(protection);
  SIGNET_CHECK(pfx.add_certificates(chain, own_id));
  if (key != nullptr) SIGNET_CHECK(pfx.add_key(*key, own_id));
  return pfx.encode();
}

Result<> write_pem_block(BIO* out, const char* label, ByteView octets) {
  if (PEM_write_bio(out, label, "", octets.data(), static_cast<long>(octets.size())) > 0) return {};
  return fail(failed_at("making a PEM text"));
}

Result<> write_certificates(BIO* out, const std::vector<certstore::Certificate>& chain) {
  const std::string pem = certstore::to_pem(chain);
  if (BIO_write(out, pem.data(), static_cast<int>(pem.size())) == static_cast<int>(pem.size())) return {};
  return fail(failed_at("making a PEM text"));
}

Result<SecretBytes> pem_of(const PrivateKey* key, const std::vector<certstore::Certificate>& chain) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out) return fail(failed_at("making a PEM text"));
  if (key != nullptr) {
    SIGNET_TRY(const SecretBytes pkcs8, key->to_pkcs8());
    SIGNET_CHECK(write_pem_block(out.get(), PEM_STRING_PKCS8INF, pkcs8.view()));
  }
  SIGNET_CHECK(write_certificates(out.get(), chain));
  return contents_of(out.get());
}

/// EncryptedPrivateKeyInfo, DER.
Result<Bytes> encrypt_key(const PrivateKey& key, const FileProtection& protection) {
  SIGNET_TRY(const SecretBytes pkcs8, key.to_pkcs8());
  const unsigned char* at = pkcs8.view().data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  constexpr int kPbes2 = -1;
  const X509SigPtr encrypted(
      info == nullptr ? nullptr
                      : PKCS8_encrypt_ex(kPbes2, EVP_aes_256_cbc(), as_text(protection.password).data(),
                                         static_cast<int>(protection.password.size()), nullptr, 0,
                                         protection.rounds, info.get(), key_library(), nullptr));
  const int size = encrypted ? i2d_X509_SIG(encrypted.get(), nullptr) : 0;
  if (size <= 0) return fail(failed_at("encrypting a key"));
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  i2d_X509_SIG(encrypted.get(), &to);
  return der;
}

}  // namespace

Result<SecretBytes> certificate_secret(CertificateContent content, const PrivateKey* key,
                                       const std::vector<certstore::Certificate>& chain) {
  if (content == CertificateContent::Pem) return pem_of(key, chain);
  SIGNET_TRY(const SecretBytes octets, make_pfx(key, chain, {{}, kRounds}));
  return to_base64(octets);
}

Result<SecretBytes> pfx_of(const PrivateKey& key, const std::vector<certstore::Certificate>& chain,
                           const FileProtection& protection) {
  return make_pfx(&key, chain, protection);
}

Result<SecretBytes> encrypted_pem_of(const PrivateKey& key, const std::vector<certstore::Certificate>& chain,
                                     const FileProtection& protection) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out) return fail(failed_at("making a PEM text"));
  SIGNET_TRY(const Bytes encrypted, encrypt_key(key, protection));
  SIGNET_CHECK(write_pem_block(out.get(), PEM_STRING_PKCS8, encrypted));
  SIGNET_CHECK(write_certificates(out.get(), chain));
  return contents_of(out.get());
}

}  // namespace signet::vault
