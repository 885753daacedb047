#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of vaults as resources: Microsoft.KeyVault/vaults.

namespace signet::gateway::api {

Result<Answer> put_vault(Services& services, const Call& call);
Result<Answer> get_vault(Services& services, const Call& call);
Result<Answer> patch_vault(Services& services, const Call& call);
Result<Answer> delete_vault(Services& services, const Call& call);
Result<Answer> list_vaults(Services& services, const Call& call);
Result<Answer> list_resources(Services& services, const Call& call);
Result<Answer> change_access_policies(Services& services, const Call& call);
Result<Answer> check_vault_name_availability(Services& services, const Call& call);

Result<Answer> list_deleted_vaults(Services& services, const Call& call);
Result<Answer> get_deleted_vault(Services& services, const Call& call);
Result<Answer> purge_deleted_vault(Services& services, const Call& call);

}  // namespace signet::gateway::api
