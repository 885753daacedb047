// The same Message-ID again: one delivery, one receipt.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using testing::HasSubstr;

/// What of an answer the partner keeps: everything but what describes this one HTTP exchange.
std::string receipt_of(const HttpAnswer& answer) {
  as2::mime::Headers headers = answer.headers;
  for (const char* name : {"X-Request-Id", "Connection"}) headers.remove(name);
  return std::to_string(answer.status) + "\r\n" + headers.serialise() + "\r\n" + text_of(answer.body);
}

constexpr const char* kProcessed = "automatic-action/MDN-sent-automatically; processed";

class Repeats : public testing::Test {
 protected:
  /// The records of Globex for one message.
  std::vector<MessageRecord> records_of(const WireMessage& message) {
    gateway::MessageFilter filter;
    filter.message_id = message.message_id();
    return pair_.globex.messages(filter);
  }
  std::size_t deliveries() {
    pair_.globex.drain();
    return pair_.globex.delivered("trade").size();
  }

  TradingPair pair_;
};

TEST_F(Repeats, GetTheStoredReceiptOctetForOctetAndNoSecondDelivery) {
  const WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  EXPECT_EQ(disposition_of(first), kProcessed);
  EXPECT_EQ(receipt_of(answer_to(message)), receipt_of(first));
  EXPECT_EQ(receipt_of(answer_to(message)), receipt_of(first));
  EXPECT_EQ(records_of(message).size(), 1U);
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(Repeats, AreKnownByTheirIdWhateverTheySay) {
  const WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  WireMessage other = pair_.compose("another order");
  other.headers.set("Message-ID", message.message_id());
  EXPECT_EQ(receipt_of(answer_to(other)), receipt_of(first));
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(Repeats, AreKnownWithAndWithoutAngleBrackets) {
  const WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  WireMessage bare = message;
  const std::string id(message.message_id());
  bare.headers.set("Message-ID", id.substr(1, id.size() - 2));
  EXPECT_EQ(receipt_of(answer_to(bare)), receipt_of(first));
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(Repeats, ThirtyTwoAtOnceAreOneMessage) {
  const WireMessage message = pair_.compose("an order");
  std::vector<std::future<HttpAnswer>> posts;
  for (int i = 0; i < 32; ++i)
    posts.push_back(std::async(std::launch::async, [&] { return answer_to(message); }));
  std::set<std::string> receipts;
  for (auto& answer : posts) {
    const HttpAnswer got = answer.get();
    EXPECT_EQ(got.status, 200);
    receipts.insert(receipt_of(got));
  }
  EXPECT_EQ(receipts.size(), 1U);
  EXPECT_EQ(records_of(message).size(), 1U);
  EXPECT_EQ(deliveries(), 1U);
}

// The committer's thread lets go of what it has called when it comes to that: the exchange may have ended by
// then.
TEST_F(Repeats, AreLetInHoweverLongTheStoreKeepsWhatItHasCalled) {
  pair_.globex.store().keeps_called = true;
  const WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  EXPECT_EQ(disposition_of(first), kProcessed);
  EXPECT_EQ(receipt_of(answer_to(message)), receipt_of(first));
  pair_.globex.close();  // the exchange, and then the store
}

TEST_F(Repeats, AreRecognisedAfterARestart) {
  WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  pair_.globex.wait_delivered(message.message_id());
  pair_.globex.restart();
  message.url = pair_.globex.url();
  EXPECT_EQ(receipt_of(answer_to(message)), receipt_of(first));
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(Repeats, OfARefusedMessageAreLookedAtAfresh) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement& receive) {
    send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
  });
  const WireMessage good = pair_.compose("an order of 1000");
  WireMessage corrupted = good;
  std::string body = text_of(good.body);
  body.replace(body.find("1000"), 4, "9000");
  corrupted.body = Slice::of(body);

  EXPECT_THAT(disposition_of(answer_to(corrupted)), HasSubstr("integrity-check-failed"));
  EXPECT_EQ(pair_.globex.delivered("trade").size(), 0U);
  const HttpAnswer accepted = answer_to(good);
  EXPECT_EQ(disposition_of(accepted), kProcessed);
  EXPECT_EQ(receipt_of(answer_to(good)), receipt_of(accepted));
  // ... and a corrupted repeat of an accepted message changes nothing any more.
  EXPECT_EQ(receipt_of(answer_to(corrupted)), receipt_of(accepted));
  EXPECT_EQ(records_of(good).size(), 2U);
  ASSERT_EQ(deliveries(), 1U);
  EXPECT_EQ(need(read_text_file(pair_.globex.delivered("trade").front())), "an order of 1000");
}

TEST_F(Repeats, BeyondTheLookBackAreNewMessages) {
  pair_.agree([](OneWayAgreement&, OneWayAgreement& receive) {
    receive.validation_settings.interchange_duplicates_validity_days = 7;
  });
  const WireMessage message = pair_.compose("an order");
  const Time start = need(parse_time("2026-03-01T12:00:00Z"));
  pair_.globex.clock.set(start);
  const HttpAnswer first = answer_to(message);
  pair_.globex.clock.set(start + std::chrono::hours(24 * 7));
  EXPECT_EQ(receipt_of(answer_to(message)), receipt_of(first));
  pair_.globex.clock.set(start + std::chrono::hours(24 * 7 + 1));
  const HttpAnswer again = answer_to(message);
  EXPECT_EQ(disposition_of(again), kProcessed);
  EXPECT_NE(receipt_of(again), receipt_of(first));
  EXPECT_EQ(deliveries(), 2U);
}

TEST_F(Repeats, AreNotLookedForWhereTheAgreementSaysSo) {
  pair_.agree([](OneWayAgreement&, OneWayAgreement& receive) {
    receive.validation_settings.check_duplicate_message = false;
  });
  const WireMessage message = pair_.compose("an order");
  EXPECT_EQ(disposition_of(answer_to(message)), kProcessed);
  EXPECT_EQ(disposition_of(answer_to(message)), kProcessed);
  EXPECT_EQ(records_of(message).size(), 2U);
  EXPECT_EQ(deliveries(), 2U);
}

TEST_F(Repeats, AreHandedOverAgainWithAWarningWhereTheAgreementSuspendsNone) {
  pair_.agree([](OneWayAgreement&, OneWayAgreement& receive) {
    receive.error_settings.suspend_duplicate_message = false;
  });
  const WireMessage message = pair_.compose("an order");
  EXPECT_EQ(disposition_of(answer_to(message)), kProcessed);
  for (int i = 0; i < 2; ++i) {
    const HttpAnswer again = answer_to(message);
    EXPECT_EQ(disposition_of(again),
              "automatic-action/MDN-sent-automatically; processed/warning: duplicate-document");
    EXPECT_THAT(text_of(again.body), HasSubstr("This one was handed over as well"));
    EXPECT_THAT(field_in(text_of(again.body), "Received-Content-MIC"), HasSubstr(", sha-256"));
  }
  EXPECT_EQ(disposition_of(answer_to(pair_.compose("another order"))), kProcessed);
  EXPECT_EQ(records_of(message).size(), 3U);
  EXPECT_EQ(deliveries(), 4U);
}

TEST_F(Repeats, OfAnotherPairOfNamesAreOtherMessages) {
  // Globex's own message to Acme may bear the id of Acme's to Globex.
  const WireMessage message = pair_.compose("an order");
  EXPECT_EQ(disposition_of(answer_to(message)), kProcessed);
  WireMessage response = pair_.globex.compose("trade", "a response");
  response.headers.set("Message-ID", message.message_id());
  EXPECT_EQ(disposition_of(answer_to(response)), kProcessed);
  pair_.acme.drain();
  EXPECT_EQ(pair_.acme.delivered("trade").size(), 1U);
}

}  // namespace
}  // namespace signet::test
