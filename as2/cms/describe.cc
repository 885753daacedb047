#include "as2/cms/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include "as2/cms/oids.h"
#include "as2/cms/openssl_algorithms_internal.h"
#include "as2/cms/outside.h"
#include "as2/cms/signer_info_internal.h"
#include "base/openssl.h"

namespace signet::as2::cms {
namespace {

using certstore::Certificate;
using AlgorithmPtr = Handle<X509_ALGOR, X509_ALGOR_free>;
using NamePtr = Handle<X509_NAME, X509_NAME_free>;

constexpr std::size_t kMaxAttributes = 64;
/// RFC 6211, which OpenSSL 3.0 has no name for.
constexpr std::string_view kAlgorithmProtection = "1.2.840.113549.1.9.52";
constexpr std::size_t kMaxTag = 1024;
constexpr int kMaxKeysOfAnAgreement = 32;

/// Counts what is written, and keeps nothing.
class CountingSink final : public Sink {
 public:
  Result<> write(ByteView bytes) override {
    count_ += bytes.size();
    return {};
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

Result<std::uint64_t> content_size(const ber::Walker& walker, const ber::Element& string) {
  if ((string.identifier & ber::kConstructed) == 0) return string.contents_end - string.contents_begin;
  ber::OctetStringSource octets(walker.octets(), string);
  CountingSink counter;
  SIGNET_CHECK(copy(octets, counter));
  return counter.count();
}

Bytes octets_of(const ASN1_STRING* string) {
  const unsigned char* octets = ASN1_STRING_get0_data(string);
  return Bytes(octets, octets + ASN1_STRING_length(string));
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (!number || BN_is_zero(number.get())) return "00";
  const Handle<char, [](char* text) { OPENSSL_free(text); }> text(BN_bn2hex(number.get()));
  return text ? text.get() : "";
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out) throw std::bad_alloc();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

PartyName party_of(const ASN1_OCTET_STRING* key_id, const X509_NAME* issuer, const ASN1_INTEGER* serial) {
  PartyName party;
  if (key_id != nullptr) {
    party.key_identifier = hex_upper(octets_of(key_id));
  } else if (issuer != nullptr && serial != nullptr) {
    party.issuer = name_text(issuer);
    party.serial = serial_text(serial);
    party.issuer_der = to_der(issuer, i2d_X509_NAME);
  }
  return party;
}

CmsPtr parse_skeleton(const Bytes& skeleton) {
  const unsigned char* in = skeleton.data();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &in, static_cast<long>(skeleton.size())));
  ERR_clear_error();
  return cms;
}

// ---- RecipientInfos

std::string describe_oaep(const X509_ALGOR* algorithm) {
  const Result<Hash> hash = read_oaep_hash(algorithm);
  return hash ? fmt::format("RSAES-OAEP {}", to_string(*hash)) : "RSAES-OAEP with unreadable parameters";
}

std::string describe_transport(CMS_RecipientInfo* info) {
  X509_ALGOR* algorithm = nullptr;
  if (CMS_RecipientInfo_ktri_get0_algs(info, nullptr, nullptr, &algorithm) != 1) return "unknown";
  const int nid = OBJ_obj2nid(algorithm_of(algorithm));
  if (nid == NID_rsaEncryption) return std::string(to_string(KeyTransport::Rsa15));
  if (nid == NID_rsaesOaep) return describe_oaep(algorithm);
  return describe(algorithm_of(algorithm));
}

std::string describe_agreement(CMS_RecipientInfo* info) {
  X509_ALGOR* algorithm = nullptr;
  if (CMS_RecipientInfo_kari_get0_alg(info, &algorithm, nullptr) != 1 || algorithm == nullptr)
    return "unknown";
  return describe(algorithm_of(algorithm));
}

void describe_agreement_keys(CMS_RecipientInfo* info, std::vector<RecipientDescription>& out) {
  STACK_OF(CMS_RecipientEncryptedKey)* const keys = CMS_RecipientInfo_kari_get0_reks(info);
  const int count = std::min(sk_CMS_RecipientEncryptedKey_num(keys), kMaxKeysOfAnAgreement);
  const std::string algorithm = describe_agreement(info);
  for (int i = 0; i < count; ++i) {
    ASN1_OCTET_STRING* key_id = nullptr;
    X509_NAME* issuer = nullptr;
    ASN1_INTEGER* serial = nullptr;
    CMS_RecipientEncryptedKey_get0_id(sk_CMS_RecipientEncryptedKey_value(keys, i), &key_id, nullptr, nullptr,
                                      &issuer, &serial);
    out.push_back({party_of(key_id, issuer, serial), "key agreement", algorithm});
  }
  if (count <= 0) out.push_back({{}, "key agreement", algorithm});
}

/// One RecipientInfo, in a message of its own so that a broken one hides no other.
void describe_recipient(ByteView der, std::vector<RecipientDescription>& out) {
  constexpr std::array<std::uint8_t, 3> version = {ber::kInteger, 1, 2};
  const Bytes algorithm = ber::element(ber::kSequence, {oid::kData});
  const Bytes infos = ber::element(ber::kSet, {der});
  const Bytes content = ber::element(ber::kSequence, {oid::kData, algorithm});
  const CmsPtr cms = parse_skeleton(content_info(oid::kEnvelopedData, {version, infos, content}));
  STACK_OF(CMS_RecipientInfo)* const parsed = cms ? CMS_get0_RecipientInfos(cms.get()) : nullptr;
  if (parsed == nullptr || sk_CMS_RecipientInfo_num(parsed) != 1) {
    out.push_back({{}, "unreadable", ""});
    return;
  }
  CMS_RecipientInfo* const info = sk_CMS_RecipientInfo_value(parsed, 0);
  switch (CMS_RecipientInfo_type(info)) {
    case CMS_RECIPINFO_TRANS: {
      ASN1_OCTET_STRING* key_id = nullptr;
      X509_NAME* issuer = nullptr;
      ASN1_INTEGER* serial = nullptr;
      CMS_RecipientInfo_ktri_get0_signer_id(info, &key_id, &issuer, &serial);
      out.push_back({party_of(key_id, issuer, serial), "key transport", describe_transport(info)});
      break;
    }
    case CMS_RECIPINFO_AGREE:
      describe_agreement_keys(info, out);
      break;
    case CMS_RECIPINFO_KEK:
      out.push_back({{}, "shared key", ""});
      break;
    case CMS_RECIPINFO_PASS:
      out.push_back({{}, "password", ""});
      break;
    default:
      out.push_back({{}, "other", ""});
      break;
  }
}

Result<> describe_recipients(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.enter(ber::kSet, "the RecipientInfos"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    if (++description.recipient_count > kMaxDescribed) {
      SIGNET_CHECK(walker.skip_any("a RecipientInfo"));
      continue;
    }
    SIGNET_TRY(const Bytes info, walker.take(next->identifier, kMaxInfoSize, "a RecipientInfo"));
    describe_recipient(info, description.recipients);
  }
  return walker.leave("the RecipientInfos");
}

/// GCMParameters (RFC 5084 section 3.2): the nonce, and the tag's length, which is 12 when it is not written.
Result<> describe_gcm_parameters(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.enter(ber::kSequence, "the GCM parameters"));
  SIGNET_TRY(const Bytes nonce, walker.take_contents(ber::kOctetString, kMaxAlgorithmSize, "the nonce"));
  description.nonce_size = nonce.size();
  description.icv_size = 12;
  SIGNET_TRY(const bool has_length, walker.next_is(ber::kInteger));
  if (has_length) {
    SIGNET_TRY(const Bytes length, walker.take_contents(ber::kInteger, 8, "the tag's length"));
    description.icv_size = 0;
    for (const std::uint8_t octet : length) description.icv_size = *description.icv_size << 8U | octet;
  }
  return walker.leave("the GCM parameters");
}

std::string describe_cipher(ByteView oid_der, CmsDescription& description) {
  const unsigned char* in = oid_der.data();
  const Asn1ObjectPtr oid(d2i_ASN1_OBJECT(nullptr, &in, static_cast<long>(oid_der.size())));
  ERR_clear_error();
  if (!oid) return "an unreadable OID " + hex_lower(oid_der);
  description.known_cipher = cipher_of(oid.get());
  return description.known_cipher ? std::string(to_string(*description.known_cipher)) : describe(oid.get());
}

Result<> describe_cipher(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.enter(ber::kSequence, "the content encryption algorithm"));
  SIGNET_TRY(const Bytes oid,
             walker.take(ber::kOid, kMaxAlgorithmSize, "the content encryption algorithm's identifier"));
  description.cipher = describe_cipher(oid, description);
  if (description.known_cipher && is_authenticated(*description.known_cipher))
    SIGNET_CHECK(describe_gcm_parameters(walker, description));
  SIGNET_TRY(const std::optional<ber::Header> parameters, walker.peek());
  if (parameters) SIGNET_CHECK(walker.skip_any("parameters"));
  return walker.leave("the content encryption algorithm");
}

/// RFC 5652 section 6.1 and RFC 5083 section 2.1.
Result<> describe_enveloped(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.skip(ber::kInteger, "a version"));
  SIGNET_CHECK(skip_optional(walker, ber::context(0)));
  SIGNET_CHECK(describe_recipients(walker, description));
  SIGNET_CHECK(walker.enter(ber::kSequence, "the encrypted content"));
  SIGNET_CHECK(walker.skip(ber::kOid, "a content type"));
  SIGNET_CHECK(describe_cipher(walker, description));
  SIGNET_TRY(const std::optional<ber::Header> there, walker.peek());
  if (there) {
    SIGNET_TRY(const ber::Element content, walker.skip_any("the encrypted content's octets"));
    SIGNET_TRY(description.content_size, content_size(walker, content));
  }
  SIGNET_CHECK(walker.leave("the encrypted content"));
  SIGNET_TRY(description.authenticated_attributes, skip_optional(walker, ber::context(1)));
  if (description.type == CmsType::AuthEnveloped) {
    SIGNET_TRY(const ber::Element tag, walker.skip_any("the authentication tag"));
    ber::OctetStringSource octets(walker.octets(), tag);
    Bytes buffer(kMaxTag);
    SIGNET_TRY(description.tag_size, read_full(octets, buffer));
    SIGNET_CHECK(skip_optional(walker, ber::context(2)));
  }
  return leave_content(walker);
}

// ---- SignerInfos

std::string describe_signature_algorithm(const X509_ALGOR* algorithm) {
  std::string name = describe(algorithm_of(algorithm));
  if (OBJ_obj2nid(algorithm_of(algorithm)) != NID_rsassaPss) return name;
  const Result<PssParameters> parameters = read_pss_parameters(algorithm);
  if (!parameters) return name + " without readable parameters";
  return fmt::format("{} with {}, salt of {} octets", name,
                     parameters->hash ? to_string(*parameters->hash) : "an unknown hash",
                     parameters->salt_length);
}

std::vector<std::string> attribute_types(CMS_SignerInfo* info, int count,
                                         X509_ATTRIBUTE* (*at)(const CMS_SignerInfo*, int)) {
  std::vector<std::string> types;
  for (int i = 0; i < std::min(count, static_cast<int>(kMaxAttributes)); ++i) {
    const ASN1_OBJECT* const type = X509_ATTRIBUTE_get0_object(at(info, i));
    const int nid = OBJ_obj2nid(type);
    const std::string name = describe(type);
    if (name == kAlgorithmProtection)
      types.emplace_back("CMSAlgorithmProtection");
    else
      types.push_back(nid == NID_undef ? name : OBJ_nid2sn(nid));
  }
  return types;
}

SignerDescription describe_parsed_signer(CMS_SignerInfo* info) {
  SignerDescription signer;
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  CMS_SignerInfo_get0_signer_id(info, &key_id, &issuer, &serial);
  signer.party = party_of(key_id, issuer, serial);
  X509_ALGOR* digest = nullptr;
  X509_ALGOR* signature = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest, &signature);
  signer.digest_algorithm = describe(algorithm_of(digest));
  signer.hash = hash_of(algorithm_of(digest));
  signer.signature_algorithm = describe_signature_algorithm(signature);

  const int signed_count = CMS_signed_get_attr_count(info);
  signer.has_signed_attributes = signed_count >= 0;
  signer.signed_attributes = attribute_types(info, signed_count, CMS_signed_get_attr);
  signer.unsigned_attributes =
      attribute_types(info, CMS_unsigned_get_attr_count(info), CMS_unsigned_get_attr);
  if (signer.has_signed_attributes) {
    const void* claimed = single_signed_value(info, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING);
    if (claimed != nullptr) signer.message_digest = octets_of(static_cast<const ASN1_STRING*>(claimed));
    signer.signing_time = read_signing_time(info);
  }
  ERR_clear_error();
  return signer;
}

SignerDescription describe_signer(ByteView der) {
  constexpr std::array<std::uint8_t, 3> version = {ber::kInteger, 1, 1};
  const Bytes no_digests = ber::element(ber::kSet, {});
  const Bytes no_content = ber::element(ber::kSequence, {oid::kData});
  const Bytes infos = ber::element(ber::kSet, {der});
  const CmsPtr cms = parse_skeleton(content_info(oid::kSignedData, {version, no_digests, no_content, infos}));
  STACK_OF(CMS_SignerInfo)* const parsed = cms ? CMS_get0_SignerInfos(cms.get()) : nullptr;
  if (parsed == nullptr || sk_CMS_SignerInfo_num(parsed) != 1) {
    SignerDescription unreadable;
    unreadable.readable = false;
    return unreadable;
  }
  return describe_parsed_signer(sk_CMS_SignerInfo_value(parsed, 0));
}

Result<> describe_digests(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.enter(ber::kSet, "the digest algorithms"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    SIGNET_TRY(const Bytes der, walker.take(ber::kSequence, kMaxAlgorithmSize, "a digest algorithm"));
    if (description.digest_algorithms.size() == kMaxDescribed) continue;
    const unsigned char* in = der.data();
    const AlgorithmPtr algorithm(d2i_X509_ALGOR(nullptr, &in, static_cast<long>(der.size())));
    ERR_clear_error();
    description.digest_algorithms.push_back(algorithm ? describe(algorithm_of(algorithm.get()))
                                                      : "unreadable");
  }
  return walker.leave("the digest algorithms");
}

Result<> describe_certificates(ber::Walker& walker, CmsDescription& description) {
  SIGNET_TRY(const bool there, walker.next_is(ber::context(0)));
  if (!there) return {};
  SIGNET_CHECK(walker.enter(ber::context(0), "the certificates"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    if (++description.certificate_count > kMaxDescribed || next->identifier != ber::kSequence) {
      SIGNET_CHECK(walker.skip_any("a certificate"));
      continue;
    }
    SIGNET_TRY(const Bytes der, walker.take(ber::kSequence, kMaxInfoSize, "a certificate"));
    if (auto certificate = Certificate::parse(der))
      description.certificates.push_back(*std::move(certificate));
  }
  return walker.leave("the certificates");
}

Result<> count_crls(ber::Walker& walker, CmsDescription& description) {
  SIGNET_TRY(const bool there, walker.next_is(ber::context(1)));
  if (!there) return {};
  SIGNET_CHECK(walker.enter(ber::context(1), "the CRLs"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    SIGNET_CHECK(walker.skip_any("a CRL"));
    ++description.crl_count;
  }
  return walker.leave("the CRLs");
}

Result<> describe_signers(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.enter(ber::kSet, "the SignerInfos"));
  for (;;) {
    SIGNET_TRY(const std::optional<ber::Header> next, walker.peek());
    if (!next) break;
    if (++description.signer_count > kMaxDescribed) {
      SIGNET_CHECK(walker.skip_any("a SignerInfo"));
      continue;
    }
    SIGNET_TRY(const Bytes info, walker.take(ber::kSequence, kMaxInfoSize, "a SignerInfo"));
    description.signers.push_back(describe_signer(info));
  }
  return walker.leave("the SignerInfos");
}

/// RFC 5652 section 5.1.
Result<> describe_signed(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.skip(ber::kInteger, "a version"));
  SIGNET_CHECK(describe_digests(walker, description));
  SIGNET_TRY(const std::optional<ber::Element> content, find_content(walker, Encapsulated::Anything));
  description.detached = !content;
  if (content) {
    SIGNET_TRY(description.content_size, content_size(walker, *content));
  }
  SIGNET_CHECK(describe_certificates(walker, description));
  SIGNET_CHECK(count_crls(walker, description));
  SIGNET_CHECK(describe_signers(walker, description));
  return leave_content(walker);
}

/// RFC 3274 section 1.1.
Result<> describe_compressed(ber::Walker& walker, CmsDescription& description) {
  SIGNET_CHECK(walker.skip(ber::kInteger, "a version"));
  SIGNET_TRY(const Bytes algorithm,
             walker.take(ber::kSequence, kMaxAlgorithmSize, "a compression algorithm"));
  const bool is_zlib = std::search(algorithm.begin(), algorithm.end(), oid::kZlibCompress.begin(),
                                   oid::kZlibCompress.end()) != algorithm.end();
  description.compression = is_zlib ? "zlib" : "AlgorithmIdentifier " + hex_lower(algorithm);
  SIGNET_TRY(const std::optional<ber::Element> content, find_content(walker, Encapsulated::Anything));
  if (content) {
    SIGNET_TRY(description.content_size, content_size(walker, *content));
  }
  return leave_content(walker);
}

Result<> describe_content(ber::Walker& walker, CmsDescription& description) {
  if (description.type == CmsType::Other) return {};
  SIGNET_CHECK(walker.enter(ber::context(0), "the content of a ContentInfo"));
  SIGNET_CHECK(walker.enter(ber::kSequence, to_string(description.type)));
  switch (description.type) {
    case CmsType::Signed:
      return describe_signed(walker, description);
    case CmsType::Enveloped:
    case CmsType::AuthEnveloped:
      return describe_enveloped(walker, description);
    case CmsType::Compressed:
      return describe_compressed(walker, description);
    case CmsType::Other:
      break;
  }
  return {};
}

/// The size that a message announces in its first octets; none when it is of indefinite length, or no
/// SEQUENCE.
Result<std::optional<std::uint64_t>> announced_size(const Slice& message) {
  constexpr std::uint8_t long_form = 0x80;
  const Slice front = message.sub(0, 2 + sizeof(std::uint32_t));
  SIGNET_TRY(const Bytes octets, front.to_bytes(2 + sizeof(std::uint32_t)));
  if (octets.size() < 2 || octets[0] != ber::kSequence || octets[1] == long_form) return std::nullopt;
  if (octets[1] < long_form) return std::optional<std::uint64_t>(2U + octets[1]);
  const std::size_t count = octets[1] - long_form;
  if (count > sizeof(std::uint32_t) || octets.size() < 2 + count) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8U | octets[2 + i];
  return std::optional<std::uint64_t>(2 + count + length);
}

}  // namespace

std::string to_string(const PartyName& party) {
  if (party.by_key_identifier()) return "key identifier " + party.key_identifier;
  if (party.issuer_der.empty()) return "nobody";
  return fmt::format("issuer {}, serial {}", printable(party.issuer), party.serial);
}

bool is_named(const Certificate& certificate, const PartyName& party) {
  if (party.by_key_identifier()) {
    const ASN1_OCTET_STRING* key_id = X509_get0_subject_key_id(certificate.native());
    return key_id != nullptr && hex_upper(octets_of(key_id)) == party.key_identifier;
  }
  if (party.issuer_der.empty() || certificate.serial() != party.serial) return false;
  const unsigned char* in = party.issuer_der.data();
  const NamePtr issuer(d2i_X509_NAME(nullptr, &in, static_cast<long>(party.issuer_der.size())));
  ERR_clear_error();
  return issuer && X509_NAME_cmp(issuer.get(), X509_get_issuer_name(certificate.native())) == 0;
}

Result<CmsDescription> describe(const Slice& message) {
  CmsDescription description;
  description.size = message.size();
  SIGNET_TRY(const std::optional<std::uint64_t> announced, announced_size(message));
  if (announced && *announced > message.size())
    return fail(ErrorKind::InvalidInput,
                fmt::format("cut short: its first octets announce {} octets, and {} are there", *announced,
                            message.size()));
  ber::Walker walker(message);
  SIGNET_TRY(const std::optional<ber::Header> outermost, walker.peek());
  description.indefinite_length = outermost && !outermost->length;
  SIGNET_TRY(description.type, enter_content_info(walker));
  const Result<> done = describe_content(walker, description);
  if (done) return description;
  if (done.error().kind == ErrorKind::IoFailure) return fail(done.error());
  description.damage = done.error().detail;
  return description;
}

Result<> extract_unverified(const Slice& signed_data, Sink& out) {
  ber::Walker walker(signed_data);
  SIGNET_CHECK(enter_content(walker, CmsType::Signed));
  SIGNET_CHECK(walker.skip(ber::kInteger, "a version"));
  SIGNET_CHECK(walker.skip(ber::kSet, "the digest algorithms"));
  SIGNET_TRY(const std::optional<ber::Element> content, find_content(walker, Encapsulated::Anything));
  if (!content) return fail(ErrorKind::InvalidInput, "a SignedData without content");
  ber::OctetStringSource octets(signed_data, *content);
  SIGNET_CHECK(copy(octets, out));
  return {};
}

}  // namespace signet::as2::cms
