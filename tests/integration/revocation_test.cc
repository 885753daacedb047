// Certificates that are looked up in revocation lists: what comes of receipts, whose certificate may be
// another one than the message's. The lists themselves, and both policies both ways: revocation_test.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "gateway/exchange/revocation_check.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::ReceiptPost;
using gateway::RevocationFinding;
using gateway::RevocationOutcome;
using gateway::RevocationStatus;
using testing::HasSubstr;
using testing::SizeIs;

/// Lists that know of the certificate that signs Globex' receipts what a test says, and of others that they
/// are good.
class FakeLists final : public gateway::RevocationCheck {
 public:
  void say(RevocationStatus status) {
    const std::lock_guard lock(mutex_);
    receipts_ = status;
  }
  RevocationFinding look_up(const certstore::Certificate& certificate,
                            const std::shared_ptr<const gateway::AccountSnapshot>& /*account*/,
                            Time /*now*/) override {
    const std::lock_guard lock(mutex_);
    if (certificate.subject() != "CN=Globex signs" || receipts_ == RevocationStatus::NotRevoked)
      return {RevocationStatus::NotRevoked, ""};
    return {receipts_, "as the test says"};
  }
  RevocationFinding look_up_server(const gateway::TlsServer& /*server*/, const std::string& /*agreement*/,
                                   const std::shared_ptr<const gateway::AccountSnapshot>& /*account*/,
                                   Time /*now*/) override {
    return {RevocationStatus::NotRevoked, ""};
  }
  void decided(const std::string& /*agreement*/, agreements::LookedUpUse /*use*/,
               RevocationOutcome /*outcome*/) override {}

 private:
  std::mutex mutex_;
  RevocationStatus receipts_ = RevocationStatus::NotRevoked;
};

/// Acme looks up what it sends to and what signs its receipts.
class Revocation : public testing::Test {
 protected:
  Revocation() {
    pair_.acme.revocation = &lists_;
    pair_.acme.stop();
    pair_.acme.start();
  }

  /// @param refuses  Globex wants what Acme does not do, and its receipts say no
  void agree(bool posted, bool refuses = false) {
    auto [acmes, globexes] = pair_.accounts([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.check_certificate_revocation_list_on_send = true;
      receive.validation_settings.compress_message = refuses;
      if (!posted) return;
      send.mdn_settings.send_mdn_asynchronously = true;
      send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
      receive.receipt_policy.allowed_urls = {pair_.acme.receipt_url()};
    });
    auto signs = pair_.globex.add_key("globex-sign", signs_);
    globexes.certificates.push_back(signs);
    globexes.agreements.front().send_agreement.security_settings.signing_certificate_name = "globex-sign";
    signs.key.reset();
    acmes.certificates.push_back(signs);
    acmes.agreements.front().receive_agreement.security_settings.signing_certificate_name = "globex-sign";
    for (Account* account : {&acmes, &globexes}) {
      account->agreements.front().retry.first_interval = std::chrono::milliseconds(50);
      account->agreements.front().retry.factor = 1;
      account->agreements.front().retry.attempts = 100;
    }
    pair_.acme.apply(acmes);
    pair_.globex.apply(globexes);
  }

  /// Globex posts a refusal that was changed after it was signed.
  HttpAnswer post_broken_receipt(const MessageRecord& sent) {
    as2::MdnContent content;
    content.original_message_id = need(as2::MessageId::parse(sent.message_id));
    content.final_recipient = need(as2::As2Name::of("Globex"));
    content.disposition = as2::Disposition::of(as2::Fault::DecryptionFailed);
    content.human_text = "as it was signed";
    as2::ReceiptSettings settings;
    settings.signer = signs_;
    settings.spool = pair_.globex.home().spool_area();
    const as2::Receipt receipt = need(as2::make_receipt(content, settings));
    std::string body(as_text(receipt.body));
    body.replace(body.find("as it was"), 9, "as it is ");
    gateway::HttpPost post;
    post.url = pair_.acme.receipt_url();
    post.headers = receipt.headers;
    for (const auto& [name, value] : {std::pair{"AS2-Version", "1.2"},
                                      {"AS2-From", "Globex"},
                                      {"AS2-To", "Acme"},
                                      {"Message-ID", "<broken@globex.example>"}})
      post.headers.add(name, value);
    post.body = Slice::of(Bytes(body.begin(), body.end()));
    return need(gateway::HttpClient().post(post));
  }

  const certstore::PrivateCertificate signs_ = make_certificate({.common_name = "Globex signs"});
  FakeLists lists_;
  TradingPair pair_;
};

TEST_F(Revocation, AReceiptInTheAnswerByARevokedCertificateProvesNothing) {
  agree(false);
  lists_.say(RevocationStatus::Revoked);
  const auto failed = need(pair_.send("an order"));
  EXPECT_EQ(failed.state, MessageState::Failed);
  EXPECT_THAT(failed.reason, HasSubstr("that signed the receipt"));
}

TEST_F(Revocation, ARefusalByARevokedCertificateSaysNothingEither) {
  agree(false, true);
  lists_.say(RevocationStatus::Revoked);
  EXPECT_THAT(need(pair_.send("an order")).reason, HasSubstr("that signed the receipt"));
  lists_.say(RevocationStatus::NotRevoked);
  const auto refused = need(pair_.send("an order"));
  EXPECT_EQ(refused.state, MessageState::Failed);
  EXPECT_THAT(refused.reason, HasSubstr("insufficient-message-security"));
}

TEST_F(Revocation, APostedRefusalByARevokedCertificateSettlesNothing) {
  agree(true, true);
  lists_.say(RevocationStatus::Revoked);
  const auto sent = need(pair_.send("an order"));
  EXPECT_TRUE(pair_.globex.store().wait([&] {
    const auto theirs = pair_.globex.messages();
    if (theirs.empty()) return false;
    const auto post = pair_.globex.store().receipt_post(theirs.front().id);
    return post && post->posted;
  }));
  EXPECT_EQ(pair_.acme.message(sent.message_id).state, MessageState::AwaitingReceipt);
}

TEST_F(Revocation, WhereNobodyCanSayTheReceiptIsAskedForAgainAndThePartnerHasOneMessage) {
  agree(false);
  lists_.say(RevocationStatus::Unknown);
  const auto queued = need(pair_.acme.submit("trade", "an order"));
  const auto waits = pair_.acme.wait_for(queued.id, [](const MessageRecord& record) {
    return record.attempts > 1 && record.state == MessageState::Queued;
  });
  EXPECT_THAT(waits.reason, HasSubstr("cannot be said"));
  lists_.say(RevocationStatus::NotRevoked);
  EXPECT_EQ(pair_.acme.wait_for_state(queued.id, MessageState::Confirmed).reason, "");
  pair_.globex.wait_delivered(queued.message_id);
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), SizeIs(1));
}

TEST_F(Revocation, APostedReceiptByARevokedCertificateSettlesNothing) {
  agree(true);
  lists_.say(RevocationStatus::Revoked);
  const auto sent = need(pair_.send("an order"));
  const std::string theirs = pair_.globex.wait_delivered(sent.message_id).id;
  EXPECT_TRUE(pair_.globex.store().wait([&] {
    const auto post = pair_.globex.store().receipt_post(theirs);
    return post && post->posted;
  }));
  EXPECT_EQ(pair_.acme.message(sent.message_id).state, MessageState::AwaitingReceipt);
}

TEST_F(Revocation, APostedReceiptOfWhichNobodyCanSayComesAgain) {
  agree(true);
  lists_.say(RevocationStatus::Pending);
  const auto sent = need(pair_.send("an order"));
  const std::string theirs = pair_.globex.wait_delivered(sent.message_id).id;
  EXPECT_TRUE(pair_.globex.store().wait([&] {
    const auto post = pair_.globex.store().receipt_post(theirs);
    return post && post->attempts > 1;
  }));
  EXPECT_EQ(pair_.acme.message(sent.message_id).state, MessageState::AwaitingReceipt);
  lists_.say(RevocationStatus::NotRevoked);
  pair_.acme.wait_for_state(sent.id, MessageState::Confirmed);
}

TEST_F(Revocation, APostedReceiptWithABrokenSignatureThatNamesARevokedCertificateSettlesNothing) {
  agree(true);
  lists_.say(RevocationStatus::Pending);
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(post_broken_receipt(sent).status, 503);
  EXPECT_EQ(pair_.acme.message(sent.message_id).state, MessageState::AwaitingReceipt);
  lists_.say(RevocationStatus::Revoked);
  EXPECT_EQ(post_broken_receipt(sent).status, 200);
  EXPECT_EQ(pair_.acme.message(sent.message_id).state, MessageState::AwaitingReceipt);
}

}  // namespace
}  // namespace signet::test
