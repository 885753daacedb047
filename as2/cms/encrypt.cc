#include "as2/cms/encrypt.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "as2/cms/oids.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "as2/cms/outside.h"
#include "base/chunk.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using certstore::Certificate;

constexpr std::size_t kMaxRecipientInfos = std::size_t{1} << 20;

auto encryption_failed(std::string_view what) {
  return fail(take_openssl_error(ErrorKind::CryptoFailure, what));
}

const EVP_MD* oaep_digest(KeyTransport transport) {
  switch (transport) {
    case KeyTransport::Rsa15:
      return nullptr;
    case KeyTransport::OaepSha1:
      return EVP_sha1();
    case KeyTransport::OaepSha256:
      return EVP_sha256();
    case KeyTransport::OaepSha384:
      return EVP_sha384();
    case KeyTransport::OaepSha512:
      return EVP_sha512();
  }
  return nullptr;
}

Result<> choose_key_transport(EVP_PKEY_CTX* context, KeyTransport transport) {
  const EVP_MD* const digest = oaep_digest(transport);
  if (digest == nullptr) return {};
  if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) <= 0 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) <= 0)
    return encryption_failed("choosing RSAES-OAEP");
  return {};
}

/// RFC 5753 section 7.1.4: OpenSSL's own choice would be SHA-1. The key derivation itself (X9.63) it insists
/// on choosing.
Result<> choose_key_agreement(EVP_PKEY_CTX* context) {
  if (EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) <= 0)
    return encryption_failed("choosing the key derivation of ECDH");
  return {};
}

Result<> add_recipient(CMS_ContentInfo* cms, const Certificate& certificate, KeyTransport transport) {
  SIGNET_CHECK(certstore::check_key_strength(certificate));
  CMS_RecipientInfo* const info = CMS_add1_recipient_cert(cms, certificate.native(), CMS_KEY_PARAM);
  if (info == nullptr) return encryption_failed("adding the recipient " + certificate.subject());
  EVP_PKEY_CTX* const context = CMS_RecipientInfo_get0_pkey_ctx(info);
  return certificate.key_type() == certstore::KeyType::Ec ? choose_key_agreement(context)
                                                          : choose_key_transport(context, transport);
}

Result<CmsPtr> make_cms(std::span<const Certificate> recipients, const EncryptOptions& options) {
  if (recipients.empty()) return fail(ErrorKind::InvalidInput, "nobody to encrypt for: name a certificate");
  const EVP_CIPHER* const cipher = openssl_cipher(options.cipher);
  CmsPtr cms(is_authenticated(options.cipher) ? CMS_AuthEnvelopedData_create(cipher)
                                              : CMS_EnvelopedData_create(cipher));
  if (!cms) return encryption_failed("making an EnvelopedData");
  for (const Certificate& each : recipients)
    SIGNET_CHECK(add_recipient(cms.get(), each, options.key_transport));
  return cms;
}

/// The fields that stand before the encrypted content, as OpenSSL made them.
struct Fields {
  Bytes version;
  Bytes recipients;
  Bytes algorithm;
};

Result<Fields> read_fields(CMS_ContentInfo* cms, bool authenticated) {
  Bytes der = to_der(cms, i2d_CMS_ContentInfo);
  if (der.empty()) return encryption_failed("encoding an EnvelopedData");
  ber::Walker walker(Slice::of(std::move(der)));
  SIGNET_CHECK(enter_content(walker, authenticated ? CmsType::AuthEnveloped : CmsType::Enveloped));
  Fields fields;
  SIGNET_TRY(fields.version, walker.take(ber::kInteger, 16, "a version"));
  SIGNET_TRY(fields.recipients, walker.take(ber::kSet, kMaxRecipientInfos, "the RecipientInfos"));
  SIGNET_CHECK(walker.enter(ber::kSequence, "the encrypted content"));
  SIGNET_CHECK(expect_data(walker));
  SIGNET_TRY(fields.algorithm,
             walker.take(ber::kSequence, kMaxAlgorithmSize, "the content encryption algorithm"));
  return fields;
}

/// RFC 5652 section 6.1, RFC 5083 section 2.1. The tag stands behind the content; empty for CBC.
Frame enveloped_frame(const Fields& fields, std::optional<std::uint64_t> encrypted_size, ByteView tag) {
  const bool authenticated = !tag.empty();
  Frame frame = octet_string_frame(ber::primitive_context(0), encrypted_size);
  frame = around(ber::kSequence, {oid::kData, fields.algorithm}, std::move(frame));
  const Bytes mac = authenticated ? ber::element(ber::kOctetString, {tag}) : Bytes();
  frame = around(ber::kSequence, {fields.version, fields.recipients}, std::move(frame), mac);
  frame = around(ber::context(0), {}, std::move(frame));
  const ByteView type = authenticated ? ByteView(oid::kAuthEnvelopedData) : ByteView(oid::kEnvelopedData);
  return around(ber::kSequence, {type}, std::move(frame));
}

std::uint64_t encrypted_size(ContentCipher cipher, std::uint64_t size) {
  if (is_authenticated(cipher)) return size;
  const std::uint64_t block = cipher == ContentCipher::Des3Cbc ? 8 : 16;
  return (size / block + 1) * block;
}

/// One message on its way: the content's first chunk tells whether the size is known.
class Encryption {
 public:
  Encryption(Source& content, const EncryptOptions& options, Sink& out)
      : content_(content), options_(options), out_(out), chunk_(chunk_size(options)) {}

  Result<> run(std::span<const Certificate> recipients) {
    SIGNET_TRY(const CmsPtr cms, make_cms(recipients, options_));
    SIGNET_TRY(std::size_t count, read_full(content_, chunk_));
    size_ = count < chunk_.size() ? count : options_.content_size;
    SIGNET_CHECK(start(cms.get()));
    SIGNET_TRY(const Fields fields, read_fields(cms.get(), authenticated()));
    SIGNET_CHECK(out_.write(frame(fields, Bytes(kGcmTagSize)).before));
    FramedContent framed(!size_, out_);
    while (count > 0) {
      SIGNET_CHECK(write(count, framed));
      SIGNET_TRY(count, read_full(content_, chunk_));
    }
    SIGNET_CHECK(write_end(framed));
    SIGNET_CHECK(framed.finish());
    SIGNET_TRY(const Bytes tag, take_tag());
    SIGNET_CHECK(check_size());
    return out_.write(frame(fields, tag).after);
  }

 private:
  /// A content that is smaller than a chunk tells its size by that.
  static std::size_t chunk_size(const EncryptOptions& options) {
    if (!options.content_size) return kChunkSize;
    return static_cast<std::size_t>(std::min<std::uint64_t>(*options.content_size, kLargeChunkSize - 1)) + 1;
  }

  [[nodiscard]] bool authenticated() const { return is_authenticated(options_.cipher); }

  [[nodiscard]] Frame frame(const Fields& fields, ByteView tag) const {
    const auto encrypted =
        size_ ? std::optional<std::uint64_t>(encrypted_size(options_.cipher, *size_)) : std::nullopt;
    return enveloped_frame(fields, encrypted, authenticated() ? tag : ByteView());
  }

  /// Makes the content's key, encrypts it for everybody, and sets the cipher up. That is used as it is:
  /// behind OpenSSL's BIO it would take 4 KiB at a time.
  Result<> start(CMS_ContentInfo* cms) {
    holder_.reset(CMS_dataInit(cms, nullptr));
    if (!holder_ || BIO_get_cipher_ctx(holder_.get(), &cipher_) != 1 || cipher_ == nullptr)
      return encryption_failed("encrypting the content's key");
    return {};
  }

  Result<> write(std::size_t count, Sink& framed) {
    total_ += count;
    int length = 0;
    if (EVP_EncryptUpdate(cipher_, encrypted_.data(), &length, chunk_.data(), static_cast<int>(count)) != 1)
      return encryption_failed("encrypting the content");
    return framed.write(encrypted_.first(static_cast<std::size_t>(length)));
  }

  Result<> write_end(Sink& framed) {
    int length = 0;
    if (EVP_EncryptFinal_ex(cipher_, encrypted_.data(), &length) != 1)
      return encryption_failed("encrypting the content's end");
    return framed.write(encrypted_.first(static_cast<std::size_t>(length)));
  }

  Result<Bytes> take_tag() {
    Bytes tag;
    if (!authenticated()) return tag;
    tag.resize(kGcmTagSize);
    if (EVP_CIPHER_CTX_ctrl(cipher_, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()) != 1)
      return encryption_failed("taking the authentication tag");
    return tag;
  }

  Result<> check_size() {
    for (const auto& said : {size_, options_.content_size})
      if (said && *said != total_)
        return fail(ErrorKind::InvalidInput,
                    fmt::format("the content has {} octets, and {} were announced", total_, *said));
    return {};
  }

  Source& content_;
  const EncryptOptions& options_;
  Sink& out_;
  LargeChunk chunk_;
  LargeChunk encrypted_{chunk_.size() + EVP_MAX_BLOCK_LENGTH};
  BioPtr holder_;  ///< owns the cipher
  EVP_CIPHER_CTX* cipher_ = nullptr;
  std::optional<std::uint64_t> size_;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<> encrypt(Source& content, std::span<const Certificate> recipients, const EncryptOptions& options,
                 Sink& out) {
  return Encryption(content, options, out).run(recipients);
}

}  // namespace signet::as2::cms
