#include "gateway/api/callback_request.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"

namespace signet::gateway::api {

Result<CallbackUrl> requested_callback_url(const Services& services, const Call& call,
                                           const std::string& path) {
  SIGNET_TRY(const auto word, text_member(call.body, "keyType"));
  SIGNET_TRY(const AccessKey key, parse_access_key(word.value_or("Primary")));
  SIGNET_TRY(const auto not_after, text_member(call.body, "notAfter"));
  const Time now = services.clock.now();
  Time end = now + kUsualCallback;
  if (not_after) {
    const auto given = parse_time(*not_after);
    if (!given || *given <= now || *given > now + kLongestCallback)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the member 'notAfter' must be a time (RFC 3339) in the next {} days, not '{}'",
                              kLongestCallback.count(), printable(*not_after)));
    end = *given;
  }
  return make_callback_url(services.account, key, path, call.api_version, end);
}

}  // namespace signet::gateway::api
