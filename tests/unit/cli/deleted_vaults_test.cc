#include "gateway/cli/deleted_vaults.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "gateway/store/resource_store.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A home with a vault that was deleted so long ago that it is to be purged.
class DeletedVaultsTest : public testing::Test {
 protected:
  DeletedVaultsTest() {
    EXPECT_TRUE(Home::initialise(path(), {}));
    home_ = Home::open_for_serving(path()).value();
    EXPECT_TRUE(home_->resources().delete_vault("mail", "{}", home_->clock().now() - std::chrono::days(100)));
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "home"; }
  [[nodiscard]] bool is_there() { return !deleted_vaults(*home_).value().empty(); }
  std::string audit_log() { return read_text_file(path() / "audit.log").value(); }

  TemporaryDirectory directory_;
  std::unique_ptr<Home> home_;
};

const GivenOptions kMailServer = {{"--smtp-url", {"smtps://mail.example.com"}},
                                  {"--smtp-from", {"signet@example.com"}},
                                  {"--smtp-user", {"signet"}},
                                  {"--smtp-password", {"mail/smtp-password"}}};

TEST_F(DeletedVaultsTest, ArePurgedWhenTheirTimeIsOver) {
  ASSERT_TRUE(purge_overdue_vaults(*home_, {}));
  EXPECT_FALSE(is_there());
  EXPECT_THAT(audit_log(), HasSubstr("purgeVault"));
}

TEST_F(DeletedVaultsTest, StayWhileASettingOfTheCommandLineNamesASecretInThem) {
  ASSERT_TRUE(purge_overdue_vaults(*home_, kMailServer));
  EXPECT_TRUE(is_there());
  EXPECT_THAT(audit_log(), Not(HasSubstr("purgeVault")));
}

TEST_F(DeletedVaultsTest, StayWhileASettingOfTheFileNamesASecretInThem) {
  std::string file;
  for (const auto& [option, values] : kMailServer)
    file += option.substr(2) + " = \"" + values.front() + "\"\n";
  ASSERT_TRUE(write_file_durably(path() / "serve.toml", as_bytes(file)));
  ASSERT_TRUE(purge_overdue_vaults(*home_, {}));
  EXPECT_TRUE(is_there());
}

}  // namespace
}  // namespace signet::gateway
