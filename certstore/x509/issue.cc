#include "certstore/x509/issue.h"

#include <fmt/format.h>

#include "base/openssl.h"
#include "base/random.h"
#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/key_facts_internal.h"
#include "certstore/x509/publication_internal.h"

namespace signet::certstore {
namespace {

using RequestPtr = Handle<X509_REQ, X509_REQ_free>;

constexpr std::size_t kSerialSize = 16;
constexpr std::size_t kAuthoritySerialSize = 20;  // [RFC5280 4.1.2.2] at most

/// Positive, and of full length [RFC5280 4.1.2.2].
bool set_serial(X509* certificate, std::size_t size) {
  Bytes serial = random_bytes(size);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7FU) | 0x40U);
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

Result<> check_dates(const CertificateProfile& profile) {
  const Time end_of_times = Time(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));
  if (profile.not_after > profile.not_before && profile.not_after <= end_of_times) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("a certificate cannot be valid from {} to {}", to_rfc3339(profile.not_before),
                          to_rfc3339(profile.not_after)));
}

bool fill(X509* certificate, EVP_PKEY* public_key, const CertificateProfile& profile, const X509_NAME* issuer,
          std::size_t serial_size) {
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate, serial_size) &&
         set_time(X509_getm_notBefore(certificate), profile.not_before) &&
         set_time(X509_getm_notAfter(certificate), profile.not_after) &&
         X509_set_subject_name(certificate, profile.subject.native()) == 1 &&
         X509_set_issuer_name(certificate, issuer) == 1 && X509_set_pubkey(certificate, public_key) == 1;
}

bool add_all(X509* certificate, const STACK_OF(X509_EXTENSION) * extensions) {
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i)
    if (X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1) != 1) return false;
  return true;
}

Error not_its_own(std::string_view what) {
  return take_openssl_error(
      ErrorKind::InvalidInput,
      fmt::format("the {} was not signed by the key that it is for: the public key is not the "
                  "signing key's",
                  what));
}

/// Signs, and looks whether the signature holds. @param verifying  the public half of the key that signs
Result<Certificate> sign(X509* certificate, const SigningKey& key, EVP_PKEY* verifying) {
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  if (X509_sign(certificate, key.key.native(), method) <= 0)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a certificate"));
  if (X509_verify(certificate, verifying) != 1)
    return fail(take_openssl_error(
        ErrorKind::InvalidInput,
        fmt::format("the key that signed the certificate is not the one of its issuer '{}'",
                    name_text(X509_get_issuer_name(certificate)))));
  SIGNET_TRY(const Bytes der, encode<X509>(certificate, i2d_X509));
  return Certificate::parse(der);
}

tl::unexpected<Error> refuse(std::string detail) { return fail(ErrorKind::InvalidInput, std::move(detail)); }

/// [RFC5280 4.2.1.9] how far the authority to be may go on.
Result<> check_path_length(const BasicConstraints& issuer, const CertificateProfile& profile) {
  if (!profile.basic_constraints.certificate_authority || !issuer.path_length) return {};
  const std::optional<int> wanted = profile.basic_constraints.path_length;
  if (*issuer.path_length >= 1 && wanted && *wanted < *issuer.path_length) return {};
  return refuse(fmt::format(
      "the issuer's path length is {}: {}", *issuer.path_length,
      *issuer.path_length == 0
          ? "it issues no authorities"
          : fmt::format("an authority below it needs one of {} at most", *issuer.path_length - 1)));
}

Result<> check_may_issue(const Certificate& issuer, const CertificateProfile& profile) {
  const CertificateProfile issuers = certstore::profile_of(issuer);
  const std::string who = printable_name(issuer.subject());
  if (!issuers.basic_constraints.certificate_authority || !issuers.key_uses.contains(KeyUse::KeyCertSign) ||
      subject_key_identifier_of(issuer.native()).empty())
    return refuse(
        fmt::format("certificate '{}' issues no certificates: that takes an authority's, with a subject key "
                    "identifier and, in its key usage, keyCertSign",
                    who));
  if (profile.not_before < issuer.not_before() || profile.not_after > issuer.not_after())
    return refuse(
        fmt::format("a certificate from {} to {} is not within the time of its issuer '{}', {} to {}: "
                    "nobody would take it outside",
                    to_rfc3339(profile.not_before), to_rfc3339(profile.not_after), who,
                    to_rfc3339(issuer.not_before()), to_rfc3339(issuer.not_after())));
  return check_path_length(issuers.basic_constraints, profile);
}

Result<> check_holder(EVP_PKEY* public_key, const CertificateProfile& profile) {
  if (profile.basic_constraints.certificate_authority && profile.subject.empty())  // [RFC5280 4.1.2.6]
    return refuse("an authority needs a subject such as 'CN=Acme CA': what it issues names it as the issuer");
  const std::string whose = fmt::format("'{}'", printable_name(profile.subject.text()));
  SIGNET_CHECK(check_key_strength(key_facts_of(public_key), whose));
  return check_exponent(public_key, whose);
}

Result<> check_own_authority(const CertificateProfile& profile) {
  if (profile.basic_constraints.certificate_authority && profile.key_uses.contains(KeyUse::KeyCertSign) &&
      profile.key_uses.contains(KeyUse::CrlSign))
    return {};
  return refuse(
      "an authority's profile has the basic constraints of one, and the key usages keyCertSign and "
      "cRLSign");
}

/// All but who signs.
Result<ExtensionsPtr> extensions_of(const CertificateProfile& profile, const IssuingTerms& terms,
                                    EVP_PKEY* holders_key) {
  SIGNET_TRY(ExtensionsPtr extensions,
             extensions_of(profile, terms.extended_key_usages_critical ? Critical::Yes : Critical::No));
  SIGNET_CHECK(add_subject_key_identifier(extensions.get(), holders_key));
  SIGNET_CHECK(add_publication(extensions.get(), terms.publication));
  if (!terms.ocsp_no_check) return extensions;
  const Handle<ASN1_NULL, ASN1_NULL_free> nothing(ASN1_NULL_new());
  SIGNET_CHECK(add_extension(extensions.get(), NID_id_pkix_OCSP_noCheck, Critical::No, nothing.get()));
  return extensions;
}

/// Of a certificate that is its own issuer, and has its serial number and key identifier by now. Its caches
/// are not asked: they are of the octets that it had when they were filled.
Result<> add_own_authority_key_identifier(X509* certificate) {
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> key(static_cast<ASN1_OCTET_STRING*>(
      X509_get_ext_d2i(certificate, NID_subject_key_identifier, nullptr, nullptr)));
  const auto identifier = authority_key_identifier(key.get(), certificate);
  if (!identifier || X509_add1_ext_i2d(certificate, NID_authority_key_identifier, identifier.get(), 0,
                                       X509V3_ADD_DEFAULT) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "making an authority key identifier"));
  return {};
}

}  // namespace

Result<Certificate> make_self_signed(const SigningKey& key, const CertificateProfile& profile) {
  SIGNET_CHECK(check_dates(profile));
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile));
  if (profile.subject.empty())  // [RFC5280 4.1.2.4] every certificate has an issuer
    return fail(
        ErrorKind::InvalidInput,
        "a self-signed certificate needs a subject such as 'CN=as2.acme.example', which names its issuer "
        "as well; alternative names alone do for one that somebody else issues");
  SIGNET_TRY(const EvpPkeyPtr public_key, read_public_key(key.public_key));
  SIGNET_CHECK(add_subject_key_identifier(extensions.get(), public_key.get()));
  const X509Ptr certificate(X509_new_ex(key.library, nullptr));
  if (!certificate ||
      !fill(certificate.get(), public_key.get(), profile, profile.subject.native(), kSerialSize) ||
      !add_all(certificate.get(), extensions.get()))
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certificate"));
  return sign(certificate.get(), key, public_key.get());
}

Result<Certificate> issue_certificate(const SigningKey& key, const Certificate& issuer, ByteView public_key,
                                      const CertificateProfile& profile, const IssuingTerms& terms) {
  const OwnErrors errors;
  SIGNET_CHECK(check_dates(profile));
  SIGNET_CHECK(check_may_issue(issuer, profile));
  SIGNET_TRY(const EvpPkeyPtr holders_key, read_public_key(public_key));
  SIGNET_CHECK(check_holder(holders_key.get(), profile));
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile, terms, holders_key.get()));
  const auto authority_key =
      authority_key_identifier(X509_get0_subject_key_id(issuer.native()), issuer.native());
  SIGNET_CHECK(
      add_extension(extensions.get(), NID_authority_key_identifier, Critical::No, authority_key.get()));
  const X509Ptr certificate(X509_new_ex(key.library, nullptr));
  if (!certificate ||
      !fill(certificate.get(), holders_key.get(), profile, X509_get_subject_name(issuer.native()),
            kAuthoritySerialSize) ||
      !add_all(certificate.get(), extensions.get()))
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certificate"));
  return sign(certificate.get(), key, issuer.public_key());
}

Result<Certificate> make_self_signed_authority(const SigningKey& key, const CertificateProfile& profile,
                                               const IssuingTerms& terms) {
  const OwnErrors errors;
  SIGNET_CHECK(check_dates(profile));
  SIGNET_CHECK(check_own_authority(profile));
  SIGNET_TRY(const EvpPkeyPtr public_key, read_public_key(key.public_key));
  SIGNET_CHECK(check_holder(public_key.get(), profile));
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile, terms, public_key.get()));
  const X509Ptr certificate(X509_new_ex(key.library, nullptr));
  if (!certificate ||
      !fill(certificate.get(), public_key.get(), profile, profile.subject.native(), kAuthoritySerialSize) ||
      !add_all(certificate.get(), extensions.get()))
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certificate"));
  SIGNET_CHECK(add_own_authority_key_identifier(certificate.get()));
  return sign(certificate.get(), key, public_key.get());
}

Result<Bytes> make_certification_request(const SigningKey& key, const CertificateProfile& profile) {
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile));
  SIGNET_TRY(const EvpPkeyPtr public_key, read_public_key(key.public_key));
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  const RequestPtr request(X509_REQ_new_ex(key.library, nullptr));
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), profile.subject.native()) != 1 ||
      X509_REQ_set_pubkey(request.get(), public_key.get()) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1)
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certification request"));
  if (X509_REQ_sign(request.get(), key.key.native(), method) <= 0)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a certification request"));
  if (X509_REQ_verify(request.get(), public_key.get()) != 1)
    return fail(not_its_own("certification request"));
  return encode<X509_REQ>(request.get(), i2d_X509_REQ);
}

}  // namespace signet::certstore
