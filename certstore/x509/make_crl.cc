#include <fmt/format.h>

#include <set>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/crl_internal.h"
#include "certstore/x509/extensions_internal.h"

namespace signet::certstore {
namespace {

using RevokedPtr = Handle<X509_REVOKED, X509_REVOKED_free>;
using EnumeratedPtr = Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using UnsignedPtr = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;

Result<> check_contents(const CrlContents& contents) {
  if (contents.next_update <= contents.this_update)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a revocation list from {} cannot be followed by one from {}",
                            to_rfc3339(contents.this_update), to_rfc3339(contents.next_update)));
  if (contents.entries.size() > kMostCrlEntries)
    return fail(ErrorKind::LimitExceeded, fmt::format("{} entries; a revocation list may have {} at most",
                                                      contents.entries.size(), kMostCrlEntries));
  std::set<std::string_view> serials;
  for (const RevokedCertificate& entry : contents.entries) {
    if (!integer_of(entry.serial))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("'{}' is no serial number in upper-case hexadecimal", printable(entry.serial)));
    if (!serials.insert(entry.serial).second)
      return fail(ErrorKind::InvalidInput, fmt::format("the serial number {} is there twice", entry.serial));
  }
  return {};
}

Result<> check_issuer(const Certificate& issuer) {
  if (profile_of(issuer).basic_constraints.certificate_authority && may_sign_lists(issuer) &&
      !subject_key_identifier_of(issuer.native()).empty())
    return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("certificate '{}' signs no revocation lists: that takes an authority's, with a subject "
                  "key identifier and, in its key usage, cRLSign",
                  printable_name(issuer.subject())));
}

bool add_reason(X509_REVOKED* entry, RevocationReason reason) {
  if (reason == RevocationReason::Unspecified) return true;  // [RFC5280 5.3.1]
  const EnumeratedPtr number(ASN1_ENUMERATED_new());
  return number && ASN1_ENUMERATED_set(number.get(), static_cast<long>(reason)) == 1 &&
         X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, number.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_entry(X509_CRL* crl, const RevokedCertificate& revoked) {
  RevokedPtr entry(X509_REVOKED_new());
  const UnsignedPtr serial = integer_of(revoked.serial);
  const Asn1TimePtr date = new_time(revoked.revoked);
  if (!entry || !serial || !date || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), date.get()) != 1 ||
      !add_reason(entry.get(), revoked.reason) || X509_CRL_add0_revoked(crl, entry.get()) != 1)
    return false;
  static_cast<void>(entry.release());
  return true;
}

bool add_number(X509_CRL* crl, std::uint64_t number) {
  const UnsignedPtr value(ASN1_INTEGER_new());
  return value && ASN1_INTEGER_set_uint64(value.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool fill_list(X509_CRL* crl, const Certificate& issuer, const CrlContents& contents) {
  const auto authority_key = authority_key_identifier(X509_get0_subject_key_id(issuer.native()));
  const Asn1TimePtr this_update = new_time(contents.this_update);
  const Asn1TimePtr next_update = new_time(contents.next_update);
  if (!authority_key || !this_update || !next_update || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer.native())) != 1 ||
      X509_CRL_set1_lastUpdate(crl, this_update.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl, next_update.get()) != 1 ||
      X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority_key.get(), 0, X509V3_ADD_DEFAULT) !=
          1 ||
      !add_number(crl, contents.number))
    return false;
  for (const RevokedCertificate& entry : contents.entries)
    if (!add_entry(crl, entry)) return false;
  return X509_CRL_sort(crl) == 1;
}

}  // namespace

Result<Crl> make_crl(const SigningKey& key, const Certificate& issuer, const CrlContents& contents) {
  const OwnErrors errors;
  SIGNET_CHECK(check_contents(contents));
  SIGNET_CHECK(check_issuer(issuer));
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  const CrlPtr crl(X509_CRL_new_ex(key.library, nullptr));
  if (!crl || !fill_list(crl.get(), issuer, contents))
    return fail(take_openssl_error(ErrorKind::Internal, "making a revocation list"));
  if (X509_CRL_sign(crl.get(), key.key.native(), method) <= 0)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a revocation list"));
  SIGNET_TRY(const Bytes der, encode<X509_CRL>(crl.get(), i2d_X509_CRL));
  SIGNET_TRY(const Crl made, Crl::parse(der));
  if (auto verified = made.verify(issuer); !verified)
    return fail(ErrorKind::InvalidInput, std::move(verified).error().detail);
  return made;
}

}  // namespace signet::certstore
