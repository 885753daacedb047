#include "gateway/remote_vault/vault_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "base/openssl.h"
#include "gateway/remote_vault/remote_vault.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

namespace signet::gateway {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;

struct Said {
  int status = 200;
  json body = json::object();
  std::map<std::string, std::string> fields = {};
};

/// A vault and an authority on one server, that answer as the test says.
class VaultClientTest : public testing::Test {
 protected:
  VaultClientTest() {
    server_.config.listeners[0].tls = TlsIdentity{own_, {}};
    server_.config.workers = 16;
    server_.handler.request = [this](HttpRequest request, Responder responder) {
      const bool asks_for_token = request.target.find("/oauth2/") != std::string::npos;
      const Said said = asks_for_token ? authority(request) : vault(request);
      HttpResponse response;
      response.status = said.status;
      for (const auto& [name, value] : said.fields) response.headers.add(name, value);
      response.body = Slice::of(said.body.dump());
      responder.respond(std::move(response));
    };
    server_.start();
    EXPECT_TRUE(write_file_durably(secret_file(), as_bytes("s3cret")));
  }

  std::filesystem::path secret_file() const { return server_.directory.path() / "secret"; }
  std::string origin() const { return "https://127.0.0.1:" + std::to_string(server_.port()); }

  VaultLink link(bool by_token) const {
    VaultLink link;
    link.name = "kv1";
    link.url = origin();
    link.authorities = own_.certificate.pem();
    if (by_token) {
      link.token_file = secret_file();
    } else {
      link.client_id = "me";
      link.client_secret_file = secret_file();
      link.authority = origin();
    }
    return checked_link(link).value();
  }

  static VaultClientLimits quick() {
    VaultClientLimits limits;
    limits.first_pause = milliseconds(1);
    limits.whole = milliseconds(3'000);
    limits.rest = milliseconds(100);
    return limits;
  }

  static std::string token_of(const HttpRequest& request) {
    return std::string(request.headers.value("Authorization").value_or("none"));
  }

  Said challenge() const {
    return {401,
            {{"error", {{"code", "Unauthorized"}, {"message", "no"}}}},
            {{"WWW-Authenticate",
              "Bearer authorization=\"" + origin() + "/t\", resource=\"https://127.0.0.1\""}}};
  }

  const certstore::PrivateCertificate own_ =
      signet::test::make_certificate({.common_name = "server", .subject_alternative_name = "IP:127.0.0.1"});
  std::function<Said(const HttpRequest&)> vault = [](const HttpRequest&) { return Said{}; };
  std::function<Said(const HttpRequest&)> authority;
  test::TestServer server_;
  HttpClient client_;
};

TEST_F(VaultClientTest, AsksAgainWhereTheVaultIsBusyAndTakesItsRefusal) {
  std::atomic<int> calls = 0;
  vault = [&](const HttpRequest&) { return ++calls < 3 ? Said{503} : Said{200, {{"x", 1}}}; };
  VaultClient asked(link(true), client_, quick());
  EXPECT_EQ(asked.get("/keys/k").value()["x"], 1);
  EXPECT_EQ(calls, 3);
  calls = 0;
  vault = [&](const HttpRequest&) {
    ++calls;
    return Said{
        403,
        {{"error",
          {{"code", "Forbidden"}, {"message", "may not"}, {"innererror", {{"code", "KeyDisabled"}}}}}}};
  };
  const auto refused = asked.get("/keys/k");
  EXPECT_EQ(refused.error().kind, ErrorKind::Disabled);
  EXPECT_THAT(refused.error().detail, HasSubstr("may not"));
  EXPECT_EQ(calls, 1);
}

TEST_F(VaultClientTest, WaitsNoLongerThanItsDeadline) {
  std::atomic<int> calls = 0;
  vault = [&](const HttpRequest&) {
    ++calls;
    return Said{429, {{"error", {{"code", "Throttled"}, {"message", "slow"}}}}, {{"Retry-After", "60"}}};
  };
  VaultClient asked(link(true), client_, quick());
  const auto refused = asked.get("/keys/k");
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(calls, 1);
}

TEST_F(VaultClientTest, WhileAVaultIsSilentOneCallAtATimeTriesIt) {
  VaultClientLimits limits = quick();
  limits.attempt = milliseconds(500);
  limits.attempts_without_answer = 1;
  std::atomic<bool> silent = true;
  std::atomic<int> calls = 0;
  vault = [&](const HttpRequest&) {
    ++calls;
    if (silent) std::this_thread::sleep_for(milliseconds(1'000));
    return Said{};
  };
  VaultClient asked(link(true), client_, limits);
  EXPECT_EQ(asked.get("/keys/k").error().kind, ErrorKind::Unavailable);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(asked.get("/keys/k").error().kind, ErrorKind::Unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(400)) << "without asking";
  EXPECT_EQ(calls, 1);
  silent = false;
  std::this_thread::sleep_for(limits.rest + milliseconds(20));
  EXPECT_TRUE(asked.get("/keys/k"));
}

TEST_F(VaultClientTest, FetchesOneTokenForManyThreadsAndAnotherWhenThatIsRefused) {
  std::atomic<int> fetched = 0;
  std::atomic<int> valid_from = 1;
  authority = [&](const HttpRequest& request) {
    EXPECT_EQ(as_text(request.body.to_bytes(1000).value()),
              "grant_type=client_credentials&client_id=me&client_secret=s3cret&scope=https%3A%2F%2F127.0.0.1%"
              "2F.default");
    return Said{
        200,
        {{"token_type", "Bearer"}, {"expires_in", 3600}, {"access_token", "t" + std::to_string(++fetched)}}};
  };
  vault = [&](const HttpRequest& request) {
    const std::string token = token_of(request);
    if (!token.starts_with("Bearer t") || std::stoi(token.substr(8)) < valid_from) return challenge();
    return Said{200, {{"ok", true}}};
  };
  VaultClient asked(link(false), client_, quick());
  const auto ask_in_threads = [&] {
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < 8; ++number)
      threads.emplace_back([&] { good += asked.post("/keys/k//sign", {{"a", 1}}) ? 1 : 0; });
    for (std::thread& thread : threads) thread.join();
    return good.load();
  };
  EXPECT_EQ(ask_in_threads(), 8);
  EXPECT_EQ(fetched, 1);
  valid_from = 2;
  EXPECT_EQ(ask_in_threads(), 8);
  EXPECT_EQ(fetched, 2);
}

TEST_F(VaultClientTest, ATokenNearItsEndIsReplaced) {
  std::atomic<int> fetched = 0;
  authority = [&](const HttpRequest&) {
    return Said{
        200,
        {{"token_type", "bearer"}, {"expires_in", 1}, {"access_token", "t" + std::to_string(++fetched)}}};
  };
  vault = [&](const HttpRequest& request) { return token_of(request) == "none" ? challenge() : Said{}; };
  VaultClient asked(link(false), client_, quick());
  EXPECT_TRUE(asked.get("/keys/k"));
  std::this_thread::sleep_for(milliseconds(1'100));
  EXPECT_TRUE(asked.get("/keys/k"));
  EXPECT_EQ(fetched, 2);
}

TEST_F(VaultClientTest, ATokenThatIsNeverTakenIsAskedForOnce) {
  std::atomic<int> fetched = 0;
  authority = [&](const HttpRequest&) {
    return Said{
        200,
        {{"token_type", "Bearer"}, {"expires_in", 3600}, {"access_token", "t" + std::to_string(++fetched)}}};
  };
  vault = [&](const HttpRequest&) { return challenge(); };
  VaultClient asked(link(false), client_, quick());
  const auto refused = asked.get("/keys/k");
  EXPECT_EQ(refused.error().kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(refused.error().detail, HasSubstr("does not take the token of client 'me'"));
  EXPECT_EQ(fetched, 1);
}

TEST_F(VaultClientTest, AnAnswerOfTheAuthorityThatHoldsNoTokenIsNone) {
  for (const json& answer :
       {json{{"access_token", "a b"}, {"token_type", "Bearer"}}, json{{"access_token", "ab"}},
        json{{"access_token", "ab"}, {"token_type", "mac"}}, json{{"token_type", "Bearer"}}}) {
    authority = [&](const HttpRequest&) { return Said{200, answer}; };
    vault = [&](const HttpRequest&) { return challenge(); };
    VaultClient asked(link(false), client_, quick());
    const auto refused = asked.get("/keys/k");
    EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable) << answer;
    EXPECT_THAT(refused.error().detail, HasSubstr("holds no bearer token"));
  }
}

TEST_F(VaultClientTest, TheSecretThatAnAuthorityRepeatsIsNotToldOn) {
  authority = [](const HttpRequest&) {
    return Said{400, {{"error", "invalid_client"}, {"error_description", "s3cret is wrong"}}};
  };
  vault = [&](const HttpRequest&) { return challenge(); };
  VaultClient asked(link(false), client_, quick());
  const auto refused = asked.get("/keys/k");
  EXPECT_EQ(refused.error().kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(refused.error().detail, testing::Not(HasSubstr("s3cret")));
}

TEST_F(VaultClientTest, TheSecretThatAnAuthorityRepeatsAsItWasSentIsNotToldOn) {
  ASSERT_TRUE(write_file_durably(secret_file(), as_bytes("s3c ret")));
  authority = [](const HttpRequest&) {
    return Said{400, {{"error", "invalid_client"}, {"error_description", "client_secret=s3c%20ret"}}};
  };
  vault = [&](const HttpRequest&) { return challenge(); };
  VaultClient asked(link(false), client_, quick());
  const auto refused = asked.get("/keys/k");
  EXPECT_EQ(refused.error().kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(refused.error().detail, testing::Not(HasSubstr("s3c")));
}

TEST_F(VaultClientTest, TheTokenThatAVaultRepeatsIsNotToldOn) {
  for (const int status : {400, 401, 403, 404, 409, 500}) {
    vault = [&](const HttpRequest& request) {
      return Said{status,
                  {{"error", {{"code", "BadParameter"}, {"message", "not with " + token_of(request)}}}},
                  {{"WWW-Authenticate", token_of(request)}}};
    };
    VaultClient asked(link(true), client_, quick());
    const auto refused = asked.get("/keys/k");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, testing::Not(HasSubstr("s3cret"))) << status;
    EXPECT_THAT(refused.error().detail, HasSubstr(std::to_string(status)));
  }
}

// Azure answers 400 to an algorithm that it does not know, as to a ciphertext that does not decrypt.
TEST_F(VaultClientTest, AnAlgorithmThatTheVaultDoesNotKnowIsNoFaultOfTheCiphertext) {
  const auto* key = own_.key.native();
  const auto number = [&](const char* name) {
    BIGNUM* given = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &given), 1);
    const BignumPtr owned(given);
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(given)));
    BN_bn2bin(given, octets.data());
    return base64url(octets);
  };
  const std::string kid = origin() + "/keys/as2/" + std::string(32, 'a');
  vault = [&](const HttpRequest& request) {
    if (request.method == "GET")
      return Said{200, {{"key", {{"kid", kid}, {"kty", "RSA"}, {"n", number("n")}, {"e", number("e")}}}}};
    return Said{400, {{"error", {{"code", "BadParameter"}, {"message", "no"}}}}};
  };
  signet::test::MemoryAuditLog audit;
  const SystemClock clock;
  RemoteVault asked(link(true), client_, audit, clock, quick());
  const auto open = [&](const vault::EncryptionAlgorithm& algorithm) {
    return asked.decrypt(vault::Principal::gateway(), {"kv1", "as2", {}}, algorithm, Bytes(256, 7))
        .error()
        .kind;
  };
  EXPECT_EQ(open(vault::kRsaOaep256), ErrorKind::CryptoFailure);
  EXPECT_EQ(open(vault::kRsaOaep512), ErrorKind::Unsupported);
}

TEST_F(VaultClientTest, WhatMustNotBeDoneTwiceIsAskedForOnce) {
  std::atomic<int> calls = 0;
  vault = [&](const HttpRequest&) {
    ++calls;
    return Said{503};
  };
  VaultClient asked(link(true), client_, quick());
  EXPECT_EQ(asked.post_once("/keys/k/create", {{"kty", "EC"}}).error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(calls, 1);
}

TEST_F(VaultClientTest, FollowsThePagesOfItsOwnOriginHoweverThatIsWritten) {
  vault = [&](const HttpRequest& request) {
    const json item = {{"kid", request.target}};
    if (request.target.find("page=2") != std::string::npos)
      return Said{200, {{"value", json::array({item})}, {"nextLink", nullptr}}};
    std::string link = "HTTPS://127.0.0.1:" + std::to_string(server_.port()) + "/keys?page=2&api-version=7.4";
    return Said{200, {{"value", json::array({item})}, {"nextLink", std::move(link)}}};
  };
  VaultClient asked(link(true), client_, quick());
  const auto items = asked.list("/keys");
  ASSERT_TRUE(items) << items.error().detail;
  ASSERT_EQ(items->size(), 2U);
  EXPECT_EQ((*items)[1]["kid"], "/keys?page=2&api-version=7.4");
}

TEST_F(VaultClientTest, APageElsewhereIsNotAskedFor) {
  vault = [](const HttpRequest&) {
    return Said{200, {{"value", json::array()}, {"nextLink", "https://elsewhere.example/keys"}}};
  };
  VaultClient asked(link(true), client_, quick());
  EXPECT_THAT(asked.list("/keys").error().detail, HasSubstr("not followed"));
  vault = [&](const HttpRequest&) {
    return Said{200, {{"value", json::array()}, {"nextLink", origin() + "/keys?x"}}};
  };
  EXPECT_THAT(asked.list("/keys").error().detail, HasSubstr("more than 200 pages"));
}

TEST_F(VaultClientTest, AWaitEndsWithTheProcess) {
  vault = [](const HttpRequest&) { return Said{503, json::object(), {{"Retry-After", "2"}}}; };
  VaultClient asked(link(true), client_, quick());
  std::thread stopping([&] {
    std::this_thread::sleep_for(milliseconds(200));
    asked.stop();
  });
  EXPECT_THAT(asked.get("/keys/k").error().detail, HasSubstr("stopping"));
  stopping.join();
}

}  // namespace
}  // namespace signet::gateway
