#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of /keys.

namespace signet::gateway::api {

Result<Answer> create_key(Services& services, const Call& call);
Result<Answer> get_key(Services& services, const Call& call);
Result<Answer> update_key(Services& services, const Call& call);
Result<Answer> list_keys(Services& services, const Call& call);
Result<Answer> list_key_versions(Services& services, const Call& call);

Result<Answer> sign(Services& services, const Call& call);
Result<Answer> verify(Services& services, const Call& call);
Result<Answer> encrypt(Services& services, const Call& call);
Result<Answer> decrypt(Services& services, const Call& call);
Result<Answer> wrap_key(Services& services, const Call& call);
Result<Answer> unwrap_key(Services& services, const Call& call);

}  // namespace signet::gateway::api
