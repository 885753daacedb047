#include "certstore/x509/crl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/crl_internal.h"
#include "certstore/x509/host_name.h"
#include "certstore/x509/pem.h"

namespace signet::certstore {

using IssuingPointPtr = Handle<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;

/// Everything that is ever asked of a list, computed once.
struct Crl::Facts {
  CrlPtr crl;
  Bytes der;
  DistinguishedName issuer;
  Bytes authority_key_id;
  std::string number;
  Time this_update;
  Time next_update;
  IssuingPointPtr issuing_point;  ///< null when the list is for everything of its issuer
  std::vector<RevokedCertificate> entries;
};

namespace {

using AlgorithmPtr = Handle<X509_ALGOR, X509_ALGOR_free>;
using CrlPointsPtr = Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;

constexpr PemForm kListForm{"revocation list", "X509 CRL", "", 8 * 1024 * 1024};

constexpr int kMostPointNames = 32;

struct ReasonWord {
  RevocationReason reason;
  std::string_view word;
};
constexpr std::array<ReasonWord, 9> kReasons{
    {{RevocationReason::Unspecified, "unspecified"},
     {RevocationReason::KeyCompromise, "keyCompromise"},
     {RevocationReason::CaCompromise, "cACompromise"},
     {RevocationReason::AffiliationChanged, "affiliationChanged"},
     {RevocationReason::Superseded, "superseded"},
     {RevocationReason::CessationOfOperation, "cessationOfOperation"},
     {RevocationReason::CertificateHold, "certificateHold"},
     {RevocationReason::PrivilegeWithdrawn, "privilegeWithdrawn"},
     {RevocationReason::AaCompromise, "aACompromise"}}};

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  OBJ_obj2txt(text.data(), text.size(), object, 1);
  return text.data();
}

tl::unexpected<Error> invalid(std::string detail) { return fail(ErrorKind::InvalidInput, std::move(detail)); }
tl::unexpected<Error> unsupported(std::string_view what) {
  return fail(
      ErrorKind::Unsupported,
      fmt::format("the revocation list {}: complete lists, signed by the issuer of the certificates that "
                  "they are for, are wanted",
                  what));
}

/// What the list is not, and whether it says something that we do not understand. [RFC5280 5.2]
Result<> check_extensions(const STACK_OF(X509_EXTENSION) * extensions) {
  static const std::set<int> known{NID_authority_key_identifier, NID_crl_number,
                                   NID_issuing_distribution_point, NID_issuer_alt_name, NID_info_access};
  std::set<std::string> seen;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_EXTENSION* const extension = sk_X509_EXTENSION_value(extensions, i);
    const std::string id = dotted(X509_EXTENSION_get_object(extension));
    if (!seen.insert(id).second)
      return invalid(fmt::format("the revocation list has the extension {} twice", id));
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (nid == NID_delta_crl) return unsupported("says only what changed since another one (a delta list)");
    if (X509_EXTENSION_get_critical(extension) == 1 && !known.contains(nid))
      return unsupported(fmt::format("has the critical extension {}, which is not known here", id));
  }
  return {};
}

/// Reads an extension, null when it is absent. @error InvalidInput  it cannot be read.
template <class Owner, class Source>
Result<Owner> read_extension(const Source* source, int nid, void* (*get)(const Source*, int, int*, int*),
                             std::string_view what) {
  constexpr int kAbsent = -1;
  int is_critical = 0;
  Owner value(static_cast<typename Owner::pointer>(get(source, nid, &is_critical, nullptr)));
  if (!value && is_critical != kAbsent) return fail(take_openssl_error(ErrorKind::InvalidInput, what));
  return value;
}

int count_of_names(const ISSUING_DIST_POINT* point) {
  constexpr int kFullName = 0;
  if (point->distpoint == nullptr || point->distpoint->type != kFullName) return 0;
  return sk_GENERAL_NAME_num(point->distpoint->name.fullname);
}

Result<IssuingPointPtr> issuing_point_of(const X509_CRL* crl) {
  SIGNET_TRY(IssuingPointPtr point,
             read_extension<IssuingPointPtr>(crl, NID_issuing_distribution_point, X509_CRL_get_ext_d2i,
                                             "the issuingDistributionPoint of the revocation list"));
  if (!point) return point;
  if (point->indirectCRL > 0)
    return unsupported("speaks of certificates of other issuers (an indirect list)");
  if (point->onlysomereasons != nullptr) return unsupported("is for some reasons alone");
  if (point->onlyattr > 0) return unsupported("is for attribute certificates");
  if (count_of_names(point.get()) > kMostPointNames)  // each is compared with each of a certificate's
    return fail(ErrorKind::LimitExceeded,
                fmt::format("the revocation list names its own place {} times; at most {} are taken",
                            count_of_names(point.get()), kMostPointNames));
  if (point->onlyuser > 0 && point->onlyCA > 0)  // [RFC5280 5.2.5]
    return invalid(
        "the revocation list is for authorities alone and for no authorities: it contradicts itself");
  return point;
}

Result<std::string> number_of(const X509_CRL* crl) {
  constexpr int kLongestNumber = 20;  // [RFC5280 5.2.3]
  using IntegerPtr = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
  SIGNET_TRY(const IntegerPtr number, read_extension<IntegerPtr>(crl, NID_crl_number, X509_CRL_get_ext_d2i,
                                                                 "the cRLNumber of the revocation list"));
  if (!number) return std::string();
  if (ASN1_STRING_type(number.get()) == V_ASN1_NEG_INTEGER ||
      ASN1_STRING_length(number.get()) > kLongestNumber)
    return invalid("the cRLNumber of the revocation list is negative, or longer than 20 octets");
  return hex_of(number.get());
}

Result<Bytes> authority_key_of(const X509_CRL* crl) {
  using KeyIdPtr = Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
  SIGNET_TRY(const KeyIdPtr key,
             read_extension<KeyIdPtr>(crl, NID_authority_key_identifier, X509_CRL_get_ext_d2i,
                                      "the authorityKeyIdentifier of the revocation list"));
  return key ? identifier_octets(key->keyid) : Bytes();
}

Result<RevokedCertificate> entry_of(const X509_REVOKED* revoked) {
  RevokedCertificate entry;
  entry.serial = hex_of(X509_REVOKED_get0_serialNumber(revoked));
  SIGNET_TRY(entry.revoked,
             time_of(X509_REVOKED_get0_revocationDate(revoked),
                     fmt::format("the date of the entry {} of the revocation list", entry.serial)));
  const STACK_OF(X509_EXTENSION)* const extensions = X509_REVOKED_get0_extensions(revoked);
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_EXTENSION* const extension = sk_X509_EXTENSION_value(extensions, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (nid == NID_certificate_issuer)
      return unsupported("speaks of certificates of other issuers (an indirect list)");
    if (X509_EXTENSION_get_critical(extension) == 1 && nid != NID_crl_reason && nid != NID_invalidity_date)
      return unsupported(fmt::format("has an entry with the critical extension {}, which is not known here",
                                     dotted(X509_EXTENSION_get_object(extension))));
  }
  using EnumeratedPtr = Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
  SIGNET_TRY(const EnumeratedPtr number,
             read_extension<EnumeratedPtr>(revoked, NID_crl_reason, X509_REVOKED_get_ext_d2i,
                                           "the reason of an entry of the revocation list"));
  if (!number) return entry;
  const auto reason = revocation_reason_of(ASN1_ENUMERATED_get(number.get()));
  if (!reason)  // [RFC5280 5.3.1] removeFromCRL is for delta lists
    return invalid(
        fmt::format("the entry {} of the revocation list has a reason that is none", entry.serial));
  entry.reason = *reason;
  return entry;
}

Result<std::vector<RevokedCertificate>> entries_of(X509_CRL* crl) {
  const STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(crl);
  const int count = sk_X509_REVOKED_num(revoked);
  if (count > static_cast<int>(kMostCrlEntries))
    return fail(ErrorKind::LimitExceeded,
                fmt::format("a revocation list of {} entries; at most {} are taken", count, kMostCrlEntries));
  std::vector<RevokedCertificate> entries;
  entries.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int i = 0; i < count; ++i) {
    SIGNET_TRY(RevokedCertificate entry, entry_of(sk_X509_REVOKED_value(revoked, i)));
    entries.push_back(std::move(entry));
  }
  const auto by_serial = [](const auto& a, const auto& b) { return a.serial < b.serial; };
  std::stable_sort(entries.begin(), entries.end(), by_serial);
  const auto same = [](const auto& a, const auto& b) { return a.serial == b.serial; };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
  return entries;
}

Result<> check_form(const X509_CRL* crl) {
  if (X509_NAME_entry_count(X509_CRL_get_issuer(crl)) == 0)  // [RFC5280 5.1.2.3]
    return invalid("the revocation list names no issuer");
  if (X509_CRL_get0_nextUpdate(crl) == nullptr)  // [RFC5280 5.1.2.5]
    return invalid("the revocation list does not say when the next one comes (nextUpdate)");
  if (X509_CRL_get_version(crl) > X509_CRL_VERSION_2)
    return invalid(
        fmt::format("a revocation list of version {}; 2 is the last", X509_CRL_get_version(crl) + 1));
  if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2 && X509_CRL_get0_extensions(crl) != nullptr)
    return invalid("the revocation list has extensions, and is not of version 2");  // [RFC5280 5.1.2.1]
  return {};
}

/// The signature algorithm of tbsCertList, for which OpenSSL has no accessor: after the version, if there is
/// one. The octets are known to be a list.
AlgorithmPtr algorithm_inside(ByteView der) {
  const unsigned char* at = der.data();
  const unsigned char* const end = der.data() + der.size();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  ASN1_get_object(&at, &length, &tag, &tag_class, end - at);  // CertificateList
  ASN1_get_object(&at, &length, &tag, &tag_class, end - at);  // tbsCertList
  const unsigned char* content = at;
  ASN1_get_object(&content, &length, &tag, &tag_class, end - at);
  if (tag == V_ASN1_INTEGER) at = content + length;
  return AlgorithmPtr(d2i_X509_ALGOR(nullptr, &at, end - at));
}

bool names_one_of(const GENERAL_NAMES* names, const GENERAL_NAMES* others) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i)
    for (int j = 0; j < sk_GENERAL_NAME_num(others); ++j)
      if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), sk_GENERAL_NAME_value(others, j)) == 0)
        return true;
  return false;
}

/// Names alone: a name relative to the issuer's is used by nobody, and does not match here.
bool same_point(const DIST_POINT_NAME* a, const DIST_POINT_NAME* b) {
  constexpr int kFullName = 0;
  return a != nullptr && b != nullptr && a->type == kFullName && b->type == kFullName &&
         names_one_of(a->name.fullname, b->name.fullname);
}

/// [RFC5280 6.3.3 (b)(2)(i)]
bool points_to(const Certificate& certificate, const DIST_POINT_NAME* name) {
  const OwnErrors errors;
  const CrlPointsPtr points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(certificate.native(), NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i)
    if (same_point(sk_DIST_POINT_value(points.get(), i)->distpoint, name)) return true;
  return false;
}

}  // namespace

std::optional<RevocationReason> revocation_reason_of(long number) {
  for (const ReasonWord& known : kReasons)
    if (static_cast<long>(known.reason) == number) return known.reason;
  return std::nullopt;
}

std::string_view to_string(RevocationReason reason) {
  for (const ReasonWord& known : kReasons)
    if (known.reason == reason) return known.word;
  return "unspecified";
}

Result<RevocationReason> parse_revocation_reason(std::string_view text) {
  std::string words;
  for (const ReasonWord& known : kReasons) {
    if (equal_ignoring_case(known.word, text)) return known.reason;
    words += fmt::format("{}{}", words.empty() ? "" : ", ", known.word);
  }
  return invalid(fmt::format("'{}' is no reason of a revocation: there are {}", printable(text), words));
}

Result<Crl> Crl::parse(ByteView pem_or_der) {
  const OwnErrors errors;
  auto facts = std::make_shared<Facts>();
  SIGNET_TRY(facts->der, der_of(pem_or_der, kListForm));
  SIGNET_TRY(facts->crl, decode_der<CrlPtr>(facts->der, d2i_X509_CRL, kListForm.what));
  X509_CRL* const crl = facts->crl.get();
  SIGNET_CHECK(check_form(crl));
  SIGNET_CHECK(check_extensions(X509_CRL_get0_extensions(crl)));
  facts->issuer = DistinguishedName::copy_of(X509_CRL_get_issuer(crl));
  SIGNET_TRY(facts->this_update, time_of(X509_CRL_get0_lastUpdate(crl), "the revocation list's thisUpdate"));
  SIGNET_TRY(facts->next_update, time_of(X509_CRL_get0_nextUpdate(crl), "the revocation list's nextUpdate"));
  if (facts->next_update < facts->this_update)
    return invalid(fmt::format("the revocation list is from {}, and the next one from before: {}",
                               to_rfc3339(facts->this_update), to_rfc3339(facts->next_update)));
  SIGNET_TRY(facts->issuing_point, issuing_point_of(crl));
  SIGNET_TRY(facts->number, number_of(crl));
  SIGNET_TRY(facts->authority_key_id, authority_key_of(crl));
  SIGNET_TRY(facts->entries, entries_of(crl));
  return Crl(std::move(facts));
}

const Bytes& Crl::der() const { return facts_->der; }
std::string Crl::pem() const { return pem_of(facts_->der, kListForm.label); }
const DistinguishedName& Crl::issuer() const { return facts_->issuer; }
const Bytes& Crl::authority_key_id() const { return facts_->authority_key_id; }
const std::string& Crl::number() const { return facts_->number; }
Time Crl::this_update() const { return facts_->this_update; }
Time Crl::next_update() const { return facts_->next_update; }
const std::vector<RevokedCertificate>& Crl::entries() const { return facts_->entries; }
X509_CRL* Crl::native() const { return facts_->crl.get(); }

const RevokedCertificate* Crl::find(const std::string& serial) const {
  const auto& all = facts_->entries;
  const auto at = std::lower_bound(all.begin(), all.end(), serial, [](const auto& entry, const auto& wanted) {
    return entry.serial < wanted;
  });
  return at != all.end() && at->serial == serial ? &*at : nullptr;
}

bool Crl::covers(const Certificate& certificate) const {
  const DistinguishedName issuer = DistinguishedName::copy_of(X509_get_issuer_name(certificate.native()));
  if (!(issuer == facts_->issuer)) return false;
  if (!identifiers_match(authority_key_identifier_of(certificate.native()), facts_->authority_key_id))
    return false;
  const ISSUING_DIST_POINT* const point = facts_->issuing_point.get();
  if (point == nullptr) return true;
  if (point->onlyuser > 0 && is_authority(certificate)) return false;
  if (point->onlyCA > 0 && !is_authority(certificate)) return false;
  return point->distpoint == nullptr || points_to(certificate, point->distpoint);
}

bool Crl::older_than(const Crl& other) const {
  if (number().empty() || other.number().empty()) return this_update() < other.this_update();
  if (number().size() != other.number().size()) return number().size() < other.number().size();
  return number() < other.number();
}

Result<> Crl::verify(const Certificate& issuer) const {
  const OwnErrors errors;
  const std::string what = fmt::format("the revocation list of '{}'", printable_name(facts_->issuer.text()));
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::CryptoFailure, fmt::format("{} is not to be believed: {} '{}'", what, why,
                                                      printable_name(issuer.subject())));
  };
  if (!(DistinguishedName::copy_of(X509_get_subject_name(issuer.native())) == facts_->issuer))
    return refuse("it names another issuer than");
  if (!identifiers_match(subject_key_identifier_of(issuer.native()), facts_->authority_key_id))
    return refuse("it names another key than that of");
  if (!is_authority(issuer)) return refuse("no authority is");
  if (!may_sign_lists(issuer)) return refuse("the key usage lacks cRLSign in");  // [RFC5280 6.3.3 (f)]
  SIGNET_CHECK(check_list_signature_algorithm(*this));
  if (issuer.public_key() == nullptr || X509_CRL_verify(native(), issuer.public_key()) != 1)
    return refuse("its signature is not by the key of");
  return {};
}

Result<> check_list_signature_algorithm(const Crl& list) {
  const OwnErrors errors;
  const std::string what = fmt::format("the revocation list of '{}'", printable_name(list.issuer().text()));
  const X509_ALGOR* outside = nullptr;
  X509_CRL_get0_signature(list.native(), nullptr, &outside);
  const AlgorithmPtr inside = algorithm_inside(list.der());
  if (!inside || X509_ALGOR_cmp(outside, inside.get()) != 0)
    return fail(ErrorKind::CryptoFailure, what + " is not to be believed: it names two signature algorithms");
  return check_signature_algorithm(outside, what);
}

bool may_sign_lists(const Certificate& issuer) {
  return !issuer.key_usage().present || profile_of(issuer).key_uses.contains(KeyUse::CrlSign);
}

}  // namespace signet::certstore
