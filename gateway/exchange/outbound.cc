#include "gateway/exchange/outbound.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agreements/certificate_roles.h"
#include "agreements/file_name_template.h"
#include "as2/compose.h"
#include "as2/mic.h"
#include "as2/mime/content_type.h"
#include "as2/receipt.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/provider.h"
#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/outbound_request.h"
#include "gateway/exchange/retry.h"

namespace signet::gateway {
namespace {

using agreements::CertificateRole;
using agreements::LookedUpUse;
using agreements::ResolvedAgreement;

/// The name that the partner is told; empty for none.
///
/// @error InvalidInput  the agreement's template makes none, and the agreement does not send without.
Result<std::string> file_name_for(const agreements::EnvelopeSettings& envelope, const SendRequest& request,
                                  const as2::MessageId& id, Time now) {
  if (!envelope.transmit_file_name_in_mime_header) return "";
  if (envelope.autogenerate_file_name) return random_id();
  if (envelope.file_name_template.empty()) return request.file_name;
  auto name = agreements::fill_file_name(envelope.file_name_template,
                                         {request.file_name, std::string(id.bare()), now});
  if (name) return name;
  if (envelope.suspend_message_on_file_name_generation_error)
    return fail(std::move(name).error().within("the file's name, by the agreement's fileNameTemplate"));
  log::warning("file-name-not-made", {{"message_id", id.text()}, {"reason", name.error().detail}});
  return "";
}

/// One line of a header field that every reader can make something of.
Result<> check_content_type(const std::string& text) {
  constexpr std::size_t kLongest = 998;  // of a line [RFC5322 2.1.1]
  const bool one_line = text.size() <= kLongest &&
                        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (one_line && as2::mime::parse_content_type(text)) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("expected a content type such as application/edi-x12, in one line of ASCII, got '{}'",
                  printable(text)));
}

/// The request of every attempt. Message and headers are those that were stored.
Result<HttpPost> http_post(const ResolvedAgreement& agreement, const AccountSnapshot& account,
                           const WireCopy& message) {
  const agreements::Connection& connection = agreement.agreement.connection;
  if (connection.url.empty())
    return fail(ErrorKind::NotFound,
                fmt::format("agreement '{}' has no URL to send to: give its connection one",
                            agreement.agreement.name));
  SIGNET_TRY(HttpPost post, request_to(connection.url, agreement, account,
                                       agreement.agreement.send_agreement.message_connection_settings));
  for (const auto& [name, value] : message.headers) post.headers.add(name, value);
  post.body = message.body;
  return post;
}

MessageRecord record_of(const SendRequest& request, const ResolvedAgreement& agreement,
                        const as2::MessageId& id, Time now) {
  MessageRecord record;
  record.id = request.id.empty() ? random_id() : request.id;
  record.direction = Direction::Outbound;
  record.state = MessageState::Queued;
  record.agreement = agreement.agreement.name;
  record.as2_from = agreement.send_from;
  record.as2_to = agreement.send_to;
  record.message_id = id.text();
  record.created = now;
  record.queued = now;
  record.due = now;
  record.remote_address = agreement.agreement.connection.url;
  record.payload_size = request.payload.size();
  const auto& switches = agreement.agreement.send_agreement.security_settings;
  record.keeps = {switches.enable_nrr_for_outbound_encoded_messages,
                  switches.enable_nrr_for_outbound_decoded_messages, switches.enable_nrr_for_inbound_mdn};
  return record;
}

WireCopy as_wire(const as2::Composed& message, const OutboundOptions& options) {
  WireCopy wire;
  for (const as2::mime::Header& header : message.headers)
    wire.headers.emplace_back(header.name, header.value);
  wire.headers.emplace_back("User-Agent", options.product);
  if (message.headers.value("AS2-Version") == "1.3")
    wire.headers.emplace_back("AS2-Product", options.as2_product);
  wire.body = message.body;
  return wire;
}

/// What shows later what was sent, and for whom; the record tells it too.
Evidence take_evidence(const as2::ComposeSettings& settings, const as2::Composed& message,
                       MessageRecord& record) {
  Evidence evidence{Proof{message.mic_content, {}}, {}};
  if (settings.signer) {
    record.signer_thumbprint = settings.signer->certificate.thumbprint_sha256();
    evidence.certificates.push_back(settings.signer->certificate.der());
  }
  if (!settings.recipients.empty()) {
    record.recipient_thumbprint = settings.recipients.front().thumbprint_sha256();
    evidence.certificates.push_back(settings.recipients.front().der());
  }
  return evidence;
}

/// No message is made with a certificate that is known to be revoked. Where nobody can say, its attempts
/// wait.
Result<> check_not_revoked(RevocationCheck& check, const agreements::Agreement& agreement,
                           const std::shared_ptr<const AccountSnapshot>& account,
                           const as2::ComposeSettings& settings, Time now) {
  if (!agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send) return {};
  const auto look_up = [&](LookedUpUse use, const certstore::Certificate& certificate) -> Result<> {
    const RevocationFinding finding = check.look_up(certificate, account, now);
    if (finding.status != RevocationStatus::Revoked) return {};
    return fail(ErrorKind::CryptoFailure,
                judge_revocation(check, agreement, use, certificate, account, now, "").text);
  };
  if (settings.signer) SIGNET_CHECK(look_up(LookedUpUse::SignMessage, settings.signer->certificate));
  for (const certstore::Certificate& recipient : settings.recipients)
    SIGNET_CHECK(look_up(LookedUpUse::Encrypt, recipient));
  return {};
}

/// The MIC that we computed when the message was made, from its record.
Result<as2::Mic> mic_of(const MessageRecord& record) {
  return as2::parse_mic(fmt::format("{}, {}", record.mic, record.mic_algorithm));
}

StoredReceipt as_stored(const HttpAnswer& answer) {
  StoredReceipt stored;
  stored.http_status = answer.status;
  for (const as2::mime::Header& header : answer.headers)
    stored.headers.emplace_back(header.name, header.value);
  constexpr std::size_t kLargestKept = 1024 * 1024;
  if (auto body = answer.body.sub(0, kLargestKept).to_bytes(kLargestKept)) stored.body = *std::move(body);
  return stored;
}

/// A message that something can still become of.
Result<MessageRecord> open_message(MessageStore& store, std::string_view id) {
  SIGNET_TRY(MessageRecord record, store.find(id));
  if (record.direction != Direction::Outbound || !is_open(record.state))
    return fail(ErrorKind::AlreadyExists,
                fmt::format("message {} is {} already", record.id, to_string(record.state)));
  return record;
}

std::string attempts_text(std::uint32_t attempts) {
  return fmt::format("{} attempt{}", attempts, attempts == 1 ? "" : "s");
}

void report(const MessageRecord& record, as2::MicStatus mic_status) {
  const auto [level, event] = [&]() -> std::pair<log::Level, std::string_view> {
    switch (record.state) {
      case MessageState::Confirmed:
        return {log::Level::Info, "message-confirmed"};
      case MessageState::AwaitingReceipt:
        return {log::Level::Info, "message-sent"};
      case MessageState::Queued:
        return {log::Level::Warning, "message-postponed"};
      case MessageState::Received:
      case MessageState::Accepted:
      case MessageState::Delivered:
      case MessageState::Refused:
      case MessageState::Sending:
      case MessageState::Cancelled:
      case MessageState::Failed:
        break;
    }
    return {log::Level::Error, "message-failed"};
  }();
  log::write(level, event,
             {{"id", record.id},
              {"agreement", record.agreement},
              {"from", record.as2_from},
              {"to", record.as2_to},
              {"message_id", record.message_id},
              {"url", record.remote_address},
              {"security", record.security},
              {"mic", record.mic + ", " + record.mic_algorithm},
              {"mic_status", std::string(as2::to_string(mic_status))},
              {"disposition", record.disposition},
              {"receipt_signer", record.receipt_signer_thumbprint},
              {"attempts", std::to_string(record.attempts)},
              {"due", record.due ? to_rfc3339(*record.due) : ""},
              {"reason", record.reason}});
}

}  // namespace

// ---- One attempt

/// A message on its way to the partner, once. Each step ends with the record as it is to be written down.
class OutboundExchange::Attempt {
 public:
  Attempt(OutboundPorts& ports, const OutboundOptions& options, MessageRecord record)
      : ports_(ports),
        options_(options),
        tell_(record.state == MessageState::Sending ? MessageStore::Tell::Gateway
                                                    : MessageStore::Tell::Nobody),
        record_(std::move(record)) {}

  /// What is sent, and what its receipt has to say. An error is the message's end, as nothing can be sent
  /// under this agreement; unless it is trouble of our own.
  Result<> prepare() {
    SIGNET_TRY(account_, ports_.account());
    agreement_ = account_->directory().by_name(record_.agreement);
    if (agreement_ == nullptr)
      return fail(ErrorKind::NotFound, fmt::format("agreement '{}' is gone", printable(record_.agreement)));
    SIGNET_TRY(const WireCopy wire, ports_.store.wire(record_.id));
    auto post = http_post(*agreement_, *account_, wire);
    if (!post) return fail(as_our_trouble(std::move(post).error()));
    post_ = *std::move(post);
    record_.remote_address = post_.url;
    look_up_server(post_, {ports_.revocation, agreement_->agreement, account_, ports_.clock, record_.id,
                           [this](std::string text) { record_.revocation_unchecked = std::move(text); }});
    SIGNET_TRY(const as2::MessageId id, as2::MessageId::parse(record_.message_id));
    SIGNET_TRY(const as2::Mic mic, mic_of(record_));
    SIGNET_TRY(expectation_,
               receipt_expectation(*agreement_, *account_, id, mic, ports_.clock.now(), options_.spool));
    return {};
  }

  /// Whether the certificates that the message was made with may still be used, where the agreement wants
  /// that looked up.
  ///
  /// @error CryptoFailure  one is revoked.  @error Unavailable  nobody can say, and the agreement says
  /// hardFail.
  Result<> check_revocation() {
    if (!looks_up()) return {};
    record_.revocation_unchecked.clear();
    SIGNET_CHECK(
        check_revocation(LookedUpUse::SignMessage, CertificateRole::SignMessage, record_.signer_thumbprint));
    return check_revocation(LookedUpUse::Encrypt, CertificateRole::Encrypt, record_.recipient_thumbprint);
  }

  /// Posts, and judges what comes back.
  void send() {
    ++record_.attempts;
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = ports_.post(post_);
    ports_.observer.posted(Posting::Message, record_.agreement, refusal_of(answer).empty(), since(begin));
    if (answer) take(*answer);
    reconcile(answer);
  }

  /// Nothing came of it: another attempt follows when the agreement allows it.
  void postpone(std::string reason) {
    record_.reason = std::move(reason);
    const Time now = ports_.clock.now();
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - record_.queued.value_or(record_.created));
    const agreements::Retry retry = agreement_ ? agreement_->agreement.retry : agreements::Retry{};
    const auto interval = next_interval(retry, record_.attempts, elapsed);
    if (!interval)
      return end(fmt::format("{} (given up after {})", record_.reason, attempts_text(record_.attempts)));
    record_.state = MessageState::Queued;
    record_.due = now + *interval;
  }

  void end(std::string reason) {
    record_.state = MessageState::Failed;
    record_.reason = std::move(reason);
    settled();
  }

  /// The receipt that was to be posted to us has not come.
  void overdue() {
    const auto& wait = agreement_->agreement.send_agreement.expected_receipt.timeout;
    const std::string reason = fmt::format("no receipt came within {} s", wait.count() / 1000);
    if (agreement_->agreement.send_agreement.error_settings.resend_if_mdn_not_received)
      return postpone(reason);
    end(reason);
  }

  /// Writes down how it ended.
  Result<Attempted> conclude() {
    SIGNET_CHECK(ports_.store.settle_outbound(record_, answer_, tell_));
    report(record_, mic_status_);
    if (has_receipt_) ports_.observer.receipt_received(record_);
    if (record_.state == MessageState::Confirmed) ports_.observer.message(MessageEvent::Confirmed, record_);
    if (record_.state == MessageState::Failed) ports_.observer.message(MessageEvent::Failed, record_);
    return Attempted{record_, partner_failed_};
  }

 private:
  [[nodiscard]] bool looks_up() const {
    return agreement_->agreement.send_agreement.validation_settings.check_certificate_revocation_list_on_send;
  }

  /// The agreement's own, as a rule; another one where it was changed since the message was made.
  [[nodiscard]] std::optional<certstore::Certificate> find_certificate(CertificateRole role,
                                                                       const std::string& thumbprint) const {
    for (const auto& agreed : agreements::certificates_for(agreement_->agreement, role))
      if (auto certificate = account_->certificate(agreed.name);
          certificate && certificate->thumbprint_sha256() == thumbprint)
        return *std::move(certificate);
    return account_->find_certificate(thumbprint);
  }

  Result<> check_revocation(LookedUpUse use, CertificateRole role, const std::string& thumbprint) {
    if (thumbprint.empty()) return {};
    const auto certificate = find_certificate(role, thumbprint);
    RevocationVerdict verdict = certificate
                                    ? judge_revocation(ports_.revocation, agreement_->agreement, use,
                                                       *certificate, account_, ports_.clock.now(), record_.id)
                                    : judge_missing_certificate(ports_.revocation, agreement_->agreement, use,
                                                                thumbprint, record_.id);
    switch (verdict.outcome) {
      case RevocationOutcome::Usable:
        return {};
      case RevocationOutcome::Unchecked:
        record_.revocation_unchecked = std::move(verdict.text);
        return {};
      case RevocationOutcome::Revoked:
        return fail(ErrorKind::CryptoFailure, std::move(verdict.text));
      case RevocationOutcome::NoList:
      case RevocationOutcome::NotYet:
        break;
    }
    return fail(ErrorKind::Unavailable, std::move(verdict.text));
  }

  /// It takes the place of an earlier one, and of what that said.
  void take(const HttpAnswer& answer) {
    answer_ = as_stored(answer);
    record_.disposition.clear();
    record_.receipt_signer_thumbprint.clear();
  }

  void reconcile(const Result<HttpAnswer>& answer) {
    if (std::string reason = refusal_of(answer); !reason.empty())
      return is_transient(answer) ? blame_partner(std::move(reason)) : end(std::move(reason));
    const auto& wanted = agreement_->agreement.send_agreement;
    if (!wanted.mdn_settings.need_mdn) return confirm();
    if (!holds_receipt(*answer)) return wait_for_receipt(*answer);
    judge(as2::check_receipt(answer->headers, answer->body, *expectation_));
  }

  void blame_partner(std::string reason) {
    partner_failed_ = true;
    postpone(std::move(reason));
  }

  [[nodiscard]] bool holds_receipt(const HttpAnswer& answer) const {
    if (answer.body.empty()) return false;
    // Where the receipt is to come by itself, an answer with something else in it is just an answer.
    return record_.receipt_url.empty() || as2::may_be_receipt(answer.headers);
  }

  /// A 2xx without a receipt.
  void wait_for_receipt(const HttpAnswer& answer) {
    if (record_.receipt_url.empty()) {
      std::string reason =
          fmt::format("the partner answered HTTP {} without the receipt that was asked for", answer.status);
      if (agreement_->agreement.send_agreement.error_settings.resend_if_mdn_not_received)
        return blame_partner(std::move(reason));
      return end(std::move(reason));
    }
    record_.state = MessageState::AwaitingReceipt;
    record_.reason.clear();
    record_.due = ports_.clock.now() + agreement_->agreement.send_agreement.expected_receipt.timeout;
  }

  void judge(const as2::ReceiptVerdict& verdict) {
    has_receipt_ = true;
    mic_status_ = verdict.mic_status;
    if (verdict.content) record_.disposition = verdict.content->disposition.text;
    if (verdict.signer) {
      record_.receipt_signer_thumbprint = verdict.signer->certificate().thumbprint_sha256();
      answer_->signer = verdict.signer->certificate().der();
    }
    record_.hands_receipt_over = hands_receipt_over(*agreement_, verdict);
    if (looks_up() && verdict.signer) return settle_unless_revoked(verdict);
    settle(verdict);
  }

  void settle(const as2::ReceiptVerdict& verdict) {
    if (verdict.proves_delivery) return confirm();
    end(verdict.reason);
  }

  /// A refusal by a revoked certificate is as little the partner's word as a receipt is. Where nobody can say
  /// yet, the message is sent again, so that the partner repeats his receipt.
  void settle_unless_revoked(const as2::ReceiptVerdict& verdict) {
    RevocationVerdict found =
        judge_revocation(ports_.revocation, agreement_->agreement, LookedUpUse::VerifyMdn,
                         verdict.signer->certificate(), account_, ports_.clock.now(), record_.id);
    switch (found.outcome) {
      case RevocationOutcome::Unchecked:
        record_.revocation_unchecked = std::move(found.text);
        [[fallthrough]];
      case RevocationOutcome::Usable:
        return settle(verdict);
      case RevocationOutcome::Revoked:
        record_.hands_receipt_over = false;
        return end(std::move(found.text));
      case RevocationOutcome::NoList:
      case RevocationOutcome::NotYet:
        record_.hands_receipt_over = false;
        return postpone(std::move(found.text));
    }
  }

  void confirm() {
    record_.state = MessageState::Confirmed;
    record_.reason.clear();
    settled();
  }

  void settled() {
    record_.settled = ports_.clock.now();
    record_.due.reset();
  }

  OutboundPorts& ports_;
  const OutboundOptions& options_;
  const MessageStore::Tell tell_;  ///< what a caller leaves open is the gateway's to go on with
  MessageRecord record_;
  std::shared_ptr<const AccountSnapshot> account_;
  const ResolvedAgreement* agreement_ = nullptr;
  HttpPost post_;
  std::optional<as2::ReceiptExpectation> expectation_;
  std::optional<StoredReceipt> answer_;
  bool partner_failed_ = false;
  bool has_receipt_ = false;
  as2::MicStatus mic_status_ = as2::MicStatus::NotApplicable;
};

OutboundExchange::OutboundExchange(OutboundPorts ports, OutboundOptions options)
    : ports_(std::move(ports)), options_(std::move(options)) {}

Result<MessageRecord> OutboundExchange::submit(const SendRequest& request, Custody custody) {
  SIGNET_TRY(const auto account, ports_.account());
  const ResolvedAgreement* agreement = account->directory().by_name(request.agreement);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound,
                fmt::format("there is no agreement '{}': 'signet export' shows those there are",
                            printable(request.agreement)));

  const Time now = ports_.clock.now();
  const as2::MessageId message_id = as2::MessageId::generate(options_.host);
  MessageRecord record = record_of(request, *agreement, message_id, now);
  const vault::AuditScope audited = vault::message_scope(record.id);
  SIGNET_TRY(as2::ComposeSettings settings,
             compose_settings(*agreement, *account, message_id, now, options_.spool));
  SIGNET_CHECK(check_not_revoked(ports_.revocation, agreement->agreement, account, settings, now));
  if (!request.content_type.empty()) settings.content_type = request.content_type;
  SIGNET_CHECK(check_content_type(settings.content_type));
  if (to_lower(settings.content_type).starts_with("multipart/"))  // its parts have encodings of their own
    settings.payload_encoding = as2::mime::TransferEncoding::Binary;
  SIGNET_TRY(settings.file_name,
             file_name_for(agreement->agreement.send_agreement.envelope_settings, request, message_id, now));
  settings.subject = request.subject.empty()
                         ? fmt::format("Message from {} to {}", record.as2_from, record.as2_to)
                         : request.subject;
  auto composed = as2::compose(request.payload, settings);
  if (!composed) {
    if (auto denied = vault::take_vault_refusal()) return fail(*std::move(denied));
    return fail(std::move(composed).error());
  }
  const WireCopy wire = as_wire(*composed, options_);
  SIGNET_CHECK(http_post(*agreement, *account, wire));  // what cannot be posted is not taken
  record.subject = settings.subject;
  record.content_type = settings.content_type;
  record.file_name = settings.file_name;
  record.mic = base64(composed->mic.value);
  record.mic_algorithm = to_string(composed->mic.hash);
  record.security = as2::to_string(composed->layers);
  record.receipt_url = settings.receipt.async_url.value_or("");
  Evidence evidence = take_evidence(settings, *composed, record);
  if (custody == Custody::Caller) {
    record.state = MessageState::Sending;
    record.due.reset();
  }
  SIGNET_CHECK(ports_.store.commit_outbound(
      {record, request.payload, wire, std::move(evidence)},
      custody == Custody::Gateway ? MessageStore::Tell::Gateway : MessageStore::Tell::Nobody));
  return record;
}

Result<Attempted> OutboundExchange::attempt(std::string_view id) {
  SIGNET_TRY(MessageRecord record, open_message(ports_.store, id));
  Attempt attempt(ports_, options_, std::move(record));
  auto prepared = attempt.prepare();
  if (prepared) prepared = attempt.check_revocation();
  if (!prepared) {
    if (is_our_trouble(prepared.error()))
      attempt.postpone(prepared.error().detail);
    else
      attempt.end(prepared.error().detail);
  } else {
    attempt.send();
  }
  return attempt.conclude();
}

Result<Attempted> OutboundExchange::give_up(std::string_view id) {
  SIGNET_TRY(MessageRecord record, open_message(ports_.store, id));
  std::string last = record.reason.empty() ? "the partner could not be reached" : record.reason;
  std::string reason =
      fmt::format("{} (given up after {} and the agreed time)", last, attempts_text(record.attempts));
  Attempt attempt(ports_, options_, std::move(record));
  attempt.end(std::move(reason));
  return attempt.conclude();
}

Result<Attempted> OutboundExchange::receipt_overdue(std::string_view id) {
  SIGNET_TRY(MessageRecord record, open_message(ports_.store, id));
  if (record.state != MessageState::AwaitingReceipt)
    return fail(ErrorKind::AlreadyExists, fmt::format("message {} does not wait for a receipt", record.id));
  Attempt attempt(ports_, options_, std::move(record));
  if (auto prepared = attempt.prepare(); prepared)
    attempt.overdue();
  else
    attempt.end(fmt::format("no receipt came in time, and the message cannot be sent again: {}",
                            prepared.error().detail));
  return attempt.conclude();
}

}  // namespace signet::gateway
