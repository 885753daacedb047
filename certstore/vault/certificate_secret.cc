#include <openssl/pem.h>

#include "certstore/vault/certificate_secret_internal.h"
#include "certstore/vault/key_library_internal.h"

namespace signet::vault {
namespace {

constexpr int kRounds = 2048;  // with an empty passphrase more would protect nothing

Error broken(std::string_view what) { return take_openssl_error(ErrorKind::Internal, what); }

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

Result<X509StackPtr> issuers_of(const std::vector<certstore::Certificate>& chain) {
  X509StackPtr issuers(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (!issuers || X509_up_ref(chain[i].native()) != 1 ||
        sk_X509_push(issuers.get(), chain[i].native()) <= 0)
      return fail(broken("collecting a certificate's chain"));
  }
  return issuers;
}

Result<SecretBytes> pfx_of(const PrivateKey* key, const std::vector<certstore::Certificate>& chain) {
  SIGNET_TRY(const X509StackPtr issuers, issuers_of(chain));
  const certstore::KeyHandle handle = key == nullptr ? certstore::KeyHandle() : key->handle();
  const Pkcs12Ptr pfx(PKCS12_create_ex("", nullptr, handle.native(), chain.front().native(), issuers.get(), 0,
                                       0, kRounds, kRounds, 0, key_library(), nullptr));
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!pfx || !out || i2d_PKCS12_bio(out.get(), pfx.get()) != 1) return fail(broken("making a PFX"));
  return to_base64(contents_of(out.get()));
}

Result<SecretBytes> pem_of(const PrivateKey* key, const std::vector<certstore::Certificate>& chain) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out) return fail(broken("making a PEM text"));
  if (key != nullptr) {
    SIGNET_TRY(const SecretBytes pkcs8, key->to_pkcs8());
    const ByteView octets = pkcs8.view();
    if (PEM_write_bio(out.get(), PEM_STRING_PKCS8INF, "", octets.data(), static_cast<long>(octets.size())) <=
        0)
      return fail(broken("making a PEM text"));
  }
  for (const certstore::Certificate& certificate : chain) {
    const std::string pem = certificate.pem();
    if (BIO_write(out.get(), pem.data(), static_cast<int>(pem.size())) != static_cast<int>(pem.size()))
      return fail(broken("making a PEM text"));
  }
  return contents_of(out.get());
}

}  // namespace

Result<SecretBytes> certificate_secret(CertificateContent content, const PrivateKey* key,
                                       const std::vector<certstore::Certificate>& chain) {
  return content == CertificateContent::Pem ? pem_of(key, chain) : pfx_of(key, chain);
}

}  // namespace signet::vault
