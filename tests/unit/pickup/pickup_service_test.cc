#include "gateway/pickup/pickup_service.h"

#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <thread>

#include "tests/unit/pickup/pickup_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;

/// The pick-up folders of an account that a test changes. Thread-safe.
class FakeAccount {
 public:
  void set(std::vector<PickupSettings> folders) {
    const std::lock_guard lock(mutex_);
    folders_ = std::move(folders);
  }
  std::vector<PickupSettings> now() {
    const std::lock_guard lock(mutex_);
    return folders_;
  }

 private:
  std::mutex mutex_;
  std::vector<PickupSettings> folders_;
};

class PickupServiceTest : public testing::Test {
 protected:
  static void put(const test::TemporaryFolder& folder, const std::string& name) {
    std::ofstream(folder.path() / name) << "UNB+" << name;
  }
  /// Waits, without an end of its own, until so many messages were made.
  void wait_for(std::size_t count) {
    while (outbox_.payloads().size() < count) std::this_thread::sleep_for(milliseconds(1));
  }
  PickupSettings watched(const std::string& agreement, const std::filesystem::path& folder) {
    return {agreement, folder, milliseconds(1), false};
  }

  test::TemporaryFolder first_;
  test::TemporaryFolder second_;
  FakeOutbox outbox_;
  FakeAccount account_;
};

TEST_F(PickupServiceTest, WatchesTheFoldersThatTheAccountHasAtTheTime) {
  account_.set({watched("first", first_.path())});
  PickupService service([this] { return account_.now(); }, outbox_.ports(), milliseconds(2));
  put(first_, "one");
  wait_for(1);
  account_.set({watched("first", first_.path()), watched("second", second_.path())});
  put(second_, "two");
  wait_for(2);
  EXPECT_EQ(outbox_.find(outbox_.ids().at(0))->state, MessageState::Queued);
  EXPECT_THAT(outbox_.payloads(), testing::ElementsAre("one: UNB+one", "two: UNB+two"));
}

TEST_F(PickupServiceTest, AFolderThatIsNotThereHoldsUpNoOther) {
  account_.set({watched("unmounted", first_.path() / "unmounted"), watched("second", second_.path())});
  PickupService service([this] { return account_.now(); }, outbox_.ports(), milliseconds(2));
  put(second_, "one");
  wait_for(1);
  std::filesystem::create_directory(first_.path() / "unmounted");
  std::ofstream(first_.path() / "unmounted" / "two") << "UNB+two";
  wait_for(2);
}

TEST_F(PickupServiceTest, TakesNothingOnceStopped) {
  account_.set({watched("first", first_.path())});
  PickupService service([this] { return account_.now(); }, outbox_.ports(), milliseconds(2));
  service.stop();
  service.join();
  put(first_, "one");
  EXPECT_THAT(outbox_.payloads(), testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(first_.path() / "one"));
}

}  // namespace
}  // namespace signet::gateway
