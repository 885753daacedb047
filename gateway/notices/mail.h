#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/x509/certificate.h"

/// E-mail to those who look after certificates, by SMTP (RFC 5321).

namespace signet::gateway {

struct MailServer {
  std::string url;   ///< "smtp://mail.example:587" or "smtps://mail.example:465"
  std::string from;  ///< the sender's address
  bool tls = true;   ///< of smtp: whether STARTTLS is insisted on (RFC 3207)
  std::vector<certstore::Certificate>
      authorities;   ///< who vouches for it; the machine's where there are none
  std::string user;  ///< empty: without logging on
  SecretBytes password;
};

struct Mail {
  std::vector<std::string> to;
  std::string subject;  ///< one line of ASCII
  std::string text;     ///< UTF-8, lines ended by LF
  std::string id;       ///< left side of its Message-ID
  Time date{};
};

/// Whether an address can stand in a mail's head and in SMTP's commands. @error InvalidInput
Result<> check_mail_address(std::string_view address);

/// Hands a mail over to the server. Those of its recipients whom the server does not take are left out,
/// unless it takes none.
///
/// @param stopping  breaks it off.
/// @error InvalidInput      an address that cannot be written.
/// @error Unavailable       the server is not there, or does not take it now.
/// @error CryptoFailure     its TLS certificate is not trusted, or it has no TLS.
/// @error PermissionDenied  it refuses our credentials.
Result<> send_mail(const MailServer& server, const Mail& mail, const std::atomic<bool>& stopping);

}  // namespace signet::gateway
