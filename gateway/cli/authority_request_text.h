#pragma once

#include <string>

#include "certstore/authority/request.h"
#include "gateway/cli/command.h"

namespace signet::gateway {

/// A request as lists show it.
std::string request_line(const authority::Request& request);
/// Prints one with who did what with it, or hands the error on.
Result<> print(const CommandContext& context, const Result<authority::Request>& request);

}  // namespace signet::gateway
