#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/home_inventory.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/side_listeners.h"
#include "gateway/operations/certificate_expiry.h"
#include "gateway/operations/event_file.h"
#include "gateway/operations/metrics.h"
#include "gateway/operations/observers.h"
#include "gateway/operations/operations_handler.h"
#include "gateway/operations/readiness.h"
#include "gateway/revocation/revocation_lists.h"

namespace signet::gateway {

/// A running gateway as those see it who run it: what is counted, checked and looked up, and the listener
/// that shows it.
class ServeOperations {
 public:
  /// `home` outlives this.
  ServeOperations(Home& home, const ServeSettings& settings, const GivenOptions& given);

  /// Hears what happens to messages.
  [[nodiscard]] ExchangeObserver& observer() { return observers_; }
  /// Whether what is to be written can be, now. @error  as EventFile::check()
  [[nodiscard]] Result<> check_tracking_file() const;
  /// A queue whose length is to be shown. Before listen().
  void show_queue(std::string name, std::function<std::size_t()> waiting);
  /// The agreements whose partners do not answer. Before listen().
  void show_unreachable(std::function<std::vector<std::string>()> agreements) {
    unreachable_.push_back(std::move(agreements));
  }
  /// The revocation lists that certificates are looked up in. Before listen().
  void show_revocation(RevocationLists& lists) { revocation_ = &lists; }
  /// The server whose load is to be shown. Before listen().
  void show_load(const HttpServer& server) { shown_ = &server; }

  /// Opens the operations listener; nothing where the settings name none. Everything that is to be shown
  /// outlives the server, and so does this.
  ///
  /// @error  as parse_listener(), HttpServer::start().
  Result<std::optional<SideListeners>> listen(const ServeSettings& settings);

  /// From now on /ready says no.
  void stopping() { stopping_ = true; }

  /// What a running gateway can take up of new settings.
  void take_up(const ServeSettings& settings);
  /// Says in the log which certificates that are in use end soon.
  void warn_of_expiry();

 private:
  struct Queue {
    std::string name;
    std::function<std::size_t()> waiting;
  };

  [[nodiscard]] ServeSettings settings() const;
  Result<std::vector<CertificateExpiry>> certificates();
  [[nodiscard]] Result<> check_serving() const;
  [[nodiscard]] Result<> check_disk();
  std::vector<Reading> readings();
  Result<Reading> expiry_reading();
  [[nodiscard]] Reading queue_reading(HttpLoad load) const;
  [[nodiscard]] Reading unreachable_reading(const AccountSnapshot& account) const;
  Reading readiness_reading();

  Home& home_;
  HomeInventory inventory_;
  std::mutex inventory_mutex_;
  std::vector<InventoryEntry> used_;  ///< of the inventory, as it was at that generation and time
  std::optional<std::pair<std::uint64_t, std::chrono::steady_clock::time_point>> used_at_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex settings_mutex_;
  ServeSettings settings_;  ///< as read last: only what take_up() can change is looked at
  std::vector<Queue> queues_;
  std::vector<std::function<std::vector<std::string>()>> unreachable_;
  const HttpServer* shown_ = nullptr;
  RevocationLists* revocation_ = nullptr;
  Readiness readiness_;
  Metrics metrics_;
  std::unique_ptr<EventFile> tracking_;
  Observers observers_;
  OperationsHandler handler_;
};

}  // namespace signet::gateway
