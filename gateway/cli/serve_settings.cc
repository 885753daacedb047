#include "gateway/cli/serve_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "base/network.h"
#include "certstore/vault/key.h"
#include "certstore/vault/secret.h"
#include "gateway/api/target.h"
#include "gateway/cli/command.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/notices/mail.h"

namespace signet::gateway {
namespace {

Result<> add_from_file(CLI::App& command, const std::filesystem::path& file) {
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(file.string())) {
    if (!item.parents.empty())
      return fail(ErrorKind::InvalidInput,
                  fmt::format("it has a section [{}], and settings stand in none", item.parents.front()));
    CLI::Option* option = command.get_option_no_throw("--" + item.name);
    if (option == nullptr)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("there is no setting '{}'; 'signet serve --help' lists them", item.name));
    if (item.inputs.empty() || item.inputs.front().empty())
      return fail(ErrorKind::InvalidInput, fmt::format("the setting '{}' has no value", item.name));
    // The reader joins lines of one name that follow each other.
    if (item.inputs.size() > 1 && option->get_items_expected_max() == 1)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the setting '{}' takes one value, and has {} or stands in it twice", item.name,
                              item.inputs.size()));
    if (option->count() > 0)
      return fail(ErrorKind::InvalidInput, fmt::format("the setting '{}' stands in it twice", item.name));
    for (const std::string& input : item.inputs) option->add_result(input);
    option->run_callback();
  }
  return {};
}

/// More threads than this only wait for one another.
constexpr unsigned kMostWorkers = 256;
/// In an hour: no gateway decrypts as many.
constexpr unsigned kMostFailures = 1'000'000'000;
/// Days: longer than certificates are valid.
constexpr unsigned kLongestNotice = 36'500;

bool all_of(std::string_view text, bool (*fits)(char)) { return std::all_of(text.begin(), text.end(), fits); }

std::string check_listener(const std::string& text) {
  const auto listener = parse_listener(text);
  return listener ? "" : listener.error().detail;
}

std::string check_vault_listener(const std::string& text) {
  const auto listener = parse_vault_listener(text);
  return listener ? "" : listener.error().detail;
}

std::string check_secret_reference(const std::string& text) {
  const auto reference = parse_secret_reference(text);
  return reference ? "" : reference.error().detail;
}

std::string check_service_certificate(const std::string& text) {
  const auto certificate = certstore::parse_service_certificate(text);
  return certificate ? "" : certificate.error().detail;
}

std::string check_smtp_url(const std::string& text) {
  if (text.starts_with("smtp://") || text.starts_with("smtps://"))
    return text.find('@') == std::string::npos
               ? ""
               : "the mail server's URL holds no user and no password: see --smtp-user and --smtp-password";
  return fmt::format(
      "expected a mail server such as smtps://mail.example.com:465 or smtp://mail.example.com:587, got "
      "'{}'",
      printable(text));
}

std::string check_publication_host(const std::string& text) {
  const auto host = api::parse_host(text);
  return host ? "" : host.error().detail;
}

std::string check_mail_sender(const std::string& text) {
  const auto fits = check_mail_address(text);
  return fits ? "" : fits.error().detail;
}

std::string check_webhook(const std::string& text) {
  const auto parts = parse_url(text);
  return parts ? "" : parts.error().detail;
}

std::string check_crl_place(const std::string& text) {
  const auto parts = parse_url(text);
  return parts ? "" : parts.error().detail;
}

std::string check_network(const std::string& text) {
  const auto network = IpNetwork::parse(text);
  return network ? "" : network.error().detail;
}

/// As it comes in requests; what follows a '?' is no part of it.
std::string check_path(const std::string& text) {
  const auto in_path = [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; };
  if (text.starts_with('/') && all_of(text, in_path)) return "";
  return fmt::format("expected a path that begins with /, without spaces, ? and #, got '{}'",
                     printable(text));
}

std::string check_notice(const std::string& text) { return check_number(text, 0, kLongestNotice); }

std::string check_failures(const std::string& text) { return check_number(text, 0, kMostFailures); }

std::string check_workers(const std::string& text) { return check_number(text, 0, kMostWorkers); }

std::string check_ciphers(const std::string& text) {
  const Result<> checked = check_tls_ciphers(text);
  return checked ? std::string() : checked.error().detail;
}

/// What belongs to mails and webhooks is there as a whole.
Result<> check_notices(const ServeSettings& settings) {
  if (settings.smtp_url.empty() != settings.smtp_from.empty())
    return fail(ErrorKind::InvalidInput,
                "smtp-url and smtp-from go together: the mail server, and the address that mails come from");
  if (settings.smtp_user.empty() != settings.smtp_password.empty())
    return fail(ErrorKind::InvalidInput,
                "smtp-user and smtp-password go together: the user, and the secret that holds the password");
  if (!settings.smtp_user.empty() && settings.smtp_tls == "none" && settings.smtp_url.starts_with("smtp://"))
    return fail(ErrorKind::InvalidInput,
                "smtp-tls is none, and smtp-user wants to log on: a password does not travel without TLS");
  if (!settings.expiry_contact.empty() && settings.smtp_url.empty())
    return fail(ErrorKind::InvalidInput,
                "expiry-contact is to be mailed, and smtp-url is missing: the mail server to do it by");
  if (settings.notice_webhook.empty() != settings.notice_webhook_secret.empty())
    return fail(
        ErrorKind::InvalidInput,
        "notice-webhook and notice-webhook-secret go together: where notices are posted to, and the secret "
        "that signs them");
  return {};
}

/// Of a service certificate that listeners show, it is known which host they are reached by.
Result<> check_service_certificates(const ServeSettings& settings) {
  SIGNET_CHECK(certstore::parse_service_certificates(settings.service_certificate));
  const certstore::ServiceDefinitions definitions = service_definitions_of(settings);
  for (const std::string& name : shown_certificates(settings))
    if (const auto* defined = definitions.find(name); defined != nullptr && !defined->for_listeners())
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("tls-certificate or api-certificate names the service certificate '{0}', whose "
                      "definition says no host: write service-certificate = [\"{0}=as2.example.com\"], with "
                      "the name that clients connect to",
                      name));
  return {};
}

/// The settings that say nothing to a process that serves vaults alone.
constexpr std::array kAs2Settings = {"listen",
                                     "listen-tls",
                                     "tls-certificate",
                                     "tls-client-certificates",
                                     "path",
                                     "receipt-path",
                                     "host",
                                     "stranger-answer",
                                     "body-limit",
                                     "workers",
                                     "decryption-failures",
                                     "connections",
                                     "connections-per-address",
                                     "queued-requests",
                                     "tracking-file",
                                     "crl-allow-url",
                                     "crl-allow-network"};

/// What a process that serves vaults alone can go by.
Result<> check_vaults_alone(const CLI::App& command, ServeSettings& settings) {
  for (const char* name : kAs2Settings)
    if (command.get_option(std::string("--") + name)->count() > 0)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("the setting '{}' is of AS2, which 'signet vault serve' has no part in: remove "
                              "it, or run 'signet serve'",
                              name));
  settings.listen.clear();
  if (!settings.listen_api.empty() || !settings.listen_vault.empty()) return {};
  return fail(ErrorKind::InvalidInput,
              "a vault needs a listener: listen-vault, such as signet=0.0.0.0:4443, or listen-api");
}

/// Tokens of an issuer are taken by its name, its keys and whom they are meant for, never by less.
Result<> check_jwts(const ServeSettings& settings) {
  const bool none = settings.jwt_issuer.empty() && settings.jwt_audience.empty() && settings.jwt_keys.empty();
  const bool all =
      !settings.jwt_issuer.empty() && !settings.jwt_audience.empty() && !settings.jwt_keys.empty();
  if (none || all) return {};
  return fail(
      ErrorKind::InvalidInput,
      "jwt-issuer, jwt-audience and jwt-keys go together: whose tokens are taken, whom they have to be "
      "meant for, and the file with the issuer's keys");
}

/// What only shows with all settings at hand.
Result<> check_together(const ServeSettings& settings) {
  SIGNET_CHECK(check_notices(settings));
  SIGNET_CHECK(check_service_certificates(settings));
  SIGNET_CHECK(check_jwts(settings));
  if (settings.path != settings.receipt_path) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("path and receipt-path are both '{}': messages and receipts are posted to two paths",
                  settings.path));
}

}  // namespace

void add_serve_options(CLI::App& command, ServeSettings& settings, Service service) {
  command
      .add_option("--listen", settings.listen,
                  "Address and port for HTTP; port 0 takes a free one. With --listen-tls, none unless given")
      ->check(check_listener)
      ->capture_default_str();
  command.add_option("--listen-tls", settings.listen_tls, "Address and port for HTTPS (TLS 1.2 and 1.3)")
      ->check(check_listener);
  command.add_option(
      "--tls-certificate", settings.tls_certificate,
      "Service certificate, or private certificate of the account, that HTTPS listeners show; of "
      "several, each to whoever asks for a host that it is for, and the first to all others");
  command
      .add_option(
          "--service-certificate", settings.service_certificate,
          "Defines a service certificate: [STORE/]NAME[=HOST[,HOST]...][:elevated|:intermediate], such "
          "as www=as2.example.com:elevated. 'signet binding set' says which certificate it is")
      ->check(check_service_certificate);
  command
      .add_option("--self-signed-certificates", settings.self_signed_certificates,
                  "Whether a service certificate that listeners show may be self-signed: in development")
      ->check(CLI::IsMember({"refused", "allowed"}))
      ->capture_default_str();
  command
      .add_option("--tls-client-certificates", settings.tls_client_certificates,
                  "Whether HTTPS listeners ask clients for a certificate, or let none in without one; which "
                  "one is needed, agreements say")
      ->check(CLI::IsMember({"off", "wanted", "required"}))
      ->capture_default_str();
  command.add_option("--tls-minimum", settings.tls_minimum, "The oldest TLS of HTTPS listeners")
      ->check(CLI::IsMember({"1.2", "1.3"}))
      ->capture_default_str();
  command
      .add_option(
          "--tls-ciphers", settings.tls_ciphers,
          "Ciphers of TLS 1.2 at HTTPS listeners, OpenSSL's names with ':' between; by default all with "
          "forward secrecy and authenticated encryption, and there are no others")
      ->check(check_ciphers);
  command.add_option("--path", settings.path, "Where messages are posted")
      ->check(check_path)
      ->capture_default_str();
  command.add_option("--receipt-path", settings.receipt_path, "Where asynchronous receipts are posted")
      ->check(check_path)
      ->capture_default_str();
  command
      .add_option("--host", settings.host, "Our host name, for Message-IDs; the machine's name by default")
      ->check(check_host);
  command
      .add_option("--stranger-answer", settings.stranger_answer,
                  "What senders without an agreement get: an unsigned receipt, or just an HTTP error")
      ->check(CLI::IsMember({"mdn", "http"}))
      ->capture_default_str();
  command
      .add_option("--body-limit", settings.body_limit, "Octets of a request body, whatever agreements say")
      ->check(check_count)
      ->capture_default_str();
  command
      .add_option(
          "--workers", settings.workers,
          "Threads that open messages, and as many for those of more than a mebibyte; 0: one for each core")
      ->check(check_workers)
      ->capture_default_str();
  command
      .add_option(
          "--decryption-failures", settings.decryption_failures,
          "Messages from one address under one agreement that may fail to decrypt with our keys in an "
          "hour; more are answered 429 for a while. 0: any number")
      ->check(check_failures)
      ->capture_default_str();
  command
      .add_option(
          "--connections", settings.connections,
          "Connections open at once; more are answered 503. The process needs two file descriptors for each")
      ->check(check_count)
      ->capture_default_str();
  command
      .add_option("--connections-per-address", settings.connections_per_address,
                  "Of those, from one address; behind a proxy, as many as it has")
      ->check(check_count)
      ->capture_default_str();
  command
      .add_option("--queued-requests", settings.queued_requests,
                  "Complete requests that wait for a worker; more are answered 503")
      ->check(check_count)
      ->capture_default_str();
  command.add_option("--log-level", settings.log_level, "debug, info or warning")
      ->check(CLI::IsMember({"debug", "info", "warning"}))
      ->capture_default_str();
  command
      .add_option(
          "--operations-listen", settings.operations_listen,
          "Address and port for /health, /ready and /metrics, such as 127.0.0.1:4081; none unless given")
      ->check(check_listener);
  command
      .add_option(
          "--listen-api", settings.listen_api,
          "Address and port for the REST services (HTTPS): the management plane at --api-host, each vault at "
          "<vault>.<api-host>")
      ->check(check_listener);
  command
      .add_option(
          "--listen-vault", settings.listen_vault,
          "Vault, address and port, such as signet=127.0.0.1:4443: the REST service of that vault alone, "
          "whatever the host")
      ->check(check_vault_listener);
  command.add_option("--api-certificate", settings.api_certificate,
                     "Service certificate, or private certificate of the account, that the listeners of the "
                     "REST services show; several as for --tls-certificate");
  command.add_option("--api-host", settings.api_host, "The public name of the REST services, without port")
      ->check(check_host)
      ->capture_default_str();
  command
      .add_option(
          "--api-calls-per-second", settings.api_calls_per_second,
          "Calls of the REST services that a principal may make on the average, and twice as many from one "
          "address; more are answered 429")
      ->check(check_count)
      ->capture_default_str();
  command.add_option(
      "--jwt-issuer", settings.jwt_issuer,
      "Whose JSON Web Tokens are taken beside our own tokens: their 'iss'. Which principal one "
      "names, 'signet principal set --jwt-subject' says");
  command.add_option("--jwt-audience", settings.jwt_audience,
                     "Whom these tokens have to be meant for, such as https://gateway.example: their 'aud'");
  command
      .add_option(
          "--jwt-keys", settings.jwt_keys,
          "A file with the issuer's public keys, as a JWK Set. Read again on SIGHUP, and when a token "
          "names a key that is not in it")
      ->check(CLI::ExistingFile);
  command
      .add_option("--jwt-claim", settings.jwt_claim,
                  "The claim that says whose a token is: sub, oid, appid...")
      ->capture_default_str();
  command
      .add_option(
          "--listen-acme", settings.listen_acme,
          "Address and port for HTTP where certificate issuers ask whether we hold a host's name (ACME "
          "http-01); port 80 of that host has to lead here")
      ->check(check_listener);
  command
      .add_option("--listen-est", settings.listen_est,
                  "Address and port for HTTPS where devices and partners ask for their certificates by EST "
                  "(RFC 7030); shows --api-certificate")
      ->check(check_listener);
  command.add_option("--est-group", settings.est_group,
                     "The certificate group of EST's paths that name none; without it, each has to");
  command
      .add_option("--listen-publication", settings.listen_publication,
                  "Address and port for HTTP where anybody gets the revocation lists and certificates of the "
                  "certificate service's issuers, and OCSP answers; nothing else is there")
      ->check(check_listener);
  command
      .add_option("--publication-host", settings.publication_host,
                  "Name and port by which others reach that listener, such as pki.example.com or "
                  "pki.example.com:4083: stands for %servicehost% in the URLs of certificate groups")
      ->check(check_publication_host);
  command
      .add_option("--publication-requests-per-second", settings.publication_requests_per_second,
                  "Requests that an address may make there on the average; more are answered 429")
      ->check(check_count)
      ->capture_default_str();
  command
      .add_option("--smtp-url", settings.smtp_url,
                  "Mail server that the contacts of vaults are told by, such as smtps://mail.example.com:465")
      ->check(check_smtp_url);
  command.add_option("--smtp-from", settings.smtp_from, "The address that these mails come from")
      ->check(check_mail_sender);
  command.add_option("--smtp-user", settings.smtp_user, "Whom the mail server knows us as");
  command
      .add_option("--smtp-password", settings.smtp_password,
                  "The secret that holds the password for that, such as signet/smtp-password")
      ->check(check_secret_reference);
  command
      .add_option(
          "--smtp-tls", settings.smtp_tls,
          "Whether a mail server at smtp:// must speak TLS (STARTTLS), or need not and is not asked to")
      ->check(CLI::IsMember({"required", "none"}))
      ->capture_default_str();
  command
      .add_option("--smtp-authorities", settings.smtp_authorities,
                  "A file with the certificates that vouch for the mail server; the machine's unless given")
      ->check(CLI::ExistingFile);
  command
      .add_option("--notice-webhook", settings.notice_webhook,
                  "URL that what happens to the vaults' certificates is posted to, as CloudEvents")
      ->check(check_webhook);
  command
      .add_option("--notice-webhook-secret", settings.notice_webhook_secret,
                  "The secret that these posts are signed with, such as signet/notice-webhook")
      ->check(check_secret_reference);
  command
      .add_option(
          "--crl-allow-url", settings.crl_allow_url,
          "Where revocation lists may be fetched from, as certificates say: this http or https URL and "
          "what lies below its path, such as http://crl.example.com/. None unless given")
      ->check(check_crl_place);
  command
      .add_option(
          "--crl-allow-network", settings.crl_allow_network,
          "A network that the host of such a URL may be in, although it is not of the public internet, "
          "such as 10.20.0.0/16")
      ->check(check_network);
  command
      .add_option("--minimum-free-disk", settings.minimum_free_disk,
                  "Octets free on each volume, below which /ready says no")
      ->check(check_whole_number)
      ->capture_default_str();
  command
      .add_option("--expiry-notice", settings.expiry_notice,
                  "Days before its end that the log warns of a certificate, daily")
      ->check(check_notice)
      ->capture_default_str();
  command
      .add_option("--expiry-notice-days", settings.expiry_notice_days,
                  "Days before a certificate's end that --expiry-contact and --notice-webhook are told of it")
      ->check(check_notice)
      ->capture_default_str();
  command
      .add_option(
          "--expiry-contact", settings.expiry_contact,
          "Mail address that is told of every certificate that comes to its end while something goes by it")
      ->check(check_mail_sender);
  command.add_option("--tracking-file", settings.tracking_file,
                     "Append what `signet tracking export` writes to this file, as messages are decided");
  command.add_option("--ports-file", settings.ports_file,
                     "Write the ports taken to this file, as JSON, once listening");
  if (service == Service::Gateway) return;
  constexpr const char* kNotShown = "";
  for (const char* name : kAs2Settings) command.get_option(std::string("--") + name)->group(kNotShown);
}

GivenOptions given_options(const CLI::App& command) {
  GivenOptions given;
  for (const CLI::Option* option : command.get_options())
    if (option->count() > 0) given.emplace_back("--" + option->get_single_name(), option->results());
  return given;
}

Result<ServeSettings> read_serve_settings(const GivenOptions& given, const std::filesystem::path& file,
                                          Service service) {
  ServeSettings settings;
  CLI::App command;
  add_serve_options(command, settings, service);
  try {
    if (std::filesystem::exists(file)) {
      if (auto added = add_from_file(command, file); !added)
        return fail(std::move(added).error().within(file.string()));
    }
    for (const auto& [name, values] : given) {
      CLI::Option* option = command.get_option(name);
      option->clear();
      for (const std::string& value : values) option->add_result(value);
      option->run_callback();
    }
    // The default is for those who name no listener at all; who names HTTPS alone gets that alone.
    if (!settings.listen_tls.empty() && command.get_option("--listen")->count() == 0) settings.listen.clear();
    auto fit = check_together(settings);
    if (fit && service == Service::VaultsAlone) fit = check_vaults_alone(command, settings);
    if (!fit) return fail(std::move(fit).error().within("the options and " + file.string()));
  } catch (const CLI::Error& error) {
    return fail(ErrorKind::InvalidInput, fmt::format("{}: {}", file.string(), error.what()));
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(ErrorKind::IoFailure, error.what());
  }
  return settings;
}

certstore::ServiceDefinitions service_definitions_of(const ServeSettings& settings) {
  certstore::ServiceDefinitions definitions;
  definitions.certificates = certstore::parse_service_certificates(settings.service_certificate)
                                 .value_or(decltype(definitions.certificates){});
  definitions.self_signed_allowed = settings.self_signed_certificates == "allowed";
  return definitions;
}

std::vector<std::string> shown_certificates(const ServeSettings& settings) {
  std::vector<std::string> names = settings.tls_certificate;
  names.insert(names.end(), settings.api_certificate.begin(), settings.api_certificate.end());
  return names;
}

std::vector<std::string> settings_for_next_start(const ServeSettings& running, const ServeSettings& wanted) {
  std::vector<std::string> names;
  const auto compare = [&](std::string_view name, const auto& is, const auto& will_be) {
    if (is != will_be) names.emplace_back(name);
  };
  compare("listen", running.listen, wanted.listen);
  compare("listen-tls", running.listen_tls, wanted.listen_tls);
  compare("tls-client-certificates", running.tls_client_certificates, wanted.tls_client_certificates);
  compare("tls-minimum", running.tls_minimum, wanted.tls_minimum);
  compare("tls-ciphers", running.tls_ciphers, wanted.tls_ciphers);
  compare("path", running.path, wanted.path);
  compare("receipt-path", running.receipt_path, wanted.receipt_path);
  compare("host", running.host, wanted.host);
  compare("stranger-answer", running.stranger_answer, wanted.stranger_answer);
  compare("tracking-file", running.tracking_file, wanted.tracking_file);
  compare("listen-api", running.listen_api, wanted.listen_api);
  compare("listen-vault", running.listen_vault, wanted.listen_vault);
  compare("listen-acme", running.listen_acme, wanted.listen_acme);
  compare("listen-est", running.listen_est, wanted.listen_est);
  compare("est-group", running.est_group, wanted.est_group);
  compare("listen-publication", running.listen_publication, wanted.listen_publication);
  compare("publication-host", running.publication_host, wanted.publication_host);
  compare("publication-requests-per-second", running.publication_requests_per_second,
          wanted.publication_requests_per_second);
  compare("smtp-url", running.smtp_url, wanted.smtp_url);
  compare("smtp-from", running.smtp_from, wanted.smtp_from);
  compare("smtp-user", running.smtp_user, wanted.smtp_user);
  compare("smtp-password", running.smtp_password, wanted.smtp_password);
  compare("smtp-tls", running.smtp_tls, wanted.smtp_tls);
  compare("smtp-authorities", running.smtp_authorities, wanted.smtp_authorities);
  compare("expiry-notice-days", running.expiry_notice_days, wanted.expiry_notice_days);
  compare("expiry-contact", running.expiry_contact, wanted.expiry_contact);
  compare("notice-webhook", running.notice_webhook, wanted.notice_webhook);
  compare("notice-webhook-secret", running.notice_webhook_secret, wanted.notice_webhook_secret);
  compare("jwt-issuer", running.jwt_issuer, wanted.jwt_issuer);
  compare("jwt-audience", running.jwt_audience, wanted.jwt_audience);
  compare("jwt-keys", running.jwt_keys, wanted.jwt_keys);
  compare("jwt-claim", running.jwt_claim, wanted.jwt_claim);
  compare("api-calls-per-second", running.api_calls_per_second, wanted.api_calls_per_second);
  compare("api-host", running.api_host, wanted.api_host);
  compare("operations-listen", running.operations_listen, wanted.operations_listen);
  compare("workers", running.workers, wanted.workers);
  compare("decryption-failures", running.decryption_failures, wanted.decryption_failures);
  compare("connections", running.connections, wanted.connections);
  compare("connections-per-address", running.connections_per_address, wanted.connections_per_address);
  compare("queued-requests", running.queued_requests, wanted.queued_requests);
  compare("ports-file", running.ports_file, wanted.ports_file);
  return names;
}

Result<Listener> parse_listener(const std::string& text) {
  const auto colon = text.rfind(':');
  Listener listener;
  const char* begin = text.data() + (colon == std::string::npos ? 0 : colon + 1);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, listener.port);
  if (colon != std::string::npos && error == std::errc::result_out_of_range)
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a listener with a port from 0 to 65535, got '{}'", printable(text)));
  listener.address = text.substr(0, colon);
  if (colon == std::string::npos || error != std::errc{} || rest != end ||
      !IpAddress::parse(listener.address))
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a listener, a numeric address and a port, such as 0.0.0.0:4080 or "
                            "[::]:4080, got '{}'",
                            printable(text)));
  if (listener.address.starts_with('[') && listener.address.ends_with(']'))
    listener.address = listener.address.substr(1, listener.address.size() - 2);
  return listener;
}

Result<VaultListener> parse_vault_listener(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a vault and its listener, such as signet=127.0.0.1:4443, got '{}'",
                            printable(text)));
  VaultListener listener;
  listener.vault = to_lower(text.substr(0, equals));
  SIGNET_CHECK(vault::check_vault_name(listener.vault));
  SIGNET_TRY(listener.listener, parse_listener(text.substr(equals + 1)));
  return listener;
}

Result<SecretReference> parse_secret_reference(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("expected a secret as vault/name, such as signet/smtp-password, got '{}'",
                            printable(text)));
  SecretReference reference{text.substr(0, slash), text.substr(slash + 1)};
  SIGNET_CHECK(vault::check_secret_id({reference.vault, reference.name, {}}));
  return reference;
}

std::vector<std::string> settings_with_secrets_of(const ServeSettings& settings, std::string_view vault) {
  std::vector<std::string> names;
  for (const auto& [name, value] : {std::pair("smtp-password", &settings.smtp_password),
                                    std::pair("notice-webhook-secret", &settings.notice_webhook_secret)})
    if (const auto secret = parse_secret_reference(*value);
        secret && equal_ignoring_case(secret->vault, vault))
      names.emplace_back(name);
  return names;
}

std::string check_host(const std::string& text) {
  constexpr std::size_t kLongest = 200;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  if (!text.empty() && text.size() <= kLongest && all_of(text, in_name)) return "";
  return fmt::format("expected a host name of 1 to {} letters, digits and - . _, got '{}'", kLongest,
                     printable(text));
}

std::string host_of(const ServeSettings& settings) {
  if (!settings.host.empty()) return settings.host;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

AllowedUrls crl_places_of(const ServeSettings& settings) {
  return {settings.crl_allow_url, settings.crl_allow_network};
}

TlsRules tls_rules_of(const ServeSettings& settings) {
  return {settings.tls_minimum == "1.3" ? TlsVersion::Tls13 : TlsVersion::Tls12, settings.tls_ciphers};
}

log::Level level_of(const ServeSettings& settings) {
  if (settings.log_level == "debug") return log::Level::Debug;
  if (settings.log_level == "warning") return log::Level::Warning;
  return log::Level::Info;
}

}  // namespace signet::gateway
