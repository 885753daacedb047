#include "gateway/pickup/pickup_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/pickup/pickup_fixture.h"

namespace signet::gateway {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace fs = std::filesystem;

class PickupFolderTest : public testing::Test {
 protected:
  void put(const std::string& name, std::string_view content) {
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
  }
  /// A pass so many seconds after the first moment.
  Result<std::size_t> pass(int second) {
    return pickup_.pass(start_ + seconds(second), [] { return false; });
  }
  [[nodiscard]] std::vector<std::string> names(const std::string& in = "") const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path() / in))
      if (!entry.is_directory()) found.push_back(entry.path().filename().string());
    return found;
  }
  /// A new one on the same folder, as after a restart.
  PickupFolder restarted() { return {settings_, outbox_.ports()}; }

  test::TemporaryFolder folder_;
  FakeOutbox outbox_;
  PickupSettings settings_{"acme-globex", folder_.path(), seconds(5), false};
  PickupFolder pickup_{settings_, outbox_.ports()};
  const PickupFolder::Moment start_{};
};

TEST_F(PickupFolderTest, SendsADocumentThatIsLeftAloneAndRemovesItWhenThePartnerHasIt) {
  put("order.edi", "UNB+1");
  EXPECT_EQ(pass(0), 0U);
  EXPECT_EQ(pass(4), 0U);
  EXPECT_THAT(names(), ElementsAre("order.edi"));
  EXPECT_EQ(pass(5), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(names("processing"), ElementsAre(outbox_.ids().at(0) + "-order.edi"));

  EXPECT_EQ(pass(6), 0U);
  EXPECT_THAT(names("processing"), ElementsAre(EndsWith("-order.edi")));
  outbox_.settle_all(MessageState::Confirmed);
  EXPECT_EQ(pass(7), 0U);
  EXPECT_THAT(names("processing"), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_.path() / "failed"));
}

TEST_F(PickupFolderTest, DoesNotTakeADocumentThatIsStillWritten) {
  put("order.edi", "UNB");
  EXPECT_EQ(pass(0), 0U);
  EXPECT_EQ(pass(4), 0U);
  put("order.edi", "UNB+1");
  EXPECT_EQ(pass(5), 0U);
  EXPECT_EQ(pass(9), 0U);
  EXPECT_EQ(pass(10), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
}

TEST_F(PickupFolderTest, TakesADocumentThatIsRenamedIntoPlaceAndNeverUnderTheNameBefore) {
  put("order.edi.tmp", "UNB+1");
  put("invoice.part", "UNB+2");
  put(".hidden", "UNB+3");
  for (const int second : {0, 10, 20}) EXPECT_EQ(pass(second), 0U);
  fs::rename(folder_.path() / "order.edi.tmp", folder_.path() / "order.edi");
  EXPECT_EQ(pass(21), 0U);
  EXPECT_EQ(pass(26), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
  EXPECT_THAT(names(), UnorderedElementsAre("invoice.part", ".hidden"));
}

TEST_F(PickupFolderTest, SendsTheOldestFirst) {
  for (const char* name : {"b", "a", "c"}) put(name, name);
  const auto now = fs::last_write_time(folder_.path() / "a");
  fs::last_write_time(folder_.path() / "b", now - seconds(30));
  fs::last_write_time(folder_.path() / "c", now - seconds(20));
  EXPECT_EQ(pass(0), 0U);
  EXPECT_EQ(pass(5), 3U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("b: b", "c: c", "a: a"));
}

TEST_F(PickupFolderTest, KeepsWhatWasSentWhereTheAgreementSaysSo) {
  settings_.keep_sent = true;
  PickupFolder keeping = restarted();
  put("order.edi", "UNB+1");
  const auto never = [] { return false; };
  ASSERT_EQ(keeping.pass(start_, never), 0U);
  ASSERT_EQ(keeping.pass(start_ + seconds(5), never), 1U);
  outbox_.settle_all(MessageState::Confirmed);
  ASSERT_EQ(keeping.pass(start_ + seconds(6), never), 0U);
  EXPECT_THAT(names("sent"), ElementsAre(outbox_.ids().at(0) + "-order.edi"));
  EXPECT_THAT(names("processing"), IsEmpty());
}

TEST_F(PickupFolderTest, PutsWhatFailedBesideTheReason) {
  put("order.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  ASSERT_EQ(pass(5), 1U);
  outbox_.settle_all(MessageState::Failed, "the partner answered HTTP 403");
  EXPECT_EQ(pass(6), 0U);
  const std::string file = outbox_.ids().at(0) + "-order.edi";
  EXPECT_THAT(names("failed"), UnorderedElementsAre(file, file + ".reason.txt"));
  EXPECT_EQ(read_text_file(folder_.path() / "failed" / file), "UNB+1");
  const std::string reason = read_text_file(folder_.path() / "failed" / (file + ".reason.txt")).value_or("");
  EXPECT_THAT(reason, HasSubstr("the partner answered HTTP 403"));
  EXPECT_THAT(reason, HasSubstr("signet message resend " + outbox_.ids().at(0)));
  EXPECT_THAT(names("processing"), IsEmpty());
}

TEST_F(PickupFolderTest, SendsWhatIsPutBackFromFailedUnderItsFirstName) {
  put("order.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  ASSERT_EQ(pass(5), 1U);
  outbox_.settle_all(MessageState::Failed, "the partner answered HTTP 403");
  ASSERT_EQ(pass(6), 0U);
  const std::string file = outbox_.ids().at(0) + "-order.edi";
  // All that lies in `failed` is moved: the reason is no document.
  for (const std::string& name : {file, file + ".reason.txt"})
    fs::rename(folder_.path() / "failed" / name, folder_.path() / name);
  ASSERT_EQ(pass(10), 0U);
  EXPECT_EQ(pass(15), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1", "order.edi: UNB+1"));
  EXPECT_THAT(names(), ElementsAre(file + ".reason.txt"));
}

TEST_F(PickupFolderTest, SendsWhatIsPutBackThatNeverWasAMessageUnderItsFirstName) {
  const std::string longest(211, 'n');
  put(longest, "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  outbox_.fail_with(Error{ErrorKind::InvalidInput, "no certificate is active"});
  ASSERT_EQ(pass(5), 0U);
  outbox_.fail_with(std::nullopt);
  for (const std::string& name : names("failed"))
    if (!name.ends_with(".reason.txt")) fs::rename(folder_.path() / "failed" / name, folder_.path() / name);
  ASSERT_EQ(pass(10), 0U);
  EXPECT_EQ(pass(15), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre(longest + ": UNB+1"));
}

TEST_F(PickupFolderTest, LeavesNamesThatOnlyLookLikeOurs) {
  const std::string digest = "d41d8cd98f00b204e9800998ecf8427e";
  put(digest + "-order.edi", "UNB+1");
  put(digest + "-" + std::string(212, 'n'), "too long a name");
  ASSERT_EQ(pass(0), 0U);
  EXPECT_EQ(pass(5), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre(digest + "-order.edi: UNB+1"));
}

TEST_F(PickupFolderTest, PutsADocumentThatCannotBeSentAsideAndGoesOnWithTheOthers) {
  put("bad.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  outbox_.fail_with(Error{ErrorKind::InvalidInput, "no certificate is active"});
  EXPECT_EQ(pass(5), 0U);
  EXPECT_THAT(names("failed"), UnorderedElementsAre(EndsWith("-bad.edi"), EndsWith("-bad.edi.reason.txt")));
  outbox_.fail_with(std::nullopt);
  put("good.edi", "UNB+2");
  ASSERT_EQ(pass(10), 0U);
  EXPECT_EQ(pass(15), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("good.edi: UNB+2"));
}

TEST_F(PickupFolderTest, PutsADocumentThatIsNotReadableForTheGatewayAside) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  put("secret.edi", "UNB+1");
  put("order.edi", "UNB+2");
  ASSERT_EQ(::chmod((folder_.path() / "secret.edi").c_str(), 0), 0);
  ASSERT_EQ(pass(0), 0U);
  EXPECT_EQ(pass(5), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+2"));
  EXPECT_THAT(names("failed"),
              UnorderedElementsAre(EndsWith("-secret.edi"), EndsWith("-secret.edi.reason.txt")));
}

TEST_F(PickupFolderTest, KeepsDocumentsWhereTheyAreWhileAKeyOfOursIsGone) {
  put("order.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  outbox_.fail_with(Error{ErrorKind::NotFound, "the key of certificate 'acme' is gone"});
  const auto failed = pass(5);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().detail, HasSubstr("is gone"));
  EXPECT_THAT(names("processing"), ElementsAre(EndsWith("-order.edi")));
  outbox_.fail_with(std::nullopt);
  EXPECT_EQ(pass(6), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
}

TEST_F(PickupFolderTest, KeepsDocumentsWhereTheyAreWhileOurDiskIsFull) {
  put("order.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  outbox_.fail_with(Error{ErrorKind::IoFailure, "no space left"});
  const auto failed = pass(5);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().detail, HasSubstr("no space left"));
  EXPECT_THAT(names("processing"), ElementsAre(EndsWith("-order.edi")));
  outbox_.fail_with(std::nullopt);
  EXPECT_EQ(pass(6), 1U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
}

TEST_F(PickupFolderTest, SendsOnceWhateverMomentACrashComes) {
  const auto never = [] { return false; };
  // Taken, and no message made.
  put("order.edi", "UNB+1");
  ASSERT_EQ(pass(0), 0U);
  outbox_.fail_with(Error{ErrorKind::Unavailable, "the process is gone"});
  ASSERT_FALSE(pass(5));
  outbox_.fail_with(std::nullopt);
  const std::string file = names("processing").at(0);
  PickupFolder second = restarted();
  EXPECT_EQ(second.pass(start_, never), 1U);
  EXPECT_THAT(names("processing"), ElementsAre(file));
  EXPECT_THAT(outbox_.ids(), ElementsAre(file.substr(0, 32)));
  // A message made, and not put away.
  PickupFolder third = restarted();
  EXPECT_EQ(third.pass(start_, never), 0U);
  EXPECT_THAT(outbox_.payloads(), ElementsAre("order.edi: UNB+1"));
  // The reason written, and the document not moved.
  outbox_.settle_all(MessageState::Cancelled, "by the operator");
  fs::create_directory(folder_.path() / "failed");
  put("failed/" + file + ".reason.txt", "half a rea");
  EXPECT_EQ(restarted().pass(start_, never), 0U);
  EXPECT_THAT(names("failed"), UnorderedElementsAre(file, file + ".reason.txt"));
  EXPECT_THAT(read_text_file(folder_.path() / "failed" / (file + ".reason.txt")).value_or(""),
              HasSubstr("was cancelled"));
}

TEST_F(PickupFolderTest, LeavesAloneWhatIsNoDocument) {
  fs::create_directory(folder_.path() / "folder");
  fs::create_symlink("/etc/hostname", folder_.path() / "link");
  ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
  put(std::string(230, 'n'), "too long a name");
  fs::create_directory(folder_.path() / "processing");
  put("processing/notes.txt", "not ours");
  for (const int second : {0, 10, 20}) EXPECT_EQ(pass(second), 0U);
  EXPECT_THAT(outbox_.payloads(), IsEmpty());
  EXPECT_TRUE(fs::exists(folder_.path() / "link"));
  EXPECT_TRUE(fs::exists(folder_.path() / "processing/notes.txt"));
}

TEST_F(PickupFolderTest, StopsBetweenDocumentsAndGoesOnLater) {
  for (const char* name : {"a", "b", "c"}) put(name, name);
  ASSERT_EQ(pass(0), 0U);
  EXPECT_EQ(pickup_.pass(start_ + seconds(5), [this] { return !outbox_.payloads().empty(); }), 1U);
  EXPECT_EQ(pass(6), 2U);
  EXPECT_EQ(outbox_.payloads().size(), 3U);
}

TEST_F(PickupFolderTest, SaysThatTheFolderIsNotThere) {
  settings_.folder = folder_.path() / "unmounted";
  const auto missing = restarted().pass(start_, [] { return false; });
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(missing.error().detail, HasSubstr("unmounted"));
  EXPECT_FALSE(fs::exists(settings_.folder));
}

}  // namespace
}  // namespace signet::gateway
