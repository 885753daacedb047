#include "gateway/cli/message_text.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};

constexpr std::array<Word<Direction>, 2> kDirections = {
    {{Direction::Inbound, "inbound"}, {Direction::Outbound, "outbound"}}};

constexpr std::array<Word<MessageState>, 6> kStates = {{{MessageState::Accepted, "accepted"},
                                                        {MessageState::Delivered, "delivered"},
                                                        {MessageState::Refused, "refused"},
                                                        {MessageState::Sending, "sending"},
                                                        {MessageState::Confirmed, "confirmed"},
                                                        {MessageState::Failed, "failed"}}};

template <class Words, class Enum>
std::string_view text_of(const Words& words, Enum value) {
  for (const auto& word : words)
    if (word.value == value) return word.text;
  return "?";
}

template <class Enum, class Words>
Result<Enum> value_of(const Words& words, std::string_view text) {
  std::string known;
  for (const auto& word : words) {
    if (equal_ignoring_case(word.text, text)) return word.value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", word.text);
  }
  return fail(ErrorKind::InvalidInput, fmt::format("expected one of {}, got '{}'", known, text));
}

}  // namespace

std::string_view to_string(Direction direction) { return text_of(kDirections, direction); }
std::string_view to_string(MessageState state) { return text_of(kStates, state); }
Result<Direction> parse_direction(std::string_view word) { return value_of<Direction>(kDirections, word); }
Result<MessageState> parse_state(std::string_view word) { return value_of<MessageState>(kStates, word); }

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
          {"settled", record.settled ? nlohmann::ordered_json(to_rfc3339(*record.settled)) : nlohmann::ordered_json()},
          {"requestId", record.request_id},
          {"remoteAddress", record.remote_address},
          {"contentType", record.content_type},
          {"fileName", record.file_name},
          {"payloadSize", record.payload_size},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"disposition", record.disposition},
          {"signerThumbprint", record.signer_thumbprint},
          {"receiptSignerThumbprint", record.receipt_signer_thumbprint},
          {"security", record.security},
          {"reason", record.reason},
          {"deliveredTo", record.delivered_to}};
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
  line("subject", printable(record.subject));
  line("created", to_rfc3339(record.created));
  line("settled", record.settled ? to_rfc3339(*record.settled) : "");
  line("request", record.request_id);
  line("peer", record.remote_address);
  line("content type", printable(record.content_type));
  line("file name", printable(record.file_name));
  line("payload", fmt::format("{} octets", record.payload_size));
  line("security", record.security);
  line("mic", record.mic.empty() ? "" : record.mic + ", " + record.mic_algorithm);
  line("disposition", printable(record.disposition));
  line("signer", record.signer_thumbprint);
  line("receipt signer", record.receipt_signer_thumbprint);
  line("delivered to", record.delivered_to);
  return text;
}

}  // namespace signet::gateway
