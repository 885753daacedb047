#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "certstore/x509/ocsp.h"
#include "certstore/x509/path.h"
#include "tests/interop/peer_process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_authority.h"

/// Certificates, revocation lists and OCSP answers that we made, before OpenSSL's programs and Java's PKIX.

namespace signet::certstore {
namespace {

namespace fs = std::filesystem;
using interop::PeerProcess;
using test::at;
using test::authority_profile;
using test::key_of;
using test::leaf_profile;
using test::TestAuthority;
using testing::HasSubstr;

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// A case for every judge.
struct Case {
  std::string name;
  Certificate leaf;
  std::optional<Certificate> intermediate;
  Certificate anchor;
  std::vector<Crl> lists;
  PathProblem expected = PathProblem::None;
  Time time = at("2026-11-29T12:00:00Z");
};

CrlContents revoking(const Certificate& certificate) {
  CrlContents contents;
  contents.entries = {{certificate.serial(), at("2026-11-20"), RevocationReason::KeyCompromise}};
  return contents;
}

std::vector<Case> cases(const std::string& kind) {
  const TestAuthority root(kind);
  const TestAuthority impostor(kind);  // the same name, another key
  const TestAuthority issuing = root.subordinate(authority_profile("CN=Acme Issuing CA"));
  const Certificate leaf = root.issue();
  const Certificate below = issuing.issue();
  CrlContents old;
  old.this_update = at("2026-11-01");
  Case expired{"expired", leaf, {}, root.certificate, {root.list()}, PathProblem::Expired};
  expired.time = leaf.not_after() + std::chrono::hours(24);
  CrlContents then;
  then.this_update = leaf.not_after();
  expired.lists = {root.list(then)};
  return {
      {"good", leaf, {}, root.certificate, {root.list()}},
      {"good-others-revoked", leaf, {}, root.certificate, {root.list(revoking(root.issue()))}},
      {"good-two-levels", below, issuing.certificate, root.certificate, {root.list(), issuing.list()}},
      {"revoked", leaf, {}, root.certificate, {root.list(revoking(leaf))}, PathProblem::Revoked},
      {"revoked-issuer",
       below,
       issuing.certificate,
       root.certificate,
       {root.list(revoking(issuing.certificate)), issuing.list()},
       PathProblem::Revoked},
      expired,
      {"foreign", leaf, {}, impostor.certificate, {root.list()}, PathProblem::NoAnchor},
      {"no-list", leaf, {}, root.certificate, {}, PathProblem::RevocationUnknown},
      {"stale-list", leaf, {}, root.certificate, {root.list(old)}, PathProblem::ListOutdated},
      {"forged-list", leaf, {}, root.certificate, {impostor.list()}, PathProblem::RevocationUnknown},
  };
}

PathVerdict ours(const Case& one) {
  PathQuestion question;
  question.anchors = {one.anchor};
  if (one.intermediate) question.intermediates = {*one.intermediate};
  question.lists = one.lists;
  question.time = one.time;
  return check_path(one.leaf, question).value();
}

void write_case(const Case& one, const fs::path& folder) {
  fs::create_directories(folder);
  write(folder / "leaf.pem", one.leaf.pem());
  write(folder / "anchor.pem", one.anchor.pem());
  if (one.intermediate) write(folder / "intermediate.pem", one.intermediate->pem());
  std::string lists;
  for (const Crl& list : one.lists) lists += list.pem();
  if (!lists.empty()) write(folder / "list.crl", lists);
  write(folder / "time", std::to_string(std::chrono::system_clock::to_time_t(one.time)));
}

/// What `openssl verify` says: whether it takes it, and its words.
bool openssl_accepts(const Case& one, const fs::path& folder) {
  std::vector<std::string> command{
      "openssl",      "verify",
      "-x509_strict", "-crl_check_all",
      "-attime",      std::to_string(std::chrono::system_clock::to_time_t(one.time)),
      "-CAfile",      folder / "anchor.pem"};
  if (one.intermediate) command.insert(command.end(), {"-untrusted", folder / "intermediate.pem"});
  if (!one.lists.empty()) command.insert(command.end(), {"-CRLfile", folder / "list.crl"});
  command.push_back(folder / "leaf.pem");
  PeerProcess process(command);
  process.close_input();
  return process.wait() == 0;
}

class Pkix : public testing::TestWithParam<const char*> {};

TEST_P(Pkix, OpensslJavaAndWeAgree) {
  const signet::test::TemporaryFolder folder;
  const std::vector<Case> all = cases(GetParam());
  std::vector<std::string> java{"java", SIGNET_SOURCE_DIR "/tests/interop/pkix/Pkix.java"};
  for (const Case& one : all) {
    write_case(one, folder.path() / one.name);
    java.push_back(folder.path() / one.name);
  }
  PeerProcess pkix(java);
  pkix.close_input();
  for (const Case& one : all) {
    SCOPED_TRACE(one.name);
    const bool good = one.expected == PathProblem::None;
    const PathVerdict verdict = ours(one);
    EXPECT_EQ(verdict.problem, one.expected) << verdict.text;
    EXPECT_EQ(openssl_accepts(one, folder.path() / one.name), good);
    const std::string java_says = pkix.read_line();
    EXPECT_EQ(java_says.substr(0, java_says.find('\t')), good ? "accept" : "reject") << java_says;
  }
  EXPECT_EQ(pkix.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(Keys, Pkix, testing::Values("rsa:2048", "ec:P-256"),
                         [](const auto& parameter) { return std::string(parameter.param).substr(0, 2); });

/// The lines that a program writes before it ends.
std::vector<std::string> lines_of(const std::vector<std::string>& command) {
  // Half of openssl's words are errors by its own lights.
  std::string shell;
  for (const std::string& word : command) shell += "'" + word + "' ";
  PeerProcess process({"sh", "-c", shell + "2>&1"});
  process.close_input();
  std::vector<std::string> lines;
  for (std::string line = process.read_line(); !line.starts_with("error\t"); line = process.read_line())
    lines.push_back(line);
  return lines;
}

/// OpenSSL's program goes by the machine's clock, so everything is made around it.
struct OcspTest : testing::Test {
  const Time now = SystemClock().now();
  const TestAuthority authority{"ec:P-256", around_now(authority_profile())};
  const SigningKey key = key_of("ec:P-256");
  const Certificate leaf = authority.issue(around_now(leaf_profile()), key);
  signet::test::TemporaryFolder folder;

  [[nodiscard]] CertificateProfile around_now(CertificateProfile profile) const {
    profile.not_before =
        now - std::chrono::hours(24 * (profile.basic_constraints.certificate_authority ? 2 : 1));
    profile.not_after =
        now + std::chrono::hours(24 * (profile.basic_constraints.certificate_authority ? 2 : 1));
    return profile;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder.path() / name; }

  void SetUp() override {
    write(file("issuer.pem"), authority.certificate.pem());
    write(file("issuer.key"), signet::test::private_key_pem(authority.key.key));
    write(file("leaf.pem"), leaf.pem());
  }
  /// Our answer to the request in the file, in another one.
  void answer(const TestAuthority& responder, CertificateStatus status) {
    const OcspRequest request = OcspRequest::parse(read_file(file("request")).value()).value();
    ASSERT_TRUE(request.wanted.at(0).is_of(authority.certificate));
    EXPECT_EQ(request.wanted.at(0).serial, leaf.serial());
    EXPECT_FALSE(request.nonce.empty());
    OcspContents contents;
    contents.answers = {
        {request.wanted[0], status, now - std::chrono::hours(1), RevocationReason::KeyCompromise}};
    contents.produced_at = now;
    contents.this_update = now - std::chrono::minutes(1);
    contents.next_update = now + std::chrono::hours(1);
    contents.nonce = request.nonce;
    const Bytes made = make_ocsp_response(responder.key, responder.certificate, contents).value();
    write(file("response"), std::string(as_text(made)));
  }
  [[nodiscard]] std::string openssl_reads() const {
    std::string text;
    for (const std::string& line :
         lines_of({"openssl", "ocsp", "-issuer", file("issuer.pem"), "-cert", file("leaf.pem"), "-no_nonce",
                   "-reqin", file("request"), "-respin", file("response"), "-CAfile", file("issuer.pem")}))
      text += line + "\n";
    return text;
  }
};

TEST_F(OcspTest, OpensslsClientTakesOurAnswers) {
  lines_of({"openssl", "ocsp", "-issuer", file("issuer.pem"), "-cert", file("leaf.pem"), "-nonce", "-reqout",
            file("request")});
  CertificateProfile profile = around_now(leaf_profile("CN=Acme OCSP"));
  profile.extended_key_usages = {std::string(kOcspSigning)};
  SigningKey delegates_key = key_of("ec:P-256");
  IssuingTerms terms;
  terms.ocsp_no_check = true;
  const Certificate delegate =
      issue_certificate(authority.key, authority.certificate, delegates_key.public_key, profile, terms)
          .value();
  for (const TestAuthority& responder : {authority, TestAuthority(delegates_key, delegate)}) {
    for (const auto status :
         {CertificateStatus::Good, CertificateStatus::Revoked, CertificateStatus::Unknown}) {
      answer(responder, status);
      const std::string said = openssl_reads();
      EXPECT_THAT(said, HasSubstr("Response verify OK"));
      EXPECT_THAT(said, HasSubstr("leaf.pem: " + std::string(to_string(status))));
      EXPECT_THAT(said, testing::Not(HasSubstr("WARNING"))) << "status, nonce and times are in order";
      if (status == CertificateStatus::Revoked) {
        EXPECT_THAT(said, HasSubstr("Reason: keyCompromise"));
      }
    }
  }
  const TestAuthority impostor("ec:P-256", around_now(authority_profile()));
  answer(impostor, CertificateStatus::Good);
  EXPECT_THAT(openssl_reads(), HasSubstr("Response Verify Failure"));
}

TEST_F(OcspTest, OpensslsResponderAnswersUs) {
  const Bytes nonce(16, 9);
  const Bytes request = make_ocsp_request(leaf, authority.certificate, nonce).value();
  write(file("request"), std::string(as_text(request)));
  const auto ask = [&](const std::string& index) {
    write(file("index"), index);
    lines_of({"openssl", "ocsp", "-index", file("index"), "-CA", file("issuer.pem"), "-rsigner",
              file("issuer.pem"), "-rkey", file("issuer.key"), "-reqin", file("request"), "-respout",
              file("response"), "-ndays", "1"});
    return read_ocsp_response(read_file(file("response")).value(), leaf, authority.certificate, nonce, now);
  };
  const auto good = ask("V\t491231000000Z\t\t" + leaf.serial() + "\tunknown\t/CN=Press 4\n");
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->status, CertificateStatus::Good);
  EXPECT_TRUE(good->fresh);
  const auto revoked =
      ask("R\t491231000000Z\t261120100000Z,superseded\t" + leaf.serial() + "\tunknown\t/CN=Press 4\n");
  ASSERT_TRUE(revoked) << revoked.error().detail;
  EXPECT_EQ(revoked->status, CertificateStatus::Revoked);
  EXPECT_EQ(revoked->reason, RevocationReason::Superseded);
  EXPECT_EQ(revoked->revoked, at("2026-11-20T10:00:00Z"));
  const auto unknown = ask("V\t491231000000Z\t\t01\tunknown\t/CN=Other\n");
  ASSERT_TRUE(unknown) << unknown.error().detail;
  EXPECT_EQ(unknown->status, CertificateStatus::Unknown);
}

TEST_F(OcspTest, OpensslTakesOurListsAndReadsOurRequests) {
  CrlContents contents = revoking(leaf);
  contents.this_update = now - std::chrono::hours(1);
  contents.number = 4711;
  write(file("list"), authority.list(contents).pem());
  EXPECT_THAT(lines_of({"openssl", "crl", "-in", file("list"), "-noout", "-CAfile", file("issuer.pem")}),
              testing::Contains("verify OK"));
  const std::vector<std::string> text = lines_of({"openssl", "crl", "-in", file("list"), "-noout", "-text"});
  EXPECT_THAT(text, testing::Contains(HasSubstr("4711")));
  EXPECT_THAT(text, testing::Contains(HasSubstr("Key Compromise")));
}

}  // namespace
}  // namespace signet::certstore
