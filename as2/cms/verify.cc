#include "as2/cms/verify.h"

#include <fmt/format.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <functional>

#include "as2/cms/algorithms.h"
#include "as2/cms/oids.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "as2/cms/outside.h"
#include "as2/cms/signer_info_internal.h"
#include "base/chunk.h"
#include "base/digest.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using certstore::Certificate;

auto not_authentic(ErrorKind kind, std::string detail) {
  return refuse(Fault::AuthenticationFailed, kind, std::move(detail));
}

/// A failure to read is ours; anything else is the message's.
tl::unexpected<Refusal> failure_to_verify(Error cause) {
  const Fault fault =
      cause.kind == ErrorKind::IoFailure ? Fault::UnexpectedProcessingError : Fault::AuthenticationFailed;
  return refuse(fault, std::move(cause));
}

/// A SignedData taken apart: what OpenSSL is to see, and where the content is.
struct SignedDataParts {
  Bytes version;
  Bytes digests;
  std::vector<Bytes> infos;  ///< the SignerInfos
  CmsPtr skeleton;           ///< with neither content nor certificates nor CRLs
  std::optional<ber::Element> content;

  /// The SignedData with some of the SignerInfos and with nothing that need not be there.
  [[nodiscard]] Bytes with(std::span<const Bytes> some) const {
    Bytes chosen;
    for (const Bytes& info : some) chosen.insert(chosen.end(), info.begin(), info.end());
    const Bytes no_content = ber::element(ber::kSequence, {oid::kData});
    return content_info(oid::kSignedData, {version, digests, no_content, ber::element(ber::kSet, {chosen})});
  }
};

/// Reads the SignerInfos as they are.
Result<std::vector<Bytes>> take_signer_infos(ber::Walker& walker, std::size_t max_signers) {
  std::vector<Bytes> infos;
  SIGNET_CHECK(walker.enter(ber::kSet, "the SignerInfos"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    if (infos.size() == max_signers)
      return fail(ErrorKind::LimitExceeded, fmt::format("more than the {} SignerInfos allowed", max_signers));
    SIGNET_TRY(Bytes info, walker.take(ber::kSequence, kMaxInfoSize, "a SignerInfo"));
    infos.push_back(std::move(info));
  }
  SIGNET_CHECK(walker.leave("the SignerInfos"));
  if (infos.empty())
    return fail(ErrorKind::InvalidInput, "a SignedData that nobody has signed (no SignerInfo)");
  return infos;
}

/// RFC 5652 section 5.1. The parts that are kept are copied as they are, BER within a new DER outside:
/// nothing signed is re-encoded. Parsing a certificate that nobody is going to believe would cost three times
/// the signature.
Result<SignedDataParts> take_signed_apart(const Slice& message, std::size_t max_signers) {
  ber::Walker walker(message);
  SIGNET_CHECK(enter_content(walker, CmsType::Signed));
  SignedDataParts parts;
  SIGNET_TRY(parts.version, walker.take(ber::kInteger, 16, "a version"));
  SIGNET_TRY(parts.digests, walker.take(ber::kSet, kMaxInfoSize, "the digest algorithms"));
  SIGNET_TRY(parts.content, find_content(walker, Encapsulated::DataOnly));
  SIGNET_CHECK(skip_optional(walker, ber::context(0)));  // certificates
  SIGNET_CHECK(skip_optional(walker, ber::context(1)));  // CRLs
  SIGNET_TRY(parts.infos, take_signer_infos(walker, max_signers));
  SIGNET_CHECK(leave_content(walker));

  const Bytes skeleton = parts.with(parts.infos);
  const unsigned char* in = skeleton.data();
  parts.skeleton.reset(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(skeleton.size())));
  if (!parts.skeleton || CMS_get0_SignerInfos(parts.skeleton.get()) == nullptr)
    return fail(take_openssl_error(ErrorKind::InvalidInput, "the SignedData does not parse"));
  ERR_clear_error();
  return parts;
}

/// A SignerInfo and those of the accepted certificates that it may mean.
struct Match {
  CMS_SignerInfo* info;
  std::size_t index;  ///< its place among the SignerInfos
  std::vector<Certificate> certificates;
};

std::string describe_signer(CMS_SignerInfo* info) {
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  CMS_SignerInfo_get0_signer_id(info, &key_id, &issuer, &serial);
  return describe_identifier(key_id, issuer, serial);
}

std::string list_subjects(std::span<const Certificate> certificates) {
  std::string text;
  for (const Certificate& each : certificates)
    text += fmt::format("{}{} (issuer {}, serial {})", text.empty() ? "" : "; ", each.subject(),
                        each.issuer(), each.serial());
  return text.empty() ? "none" : text;
}

Step<Match> find_signer(CMS_ContentInfo* cms, std::span<const Certificate> accepted) {
  STACK_OF(CMS_SignerInfo)* const infos = CMS_get0_SignerInfos(cms);
  std::vector<Match> matches;
  std::string strangers;
  for (int i = 0; i < sk_CMS_SignerInfo_num(infos); ++i) {
    Match match{sk_CMS_SignerInfo_value(infos, i), static_cast<std::size_t>(i), {}};
    for (const Certificate& each : accepted)
      if (CMS_SignerInfo_cert_cmp(match.info, each.native()) == 0) match.certificates.push_back(each);
    if (match.certificates.empty())
      strangers += fmt::format("{}{}", strangers.empty() ? "" : "; ", describe_signer(match.info));
    else
      matches.push_back(std::move(match));
  }
  if (matches.empty())
    return not_authentic(ErrorKind::NotFound,
                         fmt::format("signed by {}; accepted are {}", strangers, list_subjects(accepted)));
  if (matches.size() > 1)
    return not_authentic(ErrorKind::CryptoFailure,
                         "several SignerInfos name accepted certificates, where exactly one is to decide");
  return std::move(matches.front());
}

/// What a SignerInfo is made of, once it has passed the policy.
struct Algorithms {
  Hash hash;
  SignatureScheme scheme;
  long pss_salt_length = 0;
  [[nodiscard]] std::string text() const {
    return fmt::format("{} with {}", to_string(scheme), to_string(hash));
  }
};

Step<Hash> check_hash(const X509_ALGOR* algorithm, const VerifyPolicy& policy) {
  const std::optional<Hash> hash = hash_of(algorithm_of(algorithm));
  const auto& allowed = policy.allowed_hashes;
  if (!hash || *hash == Hash::Md5 || std::find(allowed.begin(), allowed.end(), *hash) == allowed.end())
    return not_authentic(ErrorKind::Unsupported,
                         fmt::format("signed with the digest algorithm {}, which is not allowed",
                                     describe(algorithm_of(algorithm))));
  if (!has_no_parameters(algorithm))
    return not_authentic(ErrorKind::InvalidInput,
                         "the digest algorithm has parameters, where absent or NULL are known");
  return *hash;
}

Step<Algorithms> check_pss(const X509_ALGOR* algorithm, Hash hash) {
  SIGNET_TRY(const PssParameters parameters,
             or_refuse(Fault::AuthenticationFailed, read_pss_parameters(algorithm)));
  // The salt may be of any length the key has room for, which the verification itself finds out; 1024 octets
  // is RSA-8192's.
  const bool sound = parameters.hash == hash && parameters.mgf1_hash == hash && parameters.trailer == 1 &&
                     parameters.salt_length >= 0 && parameters.salt_length <= 1024;
  if (!sound)
    return not_authentic(
        ErrorKind::Unsupported,
        fmt::format("RSASSA-PSS parameters other than {} throughout and trailer 1", to_string(hash)));
  return Algorithms{hash, SignatureScheme::RsaPss, parameters.salt_length};
}

/// The signature's own algorithm must go with the digest's: rsaEncryption or shaXWithRSAEncryption,
/// RSASSA-PSS, ecdsa-with-SHAx.
Step<Algorithms> check_algorithms(CMS_SignerInfo* info, const VerifyPolicy& policy) {
  X509_ALGOR* digest_algorithm = nullptr;
  X509_ALGOR* algorithm = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest_algorithm, &algorithm);
  SIGNET_TRY(const Hash hash, check_hash(digest_algorithm, policy));
  const int nid = OBJ_obj2nid(algorithm_of(algorithm));
  if (nid == NID_rsassaPss) return check_pss(algorithm, hash);
  if (!has_no_parameters(algorithm))
    return not_authentic(ErrorKind::InvalidInput,
                         "the signature algorithm has parameters, where absent or NULL are known");
  if (nid == NID_rsaEncryption) return Algorithms{hash, SignatureScheme::RsaPkcs1};
  int digest_nid = NID_undef;
  int key_nid = NID_undef;
  if (OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) == 1 && hash_of_nid(digest_nid) == hash) {
    if (key_nid == NID_rsaEncryption) return Algorithms{hash, SignatureScheme::RsaPkcs1};
    if (key_nid == NID_X9_62_id_ecPublicKey) return Algorithms{hash, SignatureScheme::Ecdsa};
  }
  return not_authentic(ErrorKind::Unsupported,
                       fmt::format("the signature algorithm {} is not allowed with the digest {}",
                                   describe(algorithm_of(algorithm)), to_string(hash)));
}

Step<> check_key(const Certificate& certificate, SignatureScheme scheme) {
  SIGNET_CHECK(or_refuse(Fault::AuthenticationFailed, certstore::check_key_strength(certificate)));
  const auto wanted = scheme == SignatureScheme::Ecdsa ? certstore::KeyType::Ec : certstore::KeyType::Rsa;
  if (certificate.key_type() != wanted)
    return not_authentic(ErrorKind::CryptoFailure,
                         fmt::format("a signature by {} that the key of {} cannot have made",
                                     to_string(scheme), certificate.subject()));
  return {};
}

bool has_signed_attributes(CMS_SignerInfo* info) { return CMS_signed_get_attr_count(info) >= 0; }

/// RFC 5652 section 5.3: signed attributes hold content-type (which is id-data here) and message-digest, once
/// each.
Step<Bytes> read_message_digest(CMS_SignerInfo* info) {
  const auto* type =
      static_cast<const ASN1_OBJECT*>(single_signed_value(info, NID_pkcs9_contentType, V_ASN1_OBJECT));
  const auto* digest = static_cast<const ASN1_STRING*>(
      single_signed_value(info, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING));
  ERR_clear_error();
  if (type == nullptr || OBJ_obj2nid(type) != NID_pkcs7_data)
    return not_authentic(ErrorKind::InvalidInput,
                         "signed attributes without exactly one content-type of id-data");
  if (digest == nullptr)
    return not_authentic(ErrorKind::InvalidInput, "signed attributes without exactly one message-digest");
  const unsigned char* octets = ASN1_STRING_get0_data(digest);
  return Bytes(octets, octets + ASN1_STRING_length(digest));
}

/// What the check wants to know of a content.
struct ContentFacts {
  static constexpr std::size_t kFrontSize = 16;
  Bytes digest;
  Bytes front;  ///< its first octets
  std::uint64_t size = 0;

  /// Whether the content could be another message's signed attributes, a SET OF SEQUENCE from end to end.
  /// They were signed by the same key, so without this somebody could pass them off as a content that was
  /// signed without attributes.
  [[nodiscard]] bool look_like_signed_attributes() const {
    if (front.empty() || front[0] != ber::kSet) return false;
    for (const std::size_t header_size : {2U, 3U, 4U, 5U}) {
      if (front.size() <= header_size || size < header_size) return false;
      const Bytes header = ber::header(ber::kSet, size - header_size);
      if (header.size() == header_size && std::equal(header.begin(), header.end(), front.begin()))
        return front[header_size] == ber::kSequence;
    }
    return false;
  }
};

/// Looks at a content, wherever it comes from; called once at most, and only for a signature worth it.
using LookAtContent = std::function<Result<ContentFacts>(Hash hash)>;

Result<ContentFacts> facts_of(Source& content, Hash hash) {
  ContentFacts facts;
  Digest digest(hash);
  Chunk chunk;
  for (;;) {
    SIGNET_TRY(const std::size_t count, content.read(chunk));
    if (count == 0) break;
    const ByteView bytes = ByteView(chunk).first(count);
    const ByteView missing = bytes.first(std::min(count, ContentFacts::kFrontSize - facts.front.size()));
    facts.front.insert(facts.front.end(), missing.begin(), missing.end());
    facts.size += count;
    digest.update(bytes);
  }
  facts.digest = std::move(digest).finish();
  return facts;
}

/// The digest of a slice is computed once, for the signature and for the MIC.
Result<ContentFacts> facts_of(const Slice& content, Hash hash) {
  ContentFacts facts;
  SIGNET_TRY(facts.digest, digest(hash, content));
  SIGNET_TRY(facts.front, content.sub(0, ContentFacts::kFrontSize).to_bytes(ContentFacts::kFrontSize));
  facts.size = content.size();
  return facts;
}

ByteView signature_of(CMS_SignerInfo* info) {
  const ASN1_OCTET_STRING* signature = CMS_SignerInfo_get0_signature(info);
  return {ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))};
}

/// Whether the key signed this digest of the content itself, without attributes in between.
bool signed_directly(CMS_SignerInfo* info, const Certificate& certificate, const Algorithms& algorithms,
                     ByteView digest) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, certificate.public_key(), nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) <= 0) return false;
  const EVP_MD* const md = openssl_digest(algorithms.hash);
  if (EVP_PKEY_CTX_set_signature_md(context.get(), md) <= 0) return false;
  if (algorithms.scheme == SignatureScheme::RsaPss &&
      (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) <= 0 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md) <= 0 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), static_cast<int>(algorithms.pss_salt_length)) <= 0))
    return false;
  const ByteView signature = signature_of(info);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
         1;
}

/// Whether an RSA v1.5 signature is the key's, over whatever digest of this hash: then it is the content that
/// was changed.
bool signed_another_content(CMS_SignerInfo* info, const Certificate& certificate,
                            const Algorithms& algorithms) {
  if (algorithms.scheme != SignatureScheme::RsaPkcs1) return false;
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, certificate.public_key(), nullptr));
  if (!context || EVP_PKEY_verify_recover_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) <= 0 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), openssl_digest(algorithms.hash)) <= 0)
    return false;
  const ByteView signature = signature_of(info);
  Bytes digest(static_cast<std::size_t>(EVP_PKEY_get_size(certificate.public_key())));
  std::size_t size = digest.size();
  return EVP_PKEY_verify_recover(context.get(), digest.data(), &size, signature.data(), signature.size()) ==
         1;
}

/// Whether the key signed the signed attributes.
bool signed_attributes(CMS_SignerInfo* info, const Certificate& certificate) {
  CMS_SignerInfo_set1_signer_cert(info, certificate.native());
  return CMS_SignerInfo_verify(info) == 1;
}

}  // namespace

/// One SignerInfo against the content, step by step. The only maker of VerifiedSigner.
class SignatureCheck {
 public:
  static Step<VerifiedSigner> run(const SignedDataParts& parts, const LookAtContent& content,
                                  std::span<const Certificate> accepted, const VerifyPolicy& policy) {
    SIGNET_TRY(const Match match, find_signer(parts.skeleton.get(), accepted));
    SIGNET_TRY(const Algorithms algorithms, check_algorithms(match.info, policy));
    SIGNET_TRY(VerifiedSigner signer, has_signed_attributes(match.info)
                                          ? with_attributes(match, algorithms, content)
                                          : without_attributes(match, algorithms, content));
    signer.signature_ = parts.with(std::span(parts.infos).subspan(match.index, 1));
    return signer;
  }

 private:
  /// The signature covers the attributes, and they hold the content's digest. The signature comes first: a
  /// stranger's gigabyte is not worth digesting.
  static Step<VerifiedSigner> with_attributes(const Match& match, const Algorithms& algorithms,
                                              const LookAtContent& content) {
    SIGNET_TRY(const Bytes claimed, read_message_digest(match.info));
    SIGNET_TRY(const Certificate signer, first_that_signed(match, algorithms, [&](const Certificate& each) {
                 return signed_attributes(match.info, each);
               }));
    SIGNET_TRY(const ContentFacts actual, look(content, algorithms.hash));
    if (actual.digest != claimed) return altered(signer, claimed, actual.digest);
    return VerifiedSigner(signer, algorithms.hash, algorithms.text(), read_signing_time(match.info));
  }

  static Step<VerifiedSigner> without_attributes(const Match& match, const Algorithms& algorithms,
                                                 const LookAtContent& content) {
    SIGNET_TRY(const ContentFacts actual, look(content, algorithms.hash));
    if (actual.look_like_signed_attributes())
      return not_authentic(
          ErrorKind::InvalidInput,
          "the content is another signature's attributes, passed off as a content of its own");
    auto signer = first_that_signed(match, algorithms, [&](const Certificate& each) {
      return signed_directly(match.info, each, algorithms, actual.digest);
    });
    if (!signer) {
      for (const Certificate& each : match.certificates)
        if (signed_another_content(match.info, each, algorithms)) return altered(each, {}, actual.digest);
      ERR_clear_error();
      return tl::unexpected(std::move(signer).error());
    }
    return VerifiedSigner(*signer, algorithms.hash, algorithms.text(), std::nullopt);
  }

  static Step<ContentFacts> look(const LookAtContent& content, Hash hash) {
    auto facts = content(hash);
    if (!facts) return failure_to_verify(std::move(facts).error());
    return *std::move(facts);
  }

  template <class Verifies>
  static Step<Certificate> first_that_signed(const Match& match, const Algorithms& algorithms,
                                             Verifies verifies) {
    std::optional<Refusal> weak;
    for (const Certificate& each : match.certificates) {
      auto fit = check_key(each, algorithms.scheme);
      if (!fit)
        weak = std::move(fit).error();
      else if (verifies(each))
        return each;
      ERR_clear_error();
    }
    if (weak) return tl::unexpected(*std::move(weak));
    return not_authentic(ErrorKind::CryptoFailure,
                         fmt::format("the signature ({}) does not hold for {}", algorithms.text(),
                                     list_subjects(match.certificates)));
  }

  static tl::unexpected<Refusal> altered(const Certificate& signer, ByteView claimed, ByteView actual) {
    return refuse(Fault::IntegrityCheckFailed, ErrorKind::CryptoFailure,
                  fmt::format("{} signed another content: the digest {} was signed, this content's is {}",
                              signer.subject(), claimed.empty() ? "(not told)" : hex_lower(claimed),
                              hex_lower(actual)));
  }
};

namespace {

Step<VerifiedSigner> verify(ByteView signature, const LookAtContent& content,
                            std::span<const Certificate> accepted, const VerifyPolicy& policy) {
  auto parts = take_signed_apart(Slice::of(Bytes(signature.begin(), signature.end())), policy.max_signers);
  if (!parts) return failure_to_verify(std::move(parts).error());
  if (parts->content)
    return not_authentic(ErrorKind::InvalidInput,
                         "a detached signature that carries a content of its own: which one was signed?");
  return SignatureCheck::run(*parts, content, accepted, policy);
}

}  // namespace

Step<VerifiedSigner> verify_detached(ByteView signature, Source& content,
                                     std::span<const Certificate> accepted, const VerifyPolicy& policy) {
  return verify(
      signature, [&](Hash hash) { return facts_of(content, hash); }, accepted, policy);
}

Step<VerifiedSigner> verify_detached(ByteView signature, const Slice& content,
                                     std::span<const Certificate> accepted, const VerifyPolicy& policy) {
  return verify(
      signature, [&](Hash hash) { return facts_of(content, hash); }, accepted, policy);
}

Step<VerifiedSigner> verify_opaque(const Slice& signed_data, std::span<const Certificate> accepted,
                                   const VerifyPolicy& policy, Sink& content) {
  auto parts = take_signed_apart(signed_data, policy.max_signers);
  if (!parts) return failure_to_verify(std::move(parts).error());
  if (!parts->content)
    return not_authentic(ErrorKind::InvalidInput, "a SignedData without the content it should hold");
  ber::OctetStringSource octets(signed_data, *parts->content);
  SIGNET_TRY(VerifiedSigner signer,
             SignatureCheck::run(
                 *parts, [&](Hash hash) { return facts_of(octets, hash); }, accepted, policy));
  ber::OctetStringSource again(signed_data, *parts->content);
  SIGNET_CHECK(or_refuse(Fault::UnexpectedProcessingError, copy(again, content)));
  return signer;
}

}  // namespace signet::as2::cms
