#pragma once

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/lifecycle/expiry_notices.h"
#include "gateway/notices/mail.h"
#include "gateway/notices/notice_sender.h"

namespace signet::gateway {

/// The mail server of the settings, with its authorities and with its password as the vault has it now.
///
/// @error NotFound  the settings name none.  @error InvalidInput, IoFailure  its authorities cannot be read.
/// @error ...  of the vault.
Result<MailServer> mail_server_of(Home& home, const ServeSettings& settings);

/// Those that vouch for it; none where the machine's do. @error InvalidInput, IoFailure
Result<std::vector<certstore::Certificate>> mail_authorities_of(const ServeSettings& settings);

/// The webhook of the settings, which name one, with its secret as the vault has it now. @error  of the
/// vault.
Result<NoticeWebhook> notice_webhook_of(Home& home, const ServeSettings& settings);

/// Whom to tell of certificates that end, and how long before.
ExpiryNoticeSettings expiry_notices_of(const ServeSettings& settings);

}  // namespace signet::gateway
