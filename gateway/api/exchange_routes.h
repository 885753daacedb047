#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// /certificateExchanges: what partners announce by messages, for us to decide on, and what we announced.

namespace signet::gateway::api {

Result<Answer> list_certificate_exchanges(Services& services, const Call& call);
Result<Answer> get_certificate_exchange(Services& services, const Call& call);
Result<Answer> accept_certificate_exchange(Services& services, const Call& call);
Result<Answer> reject_certificate_exchange(Services& services, const Call& call);
Result<Answer> announce_rollover(Services& services, const Call& call);

}  // namespace signet::gateway::api
