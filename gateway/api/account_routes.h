#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of an integration account as a whole: Microsoft.Logic/integrationAccounts.

namespace signet::gateway::api {

Result<Answer> put_account(Services& services, const Call& call);
Result<Answer> get_account(Services& services, const Call& call);
Result<Answer> patch_account(Services& services, const Call& call);
Result<Answer> delete_account(Services& services, const Call& call);
Result<Answer> list_accounts(Services& services, const Call& call);

/// The one subscription of an installation.
Result<Answer> list_subscriptions(Services& services, const Call& call);

Result<Answer> list_callback_url(Services& services, const Call& call);
Result<Answer> regenerate_access_key(Services& services, const Call& call);
Result<Answer> list_key_vault_keys(Services& services, const Call& call);
Result<Answer> log_tracking_events(Services& services, const Call& call);

}  // namespace signet::gateway::api
