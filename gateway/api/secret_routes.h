#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of /secrets and /deletedsecrets.

namespace signet::gateway::api {

Result<Answer> set_secret(Services& services, const Call& call);
Result<Answer> get_secret(Services& services, const Call& call);
Result<Answer> update_secret(Services& services, const Call& call);
Result<Answer> list_secrets(Services& services, const Call& call);
Result<Answer> list_secret_versions(Services& services, const Call& call);

Result<Answer> delete_secret(Services& services, const Call& call);
Result<Answer> list_deleted_secrets(Services& services, const Call& call);
Result<Answer> get_deleted_secret(Services& services, const Call& call);
Result<Answer> recover_secret(Services& services, const Call& call);
Result<Answer> purge_secret(Services& services, const Call& call);
Result<Answer> backup_secret(Services& services, const Call& call);
Result<Answer> restore_secret(Services& services, const Call& call);

}  // namespace signet::gateway::api
