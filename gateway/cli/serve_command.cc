#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/cli/control_channel.h"
#include "gateway/cli/home.h"
#include "gateway/cli/seal_gate.h"
#include "gateway/cli/serve_api.h"
#include "gateway/cli/serve_est.h"
#include "gateway/cli/serve_issuance.h"
#include "gateway/cli/serve_lock.h"
#include "gateway/cli/serve_operations.h"
#include "gateway/cli/serve_process.h"
#include "gateway/cli/serve_publication.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/shown_certificates.h"
#include "gateway/cli/subcommands.h"
#include "gateway/cli/vault_seal.h"
#include "gateway/cli/vault_upkeep.h"
#include "gateway/cli/version.h"
#include "gateway/cli/wiring.h"
#include "gateway/delivery/delivery_queue.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/evidence/retention.h"
#include "gateway/exchange/as2_handler.h"
#include "gateway/exchange/inbound.h"
#include "gateway/exchange/outbound.h"
#include "gateway/exchange/outbox.h"
#include "gateway/exchange/posted_receipts.h"
#include "gateway/exchange/receipt_poster.h"
#include "gateway/operations/service_manager.h"
#include "gateway/pickup/pickup_service.h"
#include "gateway/remote_vault/linked_vaults.h"
#include "gateway/revocation/revocation_fetcher.h"

namespace signet::gateway {
namespace {

// A stop takes less than ten seconds, whatever is in hand.
constexpr std::chrono::milliseconds kDrainTime{5'000};     ///< for requests that are being read or served
constexpr std::chrono::milliseconds kHandOverTime{2'500};  ///< then, for payloads that wait

constexpr std::string_view kPlainListener = "as2";
constexpr std::string_view kTlsListener = "as2-tls";

ClientCertificates client_certificates(const ServeSettings& settings) {
  if (settings.tls_client_certificates == "required") return ClientCertificates::Required;
  if (settings.tls_client_certificates == "wanted") return ClientCertificates::Wanted;
  return ClientCertificates::NotAsked;
}

Result<std::vector<Listener>> listeners(Home& home, const ServeSettings& settings) {
  SIGNET_TRY(std::vector<Listener> all, parse_listeners(settings.listen, kPlainListener));
  if (settings.listen_tls.empty()) return all;
  SIGNET_TRY(const auto account, home.current_account());
  SIGNET_TRY(const TlsIdentity identity, identity_of(*account, settings.tls_certificate, "tls-certificate"));
  SIGNET_TRY(std::vector<Listener> with_tls, parse_listeners(settings.listen_tls, kTlsListener));
  for (Listener& listener : with_tls) {
    listener.tls = identity;
    listener.client_certificates = client_certificates(settings);
    listener.tls_rules = tls_rules_of(settings);
    all.push_back(std::move(listener));
  }
  return all;
}

/// Which certificates have to be renewed where.
std::vector<ShownCertificates::Shown> to_be_renewed(const std::vector<Listener>& for_partners,
                                                    HttpServer& server, ServeApi* api, ServeEst* est) {
  std::vector<ShownCertificates::Shown> shown;
  if (std::string thumbprints = shown_by(for_partners); !thumbprints.empty())
    shown.push_back(
        {"tls-certificate", &ServeSettings::tls_certificate,
         [&server](const TlsIdentity& identity) { return server.renew_tls(kTlsListener, identity); },
         std::move(thumbprints)});
  if (api != nullptr)
    shown.push_back({"api-certificate", &ServeSettings::api_certificate,
                     [api](const TlsIdentity& identity) { return api->renew_tls(identity); },
                     shown_by(api->listeners())});
  if (est != nullptr) shown.push_back(est->shown());
  return shown;
}

/// An agreement's folder; one below our own directory is made, one elsewhere has to be there.
/// @param named  as the agreement has it: absolute, below `ours`, or empty: named like the agreement
Result<std::filesystem::path> agreement_folder(const std::filesystem::path& ours,
                                               const std::filesystem::path& named,
                                               std::string_view agreement) {
  if (named.is_absolute()) return named;
  const auto below = ours / (named.empty() ? std::filesystem::path(agreement) : named);
  SIGNET_CHECK(make_directories_durably(below));  // or a power cut would take it with what lies in it
  return below;
}

/// The webhook, with its secret as the vault has it now.
Result<Webhook> webhook_of(Home& home, const agreements::Webhook& agreed) {
  SIGNET_TRY(SecretBytes secret, home.secret(agreed.key_vault, agreed.secret_name));
  return Webhook{agreed.url, agreed.timeout, agreed.secret_name, std::move(secret)};
}

/// Where an agreement's payloads go to.
Result<DeliveryTarget> delivery_target(Home& home, std::string_view agreement_name) {
  SIGNET_TRY(const auto account, home.current_account());
  const auto* agreement = account->directory().by_name(agreement_name);
  if (agreement == nullptr)
    return fail(
        ErrorKind::NotFound,
        fmt::format("agreement '{}' is gone, and with it the folder to hand over to", agreement_name));
  const agreements::Delivery& delivery = agreement->agreement.receive_agreement.delivery;
  if (delivery.webhook) {
    SIGNET_TRY(Webhook webhook, webhook_of(home, *delivery.webhook));
    return webhook;
  }
  SIGNET_TRY(const auto folder, agreement_folder(home.delivery_directory(), delivery.folder, agreement_name));
  return folder;
}

/// The folders that documents are picked up from: none while the vault is sealed, since no message can be
/// made of one then.
Result<std::vector<PickupSettings>> pickup_folders(Home& home) {
  if (home.vault().is_sealed()) return std::vector<PickupSettings>();
  SIGNET_TRY(const auto account, home.current_account());
  std::vector<PickupSettings> all;
  for (const agreements::ResolvedAgreement& resolved : account->directory().all()) {
    const agreements::Agreement& agreement = resolved.agreement;
    const auto& pickup = agreement.send_agreement.pickup;
    if (!pickup) continue;
    SIGNET_TRY(const auto folder, agreement_folder(home.pickup_directory(), pickup->folder, agreement.name));
    all.push_back({agreement.name, folder, pickup->stable_for, pickup->keep_sent});
  }
  return all;
}

/// Where a start fails once lists are fetched, its end waits for no server that does not answer. What is
/// broken off so is not taken for a failure of that server.
struct EndQuickly {
  RevocationFetcher& fetcher;
  HttpClient& client;
  EndQuickly(RevocationFetcher& fetching, HttpClient& posting) : fetcher(fetching), client(posting) {}
  EndQuickly(const EndQuickly&) = delete;
  EndQuickly& operator=(const EndQuickly&) = delete;
  ~EndQuickly() {
    fetcher.stop();
    client.stop();
  }
};

/// A gateway at work, and what it goes by.
struct Running {
  Home& home;
  ServeApi* api;  ///< nothing where there are no REST services
  As2Handler& handler;
  ServeOperations& operations;
  ShownCertificates& certificates;
  RevocationFetcher& revocation_fetcher;
  const GivenOptions& given;
  ServeSettings settings;
};

/// Takes up what serve.toml says now, and the certificates as they are now. Everything is checked before
/// anything is changed.
Result<> reload(Running& running) {
  SIGNET_TRY(const ServeSettings wanted,
             read_serve_settings(running.given, running.home.directory() / "serve.toml"));
  std::optional<api::JwkSet> jwt_keys;
  if (running.api != nullptr) {
    SIGNET_TRY(jwt_keys, read_jwt_keys(running.settings.jwt_keys));
  }
  SIGNET_CHECK(running.certificates.take_up(wanted));
  if (jwt_keys) running.api->take_up(*std::move(jwt_keys));
  log::set_level(level_of(wanted));
  running.handler.set_body_limit(wanted.body_limit);
  running.operations.take_up(wanted);
  running.revocation_fetcher.allow(crl_places_of(wanted));
  warn_of_settings_that_wait(running.settings, wanted);
  running.settings.tls_certificate = wanted.tls_certificate;
  running.settings.api_certificate = wanted.api_certificate;
  running.settings.log_level = wanted.log_level;
  running.settings.body_limit = wanted.body_limit;
  return {};
}

/// Commands beside the gateway read the file, and know nothing of its command line.
void warn_of_definitions_outside_the_file(const GivenOptions& given, const std::filesystem::path& file) {
  const bool some = std::any_of(given.begin(), given.end(),
                                [](const auto& option) { return option.first == "--service-certificate"; });
  if (!some) return;
  log::warning(
      "service-certificates-not-in-file",
      {{"reason", fmt::format("--service-certificate is of this process alone: lint, apply and binding "
                              "go by {}, so define the names there",
                              file.string())}});
}

Result<> serve(const CommandContext& context, const GivenOptions& given) {
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given, context.home / "serve.toml"));
  const sigset_t signals = block_signals();
  std::optional<EndInTime> end_in_time;

  SIGNET_TRY(const auto home, open_to_serve(context.home, settings));
  home->define_service_certificates(service_definitions_of(settings));
  warn_of_definitions_outside_the_file(given, context.home / "serve.toml");
  SIGNET_TRY(const ServeLock lock, ServeLock::take(home->directory(), home->clock().now()));
  SIGNET_CHECK(settle_home(*home));
  const auto is_sealed = [&home] { return home->vault().is_sealed(); };
  MessageStore& store = wiring::message_store(home->store());
  ServeOperations operations(*home, settings, given);
  SIGNET_CHECK(operations.check_tracking_file());
  const CurrentAccount account = [&home] { return home->current_account(); };
  HttpClient client(home->spool_area());
  const auto post = [&client](const HttpPost& request) { return client.post(request); };
  RevocationLists revocation(home->revocations());
  operations.show_revocation(revocation);
  RevocationFetcher revocation_fetcher({account,
                                        revocation,
                                        {[&client](const HttpGet& request) { return client.get(request); },
                                         home->revocations(), home->clock()}},
                                       crl_places_of(settings));
  DeliveryQueue delivery(
      {store, home->clock(),
       [&home](std::string_view agreement) { return delivery_target(*home, agreement); }, post},
      {}, operations.observer());
  operations.show_queue("hand-over", [&] { return delivery.waiting(); });
  const auto hand_over = [&delivery](const std::string& id, const std::string& agreement) {
    delivery.enqueue(id, agreement);
  };
  ReceiptPoster receipt_poster({account, store, home->clock(), post, std::string(kProduct),
                                operations.observer(), is_sealed, revocation});
  OutboundExchange outbound(
      {account, store, home->clock(), post, operations.observer(), revocation},
      {std::string(kProduct), std::string(kAs2Product), host_of(settings), home->spool_area()});
  const auto post_receipt = [&receipt_poster](const std::string& id, const std::string& agreement) {
    receipt_poster.enqueue(id, agreement);
  };
  Outbox outbox(
      {outbound, store, account, home->clock(), hand_over, post_receipt, operations.observer(), is_sealed});
  PostedReceipts posted_receipts(
      {account, store, home->clock(), home->spool_area(), operations.observer(), revocation});

  InboundOptions inbound;
  inbound.product = kProduct;
  inbound.host = host_of(settings);
  inbound.stranger_answer =
      settings.stranger_answer == "http" ? StrangerAnswer::HttpError : StrangerAnswer::UnsignedMdn;
  inbound.decryption_failures = settings.decryption_failures;
  inbound.workers = settings.workers;
  inbound.spool = home->spool_area();
  InboundExchange exchange({account, store, home->clock(), hand_over, post_receipt,
                            [&](const std::string& id) { receipt_poster.repeat(id); }, operations.observer(),
                            is_sealed, revocation, &home->exchanges()},
                           inbound);
  As2Handler handler(exchange, posted_receipts, account, revocation,
                     {settings.path, settings.receipt_path, settings.body_limit});
  SealGate gate(handler, is_sealed, settings.receipt_path);

  HttpServerConfig config;
  SIGNET_TRY(config.listeners, listeners(*home, settings));
  config.spool = home->spool_area();
  config.workers = settings.workers;
  config.limits.connections = settings.connections;
  config.limits.connections_per_address = settings.connections_per_address;
  config.limits.queued_requests = settings.queued_requests;
  config.limits = wiring::http_limits(config.limits);
  SIGNET_TRY(const auto server, HttpServer::listen(config, wiring::http_handler(gate)));
  operations.show_load(*server);
  operations.show_queue("to-be-opened", [&] { return exchange.to_open(); });
  operations.show_queue("outbox", [&] { return outbox.waiting(); });
  operations.show_queue("awaiting-receipt", [&] { return outbox.awaited(); });
  operations.show_queue("receipts-to-post", [&] { return receipt_poster.waiting(); });
  operations.show_unreachable([&] { return outbox.broken(); });
  operations.show_unreachable([&] { return receipt_poster.broken(); });
  SIGNET_TRY(const std::unique_ptr<ServeApi> api, ServeApi::listen(*home, settings, given));
  SIGNET_TRY(const std::unique_ptr<ServeIssuance> issuance, ServeIssuance::listen(*home, settings, given));
  SIGNET_TRY(const std::unique_ptr<ServeEst> est, ServeEst::listen(*home, settings));
  SIGNET_TRY(const std::unique_ptr<ServePublication> publication, ServePublication::listen(*home, settings));
  SIGNET_TRY(const auto operations_listener, operations.listen(settings));

  const EndQuickly end_quickly{revocation_fetcher, client};
  // Settings and ports are good: from here on messages are worked on, first those that were left.
  revocation_fetcher.start();
  SIGNET_TRY(const std::size_t to_hand_over, delivery.recover());
  SIGNET_TRY(const std::size_t to_open, exchange.recover());
  SIGNET_TRY(const std::size_t to_post, receipt_poster.recover());
  SIGNET_CHECK(outbox.start());
  const auto submit = [&](const SendRequest& request) -> Result<MessageRecord> {
    SIGNET_TRY(MessageRecord record, outbound.submit(request, Custody::Outbox));
    outbox.take_on(record);
    return record;
  };
  PickupService pickup([&home] { return pickup_folders(*home); }, {submit, store, home->spool_area()});
  Retention retention(home->evidence(), account, home->clock());
  VaultSeal seal(*home);
  SIGNET_TRY(std::unique_ptr<ControlChannel> control, open_control_channel(*home, seal));

  std::vector<Listener> bound = config.listeners;
  for (std::size_t i = 0; i < bound.size(); ++i) bound[i].port = server->ports()[i];
  if (operations_listener) bound.push_back(operations_listener->listeners.front());
  if (api) bound.insert(bound.end(), api->listeners().begin(), api->listeners().end());
  bound.insert(bound.end(), issuance->listeners().begin(), issuance->listeners().end());
  if (est) bound.insert(bound.end(), est->listeners().begin(), est->listeners().end());
  if (publication)
    bound.insert(bound.end(), publication->listeners().begin(), publication->listeners().end());
  SIGNET_CHECK(announce(bound, settings));
  // Nothing stands in the way any more: who connected has waited for this.
  server->accept();
  if (api) api->accept();
  if (est) est->accept();
  if (publication) publication->accept();
  issuance->start();
  log::info("serving", {{"version", std::string(kProduct)},
                        {"openssl", vault::openssl_version()},
                        {"home", home->directory().string()},
                        {"waiting_for_delivery", std::to_string(to_hand_over)},
                        {"waiting_to_be_opened", std::to_string(to_open)},
                        {"receipts_to_post", std::to_string(to_post)}});

  notify_ready();

  VaultUpkeep upkeep(*home, given);
  {
    ShownCertificates certificates(*home, settings,
                                   to_be_renewed(config.listeners, *server, api.get(), est.get()));
    Running running{*home, api.get(), handler, operations, certificates, revocation_fetcher, given, settings};
    serve_until_told_to_end(signals, operations, [&running] {
      reload_settings([&running] { return reload(running); }, running.settings);
    });
    end_in_time.emplace(kLongestStop);  // whatever still looks for certificates now, in a vault elsewhere
  }
  control.reset();
  pickup.stop();
  exchange.stop();
  outbox.stop();
  receipt_poster.stop();
  revocation_fetcher.stop();
  retention.stop();
  server->stop(kDrainTime);
  if (api) api->stop(kApiDrainTime);
  home->linked_vaults().stop();  // nobody waits any longer for a vault that does not answer
  if (est) est->stop();
  issuance->stop();
  if (publication) publication->stop();
  client.stop();  // what was being sent is sent again at the next start, under its Message-ID
  revocation_fetcher.join();
  delivery.drain(kHandOverTime);
  upkeep.stop();
  log::info("stopped");
  return {};
}

}  // namespace

void add_serve_command(CLI::App& app, CommandContext& context) {
  auto settings = std::make_shared<ServeSettings>();
  CLI::App* command = app.add_subcommand(
      "serve", "Run the gateway: receive messages, answer with receipts, hand payloads over");
  command->footer(
      "Example: signet --home /srv/signet serve --listen 0.0.0.0:4080 --host as2.example.com\n"
      "Every option may also stand in <home>/serve.toml, as listen = [\"0.0.0.0:4080\"]. SIGHUP has the file "
      "read again;\n"
      "SIGTERM ends the gateway in less than ten seconds.");
  when_named(*command, [settings](CLI::App& named) { add_serve_options(named, *settings); });
  // The options are checked where they are parsed and read again with the file; `settings` only gives their
  // defaults a place.
  command->callback([&context, command, settings] {
    run_command(context, [&] { return serve(context, given_options(*command)); });
  });
}

}  // namespace signet::gateway
