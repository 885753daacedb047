#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// /serviceCertificates: which names there are for certificates, and what they are bound to.

namespace signet::gateway::api {

Result<Answer> list_service_certificates(Services& services, const Call& call);
Result<Answer> get_service_certificate(Services& services, const Call& call);
Result<Answer> bind_service_certificates(Services& services, const Call& call);
Result<Answer> unbind_service_certificate(Services& services, const Call& call);

}  // namespace signet::gateway::api
