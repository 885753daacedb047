#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "certstore/service/definition.h"
#include "gateway/endpoint/allowed_urls.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/exchange/decryption_throttle.h"

namespace CLI {
class App;
}

namespace signet::gateway {

/// What `signet serve` goes by. Each is an option of the command line, and a key of <home>/serve.toml by the
/// same name without its dashes; the command line wins.
struct ServeSettings {
  std::vector<std::string> listen = {"127.0.0.1:4080"};  ///< empty by default where `listen_tls` is given
  std::vector<std::string> listen_tls;
  std::vector<std::string> tls_certificate;  ///< the first is for whoever names no host, or another one
  std::vector<std::string> service_certificate;
  std::string self_signed_certificates = "refused";
  std::string tls_client_certificates = "off";
  std::string tls_minimum = "1.2";
  std::string tls_ciphers;
  std::string path = "/as2";
  std::string receipt_path = "/as2/receipts";
  std::string host;  ///< empty: see host_of()
  std::string stranger_answer = "mdn";
  std::uint64_t body_limit = std::uint64_t{2} << 30;
  unsigned workers = 0;
  unsigned decryption_failures = kDecryptionFailures;  ///< in an hour; 0: any number
  std::size_t connections = 4096;
  std::size_t connections_per_address = 512;
  std::size_t queued_requests = 1024;
  std::string log_level = "info";
  std::string operations_listen;
  std::vector<std::string> listen_api;
  std::vector<std::string> listen_vault;
  std::vector<std::string> api_certificate;
  std::string api_host = "localhost";
  unsigned api_calls_per_second = 100;
  std::string jwt_issuer;  ///< empty: no JWT is taken
  std::vector<std::string> jwt_audience;
  std::filesystem::path jwt_keys;
  std::string jwt_claim = "sub";
  std::vector<std::string> listen_acme;
  std::vector<std::string> listen_est;
  std::string est_group;  ///< of paths without a label; empty: there are none
  std::vector<std::string> listen_publication;
  std::string publication_host;                   ///< empty: groups say in full where things are
  unsigned publication_requests_per_second = 50;  ///< from one address
  std::string smtp_url;
  std::string smtp_from;
  std::string smtp_user;
  std::string smtp_password;  ///< a secret: "vault/name"
  std::string smtp_tls = "required";
  std::filesystem::path smtp_authorities;
  std::string notice_webhook;
  std::string notice_webhook_secret;  ///< likewise
  std::vector<std::string> crl_allow_url;
  std::vector<std::string> crl_allow_network;
  std::uint64_t minimum_free_disk = std::uint64_t{256} << 20;
  unsigned expiry_notice = 30;
  std::vector<unsigned> expiry_notice_days = {60, 30, 14, 7, 1};
  std::vector<std::string> expiry_contact;
  std::filesystem::path tracking_file;
  std::filesystem::path ports_file;

  friend bool operator==(const ServeSettings&, const ServeSettings&) = default;
};

/// What is served: AS2 with all that belongs to it, or the vaults alone (`signet vault serve`).
enum class Service { Gateway, VaultsAlone };

/// Declares the options, which write into `settings` when they are parsed. Those of AS2 are not shown where
/// vaults alone are served.
void add_serve_options(CLI::App& command, ServeSettings& settings, Service service = Service::Gateway);

/// The options that a parsed command line had, and their values as they were written.
using GivenOptions = std::vector<std::pair<std::string, std::vector<std::string>>>;
GivenOptions given_options(const CLI::App& command);

/// Puts the command line's options over those of the file, which need not be there, and those over the
/// defaults.
///
/// @error InvalidInput  names the file and the setting: one that there is not, a value that will not do, or
/// none; for vaults alone, a setting of AS2, or no listener.
Result<ServeSettings> read_serve_settings(const GivenOptions& given, const std::filesystem::path& file,
                                          Service service = Service::Gateway);

/// The settings in which two differ and that a running gateway cannot take up, by name: they wait for its
/// next start.
std::vector<std::string> settings_for_next_start(const ServeSettings& running, const ServeSettings& wanted);

/// "0.0.0.0:4080", "[::]:4080". @error InvalidInput
Result<Listener> parse_listener(const std::string& text);

/// An origin of one vault.
struct VaultListener {
  std::string vault;
  Listener listener;
};
/// "signet=127.0.0.1:4443". @error InvalidInput
Result<VaultListener> parse_vault_listener(const std::string& text);

/// A secret that a setting names.
struct SecretReference {
  std::string vault;
  std::string name;
};
/// "signet/smtp-password". @error InvalidInput
Result<SecretReference> parse_secret_reference(const std::string& text);

/// The settings that name a secret of the vault, such as "smtp-password".
std::vector<std::string> settings_with_secrets_of(const ServeSettings& settings, std::string_view vault);

/// A check of an option (CLI::Option::check) that is our host name, for Message-IDs.
std::string check_host(const std::string& text);

/// The right side of our Message-IDs: the setting, or else the machine's name; never empty.
std::string host_of(const ServeSettings& settings);

/// The service certificates that the settings define. They have been checked.
certstore::ServiceDefinitions service_definitions_of(const ServeSettings& settings);

/// The names of all certificates that HTTPS listeners show.
std::vector<std::string> shown_certificates(const ServeSettings& settings);

/// Where revocation lists may be fetched from.
AllowedUrls crl_places_of(const ServeSettings& settings);

/// What our TLS listeners agree to.
TlsRules tls_rules_of(const ServeSettings& settings);

log::Level level_of(const ServeSettings& settings);

}  // namespace signet::gateway
