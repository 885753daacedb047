#include "gateway/exchange/message_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <utility>

#include "base/bytes.h"
#include "base/chunk.h"

namespace signet::gateway {

std::string_view to_string(ExchangeOrigin origin) { return origin == ExchangeOrigin::Us ? "us" : "partner"; }

std::string_view to_string(ExchangeState state) {
  switch (state) {
    case ExchangeState::Waiting:
      return "waiting";
    case ExchangeState::Accepted:
      return "accepted";
    case ExchangeState::Rejected:
      return "rejected";
  }
  return "waiting";
}
namespace {

constexpr std::array<std::pair<Direction, std::string_view>, 2> kDirections = {
    {{Direction::Inbound, "inbound"}, {Direction::Outbound, "outbound"}}};

constexpr std::array<std::pair<MessageState, std::string_view>, 10> kStates = {
    {{MessageState::Received, "received"},
     {MessageState::Accepted, "accepted"},
     {MessageState::Delivered, "delivered"},
     {MessageState::Refused, "refused"},
     {MessageState::Queued, "queued"},
     {MessageState::Sending, "sending"},
     {MessageState::AwaitingReceipt, "awaiting-receipt"},
     {MessageState::Confirmed, "confirmed"},
     {MessageState::Failed, "failed"},
     {MessageState::Cancelled, "cancelled"}}};

template <class Words, class Value>
std::string_view word_for(const Words& words, Value value) {
  for (const auto& [known, word] : words)
    if (known == value) return word;
  return "";
}

template <class Value, std::size_t N>
Result<Value> value_of(const std::array<std::pair<Value, std::string_view>, N>& words,
                       std::string_view text) {
  for (const auto& [value, word] : words)
    if (equal_ignoring_case(word, text)) return value;
  std::string known;
  for (const auto& entry : words) known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.second);
  return fail(ErrorKind::InvalidInput, fmt::format("expected one of {}, got '{}'", known, printable(text)));
}

}  // namespace

std::string head_octets(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string octets;
  for (const auto& [name, value] : headers) octets.append(name).append(": ").append(value).append("\r\n");
  return octets + "\r\n";
}

Result<bool> ends_with(const Slice& whole, const Slice& end) {
  if (whole.size() < end.size()) return false;
  const Slice last = whole.sub(whole.size() - end.size());
  if (last.is(end)) return true;
  SliceSource tail(last);
  SliceSource wanted(end);
  // Slices of the same size are read in the same portions; were they not, a no costs space and nothing else.
  Chunk some;
  Chunk others;
  for (;;) {
    SIGNET_TRY(const std::size_t count, tail.read(some));
    SIGNET_TRY(const std::size_t same, wanted.read(others));
    if (count != same ||
        !std::equal(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count), others.begin()))
      return false;
    if (count == 0) return true;
  }
}

std::string_view to_string(Direction direction) { return word_for(kDirections, direction); }
std::string_view to_string(MessageState state) { return word_for(kStates, state); }
Result<Direction> parse_direction(std::string_view word) { return value_of(kDirections, word); }
Result<MessageState> parse_state(std::string_view word) { return value_of(kStates, word); }

StoredReceipt plain_answer(int http_status, std::string_view text, std::string_view request_id) {
  StoredReceipt answer;
  answer.http_status = http_status;
  answer.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  answer.body = to_bytes(fmt::format("{}\r\nRequest-Id: {}\r\n", text, request_id));
  return answer;
}

Bytes to_octets(const StoredReceipt& receipt) {
  Bytes octets = to_bytes(head_octets(receipt.headers));
  octets.insert(octets.end(), receipt.body.begin(), receipt.body.end());
  return octets;
}

Result<> MessageStore::commit_inbound(InboundCommit commit) {
  std::promise<Result<>> outcome;
  commit_inbound(std::move(commit), [&](Result<> result) { outcome.set_value(std::move(result)); });
  return outcome.get_future().get();
}

Result<> MessageStore::commit_inbound(const MessageRecord& record, const Slice& payload,
                                      const StoredReceipt& receipt, bool unique) {
  return commit_inbound({record, payload, receipt, unique, std::nullopt, {}, record.created});
}

Result<> MessageStore::mark_delivered(std::string_view id, std::string_view where, Time when) {
  std::promise<Result<>> outcome;
  mark_delivered(id, where, when, [&](Result<> result) { outcome.set_value(std::move(result)); });
  return outcome.get_future().get();
}

}  // namespace signet::gateway
