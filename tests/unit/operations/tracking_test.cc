#include "gateway/operations/tracking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "as2/mdn.h"

namespace signet::gateway {
namespace {

using nlohmann::json;

const Time kNow = *parse_time("2026-11-21T08:30:00Z");
constexpr const char* kProcessed = "automatic-action/MDN-sent-automatically; processed";
constexpr const char* kRefused =
    "automatic-action/MDN-sent-automatically; processed/error: decryption-failed";

as2::Mic mic_of(std::string_view text) { return {Hash::Sha256, digest(Hash::Sha256, as_bytes(text))}; }

StoredReceipt unsigned_receipt(const std::string& disposition, std::optional<as2::Mic> mic) {
  as2::MdnContent content;
  content.original_message_id = *as2::MessageId::parse("<1@us>");
  content.disposition = *as2::parse_disposition(disposition);
  content.mic = std::move(mic);
  as2::BuiltMdn report = as2::build_mdn(content);
  StoredReceipt receipt;
  receipt.headers = {{"Message-ID", "<receipt@them>"}, {"AS2-From", "globex"}, {"AS2-To", "us"}};
  for (const as2::mime::Header& header : report.headers)
    receipt.headers.emplace_back(header.name, header.value);
  receipt.body = std::move(report.body);
  return receipt;
}

agreements::Agreement trade() {
  agreements::Agreement agreement;
  agreement.name = "trade";
  agreement.host_partner = "Our Company";
  agreement.guest_partner = "Globex Inc";
  return agreement;
}

/// A message to Globex that was confirmed.
TrackedMessage sent(const agreements::Agreement& agreement) {
  TrackedMessage message;
  message.agreement = &agreement;
  message.record.id = std::string(32, 'a');
  message.record.direction = Direction::Outbound;
  message.record.state = MessageState::Confirmed;
  message.record.agreement = "trade";
  message.record.as2_from = "us";
  message.record.as2_to = "globex";
  message.record.message_id = "<1@us>";
  message.record.created = kNow;
  message.record.settled = kNow + std::chrono::seconds(2);
  message.record.file_name = "order.edi";
  message.record.mic = base64(mic_of("order").value);
  message.record.mic_algorithm = "sha-256";
  message.record.disposition = kProcessed;
  message.record.security =
      "encrypted (AES-256-CBC, RSA PKCS#1 v1.5), signed (RSASSA-PKCS1-v1_5 with sha-256)";
  message.headers = {
      {"AS2-From", "us"}, {"Disposition-Notification-To", "us"}, {"Authorization", "Basic c2VjcmV0"}};
  message.receipt = unsigned_receipt(kProcessed, mic_of("order"));
  return message;
}

TrackedMessage received(const agreements::Agreement& agreement) {
  TrackedMessage message = sent(agreement);
  message.record.direction = Direction::Inbound;
  message.record.state = MessageState::Delivered;
  message.record.as2_from = "globex";
  message.record.as2_to = "us";
  return message;
}

std::vector<json> events_of(const TrackedMessage& message) {
  std::vector<json> events;
  for (const auto& event : tracking_events(message)) events.push_back(json(event));
  return events;
}

TEST(Tracking, TellsOfAReceiptThatWePostWhenThatHasEnded) {
  const auto agreement = trade();
  TrackedMessage message = received(agreement);
  message.post.emplace();
  message.post->due = kNow;
  EXPECT_EQ(events_of(message).size(), 1) << "it has not gone yet";

  message.post->due.reset();
  message.post->given_up = kNow + std::chrono::hours(1);
  message.post->reason = "HTTP 404";
  json receipt = events_of(message).at(1);
  EXPECT_EQ(receipt.at("eventTime"), "2026-11-21T09:30:00.000Z");
  EXPECT_EQ(receipt.at("eventLevel"), "Error");
  EXPECT_EQ(receipt.at("error"), json({{"code", "receipt-not-posted"}, {"message", "HTTP 404"}}));
  EXPECT_EQ(receipt.at("record").at("messageProperties").at("isMessageFailed"), true);
  EXPECT_EQ(events_of(message).at(0).at("record").at("messageProperties").at("isMessageFailed"), false);

  message.post->given_up.reset();
  message.post->posted = kNow + std::chrono::hours(2);
  receipt = events_of(message).at(1);
  EXPECT_EQ(receipt.at("eventTime"), "2026-11-21T10:30:00.000Z");
  EXPECT_EQ(receipt.at("eventLevel"), "Informational");
  EXPECT_FALSE(receipt.contains("error"));
}

TEST(Tracking, TellsOfAMessageSentAndItsReceiptInAzuresWords) {
  const auto agreement = trade();
  const auto events = events_of(sent(agreement));
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(events[0], json::parse(R"({
    "eventLevel": "Informational", "eventTime": "2026-11-21T08:30:00.000Z", "recordType": "AS2Message",
    "trackingId": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "record": {
      "agreementProperties": {"senderPartnerName": "Our Company", "receiverPartnerName": "Globex Inc",
                              "as2To": "globex", "as2From": "us", "agreementName": "trade"},
      "messageProperties": {"direction": "send", "messageId": "<1@us>",
                            "dispositionType": "automatic-action/MDN-sent-automatically; processed",
                            "fileName": "order.edi", "isMessageFailed": false, "isMessageSigned": true, "isMessageEncrypted": true,
                            "isMessageCompressed": false, "correlationMessageId": "<1@us>",
                            "outgoingHeaders": {"AS2-From": "us", "Disposition-Notification-To": "us"},
                            "isNrrEnabled": true, "isMdnExpected": true, "mdnType": "Sync"}}})"));
  const json& receipt = events[1];
  EXPECT_EQ(receipt.at("recordType"), "AS2MDN");
  EXPECT_EQ(receipt.at("eventTime"), "2026-11-21T08:30:02.000Z");
  EXPECT_EQ(receipt.at("record").at("agreementProperties"), json({{"senderPartnerName", "Globex Inc"},
                                                                  {"receiverPartnerName", "Our Company"},
                                                                  {"as2To", "us"},
                                                                  {"as2From", "globex"},
                                                                  {"agreementName", "trade"}}));
  json properties = receipt.at("record").at("messageProperties");
  EXPECT_EQ(properties.at("incomingHeaders").at("AS2-From"), "globex");
  properties.erase("incomingHeaders");
  EXPECT_EQ(properties, json({{"direction", "receive"},
                              {"messageId", "<receipt@them>"},
                              {"originalMessageId", "<1@us>"},
                              {"dispositionType", kProcessed},
                              {"isMessageFailed", false},
                              {"isMessageSigned", false},
                              {"isNrrEnabled", true},
                              {"statusCode", "Accepted"},
                              {"micVerificationStatus", "Succeeded"},
                              {"correlationMessageId", "<1@us>"}}));
}

TEST(Tracking, TellsOfAMessageReceivedTheOtherWayRound) {
  const auto agreement = trade();
  const auto events = events_of(received(agreement));
  ASSERT_EQ(events.size(), 2);
  const json& message = events[0].at("record");
  EXPECT_EQ(message.at("agreementProperties").at("senderPartnerName"), "Globex Inc");
  EXPECT_EQ(message.at("messageProperties").at("direction"), "receive");
  EXPECT_TRUE(message.at("messageProperties").contains("incomingHeaders"));
  const json& receipt = events[1].at("record");
  EXPECT_EQ(receipt.at("agreementProperties").at("senderPartnerName"), "Our Company");
  EXPECT_EQ(receipt.at("agreementProperties").at("as2To"), "globex");
  EXPECT_EQ(receipt.at("messageProperties").at("direction"), "send");
  EXPECT_EQ(receipt.at("messageProperties").at("micVerificationStatus"), "NotApplicable")
      << "there is nothing to verify";
  EXPECT_TRUE(receipt.at("messageProperties").contains("outgoingHeaders"));
}

TEST(Tracking, TellsWhyAMessageFailed) {
  const auto agreement = trade();
  TrackedMessage message = received(agreement);
  message.record.state = MessageState::Refused;
  message.record.disposition = kRefused;
  message.record.reason = "no key of ours opens it";
  message.receipt = unsigned_receipt(kRefused, std::nullopt);
  for (const json& event : events_of(message)) {
    EXPECT_EQ(event.at("eventLevel"), "Error");
    EXPECT_EQ(event.at("error"), json({{"code", "refused"}, {"message", "no key of ours opens it"}}));
    EXPECT_EQ(event.at("record").at("messageProperties").at("isMessageFailed"), true);
  }
  EXPECT_EQ(events_of(message).at(1).at("record").at("messageProperties").at("statusCode"), "Rejected");
}

TEST(Tracking, ComparesThePartnersMic) {
  const auto agreement = trade();
  const auto status = [&](std::optional<as2::Mic> mic) {
    TrackedMessage message = sent(agreement);
    message.receipt = unsigned_receipt(kProcessed, std::move(mic));
    return events_of(message)
        .at(1)
        .at("record")
        .at("messageProperties")
        .at("micVerificationStatus")
        .get<std::string>();
  };
  EXPECT_EQ(status(mic_of("order")), "Succeeded");
  EXPECT_EQ(status(mic_of("another order")), "Failed");
  EXPECT_EQ(status(as2::Mic{Hash::Sha384, digest(Hash::Sha384, as_bytes("order"))}), "Failed");
  EXPECT_EQ(status(std::nullopt), "NotApplicable");
}

TEST(Tracking, HasThreeStatusCodes) {
  const auto agreement = trade();
  for (const auto& [disposition, code] :
       {std::pair{"automatic-action/MDN-sent-automatically; processed", "Accepted"},
        std::pair{"automatic-action/MDN-sent-automatically; processed/warning: duplicate-document",
                  "AcceptedWithErrors"},
        std::pair{"automatic-action/MDN-sent-automatically; processed/error: unexpected-processing-error",
                  "Rejected"},
        std::pair{"automatic-action/MDN-sent-automatically; failed/failure: unsupported format",
                  "Rejected"}}) {
    TrackedMessage message = sent(agreement);
    message.receipt = unsigned_receipt(disposition, std::nullopt);
    EXPECT_EQ(events_of(message).at(1).at("record").at("messageProperties").at("statusCode"), code)
        << disposition;
  }
}

TEST(Tracking, KnowsTheThreeKindsOfReceipt) {
  const auto agreement = trade();
  const auto type = [](const TrackedMessage& message) {
    const json properties = events_of(message).at(0).at("record").at("messageProperties");
    EXPECT_EQ(properties.at("isMdnExpected"), properties.at("mdnType") != "NotConfigured");
    return properties.at("mdnType").get<std::string>();
  };
  TrackedMessage message = sent(agreement);
  EXPECT_EQ(type(message), "Sync");
  message.headers.emplace_back("Receipt-Delivery-Option", "https://us.example/mdn");
  EXPECT_EQ(type(message), "Async");
  message.headers = {{"AS2-From", "us"}};
  EXPECT_EQ(type(message), "NotConfigured");
  // Where the message's head is not kept, what else is known.
  message.headers.clear();
  EXPECT_EQ(type(message), "Sync") << "as the agreement has it";
  message.record.receipt_url = "https://us.example/mdn";
  EXPECT_EQ(type(message), "Async");
  TrackedMessage inbound = received(agreement);
  inbound.headers.clear();
  EXPECT_EQ(type(inbound), "Sync") << "a receipt was sent";
  inbound.receipt.reset();
  EXPECT_EQ(type(inbound), "NotConfigured");
}

TEST(Tracking, LooksWhatIsKeptUpInTheAgreement) {
  auto agreement = trade();
  const auto enabled = [](const TrackedMessage& message) {
    std::pair<bool, bool> both;
    const auto events = events_of(message);
    both.first = events.at(0).at("record").at("messageProperties").at("isNrrEnabled");
    both.second = events.at(1).at("record").at("messageProperties").at("isNrrEnabled");
    return both;
  };
  auto& in = agreement.receive_agreement.security_settings;
  in.enable_nrr_for_inbound_encoded_messages = in.enable_nrr_for_inbound_decoded_messages = false;
  EXPECT_EQ(enabled(received(agreement)), std::pair(false, true));
  in.enable_nrr_for_inbound_decoded_messages = true;
  in.enable_nrr_for_outbound_mdn = false;
  EXPECT_EQ(enabled(received(agreement)), std::pair(true, false));
  auto& out = agreement.send_agreement.security_settings;
  out.enable_nrr_for_outbound_encoded_messages = out.enable_nrr_for_outbound_decoded_messages = false;
  out.enable_nrr_for_inbound_mdn = false;
  EXPECT_EQ(enabled(sent(agreement)), std::pair(false, false));
}

TEST(Tracking, TellsWhatItCanOfAStrangersMessage) {
  TrackedMessage message;
  message.record.state = MessageState::Refused;
  message.record.as2_from = "nobody\"\n\xff";
  message.record.reason = "no agreement";
  message.receipt = StoredReceipt{403, {{"Content-Type", "text/plain"}}, to_bytes("no")};
  const auto events = events_of(message);
  ASSERT_EQ(events.size(), 1) << "an HTTP error is no receipt";
  const json& record = events[0].at("record");
  EXPECT_EQ(record.at("agreementProperties"), json({{"as2To", ""}, {"as2From", "nobody\"\n\xff"}}));
  EXPECT_FALSE(record.at("messageProperties").contains("messageId"));
  EXPECT_EQ(record.at("messageProperties").at("isNrrEnabled"), false);
}

TEST(Tracking, ShowsNoSecretsOfHeaders) {
  const auto agreement = trade();
  TrackedMessage message = sent(agreement);
  for (const char* name : {"authorization", "Proxy-Authorization", "COOKIE"})
    message.headers.emplace_back(name, "s3cret");
  message.headers.emplace_back("receipt-delivery-option", "https://me:s3cret@us.example/mdn?token=s3cret");
  message.receipt->headers.emplace_back("Set-Cookie", "s3cret");
  for (const json& event : events_of(message)) {
    EXPECT_EQ(event.dump().find("s3cret"), std::string::npos) << event.dump();
    EXPECT_EQ(event.dump().find("c2VjcmV0"), std::string::npos);
  }
}

TEST(Tracking, JoinsFieldsOfOneName) {
  const auto agreement = trade();
  TrackedMessage message = sent(agreement);
  message.headers = {{"Via", "a"}, {"Via", "b"}};
  EXPECT_EQ(events_of(message).at(0).at("record").at("messageProperties").at("outgoingHeaders"),
            json({{"Via", "a, b"}}));
}

}  // namespace
}  // namespace signet::gateway
