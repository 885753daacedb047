#include "gateway/operations/tracking.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "as2/disposition.h"
#include "as2/mdn.h"
#include "as2/receipt.h"
#include "gateway/endpoint/http_client.h"

namespace signet::gateway {
namespace {

using nlohmann::ordered_json;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

std::string_view value_of(const HeaderList& headers, std::string_view name) {
  for (const auto& [known, value] : headers)
    if (equal_ignoring_case(known, name)) return value;
  return {};
}

bool may_be_secret(std::string_view header) {
  for (const std::string_view secret : {"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"})
    if (equal_ignoring_case(header, secret)) return true;
  return false;
}

/// A URL may have a password or a token in it.
std::string without_secrets(const std::string& name, const std::string& value) {
  return equal_ignoring_case(name, "Receipt-Delivery-Option") ? url_for_people(value) : value;
}

/// A dictionary, as the schema has it: a field that comes twice has all its values in one, as HTTP joins
/// them.
ordered_json header_dictionary(const HeaderList& headers) {
  ordered_json dictionary = ordered_json::object();
  for (const auto& [name, value] : headers) {
    if (may_be_secret(name)) continue;
    ordered_json& known = dictionary[name];
    const std::string shown = without_secrets(name, value);
    known = known.is_null() ? shown : known.get<std::string>() + ", " + shown;
  }
  return dictionary;
}

/// Whether the record's layers have one of a kind; they read "encrypted (AES-256-CBC, ...), signed (...)".
bool has_layer(const MessageRecord& record, std::string_view kind) {
  const std::string start = std::string(kind) + " (";
  const std::size_t at = record.security.find(start);
  return at != std::string::npos && (at == 0 || record.security[at - 1] == ' ');
}

bool has_failed(MessageState state) {
  switch (state) {
    case MessageState::Refused:
    case MessageState::Failed:
    case MessageState::Cancelled:
      return true;
    case MessageState::Received:
    case MessageState::Accepted:
    case MessageState::Delivered:
    case MessageState::Queued:
    case MessageState::Sending:
    case MessageState::AwaitingReceipt:
    case MessageState::Confirmed:
      return false;
  }
  return false;
}

bool is_inbound(const TrackedMessage& message) { return message.record.direction == Direction::Inbound; }

/// The answer where it is a receipt, as MIME.
struct ReceiptEntity {
  as2::mime::Headers headers;
  Slice body;
};

std::optional<ReceiptEntity> receipt_of(const TrackedMessage& message) {
  if (!message.receipt || message.receipt->body.empty()) return std::nullopt;
  ReceiptEntity entity;
  for (const auto& [name, value] : message.receipt->headers) entity.headers.add(name, value);
  if (!as2::may_be_receipt(entity.headers)) return std::nullopt;
  entity.body = Slice::of(message.receipt->body);
  return entity;
}

bool is_receipt_expected(const TrackedMessage& message) {
  if (!value_of(message.headers, "Disposition-Notification-To").empty()) return true;
  if (!message.headers.empty()) return false;
  if (is_inbound(message)) return !message.record.receipt_url.empty() || receipt_of(message).has_value();
  return message.agreement != nullptr && message.agreement->send_agreement.mdn_settings.need_mdn;
}

std::string_view mdn_type(const TrackedMessage& message) {
  if (!is_receipt_expected(message)) return "NotConfigured";
  const bool posted =
      !message.record.receipt_url.empty() || !value_of(message.headers, "Receipt-Delivery-Option").empty();
  return posted ? "Async" : "Sync";
}

bool keeps_message(const TrackedMessage& message) {
  if (message.agreement == nullptr) return false;
  if (is_inbound(message)) {
    const auto& settings = message.agreement->receive_agreement.security_settings;
    return settings.enable_nrr_for_inbound_encoded_messages ||
           settings.enable_nrr_for_inbound_decoded_messages;
  }
  const auto& settings = message.agreement->send_agreement.security_settings;
  return settings.enable_nrr_for_outbound_encoded_messages ||
         settings.enable_nrr_for_outbound_decoded_messages;
}

bool keeps_receipt(const TrackedMessage& message) {
  if (message.agreement == nullptr) return false;
  return is_inbound(message)
             ? message.agreement->receive_agreement.security_settings.enable_nrr_for_outbound_mdn
             : message.agreement->send_agreement.security_settings.enable_nrr_for_inbound_mdn;
}

std::string_view status_code(const std::string& disposition) {
  const auto read = as2::parse_disposition(disposition);
  if (!read || !read->accepted()) return "Rejected";
  return read->outcome == as2::Outcome::Processed ? "Accepted" : "AcceptedWithErrors";
}

/// Whether the partner's MIC is ours. Of a receipt that we made, nothing is to be verified.
std::string_view mic_verification(const TrackedMessage& message, const as2::MdnContent& content) {
  if (is_inbound(message) || content.mic_text.empty() || message.record.mic.empty()) return "NotApplicable";
  const bool equal = content.mic && base64(content.mic->value) == message.record.mic &&
                     to_string(content.mic->hash) == message.record.mic_algorithm;
  return equal ? "Succeeded" : "Failed";
}

/// `from`, `to`: the AS2 names of whoever sends what the event is about, and of whoever gets it.
ordered_json agreement_properties(const TrackedMessage& message, bool guest_sends, const std::string& from,
                                  const std::string& to) {
  ordered_json properties = ordered_json::object();
  if (const agreements::Agreement* agreement = message.agreement) {
    properties["senderPartnerName"] = guest_sends ? agreement->guest_partner : agreement->host_partner;
    properties["receiverPartnerName"] = guest_sends ? agreement->host_partner : agreement->guest_partner;
  }
  properties["as2To"] = to;
  properties["as2From"] = from;
  if (!message.record.agreement.empty()) properties["agreementName"] = message.record.agreement;
  return properties;
}

void add_if_known(ordered_json& properties, const char* name, std::string_view value) {
  if (!value.empty()) properties[name] = value;
}

ordered_json message_record(const TrackedMessage& message) {
  const MessageRecord& record = message.record;
  const bool inbound = is_inbound(message);
  ordered_json properties = {{"direction", inbound ? "receive" : "send"}};
  add_if_known(properties, "messageId", record.message_id);
  add_if_known(properties, "dispositionType", record.disposition);
  add_if_known(properties, "fileName", record.file_name);
  properties["isMessageFailed"] = has_failed(record.state);
  properties["isMessageSigned"] = has_layer(record, "signed");
  properties["isMessageEncrypted"] = has_layer(record, "encrypted");
  properties["isMessageCompressed"] = has_layer(record, "compressed");
  add_if_known(properties, "correlationMessageId", record.message_id);
  if (!message.headers.empty())
    properties[inbound ? "incomingHeaders" : "outgoingHeaders"] = header_dictionary(message.headers);
  properties["isNrrEnabled"] = keeps_message(message);
  properties["isMdnExpected"] = is_receipt_expected(message);
  properties["mdnType"] = mdn_type(message);
  return {{"agreementProperties", agreement_properties(message, inbound, record.as2_from, record.as2_to)},
          {"messageProperties", std::move(properties)}};
}

/// Whether the partner never got the receipt that we made, for good.
bool is_never_posted(const TrackedMessage& message) {
  return message.post && message.post->given_up && !message.post->posted;
}

/// When the receipt came or went; nothing while it is still to go.
std::optional<Time> receipt_time(const TrackedMessage& message) {
  if (const auto& post = message.post) return post->posted ? post->posted : post->given_up;
  return is_inbound(message) ? message.record.created
                             : message.record.settled.value_or(message.record.created);
}

ordered_json receipt_record(const TrackedMessage& message, const ReceiptEntity& entity) {
  const MessageRecord& record = message.record;
  const bool inbound = is_inbound(message);
  const auto content = as2::read_receipt_claims(entity.headers, entity.body, {});
  const std::string disposition = content ? content->disposition.text : record.disposition;
  ordered_json properties = {{"direction", inbound ? "send" : "receive"}};
  add_if_known(properties, "messageId", entity.headers.value("Message-ID").value_or(""));
  add_if_known(properties, "originalMessageId", record.message_id);
  add_if_known(properties, "dispositionType", disposition);
  properties["isMessageFailed"] = has_failed(record.state) || is_never_posted(message);
  properties["isMessageSigned"] = !as2::is_mdn(entity.headers);
  properties["isNrrEnabled"] = keeps_receipt(message);
  properties["statusCode"] = status_code(disposition);
  properties["micVerificationStatus"] = content ? mic_verification(message, *content) : "Failed";
  add_if_known(properties, "correlationMessageId", record.message_id);
  properties[inbound ? "outgoingHeaders" : "incomingHeaders"] = header_dictionary(message.receipt->headers);
  return {{"agreementProperties", agreement_properties(message, !inbound, record.as2_to, record.as2_from)},
          {"messageProperties", std::move(properties)}};
}

ordered_json event(const TrackedMessage& message, std::string_view type, Time time, ordered_json record) {
  const bool failed = has_failed(message.record.state);
  const std::string& unchecked = message.record.revocation_unchecked;
  ordered_json event = {{"eventLevel", failed              ? "Error"
                                       : unchecked.empty() ? "Informational"
                                                           : "Warning"},
                        {"eventTime", to_rfc3339(time)},
                        {"recordType", type},
                        {"trackingId", message.record.id},
                        {"record", std::move(record)}};
  if (failed)
    event["error"] = {{"code", to_string(message.record.state)}, {"message", message.record.reason}};
  else if (!unchecked.empty())
    event["error"] = {{"code", "revocation-not-checked"}, {"message", unchecked}};
  return event;
}

ordered_json receipt_event(const TrackedMessage& message, const ReceiptEntity& entity, Time time) {
  ordered_json sent = event(message, "AS2MDN", time, receipt_record(message, entity));
  if (is_never_posted(message)) {
    sent["eventLevel"] = "Error";
    sent["error"] = {{"code", "receipt-not-posted"}, {"message", message.post->reason}};
  }
  return sent;
}

}  // namespace

std::vector<ordered_json> tracking_events(const TrackedMessage& message) {
  const MessageRecord& record = message.record;
  std::vector<ordered_json> events = {event(message, "AS2Message", record.created, message_record(message))};
  const auto entity = receipt_of(message);
  const auto time = receipt_time(message);
  if (entity && time) events.push_back(receipt_event(message, *entity, *time));
  return events;
}

}  // namespace signet::gateway
