#include "certstore/x509/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>

#include <algorithm>
#include <thread>

#include "base/file.h"
#include "base/openssl.h"
#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using test::CertificateSpec;

using testing::ElementsAre;
using testing::HasSubstr;

/// EC unless a test is about RSA: its keys are made in no time.
PrivateCertificate make_certificate(CertificateSpec spec = {}) {
  if (spec.key == CertificateSpec().key) spec.key = "ec:P-256";
  return test::make_certificate(spec);
}

Bytes data(const std::string& name) {
  return read_file(std::string(SIGNET_SOURCE_DIR) + "/tests/unit/x509/data/" + name).value();
}
Certificate certificate_from(const std::string& name) { return Certificate::parse(data(name)).value(); }
Certificate first_of(const std::string& name) { return parse_certificates(data(name)).value().front(); }

Bytes joined(ByteView a, ByteView b) {
  Bytes all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}
Bytes der_of(const CMS_ContentInfo* cms) {
  unsigned char* der = nullptr;
  const int length = i2d_CMS_ContentInfo(cms, &der);
  const OpensslMemory owner(der);
  return {der, der + length};
}

/// A certs-only SignedData, as a .p7b is.
Bytes bundle_of(const std::vector<Certificate>& certificates) {
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_PARTIAL));
  for (const Certificate& one : certificates) CMS_add1_cert(cms.get(), one.native());
  const BioPtr empty = borrow_as_bio({});
  CMS_final(cms.get(), empty.get(), nullptr, CMS_BINARY);
  return der_of(cms.get());
}

std::string as_pem(std::string_view label, ByteView der) {
  return "-----BEGIN " + std::string(label) + "-----\r\n" + base64_lines(der) + "-----END " +
         std::string(label) + "-----\r\n";
}

struct NamePart {
  const char* field;
  int type;
  std::string octets;
};

/// A certificate whose subject is made of the given string types, octet by octet.
Result<Certificate> with_name(const std::vector<NamePart>& parts) {
  const auto model = make_certificate({.common_name = "name model"});
  const X509Ptr x509(X509_dup(model.certificate.native()));
  X509_NAME* name = X509_NAME_new();
  for (const NamePart& part : parts) {
    const ByteView octets = as_bytes(part.octets);
    X509_NAME_add_entry_by_txt(name, part.field, part.type, octets.data(), static_cast<int>(octets.size()),
                               -1, 0);
  }
  X509_set_subject_name(x509.get(), name);
  X509_NAME_free(name);
  X509_sign(x509.get(), model.key.native(), EVP_sha256());
  unsigned char* der = nullptr;
  const int length = i2d_X509(x509.get(), &der);
  const OpensslMemory owner(der);
  return Certificate::parse(ByteView(der, static_cast<std::size_t>(length)));
}

TEST(Certificate, GivesEverythingOfASimpleOne) {
  const auto made =
      test::make_certificate({.common_name = "Acme AS2",
                              .not_before = "2024-02-29T12:30:15Z",
                              .not_after = "2031-01-02T03:04:05Z",
                              .key_usage = "digitalSignature,keyEncipherment",
                              .subject_alternative_name = "DNS:as2.acme.test,URI:https://acme.test/as2"});
  const Certificate& c = made.certificate;
  EXPECT_EQ(c.subject(), "CN=Acme AS2");
  EXPECT_EQ(c.issuer(), "CN=Acme AS2");
  EXPECT_TRUE(c.self_signed());
  EXPECT_EQ(to_rfc3339(c.not_before()), "2024-02-29T12:30:15.000Z");
  EXPECT_EQ(to_rfc3339(c.not_after()), "2031-01-02T03:04:05.000Z");
  EXPECT_EQ(c.key_type(), KeyType::Rsa);
  EXPECT_EQ(c.key_bits(), 2048);
  EXPECT_EQ(c.curve(), "");
  EXPECT_THAT(c.subject_alternative_names(), ElementsAre("DNS:as2.acme.test", "URI:https://acme.test/as2"));
  EXPECT_TRUE(c.key_usage().present);
  EXPECT_TRUE(c.key_usage().digital_signature);
  EXPECT_TRUE(c.key_usage().key_encipherment);
  EXPECT_FALSE(c.key_usage().key_agreement);
  EXPECT_FALSE(c.key_usage().key_cert_sign);
  EXPECT_FALSE(c.key_usage().non_repudiation);
  EXPECT_FALSE(c.key_usage().data_encipherment);
}

TEST(Certificate, AgreesWithOpenSslOnThumbprints) {
  const Certificate c = certificate_from("botan_teletex_name.der");
  // openssl x509 -noout -fingerprint -sha1 / -sha256 / -serial
  EXPECT_EQ(c.thumbprint_sha1(), "F993020EAFBF9BFEF6AB914CADB86777C1B377CA");
  EXPECT_EQ(c.thumbprint_sha256(), "D88EFF41EEC848768CBF4AB281702F6D5A93547E581D6DC34418CE641CDED845");
  EXPECT_EQ(c.serial(), "00");
  EXPECT_EQ(to_rfc3339(c.not_before()), "2003-04-22T09:50:57.000Z");
}

TEST(Certificate, IsTheSameFromDerAndFromPem) {
  const Certificate c = make_certificate().certificate;
  EXPECT_EQ(Certificate::parse(c.der()).value(), c);
  EXPECT_EQ(Certificate::parse(as_bytes(c.pem())).value(), c);
  const Certificate from_crlf = Certificate::parse(as_bytes(as_pem("CERTIFICATE", c.der()))).value();
  EXPECT_EQ(from_crlf.thumbprint_sha256(), c.thumbprint_sha256());
  EXPECT_FALSE(make_certificate({.common_name = "another"}).certificate == c);
}

TEST(Certificate, WritesPemInLinesOf64) {
  const std::string pem = make_certificate().certificate.pem();
  EXPECT_TRUE(pem.starts_with("-----BEGIN CERTIFICATE-----\nMI"));
  EXPECT_TRUE(pem.ends_with("\n-----END CERTIFICATE-----\n"));
  EXPECT_EQ(pem.find('\n', 28) - 28, 64U);
}

TEST(Certificate, IsValidFromItsFirstToItsLastMoment) {
  const Certificate c =
      make_certificate({.not_before = "2024-01-01", .not_after = "2025-01-01T00:00:00Z"}).certificate;
  EXPECT_TRUE(c.valid_at(parse_time("2024-01-01").value()));
  EXPECT_TRUE(c.valid_at(parse_time("2025-01-01").value()));
  EXPECT_FALSE(c.valid_at(parse_time("2023-12-31T23:59:59Z").value()));
  EXPECT_FALSE(c.valid_at(parse_time("2025-01-01T00:00:01Z").value()));
}

TEST(Certificate, ReadsDatesBeyondTheYear2038AndBefore1970) {
  const Certificate c =
      make_certificate({.not_before = "1950-06-01T00:00:00Z", .not_after = "9999-12-31T23:59:59Z"})
          .certificate;
  EXPECT_EQ(to_rfc3339(c.not_before()), "1950-06-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(c.not_after()), "9999-12-31T23:59:59.000Z");
}

TEST(Certificate, NamesTheCurvesOfEcKeys) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const Certificate c = make_certificate({.key = std::string("ec:") + curve}).certificate;
    EXPECT_EQ(c.key_type(), KeyType::Ec);
    EXPECT_EQ(c.curve(), curve);
    EXPECT_EQ(std::to_string(c.key_bits()), std::string(curve).substr(2));
  }
}

TEST(Certificate, WithoutKeyUsageIsGoodForEverything) {
  const KeyUsage usage = make_certificate().certificate.key_usage();
  EXPECT_FALSE(usage.present);
  EXPECT_TRUE(usage.digital_signature && usage.key_encipherment && usage.key_agreement &&
              usage.key_cert_sign);
}

TEST(Certificate, WithAnUnreadableKeyUsageIsGoodForNothing) {
  const KeyUsage usage = certificate_from("boringssl_damaged_key_usage.pem").key_usage();
  EXPECT_TRUE(usage.present);
  EXPECT_FALSE(usage.digital_signature || usage.non_repudiation || usage.key_encipherment ||
               usage.data_encipherment || usage.key_agreement || usage.key_cert_sign);
}

TEST(Certificate, KnowsItsPublicKeyAndNoOther) {
  const auto mine = make_certificate({.common_name = "mine"});
  const Certificate rsa = certificate_from("openssl_rsa3072.pem");
  const auto other = make_certificate({.common_name = "other"});
  const auto curve = make_certificate({.key = "ec:P-384"});
  EXPECT_TRUE(mine.certificate.has_public_key(mine.key.native()));
  EXPECT_FALSE(mine.certificate.has_public_key(other.key.native()));
  EXPECT_FALSE(mine.certificate.has_public_key(curve.key.native()));
  EXPECT_FALSE(mine.certificate.has_public_key(rsa.public_key()));
  EXPECT_TRUE(rsa.has_public_key(rsa.public_key()));
  EXPECT_FALSE(mine.certificate.has_public_key(nullptr));
  EXPECT_EQ(ERR_peek_error(), 0UL);
  EXPECT_EQ(key_thumbprint(mine.key.native()), key_thumbprint(mine.certificate.public_key()));
  EXPECT_NE(key_thumbprint(mine.key.native()), key_thumbprint(other.key.native()));
  EXPECT_EQ(key_thumbprint(nullptr), "");
}

TEST(Certificate, IsReadByManyThreadsAtOnce) {
  const Certificate c = make_certificate({.subject_alternative_name = "DNS:a.test"}).certificate;
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i)
    readers.emplace_back([c] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_TRUE(c.has_public_key(c.public_key()));
        EXPECT_EQ(X509_check_purpose(c.native(), X509_PURPOSE_SMIME_SIGN, 0), 1);
        EXPECT_EQ(X509_check_host(c.native(), "a.test", 0, 0, nullptr), 1);
      }
    });
  for (std::thread& reader : readers) reader.join();
}

// [checklist 44] Certificates as partners have them.
TEST(CertificateNames, AnOrganisationalUnitInIa5StringIsRead) {
  const Certificate c = with_name({{"C", V_ASN1_PRINTABLESTRING, "DE"},
                                   {"OU", V_ASN1_IA5STRING, "EDI & B2B, dept. 7"},
                                   {"CN", V_ASN1_UTF8STRING, "Globex"}})
                            .value();
  EXPECT_EQ(c.subject(), R"(CN=Globex,OU=EDI & B2B\, dept. 7,C=DE)");
}

TEST(CertificateNames, EveryStringTypeComesOutAsUtf8) {
  const Certificate c = with_name({{"O", V_ASN1_BMPSTRING, std::string("\x00\xdc\x20\xac", 4)},
                                   {"L", V_ASN1_T61STRING, "M\xfcnchen"},
                                   {"OU", V_ASN1_UNIVERSALSTRING, std::string("\x00\x01\xf6\x00", 4)},
                                   {"CN", V_ASN1_UTF8STRING, "Łódź"}})
                            .value();
  EXPECT_EQ(c.subject(), "CN=Łódź,OU=😀,L=München,O=Ü€");
}

TEST(CertificateNames, OldAndForeignOnesAreRead) {
  EXPECT_EQ(certificate_from("botan_teletex_name.der").subject(),
            "emailAddress=ca@neam.de,CN=neam Gesellschaft für Kommunikationslösungen mbH,OU=Security,O=neam "
            "CA,C=DE");
  EXPECT_EQ(
      certificate_from("botan_utf8_name.pem").subject(),
      "C=RU,L=Москва,OU=Моё подразделение,O=Моя компания,emailAddress=test@randomcorp.ru,CN=Описание сайта");
}

TEST(CertificateNames, AWildcardInTheCommonNameIsNothingSpecial) {
  EXPECT_EQ(first_of("botan_wildcard_cn.pem").subject(), "CN=*.victim.com,O=NC Tests,C=US");
}

TEST(CertificateNames, ControlCharactersAndNulAreEscaped) {
  const Certificate c = with_name({{"CN", V_ASN1_UTF8STRING, std::string("a\0b\nc,d+e", 9)}}).value();
  EXPECT_EQ(c.subject(), R"(CN=a\00b\0Ac\,d\+e)");
}

TEST(CertificateNames, AreAlwaysUtf8WhateverTheyClaim) {
  for (const NamePart& part :
       std::vector<NamePart>{{"CN", V_ASN1_BMPSTRING, std::string("\xd8\x00\xd8\x01", 4)},
                             {"CN", V_ASN1_UTF8STRING, "\xff\xfe\x80"},
                             {"CN", V_ASN1_BMPSTRING, "odd"},
                             {"CN", V_ASN1_PRINTABLESTRING, "\x80\x81"},
                             {"CN", V_ASN1_OCTET_STRING, "\xc3\x28"}}) {
    const auto parsed = with_name({part});
    if (parsed) {
      EXPECT_TRUE(is_utf8(parsed->subject())) << hex_lower(as_bytes(parsed->subject()));
    } else {
      EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
    }
  }
}

TEST(CertificateNames, EveryKindOfAlternativeNameIsShown) {
  const auto made =
      make_certificate({.subject_alternative_name =
                            "DNS:*.acme.test,email:edi@acme.test,URI:urn:x,IP:192.0.2.7,IP:2001:db8::1,"
                            "RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@acme"});
  EXPECT_THAT(made.certificate.subject_alternative_names(),
              ElementsAre("DNS:*.acme.test", "email:edi@acme.test", "URI:urn:x", "IP:192.0.2.7",
                          "IP:2001:db8:0:0:0:0:0:1", "RID:1.2.3.4", "otherName:1.3.6.1.4.1.311.20.2.3"));
  EXPECT_THAT(certificate_from("botan_san_dirname_uri.pem").subject_alternative_names(),
              ElementsAre("DirName:L=SWE", "URI:http://cert.polisen.se/CSCA"));
}

TEST(CertificateNames, ANulInsideADnsNameCannotHideWhatFollows) {
  EXPECT_THAT(first_of("botan_nul_in_dns_name.pem").subject_alternative_names(),
              ElementsAre(R"(DNS:example.com\x00evil.com)"));
}

TEST(CertificateParse, RefusesWhatFollowsTheEnd) {
  const Certificate c = make_certificate().certificate;
  const auto parsed = Certificate::parse(joined(c.der(), as_bytes("\n")));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
  EXPECT_THAT(parsed.error().detail, HasSubstr("1 octets follow"));
  EXPECT_FALSE(Certificate::parse(joined(c.der(), c.der())));
  EXPECT_FALSE(Certificate::parse(as_bytes(as_pem("CERTIFICATE", joined(c.der(), as_bytes("x"))))));
}

TEST(CertificateParse, RefusesEveryTruncation) {
  const Bytes der = certificate_from("openssl_ec_named_by_explicit.pem").der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    const auto parsed = Certificate::parse(ByteView(der).first(size));
    ASSERT_FALSE(parsed) << size;
    ASSERT_EQ(parsed.error().kind, ErrorKind::InvalidInput) << size;
  }
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST(CertificateParse, NeverFailsOtherwiseThanByAnErrorWhenAnOctetIsDamaged) {
  const Bytes der = certificate_from("openssl_ec_named_by_explicit.pem").der();
  for (std::size_t i = 0; i < der.size(); ++i)
    for (const unsigned flip : {0x01U, 0x80U}) {
      Bytes damaged = der;
      damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ flip);
      const auto parsed = parse_certificates(damaged);
      if (!parsed) continue;
      ASSERT_TRUE(is_utf8(parsed->front().subject())) << i;
      ASSERT_EQ(Certificate::parse(parsed->front().der()).value(), parsed->front()) << i;
    }
}

TEST(CertificateParse, SaysWhatItGotInsteadOfACertificate) {
  for (const char* text :
       {"", "0", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "MIIB"}) {
    const auto parsed = Certificate::parse(as_bytes(text));
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
    EXPECT_THAT(parsed.error().detail, HasSubstr("no certificate found"));
  }
}

TEST(CertificateParse, RefusesDamagedPem) {
  const std::string pem = make_certificate().certificate.pem();
  std::string letter_changed = pem;
  letter_changed[100] = '*';
  EXPECT_FALSE(Certificate::parse(as_bytes(letter_changed)));
  EXPECT_FALSE(Certificate::parse(as_bytes(pem.substr(0, pem.size() - 30))));
  // One good block does not make up for a damaged one after it.
  const auto parsed = parse_certificates(as_bytes(pem + pem.substr(0, pem.size() / 2)));
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().detail, HasSubstr("damaged"));
}

TEST(CertificateParse, WantsExactlyOne) {
  const std::string pem = make_certificate({.common_name = "First"}).certificate.pem();
  const auto parsed = Certificate::parse(as_bytes(pem + pem));
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().detail, HasSubstr("expected one certificate, got 2: the first is 'CN=First'"));
}

TEST(CertificateParse, ReadsTheOneWhoseDerIsShort) {
  const Certificate c = certificate_from("fuzz_short.der");
  EXPECT_EQ(c.subject(), "");
  EXPECT_EQ(c.key_type(), KeyType::Other);
  EXPECT_EQ(c.public_key(), nullptr);
  EXPECT_FALSE(c.has_public_key(nullptr));
}

TEST(CertificateParse, RefusesDatesThatAreNone) {
  Bytes der = make_certificate({.not_before = "2024-01-01", .not_after = "2031-01-01"}).certificate.der();
  const std::string month_13 = "311301000000Z";
  const std::string good = "310101000000Z";
  const auto at = std::search(der.begin(), der.end(), good.begin(), good.end());
  ASSERT_NE(at, der.end());
  std::copy(month_13.begin(), month_13.end(), at);
  const auto parsed = Certificate::parse(der);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().detail, HasSubstr("notAfter is not a time"));
}

TEST(CertificateBundles, PemKeepsTheOrderAndPassesOverTheRest) {
  const auto a = make_certificate({.common_name = "A"});
  const auto b = make_certificate({.common_name = "B"});
  const auto all =
      parse_certificates(as_bytes("Bag Attributes: friendlyName\n" + a.certificate.pem() +
                                  test::private_key_pem(a.key) + "\nissuer: B\n" + b.certificate.pem()));
  EXPECT_THAT(all.value(), ElementsAre(a.certificate, b.certificate));
}

TEST(CertificateBundles, TheOlderPemLabelsAreRead) {
  const Certificate c = make_certificate().certificate;
  EXPECT_EQ(Certificate::parse(as_bytes(as_pem("X509 CERTIFICATE", c.der()))).value(), c);
  EXPECT_EQ(Certificate::parse(as_bytes(as_pem("TRUSTED CERTIFICATE", c.der()))).value(), c);
  EXPECT_FALSE(Certificate::parse(as_bytes(as_pem("CERTIFICATE REQUEST", c.der()))));
}

TEST(CertificateBundles, Pkcs7IsReadAsDerAndAsPem) {
  const Certificate a = make_certificate({.common_name = "A"}).certificate;
  const Certificate b = make_certificate({.common_name = "B"}).certificate;
  const Bytes bundle = bundle_of({a, b});
  EXPECT_THAT(parse_certificates(bundle).value(), testing::UnorderedElementsAre(a, b));
  for (const char* label : {"PKCS7", "PKCS #7 SIGNED DATA", "CMS"})
    EXPECT_EQ(parse_certificates(as_bytes(as_pem(label, bundle))).value().size(), 2U) << label;
  EXPECT_EQ(certificate_from("boringssl_windows.p7c").subject(),
            "CN=Equifax Secure eBusiness CA-1,O=Equifax Secure Inc.,C=US");
}

TEST(CertificateBundles, BrokenOrEmptyPkcs7IsRefused) {
  const Bytes bundle = data("boringssl_windows.p7c");
  EXPECT_FALSE(parse_certificates(joined(bundle, as_bytes("x"))));
  for (std::size_t size = 0; size < bundle.size(); size += 7)
    EXPECT_FALSE(parse_certificates(ByteView(bundle).first(size))) << size;
  const auto empty = parse_certificates(bundle_of({}));
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().detail, HasSubstr("no certificate found"));
}

TEST(CertificateBundles, Pkcs7OfAnotherTypeIsRefused) {
  const BioPtr content = borrow_as_bio(as_bytes("hello"));
  const CmsPtr plain(CMS_data_create(content.get(), CMS_BINARY));
  const auto parsed = parse_certificates(der_of(plain.get()));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::InvalidInput);
}

TEST(CertificateBundles, AHundredAreReadAndOneMoreIsRefused) {
  const std::string pem = make_certificate({.key = "ec:P-256"}).certificate.pem();
  std::string text;
  for (int i = 0; i < 100; ++i) text += pem;
  EXPECT_EQ(parse_certificates(as_bytes(text)).value().size(), 100U);
  const auto parsed = parse_certificates(as_bytes(text + pem));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::LimitExceeded);
}

TEST(CertificateBundles, AMegabyteIsTheLimit) {
  const std::string pem = make_certificate().certificate.pem();
  const std::string padding(1024 * 1024 - pem.size(), '\n');
  EXPECT_TRUE(parse_certificates(as_bytes(padding + pem)));
  const auto parsed = parse_certificates(as_bytes(padding + pem + "\n"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::LimitExceeded);
}

// [threats T11]
TEST(KeyStrength, AcceptsRsaFrom2048BitsAndTheNistCurves) {
  for (const char* key : {"ec:P-256", "ec:P-384", "ec:P-521"})
    EXPECT_TRUE(check_key_strength(make_certificate({.key = key}).certificate)) << key;
  EXPECT_TRUE(check_key_strength(certificate_from("botan_utf8_name.pem")));  // RSA of 2048 bits
  EXPECT_TRUE(check_key_strength(certificate_from("openssl_rsa3072.pem")));
  EXPECT_TRUE(check_key_strength(certificate_from("openssl_ec_named_by_explicit.pem")));
}

TEST(KeyStrength, RefusesEverythingElseByName) {
  const auto refusal = [](const Certificate& certificate) {
    const auto strong = check_key_strength(certificate);
    EXPECT_FALSE(strong);
    if (strong) return std::string();
    EXPECT_EQ(strong.error().kind, ErrorKind::Unsupported);
    return strong.error().detail;
  };
  EXPECT_THAT(refusal(certificate_from("openssl_rsa1024.pem")), HasSubstr("RSA of 1024 bits"));
  EXPECT_THAT(refusal(certificate_from("openssl_ed25519.pem")), HasSubstr("neither RSA nor EC"));
  EXPECT_THAT(refusal(certificate_from("openssl_ec_explicit.pem")), HasSubstr("explicit parameters"));
  EXPECT_THAT(refusal(make_certificate({.key = "ec:secp256k1"}).certificate), HasSubstr("EC on secp256k1"));
  EXPECT_THAT(refusal(make_certificate({.key = "ec:P-224"}).certificate), HasSubstr("EC on secp224r1"));
  EXPECT_THAT(refusal(certificate_from("fuzz_short.der")), HasSubstr("neither RSA nor EC"));
}

TEST(KeyHandle, SharesTheKeyOnCopyAndGivesItUpOnMove) {
  const auto made = make_certificate();
  KeyHandle copy = made.key;
  EXPECT_EQ(copy.native(), made.key.native());
  const KeyHandle moved = std::move(copy);
  EXPECT_TRUE(moved);
  KeyHandle none;
  EXPECT_FALSE(none);
  none = moved;
  EXPECT_EQ(none.native(), moved.native());
}

}  // namespace
}  // namespace signet::certstore
