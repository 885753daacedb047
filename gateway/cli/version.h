#pragma once

#include <string_view>

namespace signet::gateway {

/// As it stands in User-Agent and Reporting-UA.
inline constexpr std::string_view kProduct = "Signet/0.1.0";
/// As AS2-Product wants it.
inline constexpr std::string_view kAs2Product = "signet:0.1.0";

}  // namespace signet::gateway
