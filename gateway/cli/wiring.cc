#include "gateway/cli/wiring.h"

namespace signet::gateway::wiring {

MessageStore& message_store(MessageStore& store) { return store; }
HttpHandler& http_handler(HttpHandler& handler) { return handler; }
vault::AuditLog& audit_log(vault::AuditLog& log) { return log; }
HttpLimits http_limits(HttpLimits limits) { return limits; }

}  // namespace signet::gateway::wiring
