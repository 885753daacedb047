#include "gateway/cli/serve_api.h"

#include <set>

#include "base/file.h"
#include "gateway/api/json_body.h"
#include "gateway/api/principals.h"
#include "gateway/cli/wiring.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {
namespace {

constexpr std::string_view kApiListener = "api";

/// Programs of an organisation, not the internet.
HttpLimits limits_for_programs() {
  HttpLimits limits;
  limits.connections = 1024;
  limits.connections_per_address = 256;
  limits.queued_requests = 256;
  limits.bodies_in_files = false;  // there are secrets in them
  return limits;
}

std::string listener_name(const VaultListener& vault) { return "vault:" + vault.vault; }

Result<std::vector<Listener>> api_listeners(Home& home, const ServeSettings& settings) {
  SIGNET_TRY(std::vector<Listener> all, parse_listeners(settings.listen_api, kApiListener));
  for (const std::string& text : settings.listen_vault) {
    SIGNET_TRY(VaultListener vault, parse_vault_listener(text));
    SIGNET_CHECK(home.own_vault(vault.vault));
    vault.listener.name = listener_name(vault);
    all.push_back(std::move(vault.listener));
  }
  SIGNET_CHECK(show_api_certificate(home, settings, all));  // client certificates are in a token's place
  return all;
}

Result<api::ApiOptions> api_options(const ServeSettings& settings) {
  api::ApiOptions options;
  options.host = to_lower(settings.api_host);
  // Clients take whom to ask for a token, and the tenant, from the challenge.
  if (settings.jwt_issuer.starts_with("https://")) options.authority = settings.jwt_issuer;
  const double calls = settings.api_calls_per_second;
  options.per_principal = {calls, 2 * calls};
  options.per_address = {2 * calls, 4 * calls};
  for (const std::string& text : settings.listen_vault) {
    SIGNET_TRY(const VaultListener vault, parse_vault_listener(text));
    options.vaults.emplace(listener_name(vault), vault.vault);
  }
  return options;
}

/// Nothing where no issuer's tokens are taken.
Result<std::unique_ptr<api::JwtVerifier>> jwt_verifier(const ServeSettings& settings, const Clock& clock) {
  SIGNET_TRY(auto keys, read_jwt_keys(settings.jwt_keys));
  if (!keys) return nullptr;
  const auto read_again = [file = settings.jwt_keys]() -> Result<api::JwkSet> {
    SIGNET_TRY(auto read, read_jwt_keys(file));
    return *std::move(read);
  };
  return std::make_unique<api::JwtVerifier>(
      api::JwtRules{settings.jwt_issuer, settings.jwt_audience, settings.jwt_claim}, *std::move(keys),
      read_again, clock);
}

}  // namespace

Result<std::optional<api::JwkSet>> read_jwt_keys(const std::filesystem::path& file) {
  if (file.empty()) return std::nullopt;
  SIGNET_TRY(const std::string text, read_text_file(file, api::kLongestJwkSet));
  auto keys = api::JwkSet::parse(text);
  if (!keys) return fail(std::move(keys).error().within(file.string()));
  return *std::move(keys);
}

ServeApi::ServeApi(Home& home, api::ApiOptions options, api::Installation installation,
                   const GivenOptions& given, std::unique_ptr<api::JwtVerifier> jwts,
                   const std::string& publication_host)
    : installation_(std::move(installation)),
      jwts_(std::move(jwts)),
      judge_(home, given),
      vaults_(home, given),
      service_certificates_(home, given),
      rollovers_(home, given),
      inventory_(home, given),
      exchanges_(home, given),
      handler_({{home.vault(),
                 home.vault(),
                 home.vault(),
                 wiring::access_check(home.vault()),
                 home.clock(),
                 {home.accounts(), judge_, home.resources(), wiring::audit_log(home.audit()), installation_,
                  [&home] { return home.callback_key(); }},
                 {vaults_, home.principal_store()},
                 service_certificates_,
                 {home.authority(), publication_host,
                  [log = home.directory() / "audit.log"] { return AuditFile::snapshot(log); }},
                 rollovers_,
                 inventory_,
                 exchanges_},
                wiring::audit_log(home.audit()),
                [&home] { return home.audit().sync(); },
                wiring::principal_store(home.principal_store()),
                jwts_.get(),
                [&home] { return home.vault().is_sealed(); }},
               std::move(options), installation_) {}

Result<std::unique_ptr<ServeApi>> ServeApi::listen(Home& home, const ServeSettings& settings,
                                                   const GivenOptions& given) {
  if (settings.listen_api.empty() && settings.listen_vault.empty()) return nullptr;
  SIGNET_TRY(api::ApiOptions options, api_options(settings));
  SIGNET_TRY(api::Installation installation, home.principal_store().installation());
  SIGNET_TRY(auto jwts, jwt_verifier(settings, home.clock()));
  std::unique_ptr<ServeApi> made(new ServeApi(home, std::move(options), std::move(installation), given,
                                              std::move(jwts), settings.publication_host));
  HttpServerConfig config;
  SIGNET_TRY(config.listeners, api_listeners(home, settings));
  config.limits = wiring::http_limits(limits_for_programs());
  config.spool = home.spool_area();
  config.spool.memory_limit = api::kLongestBody;
  SIGNET_TRY(made->open_, SideListeners::open(std::move(config), made->handler_));
  return made;
}

Result<> ServeApi::renew_tls(const TlsIdentity& identity) {
  std::set<std::string> names;
  for (const Listener& listener : open_.listeners) names.insert(listener.name);
  for (const std::string& name : names) SIGNET_CHECK(open_.server->renew_tls(name, identity));
  return {};
}

void ServeApi::take_up(api::JwkSet jwt_keys) {
  if (jwts_) jwts_->take_up(std::move(jwt_keys));
}

}  // namespace signet::gateway
