#include "certstore/x509/ocsp.h"

#include <fmt/format.h>

#include "certstore/authority/ocsp_cache_internal.h"
#include "tests/unit/authority/authority_fixture.h"

/// What the service's OCSP responder says, and what it spends on it.

namespace signet::authority {
namespace {

using certstore::OcspRefusal;

class Ocsp : public AuthorityTest {
 protected:
  PublishedOcsp answer(const Certificate& certificate, const Certificate& issuer, ByteView nonce = {}) {
    return valued(
        service_.answer_ocsp(valued(certstore::make_ocsp_request(certificate, issuer, nonce)), "192.0.2.1"));
  }
  Bytes ask(const Certificate& certificate, const Certificate& issuer, ByteView nonce = {}) {
    return answer(certificate, issuer, nonce).der;
  }
  certstore::OcspStatus said(const Certificate& certificate, const Certificate& issuer) {
    return valued(
        certstore::read_ocsp_response(ask(certificate, issuer), certificate, issuer, {}, clock_.now()));
  }
};

TEST_F(Ocsp, SaysWhatTheListSays) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  const Certificate& certificate = *request.certificate;
  EXPECT_EQ(said(certificate, issuer.certificate).status, certstore::CertificateStatus::Good);
  valued(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise));
  const auto revoked = said(certificate, issuer.certificate);
  EXPECT_EQ(revoked.status, certstore::CertificateStatus::Revoked);
  EXPECT_EQ(revoked.reason, RevocationReason::KeyCompromise);
  EXPECT_EQ(revoked.revoked, clock_.now());
}

TEST_F(Ocsp, KnowsIssuersThatWereRenewed) {
  const IssuerVersion old = found_group();
  const Request request = issued(approved());
  valued(service_.create_issuer(kAdministrator, "Plant7"));
  EXPECT_EQ(said(*request.certificate, old.certificate).status, certstore::CertificateStatus::Good);
}

TEST_F(Ocsp, SignsNothingAboutWhatItNeverIssued) {
  const IssuerVersion issuer = found_group();
  const IssuerVersion other = found_group(group("Plant8"));
  const Request request = issued(approved());
  const auto unauthorized = certstore::make_ocsp_refusal(OcspRefusal::Unauthorized);
  EXPECT_EQ(ask(*request.certificate, other.certificate), unauthorized);
  EXPECT_EQ(ask(issuer.certificate, issuer.certificate), unauthorized);
  EXPECT_EQ(valued(service_.answer_ocsp(to_bytes("x"), "192.0.2.1")).der,
            certstore::make_ocsp_refusal(OcspRefusal::MalformedRequest));
}

TEST_F(Ocsp, AnAnswerServesForHours) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  const Bytes first = ask(*request.certificate, issuer.certificate);
  pass(std::chrono::hours(3));
  EXPECT_EQ(ask(*request.certificate, issuer.certificate, to_bytes("12345678")), first);
  pass(std::chrono::hours(2));
  EXPECT_NE(ask(*request.certificate, issuer.certificate), first);
}

/// New, and one that was made before.
TEST_F(Ocsp, AnAnswerIsGivenOutWithTheTimesThatItSaysOfItself) {
  const IssuerVersion issuer = found_group();
  const Certificate certificate = *issued(approved()).certificate;
  for (int i = 0; i < 2; ++i) {
    const PublishedOcsp given = answer(certificate, issuer.certificate);
    const auto read =
        valued(certstore::read_ocsp_response(given.der, certificate, issuer.certificate, {}, clock_.now()));
    EXPECT_EQ(given.made, read.this_update);
    EXPECT_EQ(given.until, read.next_update);
    pass(std::chrono::hours(1));
  }
}

TEST_F(Ocsp, NobodyIsToKeepARefusal) {
  const IssuerVersion issuer = found_group();
  EXPECT_EQ(answer(issuer.certificate, issuer.certificate).until, std::nullopt);
}

TEST_F(Ocsp, AnAnswerServesForTheStateThatItTellsOfAlone) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  const Certificate& certificate = *request.certificate;
  const Bytes good = ask(certificate, issuer.certificate);
  EXPECT_EQ(ask(certificate, issuer.certificate), good);
  valued(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise));
  const Bytes revoked = ask(certificate, issuer.certificate);
  EXPECT_NE(revoked, good);
  EXPECT_EQ(ask(certificate, issuer.certificate), revoked);
}

TEST_F(Ocsp, OneQuestionIsNotManyByParametersOfItsHash) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  Bytes asked = valued(certstore::make_ocsp_request(*request.certificate, issuer.certificate, {}));
  const Bytes sha1_with_null{0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00};
  const auto at = std::search(asked.begin(), asked.end(), sha1_with_null.begin(), sha1_with_null.end());
  ASSERT_NE(at, asked.end());
  *(at + 7) = 0x04;  // an empty OCTET STRING for NULL
  EXPECT_EQ(valued(service_.answer_ocsp(asked, "192.0.2.1")).der,
            certstore::make_ocsp_refusal(OcspRefusal::MalformedRequest));
}

TEST(OcspCache, ANetworkUsesUpItsOwnShareAlone) {
  OcspCache cache;
  const Throttle::Moment now{};
  const int share = static_cast<int>(OcspCache::kSignaturesOfNetwork.burst);
  for (int i = 0; i < share; ++i) EXPECT_TRUE(cache.may_sign("192.0.2.1", now));
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(cache.may_sign("192.0.2.1", now));
  EXPECT_TRUE(cache.may_sign("192.0.2.2", now));
  EXPECT_TRUE(cache.may_sign("192.0.2.1", now + std::chrono::seconds(2)));
  int of_many = 0;
  for (int i = 0; i < 1000; ++i) of_many += cache.may_sign(fmt::format("198.51.100.{}", i), now) ? 1 : 0;
  EXPECT_LT(of_many, OcspCache::kSignatures.burst);
}

TEST(OcspCache, LosesTheOldestAnswerWhenItIsFull) {
  OcspCache cache;
  const Time start = gateway::kNoon;
  const auto question = [](std::size_t number) { return to_bytes(std::to_string(number)); };
  for (std::size_t i = 0; i <= OcspCache::kMostAnswers; ++i)
    cache.put(question(i),
              {"Plant7", "01", false, start + std::chrono::milliseconds(i), to_bytes("an answer")});
  const Time now = start + std::chrono::minutes(1);
  EXPECT_FALSE(cache.find(question(0), now));
  EXPECT_TRUE(cache.find(question(1), now));
  EXPECT_TRUE(cache.find(question(OcspCache::kMostAnswers), now));
}

}  // namespace
}  // namespace signet::authority
