#include "certstore/account/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/memory_certificate_store.h"
#include "tests/support/test_certificates.h"

namespace signet::certstore {
namespace {

using test::make_certificate;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FakeVault final : public KeyVaultLookup {
 public:
  Result<KeyHandle> public_key(const KeyReference& key) override {
    const auto found = keys.find(to_string(key));
    if (found != keys.end()) return found->second;
    return fail(ErrorKind::NotFound, "the vault has no such key");
  }
  std::map<std::string, KeyHandle> keys;
};

class FakeUsage final : public CertificateUsage {
 public:
  Result<std::vector<std::string>> users_of(std::string_view certificate) override {
    if (broken) return fail(ErrorKind::IoFailure, "the account cannot be read");
    return users[std::string(certificate)];
  }
  bool broken = false;
  std::map<std::string, std::vector<std::string>> users;
};

class AccountCertificates : public testing::Test {
 protected:
  Result<UploadOutcome> upload(std::string_view name, const Certificate& certificate,
                               const std::optional<KeyReference>& key = std::nullopt) {
    return account.upload(name, certificate.der(), key);
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    const auto listed = account.list().value();
    for (const StoredCertificate& one : listed) all.push_back(one.name);
    return all;
  }

  const KeyReference reference{"vault1", "as2-key", ""};
  const test::CertificateSpec partner_spec{.common_name = "Partner", .key = "ec:P-256"};
  const PrivateCertificate partner = make_certificate(partner_spec);
  const PrivateCertificate ours = make_certificate({.common_name = "Ours", .key = "ec:P-384"});

  test::MemoryCertificateStore store;
  FakeVault vault;
  FakeUsage usage;
  FixedClock clock{parse_time("2026-11-21T12:00:00Z").value()};
  IntegrationAccountCertificates account{store, vault, usage, clock};
};

TEST_F(AccountCertificates, APublicOneIsTakenInAndFound) {
  const auto outcome = upload("globex-2026", partner.certificate);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_EQ(outcome->change, UploadChange::Created);
  EXPECT_THAT(outcome->warnings, IsEmpty());
  const auto found = account.find("globex-2026");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->certificate, partner.certificate);
  EXPECT_FALSE(found->is_private());
  EXPECT_EQ(found->created, clock.now());
  EXPECT_EQ(found->changed, clock.now());
}

TEST_F(AccountCertificates, PemAndMetadataAreTaken) {
  const auto outcome =
      account.upload("p", as_bytes(partner.certificate.pem()), std::nullopt, R"({"owner":"edi"})");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(account.find("p")->metadata, R"({"owner":"edi"})");
}

TEST_F(AccountCertificates, APrivateOneIsTakenWhenTheVaultHasItsKey) {
  vault.keys["vault1/as2-key"] = ours.key;
  const auto outcome = upload("ours", ours.certificate, reference);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->stored.is_private());
  EXPECT_EQ(account.find("ours")->key, reference);
}

TEST_F(AccountCertificates, APrivateOneOfAnotherKeyIsRefusedWithBothThumbprints) {
  vault.keys["vault1/as2-key"] = partner.key;
  const auto outcome = upload("ours", ours.certificate, reference);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::CryptoFailure);
  EXPECT_THAT(
      outcome.error().detail,
      AllOf(HasSubstr("uploading certificate 'ours'"), HasSubstr(ours.certificate.thumbprint_sha256()),
            HasSubstr(key_thumbprint(ours.key.native())), HasSubstr(key_thumbprint(partner.key.native())),
            HasSubstr("vault1/as2-key"), HasSubstr("upload the certificate that was issued for this key")));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(AccountCertificates, TheVersionOfTheKeyCounts) {
  vault.keys["vault1/as2-key/v1"] = ours.key;
  vault.keys["vault1/as2-key/v2"] = partner.key;
  EXPECT_TRUE(upload("ours", ours.certificate, KeyReference{"vault1", "as2-key", "v1"}));
  EXPECT_FALSE(upload("ours", ours.certificate, KeyReference{"vault1", "as2-key", "v2"}));
  const auto missing = upload("ours", ours.certificate, KeyReference{"vault1", "as2-key", "v3"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(missing.error().detail,
            "uploading certificate 'ours': its key 'vault1/as2-key/v3': the vault has no such key");
}

TEST_F(AccountCertificates, AKeyReferenceThatLacksANameIsRefused) {
  for (const KeyReference& key : {KeyReference{"", "as2-key", ""}, KeyReference{"vault1", "", ""}}) {
    const auto outcome = upload("ours", ours.certificate, key);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::InvalidInput);
  }
}

TEST_F(AccountCertificates, WeakKeysAreRefused) {
  for (const char* key : {"rsa:1024", "ec:P-224", "ec:secp256k1"}) {
    const auto outcome = upload("weak", make_certificate({.key = key}).certificate);
    ASSERT_FALSE(outcome) << key;
    EXPECT_EQ(outcome.error().kind, ErrorKind::Unsupported);
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(AccountCertificates, WhatIsNoCertificateIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("hello"), partner.certificate.pem() + ours.certificate.pem(),
        test::private_key_pem(ours.key)}) {
    const auto outcome = account.upload("x", as_bytes(text), std::nullopt);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::InvalidInput);
  }
  const Bytes& der = partner.certificate.der();
  EXPECT_FALSE(account.upload("x", ByteView(der).first(der.size() - 1), std::nullopt));
}

// [checklist 46] Expiry is named, never silent, and never in the way of putting a certificate in.
TEST_F(AccountCertificates, ExpiryAndKeyUsageAreWarnedOfButAccepted) {
  const auto warnings = [this](const test::CertificateSpec& spec) {
    std::vector<CertificateProblem> found;
    const UploadOutcome outcome = upload("c", make_certificate(spec).certificate).value();
    for (const Finding& finding : outcome.warnings) found.push_back(finding.problem);
    return found;
  };
  EXPECT_THAT(warnings({.key = "ec:P-256", .not_after = "2026-12-01"}),
              ElementsAre(CertificateProblem::ExpiresSoon));
  EXPECT_THAT(warnings({.key = "ec:P-256", .not_after = "2026-11-01"}),
              ElementsAre(CertificateProblem::Expired));
  EXPECT_THAT(warnings({.key = "ec:P-256", .not_before = "2027-01-01"}),
              ElementsAre(CertificateProblem::NotYetValid));
  EXPECT_THAT(warnings({.key = "ec:P-256", .key_usage = "digitalSignature"}),
              ElementsAre(CertificateProblem::KeyUsage));
  EXPECT_THAT(warnings({.key = "ec:P-256", .key_usage = "keyCertSign"}),
              ElementsAre(CertificateProblem::KeyUsage, CertificateProblem::KeyUsage));
  EXPECT_THAT(warnings({.key = "ec:P-256", .key_usage = "digitalSignature,keyAgreement"}), IsEmpty());
}

TEST_F(AccountCertificates, TheSameAgainChangesNothing) {
  ASSERT_TRUE(upload("p", partner.certificate));
  const Time first = clock.now();
  clock.set(first + std::chrono::hours(1));
  const auto again = account.upload("p", as_bytes(partner.certificate.pem()), std::nullopt);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->change, UploadChange::Unchanged);
  EXPECT_EQ(again->stored.changed, first);
  EXPECT_EQ(account.find("p")->changed, first);
}

TEST_F(AccountCertificates, AnotherUnderTheSameNameReplacesIt) {
  ASSERT_TRUE(upload("p", partner.certificate));
  const Time first = clock.now();
  clock.set(first + std::chrono::hours(1));
  const auto outcome = upload("p", ours.certificate);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->change, UploadChange::Replaced);
  EXPECT_EQ(account.find("p")->certificate, ours.certificate);
  EXPECT_EQ(account.find("p")->created, first);
  EXPECT_EQ(account.find("p")->changed, clock.now());
  EXPECT_THAT(names(), ElementsAre("p"));
}

TEST_F(AccountCertificates, OneInUseIsReplacedOnlyWhereThatIsAskedFor) {
  ASSERT_TRUE(upload("p", partner.certificate));
  usage.users["p"] = {"agreement 'acme-globex'"};
  EXPECT_TRUE(upload("p", partner.certificate)) << "the same again";
  const auto refused = upload("p", ours.certificate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(refused.error().detail,
              AllOf(HasSubstr("agreement 'acme-globex'"), HasSubstr(partner.certificate.thumbprint_sha1()),
                    HasSubstr("--replace")));
  EXPECT_EQ(account.find("p")->certificate, partner.certificate);

  const auto outcome = account.upload("p", ours.certificate.der(), std::nullopt, {}, WhenInUse::Replace);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_EQ(outcome->change, UploadChange::Replaced);
  EXPECT_EQ(outcome->replaced, partner.certificate);
  EXPECT_THAT(outcome->users, ElementsAre("agreement 'acme-globex'"));
  EXPECT_EQ(account.find("p")->certificate, ours.certificate);
}

TEST_F(AccountCertificates, WhatIsInUseIsNotReplacedWhenNobodyCanTell) {
  ASSERT_TRUE(upload("p", partner.certificate));
  usage.broken = true;
  EXPECT_EQ(upload("p", ours.certificate).error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(account.remove("p").error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(account.find("p")->certificate, partner.certificate);
}

TEST_F(AccountCertificates, ARefusedReplacementLeavesTheOldOne) {
  ASSERT_TRUE(upload("p", partner.certificate));
  EXPECT_FALSE(upload("p", make_certificate({.key = "rsa:1024"}).certificate));
  EXPECT_FALSE(upload("p", ours.certificate, reference));
  EXPECT_EQ(account.find("p")->certificate, partner.certificate);
}

TEST_F(AccountCertificates, OneThatAgreementsNameKeepsItsKey) {
  vault.keys["vault1/as2-key"] = ours.key;
  ASSERT_TRUE(upload("ours", ours.certificate, reference));
  usage.users["ours"] = {"agreement 'acme-globex'"};
  for (const WhenInUse when : {WhenInUse::Refuse, WhenInUse::Replace}) {
    const auto outcome = account.upload("ours", ours.certificate.der(), std::nullopt, {}, when);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::AlreadyExists);
    EXPECT_THAT(outcome.error().detail, AllOf(HasSubstr("'acme-globex'"), HasSubstr("vault1/as2-key")));
  }
  usage.users.clear();
  EXPECT_TRUE(upload("ours", ours.certificate));
}

TEST_F(AccountCertificates, RemovingOneThatAgreementsNameIsRefusedAndNamesThem) {
  ASSERT_TRUE(upload("p", partner.certificate));
  usage.users["p"] = {"agreement 'acme-globex'", "tls-certificate in serve.toml"};
  const auto removed = account.remove("p");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(removed.error().detail,
            "certificate 'p' is named by agreement 'acme-globex', tls-certificate in serve.toml: take it out "
            "there first");
  EXPECT_THAT(names(), ElementsAre("p"));
}

TEST_F(AccountCertificates, RemovingOneThatNobodyNamesRemovesIt) {
  ASSERT_TRUE(upload("p", partner.certificate));
  EXPECT_TRUE(account.remove("p"));
  EXPECT_THAT(names(), IsEmpty());
  const auto again = account.remove("p");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::NotFound);
}

TEST_F(AccountCertificates, FindingWhatIsNotThereSaysItsName) {
  const auto found = account.find("nobody\n");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(found.error().detail, HasSubstr("'nobody\\x0a'"));
}

TEST_F(AccountCertificates, NamesThatDifferInCaseOnlyAreRefused) {
  ASSERT_TRUE(upload("Globex", partner.certificate));
  const auto outcome = upload("globex", ours.certificate);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(outcome.error().detail, HasSubstr("'Globex'"));
}

TEST_F(AccountCertificates, AStoreThatFailsIsReported) {
  store.broken = true;
  EXPECT_EQ(upload("p", partner.certificate).error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(account.find("p").error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(account.list().error().kind, ErrorKind::IoFailure);
  EXPECT_EQ(account.remove("p").error().kind, ErrorKind::IoFailure);
}

TEST(CertificateName, FollowsAzuresRule) {
  const std::string longest(80, 'a');
  for (const std::string_view name : {std::string_view("a"), std::string_view("Globex_2026-11.(new)"),
                                      std::string_view("."), std::string_view(longest)})
    EXPECT_TRUE(check_certificate_name(name)) << name;
  const std::string too_long(81, 'a');
  for (const std::string_view name :
       {std::string_view(""), std::string_view(too_long), std::string_view("a b"), std::string_view("a/b"),
        std::string_view("a\nb"), std::string_view("ä"), std::string_view("a\0b", 3),
        std::string_view("a:b")}) {
    const auto checked = check_certificate_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().kind, ErrorKind::InvalidInput);
    EXPECT_EQ(checked.error().detail.find('\n'), std::string::npos);
  }
}

TEST_F(AccountCertificates, ABadNameIsRefusedBeforeAnythingElse) {
  const auto outcome = upload("../x", partner.certificate);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().detail, HasSubstr("'../x' is no name for a certificate"));
}

TEST(KeyReferences, AreShownAsAPath) {
  EXPECT_EQ(to_string(KeyReference{"v", "k", ""}), "v/k");
  EXPECT_EQ(to_string(KeyReference{"v", "k", "1"}), "v/k/1");
}

}  // namespace
}  // namespace signet::certstore
