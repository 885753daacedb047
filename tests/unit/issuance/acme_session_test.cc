#include "gateway/issuance/acme_session.h"

#include <deque>

#include "tests/unit/issuance/issuance_fixture.h"

namespace signet::gateway {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

HttpAnswer answer(int status, const json& body, const std::string& nonce, const std::string& location = {}) {
  HttpAnswer made;
  made.status = status;
  made.body = Slice::of(body.dump());
  if (!nonce.empty()) made.headers.add("Replay-Nonce", nonce);
  if (!location.empty()) made.headers.add("Location", location);
  return made;
}

json problem(const std::string& type, const std::string& detail = "no") {
  return {{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}};
}

class AcmeSessions : public IssuanceFixture {
 protected:
  AcmePorts ports() {
    return {[this](const HttpGet& get) -> Result<HttpAnswer> {
              if (get.url == "https://ca.example/directory") return answer(200, directory_, "");
              return answer(204, json(), "fresh");
            },
            [this](const HttpPost& post) -> Result<HttpAnswer> {
              const json jws = json::parse(as_text(post.body.to_bytes(SIZE_MAX).value()));
              headers_.push_back(
                  json::parse(as_text(parse_base64url(jws["protected"].get<std::string>()).value())));
              payloads_.emplace_back(as_text(parse_base64url(jws["payload"].get<std::string>()).value()));
              HttpAnswer next = answers_.front();
              answers_.pop_front();
              return next;
            }};
  }

  json directory_{{"newNonce", "https://ca.example/nonce"},
                  {"newAccount", "https://ca.example/new-account"},
                  {"newOrder", "https://ca.example/new-order"}};
  std::deque<HttpAnswer> answers_;
  std::vector<json> headers_;
  std::vector<std::string> payloads_;
};

TEST_F(AcmeSessions, ANonceThatIsRefusedIsReplacedByTheOneThatCameWithTheRefusal) {
  answers_ = {answer(400, problem("badNonce"), "n1"), answer(400, problem("badNonce"), "n2"),
              answer(200, {{"status", "valid"}}, "n3")};
  const auto ours = account();
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  EXPECT_EQ(session.fetch("https://ca.example/order/1")->body["status"], "valid");
  std::vector<std::string> nonces;
  for (const json& header : headers_) nonces.push_back(header["nonce"]);
  EXPECT_THAT(nonces, ElementsAre("fresh", "n1", "n2"));
  EXPECT_EQ(headers_.front()["kid"], "https://ca.example/account/1");
  EXPECT_EQ(headers_.front()["url"], "https://ca.example/order/1");
  EXPECT_THAT(payloads_, ElementsAre("", "", ""));
}

TEST_F(AcmeSessions, AServiceThatRefusesEveryNonceIsAskedAgainLater) {
  for (int i = 0; i < 10; ++i) answers_.push_back(answer(400, problem("badNonce"), "n"));
  const auto ours = account();
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  EXPECT_TRUE(fails_with(session.fetch("https://ca.example/order/1"), ErrorKind::Unavailable, "badNonce"));
  EXPECT_TRUE(answers_.empty());
}

TEST_F(AcmeSessions, ProblemsTellWhoHasToAct) {
  const struct {
    int status;
    const char* type;
    ErrorKind kind;
  } cases[] = {{403, "rejectedIdentifier", ErrorKind::PermissionDenied},
               {400, "badCSR", ErrorKind::PermissionDenied},
               {429, "rateLimited", ErrorKind::Unavailable},
               {500, "serverInternal", ErrorKind::Unavailable},
               {400, "malformed", ErrorKind::Unsupported},
               {404, "", ErrorKind::Unsupported}};
  const auto ours = account();
  for (const auto& one : cases) {
    answers_ = {answer(one.status, problem(one.type, "for a reason"), "n")};
    AcmeSession session = AcmeSession::open(ports(), *ours).value();
    EXPECT_TRUE(fails_with(session.fetch("https://ca.example/order/1"), one.kind, "for a reason"))
        << one.type;
  }
}

TEST_F(AcmeSessions, AnAccountIsMadeOnceWithItsKeyAndThenKnownByItsUrl) {
  answers_ = {answer(201, {{"status", "valid"}}, "n", "https://ca.example/account/7")};
  const auto ours = account("");
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  ASSERT_TRUE(session.ensure_account());
  ASSERT_TRUE(session.ensure_account());
  EXPECT_EQ(headers_.at(0)["jwk"]["crv"], "P-256");
  EXPECT_FALSE(headers_.at(0).contains("kid"));
  EXPECT_EQ(json::parse(payloads_.at(0)), (json{{"termsOfServiceAgreed", true}}));
  EXPECT_EQ(vault_->open_issuer_account("kv1", "ca").value()->url(), "https://ca.example/account/7");
}

TEST_F(AcmeSessions, AnAccountIsBoundToThatOfTheIssuer) {
  // [RFC8555 7.3.4]
  vault::IssuerUpdate update;
  update.account = "kid-1";
  update.password = SecretBytes::copy_of("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W");
  set_issuer(std::move(update));
  answers_ = {answer(201, {{"status", "valid"}}, "n", "https://ca.example/account/7")};
  const auto ours = account("");
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  ASSERT_TRUE(session.ensure_account());
  const json binding = json::parse(payloads_.at(0))["externalAccountBinding"];
  const json header = json::parse(as_text(parse_base64url(binding["protected"].get<std::string>()).value()));
  EXPECT_EQ(header, (json{{"alg", "HS256"}, {"kid", "kid-1"}, {"url", "https://ca.example/new-account"}}));
  EXPECT_EQ(json::parse(as_text(parse_base64url(binding["payload"].get<std::string>()).value())),
            headers_.at(0)["jwk"]);
}

TEST_F(AcmeSessions, AServiceThatWantsABindingIsNotAskedWithoutOne) {
  directory_["meta"] = {{"externalAccountRequired", true}};
  const auto ours = account("");
  EXPECT_TRUE(fails_with(AcmeSession::open(ports(), *ours)->ensure_account(), ErrorKind::Unsupported, "EAB"));
  vault::IssuerUpdate update;
  update.account = "kid-1";
  update.password = SecretBytes::copy_of("no key!");
  set_issuer(std::move(update));
  const auto other = account("");
  const auto refused = AcmeSession::open(ports(), *other)->ensure_account();
  EXPECT_TRUE(fails_with(refused, ErrorKind::Unsupported, "HMAC key in base64url"));
  EXPECT_THAT(refused.error().detail, testing::Not(HasSubstr("no key!")));
  EXPECT_TRUE(headers_.empty());
}

TEST_F(AcmeSessions, AServiceThatHasForgottenUsIsToldOfUsAgain) {
  answers_ = {answer(400, problem("accountDoesNotExist"), "n")};
  const auto ours = account();
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  EXPECT_TRUE(
      fails_with(session.fetch("https://ca.example/order/1"), ErrorKind::Unavailable, "accountDoesNotExist"));
  EXPECT_EQ(ours->url(), "");
}

TEST_F(AcmeSessions, NothingIsSaidWithoutTls) {
  // [RFC8555 6.1]
  const auto ours = account();
  AcmeSession session = AcmeSession::open(ports(), *ours).value();
  EXPECT_TRUE(fails_with(session.fetch("http://ca.example/order/1"), ErrorKind::Unsupported, "https"));
  directory_["newNonce"] = "http://ca.example/nonce";
  AcmeSession other = AcmeSession::open(ports(), *ours).value();
  EXPECT_TRUE(fails_with(other.fetch("https://ca.example/order/1"), ErrorKind::Unsupported, "https"));
  EXPECT_TRUE(headers_.empty());
}

TEST_F(AcmeSessions, WhatIsNoDirectoryIsSaidToBeNone) {
  directory_ = {{"hello", "world"}};
  const auto ours = account();
  EXPECT_TRUE(fails_with(AcmeSession::open(ports(), *ours), ErrorKind::Unsupported, "directory URL"));
}

}  // namespace
}  // namespace signet::gateway
