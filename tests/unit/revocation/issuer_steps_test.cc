#include "gateway/revocation/issuer_steps.h"

#include "tests/unit/revocation/revocation_fixture.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class IssuerStepsTest : public RevocationTest {};

TEST_F(IssuerStepsTest, GoesUpAsFarAsTheIssuersAreThere) {
  const auto all = issuer_steps(globex_, {root_.certificate, authority_.certificate});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].subject, globex_);
  EXPECT_EQ(all[0].issuer, authority_.certificate);
  EXPECT_EQ(all[1].subject, authority_.certificate);
  EXPECT_EQ(all[1].issuer, root_.certificate);
  EXPECT_EQ(issuer_steps(globex_, {authority_.certificate}).size(), 1U);
}

TEST_F(IssuerStepsTest, HasNoneForWhatIsSelfSignedOrOfAnUnknownIssuer) {
  EXPECT_THAT(issuer_steps(root_.certificate, {root_.certificate}), IsEmpty());
  EXPECT_THAT(issuer_steps(globex_, {root_.certificate}), IsEmpty());
  EXPECT_THAT(text_of_no_issuer(globex_), HasSubstr("certificate of its issuer, 'CN=Authority'"));
}

TEST_F(IssuerStepsTest, EndsWhereAuthoritiesIssueEachOther) {
  // A name has one key here: the second certificate of "Above" issues as the first one does.
  const certstore::PrivateCertificate first = test::make_authority("Above");
  const certstore::PrivateCertificate below = test::make_authority("Below", &first);
  const certstore::PrivateCertificate above = test::make_authority("Above", &below);
  EXPECT_EQ(issuer_steps(below.certificate, {below.certificate, above.certificate}).size(), 8U);
}

}  // namespace
}  // namespace signet::gateway
