#pragma once

#include <string>
#include <string_view>

#include "gateway/endpoint/http_message.h"

/// How an answer looks on the wire. Internal to the module, but for the simulator.

namespace signet::gateway {

/// Whether an answer of this status has no body and no Content-Length [RFC9112 6.3].
bool has_no_body(int status);

/// Status line and fields up to and including the empty line: our own fields around the answer's, none of
/// them folded.
std::string response_head(const HttpResponse& response, std::string_view request_id, bool close, Time now);

}  // namespace signet::gateway
