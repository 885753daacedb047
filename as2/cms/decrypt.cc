#include "as2/cms/decrypt.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "as2/cms/oids.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "as2/cms/outside.h"
#include "base/chunk.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using certstore::PrivateCertificate;

constexpr std::size_t kNonceSize = 12;

/// What is said of every failure behind the outer headers, whatever it was: neither log nor receipt is to be
/// an oracle.
constexpr const char* kUndecryptable =
    "the message could not be decrypted: it was encrypted with another key, or changed on its way";

auto undecryptable(ErrorKind kind, std::string detail) {
  return refuse(Fault::DecryptionFailed, kind, std::move(detail));
}

/// A failure to read is ours; anything else is the message's.
tl::unexpected<Refusal> failure_to_decrypt(Error cause) {
  const Fault fault =
      cause.kind == ErrorKind::IoFailure ? Fault::UnexpectedProcessingError : Fault::DecryptionFailed;
  return refuse(fault, std::move(cause));
}

/// An (Auth)EnvelopedData taken apart: what OpenSSL is to see, and where the content is.
struct EnvelopedParts {
  bool authenticated = false;
  Bytes algorithm;  ///< the content's AlgorithmIdentifier
  ber::Element content;
  Bytes skeleton;  ///< the message without its content, attributes and originator's certificates
};

/// Reads the RecipientInfos as they are, header of the SET included.
Result<Bytes> take_recipients(ber::Walker& walker, std::size_t max_recipients) {
  Bytes infos;
  std::size_t count = 0;
  SIGNET_CHECK(walker.enter(ber::kSet, "the RecipientInfos"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    if (++count > max_recipients)
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("more than the {} RecipientInfos allowed", max_recipients));
    SIGNET_TRY(const Bytes info, walker.take(next->identifier, kMaxInfoSize, "a RecipientInfo"));
    infos.insert(infos.end(), info.begin(), info.end());
  }
  SIGNET_CHECK(walker.leave("the RecipientInfos"));
  return ber::element(ber::kSet, {infos});
}

/// A tag cut to four octets can be forged in 2^32 tries, and OpenSSL 3.0 would take it: all sixteen must be
/// there.
Result<Bytes> take_tag(ber::Walker& walker) {
  SIGNET_TRY(const ber::Element element, walker.skip_any("the authentication tag"));
  if ((element.identifier & ~ber::kConstructed) != ber::kOctetString)
    return fail(ErrorKind::InvalidInput, "the authentication tag is not an OCTET STRING");
  ber::OctetStringSource source(walker.octets(), element);
  Bytes tag(kGcmTagSize + 1);
  SIGNET_TRY(const std::size_t size, source.read(tag));
  if (size != kGcmTagSize)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("an authentication tag of {} octets, where exactly {} are accepted", size, kGcmTagSize));
  tag.resize(size);
  return ber::element(ber::kOctetString, {tag});
}

/// RFC 5652 section 6.1 and RFC 5083 section 2.1.
Result<EnvelopedParts> take_apart(const Slice& message, std::size_t max_recipients) {
  EnvelopedParts parts;
  SIGNET_TRY(const CmsType type, detect_type(message));
  parts.authenticated = type == CmsType::AuthEnveloped;
  ber::Walker walker(message);
  SIGNET_CHECK(enter_content(walker, parts.authenticated ? CmsType::AuthEnveloped : CmsType::Enveloped));
  SIGNET_TRY(const Bytes version, walker.take(ber::kInteger, 16, "a version"));
  SIGNET_CHECK(skip_optional(walker, ber::context(0)));  // the originator's certificates, which prove nothing
  SIGNET_TRY(const Bytes recipients, take_recipients(walker, max_recipients));

  SIGNET_CHECK(walker.enter(ber::kSequence, "the encrypted content"));
  SIGNET_CHECK(expect_data(walker));
  SIGNET_TRY(parts.algorithm,
             walker.take(ber::kSequence, kMaxAlgorithmSize, "the content encryption algorithm"));
  SIGNET_TRY(parts.content, walker.skip_any("the encrypted content's octets"));
  if ((parts.content.identifier & ~ber::kConstructed) != ber::primitive_context(0))
    return fail(ErrorKind::InvalidInput, "the encrypted content is not where it should be");
  SIGNET_CHECK(walker.leave("the encrypted content"));

  SIGNET_TRY(const bool attributes, skip_optional(walker, ber::context(1)));
  const Bytes no_content = ber::element(ber::kSequence, {oid::kData, parts.algorithm});
  if (!parts.authenticated) {
    SIGNET_CHECK(leave_content(walker));
    parts.skeleton = content_info(oid::kEnvelopedData, {version, recipients, no_content});
    return parts;
  }
  if (attributes) return fail(ErrorKind::Unsupported, "an AuthEnvelopedData with authenticated attributes");
  SIGNET_TRY(const Bytes tag, take_tag(walker));
  SIGNET_CHECK(skip_optional(walker, ber::context(2)));  // unauthenticated attributes
  SIGNET_CHECK(leave_content(walker));
  parts.skeleton = content_info(oid::kAuthEnvelopedData, {version, recipients, no_content, tag});
  return parts;
}

/// RFC 5084 section 3.2: a nonce of 12 octets, and a tag length of 16 said aloud, since the default would be
/// 12.
Result<> check_gcm_parameters(ber::Walker& walker) {
  SIGNET_CHECK(walker.enter(ber::kSequence, "the GCM parameters"));
  SIGNET_TRY(const Bytes nonce, walker.take_contents(ber::kOctetString, kMaxAlgorithmSize, "the nonce"));
  if (nonce.size() != kNonceSize)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a GCM nonce of {} octets, where {} are accepted", nonce.size(), kNonceSize));
  SIGNET_TRY(const Bytes tag_size, walker.take_contents(ber::kInteger, 8, "the tag's length"));
  if (tag_size != Bytes{kGcmTagSize})
    return fail(ErrorKind::InvalidInput, fmt::format("a GCM tag length other than {}", kGcmTagSize));
  return walker.leave("the GCM parameters");
}

Result<> check_cbc_parameters(ber::Walker& walker, ContentCipher cipher) {
  const std::size_t block = cipher == ContentCipher::Des3Cbc ? 8 : 16;
  SIGNET_TRY(const Bytes iv,
             walker.take_contents(ber::kOctetString, kMaxAlgorithmSize, "the initialisation vector"));
  if (iv.size() != block)
    return fail(ErrorKind::InvalidInput,
                fmt::format("an initialisation vector of {} octets, where {} are needed", iv.size(), block));
  return {};
}

/// "AES-256-CBC or AES-256-GCM".
std::string one_of(const std::vector<ContentCipher>& ciphers) {
  std::string names;
  for (std::size_t i = 0; i < ciphers.size(); ++i)
    names += fmt::format("{}{}", i == 0 ? "" : i + 1 < ciphers.size() ? ", " : " or ", to_string(ciphers[i]));
  return names;
}

Step<ContentCipher> check_cipher(const EnvelopedParts& parts, const DecryptPolicy& policy) {
  ber::Walker walker(Slice::of(parts.algorithm));
  SIGNET_CHECK(
      or_refuse(Fault::DecryptionFailed, walker.enter(ber::kSequence, "the content encryption algorithm")));
  SIGNET_TRY(const Bytes der, or_refuse(Fault::DecryptionFailed, walker.take(ber::kOid, 64, "a cipher")));
  const unsigned char* in = der.data();
  const Asn1ObjectPtr oid(d2i_ASN1_OBJECT(nullptr, &in, static_cast<long>(der.size())));
  ERR_clear_error();
  const std::optional<ContentCipher> cipher = oid ? cipher_of(oid.get()) : std::nullopt;
  if (cipher && is_authenticated(*cipher) != parts.authenticated)
    return undecryptable(ErrorKind::InvalidInput,
                         fmt::format("{} does not belong into {}", to_string(*cipher),
                                     parts.authenticated ? "AuthEnvelopedData" : "EnvelopedData"));
  const auto& allowed = policy.allowed_ciphers;
  if (!cipher || std::find(allowed.begin(), allowed.end(), *cipher) == allowed.end())
    return refuse(Fault::InsufficientMessageSecurity, ErrorKind::Unsupported,
                  fmt::format("encrypted with the cipher {}, which is not allowed: let the partner use {}",
                              oid ? describe(oid.get()) : hex_lower(der), one_of(allowed)));
  SIGNET_CHECK(or_refuse(Fault::DecryptionFailed, parts.authenticated
                                                      ? check_gcm_parameters(walker)
                                                      : check_cbc_parameters(walker, *cipher)));
  SIGNET_CHECK(or_refuse(Fault::DecryptionFailed, walker.leave("the content encryption algorithm")));
  return *cipher;
}

Step<CmsPtr> parse(const Bytes& skeleton) {
  const unsigned char* in = skeleton.data();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(skeleton.size())));
  if (!cms || CMS_get0_RecipientInfos(cms.get()) == nullptr)
    return refuse(Fault::DecryptionFailed,
                  take_openssl_error(ErrorKind::InvalidInput, "the EnvelopedData does not parse"));
  ERR_clear_error();
  return cms;
}

/// How the content's key travels in this RecipientInfo, when that is for the certificate.
std::optional<std::string> key_transport_for(CMS_RecipientInfo* info, const PrivateCertificate& ours) {
  X509* const certificate = ours.certificate.native();
  if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS) {
    X509_ALGOR* algorithm = nullptr;
    if (CMS_RecipientInfo_ktri_cert_cmp(info, certificate) != 0 ||
        CMS_RecipientInfo_ktri_get0_algs(info, nullptr, nullptr, &algorithm) != 1)
      return std::nullopt;
    const int nid = OBJ_obj2nid(algorithm_of(algorithm));
    if (nid == NID_rsaEncryption) return std::string(to_string(KeyTransport::Rsa15));
    if (nid != NID_rsaesOaep) return std::nullopt;
    const Result<Hash> hash = read_oaep_hash(algorithm);
    if (!hash || *hash == Hash::Md5) return std::nullopt;
    return *hash == Hash::Sha1 ? std::string(to_string(KeyTransport::OaepSha1))
                               : fmt::format("RSAES-OAEP SHA-{}", digest_size(*hash) * 8);
  }
  if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_AGREE) return std::nullopt;
  STACK_OF(CMS_RecipientEncryptedKey)* const keys = CMS_RecipientInfo_kari_get0_reks(info);
  for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); ++i)
    if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i), certificate) == 0)
      return "ECDH with key wrap";
  return std::nullopt;
}

std::string describe_recipient(CMS_RecipientInfo* info) {
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS) {
    CMS_RecipientInfo_ktri_get0_signer_id(info, &key_id, &issuer, &serial);
    return describe_identifier(key_id, issuer, serial);
  }
  if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_AGREE) return "a shared key or password";
  STACK_OF(CMS_RecipientEncryptedKey)* const keys = CMS_RecipientInfo_kari_get0_reks(info);
  if (sk_CMS_RecipientEncryptedKey_num(keys) <= 0) return "nobody";
  CMS_RecipientEncryptedKey_get0_id(sk_CMS_RecipientEncryptedKey_value(keys, 0), &key_id, nullptr, nullptr,
                                    &issuer, &serial);
  return describe_identifier(key_id, issuer, serial);
}

/// Of a message that names none of our keys.
std::string describe_mismatch(CMS_ContentInfo* cms, std::span<const PrivateCertificate> ours) {
  STACK_OF(CMS_RecipientInfo)* const infos = CMS_get0_RecipientInfos(cms);
  std::string others;
  for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); ++i)
    others += fmt::format("{}{}", others.empty() ? "" : "; ",
                          describe_recipient(sk_CMS_RecipientInfo_value(infos, i)));
  std::string names;
  for (const PrivateCertificate& each : ours)
    names += fmt::format("{}{} (issuer {}, serial {})", names.empty() ? "" : "; ", each.certificate.subject(),
                         each.certificate.issuer(), each.certificate.serial());
  return fmt::format("encrypted for {}; our own are {}", others.empty() ? "nobody" : others,
                     names.empty() ? "none" : names);
}

/// One of our keys that the message names.
struct Candidate {
  const PrivateCertificate* ours;
  std::string key_transport;
};

Step<std::vector<Candidate>> find_candidates(CMS_ContentInfo* cms, std::span<const PrivateCertificate> ours) {
  STACK_OF(CMS_RecipientInfo)* const infos = CMS_get0_RecipientInfos(cms);
  std::vector<Candidate> candidates;
  for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); ++i) {
    CMS_RecipientInfo* const info = sk_CMS_RecipientInfo_value(infos, i);
    for (const PrivateCertificate& each : ours) {
      const bool known = std::any_of(candidates.begin(), candidates.end(),
                                     [&](const Candidate& c) { return c.ours == &each; });
      auto transport = known || !each.key ? std::nullopt : key_transport_for(info, each);
      if (transport) candidates.push_back({&each, *std::move(transport)});
    }
  }
  ERR_clear_error();
  if (!candidates.empty()) return candidates;
  return undecryptable(ErrorKind::NotFound, describe_mismatch(cms, ours));
}

/// Lets octets go.
class NullSink final : public Sink {
 public:
  Result<> write(ByteView) override { return {}; }
};

/// Moves the content through the cipher to its end, where the padding or the tag is looked at. CMS_decrypt()
/// would do the same, but holds a whole AuthEnvelopedData in memory, and takes 4 KiB at a time otherwise.
Step<> decrypt_content(EVP_CIPHER_CTX* cipher, Source& content, std::uint64_t size, Sink& out) {
  LargeChunk encrypted(static_cast<std::size_t>(std::min<std::uint64_t>(size, kLargeChunkSize)));
  LargeChunk plain(encrypted.size() + EVP_MAX_BLOCK_LENGTH);
  int length = 0;
  for (;;) {
    auto count = content.read(encrypted);
    if (!count && count.error().kind == ErrorKind::IoFailure)
      return refuse(Fault::UnexpectedProcessingError, std::move(count).error());
    if (!count) return undecryptable(ErrorKind::CryptoFailure, kUndecryptable);
    const bool at_end = *count == 0;
    const int done =
        at_end ? EVP_DecryptFinal_ex(cipher, plain.data(), &length)
               : EVP_DecryptUpdate(cipher, plain.data(), &length, encrypted.data(), static_cast<int>(*count));
    if (done != 1) return undecryptable(ErrorKind::CryptoFailure, kUndecryptable);
    SIGNET_CHECK(or_refuse(Fault::UnexpectedProcessingError,
                           out.write(plain.first(static_cast<std::size_t>(length)))));
    if (at_end) return {};
  }
}

/// Lets OpenSSL decrypt the content with one of our keys. With the certificate given, a bad RSA padding means
/// a random key to it, and it says no more than that something was wrong.
Step<> decrypt_with(const PrivateCertificate& ours, CMS_ContentInfo* cms, const Slice& message,
                    const EnvelopedParts& parts, Sink& out) {
  ber::OctetStringSource content(message, parts.content);
  EVP_CIPHER_CTX* cipher = nullptr;
  Step<> done = undecryptable(ErrorKind::CryptoFailure, kUndecryptable);
  if (CMS_decrypt_set1_pkey(cms, ours.key.native(), ours.certificate.native()) == 1) {
    const BioPtr holder(CMS_dataInit(cms, nullptr));
    if (holder && BIO_get_cipher_ctx(holder.get(), &cipher) == 1 && cipher != nullptr)
      done = decrypt_content(cipher, content, parts.content.size(), out);
  }
  ERR_clear_error();
  return done;
}

}  // namespace

Step<Decrypted> decrypt(const Slice& enveloped, std::span<const PrivateCertificate> ours,
                        const DecryptPolicy& policy, Sink& out) {
  auto parts = take_apart(enveloped, policy.max_recipients);
  if (!parts) return failure_to_decrypt(std::move(parts).error());
  SIGNET_TRY(const ContentCipher cipher, check_cipher(*parts, policy));
  SIGNET_TRY(const CmsPtr cms, parse(parts->skeleton));
  SIGNET_TRY(std::vector<Candidate> candidates, find_candidates(cms.get(), ours));
  // Only when several of ours may be meant is the message tried first with nobody listening, as `out` cannot
  // be unwritten.
  while (candidates.size() > 1) {
    NullSink nobody;
    SIGNET_TRY(const CmsPtr tried, parse(parts->skeleton));
    if (decrypt_with(*candidates.front().ours, tried.get(), enveloped, *parts, nobody)) break;
    candidates.erase(candidates.begin());
  }
  const Candidate& chosen = candidates.front();
  SIGNET_CHECK(decrypt_with(*chosen.ours, cms.get(), enveloped, *parts, out));
  return Decrypted{cipher, chosen.key_transport, chosen.ours->certificate};
}

}  // namespace signet::as2::cms
