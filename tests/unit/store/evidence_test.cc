#include <gmock/gmock.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include <future>
#include <nlohmann/json.hpp>

#include "gateway/store/evidence_store.h"
#include "gateway/store/sql_internal.h"
#include "tests/unit/store/store_fixture.h"

/// What is kept of messages, the chain of its records, and what goes.

namespace signet::gateway {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Tell = MessageStore::Tell;

std::string sha256_hex(std::string_view text) { return hex_lower(digest(Hash::Sha256, as_bytes(text))); }

class EvidenceTest : public StoreTest {
 protected:
  EvidenceTest() : store_(open()), evidence_(std::make_unique<SqliteEvidenceStore>(*store_)) {}

  void reopen() {
    evidence_.reset();
    store_.reset();
    store_ = open();
    evidence_ = std::make_unique<SqliteEvidenceStore>(*store_);
  }

  static MessageRecord inbound(std::string_view name, KeptCopies keeps = {}) {
    MessageRecord record = accepted_record(name);
    record.keeps = keeps;
    record.payload_size = 5;
    record.mic = "bWlj";
    record.mic_algorithm = "sha-256";
    return record;
  }
  static MessageRecord outbound(std::string_view name, KeptCopies keeps = {}) {
    MessageRecord record = inbound(name, keeps);
    record.direction = Direction::Outbound;
    record.state = MessageState::Queued;
    record.queued = kNoon;
    record.due = kNoon;
    return record;
  }

  /// Accepted: the payload "order", what the MIC is over, a certificate, a receipt, and the wire where it is
  /// kept.
  void accept(const MessageRecord& record, const Slice& payload = Slice::of("order"),
              const std::string& content = "Content-Type: x\r\n\r\norder") {
    InboundCommit commit{record, payload, receipt_saying("mdn"), true, std::nullopt, {}};
    commit.evidence = {Proof{Slice::of(content), to_bytes("signature")}, {to_bytes("certificate")}};
    if (record.keeps.wire) commit.wire = wire_saying("wire");
    std::promise<Result<>> done;
    store_->commit_inbound(std::move(commit), [&](Result<> outcome) { done.set_value(std::move(outcome)); });
    const auto outcome = done.get_future().get();
    ASSERT_TRUE(outcome) << outcome.error().detail;
  }
  void submit(const MessageRecord& record) {
    ASSERT_TRUE(store_->commit_outbound(
        {record, Slice::of("order"), wire_saying("wire"), {Proof{Slice::of("order"), {}}, {}}},
        Tell::Nobody));
  }
  void settle(MessageRecord record, MessageState state, Time when = kNoon) {
    record.state = state;
    record.settled = when;
    record.due.reset();
    StoredReceipt receipt = receipt_saying("mdn");
    receipt.signer = to_bytes("their certificate");
    ASSERT_TRUE(store_->settle_outbound(record, receipt, Tell::Nobody));
  }
  std::vector<std::string> events(const MessageRecord& record) {
    std::vector<std::string> found;
    const auto records = evidence_->records(record.id).value();
    for (const EvidenceRecord& each : records) found.push_back(json::parse(each.line)["event"]);
    return found;
  }
  json last(const MessageRecord& record) { return json::parse(evidence_->records(record.id)->back().line); }
  /// Changes the database behind the store's back.
  template <std::size_t N>
  void tamper(const char (&sql)[N]) {
    ASSERT_TRUE(store_->database()->write([&](SqlConnection& connection) -> Result<> {
      Query(connection, sql).run();
      return {};
    }));
  }
  std::string flaw() {
    const auto report = evidence_->verify({}).value();
    return report.flaw ? std::to_string(report.flaw->line) + " " + report.flaw->what : "";
  }
  static bool is_gone(const Result<Slice>& slice) {
    return !slice && slice.error().kind == ErrorKind::NotFound;
  }

  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteEvidenceStore> evidence_;
};

// ---- The switches

TEST_F(EvidenceTest, EverythingThatIsAskedForStays) {
  const MessageRecord in = inbound("in");
  accept(in);
  ASSERT_TRUE(store_->mark_delivered(in.id, "/in/order", kNoon));
  const MessageRecord out = outbound("out");
  submit(out);
  settle(out, MessageState::Confirmed);
  reopen();
  for (const MessageRecord& record : {in, out}) {
    EXPECT_EQ(octets_of(store_->payload(record.id).value()), to_bytes("order"));
    EXPECT_EQ(octets_of(store_->wire(record.id)->body), to_bytes("wire"));
    EXPECT_EQ(store_->receipt(record.id)->body, to_bytes("mdn"));
  }
  const auto proof = evidence_->proof(in.id);
  ASSERT_TRUE(proof) << proof.error().detail;
  EXPECT_EQ(octets_of(proof->content), to_bytes("Content-Type: x\r\n\r\norder"));
  EXPECT_EQ(proof->signature, to_bytes("signature"));
  EXPECT_EQ(octets_of(evidence_->proof(out.id)->content), to_bytes("order"));
  for (const char* certificate : {"certificate", "their certificate"})
    EXPECT_EQ(evidence_->certificate(hex_upper(digest(Hash::Sha256, as_bytes(certificate)))).value(),
              to_bytes(certificate));
  EXPECT_EQ(evidence_->certificate("AB").error().kind, ErrorKind::NotFound);
}

TEST_F(EvidenceTest, AnInboundCopyThatIsNotAskedForGoesWhenNothingNeedsItAnyMore) {
  const MessageRecord record = inbound("a", KeptCopies::none());
  accept(record, Slice::of(some_octets(300'000)));
  EXPECT_FALSE(store_->wire(record.id));
  EXPECT_EQ(octets_of(store_->payload(record.id).value()), some_octets(300'000));  // until it is handed over
  EXPECT_EQ(evidence_->proof(record.id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(body_files(), 1U);
  ASSERT_TRUE(store_->mark_delivered(record.id, "/in/order", kNoon));
  EXPECT_TRUE(is_gone(store_->payload(record.id)));
  EXPECT_EQ(body_files(), 0U);
  EXPECT_TRUE(store_->receipt(record.id)) << "a repeat is answered with it";
  EXPECT_EQ(evidence_->certificate(hex_upper(digest(Hash::Sha256, as_bytes("certificate")))).error().kind,
            ErrorKind::NotFound);
}

TEST_F(EvidenceTest, AnOutboundCopyThatIsNotAskedForGoesWhenNothingNeedsItAnyMore) {
  for (const MessageState state : {MessageState::Confirmed, MessageState::Failed}) {
    const MessageRecord record = outbound(to_string(state), KeptCopies::none());
    submit(record);
    EXPECT_TRUE(is_gone(store_->payload(record.id)));
    EXPECT_TRUE(store_->wire(record.id)) << "the attempts need it";
    settle(record, state);
    EXPECT_FALSE(store_->wire(record.id));
    EXPECT_FALSE(store_->receipt(record.id));
    EXPECT_FALSE(evidence_->proof(record.id));
  }
  const MessageRecord cancelled = outbound("cancelled", KeptCopies::none());
  submit(cancelled);
  ASSERT_TRUE(store_->cancel_outbound(cancelled.id, "a mistake", kNoon));
  EXPECT_FALSE(store_->wire(cancelled.id));
  EXPECT_EQ(store_->queue_again(cancelled.id, kNoon, Tell::Nobody).error().kind, ErrorKind::Unsupported);
}

TEST_F(EvidenceTest, EachSwitchKeepsItsOwnCopyAndNoOther) {
  for (int only = 0; only < 3; ++only) {
    const KeptCopies keeps{only == 0, only == 1, only == 2};
    const MessageRecord record = outbound("only " + std::to_string(only), keeps);
    submit(record);
    settle(record, MessageState::Confirmed);
    EXPECT_EQ(store_->wire(record.id).has_value(), keeps.wire);
    EXPECT_EQ(store_->payload(record.id).has_value(), keeps.payload);
    EXPECT_EQ(evidence_->proof(record.id).has_value(), keeps.payload);
    EXPECT_EQ(store_->receipt(record.id).has_value(), keeps.receipt);
    const json settled = last(record);
    EXPECT_EQ(settled.contains("receipt"), keeps.receipt);
  }
}

TEST_F(EvidenceTest, ALateReceiptIsKeptWhereReceiptsAreAndChainedInAnyCase) {
  for (const bool keeps : {true, false}) {
    const MessageRecord record = outbound(keeps ? "kept" : "not kept", {false, false, keeps});
    submit(record);
    settle(record, MessageState::Failed);
    ASSERT_TRUE(store_->keep_late_receipt(record.id, receipt_saying("late"), "proves delivery", kNoon));
    EXPECT_THAT(evidence_->late_receipts(record.id).value(), SizeIs(keeps ? 1 : 0));
    EXPECT_THAT(events(record), ElementsAre("queued", "failed", "late-receipt"));
    EXPECT_EQ(last(record)["verdict"], "proves delivery");
  }
}

TEST_F(EvidenceTest, ContentThatDoesNotEndWithThePayloadIsKeptOfItsOwn) {
  const MessageRecord small = inbound("small");
  accept(small, Slice::of("order"), "compressed");
  EXPECT_EQ(octets_of(evidence_->proof(small.id)->content), to_bytes("compressed"));
  const MessageRecord large = inbound("large");
  const std::string content(400'000, 'c');
  accept(large, Slice::of("order"), content);
  EXPECT_EQ(body_files(), 1U);
  reopen();
  EXPECT_EQ(octets_of(evidence_->proof(large.id)->content), to_bytes(content));
}

TEST_F(EvidenceTest, ALargePayloadIsNotStoredTwice) {
  const MessageRecord record = inbound("large");
  const Bytes payload = some_octets(400'000);
  accept(record, Slice::of(payload), "Content-Type: x\r\n\r\n" + std::string(as_text(payload)));
  EXPECT_EQ(body_files(), 1U);
  EXPECT_EQ(evidence_->proof(record.id)->content.size(), payload.size() + 19);
}

TEST_F(EvidenceTest, AFileThatACrashLeftBehindIsRemovedAtTheNextStart) {
  const MessageRecord record = inbound("a");
  accept(record, Slice::of("order"), std::string(400'000, 'c'));
  const auto other = directory_.path() / "store/bodies" / id_of("unknown").substr(0, 2);
  std::filesystem::create_directories(other);
  for (const char* suffix : {"", ".wire", ".content"})
    ASSERT_TRUE(write_file_durably(other / (id_of("unknown") + suffix), as_bytes("x")));
  reopen();
  EXPECT_FALSE(std::filesystem::exists(other / (id_of("unknown") + ".content")));
  EXPECT_FALSE(std::filesystem::exists(other / id_of("unknown")));
  EXPECT_TRUE(evidence_->proof(record.id));
}

TEST_F(EvidenceTest, AReceiptThatIsNotAskedForStaysUntilItIsHandedOver) {
  MessageRecord record = outbound("out", KeptCopies::none());
  submit(record);
  record.hands_receipt_over = true;
  settle(record, MessageState::Confirmed);
  EXPECT_EQ(store_->receipt(record.id)->body, to_bytes("mdn"));
  ASSERT_TRUE(store_->mark_delivered(record.id, "/in/receipt", kNoon));
  EXPECT_FALSE(store_->receipt(record.id));
  EXPECT_EQ(store_->find(record.id)->delivered_to, "/in/receipt");
}

TEST_F(EvidenceTest, AMessageOfBeforeThereWasEvidenceKeepsAllItsCopies) {
  const MessageRecord before = inbound("before");
  accept(before);
  evidence_.reset();
  store_.reset();
  {
    SQLite::Database database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE);
    database.exec(std::string(kUndoSinceIssuance) + std::string(kUndoIssuance) +
                  std::string(kUndoReceiptsGivenUp) + std::string(kUndoManagement) +
                  std::string(kUndoVaultCertificates) + std::string(kUndoPrincipals) +
                  std::string(kUndoVaultOperations) + std::string(kUndoEvidence) + "PRAGMA user_version = 3");
  }
  reopen();
  ASSERT_TRUE(store_->mark_delivered(before.id, "/in/order", kNoon));
  EXPECT_EQ(octets_of(store_->payload(before.id).value()), to_bytes("order"));
  EXPECT_EQ(octets_of(store_->wire(before.id)->body), to_bytes("wire"));
  EXPECT_EQ(evidence_->proof(before.id).error().kind, ErrorKind::NotFound);
  EXPECT_THAT(events(before), ElementsAre("delivered"));
}

// ---- The chain

TEST_F(EvidenceTest, EveryChangeThatCountsIsARecordWithWhatWasKnownThen) {
  const MessageRecord in = inbound("in");
  accept(in);
  ASSERT_TRUE(store_->mark_delivered(in.id, "/in/order", kNoon + hours(1)));
  EXPECT_THAT(events(in), ElementsAre("accepted", "delivered"));
  const json accepted = json::parse(evidence_->records(in.id)->front().line);
  EXPECT_EQ(accepted["message"], in.id);
  EXPECT_EQ(accepted["messageId"], "<in@acme.example>");
  EXPECT_EQ(accepted["mic"], "bWlj");
  EXPECT_EQ(accepted["payload"], sha256_hex("order"));
  EXPECT_EQ(accepted["wire"], sha256_hex("AS2-From: Acme\r\n\r\nwire"));
  EXPECT_EQ(accepted["receipt"], sha256_hex("AS2-From: Globex\r\nContent-Type: multipart/report\r\n\r\nmdn"));
  EXPECT_EQ(last(in)["settled"], to_rfc3339(kNoon + hours(1)));

  const MessageRecord out = outbound("out");
  submit(out);
  settle(out, MessageState::Failed);
  ASSERT_TRUE(store_->queue_again(out.id, kNoon, Tell::Nobody));
  settle(out, MessageState::Confirmed);
  EXPECT_THAT(events(out), ElementsAre("queued", "failed", "queued", "confirmed"));
  EXPECT_EQ(flaw(), "");
  EXPECT_EQ(evidence_->verify({})->records, 6U);
}

TEST_F(EvidenceTest, TheEndOfPostingAReceiptIsARecord) {
  MessageRecord record = inbound("in");
  record.receipt_url = "https://acme.example/mdn";
  accept(record);
  auto post = store_->receipt_post(record.id).value();
  post.attempts = 1;
  post.due = kNoon + hours(1);
  ASSERT_TRUE(store_->update_receipt_post(post));
  EXPECT_THAT(events(record), ElementsAre("accepted")) << "another attempt follows";
  post.due.reset();
  post.given_up = kNoon + hours(2);
  post.reason = "HTTP 404";
  ASSERT_TRUE(store_->update_receipt_post(post));
  EXPECT_EQ(last(record)["givenUp"], to_rfc3339(kNoon + hours(2)));
  EXPECT_EQ(last(record)["reason"], "HTTP 404");
  ASSERT_TRUE(store_->queue_receipt_again(record.id, kNoon, Tell::Nobody));
  post = store_->receipt_post(record.id).value();
  post.due.reset();
  post.posted = kNoon + hours(3);
  ASSERT_TRUE(store_->update_receipt_post(post));
  EXPECT_EQ(last(record)["posted"], to_rfc3339(kNoon + hours(3)));
  EXPECT_THAT(events(record), ElementsAre("accepted", "receipt-not-posted", "receipt-posted"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store_->update_receipt_post(post));
  EXPECT_THAT(events(record), testing::SizeIs(testing::Lt(40))) << "whoever repeats a message";
  EXPECT_EQ(flaw(), "");
}

TEST_F(EvidenceTest, WhatNoAgreementCoversIsNoEvidence) {
  MessageRecord stranger = inbound("a", KeptCopies::none());
  stranger.agreement.clear();
  stranger.state = MessageState::Refused;
  ASSERT_TRUE(store_->commit_inbound(stranger, Slice(), receipt_saying("no"), false));
  EXPECT_THAT(evidence_->records(stranger.id).value(), IsEmpty());
  EXPECT_EQ(evidence_->head()->records, 0U);
}

TEST_F(EvidenceTest, AChangeThatFailsLeavesNoRecord) {
  const MessageRecord record = inbound("a");
  accept(record);
  MessageRecord twin = record;
  twin.id = id_of("twin");
  EXPECT_FALSE(store_->commit_inbound(twin, Slice::of("order"), receipt_saying("mdn"), true));
  EXPECT_FALSE(store_->mark_delivered(id_of("unknown"), "/in", kNoon));
  EXPECT_EQ(evidence_->head()->records, 1U);
  EXPECT_EQ(flaw(), "");
}

TEST_F(EvidenceTest, WhatIsCommittedTogetherIsChainedInTurn) {
  std::vector<std::future<Result<>>> waiting;
  std::vector<std::promise<Result<>>> done(50);
  for (std::size_t i = 0; i < done.size(); ++i) {
    waiting.push_back(done[i].get_future());
    InboundCommit commit{
        inbound(std::to_string(i % 40)), Slice::of("order"), receipt_saying("mdn"), true, {}, {}};
    commit.record.id = id_of("id " + std::to_string(i));  // the last ten are repeats, and fail alone
    store_->commit_inbound(std::move(commit),
                           [&, i](Result<> outcome) { done[i].set_value(std::move(outcome)); });
  }
  for (auto& each : waiting) static_cast<void>(each.get());
  const auto report = evidence_->verify({}).value();
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.records, 40U);
}

TEST_F(EvidenceTest, AnEditedRecordIsFound) {
  for (const char* name : {"a", "b", "c"}) accept(inbound(name));
  tamper("UPDATE evidence SET line = replace(line, 'Globex', 'Gl0bex') WHERE number = 2");
  EXPECT_THAT(flaw(), testing::StartsWith("2 was edited"));
}

TEST_F(EvidenceTest, ARecordThatWasEditedTogetherWithItsHashIsFound) {
  for (const char* name : {"a", "b", "c"}) accept(inbound(name));
  const std::string line = "{\"message\":\"" + id_of("b") + "\",\"previous\":\"" +
                           evidence_->records(id_of("a"))->front().hash + "\"}";
  ASSERT_TRUE(store_->database()->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE evidence SET line = ?, hash = ? WHERE number = 2")
        .bind(line, sha256_hex(line))
        .run();
    return {};
  }));
  EXPECT_THAT(flaw(), testing::StartsWith("3 does not follow the line before it"));
}

TEST_F(EvidenceTest, ADroppedRecordIsFound) {
  for (const char* name : {"a", "b", "c"}) accept(inbound(name));
  tamper("DELETE FROM evidence WHERE number = 2");
  EXPECT_THAT(flaw(), testing::StartsWith("2 is missing"));
  tamper("UPDATE evidence SET number = 2 WHERE number = 3");
  EXPECT_THAT(flaw(), testing::StartsWith("2 does not follow the line before it"));
}

TEST_F(EvidenceTest, ReorderedRecordsAreFound) {
  for (const char* name : {"a", "b", "c"}) accept(inbound(name));
  tamper("UPDATE evidence SET number = 10 WHERE number = 1");
  tamper("UPDATE evidence SET number = 1 WHERE number = 2");
  tamper("UPDATE evidence SET number = 2 WHERE number = 10");
  EXPECT_THAT(flaw(), testing::StartsWith("1 does not follow the line before it"));
}

TEST_F(EvidenceTest, ARecordThatWasLaidWithAnotherMessageIsFound) {
  for (const char* name : {"a", "b"}) accept(inbound(name));
  tamper("UPDATE evidence SET message = 1 WHERE number = 2");
  EXPECT_THAT(flaw(), testing::StartsWith("2 lies with another message"));
}

TEST_F(EvidenceTest, OnlyAHeadThatWasKeptShowsThatTheEndWasCutOff) {
  for (const char* name : {"a", "b", "c"}) accept(inbound(name));
  const std::string head = evidence_->head()->hash;
  EXPECT_THAT(evidence_->verify({head})->heads_found, ElementsAre(head));
  tamper("DELETE FROM evidence WHERE number = 3");
  const auto report = evidence_->verify({head}).value();
  EXPECT_TRUE(report.intact());
  EXPECT_THAT(report.heads_found, IsEmpty());
}

TEST_F(EvidenceTest, ARecordNamesTheNewestLineOfTheAuditLog) {
  std::optional<AuditLine> newest;
  store_->name_audit_head([&] { return newest; });
  const auto missing = [&](std::string_view gone) {
    const auto found = evidence_->find_missing_audit_line(
        [&](const AuditLine& line) { return Result<bool>(line.hash != gone); });
    return found->has_value() ? (*found)->record : 0;
  };
  accept(inbound("a"));
  newest = AuditLine{"first", 100};
  for (const char* name : {"b", "c"}) accept(inbound(name));
  newest = AuditLine{"second", 200};
  accept(inbound("d"));
  EXPECT_EQ(last(inbound("a")).count("audit"), 0U);
  EXPECT_EQ(last(inbound("d"))["audit"], "second");
  EXPECT_EQ(last(inbound("d"))["auditEnd"], 200);
  EXPECT_EQ(missing("none"), 0U);
  EXPECT_EQ(missing("first"), 2U);
  EXPECT_EQ(missing("second"), 4U);
}

TEST_F(EvidenceTest, AnAnswerThatIsKeptWhileTheMessageIsOpenIsARecordToo) {
  const MessageRecord out = outbound("out");
  submit(out);
  MessageRecord again = out;
  again.attempts = 1;
  ASSERT_TRUE(store_->settle_outbound(again, std::nullopt, Tell::Nobody));
  EXPECT_THAT(events(out), ElementsAre("queued"));
  ASSERT_TRUE(store_->settle_outbound(again, receipt_saying("not now"), Tell::Nobody));
  EXPECT_THAT(events(out), ElementsAre("queued", "queued"));
  EXPECT_EQ(last(out)["receipt"],
            sha256_hex("AS2-From: Globex\r\nContent-Type: multipart/report\r\n\r\nnot now"));

  const MessageRecord unkept = outbound("unkept", {true, true, false});
  submit(unkept);
  ASSERT_TRUE(store_->settle_outbound(unkept, receipt_saying("not now"), Tell::Nobody));
  EXPECT_THAT(events(unkept), ElementsAre("queued"));
}

// ---- What goes

class ExpiryTest : public EvidenceTest {
 protected:
  /// Accepted and handed over at noon.
  MessageRecord delivered(std::string_view name, KeptCopies keeps = {}) {
    const MessageRecord record = inbound(name, keeps);
    accept(record, Slice::of("order"), std::string(400'000, 'c'));
    EXPECT_TRUE(store_->mark_delivered(record.id, "/in/order", kNoon));
    return record;
  }
  static ExpiryRule rule(std::optional<Time> settled_before, Time repeats_since = kNoon + hours(100)) {
    return {"acme-globex", settled_before, repeats_since};
  }
};

TEST_F(ExpiryTest, CopiesGoWhenTheirTimeIsOverAndTheirRecordsStay) {
  const MessageRecord record = delivered("a");
  const ExpiryRule over = rule(kNoon + hours(1));
  const auto expected = evidence_->expirable(over).value();
  EXPECT_EQ(expected.messages, 1U);
  EXPECT_EQ(expected.oldest, kNoon);
  EXPECT_EQ(expected.octets, 400'000U + 5 + 4 + 3 + 9);  // content, payload, wire, receipt, signature

  const auto gone = evidence_->expire(over, 100, kNoon + hours(2)).value();
  EXPECT_EQ(gone.messages, expected.messages);
  EXPECT_EQ(gone.octets, expected.octets);
  EXPECT_TRUE(is_gone(store_->payload(record.id)));
  EXPECT_FALSE(store_->wire(record.id));
  EXPECT_FALSE(store_->receipt(record.id));
  EXPECT_FALSE(evidence_->proof(record.id));
  EXPECT_EQ(body_files(), 0U);
  EXPECT_THAT(events(record), ElementsAre("accepted", "delivered", "copies-expired"));
  EXPECT_EQ(last(record)["expired"], to_rfc3339(kNoon + hours(2)));
  EXPECT_EQ(flaw(), "");
  EXPECT_EQ(evidence_->expire(over, 100, kNoon + hours(3))->messages, 0U) << "once";
  EXPECT_EQ(evidence_->expirable(over)->messages, 0U);
}

TEST_F(ExpiryTest, NothingGoesBeforeItsTimeOrOfAnotherAgreement) {
  delivered("a");
  EXPECT_EQ(evidence_->expire(rule(kNoon), 100, kNoon)->messages, 0U);
  EXPECT_EQ(evidence_->expire(rule(std::nullopt), 100, kNoon)->messages, 0U);
  ExpiryRule others = rule(kNoon + hours(1));
  others.agreement = "other";
  EXPECT_EQ(evidence_->expire(others, 100, kNoon)->messages, 0U);
  EXPECT_EQ(body_files(), 1U);
}

TEST_F(ExpiryTest, OpenMessagesAreNotTouchedHoweverOldTheyAre) {
  const MessageRecord undelivered = inbound("undelivered");
  accept(undelivered);
  const MessageRecord queued = outbound("queued");
  submit(queued);
  EXPECT_EQ(evidence_->expire(rule(kNoon + hours(1000)), 100, kNoon)->messages, 0U);
  EXPECT_TRUE(store_->payload(undelivered.id));
  EXPECT_TRUE(store_->wire(queued.id));
}

TEST_F(ExpiryTest, AReceiptThatARepeatIsAnsweredWithStays) {
  const MessageRecord record = delivered("a");
  const auto gone = evidence_->expire(rule(kNoon + hours(1), kNoon), 100, kNoon);
  EXPECT_EQ(gone->messages, 1U);
  EXPECT_FALSE(store_->wire(record.id));
  EXPECT_TRUE(store_->receipt(record.id));
  EXPECT_EQ(evidence_->expire(rule(kNoon + hours(1), kNoon + hours(1)), 100, kNoon)->messages, 1U);
  EXPECT_FALSE(store_->receipt(record.id));
}

TEST_F(ExpiryTest, AReceiptThatIsStillToBePostedStays) {
  MessageRecord record = inbound("a");
  record.receipt_url = "https://acme.example/mdn";
  accept(record);
  ASSERT_TRUE(store_->mark_delivered(record.id, "/in/order", kNoon));
  ASSERT_TRUE(evidence_->expire(rule(kNoon + hours(1)), 100, kNoon));
  EXPECT_TRUE(store_->receipt(record.id));
  auto post = store_->receipt_post(record.id).value();
  post.due.reset();
  post.posted = kNoon;
  ASSERT_TRUE(store_->update_receipt_post(post));
  ASSERT_TRUE(evidence_->expire(rule(kNoon + hours(1)), 100, kNoon));
  EXPECT_FALSE(store_->receipt(record.id));
}

TEST_F(ExpiryTest, AReceiptThatIsStillToBeHandedOverStays) {
  MessageRecord record = outbound("out");
  submit(record);
  record.hands_receipt_over = true;
  settle(record, MessageState::Confirmed, kNoon);
  ASSERT_TRUE(evidence_->expire(rule(kNoon + hours(1)), 100, kNoon));
  EXPECT_FALSE(store_->wire(record.id));
  EXPECT_TRUE(store_->receipt(record.id));
  ASSERT_TRUE(store_->mark_delivered(record.id, "/in/receipt", kNoon));
  ASSERT_TRUE(evidence_->expire(rule(kNoon + hours(1)), 100, kNoon));
  EXPECT_FALSE(store_->receipt(record.id));
}

TEST_F(ExpiryTest, AReceiptThatIsNotAskedForGoesWhenNoRepeatNeedsItAnyMore) {
  const MessageRecord record = delivered("a", {true, true, false});
  EXPECT_EQ(evidence_->expire(rule(std::nullopt, kNoon), 100, kNoon)->messages, 0U);
  EXPECT_EQ(evidence_->expire(rule(std::nullopt, kNoon + hours(1)), 100, kNoon)->messages, 1U);
  EXPECT_FALSE(store_->receipt(record.id));
  EXPECT_TRUE(store_->wire(record.id));
}

TEST_F(ExpiryTest, ARepeatAfterItsReceiptHasGoneIsStillKnown) {
  const MessageRecord record = delivered("a");
  ASSERT_TRUE(evidence_->expire(rule(kNoon + hours(1)), 100, kNoon));
  const auto earlier = store_->find_earlier("Acme", "Globex", record.message_id, Time()).value();
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->id, record.id);
  EXPECT_FALSE(earlier->receipt);
}

TEST_F(ExpiryTest, AnOutboundMessageLosesItsCopiesToo) {
  const MessageRecord record = outbound("out");
  submit(record);
  settle(record, MessageState::Confirmed, kNoon);
  ASSERT_TRUE(store_->keep_late_receipt(record.id, receipt_saying("late"), "proves delivery", kNoon));
  EXPECT_EQ(evidence_->expire(rule(kNoon + hours(1), Time()), 100, kNoon)->messages, 1U);
  EXPECT_FALSE(store_->wire(record.id));
  EXPECT_FALSE(store_->receipt(record.id));
  EXPECT_THAT(evidence_->late_receipts(record.id).value(), IsEmpty());
}

TEST_F(ExpiryTest, AtMostSoManyGoAtOnceTheOldestFirst) {
  std::vector<MessageRecord> records;
  for (const char* name : {"a", "b", "c"}) records.push_back(delivered(name));
  EXPECT_EQ(evidence_->expire(rule(kNoon + hours(1)), 2, kNoon)->messages, 2U);
  EXPECT_FALSE(store_->wire(records[1].id));
  EXPECT_TRUE(store_->wire(records[2].id));
}

}  // namespace
}  // namespace signet::gateway
