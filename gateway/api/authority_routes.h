#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// /certificateService: certificate groups and their issuers, applications, requests. The service itself asks
/// again for the role that a route needs, and keeps those apart who ask and who approve.

namespace signet::gateway::api {

// authority_group_routes.cc
Result<Answer> list_groups(Services& services, const Call& call);
Result<Answer> create_group(Services& services, const Call& call);
Result<Answer> get_group(Services& services, const Call& call);
Result<Answer> change_group(Services& services, const Call& call);
Result<Answer> get_trust_list(Services& services, const Call& call);
Result<Answer> list_issued(Services& services, const Call& call);
Result<Answer> revoke_group(Services& services, const Call& call);
Result<Answer> list_group_issuers(Services& services, const Call& call);
Result<Answer> create_group_issuer(Services& services, const Call& call);
Result<Answer> request_group_issuer(Services& services, const Call& call);
Result<Answer> get_issuer_request(Services& services, const Call& call);
Result<Answer> install_group_issuer(Services& services, const Call& call);
Result<Answer> get_issuer_certificate(Services& services, const Call& call);
Result<Answer> get_issuer_crl(Services& services, const Call& call);
Result<Answer> renew_issuer_crl(Services& services, const Call& call);

// authority_application_routes.cc
Result<Answer> list_applications(Services& services, const Call& call);
Result<Answer> register_application(Services& services, const Call& call);
Result<Answer> get_application(Services& services, const Call& call);
Result<Answer> change_application(Services& services, const Call& call);
Result<Answer> approve_application(Services& services, const Call& call);
Result<Answer> reject_application(Services& services, const Call& call);
Result<Answer> unregister_application(Services& services, const Call& call);
Result<Answer> remove_application(Services& services, const Call& call);

// authority_request_routes.cc
Result<Answer> list_requests(Services& services, const Call& call);
Result<Answer> request_key_pair(Services& services, const Call& call);
Result<Answer> request_signing(Services& services, const Call& call);
Result<Answer> get_request(Services& services, const Call& call);
Result<Answer> approve_request(Services& services, const Call& call);
Result<Answer> reject_request(Services& services, const Call& call);
Result<Answer> accept_request(Services& services, const Call& call);
Result<Answer> remove_request(Services& services, const Call& call);
Result<Answer> purge_request(Services& services, const Call& call);
Result<Answer> request_revocation(Services& services, const Call& call);
Result<Answer> revoke_request(Services& services, const Call& call);
Result<Answer> fetch_request(Services& services, const Call& call);
Result<Answer> get_request_certificate(Services& services, const Call& call);
Result<Answer> get_request_key(Services& services, const Call& call);

}  // namespace signet::gateway::api
