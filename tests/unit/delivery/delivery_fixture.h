#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "gateway/exchange/message_store.h"
#include "tests/support/temporary_folder.h"

namespace signet::gateway {

inline constexpr Time kNoon = Time(std::chrono::microseconds(1'795'000'000'000'000));

using test::TemporaryFolder;

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
