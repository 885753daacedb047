#include "certstore/x509/distinguished_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

namespace signet::certstore {
namespace {

using testing::HasSubstr;

std::string text_of(std::string_view text) {
  const auto name = DistinguishedName::parse(text);
  return name ? name->text() : "refused: " + name.error().detail;
}

std::string refusal(std::string_view text) {
  const auto name = DistinguishedName::parse(text);
  return name ? "taken as " + name->text() : name.error().detail;
}

// [RFC4514 2.1] [RFC4514 3]
TEST(DistinguishedName, ReadsWhatItWrites) {
  for (const char* text :
       {"CN=as2.acme.example", "CN=Acme AS2,O=Acme,C=DE", "UID=jsmith,DC=example,DC=net",
        "CN=J. Smith+OU=Sales,DC=example,DC=net", "CN=James \\\"Jim\\\" Smith\\, III,DC=example",
        "CN=Łódź,O=Ü€", "CN=a,L=Berlin,ST=Berlin", "organizationIdentifier=VATDE-123,CN=a",
        "serialNumber=HRB 1,businessCategory=Private Organization,jurisdictionC=DE,CN=a",
        "dnQualifier=1,postalCode=10115,street=Am Weg 1,CN=a", "1.2.3.4=#0C04C39C2C31,CN=a",
        "1.2.3.4=#13024869+CN=a,O=b"})
    EXPECT_EQ(text_of(text), text);
}

TEST(DistinguishedName, TheAttributeNearestToTheHolderIsWrittenFirst) {
  const DistinguishedName name = DistinguishedName::parse("CN=Acme AS2,O=Acme,C=DE").value();
  EXPECT_EQ(OBJ_obj2nid(X509_NAME_ENTRY_get_object(X509_NAME_get_entry(name.native(), 0))), NID_countryName);
  EXPECT_EQ(OBJ_obj2nid(X509_NAME_ENTRY_get_object(X509_NAME_get_entry(name.native(), 2))), NID_commonName);
}

TEST(DistinguishedName, IsAsLooseAsAzure) {
  EXPECT_EQ(text_of("cn=MyCert"), "CN=MyCert");
  EXPECT_EQ(text_of(" CN = as2.acme.example ,  O = Acme "), "CN=as2.acme.example,O=Acme");
  EXPECT_EQ(text_of("CN=a, O=\"Acme, Inc.\", C=US"), "CN=a,O=Acme\\, Inc.,C=US");
  EXPECT_EQ(text_of("E=a@acme.example,S=Bavaria"), "emailAddress=a@acme.example,ST=Bavaria");
  EXPECT_EQ(text_of("OID.2.5.4.10=Acme"), "O=Acme");
}

// [RFC4514 2.4]
TEST(DistinguishedName, ReadsEscapes) {
  EXPECT_EQ(text_of("CN=Lu\\C4\\8Di\\C4\\87"), "CN=Lučić");
  EXPECT_EQ(text_of("CN=a\\2Cb"), "CN=a\\,b");
  EXPECT_EQ(text_of("CN=\\ spaced\\ "), "CN=\\ spaced\\ ");
  EXPECT_EQ(text_of("CN=a=b"), "CN=a=b");
}

TEST(DistinguishedName, RefusesWhatIsNoName) {
  EXPECT_THAT(refusal("Acme"), HasSubstr("a type and '=' are wanted"));
  EXPECT_THAT(refusal("CN=a,"), HasSubstr("at character 6"));
  EXPECT_THAT(refusal("CN="), HasSubstr("'CN' has no value"));
  EXPECT_THAT(refusal("CN=a,,O=b"), HasSubstr("no type of attribute"));
  EXPECT_THAT(refusal("XX=a"), HasSubstr("'XX' is no type of attribute; there are: CN, O"));
  EXPECT_THAT(refusal("1.2.=a"), HasSubstr("no type of attribute"));
  EXPECT_THAT(refusal("CN=\"a"), HasSubstr("not closed"));
  EXPECT_THAT(refusal("CN=\"a\"b"), HasSubstr("a comma is wanted"));
  EXPECT_THAT(refusal("CN=a;O=b"), HasSubstr("write '\\;'"));
  EXPECT_THAT(refusal("CN=a\\zz"), HasSubstr("backslash"));
  EXPECT_THAT(refusal("CN=a\\"), HasSubstr("backslash"));
  EXPECT_THAT(refusal("CN=#0402AB"), HasSubstr("is not the DER of a string"));
  EXPECT_THAT(refusal("CN=#0C0241"), HasSubstr("is not the DER of a string"));
  EXPECT_THAT(refusal("CN=#0C014142"), HasSubstr("is not the DER of a string"));
  EXPECT_THAT(refusal("CN=#0C02410A"), HasSubstr("control character"));
  EXPECT_THAT(refusal("CN=#0C01FF"), HasSubstr("no text"));
  EXPECT_THAT(refusal("CN=#xy"), HasSubstr("hexadecimal digits"));
  EXPECT_THAT(refusal("CN=#"), HasSubstr("has no value"));
  EXPECT_THAT(refusal("CN=\xFF"), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal("CN=a\nO=b"), HasSubstr("control character"));
  EXPECT_THAT(refusal("CN=a\\00b"), HasSubstr("backslash"));
  EXPECT_THAT(refusal("C=Germany"), HasSubstr("too long"));
  EXPECT_THAT(refusal("CN=" + std::string(65, 'a')), HasSubstr("too long"));
  EXPECT_THAT(refusal("CN=" + std::string(3000, 'a')), HasSubstr("at most 2000"));
}

TEST(DistinguishedName, MayBeEmpty) {
  EXPECT_TRUE(DistinguishedName().empty());
  EXPECT_TRUE(DistinguishedName::parse("  ").value().empty());
  EXPECT_FALSE(DistinguishedName::parse("CN=a").value().empty());
}

// [RFC5280 7.1]
TEST(DistinguishedName, ComparesWithoutRegardToCaseAndSpaces) {
  const auto name = [](std::string_view text) { return DistinguishedName::parse(text).value(); };
  EXPECT_EQ(name("CN=Acme  AS2"), name("cn=acme as2"));
  EXPECT_FALSE(name("CN=Acme,O=x") == name("O=x,CN=Acme"));
  EXPECT_FALSE(name("CN=Acme") == name("CN=Acme AS2"));
}

TEST(DistinguishedName, EscapesValuesForItself) {
  for (const char* value : {"Acme, Inc.", " spaced ", "#1", "a\"b\\c", "plain", "a+b<c>;"}) {
    const auto name = DistinguishedName::parse("CN=" + escape_name_value(value));
    ASSERT_TRUE(name) << name.error().detail;
    const ASN1_STRING* const read = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name->native(), 0));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(read)),
                          static_cast<std::size_t>(ASN1_STRING_length(read))),
              value);
  }
}

}  // namespace
}  // namespace signet::certstore
