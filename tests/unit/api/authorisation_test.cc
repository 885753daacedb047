#include <gtest/gtest.h>

#include "gateway/api/api_handler.h"
#include "gateway/api/principals.h"
#include "tests/unit/api/services_fixture.h"

/// Who may make which call: every row of the table, so that a new one is tested before anybody thinks of it.

namespace signet::gateway::api {
namespace {

constexpr Roles kAllRoles{
    Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::CertificateBinder, Role::Auditor};

/// Keeps the answer.
class Answered final : public Responder::Target {
 public:
  void answer(HttpResponse response) override { response_ = std::move(response); }
  void give_up() override {}
  HttpResponse response_;
};

class AuthorisationTest : public testing::Test, protected MemoryServices {
 protected:
  AuthorisationTest() {
    for (const char* name : {"all", "nobody"}) EXPECT_TRUE(administrator_.add(operator_, name, {}));
    nobody_ = token_of("nobody");
  }

  std::string token_of(std::string_view name) {
    return administrator_.create_token(operator_, name, kNow + std::chrono::hours(1))->token;
  }

  /// As the HTTP front does it. A token may be empty: none.
  HttpResponse call(const Route& route, const std::string& name, const std::string& token,
                    std::string_view body = "{}", ApiHandler* handler = nullptr) {
    if (handler == nullptr) handler = &handler_;
    HttpRequest request;
    request.method = route.method;
    request.target =
        path_of(route, name) + "?api-version=" + (route.plane == Plane::Vault ? "7.5" : "2019-05-01");
    request.headers.add("Host", route.plane == Plane::Vault ? "vault.example:1" : "example:1");
    request.headers.add("Content-Type", "application/json");
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.request_id = std::string(32, 'a');
    request.remote_address = "127.0.0.1";
    request.listener = "api";
    request.body = Slice::of(body);
    if (const HeadVerdict verdict = handler->on_head(request); verdict.refusal) return *verdict.refusal;
    const auto answered = std::make_shared<Answered>();
    handler->on_request(std::move(request), Responder(answered));
    return std::move(answered->response_);
  }

  /// Everything in braces becomes `name`, but for versions, which are left out, and for what everything of
  /// the management plane lies below: that is there.
  std::string path_of(const Route& route, const std::string& name) {
    const std::map<std::string_view, std::string> there = {{"{subscription}", installation.subscription},
                                                           {"{group}", std::string(kDefaultGroup)},
                                                           {"{account}", std::string(kDefaultAccount)},
                                                           {"{version?}", ""}};
    std::string path;
    for (std::string_view rest = route.pattern; !rest.empty();) {
      rest.remove_prefix(1);
      const std::string_view part = rest.substr(0, rest.find('/'));
      rest.remove_prefix(part.size());
      const auto known = there.find(part);
      path.append("/").append(known != there.end()    ? known->second
                              : part.starts_with('{') ? name
                                                      : std::string(part));
    }
    return path;
  }

  static std::string text_of(const HttpResponse& response) {
    return std::string(as_text(response.body.to_bytes(kLongestText).value()));
  }

  /// Its JSON error's code.
  static std::string code_of(const HttpResponse& response) {
    const Json body = Json::parse(text_of(response), nullptr, false);
    EXPECT_TRUE(body.is_object()) << text_of(response);
    return body.is_object() ? body["error"]["code"].get<std::string>() : "";
  }

  void grant(const std::string& keys, const std::string& secrets, const std::string& certificates) {
    ASSERT_TRUE(vault->set_policy(operator_, {"vault",
                                              {"all"},
                                              vault::parse_key_permissions(keys).value(),
                                              vault::parse_secret_permissions(secrets).value(),
                                              vault::parse_certificate_permissions(certificates).value()}));
  }

  static constexpr std::size_t kLongestText = 1024 * 1024;
  const vault::Principal operator_ = vault::Principal::local_operator();
  Principals administrator_{principals, audit, clock};
  ApiHandler handler_{ApiPorts{all, audit, [this] { return sync(); }, principals},
                      ApiOptions{"example", {}, {1e6, 1e6}, {1e6, 1e6}}, installation};
  std::string nobody_;

  Result<> sync() {
    ++syncs_;
    return sync_failure_ ? Result<>(fail(*sync_failure_)) : Result<>();
  }
  int syncs_ = 0;
  std::optional<Error> sync_failure_;
};

TEST_F(AuthorisationTest, NobodyIsLetInWithoutAToken) {
  for (const Route& route : routes())
    for (const std::string& token : {std::string(), std::string("sgt_wrong")}) {
      const HttpResponse response = call(route, "x", token, "no JSON");
      EXPECT_EQ(response.status, 401) << route.method << " " << route.pattern;
      EXPECT_EQ(code_of(response), "Unauthorized");
      EXPECT_TRUE(response.headers.value("WWW-Authenticate")->starts_with("Bearer authorization"));
    }
}

TEST_F(AuthorisationTest, WhoMayNotLearnsNothingOfWhatIsThere) {
  ASSERT_TRUE(vault->create_key(operator_, "vault", "there", vault::KeyKind::EcP256, {}));
  ASSERT_TRUE(vault->set_secret(operator_, "vault", "there", SecretBytes::copy_of("x"), {}));
  for (const Route& route : routes())
    for (const char* body : {"{}", "no JSON", ""}) {
      const HttpResponse there = call(route, "there", nobody_, body);
      EXPECT_EQ(there.status, 403) << route.method << " " << route.pattern;
      const std::string text = text_of(there);
      EXPECT_EQ(text, text_of(call(route, "absent", nobody_, body))) << route.method << " " << route.pattern;
    }
}

TEST_F(AuthorisationTest, EveryPermissionButTheOneThatIsNeededIsNotEnough) {
  const std::string token = token_of("all");
  for (const Route& route : routes()) {
    auto keys = vault::parse_key_permissions("all").value();
    auto secrets = vault::parse_secret_permissions("all").value();
    auto certificates = vault::parse_certificate_permissions("all").value();
    certificates.remove(vault::CertificatePermission::ManageIssuers);  // stands for four others
    Roles roles = kAllRoles;
    if (const auto* key = std::get_if<vault::KeyPermission>(&route.needs)) keys.remove(*key);
    if (const auto* secret = std::get_if<vault::SecretPermission>(&route.needs)) secrets.remove(*secret);
    if (const auto* one = std::get_if<vault::CertificatePermission>(&route.needs)) certificates.remove(*one);
    if (const auto* role = std::get_if<Role>(&route.needs)) roles.remove(*role);
    grant(to_string(keys), to_string(secrets), to_string(certificates));
    ASSERT_TRUE(administrator_.change(operator_, "all", {.roles = roles}));
    EXPECT_EQ(call(route, "x", token).status, 403) << route.method << " " << route.pattern;
  }
}

TEST_F(AuthorisationTest, WhoMayGetsToTheHandlerAndBadInputIsNeverOurMistake) {
  const std::string token = token_of("all");
  grant("all", "all", "all");
  ASSERT_TRUE(administrator_.change(operator_, "all", {.roles = kAllRoles}));
  for (const Route& route : routes())
    for (const char* body :
         {"{}", "no JSON", "[]", R"({"kty":{},"value":[],"alg":1,"attributes":"x","tags":[1],"key":7})", "",
          "{\"a\":\"\\ud800\"}"}) {
      const int status = call(route, "x", token, body).status;
      EXPECT_NE(status, 403) << route.method << " " << route.pattern;
      EXPECT_NE(status, 401) << route.method << " " << route.pattern;
      EXPECT_LT(status, 500) << route.method << " " << route.pattern << " " << body;
    }
}

TEST_F(AuthorisationTest, ADenialLeavesARecord) {
  for (const Route& route : routes()) {
    static_cast<void>(call(route, "x", nobody_));
    const vault::AuditRecord record = audit.records.back();
    EXPECT_EQ(record.principal, "nobody");
    EXPECT_EQ(record.operation, std::string(route.method) + " " + std::string(route.pattern));
    EXPECT_EQ(record.result, vault::AuditResult::Denied);
  }
}

TEST_F(AuthorisationTest, WithoutARecordNothingIsAnswered) {
  const std::string token = token_of("all");
  grant("all", "all", "all");
  audit.full = true;
  for (const Route& route : routes()) {
    const HttpResponse response = call(route, "x", token);
    EXPECT_EQ(response.status, 503) << route.method << " " << route.pattern;
    EXPECT_EQ(text_of(response).find("/srv"), std::string::npos);
  }
}

TEST_F(AuthorisationTest, ItsRecordIsOnDiskBeforeAnAnswerLeaves) {
  const std::string token = token_of("all");
  grant("all", "all", "all");
  ASSERT_TRUE(administrator_.change(operator_, "all", {.roles = kAllRoles}));
  for (const Route& route : routes()) {
    const int before = syncs_;
    static_cast<void>(call(route, "x", token));
    EXPECT_EQ(syncs_, before + 1) << route.method << " " << route.pattern;
  }
  sync_failure_ = Error{ErrorKind::IoFailure, "the disk of /srv is full"};
  for (const Route& route : routes())
    EXPECT_EQ(call(route, "x", token).status, 503) << route.method << " " << route.pattern;
}

TEST_F(AuthorisationTest, WhatTheServerItselfRefusesHasAzuresForm) {
  for (const auto& [status, code] :
       {std::pair(400, "BadParameter"), std::pair(408, "RequestRefused"),
        std::pair(413, "RequestBodyTooLarge"), std::pair(503, "ServiceUnavailable")}) {
    const HttpResponse response = handler_.on_refusal(status, "a reason", "");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(code_of(response), code);
  }
}

TEST_F(AuthorisationTest, OnTheManagementPlaneWhoMayNotIsToldByItsOwnCode) {
  for (const Route& route : routes())
    EXPECT_EQ(code_of(call(route, "x", nobody_)),
              route.plane == Plane::Vault ? "Forbidden" : "AuthorizationFailed")
        << route.method << " " << route.pattern;
}

TEST_F(AuthorisationTest, APrincipalThatCallsTooOftenWaitsAndFillsNoLog) {
  ApiHandler slow{ApiPorts{all, audit, [this] { return sync(); }, principals},
                  ApiOptions{"example", {}, {0.001, 2}, {1e6, 1e6}}, installation};
  const std::size_t before = audit.records.size();
  EXPECT_EQ(call(routes().front(), "x", nobody_, "{}", &slow).status, 403);
  EXPECT_EQ(call(routes().front(), "x", nobody_, "{}", &slow).status, 403);
  const std::size_t denials = audit.records.size() - before;
  const HttpResponse refused = call(routes().front(), "x", nobody_, "{}", &slow);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(code_of(refused), "Throttled");
  EXPECT_TRUE(refused.headers.value("Retry-After"));
  EXPECT_EQ(audit.records.size(), before + denials);
  EXPECT_EQ(call(routes().front(), "x", token_of("all"), "{}", &slow).status, 403);
}

TEST_F(AuthorisationTest, WhoCallsTooOftenWaits) {
  ApiHandler slow{ApiPorts{all, audit, [this] { return sync(); }, principals},
                  ApiOptions{"example", {}, {1e6, 1e6}, {0.001, 2}}, installation};
  HttpRequest request;
  request.method = "GET";
  request.target = "/keys";
  request.headers.add("Host", "vault.example");
  request.remote_address = "192.0.2.1";
  EXPECT_EQ(slow.on_head(request).refusal->status, 401);
  EXPECT_EQ(slow.on_head(request).refusal->status, 401);
  const auto refusal = slow.on_head(request).refusal;
  EXPECT_EQ(refusal->status, 429);
  EXPECT_GE(std::stoi(std::string(*refusal->headers.value("Retry-After"))), 1);
  request.remote_address = "192.0.2.2";
  EXPECT_EQ(slow.on_head(request).refusal->status, 401);
}

}  // namespace
}  // namespace signet::gateway::api
