// The states that are queues: what waits, for whom, and what becomes of it.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Tell = MessageStore::Tell;

class QueuesTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() {
    auto store = SqliteStore::open(directory_.path());
    EXPECT_TRUE(store) << (store ? "" : store.error().detail);
    return *std::move(store);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_.path() / "store" / "bodies"))
      if (entry.is_regular_file()) ++count;
    return count;
  }
  static MessageRecord outbound(std::string_view name, MessageState state = MessageState::Queued) {
    MessageRecord record = accepted_record(name);
    record.direction = Direction::Outbound;
    record.state = state;
    record.queued = kNoon;
    record.due = kNoon;
    return record;
  }
  static MessageRecord received(std::string_view name) {
    MessageRecord record = accepted_record(name);
    record.state = MessageState::Received;
    record.due = kNoon;
    record.receipt_url = "https://acme.example/mdn";
    return record;
  }
  static Result<> receive(SqliteStore& store, const MessageRecord& record, const Slice& body) {
    std::promise<Result<>> done;
    store.commit_received(record, {{{"AS2-From", "Acme"}}, body}, true,
                          [&](Result<> outcome) { done.set_value(std::move(outcome)); });
    return done.get_future().get();
  }
  static Result<> conclude(SqliteStore& store, InboundCommit commit) {
    std::promise<Result<>> done;
    store.commit_inbound(std::move(commit), [&](Result<> outcome) { done.set_value(std::move(outcome)); });
    return done.get_future().get();
  }
  static std::vector<std::string> ids(const Result<std::vector<WaitingWork>>& works) {
    std::vector<std::string> ids;
    for (const WaitingWork& work : *works) ids.push_back(work.id);
    return ids;
  }

  TemporaryDirectory directory_;
};

TEST_F(QueuesTest, AReceivedMessageIsKeptAsItCameUntilItIsOpened) {
  const MessageRecord record = received("a");
  ASSERT_TRUE(receive(*open(), record, Slice::of(some_octets(300'000))));
  const auto store = open();
  EXPECT_THAT(ids(store->waiting(MessageState::Received)), ElementsAre(record.id));
  const auto wire = store->wire(record.id);
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->headers.front().second, "Acme");
  EXPECT_EQ(octets_of(wire->body), some_octets(300'000));
  const auto earlier = store->find_earlier("Acme", "Globex", record.message_id, Time());
  EXPECT_EQ((*earlier)->state, MessageState::Received);
  EXPECT_EQ(files(), 1U);
}

TEST_F(QueuesTest, OpeningAReceivedMessageSettlesItAndQueuesItsReceipt) {
  const auto store = open();
  MessageRecord record = received("a");
  ASSERT_TRUE(receive(*store, record, Slice::of(some_octets(300'000))));
  record.state = MessageState::Accepted;
  record.keeps.wire = false;
  ASSERT_TRUE(conclude(*store, {record, Slice::of("order"), receipt_saying("mdn"), true}));
  EXPECT_THAT(ids(store->waiting(MessageState::Received)), IsEmpty());
  EXPECT_THAT(ids(store->waiting_receipts()), ElementsAre(record.id));
  EXPECT_EQ(store->undelivered()->size(), 1U);
  EXPECT_EQ(store->wire(record.id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(files(), 0U);  // it was not to be kept
  EXPECT_EQ(conclude(*store, {record, Slice::of("order"), receipt_saying("mdn"), true}).error().kind,
            ErrorKind::AlreadyExists);
}

TEST_F(QueuesTest, WhatIsEvidenceIsKeptAsItCame) {
  const auto store = open();
  MessageRecord record = received("a");
  ASSERT_TRUE(receive(*store, record, Slice::of("wire")));
  record.state = MessageState::Accepted;
  ASSERT_TRUE(conclude(*store, {record, Slice::of("order"), receipt_saying("mdn"), true}));
  EXPECT_EQ(octets_of(store->wire(record.id)->body), to_bytes("wire"));

  const MessageRecord direct = accepted_record("b");
  ASSERT_TRUE(
      conclude(*store, {direct, Slice::of("order"), receipt_saying("mdn"), true, wire_saying("at once")}));
  EXPECT_EQ(octets_of(store->wire(direct.id)->body), to_bytes("at once"));
}

TEST_F(QueuesTest, ARefusedReceivedMessageLetsItsNamesGo) {
  const auto store = open();
  MessageRecord record = received("a");
  ASSERT_TRUE(receive(*store, record, Slice::of("wire")));
  MessageRecord twin = received("a");
  twin.id = id_of("twin");
  EXPECT_EQ(receive(*store, twin, Slice::of("wire")).error().kind, ErrorKind::AlreadyExists);
  record.state = MessageState::Refused;
  ASSERT_TRUE(conclude(*store, {record, Slice(), receipt_saying("mdn"), false}));
  EXPECT_FALSE(store->find_earlier("Acme", "Globex", record.message_id, Time()).value());
  EXPECT_TRUE(receive(*store, twin, Slice::of("wire")));
}

TEST_F(QueuesTest, AReceiptsPostingIsWrittenDownAndCanBeAskedForAgain) {
  const auto store = open();
  MessageRecord record = received("a");
  ASSERT_TRUE(receive(*store, record, Slice::of("wire")));
  record.state = MessageState::Accepted;
  ASSERT_TRUE(conclude(*store, {record, Slice::of("x"), receipt_saying("mdn"), true}));
  auto post = *store->receipt_post(record.id);
  EXPECT_EQ(post.url, "https://acme.example/mdn");
  EXPECT_EQ(post.agreement, "acme-globex");
  post.attempts = 2;
  post.due = kNoon + hours(1);
  post.reason = "HTTP 503";
  ASSERT_TRUE(store->update_receipt_post(post));
  EXPECT_EQ(store->receipt_post(record.id)->reason, "HTTP 503");
  EXPECT_EQ(store->waiting_receipts()->front().due, kNoon + hours(1));
  post.due.reset();
  post.posted = kNoon + hours(1);
  ASSERT_TRUE(store->update_receipt_post(post));
  EXPECT_THAT(*store->waiting_receipts(), IsEmpty());
  EXPECT_EQ(store->receipt_post(id_of("unknown")).error().kind, ErrorKind::NotFound);
}

TEST_F(QueuesTest, AReceiptThatWasGivenUpIsFoundAndCanBeQueuedAgain) {
  const auto store = open();
  MessageRecord record = received("a");
  record.state = MessageState::Accepted;
  InboundCommit commit{record, Slice::of("x"), receipt_saying("mdn"), true};
  commit.receipt_queued = kNoon;
  ASSERT_TRUE(conclude(*store, std::move(commit)));
  EXPECT_EQ(store->waiting_receipts()->front().since, kNoon);

  auto post = *store->receipt_post(record.id);
  post.attempts = 4;
  post.due.reset();
  post.given_up = kNoon + hours(2);
  post.reason = "HTTP 404";
  ASSERT_TRUE(store->update_receipt_post(post));
  ASSERT_THAT(*store->receipts_given_up(kNoon + hours(2)), SizeIs(1));
  EXPECT_EQ(store->receipts_given_up(kNoon)->front().reason, "HTTP 404");
  EXPECT_THAT(*store->receipts_given_up(kNoon + hours(3)), IsEmpty());

  ASSERT_TRUE(store->queue_receipt_again(record.id, kNoon + hours(5), Tell::Gateway));
  EXPECT_THAT(*store->receipts_given_up(kNoon), IsEmpty());
  const auto again = *store->receipt_post(record.id);
  EXPECT_EQ(again.attempts, 0U);
  EXPECT_EQ(again.queued, kNoon + hours(5));
  EXPECT_EQ(again.due, kNoon + hours(5));
  EXPECT_EQ(again.reason, "");
  EXPECT_THAT(*store->take_notes(), ElementsAre(record.id));
}

TEST_F(QueuesTest, OnlyAReceiptThatIsPostedCanBeQueuedAgain) {
  const auto store = open();
  MessageRecord record = accepted_record("a");  // answered in the HTTP answer
  ASSERT_TRUE(store->commit_inbound(record, Slice::of("x"), receipt_saying("mdn"), true));
  const auto refused = store->queue_receipt_again(record.id, kNoon, Tell::Gateway);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unsupported);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("went into the HTTP answer"));
  EXPECT_THAT(*store->take_notes(), IsEmpty());
}

TEST_F(QueuesTest, AReceiptGivenUpBeforeThatWasWrittenDownHasItsMessagesTime) {
  MessageRecord record = received("a");
  record.state = MessageState::Accepted;
  {
    const auto store = open();
    ASSERT_TRUE(conclude(*store, {record, Slice::of("x"), receipt_saying("mdn"), true}));
    auto post = *store->receipt_post(record.id);
    post.due.reset();
    ASSERT_TRUE(store->update_receipt_post(post));
  }
  SQLite::Database(directory_.path() / "store/signet.db", SQLite::OPEN_READWRITE)
      .exec(std::string(kUndoSinceIssuance) + std::string(kUndoIssuance) + std::string(kUndoReceiptsGivenUp) +
            "PRAGMA user_version = 9");
  const auto post = *open()->receipt_post(record.id);
  EXPECT_EQ(post.queued, record.created);
  EXPECT_EQ(post.given_up, record.created);
}

TEST_F(QueuesTest, AnOutboundMessageIsKeptAsItWillTravel) {
  const MessageRecord record = outbound("out");
  ASSERT_TRUE(open()->commit_outbound(
      {record, Slice::of("order"), {{{"Message-ID", "<out>"}}, Slice::of(some_octets(300'000))}},
      Tell::Nobody));
  const auto store = open();
  EXPECT_EQ(octets_of(store->wire(record.id)->body), some_octets(300'000));
  EXPECT_EQ(store->wire(record.id)->headers.front().second, "<out>");
  EXPECT_THAT(ids(store->waiting(MessageState::Queued)), ElementsAre(record.id));
  EXPECT_EQ(store->find(record.id)->queued, kNoon);
}

TEST_F(QueuesTest, OtherProcessesAreToldOnce) {
  const auto store = open();
  const MessageRecord record = outbound("out");
  ASSERT_TRUE(store->commit_outbound({record, Slice::of("x"), wire_saying("wire")}, Tell::Gateway));
  EXPECT_THAT(*store->take_notes(), ElementsAre(record.id));
  EXPECT_THAT(*store->take_notes(), IsEmpty());
}

TEST_F(QueuesTest, WhatACallerLeavesOpenIsTheGatewaysToGoOnWith) {
  const auto store = open();
  MessageRecord record = outbound("out", MessageState::Sending);
  ASSERT_TRUE(store->commit_outbound({record, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
  record.state = MessageState::Queued;
  record.attempts = 1;
  record.due = kNoon + hours(1);
  ASSERT_TRUE(store->settle_outbound(record, std::nullopt, Tell::Gateway));
  EXPECT_THAT(*store->take_notes(), ElementsAre(record.id));
  EXPECT_EQ(store->find(record.id)->attempts, 1U);
  record.state = MessageState::Confirmed;
  ASSERT_TRUE(store->settle_outbound(record, receipt_saying("mdn"), Tell::Gateway));
  EXPECT_THAT(*store->take_notes(), IsEmpty());
}

TEST_F(QueuesTest, WhatACallerDiesOverIsTheGatewaysToGoOnWithAtOnce) {
  const auto gateway = open();
  MessageRecord settled = outbound("settled", MessageState::Sending);
  const MessageRecord left = outbound("left", MessageState::Sending);
  {
    const auto caller = open();
    ASSERT_TRUE(caller->commit_outbound({settled, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
    ASSERT_TRUE(caller->commit_outbound({left, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
    EXPECT_THAT(*gateway->take_notes(), IsEmpty()) << "the caller lives";
    EXPECT_THAT(*caller->take_notes(), IsEmpty()) << "and knows that itself";
    settled.state = MessageState::Confirmed;
    ASSERT_TRUE(caller->settle_outbound(settled, receipt_saying("mdn"), Tell::Nobody));
    EXPECT_EQ(gateway->find(left.id)->state, MessageState::Sending);
  }
  EXPECT_THAT(*gateway->take_notes(), ElementsAre(left.id));
  EXPECT_EQ(gateway->find(left.id)->state, MessageState::Queued);
  EXPECT_EQ(gateway->find(left.id)->due, left.queued);
  EXPECT_EQ(gateway->find(settled.id)->state, MessageState::Confirmed);
  EXPECT_THAT(*gateway->take_notes(), IsEmpty());
}

TEST_F(QueuesTest, AReceiptForTheBusinessWaitsUntilItIsHandedOver) {
  MessageRecord record = outbound("out");
  MessageRecord other = outbound("other");
  record.state = other.state = MessageState::Confirmed;
  record.hands_receipt_over = true;
  {
    const auto store = open();
    for (const char* name : {"out", "other"})
      ASSERT_TRUE(
          store->commit_outbound({outbound(name), Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
    ASSERT_TRUE(store->settle_outbound(record, receipt_saying("mdn"), Tell::Nobody));
    ASSERT_TRUE(store->settle_outbound(other, receipt_saying("mdn"), Tell::Nobody));
    EXPECT_THAT(*store->take_notes(), ElementsAre(record.id)) << "whoever took the receipt";
  }
  const auto store = open();
  ASSERT_EQ(store->undelivered()->size(), 1U);
  EXPECT_EQ(store->undelivered()->front().id, record.id);
  EXPECT_EQ(store->mark_delivered(other.id, "/in/x", kNoon).error().kind, ErrorKind::InvalidInput);
  ASSERT_TRUE(store->mark_delivered(record.id, "/in/x", kNoon + hours(1)));
  EXPECT_THAT(*store->undelivered(), IsEmpty());
  EXPECT_EQ(store->find(record.id)->state, MessageState::Confirmed);
  EXPECT_EQ(store->find(record.id)->delivered_to, "/in/x");
}

TEST_F(QueuesTest, AMessageThatIsSentAgainWaitsForAnotherReceipt) {
  const auto store = open();
  MessageRecord record = outbound("out");
  ASSERT_TRUE(store->commit_outbound({record, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
  for (const MessageState state : {MessageState::Failed, MessageState::Confirmed}) {
    record.state = state;
    record.hands_receipt_over = true;
    ASSERT_TRUE(store->settle_outbound(record, receipt_saying("mdn"), Tell::Nobody));
    EXPECT_EQ(store->undelivered()->size(), 1U);
    ASSERT_TRUE(store->mark_delivered(record.id, "/in/x", kNoon));
    if (state == MessageState::Confirmed) continue;
    ASSERT_TRUE(store->queue_again(record.id, kNoon, Tell::Nobody));
    EXPECT_EQ(store->find(record.id)->delivered_to, "");
    EXPECT_FALSE(store->find(record.id)->hands_receipt_over);
  }
}

TEST_F(QueuesTest, AnAttemptThatNobodyMakesAnyMoreWaitsForTheNext) {
  ASSERT_TRUE(open()->commit_outbound(
      {outbound("out", MessageState::Sending), Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
  EXPECT_EQ(open()->find(id_of("out"))->state, MessageState::Queued);
}

TEST_F(QueuesTest, OnlyWhatIsOpenCanBeCancelledAndOnlyWhatHasEndedBadlyQueuedAgain) {
  const auto store = open();
  const MessageRecord record = outbound("out");
  ASSERT_TRUE(store->commit_outbound({record, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
  EXPECT_EQ(store->queue_again(record.id, kNoon, Tell::Nobody).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(store->cancel_outbound(record.id, "a mistake", kNoon));
  EXPECT_EQ(store->find(record.id)->state, MessageState::Cancelled);
  EXPECT_EQ(store->cancel_outbound(record.id, "again", kNoon).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store->settle_outbound(record, std::nullopt, Tell::Nobody).error().kind,
            ErrorKind::AlreadyExists);
  ASSERT_TRUE(store->queue_again(record.id, kNoon + hours(2), Tell::Gateway));
  EXPECT_EQ(store->find(record.id)->state, MessageState::Queued);
  EXPECT_EQ(store->find(record.id)->queued, kNoon + hours(2));
  EXPECT_THAT(*store->take_notes(), ElementsAre(record.id));
  EXPECT_EQ(store->cancel_outbound(id_of("unknown"), "", kNoon).error().kind, ErrorKind::NotFound);
  const MessageRecord in = accepted_record("in");
  ASSERT_TRUE(store->commit_inbound(in, Slice::of("x"), receipt_saying("r"), true));
  EXPECT_EQ(store->cancel_outbound(in.id, "", kNoon).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store->queue_again(in.id, kNoon, Tell::Nobody).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(QueuesTest, FindsAnOutboundMessageByTheNamesInItsReceipt) {
  const auto store = open();
  const MessageRecord record = outbound("out");
  ASSERT_TRUE(store->commit_outbound({record, Slice::of("x"), wire_saying("wire")}, Tell::Nobody));
  EXPECT_EQ(store->find_outbound("Acme", "Globex", "<out@acme.example>")->id, record.id);
  EXPECT_EQ(store->find_outbound("Acme", "Globex", "out@acme.example")->id, record.id);
  EXPECT_EQ(store->find_outbound("Acme", "Initech", "<out@acme.example>").error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(store->keep_late_receipt(record.id, receipt_saying("late"), "proves delivery", kNoon));
  EXPECT_EQ(store->keep_late_receipt(id_of("unknown"), receipt_saying("late"), "", kNoon).error().kind,
            ErrorKind::NotFound);
}

// ---- Group commit

TEST_F(QueuesTest, WhatWaitsTogetherIsCommittedTogetherAndFailsAlone) {
  const auto store = open();
  Database& database = *store->database();
  std::atomic<int> commits{0};
  std::promise<void> gate;
  std::promise<void> inside;
  database.set_before_commit([&]() -> Result<> {
    ++commits;
    return {};
  });
  // The first one holds the committer while the others gather.
  std::promise<Result<>> first;
  database.write(
      [&](SqlConnection&) -> Result<> {
        inside.set_value();
        gate.get_future().wait();
        return {};
      },
      [&](Result<> outcome) { first.set_value(std::move(outcome)); });
  inside.get_future().wait();
  std::vector<std::promise<Result<>>> outcomes(10);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const MessageRecord record =
        accepted_record(i == 5 ? "4" : std::to_string(i));  // the sixth has the id of the fifth
    store->commit_inbound({record, Slice::of("x"), receipt_saying("r"), true, {}, {}},
                          [&outcomes, i](Result<> outcome) { outcomes[i].set_value(std::move(outcome)); });
  }
  gate.set_value();
  EXPECT_TRUE(first.get_future().get());
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i].get_future().get().has_value(), i != 5) << i;
  EXPECT_EQ(commits, 2);
  EXPECT_THAT(*store->list({}), SizeIs(9));
}

TEST_F(QueuesTest, WorkThatHasPatienceSharesTheNextCommit) {
  const auto store = open();
  Database& database = *store->database();
  std::atomic<int> commits{0};
  database.set_before_commit([&]() -> Result<> {
    ++commits;
    return {};
  });
  const auto nothing = [](SqlConnection&) -> Result<> { return {}; };
  std::promise<Result<>> patient;
  database.write(
      nothing, [&](Result<> outcome) { patient.set_value(std::move(outcome)); }, std::chrono::hours(1));
  EXPECT_TRUE(database.write(nothing));
  EXPECT_TRUE(patient.get_future().get());
  EXPECT_EQ(commits, 1);
}

TEST_F(QueuesTest, PatienceEndsByItselfAndWithTheDatabase) {
  auto store = open();
  const auto nothing = [](SqlConnection&) -> Result<> { return {}; };
  std::promise<Result<>> alone;
  store->database()->write(
      nothing, [&](Result<> outcome) { alone.set_value(std::move(outcome)); }, std::chrono::milliseconds(1));
  EXPECT_TRUE(alone.get_future().get());
  std::promise<Result<>> last;
  store->database()->write(
      nothing, [&](Result<> outcome) { last.set_value(std::move(outcome)); }, std::chrono::hours(1));
  store.reset();
  EXPECT_TRUE(last.get_future().get());
}

TEST_F(QueuesTest, ACommitThatFailsFailsForAllThatSharedIt) {
  const auto store = open();
  store->database()->set_before_commit(
      [] { return Result<>(fail(ErrorKind::IoFailure, "the audit cannot be written")); });
  EXPECT_EQ(
      store->commit_inbound(accepted_record("a"), Slice::of(some_octets(300'000)), receipt_saying("r"), true)
          .error()
          .kind,
      ErrorKind::IoFailure);
  store->database()->set_before_commit({});
  EXPECT_THAT(*store->list({}), IsEmpty());
  EXPECT_TRUE(store->commit_inbound(accepted_record("a2"), Slice::of("x"), receipt_saying("r"), true));
  EXPECT_EQ(files(), 0U);  // what the failed one left went with the next commit
}

}  // namespace
}  // namespace signet::gateway
