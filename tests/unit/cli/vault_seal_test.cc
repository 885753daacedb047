#include "gateway/cli/vault_seal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "gateway/store/audit_file.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

SecretBytes passphrase(std::string_view text) { return SecretBytes::copy_of(text); }
constexpr std::string_view kPassphrase = "correct horse battery";

/// A home whose vault is under a passphrase, which is not at hand.
class VaultSealTest : public testing::Test {
 protected:
  VaultSealTest() {
    ::unsetenv("SIGNET_PASSPHRASE_FILE");
    EXPECT_TRUE(write_file_durably(directory_.path() / "passphrase", as_bytes(kPassphrase)));
    Home::InitOptions options;
    options.passphrase_file = directory_.path() / "passphrase";
    EXPECT_TRUE(Home::initialise(path(), options));
    home_ = Home::open_for_serving(path()).value();
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "home"; }
  [[nodiscard]] bool has(const char* name) const { return std::filesystem::exists(path() / name); }
  /// As after a restart.
  void reopen() {
    home_.reset();
    home_ = Home::open_for_serving(path()).value();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Home> home_;
};

TEST_F(VaultSealTest, BeginsSealedAndOpensWithThePassphrase) {
  VaultSeal seal(*home_);
  EXPECT_TRUE(home_->vault().is_sealed());
  ASSERT_TRUE(seal.unseal(passphrase(kPassphrase)));
  EXPECT_FALSE(home_->vault().is_sealed());
  EXPECT_TRUE(home_->callback_key());
  ASSERT_TRUE(seal.seal());
  EXPECT_TRUE(home_->vault().is_sealed());
  EXPECT_FALSE(home_->callback_key());
}

TEST_F(VaultSealTest, LooksAtWrongPassphrasesEverMoreSlowlyAndWritesThemDown) {
  VaultSeal seal(*home_);
  const auto wrong = seal.unseal(passphrase("correct horse batterx"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::CryptoFailure);
  const auto too_soon = seal.unseal(passphrase(kPassphrase));
  ASSERT_FALSE(too_soon);
  EXPECT_EQ(too_soon.error().kind, ErrorKind::Unavailable);
  EXPECT_TRUE(home_->vault().is_sealed());
  EXPECT_THAT(read_text_file(path() / "audit.log").value(), HasSubstr("wrong master passphrase"));
}

TEST_F(VaultSealTest, ChangesBetweenPassphrasesAndAKeyFile) {
  {
    VaultSeal seal(*home_);
    ASSERT_TRUE(seal.unseal(passphrase(kPassphrase)));
    ASSERT_TRUE(seal.change_master_key(MasterKeyKind::Passphrase, passphrase("another battery horse")));
  }
  reopen();
  EXPECT_FALSE(VaultSeal(*home_).unseal(passphrase(kPassphrase)));
  {
    VaultSeal seal(*home_);
    ASSERT_TRUE(seal.unseal(passphrase("another battery horse")));
    ASSERT_TRUE(seal.change_master_key(MasterKeyKind::KeyFile, {}));
  }
  EXPECT_TRUE(has("master.key"));
  EXPECT_FALSE(has("master.scrypt"));
  reopen();
  EXPECT_FALSE(home_->vault().is_sealed()) << "a key file is at hand";
  ASSERT_TRUE(VaultSeal(*home_).change_master_key(MasterKeyKind::Passphrase, passphrase(kPassphrase)));
  EXPECT_FALSE(has("master.key"));
  reopen();
  EXPECT_TRUE(home_->vault().is_sealed());
}

TEST_F(VaultSealTest, RefusesAShortPassphraseAndLeavesNothingBehind) {
  VaultSeal seal(*home_);
  ASSERT_TRUE(seal.unseal(passphrase(kPassphrase)));
  EXPECT_FALSE(seal.change_master_key(MasterKeyKind::Passphrase, passphrase("short")));
  EXPECT_FALSE(has("master.scrypt.new"));
}

TEST_F(VaultSealTest, TakesCallsOverItsSocketFromTheSameUserAlone) {
  VaultSeal seal(*home_);
  {
    const auto channel = ControlChannel::open(path(), control_calls(seal)).value();
    struct stat status {};
    ASSERT_EQ(::stat((path() / "control.sock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_TRUE(ask_gateway(path(), kUnsealCall, passphrase(kPassphrase)));
    EXPECT_FALSE(home_->vault().is_sealed());
    const auto unknown = ask_gateway(path(), "dance", {});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::Unsupported);
    EXPECT_TRUE(ask_gateway(path(), kSealCall, {}));
    EXPECT_TRUE(home_->vault().is_sealed());
  }
  const auto nobody = ask_gateway(path(), kSealCall, {});
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().detail, HasSubstr("no gateway serves"));
}

TEST_F(VaultSealTest, AnswersACallThatIsTooLongOrNoneByAnError) {
  VaultSeal seal(*home_);
  const auto channel = ControlChannel::open(path(), control_calls(seal)).value();
  EXPECT_FALSE(ask_gateway(path(), kUnsealCall, SecretBytes(100'000)));
  EXPECT_FALSE(ask_gateway(path(), "", {}));
  EXPECT_TRUE(ask_gateway(path(), kSealCall, {})) << "and goes on";
}

TEST_F(VaultSealTest, HasASocketHoweverDeepTheHomeLies) {
  std::filesystem::path deep = directory_.path();
  while (deep.string().size() < 150) deep /= "a-folder-below";
  ASSERT_TRUE(std::filesystem::create_directories(deep));
  const auto channel =
      ControlChannel::open(deep, [](std::string_view, const SecretBytes&) -> Result<> { return {}; });
  ASSERT_TRUE(channel) << channel.error().detail;
  EXPECT_TRUE(ask_gateway(deep, "word", {}));
}

}  // namespace
}  // namespace signet::gateway
