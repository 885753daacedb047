#include "gateway/endpoint/basic_credentials.h"

namespace signet::gateway {

std::optional<BasicCredentials> parse_basic_credentials(std::string_view field_value) {
  constexpr std::string_view kScheme = "Basic ";
  if (!equal_ignoring_case(field_value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  auto decoded = parse_base64(field_value.substr(kScheme.size()));
  if (!decoded) return std::nullopt;
  const std::string_view text = as_text(*decoded);
  std::optional<BasicCredentials> read;
  if (const auto colon = text.find(':'); colon != std::string_view::npos)  // [RFC7617 2] the first one
    read = {std::string(text.substr(0, colon)), SecretBytes::copy_of(text.substr(colon + 1))};
  wipe(*decoded);
  return read;
}

}  // namespace signet::gateway
