#include "certstore/x509/ocsp.h"

#include "tests/unit/authority/authority_fixture.h"

/// What the service's OCSP responder says, and what it spends on it.

namespace signet::authority {
namespace {

using certstore::OcspRefusal;

class Ocsp : public AuthorityTest {
 protected:
  Bytes ask(const Certificate& certificate, const Certificate& issuer, ByteView nonce = {}) {
    return valued(service_.answer_ocsp(valued(certstore::make_ocsp_request(certificate, issuer, nonce))));
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
  EXPECT_EQ(valued(service_.answer_ocsp(to_bytes("x"))),
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

}  // namespace
}  // namespace signet::authority
