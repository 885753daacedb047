#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace signet::gateway {

/// Those of HTTP Basic (RFC 7617).
struct BasicCredentials {
  std::string user;  ///< without ":"
  SecretBytes password;
};

/// What the value of a field Authorization has; nothing where it is of another scheme, or has no ":" in it.
std::optional<BasicCredentials> parse_basic_credentials(std::string_view field_value);

}  // namespace signet::gateway
