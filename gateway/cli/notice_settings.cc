#include "gateway/cli/notice_settings.h"

#include "gateway/cli/certificates_file.h"

namespace signet::gateway {

Result<MailServer> mail_server_of(Home& home, const ServeSettings& settings) {
  if (settings.smtp_url.empty())
    return fail(ErrorKind::NotFound,
                "serve.toml names no mail server: write smtp-url, such as smtps://mail.example.com:465, and "
                "smtp-from");
  MailServer server{
      settings.smtp_url, settings.smtp_from, settings.smtp_tls == "required", {}, settings.smtp_user, {}};
  SIGNET_TRY(server.authorities, mail_authorities_of(settings));
  if (!settings.smtp_password.empty()) {
    SIGNET_TRY(const SecretReference named, parse_secret_reference(settings.smtp_password));
    SIGNET_TRY(server.password, home.secret(named.vault, named.name));
  }
  return server;
}

Result<std::vector<certstore::Certificate>> mail_authorities_of(const ServeSettings& settings) {
  if (settings.smtp_authorities.empty()) return std::vector<certstore::Certificate>();
  return read_certificates_file(settings.smtp_authorities);
}

Result<NoticeWebhook> notice_webhook_of(Home& home, const ServeSettings& settings) {
  SIGNET_TRY(const SecretReference named, parse_secret_reference(settings.notice_webhook_secret));
  SIGNET_TRY(SecretBytes shared, home.secret(named.vault, named.name));
  return NoticeWebhook{settings.notice_webhook, named.name, std::move(shared)};
}

ExpiryNoticeSettings expiry_notices_of(const ServeSettings& settings) {
  return {settings.expiry_notice_days, settings.expiry_contact};
}

}  // namespace signet::gateway
