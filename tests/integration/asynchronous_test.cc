// Receipts that are posted by a connection of their own, both ways.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "as2/receipt.h"
#include "base/file.h"
#include "tests/integration/loopback_listener.h"
#include "tests/integration/scripted_partner.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::HttpRequest;
using gateway::HttpResponse;
using gateway::ReceiptPost;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Acme asks for receipts at its own receipt path, and Globex allows them there.
class Asynchronous : public testing::Test {
 protected:
  Asynchronous() { agree(); }

  void agree(const TradingPair::Terms& more = {}, const std::string& url = "") {
    pair_.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.mdn_settings.send_mdn_asynchronously = true;
      send.mdn_settings.receipt_delivery_url = url.empty() ? pair_.acme.receipt_url() : url;
      receive.receipt_policy.allowed_urls = {url.empty() ? pair_.acme.receipt_url() : url};
      if (more) more(send, receive);
    });
  }

  /// The receipt's posting as Globex has it, once `holds` of it.
  ReceiptPost wait_for_post(const std::string& id, const std::function<bool(const ReceiptPost&)>& holds) {
    std::optional<ReceiptPost> post;
    EXPECT_TRUE(pair_.globex.store().wait([&] {
      auto known = pair_.globex.store().receipt_post(id);
      if (!known || !holds(*known)) return false;
      post = *std::move(known);
      return true;
    }));
    return post.value_or(ReceiptPost{});
  }

  TradingPair pair_;
};

TEST_F(Asynchronous, AReceiptComesByItselfAndConfirms) {
  const auto sent = need(pair_.send("an order"));
  EXPECT_THAT(sent.state, testing::AnyOf(MessageState::AwaitingReceipt, MessageState::Confirmed));
  const auto confirmed = pair_.acme.wait_for_state(sent.id, MessageState::Confirmed);
  EXPECT_THAT(confirmed.disposition, HasSubstr("processed"));
  EXPECT_FALSE(confirmed.receipt_signer_thumbprint.empty());
  EXPECT_EQ(need(read_text_file(pair_.globex.wait_delivered(sent.message_id).delivered_to)), "an order");
  EXPECT_TRUE(wait_for_post(pair_.globex.message(sent.message_id).id, [](const auto& post) {
                return post.posted.has_value();
              }).posted);
}

TEST_F(Asynchronous, AReceiptIsHandedOverWhereTheAgreementSaysSo) {
  agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.mdn_settings.send_inbound_mdn_to_message_box = true;
  });
  const auto sent = need(pair_.send("an order"));
  ASSERT_TRUE(
      pair_.acme.store().wait([&] { return !pair_.acme.message(sent.message_id).delivered_to.empty(); }));
  const std::string receipt = need(read_text_file(pair_.acme.message(sent.message_id).delivered_to));
  EXPECT_THAT(receipt, HasSubstr("Original-Message-ID: " + sent.message_id));
  EXPECT_THAT(receipt, HasSubstr("multipart/signed"));
}

TEST_F(Asynchronous, TheAnswerIsEmptyAndDoesNotWaitForTheMessageToBeOpened) {  // [RFC4130 4.2]
  const auto answer = answer_to(pair_.compose("an order"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
}

TEST_F(Asynchronous, ARefusalIsPostedAsWell) {
  auto message = pair_.compose("an order");
  Bytes octets = need(message.body.to_bytes(1 << 20));
  octets[octets.size() / 2] ^= 1;
  message.body = Slice::of(octets);
  // What compose() sent is settled; so the receipt comes late, and changes nothing.
  EXPECT_EQ(answer_to(message).status, 204);
  const auto refused = pair_.globex.wait_for_state(message.message_id(), MessageState::Refused);
  wait_for_post(refused.id, [](const auto& post) { return post.posted.has_value(); });
  EXPECT_EQ(pair_.acme.message(message.message_id()).state, MessageState::Failed);
  EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
}

TEST_F(Asynchronous, ARepeatIsAnsweredAtOnceHandedOverOnceAndItsReceiptPostedAgain) {
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  const auto delivered = pair_.globex.wait_delivered(message.message_id());
  const auto first = wait_for_post(delivered.id, [](const auto& post) { return post.posted.has_value(); });
  pair_.globex.clock.set(*first.posted + std::chrono::seconds(5));
  EXPECT_EQ(answer_to(message).status, 204);
  wait_for_post(delivered.id, [&](const auto& post) { return post.posted && *post.posted > *first.posted; });
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), SizeIs(1));
}

TEST_F(Asynchronous, TheReceiptOfARepeatWarnsWhereTheAgreementHandsItOverAgain) {
  agree([](OneWayAgreement&, OneWayAgreement& receive) {
    receive.error_settings.suspend_duplicate_message = false;
  });
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  pair_.globex.wait_delivered(message.message_id());
  EXPECT_EQ(answer_to(message).status, 204);
  EXPECT_TRUE(pair_.globex.store().wait([&] {
    const auto records = pair_.globex.messages();
    return records.size() == 2 && records.front().state == MessageState::Delivered;
  }));
  std::vector<std::string> dispositions;
  for (const MessageRecord& record : pair_.globex.messages()) dispositions.push_back(record.disposition);
  EXPECT_THAT(dispositions, testing::ElementsAre(testing::EndsWith("processed/warning: duplicate-document"),
                                                 testing::EndsWith("; processed")));
}

TEST_F(Asynchronous, AUrlThatTheAgreementDoesNotAllowIsNotConnectedToAndTheReceiptIsInTheAnswer) {
  LoopbackListener elsewhere;
  pair_.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = elsewhere.url();
    receive.receipt_policy.allowed_urls = {pair_.acme.receipt_url()};
  });
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  pair_.globex.drain();
  EXPECT_FALSE(elsewhere.somebody_waits());
}

TEST_F(Asynchronous, AHostNameThatStandsForALoopbackAddressIsNotConnectedTo) {
  LoopbackListener internal;
  const std::string url = "http://localhost:" + std::to_string(internal.port()) + "/as2";
  agree({}, url);
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  const auto record = pair_.globex.wait_delivered(message.message_id());
  const auto given_up = wait_for_post(record.id, [](const auto& post) { return !post.due; });
  EXPECT_FALSE(given_up.posted);
  EXPECT_THAT(given_up.reason, HasSubstr("is not allowed"));
  EXPECT_FALSE(internal.somebody_waits());
}

TEST_F(Asynchronous, ARedirectIsNotFollowed) {
  LoopbackListener internal;
  ScriptedPartner partner;
  partner.script = [&](const HttpRequest&) {
    HttpResponse response;
    response.status = 307;
    response.headers.add("Location", internal.url());
    return response;
  };
  agree({}, partner.url());
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  const auto given_up = wait_for_post(pair_.globex.wait_delivered(message.message_id()).id,
                                      [](const auto& post) { return !post.due; });
  EXPECT_THAT(given_up.reason, HasSubstr("307"));
  EXPECT_FALSE(internal.somebody_waits());
}

TEST_F(Asynchronous, AReceiptThatCannotBePostedIsTriedAgainTheSame) {
  ScriptedPartner partner;
  std::mutex mutex;
  std::vector<std::string> bodies;
  partner.script = [&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    bodies.push_back(request.headers.serialise() + text_of(request.body));
    HttpResponse response;
    response.status = bodies.size() < 3 ? 503 : 200;
    return response;
  };
  auto [acmes, globexes] = pair_.accounts([&](OneWayAgreement& send, OneWayAgreement& receive) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = partner.url();
    receive.receipt_policy.allowed_urls = {partner.url()};
  });
  globexes.agreements.front().retry = {
      .attempts = 5, .first_interval = std::chrono::milliseconds(5), .factor = 1};
  pair_.acme.apply(acmes);
  pair_.globex.apply(globexes);
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  const auto posted = wait_for_post(pair_.globex.wait_delivered(message.message_id()).id,
                                    [](const auto& post) { return post.posted.has_value(); });
  EXPECT_EQ(posted.attempts, 3U);
  const std::lock_guard lock(mutex);
  ASSERT_THAT(bodies, SizeIs(3));
  EXPECT_EQ(bodies[0], bodies[1]);
  EXPECT_EQ(bodies[0], bodies[2]);
}

TEST_F(Asynchronous, AReceiptIsGivenUpWhenItsTimeIsOverAndPostedWhenAnOperatorSaysSo) {
  ScriptedPartner partner;
  std::atomic<int> status = 503;
  partner.script = [&](const HttpRequest&) {
    HttpResponse response;
    response.status = status;
    return response;
  };
  auto [acmes, globexes] = pair_.accounts([&](OneWayAgreement& send, OneWayAgreement& receive) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = partner.url();
    receive.receipt_policy.allowed_urls = {partner.url()};
  });
  globexes.agreements.front().retry = {.attempts = 100,
                                       .first_interval = std::chrono::milliseconds(50),
                                       .factor = 1,
                                       .max_duration = std::chrono::milliseconds(300)};
  pair_.acme.apply(acmes);
  pair_.globex.apply(globexes);
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  const auto id = pair_.globex.wait_delivered(message.message_id()).id;
  const auto given_up = wait_for_post(id, [](const auto& post) { return post.given_up.has_value(); });
  EXPECT_FALSE(given_up.posted);
  EXPECT_GE(given_up.attempts, 1U);
  EXPECT_LT(given_up.attempts, 20U) << "its time was over, not its attempts";
  EXPECT_THAT(given_up.reason, HasSubstr("503"));

  status = 200;
  globexes.agreements.front().retry.max_duration =
      std::chrono::minutes(1);  // longer than a failed lane rests
  pair_.globex.apply(globexes);
  // As `signet message resend` does in a process of its own.
  need(pair_.globex.store().queue_receipt_again(id, pair_.globex.clock.now(),
                                                gateway::MessageStore::Tell::Gateway));
  const auto posted = wait_for_post(id, [](const auto& post) { return post.posted.has_value(); });
  EXPECT_FALSE(posted.given_up);
  EXPECT_EQ(posted.attempts, 1U);
  EXPECT_EQ(posted.reason, "");
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), SizeIs(1)) << "the payload is not handed over again";
}

TEST_F(Asynchronous, WhatWasAnsweredAndNotOpenedIsOpenedAtTheNextStart) {
  // The commit of what opening it gave fails, as if the process had died there; the message itself is on
  // disk.
  pair_.globex.set_key_permissions("sign,get,list");  // opening it fails until the vault lets us decrypt
  const auto message = pair_.compose("an order");
  EXPECT_EQ(answer_to(message).status, 204);
  EXPECT_EQ(pair_.globex.message(message.message_id()).state, MessageState::Received);
  pair_.globex.close();
  pair_.globex.start();
  EXPECT_EQ(answer_to({pair_.globex.url(), message.headers, message.body, {}}).status,
            204);  // a repeat waits for nothing
  pair_.globex.close();
  pair_.globex.start();
  pair_.globex.set_key_permissions("decrypt,sign,get,list");
  pair_.globex.restart();
  EXPECT_EQ(need(read_text_file(pair_.globex.wait_delivered(message.message_id()).delivered_to)), "an order");
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), SizeIs(1));
}

TEST_F(Asynchronous, NothingIsAnsweredBeforeTheMessageIsOnDisk) {
  pair_.globex.store().before_commit = [] {
    return Result<>(fail(ErrorKind::IoFailure, "the disk is full"));
  };
  EXPECT_EQ(answer_to(pair_.compose("an order")).status, 503);
  pair_.globex.store().before_commit = nullptr;
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
}

// ---- Receipts that come to us

/// Acme has sent to a partner who took the message and said nothing.
class PostedReceipt : public Asynchronous {
 protected:
  PostedReceipt() {
    partner_.script = [this](const HttpRequest& request) {
      request_headers_ = request.headers;
      HttpResponse response;
      response.status = 202;
      return response;
    };
    agree_at_acme();
    sent_ = need(pair_.send("an order"));
    EXPECT_EQ(sent_.state, MessageState::AwaitingReceipt);
  }

  void agree_at_acme(const std::function<void(OneWayAgreement& send)>& more = {}) {
    auto account = pair_
                       .accounts([&](OneWayAgreement& send, OneWayAgreement&) {
                         send.mdn_settings.send_mdn_asynchronously = true;
                         send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
                         if (more) more(send);
                       })
                       .first;
    account.agreements.front().connection.url = partner_.url();
    pair_.acme.apply(account);
  }

  /// Globex's receipt for the message, after `change`.
  HttpAnswer post_receipt(
      const std::function<void(as2::MdnContent&, std::optional<certstore::PrivateCertificate>&)>& change = {},
      const std::string& from = "Globex", const std::string& url = "") {
    as2::MdnContent content;
    content.original_message_id = need(as2::MessageId::parse(sent_.message_id));
    content.final_recipient = need(as2::As2Name::of("Globex"));
    content.disposition = as2::Disposition::processed();
    content.mic = need(as2::parse_mic(sent_.mic + ", " + sent_.mic_algorithm));
    std::optional<certstore::PrivateCertificate> signer = globex_key_;
    if (change) change(content, signer);
    as2::ReceiptSettings settings;
    settings.signer = signer;
    settings.spool = pair_.globex.home().spool_area();
    auto receipt = need(as2::make_receipt(content, settings));
    WireMessage message{url.empty() ? pair_.acme.receipt_url() : url,
                        receipt.headers,
                        Slice::of(std::move(receipt.body)),
                        {}};
    message.headers.add("AS2-From", from);
    message.headers.add("AS2-To", "Acme");
    message.headers.add("Message-ID", "<mdn@globex.example>");
    return answer_to(message);
  }
  MessageRecord record() { return pair_.acme.message(sent_.message_id); }

  ScriptedPartner partner_;
  as2::mime::Headers request_headers_;
  MessageRecord sent_;
  const certstore::PrivateCertificate globex_key_{
      need(certstore::Certificate::parse(pair_.certificate(pair_.globex, "rsa:2048").public_certificate)),
      make_certificate({.common_name = "Globex"}).key};
};

TEST_F(PostedReceipt, WasAskedForAtOurUrl) {
  EXPECT_EQ(request_headers_.value("Receipt-Delivery-Option"), pair_.acme.receipt_url());
  EXPECT_FALSE(request_headers_.value("Disposition-Notification-To")->empty());
}

TEST_F(PostedReceipt, ThatProvesDeliveryConfirms) {
  EXPECT_EQ(post_receipt().status, 200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
  EXPECT_THAT(std::string(as_text(need(pair_.acme.store().receipt(sent_.id)).body)),
              HasSubstr("Received-Content-MIC"));
}

TEST_F(PostedReceipt, CountsAsWellWhereMessagesArePosted) {
  EXPECT_EQ(post_receipt({}, "Globex", pair_.acme.url()).status, 200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
}

TEST_F(PostedReceipt, WithoutASignatureIsOneAsWellWhereMessagesArePosted) {
  const auto unsigned_one = [](auto&, auto& signer) { signer.reset(); };
  EXPECT_EQ(post_receipt(unsigned_one, "Globex", pair_.acme.url()).status, 200);
  EXPECT_EQ(record().state, MessageState::AwaitingReceipt);
  EXPECT_THAT(need(pair_.acme.home().evidence().late_receipts(sent_.id)), SizeIs(1));
  EXPECT_EQ(post_receipt(unsigned_one, "Initech", pair_.acme.url()).status, 404);
}

TEST_F(PostedReceipt, IsMatchedWithoutAngleBracketsToo) {
  EXPECT_EQ(post_receipt([&](auto& content, auto&) {
              content.original_message_id = need(as2::MessageId::parse(content.original_message_id->bare()));
            }).status,
            200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
}

/// Whoever has seen the Message-ID can post these.
TEST_F(PostedReceipt, ThatAnybodyCanHaveMadeSettlesNothingAndTheGenuineOneStillCounts) {
  const auto due = record().due;
  const auto by_mallory = [](auto&, auto& signer) { signer = make_certificate({.common_name = "Mallory"}); };
  const auto unsigned_error = [](auto& content, auto& signer) {
    content.disposition = as2::Disposition::of(as2::Fault::DecryptionFailed);
    signer.reset();
  };
  EXPECT_EQ(post_receipt(by_mallory).status, 200);
  EXPECT_EQ(post_receipt([](auto&, auto& signer) { signer.reset(); }).status, 200);
  EXPECT_EQ(post_receipt(unsigned_error).status, 200);
  EXPECT_EQ(record().state, MessageState::AwaitingReceipt);
  EXPECT_EQ(record().due, due);
  const auto kept = need(pair_.acme.home().evidence().late_receipts(sent_.id));
  ASSERT_THAT(kept, SizeIs(3));
  EXPECT_THAT(kept[0].verdict,
              AllOf(HasSubstr("the message waited on"), HasSubstr("signature does not hold")));
  EXPECT_THAT(kept[1].verdict, HasSubstr("is not signed"));

  EXPECT_EQ(post_receipt().status, 200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
}

TEST_F(PostedReceipt, IsNotKeptWithoutEnd) {
  const auto post_unsigned = [&] { return post_receipt([](auto&, auto& signer) { signer.reset(); }).status; };
  int taken = 0;
  while (taken < 100 && post_unsigned() == 200) ++taken;
  EXPECT_THAT(taken, AllOf(testing::Gt(20), testing::Lt(40)));
  EXPECT_EQ(post_unsigned(), 403);
  EXPECT_EQ(post_receipt().status, 200) << "the genuine one always counts";
  EXPECT_EQ(record().state, MessageState::Confirmed);
}

TEST_F(PostedReceipt, ThatIsNotSignedCountsWhereTheAgreementAsksForNoSignature) {
  agree_at_acme([](OneWayAgreement& send) { send.mdn_settings.sign_mdn = false; });
  EXPECT_EQ(post_receipt([](auto&, auto& signer) { signer.reset(); }).status, 200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
}

TEST_F(PostedReceipt, WithTheSignatureOfAnExpiredCertificateEndsTheMessageForGood) {
  // It expires while the message waits, within the time that the receipt may take.
  const Time end = globex_key_.certificate.not_after();
  pair_.acme.clock.set(end - std::chrono::minutes(1));
  sent_ = need(pair_.send("another order"));
  ASSERT_EQ(sent_.state, MessageState::AwaitingReceipt) << sent_.reason;
  pair_.acme.clock.set(end + std::chrono::minutes(1));
  EXPECT_EQ(post_receipt().status, 200);
  EXPECT_EQ(record().state, MessageState::Failed);
  EXPECT_THAT(record().reason, HasSubstr("valid from"));
  EXPECT_FALSE(record().due);
}

TEST_F(PostedReceipt, WithAnotherMicEndsTheMessageForGood) {
  EXPECT_EQ(post_receipt([](auto& content, auto&) { content.mic->value[0] ^= 1; }).status, 200);
  EXPECT_EQ(record().state, MessageState::Failed);
  EXPECT_THAT(record().reason, HasSubstr("received something else"));
}

TEST_F(PostedReceipt, OfAnotherPartnerSettlesNothing) {
  EXPECT_EQ(post_receipt({}, "Initech").status, 404);
  EXPECT_EQ(record().state, MessageState::AwaitingReceipt);
}

TEST_F(PostedReceipt, ForAMessageThatWeNeverSentSettlesNothingAndIsKept) {
  const auto for_another = [](auto& content, auto&) {
    content.original_message_id = need(as2::MessageId::parse("<never@acme.example>"));
  };
  EXPECT_EQ(post_receipt(for_another).status, 404);
  EXPECT_EQ(record().state, MessageState::AwaitingReceipt);
  const MessageRecord kept = pair_.acme.message("<mdn@globex.example>");
  EXPECT_EQ(kept.state, MessageState::Refused);
  EXPECT_EQ(kept.direction, gateway::Direction::Inbound);
  EXPECT_EQ(kept.agreement, "trade");
  EXPECT_THAT(kept.reason, AllOf(HasSubstr("a receipt for no message of ours"), HasSubstr("<never@acme")));
  EXPECT_THAT(kept.disposition, HasSubstr("processed"));
  EXPECT_THAT(text_of(need(pair_.acme.store().wire(kept.id)).body), HasSubstr("Original-Message-ID"));
  pair_.acme.drain();
  EXPECT_THAT(pair_.acme.delivered("trade"), IsEmpty());
}

TEST_F(PostedReceipt, OfAStrangerIsARecordWithoutCopies) {
  EXPECT_EQ(post_receipt({}, "Initech").status, 404);
  const MessageRecord kept = pair_.acme.message("<mdn@globex.example>");
  EXPECT_EQ(kept.state, MessageState::Refused);
  EXPECT_EQ(kept.agreement, "");
  EXPECT_EQ(pair_.acme.store().wire(kept.id).error().kind, ErrorKind::NotFound);
}

TEST_F(PostedReceipt, ForNoMessageOfOursIsNotKeptWithoutEnd) {
  pair_.acme.clock.set(pair_.acme.clock.now());
  for (int i = 0; i < 110; ++i) EXPECT_EQ(post_receipt({}, "Initech").status, 404);
  EXPECT_THAT(pair_.acme.messages({.state = MessageState::Refused, .limit = 1000}), SizeIs(100));
  pair_.acme.clock.set(pair_.acme.clock.now() + std::chrono::hours(1));
  post_receipt({}, "Initech");
  EXPECT_THAT(pair_.acme.messages({.state = MessageState::Refused, .limit = 1000}), SizeIs(101));
}

TEST_F(PostedReceipt, ForNoMessageOfOursIsToBeSentAgainWhenItCannotBeKept) {
  pair_.acme.store().before_commit = [] { return Result<>(fail(ErrorKind::IoFailure, "the disk is full")); };
  EXPECT_EQ(post_receipt({}, "Initech").status, 503);
  pair_.acme.store().before_commit = nullptr;
}

TEST_F(PostedReceipt, ThatIsNoneIsRefused) {
  WireMessage message{pair_.acme.receipt_url(), {}, Slice::of("hello"), {}};
  message.headers.add("AS2-From", "Globex");
  message.headers.add("AS2-To", "Acme");
  message.headers.add("Content-Type", "text/plain");
  EXPECT_EQ(answer_to(message).status, 400);
  message.headers.set("Content-Type", "multipart/signed; boundary=x");
  EXPECT_EQ(answer_to(message).status, 400);
  EXPECT_EQ(record().state, MessageState::AwaitingReceipt);
}

TEST_F(PostedReceipt, ThatContradictsAnEarlierOneIsKeptAndChangesNothing) {
  EXPECT_EQ(post_receipt().status, 200);
  EXPECT_EQ(post_receipt([](auto& content, auto&) {
              content.disposition = as2::Disposition::of(as2::Fault::DecryptionFailed);
            }).status,
            200);
  EXPECT_EQ(record().state, MessageState::Confirmed);
  EXPECT_THAT(record().disposition, AllOf(HasSubstr("processed"), testing::Not(HasSubstr("error"))));
}

TEST_F(PostedReceipt, AskingForAReceiptGetsNone) {  // [RFC8098 2.1]
  const std::size_t before = pair_.acme.messages().size();
  EXPECT_TRUE(post_receipt().body.empty());
  EXPECT_EQ(pair_.acme.messages().size(), before);
}

}  // namespace
}  // namespace signet::test
