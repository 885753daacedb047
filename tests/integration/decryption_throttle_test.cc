// Who posts too much that our keys do not decrypt is held back before they are used again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "gateway/exchange/even_answers.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Globex lets two failures through.
class DecryptionFailures : public testing::Test {
 protected:
  WireMessage damaged() {
    WireMessage message = pair_.acme.compose("trade", Slice::of(noise(2000)));
    std::string body = text_of(message.body);
    body[body.size() - 17] = static_cast<char>(body[body.size() - 17] ^ 1);
    message.body = Slice::of(std::string_view(body));
    return message;
  }
  /// At its port, which a new start may change.
  HttpAnswer answer_of_globex(WireMessage message) {
    message.url = pair_.globex.url();
    return answer_to(message);
  }
  [[nodiscard]] std::size_t uses_of_keys() const { return pair_.globex.audit_lines().size(); }
  [[nodiscard]] std::size_t in_state(MessageState state) {
    std::size_t count = 0;
    for (const MessageRecord& record : pair_.globex.messages()) count += record.state == state ? 1 : 0;
    return count;
  }
  void receive_receipts_by_posts() {
    pair_.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.mdn_settings.send_mdn_asynchronously = true;
      send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
      receive.receipt_policy.allowed_urls = {pair_.acme.receipt_url()};
    });
  }
  void exhaust() {
    for (int i = 0; i < 2; ++i)
      EXPECT_THAT(disposition_of(answer_to(damaged())), EndsWith("processed/error: decryption-failed"));
  }

  TradingPair pair_{{.name = "Acme"}, {.name = "Globex", .decryption_failures = 2}};
};

TEST_F(DecryptionFailures, BeyondTheLimitAreAnswered429BeforeAKeyIsUsed) {
  exhaust();
  const std::size_t used = uses_of_keys();
  const std::size_t records = pair_.globex.messages().size();
  for (const WireMessage& message : {damaged(), pair_.compose("an order")}) {
    const HttpAnswer answer = answer_to(message);
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.headers.value("Retry-After"), "1800");
    EXPECT_THAT(text_of(answer.body), HasSubstr("send it again later"));
  }
  EXPECT_EQ(uses_of_keys(), used);
  EXPECT_THAT(pair_.globex.messages(), SizeIs(records)) << "a flood leaves no records";
}

// What was held back gets, when it comes again, the answer that it would have got.
TEST_F(DecryptionFailures, LoseNoMessageThatComesAgain) {
  const WireMessage bad = damaged();
  const WireMessage good = pair_.compose("an order");
  exhaust();
  EXPECT_EQ(answer_to(bad).status, 429);
  EXPECT_EQ(answer_to(good).status, 429);
  pair_.globex.restart();  // which begins to count anew
  EXPECT_THAT(disposition_of(answer_of_globex(bad)), EndsWith("processed/error: decryption-failed"));
  EXPECT_THAT(disposition_of(answer_of_globex(good)), EndsWith("; processed"));
  EXPECT_EQ(need(read_text_file(pair_.globex.wait_delivered(good.message_id()).delivered_to)), "an order");
}

TEST_F(DecryptionFailures, KeepNoRepeatFromItsStoredReceipt) {
  const WireMessage message = pair_.compose("an order");
  const HttpAnswer first = answer_to(message);
  exhaust();
  const HttpAnswer again = answer_to(message);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(text_of(again.body), text_of(first.body));
}

// An outdated certificate of ours, all morning.
TEST_F(DecryptionFailures, AreNoneWhereAnotherCertificateIsNamed) {
  const auto other = make_certificate({.common_name = "Globex of last year"});
  Account account = pair_.acme.account();
  account.certificates.push_back({"globex-2025", other.certificate.der(), std::nullopt, {}});
  account.agreements.front().send_agreement.security_settings.encryption_certificate_name = "globex-2025";
  pair_.acme.apply(account);
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(disposition_of(answer_to(pair_.compose("an order"))),
                EndsWith("processed/error: decryption-failed"));
}

TEST_F(DecryptionFailures, AreAlsoWhatCameOutOfCbcAndIsNotSigned) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.validation_settings.sign_message = false;
    send.encryption.content_cipher = agreements::ContentCipher::AES256CBC;
  });
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(disposition_of(answer_to(pair_.compose("an order"))),
                EndsWith("processed/error: decryption-failed"));
  EXPECT_EQ(answer_to(pair_.compose("an order")).status, 429);
}

TEST_F(DecryptionFailures, AreUnlimitedWhereTheGatewayIsSetSo) {
  pair_.globex.options.decryption_failures = 0;
  pair_.globex.restart();
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(disposition_of(answer_of_globex(damaged())), EndsWith("processed/error: decryption-failed"));
}

// One for a key that we have is no less damaged for another key that we do not have any more.
TEST_F(DecryptionFailures, AreRefusedForGoodAlsoWhereAnotherKeyIsGone) {
  auto account = pair_.globex.account();
  OneWayAgreement& receives = account.agreements.front().receive_agreement;
  const std::string present = receives.security_settings.encryption_certificate_name;
  agreements::CertificateEntry gone = pair_.globex.add_key("gone", CertificateSpec{.common_name = "Gone"});
  gone.key->key_name = "nobody-has-it";
  account.certificates.push_back(gone);
  receives.certificates.push_back(
      {agreements::CertificateRole::Decrypt,
       {{"gone", std::nullopt, std::nullopt}, {present, std::nullopt, std::nullopt}}});
  pair_.globex.apply(account);
  EXPECT_THAT(disposition_of(answer_to(damaged())), EndsWith("processed/error: decryption-failed"));
  EXPECT_THAT(disposition_of(answer_to(pair_.compose("an order"))), EndsWith("; processed"));
}

// A wrong padding is seen earlier than a wrong digest. When the answer comes is decided by neither.
TEST_F(DecryptionFailures, AreAnsweredNotBeforeAMomentThatTheirSizeAloneDecides) {
  const WireMessage message = damaged();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("processed/error: decryption-failed"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, gateway::until_even({}, message.body.size()));
}

TEST_F(DecryptionFailures, HaveReceiptsPostedNotBeforeThatMomentEither) {
  receive_receipts_by_posts();
  const WireMessage message = damaged();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(answer_to(message).status, 204);
  ASSERT_TRUE(pair_.globex.store().wait([&] { return in_state(MessageState::Refused) == 1; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, gateway::until_even({}, message.body.size()));
}

// Whoever ends the gateway meanwhile waits for them, or they would be neither answered nor written down.
TEST_F(DecryptionFailures, AreWrittenDownByAGatewayThatEndsMeanwhile) {
  receive_receipts_by_posts();
  EXPECT_EQ(answer_to(damaged()).status, 204);
  pair_.globex.restart();
  EXPECT_TRUE(pair_.globex.store().wait([&] { return in_state(MessageState::Refused) == 1; }));
}

// Messages that are answered before they are opened can be many by the time that the first is seen to fail.
TEST_F(DecryptionFailures, HoldBackWhatWasAnsweredAndIsStillToBeOpened) {
  pair_.globex.options.decryption_failures = 1;
  pair_.globex.options.workers = 1;
  pair_.globex.restart();
  receive_receipts_by_posts();
  pair_.globex.set_key_permissions("sign,get,list");  // so that none is opened before all are there
  const std::vector<WireMessage> messages{damaged(), damaged(), damaged()};
  for (const WireMessage& message : messages) EXPECT_EQ(answer_of_globex(message).status, 204);
  pair_.globex.stop();  // or what runs now could open and count one before the next one begins to count
  pair_.globex.set_key_permissions("decrypt,sign,get,list");
  pair_.globex.start();
  ASSERT_TRUE(pair_.globex.store().wait([&] { return in_state(MessageState::Refused) >= 1; }));
  EXPECT_EQ(answer_of_globex(damaged()).status, 429);
  EXPECT_EQ(in_state(MessageState::Received), 2U);

  pair_.globex.close();
  pair_.globex.options.decryption_failures = 0;
  pair_.globex.start();
  EXPECT_TRUE(pair_.globex.store().wait([&] { return in_state(MessageState::Refused) == 3; }));
}

}  // namespace
}  // namespace signet::test
