#include "gateway/revocation/revocation_lists.h"

#include "gateway/revocation/wanted_lists.h"
#include "tests/unit/revocation/revocation_fixture.h"

namespace signet::gateway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RevocationListsTest : public RevocationTest {
 protected:
  RevocationFinding look_up(const certstore::Certificate& certificate, Time now = kToday) {
    const auto reloaded = lists_.reload();
    EXPECT_TRUE(reloaded);
    return lists_.look_up(certificate, account_, now);
  }

  std::shared_ptr<const AccountSnapshot> account_ = account_of(globex_, {authority_.certificate});
  const RevocationOrigin origin_{certstore::key_thumbprint(authority_.certificate.public_key()),
                                 "http://crl.example/authority.crl"};
  RevocationLists lists_{store_};
};

TEST_F(RevocationListsTest, ACertificateThatIsNotOnItsIssuersListIsNotRevoked) {
  put(authority_);
  const RevocationFinding found = look_up(globex_);
  EXPECT_EQ(found.status, RevocationStatus::NotRevoked);
  EXPECT_EQ(found.reason, "");
}

TEST_F(RevocationListsTest, OneThatIsOnItIsRevokedAlsoOnceTheListHasEnded) {
  put(authority_, {.revoked = {globex_}});
  for (const char* day : {"2026-11-21", "2027-11-21"}) {
    const RevocationFinding found = look_up(globex_, moment(day));
    EXPECT_EQ(found.status, RevocationStatus::Revoked) << day;
    EXPECT_THAT(found.reason, AllOf(HasSubstr("2026-11-19"), HasSubstr("keyCompromise")));
  }
}

TEST_F(RevocationListsTest, NothingIsKnownWithoutAListOrOutsideItsTime) {
  EXPECT_THAT(look_up(globex_).reason, HasSubstr("no revocation list of 'CN=Authority' is at hand"));
  put(authority_);
  EXPECT_EQ(look_up(globex_, moment("2026-11-27")).status, RevocationStatus::NotRevoked);
  const RevocationFinding after = look_up(globex_, moment("2026-11-29"));
  EXPECT_EQ(after.status, RevocationStatus::Unknown);
  EXPECT_THAT(after.reason, HasSubstr("has ended at 2026-11-28"));
  const RevocationFinding before = look_up(globex_, moment("2026-11-19"));
  EXPECT_EQ(before.status, RevocationStatus::Unknown);
  EXPECT_THAT(before.reason, HasSubstr("begins at 2026-11-20"));
}

TEST_F(RevocationListsTest, AnIssuersClockMayBeAFewMinutesAhead) {
  put(authority_);
  EXPECT_EQ(look_up(globex_, moment("2026-11-19T23:56:00Z")).status, RevocationStatus::NotRevoked);
}

TEST_F(RevocationListsTest, NothingIsKnownWithoutTheIssuersCertificate) {
  account_ = account_of(globex_, {});
  put(authority_);
  const RevocationFinding found = look_up(globex_);
  EXPECT_EQ(found.status, RevocationStatus::Unknown);
  EXPECT_THAT(found.reason, AllOf(HasSubstr("CN=Authority"), HasSubstr("add it as a public certificate")));
}

TEST_F(RevocationListsTest, NothingIsToBeCheckedOfASelfSignedCertificate) {
  const auto alone = test::make_certificate({.common_name = "Alone", .key = "ec:P-256"}).certificate;
  EXPECT_EQ(look_up(alone).status, RevocationStatus::NothingToCheck);
}

TEST_F(RevocationListsTest, AnAuthorityOfTheSameNameWithAnotherKeySaysNothing) {
  const auto impostor = test::make_certificate({.common_name = "Authority",
                                                .key = "ec:P-384",
                                                .key_usage = "keyCertSign,cRLSign",
                                                .subject_key_identifier = true,
                                                .authority = true});
  account_ = account_of(globex_, {authority_.certificate, impostor.certificate});
  put(impostor, {.revoked = {globex_}});
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Unknown);
  put(authority_);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::NotRevoked);
}

TEST_F(RevocationListsTest, TheAuthorityIsLookedUpAsFarAsTheAccountHasItsIssuer) {
  account_ = account_of(globex_, {authority_.certificate, root_.certificate});
  put(authority_);
  EXPECT_THAT(look_up(globex_).reason, HasSubstr("no revocation list of 'CN=Root'"));
  put(root_);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::NotRevoked);
  put(root_, {.number = 2, .revoked = {authority_.certificate}});
  const RevocationFinding found = look_up(globex_);
  EXPECT_EQ(found.status, RevocationStatus::Revoked);
  EXPECT_THAT(found.reason, HasSubstr("the authority's certificate 'CN=Authority'"));
}

TEST_F(RevocationListsTest, ANewListCountsOnceItIsTakenUpAndUntilThenNothingIsRead) {
  put(authority_);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::NotRevoked);
  const int reads = store_.reads;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(look_up(globex_).status, RevocationStatus::NotRevoked);
  EXPECT_EQ(store_.reads, reads);
  put(authority_, {.number = 2, .revoked = {globex_}});
  EXPECT_EQ(lists_.look_up(globex_, account_, kToday).status, RevocationStatus::NotRevoked);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Revoked);
}

TEST_F(RevocationListsTest, WhatIsFetchedForTheFirstTimeIsPendingUntilItWasAskedFor) {
  lists_.expect(account_, {{origin_, std::nullopt}});
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Pending);
  lists_.note(origin_, "no route to host", kToday);
  const RevocationFinding found = look_up(globex_);
  EXPECT_EQ(found.status, RevocationStatus::Unknown);
  EXPECT_THAT(found.reason, HasSubstr("no route to host"));
  const auto newer = account_of(globex_, {authority_.certificate});
  EXPECT_EQ(lists_.look_up(globex_, newer, kToday).status, RevocationStatus::Pending)
      << "nobody has looked yet what the new account needs";
}

TEST_F(RevocationListsTest, AListThatHasEndedIsWaitedForWhereItIsFetched) {
  put(authority_);  // until the 28th
  const Time end = moment("2026-11-28");
  const auto status = [&](std::chrono::seconds after) { return look_up(globex_, end + after).status; };
  EXPECT_EQ(status(std::chrono::seconds(1)), RevocationStatus::Unknown) << "nothing is fetched here";
  lists_.expect(account_, {{origin_, end}});
  EXPECT_EQ(status(kGrace - std::chrono::seconds(1)), RevocationStatus::Pending);
  EXPECT_EQ(status(kGrace), RevocationStatus::Unknown);
  lists_.expect(account_, {{origin_, end - std::chrono::seconds(1)}});
  EXPECT_EQ(status(std::chrono::hours(100)), RevocationStatus::Pending) << "nobody has asked since";
  lists_.note(origin_, "no route to host", end + std::chrono::hours(1));
  EXPECT_EQ(status(std::chrono::hours(100)), RevocationStatus::Unknown);
  lists_.expect(account_, {});
  EXPECT_EQ(status(std::chrono::seconds(1)), RevocationStatus::Unknown) << "it comes from nowhere";
}

TEST_F(RevocationListsTest, UntilItIsKnownWhatIsFetchedEverythingIsPending) {
  lists_.expect_fetching(moment("2026-12-24"));
  EXPECT_EQ(lists_.look_up(globex_, account_, kToday).status, RevocationStatus::Pending);
  put(authority_);
  lists_.expect(account_, {{origin_, moment("2026-12-24")}});
  EXPECT_EQ(look_up(globex_, moment("2026-12-24T00:14:59Z")).status, RevocationStatus::Pending)
      << "a start has the same time as a list's end";
  EXPECT_EQ(look_up(globex_, moment("2026-12-24T00:15:00Z")).status, RevocationStatus::Unknown);
}

TEST_F(RevocationListsTest, WhatIsSaidOfOneAddressIsNotSaidOfAnother) {
  const RevocationOrigin other{origin_.first, "http://crl.example/other.crl"};
  const auto initech = leaf("Initech", other.second);
  lists_.expect(account_, {{origin_, std::nullopt}, {other, std::nullopt}});
  lists_.note(other, "no such host", kToday);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Pending);
  EXPECT_THAT(look_up(initech).reason, HasSubstr("no such host"));
  lists_.note(origin_, "", kToday);
  EXPECT_THAT(look_up(initech).reason, HasSubstr("no such host"));
}

TEST_F(RevocationListsTest, CountsWhatFollowed) {
  using agreements::LookedUpUse;
  lists_.decided("trade", LookedUpUse::VerifyMessage, RevocationOutcome::Usable);
  lists_.decided("trade", LookedUpUse::VerifyMessage, RevocationOutcome::Usable);
  lists_.decided("trade", LookedUpUse::Encrypt, RevocationOutcome::Revoked);
  std::vector<std::uint64_t> counts;
  for (const auto& count : lists_.counts()) counts.push_back(count.count);
  EXPECT_THAT(counts, ElementsAre(2, 1));
}

TEST_F(RevocationListsTest, TellsWhichListsAnAccountNeedsAndHowItsCertificatesStand) {
  put(authority_);
  ASSERT_TRUE(lists_.reload());
  const auto wanted = wanted_lists(account_, lists_, kToday);
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].issuer, authority_.certificate);
  EXPECT_THAT(wanted[0].urls, ElementsAre("http://crl.example/authority.crl"));
  EXPECT_THAT(wanted[0].certificates, ElementsAre("globex"));
  EXPECT_EQ(wanted[0].until, moment("2026-11-28"));

  const auto standings = revocation_standings(account_, lists_, kToday);
  ASSERT_EQ(standings.size(), 1U);
  EXPECT_EQ(standings[0].status, RevocationStatus::NotRevoked);
  EXPECT_THAT(standings[0].agreements, ElementsAre("trade"));
  EXPECT_EQ(standings[0].until, moment("2026-11-28"));
  EXPECT_THAT(standings[0].reason, IsEmpty());
}

TEST_F(RevocationListsTest, AnAccountsAuthoritiesAreParsedOnce) {
  const certstore::Certificate* const parsed = account_->authorities().data();
  EXPECT_EQ(account_->authorities(), std::vector<certstore::Certificate>{authority_.certificate});
  put(authority_);
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::NotRevoked);
  put(authority_, {.number = 2, .revoked = {globex_}});
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Revoked);
  EXPECT_EQ(account_->authorities().data(), parsed);
}

// ---- Servers

TEST_F(RevocationListsTest, AServerIsLookedUpInTheListsOfThoseThatVouchForIt) {
  account_ = account_of(leaf("Other"), {});
  const TlsServer shown{globex_, {authority_.certificate, root_.certificate}};
  const auto look = [&] {
    EXPECT_TRUE(lists_.reload());
    return lists_.look_up_server(shown, "trade", account_, kToday);
  };
  EXPECT_EQ(look_up(globex_).status, RevocationStatus::Unknown) << "the account has no issuer";
  EXPECT_THAT(look().reason, HasSubstr("no revocation list of 'CN=Authority' is at hand"));
  put(authority_);
  EXPECT_THAT(look().reason, HasSubstr("no revocation list of 'CN=Root' is at hand"));
  put(root_);
  EXPECT_EQ(look().status, RevocationStatus::NotRevoked);
  const TlsServer pinned{globex_, {}};
  EXPECT_EQ(lists_.look_up_server(pinned, "trade", account_, kToday).status, RevocationStatus::Unknown);
  put(root_, {.number = 100, .revoked = {authority_.certificate}});
  EXPECT_EQ(look().status, RevocationStatus::Revoked);
  EXPECT_THAT(look().reason, HasSubstr("the authority's certificate 'CN=Authority'"));
}

TEST_F(RevocationListsTest, TheListsOfAServerAreWantedOnceItWasSeenWhileItsAgreementLooksServersUp) {
  const TlsServer shown{globex_, {authority_.certificate, root_.certificate}};
  const auto wanted = [&] {
    std::vector<std::string> all;
    for (const WantedList& one : wanted_lists(account_, lists_, kToday))
      all.push_back(one.issuer.subject() + " " + one.joined_urls());
    return all;
  };
  const auto looking = [](bool looks) {
    auto account = account_of(test::make_certificate({.common_name = "Own"}).certificate, {})->account();
    auto& validation = account.agreements.front().send_agreement.validation_settings;
    validation.check_certificate_revocation_list_on_send = looks;
    return AccountSnapshot::build(account, {}, {}).value();
  };
  account_ = looking(true);
  EXPECT_THAT(wanted(), IsEmpty());
  const std::uint64_t before = lists_.servers_generation();
  lists_.look_up_server(shown, "trade", account_, kToday);
  EXPECT_NE(lists_.servers_generation(), before);
  EXPECT_THAT(wanted(),
              testing::UnorderedElementsAre("CN=Authority http://crl.example/authority.crl", "CN=Root "));
  const std::uint64_t after = lists_.servers_generation();
  lists_.look_up_server(shown, "trade", account_, kToday);
  EXPECT_EQ(lists_.servers_generation(), after);
  account_ = looking(false);
  EXPECT_THAT(wanted(), IsEmpty());
}

TEST_F(RevocationListsTest, OfServersTheLastOnesAreRemembered) {
  for (std::size_t i = 0; i <= RevocationLists::kMostServers; ++i)
    lists_.look_up_server({leaf("Server " + std::to_string(i)), {}}, "trade", account_,
                          kToday + std::chrono::seconds(i));
  EXPECT_THAT(lists_.servers(), testing::SizeIs(RevocationLists::kMostServers));
  for (const RevocationLists::Server& one : lists_.servers())
    EXPECT_NE(one.shown.certificate.subject(), "CN=Server 0");
}

}  // namespace
}  // namespace signet::gateway
