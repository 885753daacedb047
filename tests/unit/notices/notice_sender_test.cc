#include "gateway/notices/notice_sender.h"

#include <nlohmann/json.hpp>

#include "gateway/notices/notice_text.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using vault::CertificateNotice;
using vault::fails_with;
using vault::kOperator;

/// A certificate whose notice waits in the queue: nobody renews it, and its end is near.
class NoticeSenders : public vault::VaultFixture {
 protected:
  NoticeSenders() {
    vault::CertificatePolicy policy;
    policy.kind = vault::KeyKind::EcP256;
    policy.subject = "CN=acme";
    policy.issuer = vault::kSelfIssuer;
    policy.lifetime_actions = {{80, std::nullopt, vault::LifetimeActionType::EmailContacts}};
    EXPECT_TRUE(vault_->create_certificate(kOperator, "kv1", "c1", policy, {}));
    EXPECT_TRUE(vault_->set_certificate_contacts(
        kOperator, "kv1", {{"edi@acme.example", "", ""}, {"bad address@acme.example", "", ""}}));
    pass(std::chrono::days(300));
    EXPECT_EQ(vault_->renew_due()->events.size(), 1U);
  }

  NoticeSender sender(bool mails = true, bool posts = true) {
    NoticePorts ports{*vault_, clock_, {{}, {}, [this](const HttpPost& post) -> Result<HttpAnswer> {
                                          posts_.push_back({post.headers, post.body});
                                          HttpAnswer answer;
                                          answer.status = status_;
                                          return answer;
                                        }}};
    if (mails)
      ports.ways.mail = [this](const Mail& mail) -> Result<> {
        mails_.push_back(mail);
        if (failure_) return fail(*failure_);
        return {};
      };
    if (posts)
      ports.ways.webhook = [] {
        return Result<NoticeWebhook>(
            NoticeWebhook{"https://acme.example/events", "hook", SecretBytes::copy_of("shared secret")});
      };
    return NoticeSender(std::move(ports));
  }

  void pass(std::chrono::seconds time) { clock_.set(clock_.now() + time); }
  std::size_t waiting() { return vault_->notices()->size(); }

  std::vector<Mail> mails_;
  struct Posted {
    as2::mime::Headers headers;
    Slice body;
  };
  std::vector<Posted> posts_;
  std::optional<Error> failure_;
  int status_ = 204;
};

TEST_F(NoticeSenders, ContactsAndWebhookAreToldOnce) {
  NoticeSender one = sender();
  one.work();
  one.work();
  EXPECT_EQ(waiting(), 0U);
  ASSERT_EQ(mails_.size(), 1U);
  EXPECT_THAT(mails_[0].to, ElementsAre("edi@acme.example"));
  EXPECT_EQ(mails_[0].subject, "Certificate c1 of key vault kv1 expires on 2027-11-20");
  ASSERT_EQ(posts_.size(), 1U);
  EXPECT_EQ(posts_[0].headers.value("Content-Type"), "application/cloudevents+json");
  EXPECT_THAT(std::string(posts_[0].headers.value("Signature-Input").value()), HasSubstr("keyid=\"hook\""));
  const auto event = nlohmann::json::parse(as_text(posts_[0].body.to_bytes(SIZE_MAX).value()));
  EXPECT_EQ(event["type"], "Microsoft.KeyVault.CertificateNearExpiry");
  EXPECT_EQ(event["data"]["ObjectName"], "c1");
}

TEST_F(NoticeSenders, AWebhookThatFailsIsPostedToAgainWithoutAnotherMail) {
  status_ = 503;
  NoticeSender one = sender();
  one.work();
  one.work();
  EXPECT_EQ(posts_.size(), 1U);
  pass(std::chrono::seconds(60));
  status_ = 200;
  sender().work();  // as after a restart
  EXPECT_EQ(posts_.size(), 2U);
  EXPECT_EQ(posts_[0].headers.value("Idempotency-Key"), posts_[1].headers.value("Idempotency-Key"));
  EXPECT_EQ(mails_.size(), 1U);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(NoticeSenders, AMailServerThatIsAwayIsGivenUpAfterThreeDays) {
  failure_ = Error{ErrorKind::Unavailable, "nobody is there"};
  NoticeSender one = sender();
  for (int hour = 0; hour <= 72; ++hour) {
    one.work();
    pass(std::chrono::hours(1));
  }
  EXPECT_EQ(waiting(), 1U);
  one.work();
  EXPECT_EQ(waiting(), 0U);
  EXPECT_TRUE(posts_.empty());
}

TEST_F(NoticeSenders, WhereNobodyIsToBeToldNothingWaits) {
  sender(false, false).work();
  EXPECT_EQ(waiting(), 0U);
}

TEST(MailAddresses, ThatCouldSayMoreThanAnAddressAreRefused) {
  for (const char* good : {"edi@acme.example", "e.d+i@acme", "o'hara@acme.example"})
    EXPECT_TRUE(check_mail_address(good));
  for (const char* bad :
       {"", "edi", "@acme", "edi@", "a@b@c", "a b@c", "a@b\r\nDATA", "<a@b>", "a@b,c@d", "\xC3\xA4@b"})
    EXPECT_TRUE(fails_with(check_mail_address(bad), ErrorKind::InvalidInput, "mail address")) << bad;
}

TEST(NoticeTexts, SayWhatHappenedAndWhatIsToBeDone) {
  CertificateNotice notice;
  notice.id = {"kv1", "c1", std::string(32, 'a')};
  notice.event = CertificateNotice::Event::NotRenewed;
  notice.reason = "the issuer\nis disabled";
  EXPECT_THAT(notice_text(notice), HasSubstr("no new version could be made:\n\nthe issuer is disabled\n"));
  EXPECT_THAT(notice_event(notice), HasSubstr("\"Reason\":\"the issuer\\nis disabled\""));
  EXPECT_EQ(notice_subject(notice), "Certificate c1 of key vault kv1 could not be renewed");
}

}  // namespace
}  // namespace signet::gateway
