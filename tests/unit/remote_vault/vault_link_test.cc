#include "gateway/remote_vault/vault_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway {
namespace {

using testing::HasSubstr;

VaultLink link_by_token() {
  VaultLink link;
  link.name = "Central";
  link.url = "https://VAULT.example:443/";
  link.token_file = "/etc/token";
  return link;
}

VaultLink link_as_client() {
  VaultLink link = link_by_token();
  link.token_file.clear();
  link.client_id = "5c1f";
  link.client_secret_file = "/etc/secret";
  return link;
}

std::string refusal(const VaultLink& link) {
  const auto checked = checked_link(link);
  EXPECT_FALSE(checked);
  return checked ? "" : checked.error().detail;
}

TEST(VaultLink, IsKeptInOneForm) {
  const VaultLink checked = checked_link(link_by_token()).value();
  EXPECT_EQ(checked.name, "central");
  EXPECT_EQ(checked.url, "https://vault.example");
  EXPECT_EQ(checked_link(link_as_client()).value().authority, "https://login.microsoftonline.com");
  VaultLink other = link_as_client();
  other.authority = "https://Login.example/a/../tenant/";
  EXPECT_EQ(checked_link(other).value().authority, "https://login.example/tenant");
  other.url = "https://[::1]:4443";
  EXPECT_EQ(checked_link(other).value().url, "https://[::1]:4443");
}

TEST(VaultLink, ThatWillNotDoIsRefusedWithTheReason) {
  const auto with = [](auto change) {
    VaultLink link = link_by_token();
    change(link);
    return refusal(link);
  };
  EXPECT_THAT(with([](VaultLink& link) { link.name = "x"; }), HasSubstr("key vault"));
  EXPECT_THAT(with([](VaultLink& link) { link.url = "http://vault.example"; }), HasSubstr("https"));
  EXPECT_THAT(with([](VaultLink& link) { link.url = "https://vault.example/x"; }),
              HasSubstr("without a path"));
  EXPECT_THAT(with([](VaultLink& link) { link.url = "https://vault.example/?x=y"; }), HasSubstr("query"));
  EXPECT_THAT(with([](VaultLink& link) { link.url = "https://a:b@vault.example"; }), HasSubstr("user"));
  EXPECT_THAT(with([](VaultLink& link) { link.token_file.clear(); }), HasSubstr("either a token file"));
  EXPECT_THAT(with([](VaultLink& link) { link.token_file = "token"; }), HasSubstr("absolute"));
  EXPECT_THAT(with([](VaultLink& link) { link.client_id = "me"; }), HasSubstr("either a token file"));
  EXPECT_THAT(with([](VaultLink& link) { link.authority = "https://login.example"; }),
              HasSubstr("there is none"));
  EXPECT_THAT(with([](VaultLink& link) { link.authorities = "nonsense"; }), HasSubstr("authorities"));
  VaultLink client = link_as_client();
  client.client_secret_file.clear();
  EXPECT_THAT(refusal(client), HasSubstr("either a token file"));
  client = link_as_client();
  client.client_id = "a\r\nb";
  EXPECT_THAT(refusal(client), HasSubstr("client id"));
}

class SecretLine : public testing::Test {
 protected:
  Result<std::string> read(std::string_view text, unsigned mode = 0600) {
    EXPECT_TRUE(write_file_durably(file_, as_bytes(text)));
    EXPECT_EQ(::chmod(file_.c_str(), mode), 0);
    SIGNET_TRY(const SecretBytes line, read_secret_line(file_));
    return std::string(as_text(line.view()));
  }

  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "secret";
};

TEST_F(SecretLine, IsTheFirstOfTheFile) {
  EXPECT_EQ(read("token").value(), "token");
  EXPECT_EQ(read("token\r\nand more\n").value(), "token");
  EXPECT_EQ(read(std::string(10'000, 'x')).value().size(), 10'000U);
}

TEST_F(SecretLine, IsNoLineThatCannotBeSent) {
  for (const std::string& text : {std::string(), std::string("\n"), std::string("a\tb"),
                                  std::string("\xC3\xA4"), std::string(20'000, 'x')})
    EXPECT_EQ(read(text).error().kind, ErrorKind::InvalidInput) << text.size();
}

TEST_F(SecretLine, IsReadFromNoFileThatOthersMayReadOrChange) {
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U}) {
    const auto line = read("token", mode);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().kind, ErrorKind::PermissionDenied);
    EXPECT_THAT(line.error().detail, HasSubstr("chmod 600"));
  }
  EXPECT_EQ(read("token", 0400).value(), "token");
  EXPECT_EQ(read_secret_line(directory_.path()).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(read_secret_line(directory_.path() / "absent").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace signet::gateway
