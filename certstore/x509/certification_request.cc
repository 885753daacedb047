#include "certstore/x509/certification_request.h"

#include <fmt/format.h>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/extensions_internal.h"
#include "certstore/x509/key_facts_internal.h"
#include "certstore/x509/pem.h"

namespace signet::certstore {
namespace {

using PkcsRequestPtr = Handle<X509_REQ, X509_REQ_free>;

constexpr PemForm kRequestForm{"certification request", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
                               64 * 1024};

tl::unexpected<Error> no_request(std::string detail) {
  return fail(ErrorKind::InvalidInput, "the certification request " + std::move(detail));
}

/// An extension that is there twice, or cannot be read, is not passed over: what is signed in the end would
/// be something else than was asked for.
Result<> check_readable(const STACK_OF(X509_EXTENSION) * extensions, int nid) {
  constexpr int kAbsent = -1;
  int critical = 0;
  void* const value = X509V3_get_d2i(extensions, nid, &critical, nullptr);
  if (value == nullptr && critical != kAbsent)
    return no_request(fmt::format("asks for {} twice, or for one that cannot be read", OBJ_nid2ln(nid)));
  ASN1_item_free(static_cast<ASN1_VALUE*>(value), ASN1_ITEM_ptr(X509V3_EXT_get_nid(nid)->it));
  return {};
}

/// RFC 2985 section 5.4.2, and Microsoft's older name for the same: null when nothing is asked for.
Result<ExtensionsPtr> requested_extensions(X509_REQ* request) {
  int found = 0;
  for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
    X509_ATTRIBUTE* const attribute = X509_REQ_get_attr(request, i);
    const int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
    if (nid == NID_ext_req || nid == NID_ms_ext_req) found += X509_ATTRIBUTE_count(attribute);
  }
  if (found == 0) return ExtensionsPtr();
  if (found > 1) return no_request("asks for extensions in more than one place");
  ExtensionsPtr extensions(X509_REQ_get_extensions(request));
  if (!extensions)
    return fail(take_openssl_error(ErrorKind::InvalidInput, "reading the extensions asked for"));
  for (const int nid : {NID_subject_alt_name, NID_key_usage, NID_ext_key_usage, NID_basic_constraints})
    SIGNET_CHECK(check_readable(extensions.get(), nid));
  return extensions;
}

Result<CertificateProfile> requested_profile(X509_REQ* request) {
  CertificateProfile profile;
  profile.subject = DistinguishedName::copy_of(X509_REQ_get_subject_name(request));
  SIGNET_TRY(const ExtensionsPtr extensions, requested_extensions(request));
  if (extensions) read_extensions(extensions.get(), profile);
  SIGNET_CHECK(check_spelling(profile));
  return profile;
}

Result<> check_key(const KeyFacts& facts, const EVP_PKEY* key, std::string_view whose) {
  SIGNET_CHECK(check_key_strength(facts, whose));
  return check_exponent(key, whose);
}

}  // namespace

Result<CertificationRequest> CertificationRequest::parse(ByteView pem_or_der) {
  const OwnErrors errors;
  CertificationRequest read;
  SIGNET_TRY(read.der, der_of(pem_or_der, kRequestForm));
  SIGNET_TRY(const PkcsRequestPtr request,
             decode_der<PkcsRequestPtr>(read.der, d2i_X509_REQ, kRequestForm.what));
  SIGNET_TRY(read.profile, requested_profile(request.get()));
  const std::string what =
      fmt::format("the certification request of '{}'", printable_name(read.profile.subject.text()));
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  const KeyFacts facts = key_facts_of(key);
  SIGNET_CHECK(check_key(facts, key, what));
  read.key_type = facts.type;
  read.key_bits = facts.bits;
  read.curve = facts.curve;
  SIGNET_TRY(read.public_key, encode<EVP_PKEY>(key, i2d_PUBKEY));
  const X509_ALGOR* signed_by = nullptr;
  X509_REQ_get0_signature(request.get(), nullptr, &signed_by);
  SIGNET_CHECK(check_signature_algorithm(signed_by, what));
  if (X509_REQ_verify(request.get(), key) != 1)
    return fail(ErrorKind::CryptoFailure,
                fmt::format("the signature of {} does not hold: sign it by the key that it is for", what));
  read.has_challenge_password = X509_REQ_get_attr_by_NID(request.get(), NID_pkcs9_challengePassword, -1) >= 0;
  return read;
}

}  // namespace signet::certstore
