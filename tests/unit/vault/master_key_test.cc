#include "certstore/vault/master_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

const Bytes kContext = sealing_context({"key", "kv1", "k", "v"});

TEST(MasterKeyFile, IsMadePrivateAndReadAgain) {
  const TemporaryDirectory directory;
  const MasterKey made = MasterKey::create_file(directory / "master.key").value();
  struct stat status {};
  ASSERT_EQ(::stat((directory / "master.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_EQ(MasterKey::load_file(directory / "master.key").value().check_value(), made.check_value());
}

TEST(MasterKeyFile, IsNeverReplaced) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(MasterKey::create_file(directory / "master.key").has_value());
  EXPECT_TRUE(
      fails_with(MasterKey::create_file(directory / "master.key"), ErrorKind::AlreadyExists, "master.key"));
}

TEST(MasterKeyFile, IsRefusedWhenOthersMayReadOrWriteIt) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(MasterKey::create_file(directory / "master.key").has_value());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0700U, 0644U}) {
    ASSERT_EQ(::chmod((directory / "master.key").c_str(), mode), 0);
    EXPECT_TRUE(
        fails_with(MasterKey::load_file(directory / "master.key"), ErrorKind::PermissionDenied, "chmod 600"));
  }
  ASSERT_EQ(::chmod((directory / "master.key").c_str(), 0400), 0);
  EXPECT_TRUE(MasterKey::load_file(directory / "master.key").has_value());
}

TEST(MasterKeyFile, IsRefusedWhenItBelongsToAnother) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TemporaryDirectory directory;
  ASSERT_TRUE(MasterKey::create_file(directory / "master.key").has_value());
  ASSERT_EQ(::chown((directory / "master.key").c_str(), 12345, 12345), 0);
  EXPECT_TRUE(fails_with(MasterKey::load_file(directory / "master.key"), ErrorKind::PermissionDenied,
                         "belongs to user 12345"));
}

TEST(MasterKeyFile, IsRefusedWhenItIsNotThirtyTwoOctetsOfAFile) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(fails_with(MasterKey::load_file(directory / "none"), ErrorKind::NotFound, "none"));
  for (const std::size_t size : {0U, 31U, 33U, 4096U}) {
    ASSERT_TRUE(write_file_durably(directory / "odd.key", Bytes(size), 0600).has_value());
    EXPECT_TRUE(fails_with(MasterKey::load_file(directory / "odd.key"), ErrorKind::InvalidInput, "32 octets"))
        << size;
  }
  ASSERT_TRUE(MasterKey::create_file(directory / "master.key").has_value());
  std::filesystem::create_symlink(directory / "master.key", directory / "link.key");
  EXPECT_FALSE(MasterKey::load_file(directory / "link.key").has_value());
  std::filesystem::create_directory(directory / "folder");
  EXPECT_FALSE(MasterKey::load_file(directory / "folder").has_value());
}

TEST(MasterPassphrase, OpensWhatItMade) {
  const TemporaryDirectory directory;
  const SecretBytes passphrase = SecretBytes::copy_of("correct horse battery staple");
  const MasterKey made = MasterKey::create_with_passphrase(directory / "master.scrypt", passphrase).value();
  const MasterKey opened = MasterKey::open_with_passphrase(directory / "master.scrypt", passphrase).value();
  EXPECT_EQ(made.check_value(), opened.check_value());
}

TEST(MasterPassphrase, TellsAWrongOne) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(
      MasterKey::create_with_passphrase(directory / "m", SecretBytes::copy_of("correct horse")).has_value());
  EXPECT_TRUE(
      fails_with(MasterKey::open_with_passphrase(directory / "m", SecretBytes::copy_of("correct horsf")),
                 ErrorKind::CryptoFailure, "wrong master passphrase"));
}

TEST(MasterPassphrase, GivesAnotherKeyForAnotherSalt) {
  const TemporaryDirectory directory;
  const SecretBytes passphrase = SecretBytes::copy_of("correct horse");
  EXPECT_NE(MasterKey::create_with_passphrase(directory / "a", passphrase).value().check_value(),
            MasterKey::create_with_passphrase(directory / "b", passphrase).value().check_value());
}

TEST(MasterPassphrase, IsRefusedWhenShortAndItsFileWhenDamaged) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(
      fails_with(MasterKey::create_with_passphrase(directory / "m", SecretBytes::copy_of("eleven char")),
                 ErrorKind::InvalidInput, "at least 12"));
  for (const std::string text : {"", "signet-master-key scrypt N=1 r=8 p=1 salt=00 check=00", "x"}) {
    ASSERT_TRUE(write_file_durably(directory / "m", as_bytes(text), 0600).has_value());
    EXPECT_TRUE(
        fails_with(MasterKey::open_with_passphrase(directory / "m", SecretBytes::copy_of("correct horse")),
                   ErrorKind::InvalidInput, "no passphrase file"));
  }
}

class Sealing : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  MasterKey key_ = MasterKey::create_file(directory_ / "master.key").value();
};

TEST_F(Sealing, GivesBackWhatWasSealed) {
  const Bytes sealed = key_.seal(as_bytes("a private key"), kContext);
  EXPECT_EQ(as_text(key_.unseal(sealed, kContext).value().view()), "a private key");
  EXPECT_TRUE(key_.unseal(key_.seal({}, kContext), kContext).value().empty());
}

TEST_F(Sealing, NeverGivesTheSameTwice) {
  EXPECT_NE(key_.seal(as_bytes("a private key"), kContext), key_.seal(as_bytes("a private key"), kContext));
}

TEST_F(Sealing, RefusesAChangedBitAtEveryOffset) {
  const Bytes sealed = key_.seal(as_bytes("a private key"), kContext);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1U;
    EXPECT_TRUE(fails_with(key_.unseal(changed, kContext), ErrorKind::CryptoFailure, "cannot be unsealed"))
        << i;
  }
}

TEST_F(Sealing, RefusesEveryTruncation) {
  const Bytes sealed = key_.seal(as_bytes("a private key"), kContext);
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(key_.unseal(ByteView(sealed).first(size), kContext).has_value()) << size;
}

TEST_F(Sealing, RefusesAnotherContextAndAnotherKey) {
  const Bytes sealed = key_.seal(as_bytes("a private key"), kContext);
  EXPECT_FALSE(key_.unseal(sealed, sealing_context({"key", "kv1", "k", "w"})).has_value());
  EXPECT_FALSE(key_.unseal(sealed, {}).has_value());
  const MasterKey other = MasterKey::create_file(directory_ / "other.key").value();
  EXPECT_FALSE(other.unseal(sealed, kContext).has_value());
}

TEST(SealingContext, KeepsFieldsApart) {
  EXPECT_NE(sealing_context({"ab", "c"}), sealing_context({"a", "bc"}));
  EXPECT_NE(sealing_context({"a", ""}), sealing_context({"a"}));
}

}  // namespace
}  // namespace signet::vault
