#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/stream.h"
#include "gateway/simulator/behaviour.h"
#include "gateway/simulator/partner.h"
#include "gateway/simulator/wire.h"

namespace signet::gateway::simulator {

struct SendSettings {
  std::string agreement;                                                ///< of the partner's account
  std::string url;                                                      ///< empty: the agreement's
  Listener receipt_listener{"receipts", "127.0.0.1", 0, std::nullopt};  ///< for asynchronous receipts
  std::string receipt_url;  ///< where the gateway is to post them; empty: the agreement's receiptDeliveryUrl
  std::chrono::milliseconds delay{1'000};  ///< between two octets of a slow message
  std::chrono::milliseconds patience{
      120'000};  ///< for a slow message to be cut off, and for a receipt to come
};

/// What the gateway made of a message, and whether that is what a good gateway makes of it.
struct SendVerdict {
  bool handled = false;  ///< as it must
  std::string sentence;  ///< what it did
  std::string message_id;
  int http_status = 0;  ///< of the last answer; 0 for none
  std::string disposition;
  bool receipt_signed = false;
};

/// Sends one document to the gateway, well or ill, and judges the answer.
///
/// @error NotFound      no such agreement, no URL.
/// @error InvalidInput  the agreement does not demand what the behaviour leaves out, so nothing would be
/// shown.
/// @error Unavailable   the gateway cannot be reached.
Result<SendVerdict> send(const PartnerPorts& ports, const SendSettings& settings,
                         const SendBehaviour& behaviour, const Slice& payload, const std::string& file_name,
                         const StopSignal& stop);

}  // namespace signet::gateway::simulator
