#include "gateway/cli/serve_operations.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/home_checks.h"
#include "gateway/cli/tracking_lines.h"
#include "gateway/cli/version.h"
#include "gateway/operations/process_readings.h"
#include "gateway/operations/revocation_status.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {
namespace {

/// A few people and programs look, none of them sends a body.
HttpLimits limits_for_onlookers() {
  HttpLimits limits;
  limits.head_size = 8 * 1024;
  limits.connections = 64;
  limits.connections_per_address = 64;
  limits.queued_requests = 64;
  return limits;
}
/// So that a check that waits for a disk leaves somebody to say that the process lives.
constexpr unsigned kWorkers = 3;

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

Reading fixed(const char* name, const char* help, std::map<std::string, std::string> labels, double value) {
  return {name, help, {{std::move(labels), value}}, Reading::Kind::Gauge};
}

void append(std::vector<Reading>& readings, std::vector<Reading> more) {
  readings.insert(readings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Readings that cannot be had are left out; the log says why.
template <class T>
const T* found(const Result<T>& looked_up, std::string_view what) {
  if (looked_up) return &*looked_up;
  log::warning("metric-not-read", {{"metric", std::string(what)}, {"reason", looked_up.error().detail}});
  return nullptr;
}

}  // namespace

ServeOperations::ServeOperations(Home& home, const ServeSettings& settings, const GivenOptions& given)
    : home_(home),
      inventory_(home, given),
      settings_(settings),
      metrics_(home.clock()),
      handler_({readiness_, metrics_, [this] { return readings(); }, home.clock(), std::string(kProduct),
                vault::openssl_version(), [&home] { return home.vault().is_sealed(); }}) {
  observers_.add(metrics_);
  if (!settings.tracking_file.empty()) {
    tracking_ = std::make_unique<EventFile>(
        settings.tracking_file, [this](const std::string& id) -> Result<std::vector<std::string>> {
          SIGNET_TRY(const MessageRecord record, home_.store().find(id));
          return tracking_lines(home_, record);
        });
    observers_.add(*tracking_);
  }
  readiness_.add("serving", [this] { return check_serving(); });
  readiness_.add("account", [this] { return check_account(home_); });
  readiness_.add("store", [this] { return check_store(home_); });
  readiness_.add("audit", [this] { return home_.audit().check(); });
  readiness_.add("vault", [this] { return check_vault(home_); });
  readiness_.add("disk", [this] { return check_disk(); });
}

Result<> ServeOperations::check_tracking_file() const {
  if (!tracking_) return {};
  auto checked = tracking_->check();
  if (!checked) return fail(std::move(checked).error().within("tracking-file"));
  return {};
}

void ServeOperations::show_queue(std::string name, std::function<std::size_t()> waiting) {
  queues_.push_back({std::move(name), std::move(waiting)});
}

Result<std::optional<SideListeners>> ServeOperations::listen(const ServeSettings& settings) {
  if (settings.operations_listen.empty()) return std::nullopt;
  SIGNET_TRY(Listener listener, parse_listener(settings.operations_listen));
  listener.name = "operations";
  if (!is_loopback(listener.address))
    log::warning("operations-listener-is-open", {{"address", listener.address},
                                                 {"reason",
                                                  "it asks nobody for a name: let a firewall see to it that "
                                                  "only those who run the gateway reach it"}});
  HttpServerConfig config;
  config.listeners = {listener};
  config.limits = limits_for_onlookers();
  config.spool = home_.spool_area();
  config.workers = kWorkers;
  SIGNET_TRY(SideListeners open, SideListeners::open(std::move(config), handler_));
  open.server->accept();
  return open;
}

void ServeOperations::take_up(const ServeSettings& settings) {
  const std::lock_guard lock(settings_mutex_);
  settings_ = settings;
}

ServeSettings ServeOperations::settings() const {
  const std::lock_guard lock(settings_mutex_);
  return settings_;
}

Result<std::vector<CertificateExpiry>> ServeOperations::certificates() {
  SIGNET_TRY(const auto account, home_.current_account());
  return certificate_expiries(*account, shown_certificates(settings()));
}

void ServeOperations::warn_of_expiry() {
  const auto certificates = this->certificates();
  if (!certificates) return log::error("certificates-not-read", {{"reason", certificates.error().detail}});
  const Time now = home_.clock().now();
  const unsigned notice = settings().expiry_notice;
  for (const CertificateExpiry& certificate : *certificates) {
    const double days = certificate.days_left(now);
    if (certificate.uses.empty() || days > notice) continue;
    log::warning(days < 0 ? "certificate-expired" : "certificate-expires-soon",
                 {{"certificate", certificate.name},
                  {"owner", certificate.has_key ? "us" : "partner"},
                  {"not_after", to_rfc3339(certificate.not_after)},
                  {"days_left", std::to_string(static_cast<long>(std::floor(days)))},
                  {"uses", to_string(certificate.uses)}});
  }
}

Result<> ServeOperations::check_serving() const {
  if (stopping_) return fail(ErrorKind::Unavailable, "the gateway is stopping");
  return {};
}

Result<> ServeOperations::check_disk() {
  SIGNET_TRY(const std::vector<Volume> volumes, volumes_of(home_));
  return check_free(volumes, settings().minimum_free_disk);
}

std::vector<Reading> ServeOperations::readings() {
  const auto account = home_.current_account();
  if (account)
    for (const agreements::Agreement& agreement : (*account)->account().agreements)
      metrics_.know(agreement.name);
  std::vector<Reading> all = process_readings();
  all.push_back(fixed("signet_build_info", "The versions that run",
                      {{"version", std::string(kProduct)}, {"openssl", vault::openssl_version()}}, 1));
  all.push_back({"signet_log_lines_dropped_total",
                 "Log lines that nobody took",
                 {{{}, static_cast<double>(log::dropped())}},
                 Reading::Kind::Counter});
  all.push_back({"signet_tracking_messages_dropped_total",
                 "Messages whose events the tracking file did not take",
                 {{{}, static_cast<double>(tracking_ ? tracking_->dropped() : 0)}},
                 Reading::Kind::Counter});
  all.push_back(readiness_reading());
  all.push_back(fixed("signet_vault_sealed", "Whether the vault is sealed, so that no key can be used", {},
                      home_.vault().is_sealed() ? 1.0 : 0.0));
  const HttpLoad load = shown_ != nullptr ? shown_->load() : HttpLoad{};
  all.push_back(fixed("signet_http_connections", "Open connections of the AS2 listeners", {},
                      static_cast<double>(load.connections)));
  all.push_back({"signet_http_turned_away_total",
                 "Connections and requests of the AS2 listeners that there was no room for",
                 {{{{"what", "connection"}}, static_cast<double>(load.connections_turned_away)},
                  {{{"what", "request"}}, static_cast<double>(load.requests_turned_away)}},
                 Reading::Kind::Counter});
  all.push_back(queue_reading(load));
  if (account) all.push_back(unreachable_reading(**account));
  if (account && revocation_ != nullptr)
    append(all, readings_of(revocation_standings(*account, *revocation_, home_.clock().now()),
                            revocation_->counts(), home_.clock().now()));
  const auto certificates = this->certificates();
  if (const auto* read = found(certificates, "signet_certificate_expiry_days"))
    all.push_back(reading_of(*read, home_.clock().now()));
  const auto expiry = expiry_reading();
  if (const auto* read = found(expiry, "signet_certificate_expiry_timestamp_seconds")) all.push_back(*read);
  const auto volumes = volumes_of(home_);
  if (const auto* read = found(volumes, "signet_disk_free_bytes")) append(all, readings_of(*read));
  return all;
}

/// Of everything that something goes by, wherever it is kept; those that end first, and no more than a
/// monitor wants to see. Collecting it takes long where there are many, so it is kept while nothing changes,
/// for a minute.
Result<Reading> ServeOperations::expiry_reading() {
  constexpr std::size_t kMostCertificates = 1000;
  constexpr std::chrono::minutes kKept{1};
  const std::lock_guard lock(inventory_mutex_);
  SIGNET_TRY(const std::uint64_t generation, home_.store().generation());
  const auto now = std::chrono::steady_clock::now();
  if (!used_at_ || used_at_->first != generation || now - used_at_->second > kKept) {
    SIGNET_TRY(used_, inventory_.certificates());
    std::erase_if(used_, [&](const InventoryEntry& entry) { return !entry.is_used(home_.clock().now()); });
    used_.resize(std::min(used_.size(), kMostCertificates));
    used_at_ = {generation, now};
  }
  Reading reading{"signet_certificate_expiry_timestamp_seconds",
                  "When a certificate expires that something goes by, in seconds since 1970",
                  {},
                  Reading::Kind::Gauge};
  for (const InventoryEntry& entry : used_)
    reading.values.push_back(
        {{{"kept_in", std::string(to_string(entry.places.front().kind))},
          {"certificate", entry.places.front().name},
          {"thumbprint", entry.certificate.thumbprint_sha256.substr(0, 16)},
          {"owner", entry.has_key ? "us" : "other"}},
         std::chrono::duration<double>(entry.certificate.not_after.time_since_epoch()).count()});
  return reading;
}

Reading ServeOperations::queue_reading(HttpLoad load) const {
  Reading reading{
      "signet_queue_messages", "Requests, messages and receipts that wait", {}, Reading::Kind::Gauge};
  reading.values.push_back({{{"queue", "requests"}}, static_cast<double>(load.queued_requests)});
  for (const Queue& queue : queues_)
    reading.values.push_back({{{"queue", queue.name}}, static_cast<double>(queue.waiting())});
  return reading;
}

Reading ServeOperations::unreachable_reading(const AccountSnapshot& account) const {
  std::set<std::string> unreachable;
  for (const auto& agreements : unreachable_)
    for (std::string& name : agreements()) unreachable.insert(std::move(name));
  Reading reading{
      "signet_partner_unreachable",
      "Whether posts under an agreement fail one after the other, so that it is only tried now and then",
      {},
      Reading::Kind::Gauge};
  for (const agreements::Agreement& agreement : account.account().agreements)
    reading.values.push_back(
        {{{"agreement", agreement.name}}, unreachable.contains(agreement.name) ? 1.0 : 0.0});
  return reading;
}

Reading ServeOperations::readiness_reading() {
  Reading reading{"signet_ready", "Whether each check of /ready passes", {}, Reading::Kind::Gauge};
  for (const Readiness::Finding& finding : readiness_.examine())
    reading.values.push_back({{{"check", finding.name}}, finding.outcome ? 1.0 : 0.0});
  return reading;
}

}  // namespace signet::gateway
