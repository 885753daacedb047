#pragma once

#include <string>

#include "gateway/api/call.h"
#include "gateway/api/callback_url.h"
#include "gateway/api/services.h"

namespace signet::gateway::api {

/// The URL that a request asks for by {"keyType", "notAfter"}; without an end it is over after an hour.
///
/// @error InvalidInput  an end that is none, is over, or is more than kLongestCallback away.
Result<CallbackUrl> requested_callback_url(const Services& services, const Call& call,
                                           const std::string& path);

inline constexpr std::chrono::hours kUsualCallback{1};
inline constexpr std::chrono::days kLongestCallback{397};

}  // namespace signet::gateway::api
