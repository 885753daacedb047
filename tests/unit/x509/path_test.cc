#include "certstore/x509/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_authority.h"

namespace signet::certstore {
namespace {

using test::at;
using test::authority_profile;
using test::key_of;
using test::leaf_profile;
using test::TestAuthority;
using testing::HasSubstr;

PathQuestion question(const TestAuthority& authority) {
  PathQuestion question;
  question.anchors = {authority.certificate};
  question.lists = {authority.list()};
  question.time = at("2026-11-29");
  return question;
}

PathVerdict verdict(const Certificate& certificate, const PathQuestion& question) {
  return check_path(certificate, question).value();
}

CrlContents revoking(const Certificate& certificate) {
  CrlContents contents;
  contents.entries = {{certificate.serial(), at("2026-11-20"), RevocationReason::KeyCompromise}};
  return contents;
}

TEST(Path, LeadsToAnAnchor) {
  for (const char* kind : {"rsa:2048", "ec:P-256", "ec:P-384"}) {
    const TestAuthority authority(kind);
    const Certificate leaf = authority.issue();
    const PathVerdict good = verdict(leaf, question(authority));
    EXPECT_TRUE(good.trusted()) << good.text;
    EXPECT_EQ(good.path, (std::vector<Certificate>{leaf, authority.certificate}));
    EXPECT_EQ(good.text, "certificate 'CN=Press 4,O=Acme' is trusted through 'CN=Acme CA,O=Acme'");
    const PathVerdict foreign = verdict(leaf, question(TestAuthority(kind)));
    EXPECT_EQ(foreign.problem, PathProblem::NoAnchor);
    EXPECT_THAT(foreign.text, HasSubstr("neither trusted nor known"));
  }
}

TEST(Path, LeadsThroughIntermediates) {
  const TestAuthority root;
  const TestAuthority issuing = root.subordinate(authority_profile("CN=Issuing"));
  const Certificate leaf = issuing.issue();
  PathQuestion whole = question(root);
  EXPECT_EQ(verdict(leaf, whole).problem, PathProblem::NoAnchor);
  whole.intermediates = {issuing.certificate};
  EXPECT_EQ(verdict(leaf, whole).problem, PathProblem::RevocationUnknown);
  whole.lists.push_back(issuing.list());
  EXPECT_TRUE(verdict(leaf, whole).trusted()) << verdict(leaf, whole).text;
  EXPECT_EQ(verdict(leaf, whole).path.size(), 3U);
  // An anchor is trusted by decision: nobody asks who issued it, nor whether it was revoked.
  const PathVerdict shorter = verdict(leaf, question(issuing));
  EXPECT_TRUE(shorter.trusted()) << shorter.text;
  EXPECT_EQ(shorter.path.size(), 2U);
  whole.lists = {root.list(revoking(issuing.certificate)), issuing.list()};
  const PathVerdict revoked = verdict(leaf, whole);
  EXPECT_EQ(revoked.problem, PathProblem::Revoked);
  EXPECT_THAT(revoked.text, HasSubstr("certificate 'CN=Issuing'"));
  whole.revocation = RevocationCheck::HolderAlone;
  EXPECT_TRUE(verdict(leaf, whole).trusted());
}

TEST(Path, EndsWhereACertificateWasRevoked) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  PathQuestion asked = question(authority);
  asked.lists = {authority.list(revoking(leaf))};
  const PathVerdict revoked = verdict(leaf, asked);
  EXPECT_EQ(revoked.problem, PathProblem::Revoked);
  EXPECT_EQ(revoked.text, "certificate 'CN=Press 4,O=Acme', issued by 'CN=Acme CA,O=Acme', was revoked");
  EXPECT_TRUE(verdict(authority.issue(), asked).trusted());
  asked.revocation = RevocationCheck::None;
  EXPECT_TRUE(verdict(leaf, asked).trusted());
}

TEST(Path, NeedsAListThatCounts) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  const auto with = [&](std::vector<Crl> lists) {
    PathQuestion asked = question(authority);
    asked.lists = std::move(lists);
    return verdict(leaf, asked).problem;
  };
  EXPECT_EQ(with({}), PathProblem::RevocationUnknown);
  CrlContents old;
  old.this_update = at("2026-11-01");
  EXPECT_EQ(with({authority.list(old)}), PathProblem::ListOutdated);
  old.this_update = at("2026-12-01");
  EXPECT_EQ(with({authority.list(old)}), PathProblem::ListOutdated);
  // By the right name and the wrong key: as if it were not there, and no way to hide the true one.
  const TestAuthority impostor;
  EXPECT_EQ(with({impostor.list()}), PathProblem::RevocationUnknown);
  EXPECT_EQ(with({impostor.list(), authority.list(revoking(leaf))}), PathProblem::Revoked);
  EXPECT_EQ(with({impostor.list(revoking(leaf)), authority.list()}), PathProblem::None);
  EXPECT_EQ(with({authority.list(), TestAuthority("ec:P-256", authority_profile("CN=Other")).list()}),
            PathProblem::None);
}

TEST(Path, NeedsNoListOfAnAnchor) {
  const TestAuthority authority;
  PathQuestion asked = question(authority);
  asked.lists.clear();
  EXPECT_TRUE(verdict(authority.certificate, asked).trusted());
  // One that is trusted itself, and was issued by somebody, can have been revoked by him.
  const Certificate leaf = authority.issue();
  asked.anchors = {leaf};
  EXPECT_EQ(verdict(leaf, asked).problem, PathProblem::RevocationUnknown);
  asked.revocation = RevocationCheck::None;
  EXPECT_TRUE(verdict(leaf, asked).trusted());
}

TEST(Path, IsOfAMoment) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  PathQuestion asked = question(authority);
  asked.revocation = RevocationCheck::None;
  asked.time = leaf.not_after() + std::chrono::seconds(1);
  EXPECT_EQ(verdict(leaf, asked).problem, PathProblem::Expired);
  asked.time = leaf.not_before() - std::chrono::seconds(1);
  EXPECT_EQ(verdict(leaf, asked).problem, PathProblem::NotYetValid);
}

TEST(Path, IsForAPurpose) {
  const TestAuthority authority;
  CertificateProfile profile = leaf_profile();
  profile.extended_key_usages = {std::string(kClientAuthentication)};
  const Certificate leaf = authority.issue(profile);
  PathQuestion asked = question(authority);
  asked.purpose = PathPurpose::TlsClient;
  EXPECT_TRUE(verdict(leaf, asked).trusted());
  for (const auto purpose : {PathPurpose::TlsServer, PathPurpose::MailSigning, PathPurpose::MailEncryption}) {
    asked.purpose = purpose;
    EXPECT_EQ(verdict(leaf, asked).problem, PathProblem::Purpose);
  }
}

TEST(Path, EndsAtPoliciesThatNobodyAssures) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  PathQuestion asked = question(authority);
  asked.policies.require_explicit = true;
  EXPECT_EQ(verdict(leaf, asked).problem, PathProblem::Policy);
  asked.policies.acceptable = {"policy"};
  EXPECT_THAT(check_path(leaf, asked).error().detail, HasSubstr("no object identifier"));
}

TEST(Path, HasNoWeakKeyInIt) {
  const TestAuthority authority;
  const auto weak = signet::test::make_certificate(
      {.common_name = "Weak", .key = "rsa:1024", .subject_key_identifier = true});
  PathQuestion asked = question(authority);
  asked.revocation = RevocationCheck::None;
  asked.anchors = {weak.certificate};
  EXPECT_EQ(verdict(weak.certificate, asked).problem, PathProblem::WeakKey);
  const auto curve = signet::test::make_certificate(
      {.common_name = "Curve", .key = "ec:P-224", .subject_key_identifier = true});
  asked.anchors = {curve.certificate};
  EXPECT_EQ(verdict(curve.certificate, asked).problem, PathProblem::WeakKey);
}

TEST(Path, IsAskedForInBounds) {
  const TestAuthority authority;
  const Certificate leaf = authority.issue();
  PathQuestion asked = question(authority);
  asked.anchors.clear();
  EXPECT_EQ(check_path(leaf, asked).error().kind, ErrorKind::InvalidInput);
  asked = question(authority);
  asked.intermediates.assign(101, leaf);
  EXPECT_EQ(check_path(leaf, asked).error().kind, ErrorKind::LimitExceeded);
}

}  // namespace
}  // namespace signet::certstore
