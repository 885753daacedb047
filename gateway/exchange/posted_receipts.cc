#include "gateway/exchange/posted_receipts.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "as2/mic.h"
#include "as2/name.h"
#include "as2/receipt.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/exchange/agreement_settings.h"

namespace signet::gateway {

/// What a receipt claims: which message it is for, and who says so.
struct PostedReceipts::Claims {
  as2::As2Name from;
  as2::As2Name to;
  as2::MessageId original;
  std::string disposition;
};

namespace {

using Claims = PostedReceipts::Claims;

/// Receipts for no message of ours that are kept in an hour: whoever knows two names can post them.
constexpr unsigned kMostUnsolicited = 100;

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
  return Claims{std::move(from), std::move(to), *content.original_message_id, content.disposition.text};
}

StoredReceipt as_stored(const InboundRequest& request) {
  StoredReceipt stored;
  stored.http_status = 0;  // it came as a request
  for (const as2::mime::Header& header : request.headers)
    stored.headers.emplace_back(header.name, header.value);
  if (auto body = request.body.to_bytes(PostedReceipts::kBodyLimit)) stored.body = *std::move(body);
  return stored;
}

WireCopy as_wire(const InboundRequest& request) {
  WireCopy wire;
  for (const as2::mime::Header& header : request.headers)
    wire.headers.emplace_back(header.name, header.value);
  wire.body = request.body;
  return wire;
}

StoredReceipt say(const InboundRequest& request, int status, std::string_view text) {
  return plain_answer(status, text, request.request_id);
}

}  // namespace

/// A receipt that is for a message of ours.
struct PostedReceipts::Arrival {
  const InboundRequest& request;
  MessageRecord record;  ///< as it was, but for what the receipt says
  StoredReceipt receipt;
  as2::ReceiptVerdict verdict;
};

namespace {

void write_event(log::Level level, std::string_view event, const PostedReceipts::Arrival& arrival) {
  const MessageRecord& record = arrival.record;
  log::write(level, event,
             {{"request", arrival.request.request_id},
              {"remote", arrival.request.remote_address},
              {"id", record.id},
              {"agreement", record.agreement},
              {"from", record.as2_from},
              {"to", record.as2_to},
              {"message_id", record.message_id},
              {"state_before", std::string(to_string(record.state))},
              {"disposition", record.disposition},
              {"mic_status", std::string(as2::to_string(arrival.verdict.mic_status))},
              {"receipt_signer", record.receipt_signer_thumbprint},
              {"reason", arrival.verdict.reason}});
}

}  // namespace

bool PostedReceipts::is_receipt(const InboundRequest& request) const {
  return as2::may_be_receipt(request.headers) &&
         as2::read_receipt_claims(request.headers, request.body, ports_.spool).has_value();
}

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
  const auto not_ours = [&](const std::string& reason) {
    const std::string_view text = "no message of ours has this Original-Message-ID";
    const auto kept = keep_unsolicited(request, *claims, reason, say(request, 404, text));
    return kept ? refuse(404, text, reason) : later(kept.error());
  };
  // The receipt goes the other way, so its names are those of the message, swapped.
  auto found = ports_.store.find_outbound(claims->to.text(), claims->from.text(), claims->original.text());
  if (!found && found.error().kind == ErrorKind::NotFound)
    return not_ours("a receipt for no message of ours: " + found.error().detail);
  if (!found) return later(found.error());
  MessageRecord record = *std::move(found);

  const auto account = ports_.account();
  if (!account) return later(account.error());
  const auto* agreement = (*account)->directory().by_name(record.agreement);
  if (agreement == nullptr)
    return not_ours(
        fmt::format("a receipt for message {}, but agreement '{}' is gone, so nothing says who may "
                    "sign it",
                    record.id, record.agreement));
  const auto mic = as2::parse_mic(fmt::format("{}, {}", record.mic, record.mic_algorithm));
  if (!mic) return later(mic.error());
  const auto expectation =
      receipt_expectation(*agreement, **account, claims->original, *mic, ports_.clock.now(), ports_.spool);
  if (!expectation) return later(expectation.error());

  as2::ReceiptVerdict verdict = as2::check_receipt(request.headers, request.body, *expectation);
  const auto looked_up =
      verdict.signer ? look_up_signer(agreement->agreement, *account, record, verdict)
                     : look_up_named(request, agreement->agreement, *account, record, *expectation, verdict);
  if (!looked_up) return later(looked_up.error());
  Arrival arrival{request, std::move(record), as_stored(request), verdict};
  if (verdict.signer) arrival.receipt.signer = verdict.signer->certificate().der();
  arrival.record.disposition = verdict.content ? verdict.content->disposition.text : "";
  arrival.record.receipt_signer_thumbprint =
      verdict.signer ? verdict.signer->certificate().thumbprint_sha256() : "";
  arrival.record.hands_receipt_over = hands_receipt_over(*agreement, verdict);

  const bool waits = is_open(arrival.record.state);
  const auto taken = !waits                  ? keep_late(arrival)
                     : verdict.names_partner ? settle(arrival)
                                             : keep_unproven(arrival);
  if (taken) return {200, {}, {}};
  if (taken.error().kind == ErrorKind::LimitExceeded)
    return refuse(403, "no further receipts are taken for this message", taken.error().detail);
  return later(taken.error());
}

/// Whether the certificate that signed a receipt was revoked, where that matters and is to be looked up. One
/// that was proves nothing, neither that the message arrived nor that it did not: whoever has its key can
/// have made the receipt.
///
/// @error Unavailable  nobody can say, and the agreement says hardFail: the partner posts it again.
Result<> PostedReceipts::look_up_signer(const agreements::Agreement& agreement,
                                        const std::shared_ptr<const AccountSnapshot>& account,
                                        MessageRecord& record, as2::ReceiptVerdict& verdict) {
  if (!agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send ||
      !verdict.signer || !verdict.names_partner || !is_open(record.state))
    return {};
  RevocationVerdict found =
      judge_revocation(ports_.revocation, agreement, agreements::LookedUpUse::VerifyMdn,
                       verdict.signer->certificate(), account, ports_.clock.now(), record.id);
  switch (found.outcome) {
    case RevocationOutcome::Usable:
      return {};
    case RevocationOutcome::Unchecked:
      record.revocation_unchecked = std::move(found.text);
      return {};
    case RevocationOutcome::Revoked:
      verdict.proves_delivery = false;
      verdict.names_partner = false;
      verdict.reason = std::move(found.text);
      return {};
    case RevocationOutcome::NoList:
    case RevocationOutcome::NotYet:
      break;
  }
  return fail(ErrorKind::Unavailable, std::move(found.text));
}

/// The same where a signature that names one of the partner's certificates does not hold. It is his word that
/// the message failed only if it names one that may still be used: whoever knows a certificate can name it.
Result<> PostedReceipts::look_up_named(const InboundRequest& request, const agreements::Agreement& agreement,
                                       const std::shared_ptr<const AccountSnapshot>& account,
                                       MessageRecord& record, const as2::ReceiptExpectation& expectation,
                                       as2::ReceiptVerdict& verdict) {
  if (!agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send ||
      !expectation.must_be_signed || !verdict.names_partner || !is_open(record.state))
    return {};
  as2::ReceiptExpectation of_others = expectation;
  of_others.signers.clear();
  std::string revoked;
  for (const certstore::Certificate& signer : expectation.signers) {
    RevocationVerdict found =
        judge_revocation(ports_.revocation, agreement, agreements::LookedUpUse::VerifyMdn, signer, account,
                         ports_.clock.now(), record.id);
    switch (found.outcome) {
      case RevocationOutcome::Unchecked:
        record.revocation_unchecked = std::move(found.text);
        [[fallthrough]];
      case RevocationOutcome::Usable:
        of_others.signers.push_back(signer);
        break;
      case RevocationOutcome::Revoked:
        revoked = std::move(found.text);
        break;
      case RevocationOutcome::NoList:
      case RevocationOutcome::NotYet:
        return fail(ErrorKind::Unavailable, std::move(found.text));
    }
  }
  if (revoked.empty() || as2::check_receipt(request.headers, request.body, of_others).names_partner)
    return {};
  verdict.names_partner = false;
  verdict.reason += "; " + revoked;
  return {};
}

Result<> PostedReceipts::settle(const Arrival& arrival) {
  const as2::ReceiptVerdict& verdict = arrival.verdict;
  MessageRecord record = arrival.record;
  record.state = verdict.proves_delivery ? MessageState::Confirmed : MessageState::Failed;
  record.reason = verdict.reason;
  record.settled = ports_.clock.now();
  record.due.reset();
  const auto settled = ports_.store.settle_outbound(record, arrival.receipt, MessageStore::Tell::Nobody);
  if (!settled && settled.error().kind == ErrorKind::AlreadyExists) return keep_late(arrival);
  SIGNET_CHECK(settled);
  ports_.observer.receipt_received(record);
  ports_.observer.message(verdict.proves_delivery ? MessageEvent::Confirmed : MessageEvent::Failed, record);
  if (verdict.proves_delivery)
    write_event(log::Level::Info, "message-confirmed", arrival);
  else
    write_event(log::Level::Error, "message-failed", arrival);
  return {};
}

/// A record among the messages, with the receipt as it came where an agreement wants receipts to be kept.
Result<> PostedReceipts::keep_unsolicited(const InboundRequest& request, const Claims& claims,
                                          const std::string& reason, const StoredReceipt& answer) {
  if (!has_room_for_unsolicited()) return {};
  MessageRecord record;
  record.id = random_id();
  record.as2_from = claims.from.text();
  record.as2_to = claims.to.text();
  record.message_id = printable(request.headers.value("Message-ID").value_or(""), 998);
  record.subject = request.headers.value("Subject").value_or("");
  record.created = request.received;
  record.settled = ports_.clock.now();
  record.request_id = request.request_id;
  record.remote_address = request.remote_address;
  record.content_type = request.headers.value("Content-Type").value_or("");
  record.disposition = claims.disposition;
  record.reason = reason;
  record.keeps = KeptCopies::none();
  SIGNET_TRY(const auto account, ports_.account());
  if (const auto* agreement = account->directory().find_inbound(record.as2_from, record.as2_to)) {
    record.agreement = agreement->agreement.name;
    record.keeps.wire = agreement->agreement.send_agreement.security_settings.enable_nrr_for_inbound_mdn;
  }
  InboundCommit commit{record, Slice(), answer};
  if (record.keeps.wire) commit.wire = as_wire(request);
  SIGNET_CHECK(ports_.store.commit_inbound(std::move(commit)));
  ports_.observer.receipt_received(record);
  return {};
}

bool PostedReceipts::has_room_for_unsolicited() {
  const std::lock_guard lock(mutex_);
  const Time now = ports_.clock.now();
  if (now < hour_ || now >= hour_ + std::chrono::hours(1)) {
    hour_ = now;
    unsolicited_ = 0;
  }
  return unsolicited_++ < kMostUnsolicited;
}

Result<> PostedReceipts::keep_unproven(const Arrival& arrival) {
  SIGNET_CHECK(ports_.store.keep_late_receipt(
      arrival.record.id, arrival.receipt,
      fmt::format("nothing shows that it is the partner's, and the message waited on: {}",
                  arrival.verdict.reason),
      ports_.clock.now()));
  ports_.observer.receipt_received(arrival.record);
  write_event(log::Level::Error, "receipt-not-proven", arrival);
  return {};
}

Result<> PostedReceipts::keep_late(const Arrival& arrival) {
  const as2::ReceiptVerdict& verdict = arrival.verdict;
  SIGNET_CHECK(ports_.store.keep_late_receipt(arrival.record.id, arrival.receipt,
                                              verdict.proves_delivery ? "proves delivery" : verdict.reason,
                                              ports_.clock.now()));
  // One that contradicts an earlier one is for people to look into.
  write_event(log::Level::Warning, "receipt-came-late", arrival);
  return {};
}

}  // namespace signet::gateway
