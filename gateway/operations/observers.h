#pragma once

#include <vector>

#include "gateway/exchange/observer.h"

namespace signet::gateway {

/// Tells several observers, in the order in which they were added. They outlive it.
class Observers final : public ExchangeObserver {
 public:
  /// Before anything happens.
  void add(ExchangeObserver& observer) { all_.push_back(&observer); }

  void message(MessageEvent event, const MessageRecord& record) override {
    for (ExchangeObserver* one : all_) one->message(event, record);
  }
  void receipt_sent(const MessageRecord& record) override {
    for (ExchangeObserver* one : all_) one->receipt_sent(record);
  }
  void receipt_received(const MessageRecord& record) override {
    for (ExchangeObserver* one : all_) one->receipt_received(record);
  }
  void posted(Posting what, const std::string& agreement, bool taken,
              std::chrono::microseconds took) override {
    for (ExchangeObserver* one : all_) one->posted(what, agreement, taken, took);
  }
  void receipt_post_ended(const ReceiptPost& post) override {
    for (ExchangeObserver* one : all_) one->receipt_post_ended(post);
  }

 private:
  std::vector<ExchangeObserver*> all_;
};

}  // namespace signet::gateway
