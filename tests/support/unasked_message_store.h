#pragma once

#include "gateway/exchange/message_store.h"

namespace signet::test {

/// A store for a test's fakes to derive from: whatever the code under test is not to ask for fails.
class UnaskedMessageStore : public gateway::MessageStore {
 public:
  using Record = gateway::MessageRecord;
  using Receipt = gateway::StoredReceipt;

  Result<std::optional<gateway::EarlierMessage>> find_earlier(std::string_view, std::string_view,
                                                              std::string_view, Time) override {
    return unasked();
  }
  void commit_received(const Record&, const gateway::WireCopy&, bool, Done done) override { done(unasked()); }
  void commit_inbound(gateway::InboundCommit, Done done) override { done(unasked()); }
  Result<std::vector<Record>> undelivered() override { return unasked(); }
  void mark_delivered(std::string_view, std::string_view, Time, Done done) override { done(unasked()); }
  Result<std::vector<gateway::WaitingWork>> waiting_receipts() override { return unasked(); }
  Result<gateway::ReceiptPost> receipt_post(std::string_view) override { return unasked(); }
  Result<> update_receipt_post(const gateway::ReceiptPost&) override { return unasked(); }
  Result<> queue_receipt_again(std::string_view, Time, Tell) override { return unasked(); }
  Result<> commit_outbound(const gateway::OutboundCommit&, Tell) override { return unasked(); }
  Result<> settle_outbound(const Record&, const std::optional<Receipt>&, Tell) override { return unasked(); }
  Result<> cancel_outbound(std::string_view, std::string_view, Time) override { return unasked(); }
  Result<> queue_again(std::string_view, Time, Tell) override { return unasked(); }
  Result<> keep_late_receipt(std::string_view, const Receipt&, std::string_view, Time) override {
    return unasked();
  }
  Result<Record> find_outbound(std::string_view, std::string_view, std::string_view) override {
    return unasked();
  }
  Result<std::vector<gateway::WaitingWork>> waiting(gateway::MessageState) override { return unasked(); }
  Result<std::vector<std::string>> take_notes() override { return unasked(); }
  Result<std::vector<Record>> list(const gateway::MessageFilter&) override { return unasked(); }
  Result<Record> find(std::string_view) override { return unasked(); }
  Result<Slice> payload(std::string_view) override { return unasked(); }
  Result<gateway::WireCopy> wire(std::string_view) override { return unasked(); }
  Result<Receipt> receipt(std::string_view) override { return unasked(); }

 protected:
  static tl::unexpected<Error> unasked() {
    return fail(ErrorKind::Internal, "a test did not expect this to be asked for");
  }
};

}  // namespace signet::test
