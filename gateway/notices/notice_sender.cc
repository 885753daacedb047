#include "gateway/notices/notice_sender.h"

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/digest.h"
#include "base/log.h"
#include "gateway/delivery/webhook_signature.h"
#include "gateway/notices/notice_text.h"

namespace signet::gateway {
namespace {

using vault::CertificateNotice;

constexpr std::chrono::seconds kFirstRetry{60};
constexpr std::chrono::seconds kLongestRetry{3600};
constexpr std::chrono::hours kLongestWait{3 * 24};
constexpr std::chrono::seconds kPostTime{30};

/// One that cannot be written to keeps nobody else from being told.
std::vector<std::string> addresses_of(const std::vector<vault::CertificateContact>& contacts) {
  std::vector<std::string> addresses;
  for (const vault::CertificateContact& contact : contacts) {
    if (const auto fits = check_mail_address(contact.email); fits)
      addresses.push_back(contact.email);
    else
      log::warning("certificate-contact-not-mailed", {{"reason", fits.error().detail}});
  }
  return addresses;
}

}  // namespace

Result<> post_notice(const NoticeWays& ways, Time now, std::string_view id, const std::string& event) {
  if (!ways.webhook) return {};
  SIGNET_TRY(const NoticeWebhook webhook, ways.webhook());
  HttpPost post;
  post.url = webhook.url;
  post.body = Slice::of(event);
  post.total_timeout = kPostTime;
  post.headers.add("Content-Type", "application/cloudevents+json");
  post.headers.add("Content-Digest",
                   fmt::format("sha-256=:{}:", base64(digest(Hash::Sha256, as_bytes(event)))));
  post.headers.add("Idempotency-Key", fmt::format("\"{}\"", id));
  sign_post(post, {"content-type", "content-digest", "idempotency-key"}, webhook.key_id, webhook.secret, now);
  SIGNET_TRY(const HttpAnswer answer, ways.post(post));
  if (answer.status < 200 || answer.status > 299)
    return fail(ErrorKind::Unavailable,
                fmt::format("the webhook {} answered HTTP {} where 2xx says that it has taken the notice",
                            url_for_people(webhook.url), answer.status));
  return {};
}

void NoticeSender::work() {
  const auto notices = ports_.lifetimes.notices();
  if (!notices) return log::error("certificate-notices-not-read", {{"reason", notices.error().detail}});
  for (const CertificateNotice& notice : *notices) {
    const auto turn = turns_.find(notice.number);
    if (turn != turns_.end() && ports_.clock.now() < turn->second.due) continue;
    if (const auto told = tell(notice); told)
      turns_.erase(notice.number);
    else
      postpone(notice, told.error());
  }
}

Result<> NoticeSender::tell(const CertificateNotice& notice) {
  if (!notice.mailed) SIGNET_CHECK(mail(notice));
  SIGNET_CHECK(post(notice));
  return ports_.lifetimes.remove_notice(notice);
}

Result<> NoticeSender::mail(const CertificateNotice& notice) {
  SIGNET_TRY(const auto contacts, ports_.lifetimes.contacts_to_tell(notice.id.vault));
  if (contacts.empty()) return {};
  if (!ports_.ways.mail) {
    log::warning("certificate-notice-not-mailed",
                 {{"certificate", to_string(notice.id)},
                  {"notice", std::string(to_string(notice.event))},
                  {"reason", "the vault has contacts, and serve.toml no smtp-url to mail them by"}});
    return {};
  }
  Mail mail;
  mail.to = addresses_of(contacts);
  if (mail.to.empty()) return {};
  mail.subject = notice_subject(notice);
  mail.text = notice_text(notice);
  mail.id = notice_id(notice);
  mail.date = notice.time;
  SIGNET_CHECK(ports_.ways.mail(mail));
  log::info("certificate-notice-mailed", {{"certificate", to_string(notice.id)},
                                          {"notice", std::string(to_string(notice.event))},
                                          {"contacts", std::to_string(mail.to.size())}});
  return ports_.lifetimes.put_notice_mailed(notice);
}

Result<> NoticeSender::post(const CertificateNotice& notice) {
  if (!ports_.ways.webhook) return {};
  SIGNET_CHECK(post_notice(ports_.ways, ports_.clock.now(), notice_id(notice), notice_event(notice)));
  log::info("certificate-notice-posted",
            {{"certificate", to_string(notice.id)}, {"notice", std::string(to_string(notice.event))}});
  return {};
}

void NoticeSender::postpone(const CertificateNotice& notice, const Error& error) {
  const bool give_up = ports_.clock.now() > notice.time + kLongestWait;
  log::write(give_up ? log::Level::Error : log::Level::Warning,
             give_up ? "certificate-notice-given-up" : "certificate-notice-delayed",
             {{"certificate", to_string(notice.id)},
              {"notice", std::string(to_string(notice.event))},
              {"reason", error.detail}});
  if (give_up && ports_.lifetimes.remove_notice(notice)) {
    turns_.erase(notice.number);
    return;
  }
  Turn& turn = turns_[notice.number];
  turn.due = ports_.clock.now() + doubled(kFirstRetry, kLongestRetry, ++turn.failures);
}

}  // namespace signet::gateway
