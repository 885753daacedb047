#include "gateway/cli/message_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/endpoint/post_fault.h"

namespace signet::gateway {

namespace {

/// For programs: the fault that a reason begins with, or null.
nlohmann::ordered_json reason_code(std::string_view reason) {
  if (const auto fault = fault_of(reason)) return to_string(*fault);
  return nullptr;
}

}  // namespace

nlohmann::ordered_json to_json(const MessageRecord& record) {
  return {{"id", record.id},
          {"direction", to_string(record.direction)},
          {"state", to_string(record.state)},
          {"agreement", record.agreement},
          {"as2From", record.as2_from},
          {"as2To", record.as2_to},
          {"messageId", record.message_id},
          {"subject", record.subject},
          {"created", to_rfc3339(record.created)},
          {"settled",
           record.settled ? nlohmann::ordered_json(to_rfc3339(*record.settled)) : nlohmann::ordered_json()},
          {"requestId", record.request_id},
          {"remoteAddress", record.remote_address},
          {"contentType", record.content_type},
          {"fileName", record.file_name},
          {"payloadSize", record.payload_size},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"disposition", record.disposition},
          {"signerThumbprint", record.signer_thumbprint},
          {"recipientThumbprint", record.recipient_thumbprint},
          {"receiptSignerThumbprint", record.receipt_signer_thumbprint},
          {"security", record.security},
          {"reason", record.reason},
          {"reasonCode", reason_code(record.reason)},
          {"deliveredTo", record.delivered_to},
          {"attempts", record.attempts},
          {"due", record.due ? nlohmann::ordered_json(to_rfc3339(*record.due)) : nlohmann::ordered_json()},
          {"receiptUrl", record.receipt_url}};
}

std::string to_text(const MessageRecord& record) {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{:<16} {}\n", name, value);
  };
  line("state", to_string(record.state));
  line("reason", record.reason);
  line("id", record.id);
  line("direction", to_string(record.direction));
  line("agreement", record.agreement);
  line("from", printable(record.as2_from));
  line("to", printable(record.as2_to));
  line("message id", printable(record.message_id, 998));
  line("subject", printable_name(record.subject));
  line("created", to_rfc3339(record.created));
  line("settled", record.settled ? to_rfc3339(*record.settled) : "");
  line("request", record.request_id);
  line("peer", record.remote_address);
  line("content type", printable(record.content_type));
  line("file name", printable_name(record.file_name));
  line("payload", fmt::format("{} octets", record.payload_size));
  line("security", record.security);
  line("mic", record.mic.empty() ? "" : record.mic + ", " + record.mic_algorithm);
  line("disposition", printable(record.disposition));
  line("signer", record.signer_thumbprint);
  line("recipient", record.recipient_thumbprint);
  line("receipt signer", record.receipt_signer_thumbprint);
  line("delivered to", record.delivered_to);
  line("receipt to", printable(record.receipt_url));
  line("attempts", record.attempts == 0 ? "" : std::to_string(record.attempts));
  line("due", record.due ? to_rfc3339(*record.due) : "");
  return text;
}

}  // namespace signet::gateway
