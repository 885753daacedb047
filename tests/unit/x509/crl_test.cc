#include "certstore/x509/crl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_authority.h"

namespace signet::certstore {
namespace {

using test::at;
using test::authority_profile;
using test::key_of;
using test::leaf_profile;
using test::TestAuthority;
using testing::HasSubstr;

using CrlHandle = Handle<X509_CRL, X509_CRL_free>;

CrlContents contents() {
  CrlContents contents;
  contents.number = 4711;
  contents.this_update = at("2026-11-28T08:00:00Z");
  contents.next_update = at("2026-12-05T08:00:00Z");
  contents.entries = {
      {"7F00", at("2026-11-20"), RevocationReason::KeyCompromise},
      {"01", at("2026-11-21"), RevocationReason::Unspecified},
      {"3A5C00112233445566778899AABBCCDDEEFF0011", at("2026-11-22"), RevocationReason::PrivilegeWithdrawn}};
  return contents;
}

/// A list as strangers make them: ours, changed, and signed again.
template <class Change>
Bytes list_with(const TestAuthority& authority, Change change, const EVP_MD* method = EVP_sha256()) {
  const CrlHandle crl(X509_CRL_dup(authority.list(contents()).native()));
  change(crl.get());
  X509_CRL_sign(crl.get(), authority.key.key.native(), method);
  return encode<X509_CRL>(crl.get(), i2d_X509_CRL).value();
}

std::string refusal(const Bytes& der, ErrorKind kind) {
  const auto read = Crl::parse(der);
  if (read) return "read";
  EXPECT_EQ(read.error().kind, kind) << read.error().detail;
  return read.error().detail;
}

std::string disbelief(const Crl& crl, const Certificate& issuer) {
  const auto verified = crl.verify(issuer);
  return verified ? "believed" : verified.error().detail;
}

void add_octets(X509_CRL* crl, const char* oid, bool critical, const Bytes& der) {
  const Asn1ObjectPtr object(OBJ_txt2obj(oid, 1));
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), der.data(), static_cast<int>(der.size()));
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, octets.get()));
  X509_CRL_add_ext(crl, extension.get(), -1);
}

constexpr const char* kIssuingPoint = "2.5.29.28";

TEST(RevocationList, SaysWhatItWasMadeOf) {
  for (const char* kind : {"rsa:2048", "ec:P-256", "ec:P-384"}) {
    const TestAuthority authority(kind);
    const auto made = make_crl(authority.key, authority.certificate, contents());
    ASSERT_TRUE(made) << made.error().detail;
    for (const Bytes& form : {made->der(), to_bytes(made->pem())}) {
      const Crl read = Crl::parse(form).value();
      EXPECT_EQ(read, *made);
      EXPECT_EQ(read.issuer(), authority_profile().subject);
      EXPECT_EQ(read.authority_key_id(), subject_key_identifier_of(authority.certificate.native()));
      EXPECT_EQ(read.number(), "1267");
      EXPECT_EQ(read.this_update(), contents().this_update);
      EXPECT_EQ(read.next_update(), contents().next_update);
      ASSERT_EQ(read.entries().size(), 3U);
      for (const RevokedCertificate& entry : contents().entries) {
        ASSERT_NE(read.find(entry.serial), nullptr);
        EXPECT_EQ(*read.find(entry.serial), entry);
      }
      EXPECT_EQ(read.find("02"), nullptr);
      EXPECT_EQ(disbelief(read, authority.certificate), "believed");
    }
  }
}

// [RFC5280 5.1.2.1] [RFC5280 5.3.1]
TEST(RevocationList, HasTheFormOfRfc5280) {
  const TestAuthority authority;
  const Crl made = authority.list(contents());
  EXPECT_EQ(X509_CRL_get_version(made.native()), X509_CRL_VERSION_2);
  X509_REVOKED* entry = nullptr;
  const auto one = integer_of("01");
  ASSERT_EQ(X509_CRL_get0_by_serial(made.native(), &entry, one.get()), 1);
  EXPECT_EQ(X509_REVOKED_get_ext_by_NID(entry, NID_crl_reason, -1), -1);
  EXPECT_TRUE(authority.list().entries().empty());
  EXPECT_EQ(X509_CRL_get_REVOKED(authority.list().native()), nullptr);  // absent, not empty [RFC5280 5.1.2.6]
}

TEST(RevocationList, KnowsEveryReason) {
  const TestAuthority authority;
  CrlContents all = contents();
  all.entries.clear();
  for (const int number : {0, 1, 2, 3, 4, 5, 6, 9, 10})
    all.entries.push_back({hex_upper(Bytes{static_cast<std::uint8_t>(number + 1)}), at("2026-11-20"),
                           static_cast<RevocationReason>(number)});
  const Crl made = authority.list(all);
  for (const RevokedCertificate& entry : all.entries) {
    EXPECT_EQ(made.find(entry.serial)->reason, entry.reason);
    EXPECT_EQ(parse_revocation_reason(to_string(entry.reason)).value(), entry.reason);
  }
  EXPECT_THAT(parse_revocation_reason("removeFromCRL").error().detail,
              HasSubstr("there are unspecified, keyCompromise"));
}

TEST(RevocationList, IsNotMadeOfWhatMakesNone) {
  const TestAuthority authority;
  const auto refused = [&](const CrlContents& bad) {
    return make_crl(authority.key, authority.certificate, bad).error().detail;
  };
  CrlContents bad = contents();
  bad.next_update = bad.this_update;
  EXPECT_THAT(refused(bad), HasSubstr("cannot be followed"));
  for (const char* serial :
       {"", "0", "00", "1z", "0a", "0001", "3A5C00112233445566778899AABBCCDDEEFF001122"}) {
    bad = contents();
    bad.entries[0].serial = serial;
    if (std::string_view(serial) == "00") continue;  // a number, if an odd one
    EXPECT_THAT(refused(bad), HasSubstr("is no serial number")) << serial;
  }
  bad = contents();
  bad.entries[0].serial = bad.entries[1].serial;
  EXPECT_THAT(refused(bad), HasSubstr("there twice"));
  const SigningKey other = key_of("ec:P-256");
  EXPECT_THAT(make_crl(other, authority.certificate, contents()).error().detail,
              HasSubstr("not by the key of"));
  const Certificate leaf = authority.issue(leaf_profile(), other);
  EXPECT_THAT(make_crl(other, leaf, contents()).error().detail, HasSubstr("signs no revocation lists"));
}

// The blind spot of several validators: the right issuer's name, another key.
TEST(RevocationList, IsNotBelievedWithoutItsIssuersSignature) {
  const TestAuthority authority;
  const TestAuthority impostor;
  const Crl forged = impostor.list(contents());
  EXPECT_THAT(disbelief(forged, authority.certificate), HasSubstr("another key"));
  const Crl unnamed = Crl::parse(list_with(impostor, [](X509_CRL* crl) {
                        X509_EXTENSION_free(X509_CRL_delete_ext(
                            crl, X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1)));
                      })).value();
  EXPECT_THAT(disbelief(unnamed, authority.certificate), HasSubstr("signature is not by the key"));
  EXPECT_EQ(disbelief(unnamed, impostor.certificate), "believed");
  const TestAuthority other("ec:P-256", authority_profile("CN=Other CA"));
  EXPECT_THAT(disbelief(other.list(contents()), authority.certificate), HasSubstr("another issuer"));
  Bytes changed = authority.list(contents()).der();
  changed[changed.size() - 1] ^= 1U;
  EXPECT_THAT(disbelief(Crl::parse(changed).value(), authority.certificate), HasSubstr("signature"));
}

// [RFC5280 6.3.3 (f)]
TEST(RevocationList, IsSignedByAuthoritiesThatMay) {
  const TestAuthority root;
  CertificateProfile issuing_only = authority_profile("CN=Issuing");
  issuing_only.key_uses.erase(KeyUse::CrlSign);
  const TestAuthority silent = root.subordinate(issuing_only);
  const Bytes der = list_with(root, [](X509_CRL* crl) {
    const DistinguishedName name = DistinguishedName::parse("CN=Issuing").value();
    X509_CRL_set_issuer_name(crl, name.native());
    X509_EXTENSION_free(
        X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1)));
  });
  EXPECT_THAT(disbelief(Crl::parse(der).value(), silent.certificate), HasSubstr("lacks cRLSign"));
}

TEST(RevocationList, IsNotBelievedForAWeakHash) {
  const TestAuthority authority("rsa:2048");
  const Crl weak = Crl::parse(list_with(
                                  authority, [](X509_CRL*) {}, EVP_sha1()))
                       .value();
  EXPECT_EQ(weak.verify(authority.certificate).error().kind, ErrorKind::Unsupported);
}

TEST(RevocationList, RefusesWhatItIsNot) {
  const TestAuthority authority;
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, "2.5.29.27", true, {2, 1, 1});
                                }),
                      ErrorKind::Unsupported),
              HasSubstr("a delta list"));
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, kIssuingPoint, true, {0x30, 3, 0x84, 1, 0xff});
                                }),
                      ErrorKind::Unsupported),
              HasSubstr("an indirect list"));
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, kIssuingPoint, true, {0x30, 4, 0x83, 2, 6, 0x40});
                                }),
                      ErrorKind::Unsupported),
              HasSubstr("for some reasons alone"));
  EXPECT_THAT(
      refusal(list_with(authority,
                        [](X509_CRL* crl) {
                          add_octets(crl, kIssuingPoint, true, {0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0xff});
                        }),
              ErrorKind::InvalidInput),
      HasSubstr("contradicts itself"));
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, "1.2.3.4", true, {5, 0});
                                }),
                      ErrorKind::Unsupported),
              HasSubstr("the critical extension 1.2.3.4"));
  EXPECT_EQ(refusal(list_with(authority,
                              [](X509_CRL* crl) {
                                add_octets(crl, "1.2.3.4", false, {5, 0});
                              }),
                    ErrorKind::Unsupported),
            "read");
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, "2.5.29.20", false, {2, 1, 9});
                                }),
                      ErrorKind::InvalidInput),
              HasSubstr("twice"));
  EXPECT_THAT(refusal(list_with(authority,
                                [](X509_CRL* crl) {
                                  add_octets(crl, kIssuingPoint, true, {1, 2, 3});
                                }),
                      ErrorKind::InvalidInput),
              HasSubstr("issuingDistributionPoint"));
}

TEST(RevocationList, RefusesOctetsThatAreNone) {
  const TestAuthority authority;
  const Crl good = authority.list(contents());
  Bytes longer = good.der();
  longer.push_back(0);
  EXPECT_THAT(refusal(longer, ErrorKind::InvalidInput), HasSubstr("1 octets follow"));
  EXPECT_THAT(refusal(Bytes(good.der().begin(), good.der().end() - 1), ErrorKind::InvalidInput),
              HasSubstr("no revocation list"));
  EXPECT_THAT(refusal(to_bytes(good.pem() + good.pem()), ErrorKind::InvalidInput), HasSubstr("second block"));
  EXPECT_THAT(refusal(to_bytes(authority.certificate.pem()), ErrorKind::InvalidInput),
              HasSubstr("'CERTIFICATE'"));
  EXPECT_THAT(refusal(authority.certificate.der(), ErrorKind::InvalidInput), HasSubstr("no revocation list"));
  EXPECT_THAT(refusal(Bytes(8 * 1024 * 1024 + 1), ErrorKind::LimitExceeded), HasSubstr("at most"));
}

TEST(RevocationList, NamesItsPlaceABoundedNumberOfTimes) {
  const TestAuthority authority;
  const auto with_names = [&](std::size_t count) {
    const std::size_t size = 3 * count;  // URIs of one character
    const auto octet = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
    Bytes der{0x30, octet(size + 4), 0xa0, octet(size + 2), 0xa0, octet(size)};
    for (std::size_t i = 0; i < count; ++i) der.insert(der.end(), {0x86, 1, 'a'});
    return list_with(authority, [&](X509_CRL* crl) { add_octets(crl, kIssuingPoint, true, der); });
  };
  EXPECT_EQ(refusal(with_names(32), ErrorKind::LimitExceeded), "read");
  EXPECT_THAT(refusal(with_names(33), ErrorKind::LimitExceeded), HasSubstr("33 times"));
}

// [RFC5280 5.1.2.5]
TEST(RevocationList, SaysWhenTheNextOneComes) {
  const TestAuthority authority;
  const Bytes backwards = list_with(authority, [](X509_CRL* crl) {
    const Handle<ASN1_TIME, ASN1_TIME_free> early(ASN1_TIME_new());
    set_time(early.get(), at("2026-11-01"));
    X509_CRL_set1_nextUpdate(crl, early.get());
  });
  EXPECT_THAT(refusal(backwards, ErrorKind::InvalidInput), HasSubstr("from before"));
  const CrlHandle endless(X509_CRL_new());
  X509_CRL_set_version(endless.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(endless.get(), X509_get_subject_name(authority.certificate.native()));
  const Handle<ASN1_TIME, ASN1_TIME_free> now(ASN1_TIME_new());
  set_time(now.get(), at("2026-11-01"));
  X509_CRL_set1_lastUpdate(endless.get(), now.get());
  X509_CRL_sign(endless.get(), authority.key.key.native(), EVP_sha256());
  EXPECT_THAT(refusal(encode<X509_CRL>(endless.get(), i2d_X509_CRL).value(), ErrorKind::InvalidInput),
              HasSubstr("nextUpdate"));
}

// [RFC5280 6.3.3 (b)]
TEST(RevocationList, CoversWhatItsIssuerAndItsPointSay) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const Certificate below = authority.subordinate(authority_profile("CN=Below")).certificate;
  const auto with_point = [&](const Bytes& der) {
    return Crl::parse(list_with(authority, [&](X509_CRL* crl) { add_octets(crl, kIssuingPoint, true, der); }))
        .value();
  };
  EXPECT_TRUE(authority.list().covers(leaf));
  EXPECT_TRUE(authority.list().covers(below));
  const TestAuthority renewed;  // the same name, another key
  EXPECT_FALSE(renewed.list().covers(leaf));
  EXPECT_FALSE(TestAuthority("ec:P-256", authority_profile("CN=Other CA")).list().covers(leaf));
  const Crl users = with_point({0x30, 3, 0x81, 1, 0xff});
  EXPECT_TRUE(users.covers(leaf));
  EXPECT_FALSE(users.covers(below));
  const Crl authorities = with_point({0x30, 3, 0x82, 1, 0xff});
  EXPECT_FALSE(authorities.covers(leaf));
  EXPECT_TRUE(authorities.covers(below));
  const auto at_url = [&](const std::string& url) {
    Bytes der{
        0x30, static_cast<std::uint8_t>(url.size() + 6), 0xa0, static_cast<std::uint8_t>(url.size() + 4),
        0xa0, static_cast<std::uint8_t>(url.size() + 2), 0x86, static_cast<std::uint8_t>(url.size())};
    der.insert(der.end(), url.begin(), url.end());
    return with_point(der);
  };
  EXPECT_TRUE(at_url(test::terms().publication.crl_urls.front()).covers(leaf));
  EXPECT_FALSE(at_url("http://pki.acme.example/other.crl").covers(leaf));
}

TEST(RevocationList, IsOlderByItsNumber) {
  const TestAuthority authority;
  const auto numbered = [&](std::uint64_t number) {
    CrlContents made = contents();
    made.number = number;
    return authority.list(made);
  };
  EXPECT_TRUE(numbered(255).older_than(numbered(256)));
  EXPECT_FALSE(numbered(256).older_than(numbered(255)));
  EXPECT_TRUE(numbered(9).older_than(numbered(10)));
  EXPECT_FALSE(numbered(9).older_than(numbered(9)));
}

}  // namespace
}  // namespace signet::certstore
