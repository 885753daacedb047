#include "gateway/exchange/posted_receipts.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "as2/mic.h"
#include "as2/name.h"
#include "as2/receipt.h"
#include "base/log.h"
#include "gateway/exchange/agreement_settings.h"

namespace signet::gateway {
namespace {

/// What a receipt claims: which message it is for, and who says so.
struct Claims {
  as2::As2Name from;
  as2::As2Name to;
  as2::MessageId original;
};

Result<as2::As2Name> name_in(const as2::mime::Headers& headers, std::string_view field) {
  auto name = as2::As2Name::parse(headers.value(field).value_or(""));
  if (!name) return fail(std::move(name).error().within(field));
  return name;
}

Result<Claims> read_claims(const InboundRequest& request, const SpoolArea& spool) {
  SIGNET_TRY(as2::As2Name from, name_in(request.headers, "AS2-From"));
  SIGNET_TRY(as2::As2Name to, name_in(request.headers, "AS2-To"));
  SIGNET_TRY(const as2::MdnContent content, as2::read_receipt_claims(request.headers, request.body, spool));
  if (!content.original_message_id)
    return fail(ErrorKind::InvalidInput, "the receipt names no Original-Message-ID");
  return Claims{std::move(from), std::move(to), *content.original_message_id};
}

StoredReceipt as_stored(const InboundRequest& request) {
  StoredReceipt stored;
  stored.http_status = 0;  // it came as a request
  for (const as2::mime::Header& header : request.headers)
    stored.headers.emplace_back(header.name, header.value);
  if (auto body = request.body.to_bytes(PostedReceipts::kBodyLimit)) stored.body = *std::move(body);
  return stored;
}

StoredReceipt say(const InboundRequest& request, int status, std::string_view text) {
  return plain_answer(status, text, request.request_id);
}

}  // namespace

StoredReceipt PostedReceipts::receive(const InboundRequest& request) {
  const auto refuse = [&](int status, std::string_view text, std::string_view reason) {
    log::warning("receipt-refused", {{"request", request.request_id},
                                     {"remote", request.remote_address},
                                     {"from", printable(request.headers.value("AS2-From").value_or(""), 128)},
                                     {"reason", std::string(reason)}});
    return say(request, status, text);
  };
  const auto later = [&](const Error& error) {
    log::error("receipt-not-taken", {{"request", request.request_id}, {"reason", error.detail}});
    StoredReceipt answer =
        say(request, 503, "the receipt could not be taken at the moment; please send it again later");
    answer.headers.emplace_back("Retry-After", "60");
    return answer;
  };

  const auto claims = read_claims(request, ports_.spool);
  if (!claims) return refuse(400, "this is no receipt: " + claims.error().detail, claims.error().detail);
  // The receipt goes the other way, so its names are those of the message, swapped.
  auto found = ports_.store.find_outbound(claims->to.text(), claims->from.text(), claims->original.text());
  if (!found && found.error().kind == ErrorKind::NotFound)
    return refuse(404, "no message of ours has this Original-Message-ID", found.error().detail);
  if (!found) return later(found.error());
  MessageRecord record = *std::move(found);

  const auto account = ports_.account();
  if (!account) return later(account.error());
  const auto* agreement = (*account)->directory().by_name(record.agreement);
  if (agreement == nullptr)
    return refuse(404, "no message of ours has this Original-Message-ID",
                  fmt::format("agreement '{}' is gone, so nothing says who may sign for message {}",
                              record.agreement, record.id));
  const auto mic = as2::parse_mic(fmt::format("{}, {}", record.mic, record.mic_algorithm));
  if (!mic) return later(mic.error());
  const auto expectation =
      receipt_expectation(*agreement, **account, claims->original, *mic, ports_.clock.now(), ports_.spool);
  if (!expectation) return later(expectation.error());

  const as2::ReceiptVerdict verdict = as2::check_receipt(request.headers, request.body, *expectation);
  const bool was_open = is_open(record.state);
  const MessageState earlier = record.state;
  record.state = verdict.proves_delivery ? MessageState::Confirmed : MessageState::Failed;
  record.reason = verdict.reason;
  record.settled = ports_.clock.now();
  record.due.reset();
  record.disposition = verdict.content ? verdict.content->disposition.text : "";
  record.receipt_signer_thumbprint = verdict.signer ? verdict.signer->certificate().thumbprint_sha256() : "";
  StoredReceipt receipt = as_stored(request);
  if (verdict.signer) receipt.signer = verdict.signer->certificate().der();
  record.hands_receipt_over = hands_receipt_over(*agreement, verdict);

  Result<> written =
      was_open ? ports_.store.settle_outbound(record, receipt, MessageStore::Tell::Nobody) : Result<>();
  const bool settled = was_open && written;
  if (!was_open || (!written && written.error().kind == ErrorKind::AlreadyExists))
    written = ports_.store.keep_late_receipt(
        record.id, receipt, verdict.proves_delivery ? "proves delivery" : verdict.reason, *record.settled);
  if (!written) return later(written.error());

  if (settled) {
    ports_.observer.receipt_received(record);
    ports_.observer.message(verdict.proves_delivery ? MessageEvent::Confirmed : MessageEvent::Failed, record);
  }
  const std::string_view event = !settled                                  ? "receipt-came-late"
                                 : record.state == MessageState::Confirmed ? "message-confirmed"
                                                                           : "message-failed";
  // An answer that contradicts an earlier one, or cannot be trusted, is for people to look into.
  const log::Level level = settled && verdict.proves_delivery ? log::Level::Info
                           : settled                          ? log::Level::Error
                                                              : log::Level::Warning;
  log::write(level, event,
             {{"request", request.request_id},
              {"id", record.id},
              {"agreement", record.agreement},
              {"from", record.as2_from},
              {"to", record.as2_to},
              {"message_id", record.message_id},
              {"state_before", std::string(to_string(earlier))},
              {"disposition", record.disposition},
              {"mic_status", std::string(as2::to_string(verdict.mic_status))},
              {"receipt_signer", record.receipt_signer_thumbprint},
              {"reason", record.reason}});
  return {200, {}, {}};
}

}  // namespace signet::gateway
