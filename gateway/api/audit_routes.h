#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// /auditRecords: who did what, for those who check on the others.

namespace signet::gateway::api {

Result<Answer> list_audit_records(Services& services, const Call& call);
Result<Answer> export_audit_records(Services& services, const Call& call);

}  // namespace signet::gateway::api
