// The plainest exchange there is, both ways.

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

TEST(RoundTrip, ASignedEncryptedMessageIsDeliveredAndItsSignedReceiptProvesIt) {
  TradingPair pair;
  const auto sent = need(pair.send("ISA*00*the order~"));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  EXPECT_EQ(sent.disposition, "automatic-action/MDN-sent-automatically; processed");

  const auto received = pair.globex.wait_delivered(sent.message_id);
  EXPECT_EQ(received.mic, sent.mic);
  EXPECT_EQ(received.mic_algorithm, "sha-256");
  EXPECT_EQ(need(read_text_file(received.delivered_to)), "ISA*00*the order~");
  EXPECT_EQ(pair.globex.delivered("trade").size(), 1U);
}

TEST(RoundTrip, TheOtherWayWorksAtTheSameTime) {
  TradingPair pair;
  const auto order = need(pair.acme.send("trade", "an order"));
  const auto answer = need(pair.globex.send("trade", "a response"));
  EXPECT_EQ(order.state, MessageState::Confirmed) << order.reason;
  EXPECT_EQ(answer.state, MessageState::Confirmed) << answer.reason;
  EXPECT_EQ(need(read_text_file(pair.globex.wait_delivered(order.message_id).delivered_to)), "an order");
  EXPECT_EQ(need(read_text_file(pair.acme.wait_delivered(answer.message_id).delivered_to)), "a response");
}

}  // namespace
}  // namespace signet::test
