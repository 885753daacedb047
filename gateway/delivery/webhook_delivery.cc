#include "gateway/delivery/webhook_delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "gateway/delivery/message_facts_internal.h"
#include "gateway/delivery/webhook_signature.h"

namespace signet::gateway {
namespace {

/// The longest text of a partner's that goes into a header: servers refuse heads of more than 8 KiB or so,
/// and then no subject must keep its message from being handed over.
constexpr std::size_t kLongestText = 256;

std::string facts_for_header(const MessageRecord& record, std::uint64_t size, ByteView sha256, Time now) {
  nlohmann::ordered_json facts = facts_for_business(record, size, sha256, now);
  for (auto& fact : facts) {
    if (!fact.is_string()) continue;
    auto& text = fact.get_ref<std::string&>();
    if (text.size() > kLongestText) text = text.substr(0, kLongestText) + "...";
  }
  constexpr bool kInAscii = true;
  return facts.dump(-1, ' ', kInAscii, kReplaceBroken);
}

std::string content_type_for_header(const MessageRecord& record) {
  if (record.direction == Direction::Outbound) return "message/rfc822";  // a receipt, with its header fields
  const std::string& as_sent = record.content_type;
  const bool fits = !as_sent.empty() && as_sent.size() <= kLongestText &&
                    std::all_of(as_sent.begin(), as_sent.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return fits ? as_sent : "application/octet-stream";
}

/// Answers that are about this message alone. The others may be over, for all messages, once somebody has
/// looked at the service.
bool is_about_the_message(int status) {
  constexpr std::array kAboutTheService{401, 403, 404, 408, 410, 429};
  return status >= 400 && status < 500 &&
         std::find(kAboutTheService.begin(), kAboutTheService.end(), status) == kAboutTheService.end();
}

Result<> judge(const HttpAnswer& answer, const Webhook& webhook) {
  if (answer.status >= 200 && answer.status < 300) return {};
  constexpr std::size_t kShown = 200;
  const auto said = answer.body.sub(0, std::min<std::uint64_t>(kShown, answer.body.size())).to_bytes(kShown);
  return fail(is_about_the_message(answer.status) ? ErrorKind::InvalidInput : ErrorKind::Unavailable,
              fmt::format("the webhook {} answered HTTP {} where 2xx says that it has taken the payload{}",
                          url_for_people(webhook.url), answer.status,
                          said && !said->empty() ? ": " + printable(as_text(*said)) : std::string()));
}

}  // namespace

Result<> WebhookDelivery::deliver(const MessageRecord& record, const Slice& payload,
                                  const Webhook& webhook) const {
  SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, payload));
  const Time now = clock_.now();
  HttpPost post;
  post.url = webhook.url;
  post.body = payload;
  post.total_timeout = webhook.timeout;
  post.connect_timeout = std::min(post.connect_timeout, webhook.timeout);
  post.headers.add("Content-Type", content_type_for_header(record));
  post.headers.add("Content-Digest", fmt::format("sha-256=:{}:", base64(sha256)));
  post.headers.add("Idempotency-Key", fmt::format("\"{}\"", record.id));
  post.headers.add("Signet-Message", facts_for_header(record, payload.size(), sha256, now));
  sign_post(post, {"content-type", "content-digest", "idempotency-key", "signet-message"}, webhook.key_id,
            webhook.secret, now);
  SIGNET_TRY(const HttpAnswer answer, post_(post));
  return judge(answer, webhook);
}

}  // namespace signet::gateway
