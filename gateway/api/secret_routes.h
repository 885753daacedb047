#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of /secrets.

namespace signet::gateway::api {

Result<Answer> set_secret(Services& services, const Call& call);
Result<Answer> get_secret(Services& services, const Call& call);
Result<Answer> update_secret(Services& services, const Call& call);
Result<Answer> list_secrets(Services& services, const Call& call);
Result<Answer> list_secret_versions(Services& services, const Call& call);

}  // namespace signet::gateway::api
