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

nlohmann::ordered_json moment(const std::optional<Time>& time) {
  return time ? nlohmann::ordered_json(to_rfc3339(*time)) : nlohmann::ordered_json();
}

/// For people, one fact a line.
class Facts {
 public:
  /// A fact that is not there has no line.
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{:<16} {}\n", name, value);
  }
  void add(std::string_view name, const std::optional<Time>& time) {
    if (time) add(name, to_rfc3339(*time));
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

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
          {"settled", moment(record.settled)},
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
          {"revocationUnchecked", record.revocation_unchecked},
          {"reason", record.reason},
          {"reasonCode", reason_code(record.reason)},
          {"deliveredTo", record.delivered_to},
          {"attempts", record.attempts},
          {"due", moment(record.due)},
          {"receiptUrl", record.receipt_url}};
}

std::string to_text(const MessageRecord& record) {
  Facts facts;
  facts.add("state", to_string(record.state));
  facts.add("reason", record.reason);
  facts.add("id", record.id);
  facts.add("direction", to_string(record.direction));
  facts.add("agreement", record.agreement);
  facts.add("from", printable(record.as2_from));
  facts.add("to", printable(record.as2_to));
  facts.add("message id", printable(record.message_id, 998));
  facts.add("subject", printable_name(record.subject));
  facts.add("created", to_rfc3339(record.created));
  facts.add("settled", record.settled);
  facts.add("request", record.request_id);
  facts.add("peer", record.remote_address);
  facts.add("content type", printable(record.content_type));
  facts.add("file name", printable_name(record.file_name));
  facts.add("payload", fmt::format("{} octets", record.payload_size));
  facts.add("security", record.security);
  facts.add("revocation", record.revocation_unchecked);
  facts.add("mic", record.mic.empty() ? "" : record.mic + ", " + record.mic_algorithm);
  facts.add("disposition", printable(record.disposition));
  facts.add("signer", record.signer_thumbprint);
  facts.add("recipient", record.recipient_thumbprint);
  facts.add("receipt signer", record.receipt_signer_thumbprint);
  facts.add("delivered to", record.delivered_to);
  facts.add("receipt to", printable(record.receipt_url));
  facts.add("attempts", record.attempts == 0 ? "" : std::to_string(record.attempts));
  facts.add("due", record.due);
  return std::move(facts).text();
}

nlohmann::ordered_json to_json(const MessageRecord& record, const std::optional<ReceiptPost>& post) {
  nlohmann::ordered_json shown = to_json(record);
  shown["receiptPost"] = nullptr;
  if (post)
    shown["receiptPost"] = {{"attempts", post->attempts},
                            {"queued", to_rfc3339(post->queued)},
                            {"due", moment(post->due)},
                            {"posted", moment(post->posted)},
                            {"givenUp", moment(post->given_up)},
                            {"reason", post->reason},
                            {"reasonCode", reason_code(post->reason)}};
  return shown;
}

std::string to_text(const MessageRecord& record, const std::optional<ReceiptPost>& post) {
  Facts facts;
  if (post) {
    facts.add("receipt posted", post->posted);
    facts.add("receipt given up", post->given_up);
    facts.add("receipt due", post->due);
    facts.add("receipt attempts", std::to_string(post->attempts));
    facts.add("receipt failure", post->reason);
  }
  return to_text(record) + std::move(facts).text();
}

}  // namespace signet::gateway
