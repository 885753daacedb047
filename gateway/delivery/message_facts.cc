#include "gateway/delivery/message_facts_internal.h"

namespace signet::gateway {
namespace {

nlohmann::ordered_json facts_of_message(const MessageRecord& record) {
  return {{"kind", "message"},
          {"agreement", record.agreement},
          {"as2From", record.as2_from},
          {"as2To", record.as2_to},
          {"messageId", record.message_id},
          {"subject", record.subject},
          {"fileNameAsSent", record.file_name},
          {"contentType", record.content_type},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"signerThumbprintSha256", record.signer_thumbprint},
          {"security", record.security},
          {"disposition", record.disposition},
          {"remoteAddress", record.remote_address},
          {"requestId", record.request_id},
          {"received", to_rfc3339(record.created)}};
}

/// The names are the receipt's, so those of the message swapped.
nlohmann::ordered_json facts_of_receipt(const MessageRecord& record) {
  return {{"kind", "receipt"},
          {"agreement", record.agreement},
          {"as2From", record.as2_to},
          {"as2To", record.as2_from},
          {"originalMessageId", record.message_id},
          {"originalSubject", record.subject},
          {"originalFileName", record.file_name},
          {"provesDelivery", record.state == MessageState::Confirmed},
          {"reason", record.reason},
          {"disposition", record.disposition},
          {"mic", record.mic},
          {"micAlgorithm", record.mic_algorithm},
          {"signerThumbprintSha256", record.receipt_signer_thumbprint},
          {"submitted", to_rfc3339(record.created)},
          {"received", to_rfc3339(record.settled.value_or(record.created))}};
}

}  // namespace

nlohmann::ordered_json facts_for_business(const MessageRecord& record, std::uint64_t size, ByteView sha256,
                                          Time now) {
  nlohmann::ordered_json facts = {{"id", record.id}};
  facts.update(record.direction == Direction::Inbound ? facts_of_message(record) : facts_of_receipt(record));
  facts["size"] = size;
  facts["sha256"] = hex_lower(sha256);
  facts["handedOver"] = to_rfc3339(now);
  return facts;
}

}  // namespace signet::gateway
