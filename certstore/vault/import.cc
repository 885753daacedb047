#include "certstore/vault/import.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>

#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/pkcs12.h"
#include "certstore/vault/private_key_internal.h"
#include "certstore/x509/pem.h"

namespace signet::vault {
namespace {

constexpr std::size_t kMaxCertificates = 100;
constexpr std::string_view kToPkcs8 =
    "convert it to PKCS#8 with: openssl pkcs8 -topk8 -in old.pem -out new.pem (add -nocrypt for a file "
    "without passphrase)";

/// What a file turned out to hold, before it is judged as a whole.
struct Contents {
  std::vector<SecretBytes> keys;  ///< PKCS#8
  std::vector<certstore::Certificate> certificates;
};

Result<> add_certificate(Contents& contents, ByteView der) {
  if (contents.certificates.size() == kMaxCertificates)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("the key file holds more than {} certificates", kMaxCertificates));
  SIGNET_TRY(certstore::Certificate certificate, certstore::Certificate::parse(der));
  contents.certificates.push_back(std::move(certificate));
  return {};
}

/// One block of a PEM text.
class PemBlock {
 public:
  /// The next block, in secure memory; false at the end. Text between blocks is skipped.
  bool read(BIO* from) {
    release();
    const ErrorQueueMark mark;
    return PEM_read_bio_ex(from, &name_, &header_, &data_, &size_,
                           PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1;
  }
  PemBlock() = default;
  ~PemBlock() { release(); }
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] ByteView data() const { return {data_, static_cast<std::size_t>(size_)}; }

 private:
  void release() {
    OPENSSL_secure_free(name_);
    OPENSSL_secure_free(header_);
    OPENSSL_secure_clear_free(data_, static_cast<std::size_t>(size_));
    name_ = header_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }
  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

Result<> add_pem_block(Contents& contents, const PemBlock& block, KeyDerivationBudget& budget,
                       const std::optional<SecretBytes>& passphrase) {
  if (block.name() == PEM_STRING_X509 || block.name() == PEM_STRING_X509_OLD)
    return add_certificate(contents, block.data());
  if (block.name() == PEM_STRING_PKCS8INF) {
    contents.keys.push_back(SecretBytes::copy_of(block.data()));
    return {};
  }
  if (block.name() == PEM_STRING_PKCS8) {
    SIGNET_TRY(SecretBytes key, decrypt_pkcs8(block.data(), passphrase, budget));
    contents.keys.push_back(std::move(key));
    return {};
  }
  if (block.name().ends_with("PRIVATE KEY"))
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the file holds a '{}', the traditional (PKCS#1) form; PKCS#8 ('PRIVATE KEY' or 'ENCRYPTED "
            "PRIVATE KEY') is needed: {}",
            printable(block.name()), kToPkcs8));
  return {};  // EC PARAMETERS, comments of other programs
}

Result<Contents> read_pem(ByteView file, const std::optional<SecretBytes>& passphrase) {
  Contents contents;
  KeyDerivationBudget budget;
  const BioPtr bio = borrow_as_bio(file);
  PemBlock block;
  while (block.read(bio.get())) SIGNET_CHECK(add_pem_block(contents, block, budget, passphrase));
  return contents;
}

Result<Contents> read_pfx(ByteView file, const std::optional<SecretBytes>& passphrase) {
  SIGNET_TRY(Pkcs12Contents pfx, read_pkcs12(file, passphrase));
  Contents contents;
  contents.keys = std::move(pfx.keys);
  for (const Bytes& der : pfx.certificates) SIGNET_CHECK(add_certificate(contents, der));
  return contents;
}

/// Puts the key's own certificate first. @error InvalidInput  none of them is.
Result<> put_own_first(std::vector<certstore::Certificate>& certificates, const KeyMaterial& key) {
  if (certificates.empty()) return {};
  SIGNET_TRY(const auto opened, SoftwareKey::from_pkcs8(key.pkcs8.view()));
  const unsigned char* at = opened->public_key().data();
  const EvpPkeyPtr public_key(d2i_PUBKEY(nullptr, &at, static_cast<long>(opened->public_key().size())));
  for (auto it = certificates.begin(); it != certificates.end(); ++it)
    if (it->has_public_key(public_key.get())) {
      std::rotate(certificates.begin(), it, it + 1);
      return {};
    }
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "the private key does not match any certificate of the file (the first is '{}'): export key "
          "and certificate again, together",
          printable(certificates.front().subject())));
}

}  // namespace

Result<KeyMaterial> read_pkcs8(ByteView der) {
  SIGNET_TRY(const auto key, SoftwareKey::from_pkcs8(der));
  SIGNET_CHECK(key->check());
  SIGNET_TRY(SecretBytes pkcs8, key->to_pkcs8());
  return KeyMaterial{key->kind(), std::move(pkcs8)};
}

Result<ImportedKey> read_key_file(ByteView file, const std::optional<SecretBytes>& passphrase) {
  if (file.size() > kMaxKeyFileSize)
    return fail(ErrorKind::LimitExceeded, fmt::format("the key file has {} octets and at most {} are read",
                                                      file.size(), kMaxKeyFileSize));
  SIGNET_TRY(Contents contents,
             certstore::is_pem(file) ? read_pem(file, passphrase) : read_pfx(file, passphrase));
  if (contents.keys.empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the file holds no private key (but {} certificates): export it together with its key",
                    contents.certificates.size()));
  if (contents.keys.size() > 1)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the file holds {} private keys and one is needed: split it", contents.keys.size()));
  SIGNET_TRY(KeyMaterial key, read_pkcs8(contents.keys.front().view()));
  SIGNET_CHECK(put_own_first(contents.certificates, key));
  return ImportedKey{std::move(key), std::move(contents.certificates)};
}

}  // namespace signet::vault
