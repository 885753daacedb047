#pragma once

#include <utility>

#include "gateway/exchange/message_store.h"

namespace signet::test {

/// A store that hands everything on to another one, for a test's stores to derive from that change some of
/// it.
class ForwardingMessageStore : public gateway::MessageStore {
 public:
  using Record = gateway::MessageRecord;
  using Receipt = gateway::StoredReceipt;

  explicit ForwardingMessageStore(gateway::MessageStore& store) : store_(store) {}

  Result<std::optional<gateway::EarlierMessage>> find_earlier(std::string_view from, std::string_view to,
                                                              std::string_view id, Time since) override {
    return store_.find_earlier(from, to, id, since);
  }
  void commit_received(const Record& record, const gateway::WireCopy& wire, bool unique, Done done) override {
    store_.commit_received(record, wire, unique, std::move(done));
  }
  void commit_inbound(gateway::InboundCommit commit, Done done) override {
    store_.commit_inbound(std::move(commit), std::move(done));
  }
  Result<std::vector<Record>> undelivered() override { return store_.undelivered(); }
  void mark_delivered(std::string_view id, std::string_view where, Time when, Done done) override {
    store_.mark_delivered(id, where, when, std::move(done));
  }
  Result<std::vector<gateway::WaitingWork>> waiting_receipts() override { return store_.waiting_receipts(); }
  Result<gateway::ReceiptPost> receipt_post(std::string_view id) override { return store_.receipt_post(id); }
  Result<> update_receipt_post(const gateway::ReceiptPost& post) override {
    return store_.update_receipt_post(post);
  }
  Result<> queue_receipt_again(std::string_view id, Time due, Tell tell) override {
    return store_.queue_receipt_again(id, due, tell);
  }
  Result<> commit_outbound(const gateway::OutboundCommit& commit, Tell tell) override {
    return store_.commit_outbound(commit, tell);
  }
  Result<> settle_outbound(const Record& record, const std::optional<Receipt>& answer, Tell tell) override {
    return store_.settle_outbound(record, answer, tell);
  }
  Result<> cancel_outbound(std::string_view id, std::string_view reason, Time when) override {
    return store_.cancel_outbound(id, reason, when);
  }
  Result<> queue_again(std::string_view id, Time due, Tell tell) override {
    return store_.queue_again(id, due, tell);
  }
  Result<> keep_late_receipt(std::string_view id, const Receipt& receipt, std::string_view verdict,
                             Time when) override {
    return store_.keep_late_receipt(id, receipt, verdict, when);
  }
  Result<Record> find_outbound(std::string_view from, std::string_view to, std::string_view id) override {
    return store_.find_outbound(from, to, id);
  }
  Result<std::vector<gateway::WaitingWork>> waiting(gateway::MessageState state) override {
    return store_.waiting(state);
  }
  Result<std::vector<std::string>> take_notes() override { return store_.take_notes(); }
  Result<std::vector<Record>> list(const gateway::MessageFilter& filter) override {
    return store_.list(filter);
  }
  Result<Record> find(std::string_view id) override { return store_.find(id); }
  Result<Slice> payload(std::string_view id) override { return store_.payload(id); }
  Result<gateway::WireCopy> wire(std::string_view id) override { return store_.wire(id); }
  Result<Receipt> receipt(std::string_view id) override { return store_.receipt(id); }

 protected:
  gateway::MessageStore& store_;
};

}  // namespace signet::test
