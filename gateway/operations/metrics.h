#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/exchange/observer.h"

namespace signet::gateway {

/// Something that is looked up when it is asked for: how full a disk is, how many days a certificate has
/// left.
struct Reading {
  struct Value {
    std::map<std::string, std::string> labels;
    double value = 0;
  };
  enum class Kind { Gauge, Counter };

  std::string name;  ///< with its unit: "signet_disk_free_bytes"; a counter's ends in "_total"
  std::string help;
  std::vector<Value> values;
  Kind kind = Kind::Gauge;
};

/// Counters and latencies of the journeys, in Prometheus' text format. Labels are words of ours and names of
/// agreements, never anything out of a stranger's message; so there are as many series as the account has
/// agreements, and no more.
class Metrics final : public ExchangeObserver {
 public:
  /// `clock` outlives the metrics.
  explicit Metrics(const Clock& clock);
  ~Metrics() override;

  void message(MessageEvent event, const MessageRecord& record) override;
  void receipt_sent(const MessageRecord& record) override;
  void receipt_received(const MessageRecord& record) override;
  void posted(Posting what, const std::string& agreement, bool taken,
              std::chrono::microseconds took) override;
  void receipt_post_ended(const ReceiptPost& post) override;

  /// Shows an agreement's counters from now on, at 0 until something happens: an alert sees only what grows.
  void know(const std::string& agreement);

  /// Everything counted up to now, and the readings.
  [[nodiscard]] std::string text(const std::vector<Reading>& readings) const;
  /// The Content-Type of text().
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Series;
  const Clock& clock_;
  std::unique_ptr<Series> series_;
};

}  // namespace signet::gateway
