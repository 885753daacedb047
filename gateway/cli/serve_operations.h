#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/cli/home.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/operations/metrics.h"
#include "gateway/operations/operations_handler.h"
#include "gateway/operations/readiness.h"

namespace signet::gateway {

/// A running gateway as those see it who run it: what is counted, checked and looked up, and the listener
/// that shows it.
class ServeOperations {
 public:
  /// `home` outlives this.
  ServeOperations(Home& home, const ServeSettings& settings);

  /// Hears what happens to messages.
  [[nodiscard]] ExchangeObserver& observer() { return metrics_; }
  /// A queue whose length is to be shown. Before listen().
  void show_queue(std::string name, std::function<std::size_t()> waiting);

  /// Opens the operations listener if the settings name one. It answers that the gateway is not ready until
  /// serving().
  ///
  /// @error  as parse_listener(), HttpServer::start().
  Result<> listen(const ServeSettings& settings);
  /// With its port; nothing without one.
  [[nodiscard]] std::optional<Listener> listener() const;

  void serving() { phase_ = Phase::Serving; }
  void stopping() { phase_ = Phase::Stopping; }
  /// Ends the listener: before what it shows goes away.
  void close() { server_.reset(); }

  /// What a running gateway can take up of new settings.
  void take_up(const ServeSettings& settings);
  /// Says in the log which certificates that are in use end soon.
  void warn_of_expiry();

 private:
  enum class Phase { Starting, Serving, Stopping };
  struct Queue {
    std::string name;
    std::function<std::size_t()> waiting;
  };

  [[nodiscard]] Result<> check_phase() const;
  [[nodiscard]] Result<> check_disk();
  std::vector<Reading> readings();
  Reading queue_reading() const;
  Reading readiness_reading();

  Home& home_;
  std::atomic<Phase> phase_ = Phase::Starting;
  std::atomic<std::uint64_t> minimum_free_disk_;
  std::atomic<unsigned> expiry_notice_;
  std::vector<Queue> queues_;
  Readiness readiness_;
  Metrics metrics_;
  OperationsHandler handler_;
  std::optional<Listener> listener_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace signet::gateway
