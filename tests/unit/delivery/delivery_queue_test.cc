#include "gateway/delivery/delivery_queue.h"

#include <gmock/gmock.h>

#include <future>
#include <map>

#include "tests/support/unasked_message_store.h"
#include "tests/unit/delivery/delivery_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

/// Keeps messages in memory, and fails when told to.
class FakeStore final : public test::UnaskedMessageStore {
 public:
  std::string add(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const MessageRecord record = record_of(name);
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
  Result<> mark_delivered(std::string_view id, std::string_view where, Time when) override {
    const std::lock_guard lock(mutex_);
    if (fail_marking_) return fail(ErrorKind::IoFailure, "the disk is full");
    MessageRecord& record = records_.at(std::string(id));
    record.delivered_to = where;
    if (record.direction == Direction::Outbound) return {};
    record.state = MessageState::Delivered;
    record.settled = when;
    return {};
  }
  Result<MessageRecord> find(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    const auto found = records_.find(std::string(id));
    if (found == records_.end()) return fail(ErrorKind::NotFound, "no such message");
    return found->second;
  }
  Result<Slice> payload(std::string_view id) override { return Slice::of(id); }
  Result<StoredReceipt> receipt(std::string_view id) override {
    return StoredReceipt{200, {{"Content-Type", "multipart/report"}}, to_bytes(id)};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, MessageRecord> records_;
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

  std::vector<std::pair<MessageEvent, MessageRecord>> told;
};

class DeliveryWorkTest : public testing::Test {
 protected:
  using Moment = DeliveryWork::Moment;

  [[nodiscard]] std::filesystem::path target() const { return folder_.path() / "in"; }
  void mount() { std::filesystem::create_directory(target()); }
  std::size_t run(Moment now) {
    return work_.run_due(now, [] { return false; });
  }

  TemporaryFolder folder_;
  FakeStore store_;
  FixedClock clock_{kNoon};
  const Moment start_{seconds(1000)};
  Onlooker onlooker_;
  DeliveryWork work_{store_, [this](std::string_view) { return Result<std::filesystem::path>(target()); },
                     clock_, DeliverySettings{seconds(1), seconds(60)}, onlooker_};
};

TEST_F(DeliveryWorkTest, HandsOverWhatIsDueAndMarksIt) {
  mount();
  const std::string id = store_.add("1");
  work_.add(id, start_);
  work_.add(id, start_);
  EXPECT_EQ(run(start_ - milliseconds(1)), 0U);
  EXPECT_EQ(run(start_), 1U);
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
  EXPECT_EQ(work_.waiting(), 0U);
  EXPECT_FALSE(work_.next_due());
  const std::string name = FolderDelivery::name_of(record_of("1"));
  EXPECT_EQ(store_.find(id)->delivered_to, (target() / name).string());
  EXPECT_TRUE(std::filesystem::exists(target() / name));
  EXPECT_FALSE(std::filesystem::exists(target() / ("." + name + ".done")));
}

TEST_F(DeliveryWorkTest, TellsWhoeverWatchesOnceTheHandOverIsOnRecord) {
  mount();
  const std::string id = store_.add("order");
  store_.fail_marking(true);
  work_.add(id, start_);
  run(start_);
  EXPECT_TRUE(onlooker_.told.empty()) << "it will be handed over again";
  store_.fail_marking(false);
  run(*work_.next_due());
  ASSERT_EQ(onlooker_.told.size(), 1U);
  EXPECT_EQ(onlooker_.told[0].first, MessageEvent::Delivered);
  EXPECT_EQ(onlooker_.told[0].second.id, id);
  EXPECT_EQ(onlooker_.told[0].second.state, MessageState::Delivered);
  EXPECT_FALSE(onlooker_.told[0].second.delivered_to.empty());
}

TEST_F(DeliveryWorkTest, HandsOverTheReceiptOfWhatWasSentWhereThatIsWanted) {
  mount();
  const std::string wanted = store_.add_sent("wanted", true);
  const std::string unwanted = store_.add_sent("unwanted", false);
  work_.add(wanted, start_);
  work_.add(unwanted, start_);
  run(start_);
  EXPECT_EQ(work_.waiting(), 0U);
  const std::string name = FolderDelivery::name_of(*store_.find(wanted));
  EXPECT_EQ(store_.find(wanted)->delivered_to, (target() / name).string());
  EXPECT_EQ(store_.state(wanted), MessageState::Confirmed);
  EXPECT_EQ(read_text_file(target() / name).value(), "Content-Type: multipart/report\r\n\r\n" + wanted);
  EXPECT_EQ(store_.find(unwanted)->delivered_to, "");
  EXPECT_TRUE(onlooker_.told.empty()) << "a receipt is no message";
}

TEST_F(DeliveryWorkTest, TriesAgainAtGrowingIntervalsUntilTheFolderIsThere) {
  const std::string id = store_.add("1");
  work_.add(id, start_);
  Moment now = start_;
  for (const int wait : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    EXPECT_EQ(run(now), 0U);
    ASSERT_TRUE(work_.next_due());
    EXPECT_EQ(*work_.next_due() - now, seconds(wait));
    EXPECT_EQ(run(now + seconds(wait) - milliseconds(1)), 0U);
    now += seconds(wait);
  }
  EXPECT_EQ(store_.state(id), MessageState::Accepted);
  mount();
  EXPECT_EQ(run(now), 1U);
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
}

TEST_F(DeliveryWorkTest, KeepsTheWaitBoundedAfterAThousandFailures) {
  work_.add(store_.add("1"), start_);
  Moment now = start_;
  for (int i = 0; i < 1000; ++i) {
    run(now);
    now = *work_.next_due();
  }
  run(now);
  EXPECT_EQ(*work_.next_due() - now, seconds(60));
}

TEST_F(DeliveryWorkTest, AMessageThatCannotBeHandedOverHoldsUpNoOther) {
  DeliveryWork work(store_,
                    [this](std::string_view agreement) -> Result<std::filesystem::path> {
                      if (agreement == "broken")
                        return fail(ErrorKind::NotFound, "the agreement has no folder");
                      return target();
                    },
                    clock_, {});
  mount();
  const std::string first = store_.add("1");
  work.add(first, start_);
  ASSERT_TRUE(
      write_file_durably(target() / FolderDelivery::name_of(record_of("1")), as_bytes("something else")));
  const std::string second = store_.add("2");
  work.add(second, start_);
  EXPECT_EQ(work.run_due(start_, [] { return false; }), 1U);
  EXPECT_EQ(store_.state(first), MessageState::Accepted);
  EXPECT_EQ(store_.state(second), MessageState::Delivered);
  EXPECT_EQ(work.waiting(), 1U);
}

TEST_F(DeliveryWorkTest, HandsOverOnceWhenTheMarkFailedAndTheBusinessTookTheFile) {
  mount();
  const std::string id = store_.add("1");
  work_.add(id, start_);
  store_.fail_marking(true);
  EXPECT_EQ(run(start_), 0U);
  const std::filesystem::path file = target() / FolderDelivery::name_of(record_of("1"));
  ASSERT_TRUE(std::filesystem::remove(file));
  ASSERT_TRUE(std::filesystem::remove(file.string() + ".json"));
  store_.fail_marking(false);
  EXPECT_EQ(run(*work_.next_due()), 1U);
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
  EXPECT_TRUE(std::filesystem::is_empty(target()));
}

TEST_F(DeliveryWorkTest, ForgetsAMessageThatNobodyKnowsAndOneThatWasDeliveredBefore) {
  mount();
  const std::string done = store_.add("1");
  ASSERT_TRUE(store_.mark_delivered(done, "elsewhere", kNoon));
  work_.add(done, start_);
  work_.add("0123456789abcdef0123456789abcdef", start_);
  run(start_);
  EXPECT_EQ(work_.waiting(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(target()));
}

TEST_F(DeliveryWorkTest, LogsAReasonOnceUntilItChanges) {
  work_.add(store_.add("1"), start_);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) run(*work_.next_due());
  ASSERT_TRUE(write_file_durably(target(), as_bytes("now it is a file")));
  for (int i = 0; i < 5; ++i) run(*work_.next_due());
  const std::string log = testing::internal::GetCapturedStderr();
  std::size_t lines = 0;
  for (std::size_t at = log.find("delivery-failed"); at != std::string::npos;
       at = log.find("delivery-failed", at + 1))
    ++lines;
  EXPECT_EQ(lines, 2U) << log;
}

TEST_F(DeliveryWorkTest, StopsBetweenMessagesWhenAsked) {
  mount();
  work_.add(store_.add("1"), start_);
  work_.add(store_.add("2"), start_);
  int asked = 0;
  EXPECT_EQ(work_.run_due(start_, [&] { return asked++ == 1; }), 1U);
  EXPECT_EQ(work_.waiting(), 1U);
}

class DeliveryQueueTest : public testing::Test {
 protected:
  DeliveryWork::FolderOf here() {
    return [this](std::string_view) { return Result<std::filesystem::path>(folder_.path()); };
  }
  TemporaryFolder folder_;
  FakeStore store_;
  FixedClock clock_{kNoon};
};

TEST_F(DeliveryQueueTest, HandsOverEverythingThatManyThreadsEnqueue) {
  std::vector<std::string> ids;
  for (int i = 0; i < 80; ++i) ids.push_back(store_.add(std::to_string(i)));
  {
    DeliveryQueue queue(store_, here(), clock_);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 10; ++i) queue.enqueue(ids[t * 10 + i]);
        queue.enqueue(ids[0]);
      });
    for (std::thread& thread : threads) thread.join();
    queue.drain(std::chrono::minutes(5));
    EXPECT_EQ(queue.waiting(), 0U);
  }
  for (const std::string& id : ids) EXPECT_EQ(store_.state(id), MessageState::Delivered);
  EXPECT_EQ(folder_.names().size(), 160U);
}

TEST_F(DeliveryQueueTest, RecoversWhatAnEarlierProcessLeft) {
  const std::string waiting = store_.add("1");
  const std::string done = store_.add("2");
  ASSERT_TRUE(store_.mark_delivered(done, "elsewhere", kNoon));
  DeliveryQueue queue(store_, here(), clock_);
  EXPECT_EQ(queue.recover().value(), 1U);
  queue.drain(std::chrono::minutes(5));
  EXPECT_EQ(store_.state(waiting), MessageState::Delivered);
  EXPECT_EQ(folder_.names().size(), 2U);
}

TEST_F(DeliveryQueueTest, TriesAgainOnItsOwn) {
  std::promise<void> tried_again;
  int calls = 0;
  const std::string id = store_.add("1");
  DeliveryQueue queue(
      store_,
      [&](std::string_view) -> Result<std::filesystem::path> {
        if (++calls == 1) return fail(ErrorKind::NotFound, "not mounted");
        tried_again.set_value();
        return folder_.path();
      },
      clock_, DeliverySettings{milliseconds(1), milliseconds(1)});
  queue.enqueue(id);
  tried_again.get_future().wait();
  queue.drain(std::chrono::minutes(5));
  EXPECT_EQ(store_.state(id), MessageState::Delivered);
}

TEST_F(DeliveryQueueTest, DrainsWithoutWaitingForWhatHasFailed) {
  std::promise<void> tried;
  const std::string id = store_.add("1");
  DeliveryQueue queue(
      store_,
      [&](std::string_view) -> Result<std::filesystem::path> {
        tried.set_value();
        return fail(ErrorKind::NotFound, "not mounted");
      },
      clock_, DeliverySettings{std::chrono::hours(1), std::chrono::hours(1)});
  queue.enqueue(id);
  tried.get_future().wait();
  queue.drain();
  queue.drain();
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(store_.state(id), MessageState::Accepted);
}

}  // namespace
}  // namespace signet::gateway
