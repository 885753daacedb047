#include "gateway/api/service_certificate_routes.h"

#include <gmock/gmock.h>

#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using certstore::Thumbprint;
using testing::HasSubstr;

class ServiceCertificateRoutes : public testing::Test, protected MemoryServices {
 protected:
  Result<Answer> bind(Json body) { return bind_service_certificates(all, call_.with({}, std::move(body))); }
  static Json binding(std::string name) { return {{"name", std::move(name)}, {"thumbprint", "AB:CD"}}; }

  const Thumbprint first_{certstore::ThumbprintAlgorithm::Sha256, std::string(64, 'A')};
  const Thumbprint second_{certstore::ThumbprintAlgorithm::Sha1, std::string(40, 'B')};
  TestCall call_;
};

TEST_F(ServiceCertificateRoutes, HandOverWhatIsToBeBoundAndByWhom) {
  service_certificates.outcome.changes = {{"www", std::nullopt, first_}, {"api", first_, second_}};
  service_certificates.outcome.warnings = {"mind this"};
  Json with_algorithm = binding("api");
  with_algorithm["thumbprintAlgorithm"] = "sha1";
  const auto answer = bind({{"bindings", Json::array({binding("www"), with_algorithm})}});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body->at("changed"), true);
  EXPECT_FALSE(answer->body->at("changes")[0].contains("before"));
  EXPECT_EQ(answer->body->at("changes")[1].at("before").at("thumbprint"), first_.digits);
  EXPECT_EQ(answer->body->at("changes")[1].at("after").at("thumbprintAlgorithm"), "sha1");
  EXPECT_EQ(answer->body->at("warnings")[0], "mind this");
  EXPECT_EQ(service_certificates.asked_by, "writer");
  ASSERT_EQ(service_certificates.asked.size(), 2U);
  EXPECT_EQ(service_certificates.asked[0].thumbprint, "AB:CD");
  EXPECT_EQ(service_certificates.asked[1].algorithm, "sha1");
  EXPECT_EQ(bind({{"bindings", Json::array({binding("www")})}, {"dryRun", true}})->body->at("changed"),
            false);
}

TEST_F(ServiceCertificateRoutes, TellEveryReasonOfARefusal) {
  service_certificates.outcome.refusals = {{"www", "is not for the host"}, {"api", "is not defined"}};
  const auto answer = bind({{"bindings", Json::array({binding("www")})}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  const Json& error = answer->body->at("error");
  EXPECT_EQ(error.at("code"), "BindingRefused");
  EXPECT_THAT(error.at("message").get<std::string>(),
              HasSubstr("nothing was changed: 'www' is not for the host; 'api' is not defined"));
  EXPECT_EQ(error.at("details")[1].at("target"), "api");
}

TEST_F(ServiceCertificateRoutes, TakeNoBodyWithoutBindings) {
  for (const Json& body : {Json::object(), Json{{"bindings", Json::array()}}, Json{{"bindings", "www"}},
                           Json{{"bindings", Json::array({{{"name", "www"}}})}}}) {
    const auto answer = bind(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::InvalidInput) << body;
  }
  EXPECT_TRUE(service_certificates.asked.empty());
}

TEST_F(ServiceCertificateRoutes, ShowANameWithWhatItIsBoundTo) {
  service_certificates.views = {{{"www", "edge", {"as2.example.com"}, certstore::ServiceUse::Listeners},
                                 certstore::ServiceBinding{"www", first_, kNow, "deployer", {second_}},
                                 std::nullopt,
                                 {"tls-certificate"},
                                 {"expired"}},
                                {{"signer"}, std::nullopt, std::nullopt, {}, {}}};
  const auto listed = list_service_certificates(all, call_.with({}));
  ASSERT_TRUE(listed);
  const Json& www = listed->body->at("value")[0];
  EXPECT_EQ(www.at("permissionLevel"), "elevated");
  EXPECT_EQ(www.at("store"), "edge");
  EXPECT_EQ(www.at("binding").at("changedBy"), "deployer");
  EXPECT_EQ(www.at("binding").at("earlier")[0].at("thumbprint"), second_.digits);
  EXPECT_EQ(www.at("objections")[0], "expired");
  EXPECT_FALSE(www.contains("certificate"));
  EXPECT_EQ(*get_service_certificate(all, call_.with({{"name", "signer"}}))->body,
            listed->body->at("value")[1]);
  EXPECT_EQ(get_service_certificate(all, call_.with({{"name", "other"}})).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(unbind_service_certificate(all, call_.with({{"name", "www"}}))->status, 204);
}

}  // namespace
}  // namespace signet::gateway::api
