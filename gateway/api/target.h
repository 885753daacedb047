#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

/// A request's target and Host field, taken apart.

namespace signet::gateway::api {

/// The path's segments and the query's parameters of a target that the HTTP gate let through.
struct Target {
  /// Decoded. Empty ones stay: they say "the current version" ("/keys/n//sign" has four segments).
  std::vector<std::string> segments;
  /// Decoded, names too (SDKs send "api%2Dversion"), in their order.
  std::vector<std::pair<std::string, std::string>> query;

  /// Nothing when it is absent. @error InvalidInput  it stands there twice.
  [[nodiscard]] Result<std::optional<std::string>> parameter(std::string_view name) const;
};

Target parse_target(std::string_view target);

/// The host that a request was sent to.
struct Host {
  std::string name;  ///< lower case, without port; an IPv6 address in its brackets
  std::string port;  ///< digits, or empty

  /// "https://name:port": the beginning of every id that we answer with.
  [[nodiscard]] std::string origin() const;
};

/// Reads a Host field (RFC 9110 section 7.2). What is answered contains it, so it is held to letters, digits,
/// - and . with an optional port, or a bracketed IPv6 address. @error InvalidInput
Result<Host> parse_host(std::string_view field);

}  // namespace signet::gateway::api
