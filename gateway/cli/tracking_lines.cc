#include "gateway/cli/tracking_lines.h"

#include <nlohmann/json.hpp>

#include "gateway/operations/tracking.h"

namespace signet::gateway {
namespace {

/// What need not be there: an answer that has not come, a head that is not kept.
template <class T>
Result<std::optional<T>> if_there(Result<T> found) {
  if (found) return std::optional<T>(*std::move(found));
  if (found.error().kind == ErrorKind::NotFound) return std::optional<T>();
  return fail(std::move(found).error());
}

}  // namespace

Result<std::vector<std::string>> tracking_lines(Home& home, const MessageRecord& record) {
  if (record.state == MessageState::Received) return std::vector<std::string>();
  SIGNET_TRY(const auto account, home.current_account());
  TrackedMessage message;
  message.record = record;
  if (const auto* agreement = account->directory().by_name(record.agreement))
    message.agreement = &agreement->agreement;
  SIGNET_TRY(message.receipt, if_there(home.store().receipt(record.id)));
  SIGNET_TRY(message.post, if_there(home.store().receipt_post(record.id)));
  SIGNET_TRY(const auto wire, if_there(home.store().wire(record.id)));
  if (wire) message.headers = wire->headers;

  std::vector<std::string> lines;
  for (const nlohmann::ordered_json& event : tracking_events(message))
    lines.push_back(event.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
  return lines;
}

}  // namespace signet::gateway
