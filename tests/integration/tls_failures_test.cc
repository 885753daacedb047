// A partner's server that must not be believed: the message fails with a reason that says so, and nothing of
// it leaves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/endpoint/post_fault.h"
#include "tests/integration/scripted_partner.h"
#include "tests/support/odd_tls_server.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using agreements::TlsTrustMode;
using gateway::HttpRequest;
using gateway::HttpResponse;
using gateway::PostFault;
using testing::AllOf;
using testing::HasSubstr;

class TlsFailures : public testing::Test {
 protected:
  /// Sends to `url`, believing servers as `mode` says with certificates of the account.
  MessageRecord send(const std::string& url, TlsTrustMode mode, std::vector<certstore::Certificate> trusted,
                     bool ignore_name = false) {
    auto account =
        pair_.accounts([](OneWayAgreement& out, OneWayAgreement&) { out.mdn_settings.need_mdn = false; })
            .first;
    Agreement& agreement = account.agreements.front();
    agreement.connection.url = url;
    agreement.connection.tls_trust.mode = mode;
    agreement.send_agreement.message_connection_settings.ignore_certificate_name_mismatch = ignore_name;
    for (std::size_t i = 0; i < trusted.size(); ++i) {
      account.certificates.push_back({"trusted-" + std::to_string(i), trusted[i].der(), std::nullopt, {}});
      agreement.connection.tls_trust.certificates.push_back(account.certificates.back().name);
    }
    pair_.acme.apply(account);
    return need(pair_.send("an order"));
  }

  /// Sends to a server with this certificate, and tells how many requests it got.
  std::pair<MessageRecord, int> send_to(const certstore::PrivateCertificate& server, TlsTrustMode mode,
                                        std::vector<certstore::Certificate> trusted,
                                        bool ignore_name = false) {
    int requests = 0;
    ScriptedPartner partner(server);
    partner.script = [&](const HttpRequest&) {
      ++requests;
      return HttpResponse{};
    };
    MessageRecord record = send(partner.url(), mode, std::move(trusted), ignore_name);
    return {std::move(record), requests};
  }

  static void expect_refused(const std::pair<MessageRecord, int>& outcome, PostFault fault,
                             const std::string& why) {
    expect_failed(outcome.first, fault, why);
    EXPECT_EQ(outcome.second, 0) << "something was sent";
  }
  static void expect_failed(const MessageRecord& record, PostFault fault, const std::string& why) {
    EXPECT_EQ(record.state, MessageState::Failed);
    EXPECT_EQ(gateway::fault_of(record.reason), fault) << record.reason;
    EXPECT_THAT(record.reason, AllOf(HasSubstr(": https://127.0.0.1:"), HasSubstr(why)));
    EXPECT_TRUE(record.receipt_signer_thumbprint.empty());
    EXPECT_TRUE(record.disposition.empty());
  }
  static void expect_sent(const std::pair<MessageRecord, int>& outcome) {
    EXPECT_EQ(outcome.first.state, MessageState::Confirmed) << outcome.first.reason;
    EXPECT_EQ(outcome.second, 1);
  }

  static certstore::PrivateCertificate server(CertificateSpec spec = {}) {
    spec.common_name = "server";
    if (spec.subject_alternative_name.empty()) spec.subject_alternative_name = "IP:127.0.0.1";
    return make_certificate(spec);
  }

  TradingPair pair_;
  const certstore::PrivateCertificate authority_ =
      make_certificate({.common_name = "Authority", .authority = true});
};

TEST_F(TlsFailures, ASelfSignedServerIsBelievedWhenItIsPinnedAlone) {
  const auto own = server();
  expect_sent(send_to(own, TlsTrustMode::Pinned, {own.certificate}));
  expect_refused(send_to(own, TlsTrustMode::System, {}), PostFault::TlsUntrusted, "self-signed certificate");
  expect_refused(send_to(own, TlsTrustMode::CertificateAuthorities, {authority_.certificate}),
                 PostFault::TlsUntrusted, "self-signed certificate");
}

TEST_F(TlsFailures, AnotherCertificateThanThePinnedOneIsRefused) {
  const auto own = server();
  const auto same_names = server();
  expect_refused(send_to(own, TlsTrustMode::Pinned, {same_names.certificate}), PostFault::TlsNotPinned,
                 "none of those pinned");
}

TEST_F(TlsFailures, AServerOfAnUnknownAuthorityIsRefused) {
  const auto own = server({.issuer = &authority_});
  const auto other = make_certificate({.common_name = "Other Authority", .authority = true});
  expect_sent(send_to(own, TlsTrustMode::CertificateAuthorities, {authority_.certificate}));
  expect_refused(send_to(own, TlsTrustMode::CertificateAuthorities, {other.certificate}),
                 PostFault::TlsUntrusted, "local issuer");
  expect_refused(send_to(own, TlsTrustMode::System, {}), PostFault::TlsUntrusted, "local issuer");
}

TEST_F(TlsFailures, AnExpiredServerIsRefusedHoweverItIsTrusted) {
  const auto issued = server({.not_after = "2021-01-01", .issuer = &authority_});
  expect_refused(send_to(issued, TlsTrustMode::CertificateAuthorities, {authority_.certificate}),
                 PostFault::TlsExpired, "expired");
  expect_refused(send_to(issued, TlsTrustMode::Pinned, {issued.certificate}), PostFault::TlsExpired,
                 "expired");
}

TEST_F(TlsFailures, AServerOfAnotherNameIsRefusedUnlessTheAgreementToleratesIt) {
  const auto issued = server({.subject_alternative_name = "DNS:elsewhere.example", .issuer = &authority_});
  for (const auto& [mode, trusted] : {std::pair{TlsTrustMode::CertificateAuthorities, authority_.certificate},
                                      std::pair{TlsTrustMode::Pinned, issued.certificate}}) {
    expect_refused(send_to(issued, mode, {trusted}), PostFault::TlsNameMismatch, "127.0.0.1");
    expect_sent(send_to(issued, mode, {trusted}, true));
  }
  const auto unknown = make_certificate({.common_name = "Other Authority", .authority = true});
  expect_refused(send_to(issued, TlsTrustMode::CertificateAuthorities, {unknown.certificate}, true),
                 PostFault::TlsUntrusted, "local issuer");
}

TEST_F(TlsFailures, AServerOfAnOlderTlsIsRefused) {
  const auto own = server();
  OddTlsServer old(own, [](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(context, "ALL");
  });
  expect_failed(send(old.url(), TlsTrustMode::Pinned, {own.certificate}), PostFault::TlsRefusedByPeer,
                "alert");
  EXPECT_EQ(old.heard(), "");
}

TEST_F(TlsFailures, AServerThatWantsACertificateOfOursGetsNothingWithoutOne) {
  const auto own = server();
  OddTlsServer demanding(own, [](SSL_CTX* context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  });
  expect_failed(send(demanding.url(), TlsTrustMode::Pinned, {own.certificate}), PostFault::TlsRefusedByPeer,
                "alert 'certificate required'");
  EXPECT_EQ(demanding.heard(), "");
}

TEST_F(TlsFailures, APlainServerBehindAnHttpsUrlGetsNothing) {
  int requests = 0;
  ScriptedPartner plain;
  plain.script = [&](const HttpRequest&) {
    ++requests;
    return HttpResponse{};
  };
  const std::string url = "https" + plain.url().substr(4);
  expect_failed(send(url, TlsTrustMode::System, {}), PostFault::TlsNotSpoken, "wrong version number");
  EXPECT_EQ(requests, 0);
}

TEST_F(TlsFailures, ARedirectToPlainHttpIsNotFollowed) {
  int requests = 0;
  ScriptedPartner plain;
  plain.script = [&](const HttpRequest&) {
    ++requests;
    return HttpResponse{};
  };
  const auto own = server();
  ScriptedPartner redirecting(own);
  redirecting.script = [&](const HttpRequest&) {
    HttpResponse response;
    response.status = 307;
    response.headers.add("Location", plain.url());
    return response;
  };
  const MessageRecord record = send(redirecting.url(), TlsTrustMode::Pinned, {own.certificate});
  EXPECT_EQ(record.state, MessageState::Failed);
  EXPECT_THAT(record.reason,
              AllOf(HasSubstr("HTTP 307"), HasSubstr("points to " + plain.url()), HasSubstr("no redirect")));
  EXPECT_EQ(requests, 0);
}

TEST_F(TlsFailures, TheOutboxTriesAgainAndSucceedsOnceTheCertificateIsMended) {
  const auto own = server();
  ScriptedPartner partner(own);
  partner.script = [](const HttpRequest&) { return HttpResponse{}; };
  const auto account = [&](bool mended) {
    auto made =
        pair_.accounts([](OneWayAgreement& out, OneWayAgreement&) { out.mdn_settings.need_mdn = false; })
            .first;
    Agreement& agreement = made.agreements.front();
    agreement.connection.url = partner.url();
    agreement.retry = {.attempts = 100, .first_interval = std::chrono::milliseconds(20), .factor = 1};
    if (mended) {
      made.certificates.push_back({"partner", own.certificate.der(), std::nullopt, {}});
      agreement.connection.tls_trust = {TlsTrustMode::Pinned, "", {"partner"}};
    }
    return made;
  };
  pair_.acme.apply(account(false));
  const std::string id = need(pair_.acme.submit("trade", "an order")).id;
  const MessageRecord postponed = pair_.acme.wait_for(id, [](const MessageRecord& record) {
    return record.state == MessageState::Queued && record.attempts > 0;
  });
  EXPECT_EQ(gateway::fault_of(postponed.reason), PostFault::TlsUntrusted) << postponed.reason;
  pair_.acme.apply(account(true));
  EXPECT_EQ(pair_.acme.wait_for_state(id, MessageState::Confirmed).reason, "");
}

}  // namespace
}  // namespace signet::test
