#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "gateway/api/account_services.h"
#include "gateway/api/target.h"

/// Addresses that open one resource for reading to whoever has them, until a stated moment: a signature
/// (HMAC-SHA-256) over path, end and permission stands in the place of a token.

namespace signet::gateway::api {

enum class AccessKey { Primary, Secondary };
/// "Primary", "Secondary"
std::string_view to_string(AccessKey key);
/// @error InvalidInput
Result<AccessKey> parse_access_key(std::string_view word);

struct CallbackUrl {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  ///< api-version, se, sp, sv, sig

  /// "/path?api-version=..."
  [[nodiscard]] std::string text() const;
};

Result<CallbackUrl> make_callback_url(const AccountServices& services, AccessKey key, const std::string& path,
                                      const std::string& api_version, Time end);

/// Whether a request's target has a signature in it at all.
bool is_callback(const Target& target);

/// @param path  as it came, without the query
/// @error PermissionDenied  not signed by either key as it is now, for another path, or over; which of them
/// is not told.
Result<> check_callback(const AccountServices& services, std::string_view path, const Target& target,
                        Time now);

/// All URLs that were signed with the key so far are worth nothing from now on.
Result<> renew_access_key(const AccountServices& services, AccessKey key, Time now);

}  // namespace signet::gateway::api
