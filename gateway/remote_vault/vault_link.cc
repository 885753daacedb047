#include "gateway/remote_vault/vault_link.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/private_file.h"
#include "certstore/vault/key.h"
#include "certstore/x509/certificate.h"
#include "gateway/endpoint/http_client.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kLongestSecretLine = 16 * 1024;
constexpr std::uint16_t kHttpsPort = 443;

/// What fits into a header's field and a form: visible ASCII.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Result<> check_who_we_are(VaultLink& link) {
  const bool as_client = !link.client_id.empty() || !link.client_secret_file.empty();
  if (link.by_token() == as_client || link.client_id.empty() != link.client_secret_file.empty())
    return fail(ErrorKind::InvalidInput,
                "expected who we are at the vault: either a token file, or a client id with the file of its "
                "secret");
  for (const auto& file : {link.token_file, link.client_secret_file})
    if (!file.empty() && !file.is_absolute())
      return fail(ErrorKind::InvalidInput,
                  fmt::format("expected the absolute path of a secret's file, got {}", file.string()));
  if (link.by_token()) {
    if (link.authority.empty()) return {};
    return fail(ErrorKind::InvalidInput,
                "an authority gives tokens to a client id: with a token file there is none");
  }
  if (!is_printable(link.client_id) || link.client_id.size() > 200)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' cannot be a client id: up to 200 printable ASCII characters are needed",
                            printable(link.client_id)));
  if (link.authority.empty()) link.authority = kDefaultAuthority;
  SIGNET_TRY(link.authority, https_url(link.authority, "the authority"));
  return {};
}

}  // namespace

Result<std::string> https_origin(std::string_view url) {
  SIGNET_TRY(const UrlParts parts, parse_url(url));
  if (parts.scheme != "https")
    return fail(ErrorKind::InvalidInput, fmt::format("expected an https URL, got '{}'", url_for_people(url)));
  const bool is_ipv6 = parts.host.find(':') != std::string::npos;
  std::string origin = is_ipv6 ? fmt::format("https://[{}]", parts.host) : "https://" + parts.host;
  if (parts.port != kHttpsPort) origin += fmt::format(":{}", parts.port);
  return origin;
}

Result<std::string> https_url(std::string_view text, std::string_view what) {
  SIGNET_TRY(const UrlParts parts, parse_url(text));
  if (parts.scheme != "https" || text.find_first_of("?%") != std::string_view::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("{} must be an https URL without a query and without percent-encoding, not '{}'",
                            what, url_for_people(text)));
  SIGNET_TRY(std::string url, https_origin(text));
  url += parts.path;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<VaultLink> checked_link(VaultLink link) {
  SIGNET_CHECK(vault::check_vault_name(link.name));
  link.name = to_lower(link.name);
  SIGNET_TRY(const std::string url, https_url(link.url, "a vault's URL"));
  SIGNET_TRY(link.url, https_origin(link.url));
  if (url != link.url)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a vault is a whole origin, such as {}, without a path; got '{}'", link.url,
                            url_for_people(url)));
  SIGNET_CHECK(check_who_we_are(link));
  if (link.authorities.empty()) return link;
  auto read = certstore::parse_certificates(as_bytes(link.authorities));
  if (!read) return fail(std::move(read).error().within("the vault's authorities"));
  link.authorities = certstore::to_pem(*read);
  return link;
}

Result<SecretBytes> read_secret_line(const std::filesystem::path& path) {
  SIGNET_TRY(const SecretBytes content, read_private_file(path, kLongestSecretLine, "secret file"));
  const std::string_view text = as_text(content.view());
  const std::string_view line = trim(text.substr(0, text.find('\n')));
  if (line.empty() || !is_printable(line))
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("the first line of {} must be the secret, in printable ASCII characters", path.string()));
  if (line.size() > kLongestSecretLine)
    return fail(ErrorKind::InvalidInput, fmt::format("the first line of {} has more than {} characters",
                                                     path.string(), kLongestSecretLine));
  return SecretBytes::copy_of(line);
}

}  // namespace signet::gateway
