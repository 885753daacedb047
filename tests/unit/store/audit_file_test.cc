#include "gateway/store/audit_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

vault::AuditRecord record_of(std::string_view message) {
  vault::AuditRecord record;
  record.time = kNoon;
  record.principal = "gateway";
  record.operation = "sign";
  record.key = {"vault", "signing", std::string(32, 'a')};
  record.message = message;
  record.result = vault::AuditResult::Success;
  record.detail = "RS256";
  return record;
}

class AuditFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "audit.log"; }
  std::unique_ptr<AuditFile> open() {
    auto log = AuditFile::open(path());
    EXPECT_TRUE(log) << (log ? "" : log.error().detail);
    return log ? *std::move(log) : nullptr;
  }
  void append(int count) {
    const auto log = open();
    for (int i = 0; i < count; ++i) ASSERT_TRUE(log->append(record_of("<" + std::to_string(i) + "@x>")));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::istringstream text(read_text_file(path()).value());
    std::vector<std::string> found;
    for (std::string line; std::getline(text, line);) found.push_back(line);
    return found;
  }
  void write_lines(const std::vector<std::string>& wanted) {
    std::string text;
    for (const std::string& line : wanted) text += line + "\n";
    ASSERT_TRUE(write_file_durably(path(), as_bytes(text)));
  }

  TemporaryDirectory directory_;
};

TEST_F(AuditFileTest, TellsSecretsFromKeys) {
  vault::AuditRecord record = record_of("<a@x>");
  record.object = vault::AuditObject::Secret;
  record.key = {"vault", "password", std::string(32, 'b')};
  ASSERT_TRUE(open()->append(record));
  const auto line = nlohmann::json::parse(lines().at(0));
  EXPECT_EQ(line["secret"], "password");
  EXPECT_FALSE(line.contains("key"));
}

TEST_F(AuditFileTest, NoticesThatItWasMovedAwayOrReplaced) {
  const auto log = open();
  EXPECT_TRUE(log->check());
  std::filesystem::rename(path(), path().string() + ".1");
  EXPECT_EQ(log->check().error().kind, ErrorKind::IoFailure);
  ASSERT_TRUE(write_file_durably(path(), {}));
  EXPECT_THAT(log->check().error().detail, HasSubstr(path().string()));
  std::filesystem::rename(path().string() + ".1", path());
  EXPECT_TRUE(log->check());
}

TEST_F(AuditFileTest, NoticesThatItWasCutWhileItWasWrittenTo) {
  const auto log = open();
  ASSERT_TRUE(log->append(record_of("<1@x>")));
  EXPECT_TRUE(log->check());
  std::filesystem::resize_file(path(), 0);
  EXPECT_THAT(log->check().error().detail, HasSubstr("cut off while it was written to"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log->append(record_of("<2@x>")));
  EXPECT_FALSE(log->check()) << "however much was appended since";
  EXPECT_TRUE(open()->check());
}

TEST_F(AuditFileTest, KnowsTheLinesThatItHas) {
  append(2);
  const AuditLine newest = *open()->head();
  EXPECT_TRUE(*AuditFile::has(path(), newest));
  append(1);
  EXPECT_TRUE(*AuditFile::has(path(), newest));
  write_lines({lines()[0]});
  EXPECT_FALSE(*AuditFile::has(path(), newest));
}

TEST_F(AuditFileTest, WritesALineOfJsonPerRecord) {
  append(2);
  const auto line = nlohmann::json::parse(lines().at(1));
  EXPECT_EQ(line["time"], to_rfc3339(kNoon));
  EXPECT_EQ(line["principal"], "gateway");
  EXPECT_EQ(line["operation"], "sign");
  EXPECT_EQ(line["vault"], "vault");
  EXPECT_EQ(line["key"], "signing");
  EXPECT_EQ(line["version"], std::string(32, 'a'));
  EXPECT_EQ(line["message"], "<1@x>");
  EXPECT_EQ(line["result"], "success");
  EXPECT_EQ(line["detail"], "RS256");
  EXPECT_EQ(line["previous"], hex_lower(digest(Hash::Sha256, as_bytes(lines().at(0)))));
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(AuditFileTest, VerifiesAnUnbrokenChainAcrossReopenings) {
  for (int i = 0; i < 3; ++i) append(2);
  const auto verified = AuditFile::verify(path());
  ASSERT_TRUE(verified && verified->intact());
  EXPECT_EQ(verified->records, 6U);
  EXPECT_EQ(verified->head, hex_lower(digest(Hash::Sha256, as_bytes(lines().back()))));
}

TEST_F(AuditFileTest, VerifiesAnEmptyFileAndMissesAMissingOne) {
  EXPECT_EQ(AuditFile::verify(path()).error().kind, ErrorKind::NotFound);
  append(0);
  EXPECT_EQ(AuditFile::verify(path())->records, 0U);
}

TEST_F(AuditFileTest, SaysWhereAChainIsBroken) {
  append(5);
  const std::vector<std::string> good = lines();
  const auto broken_at = [&](const std::vector<std::string>& changed) {
    write_lines(changed);
    const auto verified = AuditFile::verify(path());
    EXPECT_TRUE(verified && !verified->intact());
    return verified && verified->flaw ? fmt::format("line {} {}", verified->flaw->line, verified->flaw->what)
                                      : std::string();
  };
  std::vector<std::string> edited = good;
  edited[1].replace(edited[1].find("gateway"), 7, "nobody!");
  EXPECT_THAT(broken_at(edited), HasSubstr("line 3 "));
  std::vector<std::string> shorter = good;
  shorter.erase(shorter.begin() + 2);
  EXPECT_THAT(broken_at(shorter), HasSubstr("line 3 "));
  std::vector<std::string> longer = good;
  longer.insert(longer.begin() + 3, good[1]);
  EXPECT_THAT(broken_at(longer), HasSubstr("line 4 "));
  std::vector<std::string> swapped = good;
  std::swap(swapped[0], swapped[1]);
  EXPECT_THAT(broken_at(swapped), HasSubstr("line 1 "));
  std::vector<std::string> garbage = good;
  garbage[4] = "not JSON";
  EXPECT_THAT(broken_at(garbage), HasSubstr("line 5 "));
  garbage[4] = "[]";
  EXPECT_THAT(broken_at(garbage), HasSubstr("line 5 "));
  garbage[4] = std::string(1'000'000, '[');
  EXPECT_FALSE(broken_at(garbage).empty());
  write_lines(good);
  EXPECT_TRUE(AuditFile::verify(path())->intact());
}

TEST_F(AuditFileTest, FindsAHeadThatWasKeptUntilItsLineIsCutOff) {
  append(3);
  const auto kept = AuditFile::verify(path())->head;
  EXPECT_EQ(open()->head()->hash, kept);
  append(2);
  const std::vector<std::string> all = lines();
  const std::string other(64, 'a');
  EXPECT_THAT(AuditFile::verify(path(), {kept, other})->heads_found, testing::ElementsAre(kept));
  write_lines({all[0], all[1]});
  EXPECT_TRUE(AuditFile::verify(path(), {kept})->intact());
  EXPECT_TRUE(AuditFile::verify(path(), {kept})->heads_found.empty());
}

TEST_F(AuditFileTest, HasNoHeadBeforeItsFirstLine) { EXPECT_FALSE(open()->head()); }

/// Names lines of the log, a record each.
class Mentions final : public EvidenceStore {
 public:
  std::vector<AuditLine> lines;
  Result<std::optional<AuditMention>> find_missing_audit_line(
      const std::function<Result<bool>(const AuditLine&)>& is_there) override {
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (!is_there(lines[i]).value()) return AuditMention{i + 1, lines[i]};
    return std::nullopt;
  }
  Result<std::vector<EvidenceRecord>> records(std::string_view) override { return unasked(); }
  Result<Proof> proof(std::string_view) override { return unasked(); }
  Result<Bytes> certificate(std::string_view) override { return unasked(); }
  Result<std::vector<LateReceipt>> late_receipts(std::string_view) override { return unasked(); }
  Result<ChainReport> verify(const std::vector<std::string>&) override { return unasked(); }
  Result<ChainHead> head() override { return unasked(); }
  Result<Expiry> expirable(const ExpiryRule&) override { return unasked(); }
  Result<Expiry> expire(const ExpiryRule&, std::size_t, Time) override { return unasked(); }

 private:
  static tl::unexpected<Error> unasked() { return fail(ErrorKind::Internal, "not asked for"); }
};

class AuditMentionsTest : public AuditFileTest {
 protected:
  void append_and_mention(int count) {
    const auto log = open();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(log->append(record_of("<m@x>")));
      mentions_.lines.push_back(*log->head());
    }
  }
  /// 0: nothing is missing.
  std::uint64_t cut_at() {
    const auto flaw = AuditFile::find_cut(path(), mentions_).value();
    return flaw ? flaw->line : 0;
  }
  Mentions mentions_;
};

TEST_F(AuditMentionsTest, EveryLineThatIsNamedIsThere) {
  EXPECT_EQ(AuditFile::find_cut(path(), mentions_).error().kind, ErrorKind::NotFound);
  append(0);
  EXPECT_EQ(cut_at(), 0U);
  append_and_mention(3);
  append(2);
  append_and_mention(1);
  EXPECT_EQ(cut_at(), 0U);
}

TEST_F(AuditMentionsTest, AnEndThatWasCutOffIsMissed) {
  append_and_mention(4);
  const std::vector<std::string> all = lines();
  write_lines({all[0], all[1]});
  EXPECT_EQ(cut_at(), 3U);
  write_lines({});
  EXPECT_EQ(cut_at(), 1U);
}

TEST_F(AuditMentionsTest, AnEndThatWasCutOffIsMissedHoweverMuchWasAppendedSince) {
  append_and_mention(4);
  const std::vector<std::string> all = lines();
  write_lines({all[0], all[1]});
  append(20);
  EXPECT_TRUE(AuditFile::verify(path())->intact()) << "the log does not show it by itself";
  EXPECT_GE(cut_at(), 3U);
}

TEST_F(AuditMentionsTest, ALogThatWasMadeAnewIsNotTheOneThatWasNamed) {
  append_and_mention(2);
  write_lines({});
  const auto log = open();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(log->append(record_of("<n@x>")));
  EXPECT_EQ(cut_at(), 1U);
}

TEST_F(AuditMentionsTest, ALongLineIsFoundToo) {
  const auto log = open();
  vault::AuditRecord record = record_of("<m@x>");
  record.detail = std::string(1024, '\x01');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(log->append(record));
    mentions_.lines.push_back(*log->head());
  }
  EXPECT_EQ(cut_at(), 0U);
  mentions_.lines[1].end -= 1;
  EXPECT_NE(cut_at(), 0U);
}

TEST_F(AuditFileTest, GoesOnAfterALineThatACrashCutShort) {
  append(2);
  const std::string text = read_text_file(path()).value();
  for (const std::string& torn : {std::string("{\"time\":\"20"), std::string(1, '{'), lines().back()}) {
    ASSERT_TRUE(write_file_durably(path(), as_bytes(text + torn)));
    EXPECT_FALSE(AuditFile::verify(path())->intact());
    append(1);
    EXPECT_EQ(AuditFile::verify(path())->records, 3U);
  }
  ASSERT_TRUE(write_file_durably(path(), as_bytes("{\"torn first line")));
  append(1);
  EXPECT_EQ(AuditFile::verify(path())->records, 1U);
}

TEST_F(AuditFileTest, DoesNotTouchAFileThatIsNoAuditLog) {
  ASSERT_TRUE(write_file_durably(path(), Bytes(200'000, 'x')));
  EXPECT_EQ(AuditFile::open(path()).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(std::filesystem::file_size(path()), 200'000U);
}

TEST_F(AuditFileTest, AStrangersTextForgesNoLine) {
  const auto log = open();
  vault::AuditRecord record = record_of("<a@x>\"}\n{\"principal\":\"forged\",\xFF\xC0 \xE2\x80\xA8");
  record.detail = std::string(100'000, '\x01');
  record.principal = std::string("nul\0inside", 10);
  ASSERT_TRUE(log->append(record));
  ASSERT_TRUE(log->append(record_of("<b@x>")));
  const std::vector<std::string> found = lines();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(found[0])["result"], "success");
  for (const char c : found[0]) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  EXPECT_EQ(AuditFile::verify(path())->records, 2U);
}

TEST_F(AuditFileTest, SeveralProcessesAndThreadsShareOneChain) {
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto log = AuditFile::open(path()).value();
      for (int i = 0; i < 50; ++i)
        if (!log->append(record_of(std::to_string(i)))) ::_exit(1);
      ::_exit(0);
    }
    children.push_back(child);
  }
  const auto log = open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_TRUE(log->append(record_of(std::to_string(i))));
        EXPECT_TRUE(log->sync());
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const auto verified = AuditFile::verify(path());
  ASSERT_TRUE(verified && verified->intact());
  EXPECT_EQ(verified->records, 250U);
}

TEST_F(AuditFileTest, FailsOnAFullDiskWithoutLeavingHalfALine) {
  append(1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto log = AuditFile::open(path()).value();
    struct rlimit limit {};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t plenty = limit.rlim_cur;
    limit.rlim_cur = std::filesystem::file_size(path()) + 20;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (log->append(record_of("<b@x>"))) ::_exit(1);
    if (!AuditFile::verify(path())->intact()) ::_exit(2);
    limit.rlim_cur = plenty;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(log->append(record_of("<c@x>")) ? 0 : 3);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(AuditFile::verify(path())->records, 2U);
}

TEST_F(AuditFileTest, IsNoPipe) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const auto log = AuditFile::open(path());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, ErrorKind::IoFailure);
  EXPECT_NE(log.error().detail.find("no regular file"), std::string::npos);
}

TEST_F(AuditFileTest, FollowsNoSymbolicLink) {
  ASSERT_TRUE(write_file_durably(directory_.path() / "victim", {}));
  std::filesystem::create_symlink(directory_.path() / "victim", path());
  EXPECT_FALSE(AuditFile::open(path()));
}

}  // namespace
}  // namespace signet::gateway
