#pragma once

#include "base/openssl.h"
#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/crl.h"
#include "certstore/x509/issue.h"
#include "tests/support/test_certificates.h"

/// An authority made by our own functions, for tests of what it issues.

namespace signet::certstore::test {

using signet::test::make_certificate;

/// Another key each time, "rsa:2048" or "ec:P-256".
inline SigningKey key_of(const std::string& kind, Hash hash = Hash::Sha256) {
  static int made_already = 0;
  const PrivateCertificate made =
      make_certificate({.common_name = "Issue " + std::to_string(++made_already), .key = kind});
  return {made.key, encode<EVP_PKEY>(made.certificate.public_key(), i2d_PUBKEY).value(), hash};
}

inline Time at(const char* text) { return parse_time(text).value(); }

inline CertificateProfile authority_profile(const char* subject = "CN=Acme CA, O=Acme") {
  CertificateProfile profile;
  profile.subject = DistinguishedName::parse(subject).value();
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::KeyCertSign, KeyUse::CrlSign};
  profile.basic_constraints = {true, std::nullopt};
  profile.not_before = at("2026-01-01");
  profile.not_after = at("2036-01-01");
  return profile;
}

inline CertificateProfile leaf_profile(const char* subject = "CN=Press 4, O=Acme") {
  CertificateProfile profile;
  profile.subject = DistinguishedName::parse(subject).value();
  profile.alternative_names.uris = {"urn:acme:press4"};
  profile.alternative_names.dns_names = {"press4.acme.example"};
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::NonRepudiation, KeyUse::KeyEncipherment,
                      KeyUse::DataEncipherment};
  profile.extended_key_usages = {std::string(kServerAuthentication), std::string(kClientAuthentication)};
  profile.not_before = at("2026-06-01");
  profile.not_after = at("2028-06-01");
  return profile;
}

inline IssuingTerms terms() {
  IssuingTerms terms;
  terms.publication = {{"http://pki.acme.example/acme.crl"},
                       {"http://pki.acme.example/acme.cer"},
                       {"http://ocsp.acme.example/"}};
  return terms;
}

struct TestAuthority {
  SigningKey key;
  Certificate certificate;

  explicit TestAuthority(const std::string& kind = "ec:P-256",
                         const CertificateProfile& profile = authority_profile())
      : key(key_of(kind)), certificate(make_self_signed_authority(key, profile, terms()).value()) {}
  TestAuthority(SigningKey own, Certificate issued) : key(std::move(own)), certificate(std::move(issued)) {}

  [[nodiscard]] Certificate issue(const CertificateProfile& profile = leaf_profile(),
                                  const SigningKey& holder = key_of("ec:P-256")) const {
    return issue_certificate(key, certificate, holder.public_key, profile, terms()).value();
  }
  /// One below it.
  [[nodiscard]] TestAuthority subordinate(const CertificateProfile& profile) const {
    SigningKey own = key_of("ec:P-256");
    Certificate issued = issue_certificate(key, certificate, own.public_key, profile, terms()).value();
    return {std::move(own), std::move(issued)};
  }
  [[nodiscard]] Crl list(CrlContents contents = {}) const {
    if (contents.this_update == Time{}) contents.this_update = at("2026-11-28");
    if (contents.next_update == Time{}) contents.next_update = contents.this_update + std::chrono::days(7);
    return make_crl(key, certificate, contents).value();
  }
};

}  // namespace signet::certstore::test
