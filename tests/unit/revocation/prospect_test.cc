#include "gateway/revocation/prospect.h"

#include "tests/unit/revocation/revocation_fixture.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

class ProspectTest : public RevocationTest {
 protected:
  Prospect of(const certstore::Certificate& certificate) const {
    return prospect_of(certificate, authorities_, lists_, allowed_, kToday);
  }
  std::vector<certstore::Certificate> authorities_{authority_.certificate};
  std::vector<StoredRevocationList> lists_;
  AllowedUrls allowed_;
};

TEST_F(ProspectTest, AnAllowedAddressIsEnough) {
  allowed_.urls = {"http://crl.example/"};
  EXPECT_EQ(of(globex_).never, "");
}

TEST_F(ProspectTest, AnAddressThatIsNotAllowedIsNone) {
  const Prospect prospect = of(globex_);
  EXPECT_THAT(prospect.never, HasSubstr("http://crl.example/authority.crl, which is not allowed"));
  EXPECT_THAT(prospect.advice, HasSubstr("crl-allow-url"));
}

TEST_F(ProspectTest, WithoutAnAddressAnImportedListHelpsUntilItEnds) {
  const certstore::Certificate silent = leaf("Silent");
  EXPECT_THAT(of(silent).never, HasSubstr("names no http or https address"));
  EXPECT_THAT(of(silent).advice, HasSubstr("signet crl import"));
  lists_ = {stored(authority_, test::make_list(authority_))};
  EXPECT_EQ(of(silent).never, "");
  lists_ = {stored(authority_, test::make_list(authority_, {.next_update = "2026-11-20T12:00:00Z"}))};
  EXPECT_NE(of(silent).never, "");
  lists_ = {stored(root_, test::make_list(root_))};
  EXPECT_NE(of(silent).never, "") << "of another authority";
}

TEST_F(ProspectTest, TheIssuersCertificateHasToBeThere) {
  authorities_ = {root_.certificate};
  EXPECT_THAT(of(globex_).never, HasSubstr("certificate of its issuer, 'CN=Authority'"));
}

TEST_F(ProspectTest, TheAuthoritysOwnListIsNeededWhereItsIssuerIsThere) {
  allowed_.urls = {"http://crl.example/"};
  authorities_ = {authority_.certificate, root_.certificate};
  EXPECT_THAT(of(globex_).never, HasSubstr("'CN=Authority' names no http or https address"));
}

TEST_F(ProspectTest, OurOwnCertificatesAndThoseThatMayNotIssueAreNoAuthorities) {
  agreements::Account account;
  account.certificates = {
      {"authority", authority_.certificate.der(), {}, {}},
      {"globex", globex_.der(), {}, {}},
      {"broken", Bytes{1, 2, 3}, {}, {}},
      {"ours", root_.certificate.der(), agreements::KeyReference{"signet", "ours", ""}, {}}};
  EXPECT_EQ(public_authorities(account), std::vector<certstore::Certificate>{authority_.certificate});
}

}  // namespace
}  // namespace signet::gateway
