#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "gateway/exchange/message_store.h"

namespace signet::gateway {

inline constexpr Time kNoon = Time(std::chrono::microseconds(1'795'000'000'000'000));

/// A directory of the test's own, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "/signet-delivery-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }

  /// Everything in it, hidden or not, in order.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::string path_;
};

/// An accepted message; the same for the same name.
inline MessageRecord record_of(std::string_view name) {
  MessageRecord record;
  record.id = hex_lower(ByteView(digest(Hash::Sha256, as_bytes(name))).first(16));
  record.state = MessageState::Accepted;
  record.agreement = "acme-globex";
  record.as2_from = "Acme";
  record.as2_to = "Globex";
  record.message_id = "<" + std::string(name) + "@acme.example>";
  record.created = kNoon;
  record.file_name = "order.edi";
  record.content_type = "application/edi-x12";
  record.mic = "bWlj";
  record.mic_algorithm = "sha-256";
  record.signer_thumbprint = "AB12";
  return record;
}

/// A message that was sent and confirmed.
inline MessageRecord sent_record_of(std::string_view name, bool hands_receipt_over) {
  MessageRecord record = record_of(name);
  record.direction = Direction::Outbound;
  record.state = MessageState::Confirmed;
  record.settled = kNoon + std::chrono::minutes(1);
  record.receipt_signer_thumbprint = "CD34";
  record.hands_receipt_over = hands_receipt_over;
  return record;
}

}  // namespace signet::gateway
