#include "certstore/account/role_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signet::certstore {
namespace {

using testing::ElementsAre;

Time at(const char* text) { return parse_time(text).value(); }

std::vector<std::string> names(const Result<std::vector<CertificateChoice>>& choices) {
  std::vector<std::string> all;
  for (const CertificateChoice& choice : choices.value()) all.push_back(choice.certificate);
  return all;
}

// [checklist 45]
const std::vector<CertificateChoice> kRollover = {{"old", Time::min(), at("2026-03-01")},
                                                  {"new", at("2026-02-01"), std::nullopt}};

TEST(RoleSelection, BeforeTheOverlapOnlyTheOldOneCounts) {
  EXPECT_EQ(newest_active(kRollover, at("2026-01-31"))->certificate, "old");
  EXPECT_THAT(names(all_active(kRollover, at("2026-01-31"))), ElementsAre("old"));
}

TEST(RoleSelection, InTheOverlapTheNewOneSendsAndBothAreAccepted) {
  for (const char* time : {"2026-02-01", "2026-02-28T23:59:59Z"}) {
    EXPECT_EQ(newest_active(kRollover, at(time))->certificate, "new") << time;
    EXPECT_THAT(names(all_active(kRollover, at(time))), ElementsAre("new", "old")) << time;
  }
}

TEST(RoleSelection, AfterTheOverlapTheOldOneIsNotAccepted) {
  EXPECT_EQ(newest_active(kRollover, at("2026-03-01"))->certificate, "new");
  EXPECT_THAT(names(all_active(kRollover, at("2026-03-01"))), ElementsAre("new"));
}

TEST(RoleSelection, TheOrderInTheAgreementDoesNotMatterUnlessTheyBeganTogether) {
  const std::vector<CertificateChoice> reversed = {kRollover[1], kRollover[0]};
  EXPECT_EQ(newest_active(reversed, at("2026-02-15"))->certificate, "new");
  const std::vector<CertificateChoice> together = {{"first"}, {"second"}, {"third", at("2030-01-01")}};
  EXPECT_EQ(newest_active(together, at("2026-02-15"))->certificate, "second");
  EXPECT_THAT(names(all_active(together, at("2026-02-15"))), ElementsAre("second", "first"));
}

TEST(RoleSelection, WhenTheNewestHasEndedTheOneBeforeItServesAgain) {
  const std::vector<CertificateChoice> trial = {{"standing"}, {"trial", at("2026-02-01"), at("2026-02-08")}};
  EXPECT_EQ(newest_active(trial, at("2026-02-05"))->certificate, "trial");
  EXPECT_EQ(newest_active(trial, at("2026-02-08"))->certificate, "standing");
}

TEST(RoleSelection, NoneYetSaysWhenTheNextOneComes) {
  const std::vector<CertificateChoice> later = {{"later", at("2027-06-01")}, {"next", at("2027-01-01")}};
  const auto chosen = newest_active(later, at("2026-11-21"));
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(Error(chosen.error()).within("certificate role 'encrypt' of agreement 'X'").detail,
            "certificate role 'encrypt' of agreement 'X': none of its 2 certificates is active at "
            "2026-11-21T00:00:00.000Z; next becomes active 'next' at 2027-01-01T00:00:00.000Z");
  EXPECT_FALSE(all_active(later, at("2026-11-21")));
}

TEST(RoleSelection, NoneAnyMoreSaysSo) {
  const std::vector<CertificateChoice> over = {{"old", Time::min(), at("2026-03-01")},
                                               {"never", at("2028-01-01"), at("2027-01-01")}};
  const auto chosen = newest_active(over, at("2026-11-21"));
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().detail,
            "none of its 2 certificates is active at 2026-11-21T00:00:00.000Z, and none will be: name "
            "another in the "
            "agreement");
}

TEST(RoleSelection, NoneNamedSaysSo) {
  EXPECT_EQ(newest_active({}, at("2026-11-21")).error().detail,
            "no certificate is named for it: name one in the agreement");
  EXPECT_EQ(all_active({}, at("2026-11-21")).error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace signet::certstore
