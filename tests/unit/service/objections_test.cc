#include "certstore/service/objections.h"

#include <gmock/gmock.h>

#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Objections : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> to(const test::CertificateSpec& spec, std::string_view definition,
                                            bool self_signed_allowed = false) const {
    return objections_to(test::make_certificate(spec).certificate, *parse_service_certificate(definition),
                         self_signed_allowed, now_);
  }
  [[nodiscard]] test::CertificateSpec issued(const std::string& names = "DNS:as2.example.com") const {
    return {.common_name = "as2.example.com",
            .key = "ec:P-256",
            .subject_alternative_name = names,
            .issuer = &authority_};
  }

  const PrivateCertificate authority_ =
      test::make_certificate({.common_name = "Authority", .key = "ec:P-256", .authority = true});
  const Time now_ = *parse_time("2026-11-28");
};

TEST_F(Objections, AreNoneToOneThatFits) {
  EXPECT_THAT(to(issued(), "www=as2.example.com"), IsEmpty());
  EXPECT_THAT(to(issued("DNS:*.example.com,IP:192.0.2.7"), "www=AS2.example.com,192.0.2.7:elevated"),
              IsEmpty());
  EXPECT_THAT(to({.common_name = "Acme AS2"}, "acme"), IsEmpty()) << "partners have a self-signed one";
}

TEST_F(Objections, NameEveryHostThatItIsNotFor) {
  EXPECT_THAT(to(issued(), "www=as2.example.com,edi.example.com,example.com"),
              ElementsAre(HasSubstr("is for as2.example.com, not for the host edi.example.com"),
                          HasSubstr("not for the host example.com")));
  EXPECT_THAT(to(issued("DNS:*.example.com"), "www=a.b.example.com"),
              ElementsAre(HasSubstr("a.b.example.com")))
      << "a wildcard stands for one label";
}

TEST_F(Objections, AreAllTold) {
  test::CertificateSpec spec{
      .common_name = "other.example.com", .key = "rsa:1024", .not_after = "2021-01-01"};
  EXPECT_THAT(to(spec, "www=as2.example.com"),
              ElementsAre(HasSubstr("has a weak key"), HasSubstr("expired at 2021-01-01"),
                          HasSubstr("not for the host as2.example.com"), HasSubstr("is self-signed")));
  spec = issued();
  spec.not_before = "2030-01-01";
  EXPECT_THAT(to(spec, "acme"), ElementsAre(HasSubstr("is not valid before 2030-01-01")));
}

TEST_F(Objections, ToASelfSignedOneEndInDevelopment) {
  test::CertificateSpec spec = issued();
  spec.issuer = nullptr;
  EXPECT_THAT(to(spec, "www=as2.example.com"), ElementsAre(HasSubstr("is self-signed")));
  EXPECT_THAT(to(spec, "www=as2.example.com", true), IsEmpty());
}

TEST_F(Objections, AreToAKeyThatTlsServersCannotUse) {
  test::CertificateSpec spec = issued();
  spec.key_usage = "keyCertSign";
  EXPECT_THAT(to(spec, "www=as2.example.com"), ElementsAre(HasSubstr("is not for TLS servers")));
}

TEST_F(Objections, AreToAnIntermediateThatIssuesNothing) {
  EXPECT_THAT(to(issued(), "ca:intermediate"), ElementsAre(HasSubstr("certificate authority")));
  EXPECT_THAT(to({.common_name = "CA", .key = "ec:P-256", .authority = true, .issuer = &authority_},
                 "ca:intermediate"),
              IsEmpty());
}

}  // namespace
}  // namespace signet::certstore
