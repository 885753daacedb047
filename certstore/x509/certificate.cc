#include "certstore/x509/certificate.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/openssl.h"
#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/distinguished_name.h"
#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/key_facts_internal.h"
#include "certstore/x509/pem.h"

namespace signet::certstore {

/// Everything that is ever asked of a certificate, computed once. Afterwards nothing in it changes, the
/// caches inside OpenSSL's own structure included, so that threads share it without a lock.
struct Certificate::Facts {
  X509Ptr x509;
  EVP_PKEY* key = nullptr;  ///< belongs to `x509`; null where OpenSSL knows no such key
  Bytes der;
  std::string subject;
  std::string issuer;
  std::string serial;
  Time not_before;
  Time not_after;
  KeyFacts key_facts;
  KeyUsage key_usage;
  std::vector<std::string> subject_alternative_names;
  bool self_signed = false;
  std::string thumbprint_sha1;
  std::string thumbprint_sha256;

  static Result<std::shared_ptr<const Facts>> of(X509Ptr x509);
};

namespace {

using GeneralNamesPtr = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using BitStringPtr = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

constexpr std::size_t kMostOctets = 1024 * 1024;
constexpr std::size_t kMostCertificates = 100;
constexpr std::size_t kLongestAlternativeName = 1000;

/// Not X509_get_key_usage(): that gives up when any extension at all is damaged.
KeyUsage key_usage_of(const X509* x509) {
  KeyUsage usage;
  int critical = 0;
  const BitStringPtr bits(
      static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(x509, NID_key_usage, &critical, nullptr)));
  constexpr int kAbsent = -1;
  if (critical == kAbsent) return usage;
  // Bit numbers of RFC 5280 section 4.2.1.3. An extension that cannot be read allows nothing.
  const auto allows = [&bits](int bit) { return bits && ASN1_BIT_STRING_get_bit(bits.get(), bit) == 1; };
  usage.present = true;
  usage.digital_signature = allows(0);
  usage.non_repudiation = allows(1);
  usage.key_encipherment = allows(2);
  usage.data_encipherment = allows(3);
  usage.key_agreement = allows(4);
  usage.key_cert_sign = allows(5);
  return usage;
}

std::string text_of(const ASN1_STRING* text) {
  const ByteView bytes(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text)));
  return printable(as_text(bytes), kLongestAlternativeName);
}

std::string text_of(const ASN1_OBJECT* object) {
  std::array<char, 128> dotted{};
  return OBJ_obj2txt(dotted.data(), dotted.size(), object, 1) > 0 ? std::string(dotted.data())
                                                                  : std::string();
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  const ByteView bytes(ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets)));
  return ip_text_of(octets).value_or(hex_upper(bytes));
}

std::string text_of(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return "DNS:" + text_of(name->d.dNSName);
    case GEN_EMAIL:
      return "email:" + text_of(name->d.rfc822Name);
    case GEN_URI:
      return "URI:" + text_of(name->d.uniformResourceIdentifier);
    case GEN_IPADD:
      return "IP:" + address_of(name->d.iPAddress);
    case GEN_DIRNAME:
      return "DirName:" + name_text(name->d.directoryName);
    case GEN_RID:
      return "RID:" + text_of(name->d.registeredID);
    case GEN_OTHERNAME:
      return "otherName:" + text_of(name->d.otherName->type_id);
    case GEN_X400:
      return "X400Name";
    case GEN_EDIPARTY:
      return "EdiPartyName";
    default:
      return "unknown";
  }
}

std::vector<std::string> alternative_names_of(const X509* x509) {
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    texts.push_back(text_of(sk_GENERAL_NAME_value(names.get(), i)));
  return texts;
}

}  // namespace

Result<std::shared_ptr<const Certificate::Facts>> Certificate::Facts::of(X509Ptr x509) {
  auto facts = std::make_shared<Facts>();
  // Fills the caches of extensions and flags inside the X509, which would otherwise be filled by its first
  // user.
  X509_check_purpose(x509.get(), -1, 0);
  SIGNET_TRY(facts->der, encode<X509>(x509.get(), i2d_X509));
  SIGNET_TRY(facts->not_before, time_of(X509_get0_notBefore(x509.get()), "the certificate's notBefore"));
  SIGNET_TRY(facts->not_after, time_of(X509_get0_notAfter(x509.get()), "the certificate's notAfter"));
  facts->subject = name_text(X509_get_subject_name(x509.get()));
  facts->issuer = name_text(X509_get_issuer_name(x509.get()));
  facts->serial = hex_of(X509_get0_serialNumber(x509.get()));
  facts->key = X509_get0_pubkey(x509.get());
  facts->key_facts = key_facts_of(facts->key);
  facts->key_usage = key_usage_of(x509.get());
  facts->subject_alternative_names = alternative_names_of(x509.get());
  facts->self_signed = X509_self_signed(x509.get(), 1) == 1;
  facts->thumbprint_sha1 = hex_upper(digest(Hash::Sha1, facts->der));
  facts->thumbprint_sha256 = hex_upper(digest(Hash::Sha256, facts->der));
  facts->x509 = std::move(x509);
  return std::shared_ptr<const Facts>(std::move(facts));
}

namespace {

/// The X509s of one input, in order, at most kMostCertificates of them.
class Collection {
 public:
  Result<> add(X509Ptr certificate) {
    if (certificates_.size() == kMostCertificates)
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("more than {} certificates in one file", kMostCertificates));
    certificates_.push_back(std::move(certificate));
    return {};
  }
  [[nodiscard]] std::vector<X509Ptr> take() { return std::move(certificates_); }

 private:
  std::vector<X509Ptr> certificates_;
};

Result<> require_all_read(const unsigned char* end, ByteView der, std::string_view what) {
  const auto left = der.data() + der.size() - end;
  if (left == 0) return {};
  return fail(ErrorKind::InvalidInput, fmt::format("{} octets follow the end of the {}", left, what));
}

using DecodeX509 = X509* (*)(X509**, const unsigned char**, long);

Result<> add_certificate(ByteView der, DecodeX509 decode, Collection& found) {
  const unsigned char* position = der.data();
  X509Ptr certificate(decode(nullptr, &position, static_cast<long>(der.size())));
  if (!certificate)
    return fail(
        take_openssl_error(ErrorKind::InvalidInput, "this is not an X.509 certificate, or it is damaged"));
  SIGNET_CHECK(require_all_read(position, der, "certificate"));
  return found.add(std::move(certificate));
}

Result<> add_bundle(ByteView ber, Collection& found) {
  const unsigned char* position = ber.data();
  const CmsPtr bundle(d2i_CMS_ContentInfo(nullptr, &position, static_cast<long>(ber.size())));
  if (!bundle)
    return fail(take_openssl_error(ErrorKind::InvalidInput, "this is not a PKCS#7 bundle, or it is damaged"));
  SIGNET_CHECK(require_all_read(position, ber, "PKCS#7 bundle"));
  if (OBJ_obj2nid(CMS_get0_type(bundle.get())) != NID_pkcs7_signed)
    return fail(ErrorKind::InvalidInput,
                "the PKCS#7 bundle is not of the type signedData, the one that carries certificates");
  const X509StackPtr certificates(CMS_get1_certs(bundle.get()));
  for (int i = 0; i < sk_X509_num(certificates.get()); ++i) {
    X509* certificate = sk_X509_value(certificates.get(), i);
    X509_up_ref(certificate);
    SIGNET_CHECK(found.add(X509Ptr(certificate)));
  }
  return {};
}

/// RFC 7468's labels and the older ones that are still seen. Blocks of other kinds, such as keys, are passed
/// over.
Result<> add_pem_block(std::string_view label, ByteView der, Collection& found) {
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD) return add_certificate(der, d2i_X509, found);
  if (label == PEM_STRING_X509_TRUSTED) return add_certificate(der, d2i_X509_AUX, found);
  if (label == PEM_STRING_PKCS7 || label == PEM_STRING_PKCS7_SIGNED || label == PEM_STRING_CMS)
    return add_bundle(der, found);
  return {};
}

Result<> add_pem(ByteView text, Collection& found) {
  const BioPtr bio = borrow_as_bio(text);
  for (;;) {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) break;
    auto added = add_pem_block(label, ByteView(data, static_cast<std::size_t>(size)), found);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // it may have been somebody's private key
    SIGNET_CHECK(std::move(added));
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  Error error = take_openssl_error(ErrorKind::InvalidInput, "the PEM text is damaged");
  if (!ended) return fail(std::move(error));
  return {};
}

/// A SEQUENCE that fills the input, or one of more than 127 octets or of indefinite length, which begins as
/// no text does.
bool begins_like_der(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x30 && (bytes[1] >= 0x80 || bytes[1] == bytes.size() - 2);
}

/// Whether the SEQUENCE begins with an OBJECT IDENTIFIER, as PKCS#7 does; a certificate begins with a
/// SEQUENCE.
bool begins_like_pkcs7(ByteView der) {
  const std::size_t length_octets = der[1] > 0x80 ? der[1] & 0x7FU : 0;
  return der.size() > 2 + length_octets && der[2 + length_octets] == 0x06;
}

Result<std::vector<X509Ptr>> collect(ByteView bytes) {
  if (bytes.size() > kMostOctets)
    return fail(ErrorKind::LimitExceeded, fmt::format("a file of {} octets; certificates may take {} at most",
                                                      bytes.size(), kMostOctets));
  Collection found;
  if (!begins_like_der(bytes))
    SIGNET_CHECK(add_pem(bytes, found));
  else if (begins_like_pkcs7(bytes))
    SIGNET_CHECK(add_bundle(bytes, found));
  else
    SIGNET_CHECK(add_certificate(bytes, d2i_X509, found));
  return found.take();
}

}  // namespace

Result<std::vector<Certificate>> parse_certificates(ByteView bytes) {
  const OwnErrors errors;
  SIGNET_TRY(std::vector<X509Ptr> found, collect(bytes));
  if (found.empty())
    return fail(
        ErrorKind::InvalidInput,
        fmt::format(
            "no certificate found: expected DER, PEM (-----BEGIN CERTIFICATE-----) or a PKCS#7 bundle, "
            "got {} octets beginning with '{}'",
            bytes.size(), printable(as_text(bytes.first(std::min<std::size_t>(bytes.size(), 24))))));
  std::vector<Certificate> certificates;
  certificates.reserve(found.size());
  for (X509Ptr& one : found) {
    SIGNET_TRY(auto facts, Certificate::Facts::of(std::move(one)));
    certificates.push_back(Certificate(std::move(facts)));
  }
  return certificates;
}

std::string to_pem(const std::vector<Certificate>& certificates) {
  std::string text;
  for (const Certificate& certificate : certificates) text += certificate.pem();
  return text;
}

Result<Certificate> Certificate::parse(ByteView pem_or_der) {
  SIGNET_TRY(std::vector<Certificate> all, parse_certificates(pem_or_der));
  if (all.size() != 1)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format(
            "expected one certificate, got {}: the first is '{}'; split the file and give the one meant",
            all.size(), printable(all.front().subject())));
  return std::move(all.front());
}

const Bytes& Certificate::der() const { return facts_->der; }

std::string Certificate::pem() const { return pem_of(facts_->der, "CERTIFICATE"); }

const std::string& Certificate::subject() const { return facts_->subject; }
const std::string& Certificate::issuer() const { return facts_->issuer; }
const std::string& Certificate::serial() const { return facts_->serial; }
Time Certificate::not_before() const { return facts_->not_before; }
Time Certificate::not_after() const { return facts_->not_after; }
KeyType Certificate::key_type() const { return facts_->key_facts.type; }
int Certificate::key_bits() const { return facts_->key_facts.bits; }
const std::string& Certificate::curve() const { return facts_->key_facts.curve; }
const KeyUsage& Certificate::key_usage() const { return facts_->key_usage; }
const std::vector<std::string>& Certificate::subject_alternative_names() const {
  return facts_->subject_alternative_names;
}
bool Certificate::self_signed() const { return facts_->self_signed; }
const std::string& Certificate::thumbprint_sha1() const { return facts_->thumbprint_sha1; }
const std::string& Certificate::thumbprint_sha256() const { return facts_->thumbprint_sha256; }
X509* Certificate::native() const { return facts_->x509.get(); }
EVP_PKEY* Certificate::public_key() const { return facts_->key; }

bool Certificate::has_public_key(const EVP_PKEY* key) const {
  if (facts_->key == nullptr || key == nullptr) return false;
  const bool same = EVP_PKEY_eq(facts_->key, key) == 1;
  ERR_clear_error();  // keys of different kinds leave a complaint there
  return same;
}

std::string key_thumbprint(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = key == nullptr ? 0 : i2d_PUBKEY(key, &der);
  const OpensslMemory owner(der);
  ERR_clear_error();
  if (length <= 0) return {};
  return hex_upper(digest(Hash::Sha256, ByteView(der, static_cast<std::size_t>(length))));
}

Result<> check_key_strength(const Certificate& certificate) {
  const KeyFacts facts{certificate.key_type(), certificate.key_bits(), certificate.curve()};
  return check_key_strength(facts, fmt::format("certificate '{}'", printable(certificate.subject())));
}

}  // namespace signet::certstore
