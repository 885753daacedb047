#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "gateway/pickup/pickup_folder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unasked_message_store.h"

namespace signet::gateway {

/// Keeps outbound messages in memory, and makes them, or fails to. Thread-safe.
class FakeOutbox final : public test::UnaskedMessageStore {
 public:
  Result<MessageRecord> submit(const SendRequest& request) {
    const std::lock_guard lock(mutex_);
    if (trouble_) return fail(*trouble_);
    MessageRecord record;
    record.id = request.id;
    record.direction = Direction::Outbound;
    record.state = MessageState::Queued;
    record.agreement = request.agreement;
    record.file_name = request.file_name;
    record.message_id = "<" + request.id + "@acme.example>";
    SIGNET_TRY(const Bytes payload, request.payload.to_bytes(1'000'000));
    payloads_.emplace_back(request.file_name + ": " + std::string(as_text(payload)));
    records_[record.id] = record;
    return record;
  }

  Result<MessageRecord> find(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    const auto found = records_.find(std::string(id));
    if (found == records_.end()) return fail(ErrorKind::NotFound, "no such message");
    return found->second;
  }

  void fail_with(std::optional<Error> trouble) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(trouble);
  }
  void settle_all(MessageState state, const std::string& reason = "") {
    const std::lock_guard lock(mutex_);
    for (auto& [id, record] : records_) record.state = state, record.reason = reason;
  }
  /// "<file name>: <content>" of every message, in the order in which they were made.
  std::vector<std::string> payloads() {
    const std::lock_guard lock(mutex_);
    return payloads_;
  }
  /// Our ids of all messages.
  std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [id, record] : records_) all.push_back(id);
    return all;
  }
  PickupPorts ports() {
    return {[this](const SendRequest& request) { return submit(request); }, *this, SpoolArea{}};
  }

 private:
  std::mutex mutex_;
  std::optional<Error> trouble_;
  std::map<std::string, MessageRecord> records_;
  std::vector<std::string> payloads_;
};

}  // namespace signet::gateway
