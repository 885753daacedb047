#include "gateway/operations/operations_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/endpoint/endpoint_support.h"

namespace signet::gateway {
namespace {

using nlohmann::json;
using test::body_of;
using test::get_of;
using test::RawClient;
using test::status_of;
using testing::HasSubstr;
using testing::Not;

/// The handler behind a server, as `signet serve` puts it there.
class OperationsListener : public testing::Test {
 protected:
  OperationsListener() {
    readiness_.add("store", [this] { return store_; });
    readiness_.add("disk", [] { return Result<>(); });
    HttpServerConfig config;
    config.listeners.push_back(
        {.name = "operations", .address = "127.0.0.1", .port = 0, .tls = std::nullopt});
    config.spool.directory = directory_.path();
    config.workers = 2;
    auto server = HttpServer::start(config, handler_);
    EXPECT_TRUE(server);
    server_ = *std::move(server);
  }

  std::string answer_to(const std::string& request, bool with_body = true) {
    RawClient client(server_->ports().at(0));
    EXPECT_TRUE(client.send(request));
    return client.answer(with_body);
  }

  test::TemporaryDirectory directory_;
  FixedClock clock_{*parse_time("2026-11-21T08:30:00Z")};
  Result<> store_;
  Readiness readiness_{std::chrono::milliseconds(0)};
  Metrics metrics_{clock_};
  OperationsHandler handler_{
      {readiness_, metrics_,
       [] {
         return std::vector<Reading>{{"signet_days", "Days", {{{}, 3}}, Reading::Kind::Gauge}};
       },
       clock_, "Signet/1", "OpenSSL 3"}};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(OperationsListener, SaysThatTheProcessLives) {
  clock_.set(clock_.now() + std::chrono::seconds(90));
  const std::string answer = answer_to(get_of("/health"));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
  const json said = json::parse(body_of(answer));
  EXPECT_EQ(said.at("status"), "ok");
  EXPECT_EQ(said.at("version"), "Signet/1");
  EXPECT_EQ(said.at("openssl"), "OpenSSL 3");
  EXPECT_EQ(said.at("uptimeSeconds"), 90);
}

TEST_F(OperationsListener, SaysThatItIsReadyOrWhyNot) {
  std::string answer = answer_to(get_of("/ready"));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(json::parse(body_of(answer)).at("status"), "ready");

  store_ = fail(ErrorKind::IoFailure, "it is read-only\n\"\xff");
  answer = answer_to(get_of("/ready"));
  EXPECT_EQ(status_of(answer), 503);
  const json said = json::parse(body_of(answer));
  EXPECT_EQ(said.at("status"), "not-ready");
  EXPECT_EQ(said.at("checks").at(0).at("name"), "store");
  EXPECT_EQ(said.at("checks").at(0).at("ok"), false);
  EXPECT_THAT(said.at("checks").at(0).at("reason").get<std::string>(), HasSubstr("it is read-only"));
  EXPECT_EQ(said.at("checks").at(1).at("ok"), true);
  EXPECT_EQ(status_of(answer_to(get_of("/health"))), 200) << "it lives all the same";

  store_ = {};
  EXPECT_EQ(status_of(answer_to(get_of("/ready"))), 200);
}

TEST_F(OperationsListener, ShowsWhatWasCountedAndWhatWasLookedUp) {
  metrics_.posted(Posting::Message, "trade", true, std::chrono::milliseconds(1));
  const std::string answer = answer_to(get_of("/metrics"));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(body_of(answer), HasSubstr("signet_posts_total{agreement=\"trade\""));
  EXPECT_THAT(body_of(answer), HasSubstr("signet_days 3\n"));
}

TEST_F(OperationsListener, AnswersHeadWithTheSameHead) {
  for (const std::string path : {"/health", "/ready", "/metrics"}) {
    const std::string answer = answer_to("HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", false);
    EXPECT_EQ(status_of(answer), 200) << path;
    EXPECT_EQ(body_of(answer), "");
    EXPECT_THAT(answer, Not(HasSubstr("Content-Length: 0\r\n")));
  }
}

TEST_F(OperationsListener, HasNothingElse) {
  for (const std::string target : {"/", "/as2", "/health/", "/healthy", "/HEALTH", "/ready/x", "/metrics%20"})
    EXPECT_EQ(status_of(answer_to(get_of(target))), 404) << target;
  EXPECT_EQ(status_of(answer_to(get_of("/health?verbose=1"))), 200);
}

TEST_F(OperationsListener, IsForLookingOnly) {
  for (const std::string path : {"/health", "/ready", "/metrics"}) {
    for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      const std::string answer =
          answer_to(method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      EXPECT_EQ(status_of(answer), 405) << method << " " << path;
      EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
    }
    EXPECT_EQ(status_of(answer_to("GET " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")), 413)
        << "a body";
  }
}

}  // namespace
}  // namespace signet::gateway
