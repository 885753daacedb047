#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "certstore/vault/certificate_lifetime.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/notices/mail.h"

/// Tells those who look after certificates what happens to them: the contacts of their vault by e-mail, and a
/// program by a webhook.

namespace signet::gateway {

/// A program that wants to be told.
struct NoticeWebhook {
  std::string url;
  std::string key_id;  ///< what the receiver knows the secret by
  SecretBytes secret;  ///< posts are signed with it (webhook_signature.h)
};

/// How somebody can be told.
struct NoticeWays {
  /// Hands a mail over; unset where there is no server to do it.
  std::function<Result<>(const Mail&)> mail;
  /// The webhook with its secret as it is now; unset where there is none.
  std::function<Result<NoticeWebhook>()> webhook;
  std::function<Result<HttpAnswer>(const HttpPost&)> post;
};

/// Posts a CloudEvent, signed; nothing where there is no webhook.
///
/// @param id  the same for the same event, so that the receiver takes it once
/// @error Unavailable, ...  the webhook has not taken it.
Result<> post_notice(const NoticeWays& ways, Time now, std::string_view id, const std::string& event);

struct NoticePorts {
  vault::CertificateLifetimes& lifetimes;
  const Clock& clock;
  NoticeWays ways;
};

/// Works off the queue of notices. One that cannot be told is tried again at growing intervals, and given up
/// after three days, with an error in the log. After a crash one may be told twice, and none is lost. For one
/// thread.
class NoticeSender {
 public:
  /// Everything given by reference outlives this.
  explicit NoticeSender(NoticePorts ports) : ports_(std::move(ports)) {}

  /// Tells what is due now.
  void work();

 private:
  struct Turn {
    Time due{};
    unsigned failures = 0;
  };

  Result<> tell(const vault::CertificateNotice& notice);
  Result<> mail(const vault::CertificateNotice& notice);
  Result<> post(const vault::CertificateNotice& notice);
  void postpone(const vault::CertificateNotice& notice, const Error& error);

  const NoticePorts ports_;
  std::map<std::int64_t, Turn> turns_;  ///< by the notice's number
};

}  // namespace signet::gateway
