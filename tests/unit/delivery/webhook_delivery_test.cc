#include "gateway/delivery/webhook_delivery.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "tests/unit/delivery/delivery_fixture.h"

namespace signet::gateway {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

class WebhookDeliveryTest : public testing::Test {
 protected:
  Result<> deliver(std::string_view payload = "UNB+1") {
    return webhooks_.deliver(record_, Slice::of(payload),
                             Webhook{"https://erp.acme.example/as2", std::chrono::seconds(30), "hook",
                                     SecretBytes::copy_of("a secret shared with the ERP")});
  }
  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string(headers_.value(name).value_or("(absent)"));
  }
  [[nodiscard]] nlohmann::json facts() const { return nlohmann::json::parse(header("Signet-Message")); }
  /// The error's kind for an answer of this status.
  std::optional<ErrorKind> verdict(int status) {
    answer_.status = status;
    const auto delivered = deliver();
    return delivered ? std::nullopt : std::optional(delivered.error().kind);
  }

  FixedClock clock_{kNoon};
  MessageRecord record_ = record_of("1");
  HttpAnswer answer_{204, {}, {}};
  std::string url_;
  as2::mime::Headers headers_;
  Slice body_;
  WebhookDelivery webhooks_{clock_, [this](const HttpPost& post) -> Result<HttpAnswer> {
                              url_ = post.url;
                              headers_ = post.headers;
                              body_ = post.body;
                              return answer_;
                            }};
};

TEST_F(WebhookDeliveryTest, PostsThePayloadWithItsFacts) {
  ASSERT_TRUE(deliver());
  EXPECT_EQ(url_, "https://erp.acme.example/as2");
  EXPECT_EQ(as_text(*body_.to_bytes(100)), "UNB+1");
  EXPECT_EQ(header("Content-Type"), "application/edi-x12");
  EXPECT_EQ(header("Idempotency-Key"), '"' + record_.id + '"');
  EXPECT_EQ(facts()["messageId"], "<1@acme.example>");
  EXPECT_EQ(facts()["fileNameAsSent"], "order.edi");
  EXPECT_EQ(facts()["size"], 5);
}

// Computed once by other means: python3's hashlib and hmac over RFC 9421's signature base for this very
// request.
TEST_F(WebhookDeliveryTest, SignsTheRequestAsRfc9421Says) {
  ASSERT_TRUE(deliver());
  EXPECT_EQ(header("Content-Digest"), "sha-256=:DpBuS9fT5+UEXEJeR0/Mqcm07X/8wiiBHIASJHeSKfE=:");
  EXPECT_EQ(
      header("Signature-Input"),
      R"(sig1=("@method" "@target-uri" "content-type" "content-digest" "idempotency-key" "signet-message"))"
      R"(;created=1795000000;keyid="hook";alg="hmac-sha256")");
  EXPECT_EQ(header("Signature"), "sig1=:LquJZok/C/2tq/LzhlY68yJUH4wCM3+TdEpY3tOO4C4=:");
}

TEST_F(WebhookDeliveryTest, SignsEachRequestDifferently) {
  ASSERT_TRUE(deliver());
  const std::string first = header("Signature");
  ASSERT_TRUE(deliver("UNB+2"));
  EXPECT_NE(header("Signature"), first);
  record_.subject = "changed";
  ASSERT_TRUE(deliver());
  EXPECT_NE(header("Signature"), first);
}

TEST_F(WebhookDeliveryTest, WhateverAPartnerWritesThereIsAlwaysARequest) {
  record_.content_type = "text/\r\nX-Evil: yes";
  record_.subject = std::string(60'000, 's');
  record_.file_name = "caf\xe9\n.edi";
  ASSERT_TRUE(deliver());
  EXPECT_EQ(header("Content-Type"), "application/octet-stream");
  EXPECT_LT(header("Signet-Message").size(), 4096U);
  EXPECT_THAT(header("Signet-Message"), Each(testing::AllOf(testing::Ge(' '), testing::Le('~'))));
  EXPECT_EQ(facts()["subject"].get<std::string>().substr(0, 3), "sss");
  EXPECT_EQ(facts()["fileNameAsSent"], "caf\xef\xbf\xbd\n.edi");
}

TEST_F(WebhookDeliveryTest, PostsReceiptsAsWhatTheyAre) {
  record_.direction = Direction::Outbound;
  record_.state = MessageState::Confirmed;
  ASSERT_TRUE(deliver("Content-Type: multipart/report\r\n\r\n..."));
  EXPECT_EQ(header("Content-Type"), "message/rfc822");
  EXPECT_EQ(facts()["kind"], "receipt");
  EXPECT_EQ(facts()["originalMessageId"], "<1@acme.example>");
  EXPECT_EQ(facts()["provesDelivery"], true);
}

TEST_F(WebhookDeliveryTest, OnlyA2xxMeansThatItWasTaken) {
  for (const int status : {200, 201, 202, 204}) EXPECT_EQ(verdict(status), std::nullopt) << status;
  for (const int status : {301, 307, 401, 403, 404, 408, 410, 429, 500, 502, 503})
    EXPECT_EQ(verdict(status), ErrorKind::Unavailable) << status;
  for (const int status : {400, 409, 413, 415, 422})
    EXPECT_EQ(verdict(status), ErrorKind::InvalidInput) << status;
}

TEST_F(WebhookDeliveryTest, TellsWhatWasAnsweredAndNoSecretOfTheUrl) {
  answer_.status = 500;
  answer_.body = Slice::of("out of memory\n");
  const auto delivered = webhooks_.deliver(
      record_, Slice::of("x"),
      Webhook{"https://erp.acme.example/as2?token=t0p", {}, "hook", SecretBytes::copy_of("s")});
  ASSERT_FALSE(delivered);
  EXPECT_THAT(delivered.error().detail, HasSubstr("answered HTTP 500"));
  EXPECT_THAT(delivered.error().detail, HasSubstr("out of memory"));
  EXPECT_THAT(delivered.error().detail, Not(HasSubstr("t0p")));
}

}  // namespace
}  // namespace signet::gateway
