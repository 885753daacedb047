#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of /keys and /deletedkeys.

namespace signet::gateway::api {

Result<Answer> create_key(Services& services, const Call& call);
Result<Answer> import_key(Services& services, const Call& call);
Result<Answer> get_key(Services& services, const Call& call);
Result<Answer> update_key(Services& services, const Call& call);
Result<Answer> list_keys(Services& services, const Call& call);
Result<Answer> list_key_versions(Services& services, const Call& call);

Result<Answer> delete_key(Services& services, const Call& call);
Result<Answer> list_deleted_keys(Services& services, const Call& call);
Result<Answer> get_deleted_key(Services& services, const Call& call);
Result<Answer> recover_key(Services& services, const Call& call);
Result<Answer> purge_key(Services& services, const Call& call);
Result<Answer> backup_key(Services& services, const Call& call);
Result<Answer> restore_key(Services& services, const Call& call);

Result<Answer> rotate_key(Services& services, const Call& call);
Result<Answer> get_rotation_policy(Services& services, const Call& call);
Result<Answer> set_rotation_policy(Services& services, const Call& call);

Result<Answer> sign(Services& services, const Call& call);
Result<Answer> verify(Services& services, const Call& call);
Result<Answer> encrypt(Services& services, const Call& call);
Result<Answer> decrypt(Services& services, const Call& call);
Result<Answer> wrap_key(Services& services, const Call& call);
Result<Answer> unwrap_key(Services& services, const Call& call);

}  // namespace signet::gateway::api
