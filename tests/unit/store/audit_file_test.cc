#include "gateway/store/audit_file.h"

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
  ASSERT_TRUE(verified) << verified.error().detail;
  EXPECT_EQ(verified->records, 6U);
  EXPECT_EQ(verified->last_hash, hex_lower(digest(Hash::Sha256, as_bytes(lines().back()))));
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
    EXPECT_FALSE(verified);
    return verified ? std::string() : verified.error().detail;
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
  EXPECT_TRUE(AuditFile::verify(path()));
}

TEST_F(AuditFileTest, GoesOnAfterALineThatACrashCutShort) {
  append(2);
  const std::string text = read_text_file(path()).value();
  for (const std::string& torn : {std::string("{\"time\":\"20"), std::string(1, '{'), lines().back()}) {
    ASSERT_TRUE(write_file_durably(path(), as_bytes(text + torn)));
    EXPECT_FALSE(AuditFile::verify(path()));
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
  ASSERT_TRUE(verified) << verified.error().detail;
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
    if (!AuditFile::verify(path())) ::_exit(2);
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

TEST_F(AuditFileTest, FollowsNoSymbolicLink) {
  ASSERT_TRUE(write_file_durably(directory_.path() / "victim", {}));
  std::filesystem::create_symlink(directory_.path() / "victim", path());
  EXPECT_FALSE(AuditFile::open(path()));
}

}  // namespace
}  // namespace signet::gateway
