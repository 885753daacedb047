#include "agreements/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agreements/account_fixture.h"

namespace signet::agreements {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Account account() { return good_account(read_data("rollover.xml")); }

TEST(AccountDiff, NothingChangedIsNothing) {
  EXPECT_THAT(diff(account(), account()), IsEmpty());
  EXPECT_EQ(to_string(diff(account(), good_account(write_account(account())))), "");
}

TEST(AccountDiff, TheOrderOfEntriesMeansNothing) {
  Account turned = account();
  std::swap(turned.partners[0], turned.partners[1]);
  std::swap(turned.certificates[0], turned.certificates[2]);
  EXPECT_THAT(diff(account(), turned), IsEmpty());
}

TEST(AccountDiff, EverythingIsNewInAnEmptyAccountAndGoneInTheEnd) {
  EXPECT_EQ(to_string(diff(Account{}, account())),
            "+ partner Acme\n+ partner Globex\n+ certificate acme\n+ certificate globex-2026\n"
            "+ certificate globex-2027\n+ agreement acme-globex\n");
  EXPECT_THAT(to_string(diff(account(), Account{})), HasSubstr("- agreement acme-globex\n"));
  EXPECT_THAT(diff(account(), Account{}), SizeIs(6));
}

TEST(AccountDiff, TellsEachSettingFromItsOldValueToItsNew) {
  Account after = account();
  Agreement& agreement = after.agreements[0];
  agreement.send_agreement.mdn_settings.need_mdn = false;
  agreement.connection.total_timeout = std::chrono::minutes(5);
  agreement.receive_agreement.certificates[0].certificates.push_back({"globex-2026", {}, {}});
  agreement.retry.factor = 2.0;
  EXPECT_EQ(to_string(diff(account(), after)),
            "~ agreement acme-globex\n"
            "    sendAgreement/mdnSettings/needMDN: true -> false\n"
            "    x:connection/totalTimeout: 2h -> 5min\n"
            "    x:retry/factor: 1.5 -> 2\n"
            "    receiveAgreement/x:certificates[verifyMessage]/x:certificate[globex-2026]/name: (none) -> "
            "globex-2026\n"
            "    receiveAgreement/x:certificates[verifyMessage]/x:certificate[globex-2026]/activeFrom: "
            "(none) -> (empty)\n"
            "    receiveAgreement/x:certificates[verifyMessage]/x:certificate[globex-2026]/activeUntil: "
            "(none) -> (empty)\n"
            "    receiveAgreement/x:certificates[verifyMessage]/x:certificate[globex-2026]/awaitsAcceptance: "
            "(none) -> false\n");
}

TEST(AccountDiff, ShowsCertificatesByTheirFingerprint) {
  Account after = account();
  after.certificates[1].public_certificate.back() ^= 1;
  const std::vector<EntryChange> changes = diff(account(), after);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].kind, EntryKind::Certificate);
  ASSERT_THAT(changes[0].settings, SizeIs(1));
  EXPECT_EQ(changes[0].settings[0].path, "publicCertificate");
  EXPECT_THAT(changes[0].settings[0].after, HasSubstr("SHA-256 "));
  EXPECT_NE(changes[0].settings[0].before, changes[0].settings[0].after);
}

TEST(AccountDiff, TellsAnOrderThatIsAllThatChanged) {
  Account after = account();
  auto& listed = after.agreements[0].send_agreement.certificates[0].certificates;
  std::swap(listed[0], listed[1]);
  EXPECT_EQ(to_string(diff(account(), after)),
            "~ agreement acme-globex\n"
            "    sendAgreement/x:certificates[encrypt]/(order): globex-2026, globex-2027 -> globex-2027, "
            "globex-2026\n");
}

TEST(AccountDiff, KeepsControlCharactersOffTheTerminal) {
  Account after = account();
  after.agreements[0].receive_agreement.mdn_settings.mdn_text = "\x1b[31mred\n";
  const std::string text = to_string(diff(account(), after));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("(empty) -> "));
}

}  // namespace
}  // namespace signet::agreements
