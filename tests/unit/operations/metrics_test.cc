#include "gateway/operations/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

const Time kNow = *parse_time("2026-11-21T08:30:00Z");

MessageRecord inbound(const std::string& agreement = "trade") {
  MessageRecord record;
  record.direction = Direction::Inbound;
  record.agreement = agreement;
  record.created = kNow - seconds(2);
  record.payload_size = 1000;
  return record;
}

MessageRecord outbound(MessageState state) {
  MessageRecord record;
  record.direction = Direction::Outbound;
  record.agreement = "trade";
  record.state = state;
  record.created = kNow - seconds(40);
  record.payload_size = 500;
  return record;
}

class MetricsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string text() const { return metrics_.text({}); }

  FixedClock clock_{kNow};
  Metrics metrics_{clock_};
};

TEST_F(MetricsTest, CountReceiptsThatCouldNotBePosted) {
  ReceiptPost post;
  post.agreement = "trade";
  post.posted = kNow;
  metrics_.know("trade");
  metrics_.receipt_post_ended(post);
  EXPECT_THAT(text(), HasSubstr("signet_receipts_not_posted_total{agreement=\"trade\"} 0\n"));
  post.given_up = kNow;
  metrics_.receipt_post_ended(post);
  EXPECT_THAT(text(), HasSubstr("signet_receipts_not_posted_total{agreement=\"trade\"} 1\n"));
}

TEST_F(MetricsTest, CountMessagesByDirectionOutcomeAndAgreement) {
  metrics_.message(MessageEvent::Accepted, inbound());
  metrics_.message(MessageEvent::Accepted, inbound());
  metrics_.message(MessageEvent::Accepted, inbound("other"));
  metrics_.message(MessageEvent::Delivered, inbound());
  metrics_.message(MessageEvent::Repeated, inbound());
  metrics_.message(MessageEvent::NotTaken, inbound());
  metrics_.message(MessageEvent::HeldBack, inbound());
  metrics_.message(MessageEvent::Submitted, outbound(MessageState::Sending));
  metrics_.message(MessageEvent::Failed, outbound(MessageState::Failed));
  EXPECT_THAT(
      text(),
      HasSubstr("signet_messages_total{agreement=\"trade\",direction=\"inbound\",outcome=\"accepted\"} 2\n"));
  EXPECT_THAT(
      text(),
      HasSubstr("signet_messages_total{agreement=\"other\",direction=\"inbound\",outcome=\"accepted\"} 1\n"));
  for (const std::string outcome : {"delivered", "repeated", "not-taken", "held-back"})
    EXPECT_THAT(text(),
                HasSubstr("{agreement=\"trade\",direction=\"inbound\",outcome=\"" + outcome + "\"} 1\n"));
  for (const std::string outcome : {"submitted", "failed"})
    EXPECT_THAT(text(),
                HasSubstr("{agreement=\"trade\",direction=\"outbound\",outcome=\"" + outcome + "\"} 1\n"));
  EXPECT_THAT(text(),
              HasSubstr("signet_payload_bytes_total{agreement=\"trade\",direction=\"inbound\"} 2000\n"));
  EXPECT_THAT(text(),
              HasSubstr("signet_payload_bytes_total{agreement=\"trade\",direction=\"outbound\"} 500\n"));
}

TEST_F(MetricsTest, OfAKnownAgreementBeginAtNought) {
  metrics_.know("trade");
  EXPECT_THAT(
      text(),
      HasSubstr("signet_messages_total{agreement=\"trade\",direction=\"outbound\",outcome=\"failed\"} 0\n"));
  metrics_.message(MessageEvent::Failed, outbound(MessageState::Failed));
  metrics_.know("trade");
  EXPECT_THAT(
      text(),
      HasSubstr("signet_messages_total{agreement=\"trade\",direction=\"outbound\",outcome=\"failed\"} 1\n"));
}

TEST_F(MetricsTest, CountRefusalsByOurOwnWordForTheReason) {
  MessageRecord refused = inbound();
  refused.disposition = "automatic-action/MDN-sent-automatically; processed/error: decryption-failed";
  metrics_.message(MessageEvent::Refused, refused);
  MessageRecord stranger;  // 400: no receipt, and nobody's agreement
  metrics_.message(MessageEvent::Refused, stranger);
  EXPECT_THAT(text(),
              HasSubstr("signet_refusals_total{agreement=\"trade\",reason=\"decryption-failed\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("signet_refusals_total{agreement=\"\",reason=\"no-as2-message\"} 1\n"));
}

TEST_F(MetricsTest, CountReceiptsByWhatTheySayAndWhatTheyAreWorth) {
  MessageRecord sent = inbound();
  sent.disposition = "automatic-action/MDN-sent-automatically; processed";
  metrics_.receipt_sent(sent);
  MessageRecord received = outbound(MessageState::Confirmed);
  received.disposition = sent.disposition;
  metrics_.receipt_received(received);
  received.state = MessageState::Failed;  // another MIC
  metrics_.receipt_received(received);
  received.disposition = "automatic-action/MDN-sent-automatically; processed/error: authentication-failed";
  metrics_.receipt_received(received);
  received.disposition = "";
  metrics_.receipt_received(received);
  EXPECT_THAT(text(),
              HasSubstr("signet_receipts_sent_total{agreement=\"trade\",disposition=\"processed\"} 1\n"));
  const std::string count = "signet_receipts_received_total{agreement=\"trade\",disposition=";
  EXPECT_THAT(text(), HasSubstr(count + "\"processed\",proves_delivery=\"true\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(count + "\"processed\",proves_delivery=\"false\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(count + "\"processed/error\",proves_delivery=\"false\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(count + "\"unreadable\",proves_delivery=\"false\"} 1\n"));
}

TEST_F(MetricsTest, MakeNoSeriesOutOfWhatAPartnerWrites) {
  for (int i = 0; i < 50; ++i) {
    const std::string words =
        "automatic-action/MDN-sent-automatically; processed/error: reason " + std::to_string(i);
    MessageRecord record = outbound(MessageState::Failed);
    record.disposition = words;
    record.message_id = "<" + std::to_string(i) + "@x>";
    record.as2_to = std::to_string(i);
    record.reason = words;
    metrics_.receipt_received(record);
    metrics_.message(MessageEvent::Failed, record);
  }
  EXPECT_THAT(text(), Not(HasSubstr("reason 1")));
  EXPECT_THAT(text(), HasSubstr("disposition=\"processed/error\",proves_delivery=\"false\"} 50\n"));
  EXPECT_THAT(text(), HasSubstr("outcome=\"failed\"} 50\n"));
}

TEST_F(MetricsTest, MeasureHowLongEachStretchTook) {
  metrics_.message(MessageEvent::Accepted, inbound());
  metrics_.message(MessageEvent::Delivered, inbound());
  metrics_.message(MessageEvent::Confirmed, outbound(MessageState::Confirmed));
  metrics_.posted(Posting::Message, "trade", true, milliseconds(300));
  metrics_.posted(Posting::Message, "trade", false, seconds(20));
  EXPECT_THAT(text(), HasSubstr("signet_receive_seconds_bucket{le=\"1\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("signet_receive_seconds_bucket{le=\"2.5\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("signet_hand_over_seconds_sum 2\n"));
  EXPECT_THAT(text(), HasSubstr("signet_confirm_seconds_bucket{le=\"30\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("signet_confirm_seconds_bucket{le=\"60\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("signet_post_seconds_bucket{what=\"message\",le=\"0.5\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("signet_post_seconds_count{what=\"message\"} 2\n"));
  EXPECT_THAT(text(),
              HasSubstr("signet_posts_total{agreement=\"trade\",taken=\"false\",what=\"message\"} 1\n"));
}

TEST_F(MetricsTest, SurviveAClockThatIsSetBack) {
  MessageRecord record = inbound();
  record.created = kNow + std::chrono::hours(1);
  metrics_.message(MessageEvent::Accepted, record);
  EXPECT_THAT(text(), HasSubstr("signet_receive_seconds_sum 0\n"));
}

TEST_F(MetricsTest, EscapeWhatALabelHolds) {
  metrics_.message(MessageEvent::Accepted, inbound("a\"b\\c\nsignet_forged 1"));
  EXPECT_THAT(text(), HasSubstr("agreement=\"a\\\"b\\\\c\\nsignet_forged 1\""));
  EXPECT_THAT(text(), Not(HasSubstr("\nsignet_forged")));
}

/// Every line as Prometheus' text format (version 0.0.4) has it: a comment, or a name, labels and a number.
TEST_F(MetricsTest, ArePlainTextLines) {
  metrics_.message(MessageEvent::Accepted, inbound("a\"b"));
  metrics_.posted(Posting::Receipt, "trade", true, milliseconds(1));
  const Reading gauge{"signet_days", "Days", {{{{"certificate", "x"}}, -2.5}}, Reading::Kind::Gauge};
  const Reading counter{"signet_lines_total", "Lines", {{{}, 7}}, Reading::Kind::Counter};
  const std::string all = metrics_.text({gauge, counter});
  const std::regex line(
      R"re(#\ (HELP|TYPE)\ .*|[a-z_]+(\{([a-z_0-9]+="([^"\\]|\\.)*",?)*\})?\ [-+0-9.eInf]+)re");
  std::istringstream in(all);
  for (std::string text; std::getline(in, text);) EXPECT_TRUE(std::regex_match(text, line)) << text;
  EXPECT_THAT(all, HasSubstr("# TYPE signet_days gauge\nsignet_days{certificate=\"x\"} -2.5\n"));
  EXPECT_THAT(all, HasSubstr("# TYPE signet_lines_total counter\nsignet_lines_total 7\n"));
}

}  // namespace
}  // namespace signet::gateway
