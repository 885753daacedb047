#include "gateway/exchange/outbound.h"

#include <fmt/format.h>

#include <utility>

#include "as2/compose.h"
#include "as2/receipt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/provider.h"
#include "gateway/exchange/agreement_settings.h"

namespace signet::gateway {
namespace {

using agreements::ResolvedAgreement;

/// The name that the partner is told; empty for none.
std::string file_name_for(const agreements::EnvelopeSettings& envelope, const SendRequest& request) {
  if (!envelope.transmit_file_name_in_mime_header) return "";
  if (envelope.autogenerate_file_name) return random_id();
  return envelope.file_name_template.empty() ? request.file_name : envelope.file_name_template;
}

Result<TlsTrust> tls_trust(const ResolvedAgreement& agreement, const AccountSnapshot& account) {
  const agreements::TlsTrust& agreed = agreement.agreement.connection.tls_trust;
  TlsTrust trust;
  trust.ignore_name_mismatch =
      agreement.agreement.send_agreement.message_connection_settings.ignore_certificate_name_mismatch;
  switch (agreed.mode) {
    case agreements::TlsTrustMode::System: return trust;
    case agreements::TlsTrustMode::CertificateAuthorities: trust.kind = TlsTrust::Kind::Authorities; break;
    case agreements::TlsTrustMode::Pinned: trust.kind = TlsTrust::Kind::Pinned; break;
  }
  for (const std::string& name : agreed.certificates) {
    SIGNET_TRY(certstore::Certificate certificate, account.certificate(name));
    trust.certificates.push_back(std::move(certificate));
  }
  if (!agreed.ca_file.empty()) {
    SIGNET_TRY(const Bytes bundle, read_file(agreed.ca_file));
    SIGNET_TRY(auto authorities, certstore::parse_certificates(bundle));
    trust.certificates.insert(trust.certificates.end(), authorities.begin(), authorities.end());
  }
  return trust;
}

Result<HttpPost> http_post(const ResolvedAgreement& agreement, const AccountSnapshot& account, as2::Composed& message,
                           const OutboundOptions& options) {
  const agreements::Connection& connection = agreement.agreement.connection;
  if (connection.url.empty())
    return fail(ErrorKind::NotFound, fmt::format("agreement '{}' has no URL to send to: give its connection one",
                                                 agreement.agreement.name));
  if (connection.basic_authentication)
    return fail(ErrorKind::Unsupported,
                fmt::format("agreement '{}' asks for HTTP Basic authentication; the vault holds no secrets yet, so it cannot "
                            "be used",
                            agreement.agreement.name));
  HttpPost post;
  post.url = connection.url;
  post.headers = message.headers;
  post.headers.add("User-Agent", options.product);
  if (post.headers.value("AS2-Version") == "1.3") post.headers.add("AS2-Product", options.as2_product);
  post.body = message.body;
  post.connect_timeout = connection.connect_timeout;
  post.total_timeout = connection.total_timeout;
  post.expect_continue = agreement.agreement.send_agreement.message_connection_settings.support_http_status_code_continue;
  SIGNET_TRY(post.trust, tls_trust(agreement, account));
  if (!connection.client_certificate_name.empty()) {
    SIGNET_TRY(post.client_certificate, account.private_certificate(connection.client_certificate_name));
  }
  return post;
}

MessageRecord record_of(const SendRequest& request, const ResolvedAgreement& agreement, const as2::MessageId& id, Time now) {
  MessageRecord record;
  record.id = random_id();
  record.direction = Direction::Outbound;
  record.state = MessageState::Sending;
  record.agreement = agreement.agreement.name;
  record.as2_from = agreement.send_from;
  record.as2_to = agreement.send_to;
  record.message_id = id.text();
  record.created = now;
  record.remote_address = agreement.agreement.connection.url;
  record.payload_size = request.payload.size();
  return record;
}

/// What the partner's answer makes of the record.
void reconcile(MessageRecord& record, const Result<HttpAnswer>& answer, const as2::ReceiptExpectation& expectation,
               bool receipt_wanted) {
  record.state = MessageState::Failed;
  if (!answer) {
    record.reason = answer.error().detail;
    return;
  }
  const bool success = answer->status >= 200 && answer->status < 300;
  if (!success) {
    std::string words;
    if (const auto body = answer->body.sub(0, 200).to_bytes(200)) words = printable(trim(as_text(*body)));
    record.reason = fmt::format("the partner answered HTTP {}: {}", answer->status, words.empty() ? "(nothing)" : words);
    return;
  }
  if (!receipt_wanted) {
    record.state = MessageState::Confirmed;
    return;
  }
  const as2::ReceiptVerdict verdict = as2::check_receipt(answer->headers, answer->body, expectation);
  if (verdict.content) record.disposition = verdict.content->disposition.text;
  if (verdict.signer) record.receipt_signer_thumbprint = verdict.signer->certificate().thumbprint_sha256();
  record.reason = verdict.reason;
  if (verdict.proves_delivery) record.state = MessageState::Confirmed;
}

StoredReceipt as_stored(const Result<HttpAnswer>& answer) {
  StoredReceipt stored;
  stored.http_status = answer ? answer->status : 0;
  if (!answer) return stored;
  for (const as2::mime::Header& header : answer->headers) stored.headers.emplace_back(header.name, header.value);
  constexpr std::size_t kLargestKept = 1024 * 1024;
  if (auto body = answer->body.sub(0, kLargestKept).to_bytes(kLargestKept)) stored.body = *std::move(body);
  return stored;
}

void report(const MessageRecord& record) {
  const bool confirmed = record.state == MessageState::Confirmed;
  log::write(confirmed ? log::Level::Info : log::Level::Warning, confirmed ? "message-confirmed" : "message-failed",
             {{"id", record.id},
              {"agreement", record.agreement},
              {"from", record.as2_from},
              {"to", record.as2_to},
              {"message_id", record.message_id},
              {"url", record.remote_address},
              {"security", record.security},
              {"mic", record.mic + ", " + record.mic_algorithm},
              {"disposition", record.disposition},
              {"reason", record.reason}});
}

}  // namespace

OutboundExchange::OutboundExchange(OutboundPorts ports, OutboundOptions options)
    : ports_(std::move(ports)), options_(std::move(options)) {}

Result<MessageRecord> OutboundExchange::send(const SendRequest& request) {
  SIGNET_TRY(const auto account, ports_.account());
  const ResolvedAgreement* agreement = account->directory().by_name(request.agreement);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("there is no agreement '{}'", printable(request.agreement)));

  // Compose.
  const Time now = ports_.clock.now();
  const as2::MessageId message_id = as2::MessageId::generate(options_.host);
  MessageRecord record = record_of(request, *agreement, message_id, now);
  const vault::AuditScope audited = vault::message_scope(record.id);
  SIGNET_TRY(as2::ComposeSettings settings, compose_settings(*agreement, *account, message_id, now, options_.spool));
  if (!request.content_type.empty()) settings.content_type = request.content_type;
  settings.file_name = file_name_for(agreement->agreement.send_agreement.envelope_settings, request);
  settings.subject = request.subject.empty() ? fmt::format("Message from {} to {}", record.as2_from, record.as2_to)
                                             : request.subject;
  auto composed = as2::compose(request.payload, settings);
  if (!composed) {
    if (auto denied = vault::take_vault_refusal()) return fail(*std::move(denied));
    return fail(std::move(composed).error());
  }
  SIGNET_TRY(const HttpPost post, http_post(*agreement, *account, *composed, options_));
  SIGNET_TRY(const as2::ReceiptExpectation expectation,
             receipt_expectation(*agreement, *account, message_id, composed->mic, now, options_.spool));
  record.subject = settings.subject;
  record.content_type = settings.content_type;
  record.file_name = settings.file_name;
  record.mic = base64(composed->mic.value);
  record.mic_algorithm = to_string(composed->mic.hash);
  record.security = as2::to_string(composed->layers);

  // Submit: on disk before the first octet leaves.
  SIGNET_CHECK(ports_.store.commit_outbound(record, request.payload));

  // Send, await the receipt, reconcile, report.
  const auto answer = ports_.post(post);
  reconcile(record, answer, expectation, settings.receipt.wanted);
  record.settled = ports_.clock.now();
  report(record);
  // What the partner said is known now. If it cannot be written down, saying "failed, try again" would send the document twice.
  if (auto settled = ports_.store.settle_outbound(record, as_stored(answer)); !settled) {
    log::error("outcome-not-recorded", {{"id", record.id}, {"message_id", record.message_id}, {"reason", settled.error().detail}});
    record.reason += fmt::format("{}the outcome could not be recorded: {}", record.reason.empty() ? "" : "; ",
                                 settled.error().detail);
  }
  return record;
}

}  // namespace signet::gateway
