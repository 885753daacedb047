#include "gateway/api/authority_routes.h"

#include <gmock/gmock.h>

#include "gateway/api/audit_routes.h"
#include "gateway/api/authority_files.h"
#include "gateway/api/authority_json.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/api/services_fixture.h"

namespace signet::gateway::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class AuthorityRoutes : public testing::Test, protected MemoryServices {
 protected:
  TestCall as(std::string name, Roles roles) { return {{"id", std::move(name), roles, true, {}}, {}}; }

  /// The kind of a refusal; nothing where there is none.
  static std::optional<ErrorKind> refusal(const Result<Answer>& answer) {
    return answer ? std::nullopt : std::optional(answer.error().kind);
  }

  Result<Answer> make_group(Json body = {}) {
    EXPECT_TRUE(vault->set_policy(vault::Principal::local_operator(),
                                  {"vault", vault::Principal::gateway(), vault::gateway_key_permissions()}));
    body["name"] = "Plant";
    body["subject"] = "CN=Plant CA";
    body["keyVault"] = "vault";
    body["issued"] = {{"lifetimeMonths", 12}, {"keySize", 2048}};
    body["issuer"] = {{"lifetimeMonths", 24}, {"keySize", 2048}};
    return create_group(all, administrator_.with({}, std::move(body)));
  }

  const TestCall administrator_ = as("admin", {Role::Administrator});
  const TestCall writer_ = as("writer", {Role::Writer});
  const TestCall reader_ = as("reader", {Role::Reader});
  const Json station_ = {{"as2Name", "globex"},
                         {"url", "https://as2.globex.example/as2"},
                         {"purposes", Json::array({"sign", "encrypt"})}};
};

TEST_F(AuthorityRoutes, TheServiceAsksForTheRoleToo) {
  EXPECT_EQ(refusal(create_group(all, writer_.with({}, {{"name", "Plant"}}))), ErrorKind::PermissionDenied);
  EXPECT_EQ(refusal(list_groups(all, as("x", {Role::CertificateBinder}).with({}))),
            ErrorKind::PermissionDenied);
  EXPECT_EQ(refusal(register_application(all, reader_.with({}, station_))), ErrorKind::PermissionDenied);
  EXPECT_EQ(refusal(approve_request(all, administrator_.with({{"id", "x"}}))), ErrorKind::PermissionDenied);
  EXPECT_EQ(refusal(list_audit_records(all, administrator_.with({}))), ErrorKind::PermissionDenied);
  EXPECT_EQ(refusal(list_audit_records(all, as("otto", {Role::Auditor}).with({}))), std::nullopt);
}

TEST_F(AuthorityRoutes, ANewGroupPointsToWhereThingsArePublished) {
  const auto made = make_group();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->body->at("crlDistributionPoint"), "http://pki.example.com/certs/crl/%serial%/%group%.crl");
  EXPECT_EQ(made->body->at("ocspResponder"), "http://pki.example.com/ocsp");
  EXPECT_EQ(made->body->at("created").at("by"), "admin");
  EXPECT_EQ(refusal(make_group()), ErrorKind::AlreadyExists);
}

TEST_F(AuthorityRoutes, AChangeLeavesWhatItDoesNotMention) {
  ASSERT_TRUE(make_group({{"crlDistributionPoint", "https://%servicehost%/%group%/%serial%"}}));
  const auto changed =
      change_group(all, administrator_.with({{"name", "plant"}}, {{"issued", {{"lifetimeMonths", 6}}}}));
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->body->at("issued"),
            Json({{"lifetimeMonths", 6}, {"keySize", 2048}, {"hashAlgorithm", "sha-256"}}));
  EXPECT_EQ(changed->body->at("crlDistributionPoint"), "https://pki.example.com/%group%/%serial%");
  EXPECT_EQ(refusal(change_group(all, administrator_.with({{"name", "Plant"}}, {{"revision", 7}}))),
            ErrorKind::AlreadyExists);
  EXPECT_EQ(refusal(change_group(all, administrator_.with({{"name", "Plant"}}, {{"issued", 7}}))),
            ErrorKind::InvalidInput);
}

TEST_F(AuthorityRoutes, APageSaysWhereTheNextOneBegins) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(register_application(all, writer_.with({}, station_)));
  const auto page = [&](std::string query) {
    TestCall call = reader_;
    call.target = parse_target("/?state=all&$top=2" + query);
    return list_applications(all, call.with({}));
  };
  const auto first = page("");
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->body->at("value").size(), 2U);
  const std::string link = first->body->at("nextLink");
  const auto second = page("&" + link.substr(link.find("$skiptoken")));
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->body->at("value").size(), 1U);
  EXPECT_FALSE(second->body->contains("nextLink"));
  for (const char* wrong : {"&$skiptoken=eA", "&$skiptoken=LTE", "&$top=0", "&$top=1001"})
    EXPECT_EQ(refusal(page(wrong)), ErrorKind::InvalidInput) << wrong;
}

TEST_F(AuthorityRoutes, WhatIsMissingInABodyIsNamed) {
  Json body = station_;
  body.erase("url");
  auto refused = register_application(all, writer_.with({}, body));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("'url'"));
  refused = reject_request(all, as("anna", {Role::Approver}).with({{"id", "x"}}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("'reason'"));
  refused = fetch_request(all, writer_.with({{"id", "x"}}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("applicationId"));
}

TEST(AuthorityFiles, AreCalledByCommonNameAndThumbprint) {
  const auto certificate =
      test::make_certificate({.common_name = "../Press/7: \"left\"", .authority = true}).certificate;
  const NamedFile file = certificate_file(certificate, FileForm::Der);
  EXPECT_EQ(file.name, ".._Press_7_ _left_ [" + certificate.thumbprint_sha1() + "].der");
  EXPECT_EQ(file.octets, certificate.der());
  EXPECT_EQ(as_text(certificate_file(certificate, FileForm::Pem).octets), certificate.pem());
  EXPECT_EQ(as_text(certificate_file(certificate, FileForm::Base64).octets), base64(certificate.der()));
  EXPECT_THAT(std::string(*answer_of(file).headers.value("Content-Disposition")),
              StartsWith("attachment; filename=\".._Press_7_ _left_ ["));
  EXPECT_FALSE(parse_file_form("jpeg"));
}

TEST(AuthorityJson, LetsNoHostBeGuessed) {
  EXPECT_EQ(with_service_host("http://%servicehost%/x", "pki.example:1").value(), "http://pki.example:1/x");
  EXPECT_EQ(with_service_host("http://other/x", "").value(), "http://other/x");
  const auto refused = with_service_host("http://%servicehost%/x", "");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("publication-host"));
}

TEST(AuthorityJson, RolesOfTheRestServicesThatAreNoneOfTheServiceGiveNothing) {
  EXPECT_TRUE(actor_of({"id", "x", {Role::CertificateBinder}, true, {}}).roles.empty());
  EXPECT_EQ(to_string(actor_of({"id", "x", {Role::Reader, Role::Auditor}, true, {}}).roles),
            "Reader,Auditor");
}

}  // namespace
}  // namespace signet::gateway::api
