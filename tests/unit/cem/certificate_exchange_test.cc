#include "as2/cem/certificate_exchange.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "certstore/x509/certs_only.h"
#include "tests/support/test_certificates.h"

namespace signet::as2::cem {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Time kNow = *parse_time("2027-01-01T12:00:00Z");

certstore::Certificate certificate() {
  static const certstore::Certificate made = test::make_certificate({.common_name = "Acme"}).certificate;
  return made;
}

std::string serial() { return identifier_of(certificate()).serial; }

Result<Exchange> parse(const Composed& composed) {
  return cem::parse(composed.content_type, Slice::of(composed.body), SpoolArea());
}

std::string refusal_of(const Result<Exchange>& exchange) { return exchange ? "" : exchange.error().detail; }

Request request() {
  return {"req-1@acme",
          "ACME",
          kNow,
          {{{CertificateUsage::DigitalSignature, CertificateUsage::KeyEncipherment},
            kNow + std::chrono::hours(24),
            "https://acme.example/as2",
            certificate()}}};
}

/// As others write it: a prefix for the namespace, an offset in times, parts that are not the first.
constexpr std::string_view kTypes =
    "multipart/related; type=\"application/ediint-cert-exchange+xml\"; boundary=b";

std::string with_part(const std::string& xml, const std::string& id = "sign@acme") {
  return fmt::format(
      "--b\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\nContent-ID: <{}>\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{}--b\r\n"
      "Content-Type: application/ediint-cert-exchange+xml\r\n\r\n{}\r\n--b--\r\n",
      id, base64_lines(certstore::make_certs_only({certificate()}).value()), xml);
}

Result<Exchange> parse_xml(const std::string& xml) {
  return cem::parse(kTypes, Slice::of(with_part(xml)), SpoolArea());
}

std::string trust_request(const std::string& usage = "<CertUsage>digitalSignature</CertUsage>",
                          const std::string& serial_number = serial(), const std::string& id = "sign@acme") {
  return fmt::format(
      "<TrustRequest>{}<RespondByDate>2027-02-01T12:00:00-05:00</RespondByDate><ResponseURL>http://acme/as2"
      "</ResponseURL><EndEntity><CertificateIdentifier><ds:X509IssuerName>CN=Acme</ds:X509IssuerName>"
      "<ds:X509SerialNumber>{}</ds:X509SerialNumber></CertificateIdentifier><CertificateContentID>{}"
      "</CertificateContentID></EndEntity></TrustRequest>",
      usage, serial_number, id);
}

std::string request_xml(const std::string& inside, const std::string& attributes = "requestId=\"r1\"",
                        const std::string& name = "<Name qualifier=\"AS2\">ACME</Name>") {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><EDIINTCertificateExchangeRequest "
      "xmlns=\"urn:ietf:params:xml:ns:ediintcertificateexchange\" "
      "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" {}><TradingPartnerInfo>{}<MessageOriginated>"
      "2027-01-01T07:00:00-05:00</MessageOriginated></TradingPartnerInfo>{}</"
      "EDIINTCertificateExchangeRequest>",
      attributes, name, inside);
}

TEST(CertificateExchange, ARequestIsReadAsItWasMade) {
  const Composed composed = compose(request()).value();
  EXPECT_TRUE(is_exchange(composed.content_type));
  const auto exchange = parse(composed);
  ASSERT_TRUE(exchange) << refusal_of(exchange);
  const Request& read = std::get<Request>(*exchange);
  EXPECT_EQ(read.request_id, "req-1@acme");
  EXPECT_EQ(read.sender, "ACME");
  EXPECT_EQ(read.originated, kNow);
  ASSERT_EQ(read.certificates.size(), 1U);
  EXPECT_EQ(read.certificates.front().certificate, certificate());
  EXPECT_EQ(read.certificates.front().respond_by, kNow + std::chrono::hours(24));
  EXPECT_EQ(to_string(read.certificates.front().usages), "digitalSignature, keyEncipherment");
}

TEST(CertificateExchange, AResponseIsReadAsItWasMade) {
  const Response response{"req-1@acme",
                          "GLOBEX",
                          kNow,
                          {{false, "not the <fingerprint> & we know", identifier_of(certificate())},
                           {true, "", {"CN=other", "12345678901234567890123456789012345678901234567890"}}}};
  const auto exchange = parse(compose(response));
  ASSERT_TRUE(exchange) << refusal_of(exchange);
  const Response& read = std::get<Response>(*exchange);
  EXPECT_EQ(read.request_id, response.request_id);
  ASSERT_EQ(read.certificates.size(), 2U);
  EXPECT_FALSE(read.certificates[0].accepted);
  EXPECT_EQ(read.certificates[0].reason, response.certificates[0].reason);
  EXPECT_EQ(read.certificates[0].certificate, response.certificates[0].certificate);
  EXPECT_TRUE(read.certificates[1].accepted);
}

TEST(CertificateExchange, OthersWriteItInTheirWays) {
  const auto exchange =
      parse_xml(request_xml(trust_request() + trust_request("<CertUsage>tlsClient</CertUsage>")));
  ASSERT_TRUE(exchange) << refusal_of(exchange);
  const Request& read = std::get<Request>(*exchange);
  EXPECT_EQ(read.originated, kNow);
  ASSERT_EQ(read.certificates.size(), 1U) << "one certificate, however often it is named";
  EXPECT_THAT(read.certificates.front().usages,
              ElementsAre(CertificateUsage::DigitalSignature, CertificateUsage::TlsClient));
}

TEST(CertificateExchange, SerialNumbersAreDecimal) {
  const auto made = test::make_certificate({.common_name = "Serial"}).certificate;
  const std::string digits = identifier_of(made).serial;
  EXPECT_EQ(digits.find_first_not_of("0123456789"), std::string::npos);
  EXPECT_NE(digits.front(), '0');
}

TEST(CertificateExchange, OnlyItsOwnTypesAreOne) {
  EXPECT_TRUE(is_exchange("Multipart/Related; Type=\"Application/EDIINT-Cert-Exchange+xml\"; boundary=x"));
  EXPECT_TRUE(is_exchange("application/ediint-cert-exchange+xml"));
  EXPECT_FALSE(is_exchange("multipart/related; type=\"application/edi-x12\"; boundary=x"));
  EXPECT_FALSE(is_exchange("application/xml"));
  EXPECT_FALSE(is_exchange(""));
}

struct Malformed {
  const char* name;
  std::string xml;
  const char* why;
};

TEST(CertificateExchange, WhatIsMalformedIsRefusedWithItsReason) {
  const std::string good = trust_request();
  std::string many;
  for (int i = 0; i < 33; ++i) many += good;
  const std::vector<Malformed> cases = {
      {"no xml", "not xml at all", "cannot be read"},
      {"cut", request_xml(good).substr(0, 400), "cannot be read"},
      {"doctype", "<!DOCTYPE x [<!ENTITY a \"b\">]>" + request_xml(good), "document type"},
      {"another root", "<Request xmlns=\"urn:ietf:params:xml:ns:ediintcertificateexchange\"/>",
       "root element"},
      {"no namespace", "<EDIINTCertificateExchangeRequest requestId=\"1\"/>", "root element"},
      {"no id", request_xml(good, ""), "requestId"},
      {"id of spaces", request_xml(good, "requestId=\"a b\""), "requestId"},
      {"long id", request_xml(good, "requestId=\"" + std::string(201, 'a') + "\""), "requestId"},
      {"nothing asked", request_xml(""), "lacks the element TrustRequest"},
      {"too many", request_xml(many), "32 at most"},
      {"no usage", request_xml(trust_request("")), "CertUsage"},
      {"unknown usage", request_xml(trust_request("<CertUsage>everything</CertUsage>")), "everything"},
      {"unknown element", request_xml(good + "<Trust/>"), "unknown there: Trust"},
      {"two names", request_xml(good, "requestId=\"1\"", "<Name>A</Name><Name>B</Name>"), "2 Name elements"},
      {"another directory", request_xml(good, "requestId=\"1\"", "<Name qualifier=\"DUNS\">A</Name>"),
       "DUNS"},
      {"elements in text", request_xml(good, "requestId=\"1\"", "<Name><b/></Name>"), "an element in it"},
      {"no such part", request_xml(trust_request("<CertUsage>tlsServer</CertUsage>", serial(), "other")),
       "other"},
      {"another serial", request_xml(trust_request("<CertUsage>tlsServer</CertUsage>", "17")),
       "serial number 17"},
      {"serial of letters", request_xml(trust_request("<CertUsage>tlsServer</CertUsage>", "0x17")),
       "decimal"},
  };
  for (const Malformed& one : cases) {
    const auto exchange = parse_xml(one.xml);
    EXPECT_FALSE(exchange) << one.name;
    EXPECT_THAT(refusal_of(exchange), HasSubstr(one.why)) << one.name;
  }
}

TEST(CertificateExchange, PartsThatAreMissingOrTwiceAreRefused) {
  const std::string xml = request_xml(trust_request());
  const std::string whole = with_part(xml);
  const auto refused = [](const std::string& body, std::string_view type = kTypes) {
    return refusal_of(cem::parse(type, Slice::of(body), SpoolArea()));
  };
  EXPECT_THAT(refused(whole, "multipart/related; type=\"application/ediint-cert-exchange+xml\""),
              HasSubstr("boundary"));
  const std::size_t second = whole.find("--b\r\n", 5);
  EXPECT_THAT(refused(whole.substr(0, second) + "--b--\r\n"), HasSubstr("no part of the type"));
  EXPECT_THAT(refused(whole.substr(0, second) + whole), HasSubstr("two parts have the Content-ID"));
  EXPECT_THAT(refused(whole.substr(0, whole.size() - 7) + whole.substr(second)),
              HasSubstr("two parts of the type"));
  EXPECT_NE(refused("--b\r\n"), "");
  const std::string without_certificate =
      "--b\r\nContent-ID: <sign@acme>\r\nContent-Type: text/plain\r\n\r\nnothing\r\n--b\r\n"
      "Content-Type: application/ediint-cert-exchange+xml\r\n\r\n" +
      xml + "\r\n--b--\r\n";
  EXPECT_THAT(refused(without_certificate), HasSubstr("sign@acme"));
}

TEST(CertificateExchange, AStatusThatIsNoneIsRefused) {
  const auto response = [](const std::string& status) {
    return fmt::format(
        "<EDIINTCertificateExchangeResponse xmlns=\"urn:ietf:params:xml:ns:ediintcertificateexchange\" "
        "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" requestId=\"r1\"><TradingPartnerInfo><Name>G</Name>"
        "<MessageOriginated>2027-01-01T07:00:00Z</MessageOriginated></TradingPartnerInfo><TrustResponse>"
        "<CertStatus>{}</CertStatus><CertificateReference><CertificateIdentifier><ds:X509IssuerName>CN=A"
        "</ds:X509IssuerName><ds:X509SerialNumber>007</ds:X509SerialNumber></CertificateIdentifier>"
        "</CertificateReference></TrustResponse></EDIINTCertificateExchangeResponse>",
        status);
  };
  const auto alone = [&](const std::string& status) {
    return cem::parse("application/ediint-cert-exchange+xml", Slice::of(response(status)), SpoolArea());
  };
  ASSERT_TRUE(alone("Accepted")) << refusal_of(alone("Accepted"));
  const auto accepted = alone("Accepted");
  EXPECT_EQ(std::get<Response>(*accepted).certificates.front().certificate.serial, "7");
  EXPECT_THAT(refusal_of(alone("accepted")), HasSubstr("Accepted or Rejected"));
  EXPECT_THAT(refusal_of(alone("")), HasSubstr("CertStatus"));
}

}  // namespace
}  // namespace signet::as2::cem
