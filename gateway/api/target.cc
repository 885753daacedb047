#include "gateway/api/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/network.h"
#include "base/percent_encoding.h"

namespace signet::gateway::api {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035 section 2.3.4
constexpr std::size_t kLongestPort = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// As forms encode it, with "+" for a space.
std::string form_decode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

template <class Take>
void split(std::string_view text, char separator, Take take) {
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    take(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

bool is_host_name(std::string_view name) {
  if (name.starts_with('[')) return name.ends_with(']') && IpAddress::parse(name).has_value();
  return !name.empty() && name.size() <= kLongestHost && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.';
  });
}

bool is_port(std::string_view port) {
  return !port.empty() && port.size() <= kLongestPort && std::all_of(port.begin(), port.end(), is_digit);
}

}  // namespace

Result<std::optional<std::string>> Target::parameter(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [known, value] : query) {
    if (!equal_ignoring_case(known, name)) continue;
    if (found) return fail(ErrorKind::InvalidInput, fmt::format("the query has {} twice", name));
    found = value;
  }
  return found;
}

/// The gate has refused broken encodings already; one that were left is text.
Target parse_target(std::string_view target) {
  Target parsed;
  const std::size_t path_size = std::min(target.find('?'), target.size());
  split(target.substr(std::min<std::size_t>(1, path_size), path_size - std::min<std::size_t>(1, path_size)),
        '/', [&](std::string_view segment) { parsed.segments.push_back(percent_decode(segment)); });
  if (path_size == target.size()) return parsed;
  split(target.substr(path_size + 1), '&', [&](std::string_view pair) {
    if (pair.empty()) return;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    parsed.query.emplace_back(form_decode(pair.substr(0, equals)),
                              form_decode(pair.substr(std::min(equals + 1, pair.size()))));
  });
  return parsed;
}

std::string Host::origin() const { return "https://" + name + (port.empty() ? "" : ":" + port); }

Result<Host> parse_host(std::string_view field) {
  const std::size_t bracket = field.starts_with('[') ? std::min(field.find(']'), field.size()) : 0;
  const std::size_t colon = std::min(field.find(':', bracket), field.size());
  const bool has_port = colon != field.size();
  const std::string_view port = has_port ? field.substr(colon + 1) : std::string_view();
  if (!is_host_name(field.substr(0, colon)) || (has_port && !is_port(port)))
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a host name and a port in the field Host, got '{}'", printable(field)));
  return Host{to_lower(field.substr(0, colon)), std::string(port)};
}

}  // namespace signet::gateway::api
