#include "gateway/api/certificate_routes.h"

#include <gtest/gtest.h>

#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

struct CertificateRoutes : testing::Test, MemoryServices {
  CertificateRoutes() {
    EXPECT_TRUE(administration.set_policy(
        {"vault", {"writer"}, {}, {}, vault::parse_certificate_permissions("all").value()}));
  }
  [[nodiscard]] Call named(Json body, const std::string& version = "") const {
    Call call = writer.with({{"name", "c"}, {"version", version}}, std::move(body));
    call.vault = "vault";
    return call;
  }
  static Json policy(int months) {
    return {{"policy",
             {{"issuer", {{"name", "Self"}}},
              {"key_props", {{"kty", "EC"}, {"crv", "P-256"}}},
              {"x509_props", {{"subject", "CN=c"}, {"validity_months", months}}}}}};
  }
  int months() {
    return get_certificate_policy(all, named(Json::object()))->body->at("x509_props").at("validity_months");
  }

  TestCall writer;
};

TEST_F(CertificateRoutes, AnAbsentVersionsPatchChangesNoPolicy) {
  ASSERT_TRUE(create_certificate(all, named(policy(12))));
  EXPECT_EQ(update_certificate(all, named(policy(24), std::string(32, '0'))).error().kind,
            ErrorKind::NotFound);
  EXPECT_EQ(months(), 12);
  const auto changed = update_certificate(all, named(policy(24)));
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->body->at("policy").at("x509_props").at("validity_months"), 24);
  EXPECT_EQ(months(), 24);
}

TEST_F(CertificateRoutes, APolicyThatIsNullIsNone) {
  ASSERT_TRUE(create_certificate(all, named(policy(12))));
  EXPECT_EQ(create_certificate(all, named({{"policy", nullptr}}))->status, 202);
  EXPECT_TRUE(update_certificate(all, named({{"policy", nullptr}})));
  EXPECT_EQ(months(), 12);
}

}  // namespace
}  // namespace signet::gateway::api
