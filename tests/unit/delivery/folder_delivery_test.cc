#include "gateway/delivery/folder_delivery.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/unit/delivery/delivery_fixture.h"
#include "tests/unit/delivery/instants.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FolderDeliveryTest : public testing::Test {
 protected:
  Result<std::filesystem::path> deliver(const MessageRecord& record, const Slice& payload) {
    return deliver(record, payload, folder_.path());
  }
  Result<std::filesystem::path> deliver(const MessageRecord& record, const Slice& payload,
                                        const std::filesystem::path& folder) {
    return FolderDelivery(clock_).deliver({{record, payload}}, folder).front();
  }
  /// Messages of these names, whose payloads are the names.
  static std::vector<HandOver> batch_of(const std::vector<std::string>& names) {
    std::vector<HandOver> batch;
    for (const std::string& name : names) batch.push_back({record_of(name), Slice::of(name)});
    return batch;
  }
  std::vector<Result<std::filesystem::path>> deliver(const std::vector<HandOver>& batch) {
    return FolderDelivery(clock_).deliver(batch, folder_.path());
  }
  [[nodiscard]] bool is_there(const HandOver& one) const {
    return std::filesystem::exists(folder_.path() / FolderDelivery::name_of(one.record));
  }

  TemporaryFolder folder_;
  FixedClock clock_{kNoon};
};

TEST_F(FolderDeliveryTest, GivesThePayloadANameMadeOfTheRecordAlone) {
  MessageRecord record = record_of("1");
  record.created = parse_time("2026-11-21T08:30:00.999Z").value();
  record.file_name = "order.edi";
  EXPECT_EQ(FolderDelivery::name_of(record), "20261121T083000Z-" + record.id + "-order.edi");
}

TEST_F(FolderDeliveryTest, HandsOverThePayloadAndItsSidecar) {
  MessageRecord record = record_of("1");
  const auto file = deliver(record, Slice::of("ISA*00*"));
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(read_text_file(*file).value(), "ISA*00*");
  ASSERT_TRUE(FolderDelivery(clock_).confirm({{record, {}}}, folder_.path()));
  const std::string name = FolderDelivery::name_of(record);
  EXPECT_THAT(folder_.names(), ElementsAre(name, name + ".json"));

  const auto sidecar = nlohmann::json::parse(read_text_file(file->string() + ".json").value());
  EXPECT_EQ(sidecar["kind"], "message");
  EXPECT_EQ(sidecar["id"], record.id);
  EXPECT_EQ(sidecar["file"], name);
  EXPECT_EQ(sidecar["agreement"], "acme-globex");
  EXPECT_EQ(sidecar["as2From"], "Acme");
  EXPECT_EQ(sidecar["as2To"], "Globex");
  EXPECT_EQ(sidecar["messageId"], "<1@acme.example>");
  EXPECT_EQ(sidecar["fileNameAsSent"], "order.edi");
  EXPECT_EQ(sidecar["contentType"], "application/edi-x12");
  EXPECT_EQ(sidecar["size"], 7);
  EXPECT_EQ(sidecar["sha256"], hex_lower(digest(Hash::Sha256, as_bytes("ISA*00*"))));
  EXPECT_EQ(sidecar["mic"], "bWlj");
  EXPECT_EQ(sidecar["micAlgorithm"], "sha-256");
  EXPECT_EQ(sidecar["signerThumbprintSha256"], "AB12");
  EXPECT_EQ(sidecar["received"], to_rfc3339(record.created));
  EXPECT_EQ(sidecar["handedOver"], to_rfc3339(kNoon));
}

TEST_F(FolderDeliveryTest, HandsOverAReceiptAndWhatItIsWorth) {
  MessageRecord record = sent_record_of("1", true);
  record.settled = parse_time("2026-11-21T08:30:02.999Z").value();
  const std::string name = "20261121T083002Z-" + record.id + "-receipt.mdn";
  EXPECT_EQ(FolderDelivery::name_of(record), name) << "not the name of the document that it is for";
  const auto file = deliver(record, Slice::of("Content-Type: multipart/report"));
  ASSERT_TRUE(file) << file.error().detail;
  auto sidecar = nlohmann::json::parse(read_text_file(file->string() + ".json").value());
  EXPECT_EQ(sidecar["kind"], "receipt");
  EXPECT_EQ(sidecar["file"], name);
  EXPECT_EQ(sidecar["as2From"], "Globex") << "from whom the receipt is";
  EXPECT_EQ(sidecar["as2To"], "Acme");
  EXPECT_EQ(sidecar["originalMessageId"], "<1@acme.example>");
  EXPECT_EQ(sidecar["originalFileName"], "order.edi");
  EXPECT_EQ(sidecar["provesDelivery"], true);
  EXPECT_EQ(sidecar["signerThumbprintSha256"], "CD34");
  EXPECT_EQ(sidecar["received"], to_rfc3339(*record.settled));
  EXPECT_EQ(sidecar["size"], 30);

  MessageRecord failed = sent_record_of("2", true);
  failed.state = MessageState::Failed;
  failed.reason = "the MIC is another one";
  const auto bad = deliver(failed, Slice::of("x"));
  ASSERT_TRUE(bad) << bad.error().detail;
  sidecar = nlohmann::json::parse(read_text_file(bad->string() + ".json").value());
  EXPECT_EQ(sidecar["provesDelivery"], false);
  EXPECT_EQ(sidecar["reason"], "the MIC is another one");
}

TEST_F(FolderDeliveryTest, HandsOverAnEmptyAndALargePayload) {
  const auto empty = deliver(record_of("empty"), Slice());
  ASSERT_TRUE(empty);
  EXPECT_EQ(std::filesystem::file_size(*empty), 0U);
  const Bytes octets(3'000'001, 0x5A);
  const auto spool = std::make_shared<Spool>(SpoolArea{folder_.path(), 1000, 1U << 30});
  ASSERT_TRUE(spool->write(octets));
  const auto large = deliver(record_of("large"), Spool::finish(spool));
  ASSERT_TRUE(large);
  EXPECT_EQ(read_file(*large).value(), octets);
}

TEST_F(FolderDeliveryTest, MakesFilesThatNobodyMayExecuteAndStrangersMayNotRead) {
  const auto file = deliver(record_of("1"), Slice::of("#!/bin/sh\n"));
  ASSERT_TRUE(file);
  for (const std::string& name : {file->string(), file->string() + ".json"}) {
    struct stat facts {};
    ASSERT_EQ(::stat(name.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0137U, 0U) << name;
  }
}

TEST_F(FolderDeliveryTest, NeverLeavesTheFolderWhateverThePartnersFileNameIs) {
  const std::vector<std::string> hostile = {"../../escape",
                                            "/etc/passwd",
                                            "..",
                                            ".",
                                            "",
                                            "a/b/c",
                                            "..\\..\\x.exe",
                                            "C:\\autorun.inf",
                                            std::string("a\0b", 3),
                                            "new\nline",
                                            ".hidden",
                                            "-rf",
                                            std::string(5000, 'x'),
                                            "\xFF\xFE",
                                            "x.json",
                                            "'; DROP TABLE x; --",
                                            "CON"};
  TemporaryFolder outer;
  const std::filesystem::path folder = outer.path() / "a/b/c";
  std::filesystem::create_directories(folder);
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    MessageRecord record = record_of(std::to_string(i));
    record.file_name = hostile[i];
    const auto file = deliver(record, Slice::of("x"), folder);
    ASSERT_TRUE(file) << i << ": " << file.error().detail;
    EXPECT_EQ(file->parent_path(), folder);
    EXPECT_TRUE(std::filesystem::is_regular_file(*file));
    EXPECT_EQ(file->filename().string().rfind("20", 0), 0U) << *file;
    const auto sidecar = nlohmann::json::parse(read_text_file(file->string() + ".json").value());
    if (is_utf8(hostile[i])) {
      EXPECT_EQ(sidecar["fileNameAsSent"], hostile[i]);
    }
  }
  EXPECT_THAT(outer.names(), ElementsAre("a"));
}

TEST_F(FolderDeliveryTest, WritesASidecarThatParsesWhateverThePartnerWrote) {
  MessageRecord record = record_of("1");
  for (std::string* field :
       {&record.agreement, &record.as2_from, &record.as2_to, &record.message_id, &record.subject,
        &record.file_name, &record.content_type, &record.security, &record.disposition})
    *field = "\",\n\"id\": \"forged\xFF\xC0\xAF\r\n";
  const auto file = deliver(record, Slice::of("x"));
  ASSERT_TRUE(file) << file.error().detail;
  const auto sidecar = nlohmann::json::parse(read_text_file(file->string() + ".json").value());
  EXPECT_EQ(sidecar["id"], record.id);
}

TEST_F(FolderDeliveryTest, ARepeatChangesNothing) {
  const MessageRecord record = record_of("1");
  const auto first = deliver(record, Slice::of("x"));
  ASSERT_TRUE(first);
  const std::string sidecar = read_text_file(first->string() + ".json").value();
  clock_.set(kNoon + std::chrono::hours(1));
  const auto second = deliver(record, Slice::of("x"));
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(read_text_file(first->string() + ".json").value(), sidecar);
}

TEST_F(FolderDeliveryTest, ARepeatBeforeTheConfirmationDoesNotHandOverWhatTheBusinessTookAway) {
  const MessageRecord record = record_of("1");
  const auto file = deliver(record, Slice::of("x"));
  ASSERT_TRUE(file);
  std::filesystem::remove(*file);
  std::filesystem::remove(file->string() + ".json");
  EXPECT_EQ(*deliver(record, Slice::of("x")), *file);
  EXPECT_FALSE(std::filesystem::exists(*file));
}

TEST_F(FolderDeliveryTest, DoesNotOverwriteAFileWithOtherContent) {
  const MessageRecord record = record_of("1");
  const std::filesystem::path file = folder_.path() / FolderDelivery::name_of(record);
  ASSERT_TRUE(write_file_durably(file, as_bytes("y")));
  const auto outcome = deliver(record, Slice::of("x"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(read_text_file(file).value(), "y");
}

TEST_F(FolderDeliveryTest, FollowsNoSymbolicLinkThatLiesInTheFolder) {
  const MessageRecord record = record_of("1");
  TemporaryFolder elsewhere;
  const std::filesystem::path victim = elsewhere.path() / "victim";
  ASSERT_TRUE(write_file_durably(victim, as_bytes("x")));
  const std::string name = FolderDelivery::name_of(record);
  for (const std::string& planted : {"." + name + ".part", "." + name + ".json.part", name + ".json"})
    std::filesystem::create_symlink(victim, folder_.path() / planted);
  ASSERT_TRUE(deliver(record, Slice::of("payload")));
  EXPECT_EQ(read_text_file(victim).value(), "x");

  const MessageRecord second = record_of("2");
  std::filesystem::create_symlink(victim, folder_.path() / FolderDelivery::name_of(second));
  EXPECT_FALSE(deliver(second, Slice::of("x")));
  EXPECT_EQ(read_text_file(victim).value(), "x");
}

TEST_F(FolderDeliveryTest, SaysWhichFolderIsMissingOrNotAFolder) {
  const auto missing = deliver(record_of("1"), Slice::of("x"), folder_.path() / "not-mounted");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(missing.error().detail, HasSubstr("not-mounted"));
  ASSERT_TRUE(write_file_durably(folder_.path() / "file", {}));
  EXPECT_FALSE(deliver(record_of("1"), Slice::of("x"), folder_.path() / "file"));
}

TEST_F(FolderDeliveryTest, LeavesNothingVisibleWhenThePayloadCannotBeRead) {
  TemporaryFolder elsewhere;
  const std::filesystem::path source = elsewhere.path() / "payload";
  ASSERT_TRUE(write_file_durably(source, Bytes(200'000)));
  const Slice broken = Slice::of_file(source).value();
  std::filesystem::resize_file(source, 1000);
  EXPECT_EQ(deliver(record_of("1"), broken).error().kind, ErrorKind::IoFailure);
  EXPECT_TRUE(folder_.names().empty());
  EXPECT_TRUE(deliver(record_of("1"), Slice::of("x")));
}

TEST_F(FolderDeliveryTest, LeavesNothingVisibleOnAFullDisk) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    struct rlimit full {};
    ::getrlimit(RLIMIT_FSIZE, &full);
    full.rlim_cur = 1000;
    ::setrlimit(RLIMIT_FSIZE, &full);
    ::_exit(deliver(record_of("1"), Slice::of(Bytes(100'000))) ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(folder_.names().empty());
  EXPECT_TRUE(deliver(record_of("1"), Slice::of(Bytes(100'000))));
}

/// What a crash can leave, made by hand: which of the names are there, and whether the payload is then handed
/// over by the repeat (or was before).
struct Crash {
  const char* when;
  bool part, done, sidecar, payload;
  bool part_is_whole;
};

class AfterACrash : public FolderDeliveryTest, public testing::WithParamInterface<Crash> {};

TEST_P(AfterACrash, TheRepeatHandsOverExactlyOnce) {
  const Crash& crash = GetParam();
  const MessageRecord record = record_of("1");
  const std::string name = FolderDelivery::name_of(record);
  const auto make = [&](bool wanted, const std::string& file, std::string_view text) {
    if (wanted) {
      ASSERT_TRUE(write_file_durably(folder_.path() / file, as_bytes(text)));
    }
  };
  make(crash.part, "." + name + ".part", crash.part_is_whole ? "payload" : "payl");
  make(crash.done, "." + name + ".done", "{}");
  make(crash.sidecar, name + ".json", "{}");
  make(crash.payload, name, "payload");

  const auto file = deliver(record, Slice::of("payload"));
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(read_text_file(*file).value(), "payload");
  ASSERT_TRUE(FolderDelivery(clock_).confirm({{record, {}}}, folder_.path()));
  EXPECT_THAT(folder_.names(), ElementsAre(name, name + ".json"));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, AfterACrash,
                         testing::Values(Crash{"while writing the payload", true, false, false, false, false},
                                         Crash{"before the sidecar", true, false, false, false, true},
                                         Crash{"before the sidecar is visible", true, true, false, false,
                                               true},
                                         Crash{"between sidecar and payload", true, true, true, false, true},
                                         Crash{"after the payload", false, true, true, true, true},
                                         Crash{"after the confirmation", false, false, true, true, true}));

TEST_F(FolderDeliveryTest, KilledAtAnyInstantShowsNoPayloadWithoutItsSidecar) {
  for (int round = 0; round < 10; ++round) {
    int started[2];
    ASSERT_EQ(::pipe(started), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0;; ++i) {
        const MessageRecord record = record_of(std::to_string(round) + "-" + std::to_string(i));
        if (!deliver(record, Slice::of(Bytes(20'000, 7)))) ::_exit(1);
        if (::write(started[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(started[1]);
    char octet = 0;
    for (int i = 0; i <= round % 4; ++i) ASSERT_EQ(::read(started[0], &octet, 1), 1);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(started[0]);
    for (const std::string& name : folder_.names()) {
      if (name.front() == '.' || name.ends_with(".json")) continue;
      EXPECT_EQ(read_file(folder_.path() / name).value(), Bytes(20'000, 7));
      const auto sidecar = read_text_file(folder_.path() / (name + ".json"));
      ASSERT_TRUE(sidecar) << name;
      EXPECT_TRUE(nlohmann::json::accept(*sidecar));
    }
  }
}

// ---- Batches

TEST_F(FolderDeliveryTest, ABatchAppearsInItsOrderAndSharesTheSyncsOfTheFolder) {
  const std::vector<HandOver> batch = batch_of({"e", "d", "c", "b", "a"});
  std::size_t syncs = 0;
  std::size_t shown = 0;
  {
    const test::AtInstants watch([&](std::string_view instant) {
      if (instant == "file.sync") ++syncs;
      if (instant != "directory.rename-new") return;
      for (std::size_t i = 0; i < batch.size(); ++i)
        EXPECT_EQ(is_there(batch[i]), i < shown) << i << ", " << shown;
      ++shown;
    });
    for (const auto& file : deliver(batch)) ASSERT_TRUE(file) << file.error().detail;
  }
  EXPECT_EQ(shown, batch.size());
  EXPECT_EQ(syncs, 2 * batch.size() + 2) << "payloads and sidecars, and the folder twice";
  for (const HandOver& one : batch)
    EXPECT_EQ(read_text_file(folder_.path() / FolderDelivery::name_of(one.record)).value(),
              one.record.message_id.substr(1, 1));
}

TEST_F(FolderDeliveryTest, OneThatFailsKeepsBackNoOtherOfItsBatch) {
  TemporaryFolder elsewhere;
  const std::filesystem::path source = elsewhere.path() / "payload";
  ASSERT_TRUE(write_file_durably(source, Bytes(200'000)));
  std::vector<HandOver> batch = batch_of({"first", "unreadable", "in the way", "last"});
  batch[1].content = Slice::of_file(source).value();
  std::filesystem::resize_file(source, 1000);
  ASSERT_TRUE(
      write_file_durably(folder_.path() / FolderDelivery::name_of(batch[2].record), as_bytes("other")));

  const auto files = deliver(batch);
  ASSERT_EQ(files.size(), 4U);
  EXPECT_TRUE(files[0]);
  EXPECT_EQ(files[1].error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(files[2].error().kind, ErrorKind::AlreadyExists);
  EXPECT_TRUE(files[3]);
  ASSERT_TRUE(FolderDelivery(clock_).confirm({batch[0], batch[3]}, folder_.path()));
  EXPECT_EQ(folder_.names().size(), 5U)
      << "two with their sidecars, and the one in the way; nothing of the unreadable";
}

TEST_F(FolderDeliveryTest, AFolderThatIsMissingIsSaidForEachOfABatch) {
  const auto files = FolderDelivery(clock_).deliver(batch_of({"1", "2"}), folder_.path() / "not-mounted");
  ASSERT_EQ(files.size(), 2U);
  for (const auto& file : files) EXPECT_EQ(file.error().kind, ErrorKind::NotFound);
}

/// Delivers a batch in a process of its own, which dies when it passes `instant` for the n-th time.
///
/// @returns whether it came to that.
bool dies_delivering(const std::vector<HandOver>& batch, const std::filesystem::path& folder,
                     std::string_view instant, int nth) {
  const pid_t child = ::fork();
  if (child == 0) {
    const test::AtInstants watch([&](std::string_view passed) {
      if (passed == instant && --nth == 0) ::kill(::getpid(), SIGKILL);
    });
    const FixedClock clock(kNoon);
    for (const auto& file : FolderDelivery(clock).deliver(batch, folder))
      if (!file) ::_exit(1);
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

TEST_F(FolderDeliveryTest, ABatchCutShortAnywhereIsHandedOverExactlyOnce) {
  int deaths = 0;
  for (const std::string instant :
       {"file.sync", "directory.rename", "directory.link", "directory.rename-new"}) {
    for (int nth = 1;; ++nth) {
      const std::string round = instant + std::to_string(nth) + "-";
      const std::vector<HandOver> batch = batch_of({round + "a", round + "b", round + "c"});
      if (!dies_delivering(batch, folder_.path(), instant, nth)) break;
      ++deaths;
      dies_delivering(batch, folder_.path(), "file.sync",
                      1);  // and again while it takes the earlier try away
      // What is visible already, the business takes away, before the repeat: it must not come again.
      std::set<std::string> taken;
      for (const HandOver& one : batch) {
        const std::string name = FolderDelivery::name_of(one.record);
        if (!is_there(one)) continue;
        taken.insert(name);
        EXPECT_TRUE(std::filesystem::remove(folder_.path() / (name + ".json"))) << round << "no sidecar";
        std::filesystem::remove(folder_.path() / name);
      }
      for (const auto& file : deliver(batch)) ASSERT_TRUE(file) << round << file.error().detail;
      for (const HandOver& one : batch)
        EXPECT_NE(is_there(one), taken.contains(FolderDelivery::name_of(one.record))) << round;
      ASSERT_TRUE(FolderDelivery(clock_).confirm(batch, folder_.path()));
      EXPECT_EQ(folder_.names().size(), 2 * (batch.size() - taken.size())) << round << "leaves something";
      for (const std::string& name : folder_.names()) std::filesystem::remove(folder_.path() / name);
    }
    for (const std::string& name : folder_.names()) std::filesystem::remove(folder_.path() / name);
  }
  EXPECT_EQ(deaths, 2 * 3 + 2 + 3 + 3 + 3) << "syncs, and each rename and link";
}

TEST_F(FolderDeliveryTest, ManyThreadsShareAFolder) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(deliver(record_of(std::to_string(t) + "/" + std::to_string(i)), Slice::of("x")));
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace signet::gateway
