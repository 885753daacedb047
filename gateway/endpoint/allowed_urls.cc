#include "gateway/endpoint/allowed_urls.h"

#include <algorithm>

#include "base/network.h"
#include "gateway/endpoint/http_client.h"

namespace signet::gateway {
namespace {

/// Whether `path` is `allowed`, or below it. What is written in more than one way is allowed as it was
/// agreed, octet for octet, and not below that: "%2e%2e/" and "a\\b" are read differently by different
/// servers.
bool lies_below(std::string_view path, std::string_view allowed) {
  if (!path.starts_with(allowed)) return false;
  const std::string_view below = path.substr(allowed.size());
  if (below.find_first_of("%\\") != std::string_view::npos) return false;
  return below.empty() || allowed.ends_with('/') || below.starts_with('/');
}

bool is_allowed_by(const UrlParts& url, const std::string& allowed_text) {
  const auto allowed = parse_url(allowed_text);
  return allowed && url.scheme == allowed->scheme && url.host == allowed->host && url.port == allowed->port &&
         lies_below(url.path, allowed->path);
}

}  // namespace

bool AllowedUrls::has_url(std::string_view url) const {
  const auto parts = parse_url(url);
  if (!parts) return false;
  return std::any_of(urls.begin(), urls.end(),
                     [&](const std::string& allowed) { return is_allowed_by(*parts, allowed); });
}

bool AllowedUrls::has_address(std::string_view address) const {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return false;
  if (parsed->is_public()) return true;
  for (const std::string& text : networks)
    if (const auto network = IpNetwork::parse(text); network && network->contains(*parsed)) return true;
  for (const std::string& text : urls) {
    const auto url = parse_url(text);
    const auto named = url ? IpAddress::parse(url->host) : Result<IpAddress>(fail(url.error()));
    if (named && *named == *parsed) return true;
  }
  return false;
}

}  // namespace signet::gateway
