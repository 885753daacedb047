#include "gateway/store/account_store.h"

#include <gmock/gmock.h>

#include "agreements/xml.h"
#include "gateway/store/certificate_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using agreements::Account;
using agreements::CertificateEntry;
using certstore::StoredCertificate;
using testing::ElementsAre;

class AccountStoreTest : public StoreTest {
 protected:
  static CertificateEntry entry(const std::string& name, const certstore::Certificate& certificate) {
    CertificateEntry entry;
    entry.name = name;
    entry.public_certificate = certificate.der();
    return entry;
  }

  std::shared_ptr<Database> database_ = open()->database();
  FixedClock clock_{kNoon};
  SqliteAccountStore accounts_{database_, clock_};
  SqliteCertificateStore certificates_{database_};
  const certstore::Certificate one_ =
      test::make_certificate({.common_name = "One", .key = "ec:P-256"}).certificate;
  const certstore::Certificate two_ =
      test::make_certificate({.common_name = "Two", .key = "ec:P-256"}).certificate;
};

TEST_F(AccountStoreTest, BeginsWithAnEmptyAccountOfGenerationZero) {
  const auto stored = accounts_.load();
  ASSERT_TRUE(stored) << stored.error().detail;
  EXPECT_EQ(stored->account, Account());
  EXPECT_EQ(stored->generation, 0U);
}

TEST_F(AccountStoreTest, GivesTheSameAccountBackAcrossAReopening) {
  Account account;
  account.partners.push_back(
      {"Acme", agreements::PartnerType::B2B, {{"AS2Identity", "Acme"}}, {{"note", "ours"}}});
  account.partners.push_back({"Globex", agreements::PartnerType::B2B, {{"AS2Identity", "Globex"}}, {}});
  account.certificates = {entry("z", one_), entry("a", two_)};
  account.certificates[0].key = agreements::KeyReference{"vault", "signing", ""};
  account.certificates[1].metadata = {{"b", "2"}, {"a", "1 \" \\ \n"}};
  EXPECT_EQ(accounts_.replace(account, 0).value(), 1U);
  SqliteAccountStore again(open()->database(), clock_);
  const auto stored = again.load();
  ASSERT_TRUE(stored) << stored.error().detail;
  EXPECT_EQ(stored->account, account);
  EXPECT_EQ(stored->generation, 1U);
  EXPECT_EQ(agreements::write_account(stored->account), agreements::write_account(account));
}

TEST_F(AccountStoreTest, RefusesAChangeToAnAccountThatSomebodyElseChanged) {
  Account account;
  account.partners.push_back({"Acme", agreements::PartnerType::B2B, {{"AS2Identity", "Acme"}}, {}});
  ASSERT_TRUE(accounts_.replace(account, 0));
  EXPECT_EQ(accounts_.replace(Account(), 0).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(accounts_.replace(Account(), 7).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(accounts_.load()->account, account);
  ASSERT_TRUE(certificates_.put({"added alone", one_, std::nullopt, kNoon, kNoon}));
  EXPECT_EQ(accounts_.replace(Account(), 1).error().kind, ErrorKind::AlreadyExists);
  EXPECT_TRUE(accounts_.replace(Account(), 2));
  EXPECT_TRUE(certificates_.list()->empty());
}

TEST_F(AccountStoreTest, KeepsWhenEntriesWereMadeAndChanged) {
  using agreements::EntryKind;
  Account account;
  account.partners = {{"Acme", agreements::PartnerType::B2B, {}, {}},
                      {"Globex", agreements::PartnerType::B2B, {}, {}}};
  account.certificates = {entry("one", one_)};
  ASSERT_TRUE(accounts_.replace(account, 0));
  clock_.set(kNoon + std::chrono::hours(1));
  account.partners[1].metadata = {{"note", "new"}};
  account.partners.push_back({"Initech", agreements::PartnerType::B2B, {}, {}});
  ASSERT_TRUE(accounts_.replace(account, 1));
  auto times = accounts_.times(EntryKind::Partner).value();
  ASSERT_EQ(times.size(), 3U);
  EXPECT_EQ(times.at("Acme").changed, kNoon);
  EXPECT_EQ(times.at("Globex").created, kNoon);
  EXPECT_EQ(times.at("Globex").changed, kNoon + std::chrono::hours(1));
  EXPECT_EQ(times.at("Initech").created, kNoon + std::chrono::hours(1));
  EXPECT_EQ(accounts_.times(EntryKind::Certificate)->at("one").created, kNoon);
  EXPECT_TRUE(accounts_.times(EntryKind::Agreement)->empty());
  account.partners.clear();
  ASSERT_TRUE(accounts_.replace(account, 2));
  EXPECT_TRUE(accounts_.times(EntryKind::Partner)->empty());
}

TEST_F(AccountStoreTest, ShowsOneSetOfCertificatesThroughBothInterfaces) {
  const certstore::KeyReference key{"vault", "signing", std::string(32, 'a')};
  ASSERT_TRUE(certificates_.put({"ours", one_, key, kNoon, kNoon, R"({"owner":"EDI team","level":3})"}));
  const auto stored = accounts_.load();
  ASSERT_EQ(stored->account.certificates.size(), 1U);
  const CertificateEntry& seen = stored->account.certificates[0];
  EXPECT_EQ(seen.name, "ours");
  EXPECT_EQ(seen.public_certificate, one_.der());
  EXPECT_EQ(seen.key, (agreements::KeyReference{"vault", "signing", std::string(32, 'a')}));
  EXPECT_EQ(seen.metadata, (agreements::Metadata{{"owner", "EDI team"}, {"level", "3"}}));

  Account account = stored->account;
  account.certificates.push_back(entry("theirs", two_));
  clock_.set(kNoon + std::chrono::hours(1));
  ASSERT_TRUE(accounts_.replace(account, stored->generation));
  const auto ours = certificates_.get("ours").value();
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->certificate, one_);
  EXPECT_EQ(ours->key, key);
  EXPECT_EQ(ours->changed, kNoon);
  EXPECT_EQ(ours->metadata, R"({"owner":"EDI team","level":3})");
  EXPECT_EQ(certificates_.get("theirs").value()->created, kNoon + std::chrono::hours(1));

  account.certificates[0].public_certificate = two_.der();
  clock_.set(kNoon + std::chrono::hours(2));
  ASSERT_TRUE(accounts_.replace(account, stored->generation + 1));
  EXPECT_EQ(certificates_.get("ours").value()->created, kNoon);
  EXPECT_EQ(certificates_.get("ours").value()->changed, kNoon + std::chrono::hours(2));
  EXPECT_EQ(certificates_.get("theirs").value()->changed, kNoon + std::chrono::hours(1));
}

TEST_F(AccountStoreTest, PutsGetsListsAndRemovesCertificates) {
  ASSERT_TRUE(certificates_.put({"b", one_, std::nullopt, kNoon, kNoon}));
  ASSERT_TRUE(certificates_.put({"a", one_, std::nullopt, kNoon, kNoon, "not JSON"}));
  ASSERT_TRUE(certificates_.put({"b", two_, std::nullopt, kNoon, kNoon + std::chrono::hours(1)}));
  std::vector<std::string> names;
  const auto all = certificates_.list().value();
  for (const StoredCertificate& certificate : all) names.push_back(certificate.name);
  EXPECT_THAT(names, ElementsAre("a", "b"));
  EXPECT_EQ(certificates_.get("b").value()->certificate, two_);
  EXPECT_FALSE(certificates_.get("b").value()->is_private());
  EXPECT_EQ(certificates_.get("a").value()->metadata, "not JSON");
  EXPECT_FALSE(certificates_.get("A").value());
  EXPECT_FALSE(certificates_.remove("' OR 1=1 --").value());
  EXPECT_TRUE(certificates_.remove("a").value());
  EXPECT_FALSE(certificates_.remove("a").value());
  EXPECT_EQ(certificates_.list()->size(), 1U);
}

TEST_F(AccountStoreTest, EveryChangeMovesTheGenerationAndNothingElseDoes) {
  const auto store = open();
  const auto generation = [&] { return store->generation().value(); };
  const std::uint64_t start = generation();
  ASSERT_TRUE(certificates_.put({"a", one_, std::nullopt, kNoon, kNoon}));
  EXPECT_EQ(generation(), start + 1);
  ASSERT_TRUE(certificates_.remove("unknown"));
  EXPECT_EQ(generation(), start + 1);
  ASSERT_TRUE(certificates_.remove("a"));
  EXPECT_EQ(generation(), start + 2);
  ASSERT_TRUE(accounts_.replace(Account(), 2));
  EXPECT_EQ(generation(), start + 3);
  EXPECT_FALSE(accounts_.replace(Account(), 2));
  EXPECT_EQ(generation(), start + 3);
}

}  // namespace
}  // namespace signet::gateway
