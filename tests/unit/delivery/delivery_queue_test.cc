#include "gateway/delivery/delivery_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "tests/support/unasked_message_store.h"
#include "tests/unit/delivery/delivery_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;

/// Keeps messages in memory, and fails when told to.
class FakeStore final : public test::UnaskedMessageStore {
 public:
  std::string add(std::string_view name, std::string_view agreement = "acme-globex") {
    const std::lock_guard lock(mutex_);
    MessageRecord record = record_of(name);
    record.agreement = agreement;
    records_[record.id] = record;
    return record.id;
  }
  /// An outbound message that is settled.
  std::string add_sent(std::string_view name, bool hands_receipt_over) {
    const std::lock_guard lock(mutex_);
    const MessageRecord record = sent_record_of(name, hands_receipt_over);
    records_[record.id] = record;
    return record.id;
  }
  MessageState state(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return records_.at(id).state;
  }
  void fail_marking(bool wanted) {
    const std::lock_guard lock(mutex_);
    fail_marking_ = wanted;
  }

  Result<std::vector<MessageRecord>> undelivered() override {
    const std::lock_guard lock(mutex_);
    std::vector<MessageRecord> waiting;
    for (const auto& [id, record] : records_)
      if (waits_for_hand_over(record)) waiting.push_back(record);
    return waiting;
  }
  void mark_delivered(std::string_view id, std::string_view where, Time when, Done done) override {
    std::vector<std::function<void()>> released;
    {
      const std::lock_guard lock(mutex_);
      held_.push_back([done = std::move(done), marked = mark(id, where, when)] { done(marked); });
      if (held_.size() >= marks_together_) released.swap(held_);
    }
    for (const auto& tell : released) tell();
  }
  using MessageStore::mark_delivered;
  /// From now on nobody hears that his mark is on disk before so many wait for it.
  void hold_until(std::size_t marks_together) {
    const std::lock_guard lock(mutex_);
    marks_together_ = marks_together;
  }
  /// What is handed over of each message; without it, its id.
  void set_payload(const Slice& payload) {
    const std::lock_guard lock(mutex_);
    payload_ = payload;
  }
  Result<MessageRecord> find(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    const auto found = records_.find(std::string(id));
    if (found == records_.end()) return fail(ErrorKind::NotFound, "no such message");
    return found->second;
  }
  Result<Slice> payload(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    return payload_.value_or(Slice::of(id));
  }
  Result<StoredReceipt> receipt(std::string_view id) override {
    return StoredReceipt{200, {{"Content-Type", "multipart/report"}}, to_bytes(id)};
  }

 private:
  Result<> mark(std::string_view id, std::string_view where, Time when) {
    if (fail_marking_) return fail(ErrorKind::IoFailure, "the disk is full");
    MessageRecord& record = records_.at(std::string(id));
    record.delivered_to = where;
    if (record.direction == Direction::Outbound) return {};
    record.state = MessageState::Delivered;
    record.settled = when;
    return {};
  }

  std::mutex mutex_;
  std::map<std::string, MessageRecord> records_;
  std::optional<Slice> payload_;
  std::vector<std::function<void()>> held_;
  std::size_t marks_together_ = 1;
  bool fail_marking_ = false;
};

/// Keeps what it is told of messages.
class Onlooker final : public ExchangeObserver {
 public:
  void message(MessageEvent event, const MessageRecord& record) override { told.emplace_back(event, record); }
  void receipt_sent(const MessageRecord& /*record*/) override {}
  void receipt_received(const MessageRecord& /*record*/) override {}
  void posted(Posting /*what*/, const std::string& /*agreement*/, bool /*taken*/,
              std::chrono::microseconds /*took*/) override {}
  void receipt_post_ended(const ReceiptPost& /*post*/) override {}

  std::vector<std::pair<MessageEvent, MessageRecord>> told;
};

/// A queue whose agreements "acme-globex" and "other" go to folders of their own, each of which may be
/// missing.
class DeliveryQueueTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path target(std::string_view agreement = "acme-globex") const {
    return folder_.path() / agreement;
  }
  void mount(std::string_view agreement = "acme-globex") {
    std::filesystem::create_directory(target(agreement));
  }
  DeliveryPorts ports() {
    return {store_, clock_,
            [this](std::string_view agreement) -> Result<DeliveryTarget> { return target(agreement); },
            [](const HttpPost&) -> Result<HttpAnswer> {
              return fail(ErrorKind::Internal, "no webhook is here");
            }};
  }
  /// Hands over what can be, and leaves what has failed for later.
  void hand_over(const std::vector<std::string>& ids) {
    DeliveryQueue queue(ports(), kHoursApart, onlooker_);
    for (const std::string& id : ids) queue.enqueue(id, store_.find(id)->agreement);
    queue.drain(std::chrono::minutes(5));
  }

  /// Has all of these wait together behind one that goes first, and hands them over. @returns how many turns
  /// they took.
  int hand_over_together(const std::vector<std::string>& ids, DeliveryPorts ports) {
    std::promise<void> all_wait;
    int turns = -1;  // the first one's
    ports.target_of = [&, target_of = ports.target_of,
                       gate = all_wait.get_future().share()](std::string_view agreement) {
      gate.wait();
      ++turns;
      return target_of(agreement);
    };
    const std::string first = store_.add("the first");
    DeliveryQueue queue(std::move(ports), kHoursApart, onlooker_);
    queue.enqueue(first, "acme-globex");
    for (const std::string& id : ids) queue.enqueue(id, "acme-globex");
    all_wait.set_value();
    queue.drain(std::chrono::minutes(5));
    EXPECT_EQ(store_.state(first), MessageState::Delivered);
    return turns;
  }
  std::vector<std::string> add_many(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back(store_.add(std::to_string(i)));
    return ids;
  }

  static constexpr DeliverySettings kHoursApart{std::chrono::hours(1), std::chrono::hours(1)};
  static constexpr DeliverySettings kAtOnce{milliseconds(1), milliseconds(1)};
  TemporaryFolder folder_;
  FakeStore store_;
  FixedClock clock_{kNoon};
  Onlooker onlooker_;
};

TEST_F(DeliveryQueueTest, HandsOverAndMarks) {
  mount();
  const std::string id = store_.add("1");
  hand_over({id, id});
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
  const std::string name = FolderDelivery::name_of(record_of("1"));
  EXPECT_EQ(store_.find(id)->delivered_to, (target() / name).string());
  EXPECT_TRUE(std::filesystem::exists(target() / name));
  EXPECT_FALSE(std::filesystem::exists(target() / ("." + name + ".done")));
}

TEST_F(DeliveryQueueTest, TellsWhoeverWatchesOnceTheHandOverIsOnRecord) {
  mount();
  const std::string id = store_.add("order");
  store_.fail_marking(true);
  hand_over({id});
  EXPECT_TRUE(onlooker_.told.empty()) << "it will be handed over again";
  store_.fail_marking(false);
  hand_over({id});
  ASSERT_EQ(onlooker_.told.size(), 1U);
  EXPECT_EQ(onlooker_.told[0].first, MessageEvent::Delivered);
  EXPECT_EQ(onlooker_.told[0].second.id, id);
  EXPECT_EQ(onlooker_.told[0].second.state, MessageState::Delivered);
  EXPECT_FALSE(onlooker_.told[0].second.delivered_to.empty());
}

TEST_F(DeliveryQueueTest, HandsOverTheReceiptOfWhatWasSentWhereThatIsWanted) {
  mount();
  const std::string wanted = store_.add_sent("wanted", true);
  const std::string unwanted = store_.add_sent("unwanted", false);
  hand_over({wanted, unwanted});
  const std::string name = FolderDelivery::name_of(*store_.find(wanted));
  EXPECT_EQ(store_.find(wanted)->delivered_to, (target() / name).string());
  EXPECT_EQ(store_.state(wanted), MessageState::Confirmed);
  EXPECT_EQ(read_text_file(target() / name).value(), "Content-Type: multipart/report\r\n\r\n" + wanted);
  EXPECT_EQ(store_.find(unwanted)->delivered_to, "");
  EXPECT_TRUE(onlooker_.told.empty()) << "a receipt is no message";
}

TEST_F(DeliveryQueueTest, TriesAgainUntilTheFolderIsThere) {
  const std::string id = store_.add("1");
  std::promise<void> tried_often;
  std::atomic<int> tries = 0;
  DeliveryPorts counting = ports();
  counting.target_of = [&](std::string_view agreement) -> Result<DeliveryTarget> {
    if (++tries == 10) tried_often.set_value();
    return target(agreement);
  };
  DeliveryQueue queue(counting, kAtOnce);
  queue.enqueue(id, "acme-globex");
  tried_often.get_future().wait();
  EXPECT_EQ(store_.state(id), MessageState::Accepted);
  EXPECT_EQ(queue.waiting(), 1U);
  mount();
  while (store_.state(id) != MessageState::Delivered) std::this_thread::sleep_for(milliseconds(1));
}

TEST_F(DeliveryQueueTest, AMessageThatCannotBeHandedOverHoldsUpNoOther) {
  mount();
  const std::string first = store_.add("1");
  const std::string second = store_.add("2");
  ASSERT_TRUE(
      write_file_durably(target() / FolderDelivery::name_of(record_of("1")), as_bytes("something else")));
  hand_over({first, second});
  EXPECT_EQ(store_.state(first), MessageState::Accepted);
  EXPECT_EQ(store_.state(second), MessageState::Delivered);
}

TEST_F(DeliveryQueueTest, WhatWaitsForAFolderGoesInBatches) {
  mount();
  const std::vector<std::string> ids = add_many(40);
  EXPECT_EQ(hand_over_together(ids, ports()), 2);
  ASSERT_EQ(onlooker_.told.size(), 41U);
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(onlooker_.told[i + 1].second.id, ids[i]) << "in order";
  const auto files = std::filesystem::directory_iterator(target());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2 * 41) << "and no trace";
}

TEST_F(DeliveryQueueTest, ABatchIsPutOnRecordTogether) {
  mount();
  const std::string before = store_.add("before");
  const std::vector<std::string> ids = add_many(5);
  std::promise<void> all_wait;
  DeliveryPorts holding = ports();
  holding.target_of = [&, gate = all_wait.get_future().share(),
                       turns = 0](std::string_view agreement) mutable -> Result<DeliveryTarget> {
    gate.wait();
    if (++turns == 2)
      store_.hold_until(5);  // whoever waited for one mark before the next would wait for ever
    return target(agreement);
  };
  DeliveryQueue queue(holding, kHoursApart);
  queue.enqueue(before, "acme-globex");
  for (const std::string& id : ids) queue.enqueue(id, "acme-globex");
  all_wait.set_value();
  queue.drain(std::chrono::minutes(5));
  for (const std::string& id : ids) EXPECT_EQ(store_.state(id), MessageState::Delivered);
}

TEST_F(DeliveryQueueTest, OneOfABatchThatCannotBeHandedOverIsTriedAgainAlone) {
  mount();
  const std::vector<std::string> ids = add_many(5);
  const std::filesystem::path in_the_way = target() / FolderDelivery::name_of(*store_.find(ids[2]));
  ASSERT_TRUE(write_file_durably(in_the_way, as_bytes("something else")));
  EXPECT_EQ(hand_over_together(ids, ports()), 1);
  for (const std::string& id : ids)
    EXPECT_EQ(store_.state(id), id == ids[2] ? MessageState::Accepted : MessageState::Delivered);
  std::filesystem::remove(in_the_way);
  hand_over({ids[2]});
  EXPECT_EQ(store_.state(ids[2]), MessageState::Delivered);
}

TEST_F(DeliveryQueueTest, ABatchEndsWithAPayloadThatIsLarge) {
  mount();
  store_.set_payload(Slice::of(Bytes(16 << 20)));
  EXPECT_EQ(hand_over_together(add_many(2), ports()), 2);
}

TEST_F(DeliveryQueueTest, AWebhookGetsOneAfterTheOther) {
  std::vector<std::string> posted;
  DeliveryPorts posting = ports();
  posting.target_of = [](std::string_view) -> Result<DeliveryTarget> {
    return Webhook{"https://erp.acme.example/as2", std::chrono::seconds(30), "hook",
                   SecretBytes::copy_of("s")};
  };
  posting.post = [&](const HttpPost& post) -> Result<HttpAnswer> {
    posted.emplace_back(as_text(*post.body.to_bytes(100)));
    return HttpAnswer{204, {}, {}};
  };
  const std::vector<std::string> ids = add_many(5);
  EXPECT_EQ(hand_over_together(ids, posting), 5) << "turns";
  ASSERT_EQ(posted.size(), 6U);
  EXPECT_EQ(std::vector(posted.begin() + 1, posted.end()), ids) << "in order";
}

TEST_F(DeliveryQueueTest, AnAgreementWhoseTargetHangsHoldsUpNoOther) {
  mount();
  std::promise<void> let_go;
  DeliveryPorts hanging = ports();
  hanging.target_of =
      [&, gate = let_go.get_future().share()](std::string_view agreement) -> Result<DeliveryTarget> {
    if (agreement == "other") gate.wait();
    return target(agreement);
  };
  const std::string stuck = store_.add("1", "other");
  const std::string free = store_.add("2");
  DeliveryQueue queue(hanging, kHoursApart);
  queue.enqueue(stuck, "other");
  queue.enqueue(free, "acme-globex");
  while (store_.state(free) != MessageState::Delivered) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(store_.state(stuck), MessageState::Accepted);
  let_go.set_value();
}

TEST_F(DeliveryQueueTest, HandsOverOnceWhenTheMarkFailedAndTheBusinessTookTheFile) {
  mount();
  const std::string id = store_.add("1");
  store_.fail_marking(true);
  hand_over({id});
  const std::filesystem::path file = target() / FolderDelivery::name_of(record_of("1"));
  ASSERT_TRUE(std::filesystem::remove(file));
  ASSERT_TRUE(std::filesystem::remove(file.string() + ".json"));
  store_.fail_marking(false);
  hand_over({id});
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
  EXPECT_TRUE(std::filesystem::is_empty(target()));
}

TEST_F(DeliveryQueueTest, ForgetsAMessageThatNobodyKnowsAndOneThatWasDeliveredBefore) {
  mount();
  const std::string done = store_.add("1");
  ASSERT_TRUE(store_.mark_delivered(done, "elsewhere", kNoon));
  DeliveryQueue queue(ports(), kHoursApart);
  queue.enqueue(done, "acme-globex");
  queue.enqueue("0123456789abcdef0123456789abcdef", "acme-globex");
  queue.drain(std::chrono::minutes(5));
  EXPECT_EQ(queue.waiting(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(target()));
}

TEST_F(DeliveryQueueTest, LogsAReasonOnceUntilItChanges) {
  const std::string id = store_.add("1");
  std::promise<void> tried_often;
  int tries = 0;
  DeliveryPorts counting = ports();
  counting.target_of = [&](std::string_view agreement) -> Result<DeliveryTarget> {
    if (++tries == 5) {
      EXPECT_TRUE(write_file_durably(target(), as_bytes("now it is a file")));
    }
    if (tries == 10) tried_often.set_value();
    return target(agreement);
  };
  testing::internal::CaptureStderr();
  {
    DeliveryQueue queue(counting, kAtOnce);
    queue.enqueue(id, "acme-globex");
    tried_often.get_future().wait();
    queue.drain(milliseconds(0));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  std::size_t lines = 0;
  for (std::size_t at = log.find("delivery-failed"); at != std::string::npos;
       at = log.find("delivery-failed", at + 1))
    ++lines;
  EXPECT_EQ(lines, 2U) << log;
}

TEST_F(DeliveryQueueTest, HandsOverEverythingThatManyThreadsEnqueue) {
  mount();
  std::vector<std::string> ids;
  for (int i = 0; i < 80; ++i) ids.push_back(store_.add(std::to_string(i)));
  {
    DeliveryQueue queue(ports());
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 10; ++i) queue.enqueue(ids[t * 10 + i], "acme-globex");
        queue.enqueue(ids[0], "acme-globex");
      });
    for (std::thread& thread : threads) thread.join();
    queue.drain(std::chrono::minutes(5));
    EXPECT_EQ(queue.waiting(), 0U);
  }
  for (const std::string& id : ids) EXPECT_EQ(store_.state(id), MessageState::Delivered);
  const auto files = std::filesystem::directory_iterator(target());
  EXPECT_EQ(std::distance(begin(files), end(files)), 160);
}

TEST_F(DeliveryQueueTest, RecoversWhatAnEarlierProcessLeft) {
  mount();
  const std::string waiting = store_.add("1");
  const std::string done = store_.add("2");
  ASSERT_TRUE(store_.mark_delivered(done, "elsewhere", kNoon));
  DeliveryQueue queue(ports());
  EXPECT_EQ(queue.recover().value(), 1U);
  queue.drain(std::chrono::minutes(5));
  EXPECT_EQ(store_.state(waiting), MessageState::Delivered);
  const auto files = std::filesystem::directory_iterator(target());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
}

TEST_F(DeliveryQueueTest, DrainsWithoutWaitingForWhatHasFailed) {
  std::promise<void> tried;
  const std::string id = store_.add("1");
  DeliveryPorts failing = ports();
  failing.target_of = [&](std::string_view) -> Result<DeliveryTarget> {
    tried.set_value();
    return fail(ErrorKind::NotFound, "not mounted");
  };
  DeliveryQueue queue(failing, kHoursApart);
  queue.enqueue(id, "acme-globex");
  tried.get_future().wait();
  queue.drain(std::chrono::minutes(5));
  queue.drain(std::chrono::minutes(5));
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(store_.state(id), MessageState::Accepted);
}

}  // namespace
}  // namespace signet::gateway
