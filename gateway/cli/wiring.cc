#include "gateway/cli/wiring.h"

namespace signet::gateway::wiring {

MessageStore& message_store(MessageStore& store) { return store; }
HttpHandler& http_handler(HttpHandler& handler) { return handler; }
vault::AuditLog& audit_log(vault::AuditLog& log) { return log; }
HttpLimits http_limits(HttpLimits limits) { return limits; }
vault::AccessCheck& access_check(vault::AccessCheck& check) { return check; }
api::PrincipalStore& principal_store(api::PrincipalStore& store) { return store; }
authority::AuthorityStore& authority_store(authority::AuthorityStore& store) { return store; }

}  // namespace signet::gateway::wiring
