#pragma once

#include "certstore/authority/authority_store.h"
#include "certstore/vault/access_check.h"
#include "certstore/vault/audit_log.h"
#include "gateway/api/principal.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/exchange/message_store.h"

/// What passes through here on its way from one part of the gateway to the next. The gateway hands it on as
/// it is (wiring.cc). The binary of tests/faults links another file in the place of that one, and with it
/// faults that the tests must find: so no fault, and no switch for one, is in the product's own binary.

namespace signet::gateway::wiring {

MessageStore& message_store(MessageStore& store);
HttpHandler& http_handler(HttpHandler& handler);
vault::AuditLog& audit_log(vault::AuditLog& log);
HttpLimits http_limits(HttpLimits limits);
vault::AccessCheck& access_check(vault::AccessCheck& check);
api::PrincipalStore& principal_store(api::PrincipalStore& store);
authority::AuthorityStore& authority_store(authority::AuthorityStore& store);

}  // namespace signet::gateway::wiring
