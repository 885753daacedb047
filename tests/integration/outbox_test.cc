// Messages that wait in the outbox: attempts, partners that are down, crashes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "tests/integration/loopback_listener.h"
#include "tests/integration/scripted_partner.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::HttpRequest;
using gateway::HttpResponse;
using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class OutboxJourney : public testing::Test {
 protected:
  OutboxJourney() { retrying({.attempts = 5, .first_interval = milliseconds(5), .factor = 1}); }

  void retrying(const agreements::Retry& retry, const std::string& url = "") {
    auto account = pair_.accounts(terms).first;
    account.agreements.front().retry = retry;
    account.agreements.front().connection.url = url.empty() ? partner_.url() : url;
    pair_.acme.apply(account);
  }

  /// The partner answers with these one after the other, the last one for ever.
  void answers(std::vector<int> statuses) {
    partner_.script = [this, statuses = std::move(statuses)](const HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request.headers.serialise() + text_of(request.body));
      HttpResponse response;
      response.status = statuses.at(std::min(requests_.size(), statuses.size()) - 1);
      return response;
    };
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  TradingPair::Terms terms = [](OneWayAgreement& send, OneWayAgreement&) {
    send.mdn_settings.need_mdn = false;
  };
  TradingPair pair_;
  ScriptedPartner partner_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

TEST_F(OutboxJourney, WhatAPartnerCannotTakeNowIsSentAgainTheSameToTheLastOctet) {
  answers({503, 429, 500, 200});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  EXPECT_EQ(queued.state, MessageState::Queued);
  const auto confirmed = pair_.acme.wait_for_state(queued.id, MessageState::Confirmed);
  EXPECT_EQ(confirmed.attempts, 4U);
  ASSERT_THAT(requests(), SizeIs(4));
  EXPECT_THAT(requests(), Each(requests().front()));  // Message-ID, Date and all
  EXPECT_THAT(requests().front(), HasSubstr(queued.message_id));
}

TEST_F(OutboxJourney, ARefusalIsFinal) {
  answers({404});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  const auto failed = pair_.acme.wait_for_state(queued.id, MessageState::Failed);
  EXPECT_THAT(failed.reason, HasSubstr("HTTP 404"));
  EXPECT_EQ(failed.attempts, 1U);
  EXPECT_THAT(requests(), SizeIs(1));
}

TEST_F(OutboxJourney, AttemptsEndAsAgreedWithTheLastReason) {
  answers({503});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  const auto failed = pair_.acme.wait_for_state(queued.id, MessageState::Failed);
  EXPECT_THAT(failed.reason, AllOf(HasSubstr("HTTP 503"), HasSubstr("(given up after 5 attempts)")));
  EXPECT_EQ(failed.attempts, 5U);
  EXPECT_TRUE(failed.settled);
  EXPECT_FALSE(failed.due);
}

TEST_F(OutboxJourney, WhatIsQueuedOutlivesTheProcess) {
  answers({200});
  pair_.acme.options.sends = false;
  pair_.acme.restart();
  const auto queued = need(pair_.acme.submit("trade", Slice::of(noise(600'000))));
  pair_.acme.close();
  pair_.acme.options.sends = true;
  pair_.acme.start();
  pair_.acme.wait_for_state(queued.id, MessageState::Confirmed);
  EXPECT_THAT(requests(), SizeIs(1));
}

TEST_F(OutboxJourney, AnAttemptThatACrashInterruptedIsMadeAgain) {
  answers({200});
  pair_.acme.options.sends = false;
  pair_.acme.restart();
  const auto message = need(pair_.acme.submit("trade", "an order"));
  auto interrupted = message;
  interrupted.state = MessageState::Sending;  // a `signet send` that died in the middle
  interrupted.due = message.created + hours(10);
  need(pair_.acme.store().settle_outbound(interrupted, std::nullopt, gateway::MessageStore::Tell::Nobody));
  pair_.acme.close();
  pair_.acme.options.sends = true;
  pair_.acme.start();
  pair_.acme.wait_for_state(message.id, MessageState::Confirmed);
}

TEST_F(OutboxJourney, ADeadPartnerHoldsNobodyElseUp) {
  LoopbackListener black_hole;  // takes connections and never answers
  auto account = pair_.accounts(terms).first;
  account.agreements.front().connection.url = partner_.url();
  answers({200});
  for (int i = 0; i < 8; ++i) {
    const std::string name = "Dead" + std::to_string(i);
    agreements::Partner dead = account.partners.at(1);
    dead.name = name;
    dead.business_identities.front().value = name;
    account.partners.push_back(dead);
    Agreement agreement = account.agreements.front();
    agreement.name = name;
    agreement.guest_partner = name;
    agreement.guest_identity.reset();
    agreement.connection.url = black_hole.url();
    agreement.connection.total_timeout = hours(1);
    account.agreements.push_back(agreement);
  }
  pair_.acme.apply(account);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 3; ++j) need(pair_.acme.submit("Dead" + std::to_string(i), "never arrives"));
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(need(pair_.acme.submit("trade", "an order")).id);
  for (const std::string& id : ids) pair_.acme.wait_for_state(id, MessageState::Confirmed);
}

TEST_F(OutboxJourney, AMessageWhosePartnerIsBackIsSentWithoutWaitingForEver) {
  answers({503, 503, 503, 503, 200});
  const auto queued =
      need(pair_.acme.submit("trade", "an order"));  // the lane is broken after three failures, and probed
  EXPECT_EQ(pair_.acme.wait_for_state(queued.id, MessageState::Confirmed).attempts, 5U);
}

TEST_F(OutboxJourney, APartnerWhoseMessagesAreGivenUpIsOnlyProbed) {
  retrying({.attempts = 1});
  answers({503});
  for (int i = 0; i < 4; ++i)
    pair_.acme.wait_for_state(need(pair_.acme.submit("trade", "an order")).id, MessageState::Failed);
  EXPECT_THAT(pair_.acme.unreachable(), ElementsAre("trade"));
}

TEST_F(OutboxJourney, APartnerWhoRefusesIsThere) {
  retrying({.attempts = 1});
  answers({404});
  for (int i = 0; i < 4; ++i)
    pair_.acme.wait_for_state(need(pair_.acme.submit("trade", "an order")).id, MessageState::Failed);
  EXPECT_THAT(pair_.acme.unreachable(), IsEmpty());
}

TEST_F(OutboxJourney, ACancelledMessageIsNotSentAnyMore) {
  answers({503});
  retrying({.attempts = 100, .first_interval = hours(1), .factor = 1, .max_duration = hours(1000)});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  pair_.acme.wait_for(queued.id, [](const MessageRecord& record) { return record.attempts == 1; });
  need(pair_.acme.store().cancel_outbound(queued.id, "ordered by mistake", pair_.acme.clock.now()));
  EXPECT_EQ(pair_.acme.message(queued.id).state, MessageState::Cancelled);
  EXPECT_FALSE(pair_.acme.store().cancel_outbound(queued.id, "again", pair_.acme.clock.now()));
  pair_.acme.restart();
  EXPECT_EQ(pair_.acme.message(queued.id).state, MessageState::Cancelled);
  EXPECT_THAT(requests(), SizeIs(1));
}

TEST_F(OutboxJourney, AFailedMessageCanBeQueuedAgainUnderItsMessageId) {
  answers({404, 200});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  pair_.acme.wait_for_state(queued.id, MessageState::Failed);
  need(pair_.acme.store().queue_again(queued.id, pair_.acme.clock.now(),
                                      gateway::MessageStore::Tell::Gateway));
  pair_.acme.wait_for_state(queued.id, MessageState::Confirmed);
  ASSERT_THAT(requests(), SizeIs(2));
  EXPECT_EQ(requests().at(0), requests().at(1));
  EXPECT_FALSE(pair_.acme.store().queue_again(queued.id, pair_.acme.clock.now(),
                                              gateway::MessageStore::Tell::Gateway));
}

TEST_F(OutboxJourney, AReceiptThatDoesNotComeHasTheMessageSentAgainAndThenFailed) {
  terms = [this](OneWayAgreement& send, OneWayAgreement&) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
    send.expected_receipt.timeout = milliseconds(5);
  };
  retrying({.attempts = 3, .first_interval = milliseconds(5), .factor = 1});
  answers({204});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  const auto failed = pair_.acme.wait_for_state(queued.id, MessageState::Failed);
  EXPECT_THAT(failed.reason, HasSubstr("no receipt came"));
  ASSERT_THAT(requests(), SizeIs(3));
  EXPECT_THAT(requests(), Each(requests().front()));
}

TEST_F(OutboxJourney, AReceiptThatDoesNotComeEndsTheMessageWhereResendingIsNotAgreed) {
  terms = [this](OneWayAgreement& send, OneWayAgreement&) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
    send.expected_receipt.timeout = milliseconds(5);
    send.error_settings.resend_if_mdn_not_received = false;
  };
  retrying({.attempts = 3, .first_interval = milliseconds(5), .factor = 1});
  answers({204});
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  pair_.acme.wait_for_state(queued.id, MessageState::Failed);
  EXPECT_THAT(requests(), SizeIs(1));
}

TEST_F(OutboxJourney, AMessageWhoseAgreementIsGoneFailsWithThatReason) {
  pair_.acme.options.sends = false;
  pair_.acme.restart();
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  auto account = pair_.accounts(terms).first;
  account.agreements.clear();
  pair_.acme.apply(account);
  pair_.acme.options.sends = true;
  pair_.acme.restart();
  EXPECT_THAT(pair_.acme.wait_for_state(queued.id, MessageState::Failed).reason,
              HasSubstr("'trade' is gone"));
}

TEST_F(OutboxJourney, WhatCannotBeMadeIsNotTaken) {
  EXPECT_FALSE(pair_.acme.submit("no such agreement", "an order"));
  EXPECT_THAT(pair_.acme.messages(), IsEmpty());
}

}  // namespace
}  // namespace signet::test
