// What partners send that is odd and does no harm, and the fields of our answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "as2/message_id.h"
#include "as2/name.h"
#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class Tolerances : public testing::Test {
 protected:
  /// Posts a message with a field set to a value, or removed; the answer must say that it was accepted.
  void expect_accepted(const std::string& field, const std::optional<std::string>& value) {
    SCOPED_TRACE(field + ": " + value.value_or("(none)"));
    WireMessage message = pair_.compose("an order");
    if (value)
      message.headers.set(field, *value);
    else
      message.headers.remove(field);
    const std::string answer = post_raw(pair_.globex.port(), raw_request(message));
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_THAT(field_in(answer, "Disposition"), EndsWith("; processed"));
    EXPECT_EQ(need(read_text_file(pair_.globex.wait_delivered(message.message_id()).delivered_to)),
              "an order");
  }

  TradingPair pair_;
};

// [RFC4130 6.1], checklist 15: absent means 1.0, and every 1.x is taken.
TEST_F(Tolerances, AnyAs2VersionOrNoneIsTaken) {
  expect_accepted("AS2-Version", std::nullopt);
  for (const char* version : {"1.0", "1.1", "1.2", "1.3", "1.9"}) expect_accepted("AS2-Version", version);
}

// Checklist 25
TEST_F(Tolerances, DateAndSubjectMayBeMissingOrOdd) {
  expect_accepted("Date", std::nullopt);
  expect_accepted("Date", "yesterday, about noon");
  expect_accepted("Date", "Thu, 32 Foo 1999 25:61:61 +9999");
  expect_accepted("Subject", std::nullopt);
  expect_accepted("Subject", "");
  expect_accepted("MIME-Version", std::nullopt);
}

// [RFC6017], checklist 14, 26
TEST_F(Tolerances, FeaturesAndFieldsThatNobodyKnowsAreIgnored) {
  expect_accepted("EDIINT-Features", "multiple-attachments, time-travel,,");
  expect_accepted("AS2-Product", "somebody-elses:9.9");
  expect_accepted("AS2-Anything", "at all");
  expect_accepted("Authorization", "Basic dW5zb2xpY2l0ZWQ6eA==");
}

// Checklist 51: the address is of no use, whatever it is.
TEST_F(Tolerances, WhomTheReceiptIsToBeSentToIsIgnored) {
  for (const char* address : {"edi@acme.example", "nobody", "<>", "http://127.0.0.1:1/", "a b c"})
    expect_accepted("Disposition-Notification-To", address);
}

// [RFC4130 6.2, 7.4], checklist 16, 62, 65, 68
TEST_F(Tolerances, AReceiptHasTheNamesTheOtherWayRoundAndAnIdOfItsOwn) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("Message-ID", "no brackets, no at sign");
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.headers.value("AS2-From"), "Globex");
  EXPECT_EQ(answer.headers.value("AS2-To"), "Acme");
  EXPECT_EQ(answer.headers.value("AS2-Version"), "1.1");
  EXPECT_EQ(answer.headers.value("MIME-Version"), "1.0");
  EXPECT_TRUE(answer.headers.value("Date"));
  const std::string id(answer.headers.value("Message-ID").value_or(""));
  EXPECT_TRUE(as2::MessageId::parse(id)) << id;
  EXPECT_NE(id, message.message_id());
  EXPECT_EQ(answer.headers.value("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_EQ(field_in(text_of(answer.body), "Original-Message-ID"), message.message_id());
  EXPECT_EQ(field_in(text_of(answer.body), "Final-Recipient"), "rfc822; Globex");
}

// Checklist 19: names that would end or begin something elsewhere
TEST(TolerancesOfNames, OddNamesFindTheirAgreementAndStandInTheReceipt) {
  for (const std::string name : {"a,b", "!#<>[]", "trailing;", "ZZ:123=(x)", "two  spaces", R"(q"\)"}) {
    SCOPED_TRACE(name);
    TradingPair pair({.name = "Acme", .as2_name = name}, {.name = "Globex", .as2_name = "to " + name});
    const WireMessage message = pair.compose("an order");
    const HttpAnswer answer = answer_to(message);
    const std::string receipt = text_of(answer.body);
    EXPECT_THAT(field_in(receipt, "Disposition"), EndsWith("; processed"));
    for (const char* field : {"Final-Recipient", "Original-Recipient"}) {
      const auto recipient = as2::As2Name::parse(field_in(receipt, field).substr(sizeof "rfc822;"));
      ASSERT_TRUE(recipient) << field_in(receipt, field);
      EXPECT_EQ(recipient->text(), "to " + name);
    }
    EXPECT_EQ(as2::As2Name::parse(answer.headers.value("AS2-To").value_or(""))->text(), name);
    const auto sent = need(pair.send("another order"));
    EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  }
}

}  // namespace
}  // namespace signet::test
