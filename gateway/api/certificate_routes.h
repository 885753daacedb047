#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of /certificates.

namespace signet::gateway::api {

Result<Answer> create_certificate(Services& services, const Call& call);
Result<Answer> import_certificate(Services& services, const Call& call);
Result<Answer> get_certificate(Services& services, const Call& call);
Result<Answer> update_certificate(Services& services, const Call& call);
Result<Answer> list_certificates(Services& services, const Call& call);
Result<Answer> list_certificate_versions(Services& services, const Call& call);

Result<Answer> get_certificate_policy(Services& services, const Call& call);
Result<Answer> update_certificate_policy(Services& services, const Call& call);

Result<Answer> get_certificate_operation(Services& services, const Call& call);
Result<Answer> update_certificate_operation(Services& services, const Call& call);
Result<Answer> delete_certificate_operation(Services& services, const Call& call);
Result<Answer> merge_certificate(Services& services, const Call& call);

Result<Answer> delete_certificate(Services& services, const Call& call);
Result<Answer> list_deleted_certificates(Services& services, const Call& call);
Result<Answer> get_deleted_certificate(Services& services, const Call& call);
Result<Answer> recover_certificate(Services& services, const Call& call);
Result<Answer> purge_certificate(Services& services, const Call& call);
Result<Answer> backup_certificate(Services& services, const Call& call);
Result<Answer> restore_certificate(Services& services, const Call& call);

Result<Answer> get_contacts(Services& services, const Call& call);
Result<Answer> set_contacts(Services& services, const Call& call);
Result<Answer> delete_contacts(Services& services, const Call& call);

Result<Answer> get_issuer(Services& services, const Call& call);
Result<Answer> set_issuer(Services& services, const Call& call);
Result<Answer> update_issuer(Services& services, const Call& call);
Result<Answer> delete_issuer(Services& services, const Call& call);
Result<Answer> list_issuers(Services& services, const Call& call);

}  // namespace signet::gateway::api
