// What a partner may answer to our messages, and what we make of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "as2/receipt.h"
#include "gateway/exchange/agreement_settings.h"
#include "tests/integration/loopback_listener.h"
#include "tests/integration/scripted_partner.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::HttpRequest;
using gateway::HttpResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Globex's receipt for a request, ready to be tampered with before it is made.
struct Answering {
  as2::MdnContent content;
  std::optional<certstore::PrivateCertificate> signer;
};

class Outbound : public testing::Test {
 protected:
  Outbound() { trade_with(partner_.url()); }

  void trade_with(const std::string& url, const TradingPair::Terms& terms = {}) {
    auto account = pair_.accounts(terms).first;
    account.agreements.front().connection.url = url;
    pair_.acme.apply(account);
  }

  /// Sends to the partner, who answers with a receipt that `change` was done to.
  MessageRecord send_and_answer(const std::function<void(Answering&)>& change) {
    partner_.script = [&, change](const HttpRequest& request) {
      Answering answering;
      answering.signer = globex_key_;
      as2::MdnContent& content = answering.content;
      content.original_message_id = need(as2::MessageId::parse(*request.headers.value("Message-ID")));
      content.final_recipient = need(as2::As2Name::of("Globex"));
      content.disposition = as2::Disposition::processed();
      content.mic = mic_of(request);
      content.human_text = "Thank you.";
      change(answering);
      as2::ReceiptSettings settings;
      settings.signer = answering.signer;
      settings.spool = pair_.globex.home().spool_area();
      auto receipt = need(as2::make_receipt(content, settings));
      HttpResponse response;
      response.headers = receipt.headers;
      response.body = Slice::of(std::move(receipt.body));
      return response;
    };
    return need(pair_.send("an order"));
  }

  MessageRecord send_and_answer_with(int status, const std::string& type, std::string_view body) {
    partner_.script = [=](const HttpRequest&) {
      HttpResponse response;
      response.status = status;
      if (!type.empty()) response.headers.add("Content-Type", type);
      response.body = Slice::of(body);
      return response;
    };
    return need(pair_.send("an order"));
  }

  /// What Globex would compute, by opening the message with its own agreement.
  std::optional<as2::Mic> mic_of(const HttpRequest& request) {
    const auto account = need(pair_.globex.home().current_account());
    const auto settings =
        need(gateway::receive_settings(*account->directory().by_name("trade"), *account, SystemClock().now(),
                                       pair_.globex.home().spool_area()));
    std::vector<as2::Layer> layers;
    const auto opened = as2::open(request.headers, request.body, settings.open, layers);
    EXPECT_TRUE(opened);
    return need(as2::compute_mic(*opened, Hash::Sha256, as2::CompressedMic::WithHeaders));
  }

  static void expect_failed(const MessageRecord& sent, const testing::Matcher<const std::string&>& reason) {
    EXPECT_EQ(sent.state, MessageState::Failed);
    EXPECT_THAT(sent.reason, reason);
    EXPECT_TRUE(sent.settled);
  }

  TradingPair pair_;
  ScriptedPartner partner_;
  /// The key behind the certificate that Acme knows Globex by.
  const certstore::PrivateCertificate globex_key_{
      need(certstore::Certificate::parse(pair_.certificate(pair_.globex, "rsa:2048").public_certificate)),
      make_certificate({.common_name = "Globex"}).key};
};

TEST_F(Outbound, ATrueReceiptConfirms) {
  const auto sent = send_and_answer([](Answering&) {});
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  EXPECT_EQ(sent.receipt_signer_thumbprint, globex_key_.certificate.thumbprint_sha256());
  const auto kept = need(pair_.acme.store().receipt(sent.id));
  EXPECT_THAT(std::string(as_text(kept.body)), HasSubstr("Thank you."));
  EXPECT_EQ(text_of(need(pair_.acme.store().payload(sent.id))), "an order");
}

TEST_F(Outbound, AnHttpErrorIsAFailureWithItsWords) {
  expect_failed(send_and_answer_with(500, "text/plain", "our ERP is down"),
                AllOf(HasSubstr("HTTP 500"), HasSubstr("our ERP is down")));
  expect_failed(send_and_answer_with(404, "text/html", "<h1>Not here</h1>"), HasSubstr("HTTP 404"));
  expect_failed(send_and_answer_with(503, "", ""), AllOf(HasSubstr("HTTP 503"), HasSubstr("(nothing)")));
  expect_failed(send_and_answer_with(301, "text/plain", "moved"), HasSubstr("HTTP 301"));
}

TEST_F(Outbound, SomethingElseThanAReceiptIsAFailure) {
  expect_failed(send_and_answer_with(200, "text/html", "<html>Thanks!</html>"), HasSubstr("not a receipt"));
  expect_failed(send_and_answer_with(200, "", ""), HasSubstr("without the receipt"));
  expect_failed(send_and_answer_with(200, "multipart/report; boundary=x", "--x\r\n\r\nhalf of"),
                HasSubstr("not a receipt"));
  expect_failed(send_and_answer_with(200, "multipart/signed; boundary=x", "--x\r\n\r\nhalf of"),
                Not(IsEmpty()));
}

TEST_F(Outbound, AWordOfAStrangersHtmlCannotForgeALineOfTheRecord) {
  const auto sent = send_and_answer_with(500, "text/plain", "bad\r\n\x1b[31mconfirmed\nlevel=info");
  EXPECT_THAT(sent.reason, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

TEST_F(Outbound, AnUnsignedReceiptIsAFailureWhereASignedOneWasAgreed) {
  expect_failed(send_and_answer([](Answering& a) { a.signer.reset(); }), HasSubstr("not signed"));
  trade_with(partner_.url(), [](OneWayAgreement& send, OneWayAgreement&) {
    send.expected_receipt.require_signed_mdn = false;
  });
  const auto lenient = send_and_answer([](Answering& a) { a.signer.reset(); });
  EXPECT_EQ(lenient.state, MessageState::Confirmed) << lenient.reason;
}

TEST_F(Outbound, AReceiptWithAnotherMicIsAFailure) {
  expect_failed(send_and_answer([](Answering& a) { a.content.mic->value[0] ^= 1; }),
                HasSubstr("received something else"));
  expect_failed(send_and_answer([](Answering& a) { a.content.mic->hash = Hash::Sha512; }), Not(IsEmpty()));
  expect_failed(send_and_answer([](Answering& a) { a.content.mic.reset(); }),
                HasSubstr("no Received-Content-MIC"));
}

TEST_F(Outbound, AReceiptByAnotherSignerIsAFailure) {
  expect_failed(
      send_and_answer([](Answering& a) { a.signer = make_certificate({.common_name = "Mallory"}); }),
      HasSubstr("signature does not hold"));
  // ... also when the certificate looks the same.
  expect_failed(send_and_answer([](Answering& a) {
                  a.signer = make_certificate({.common_name = "Globex", .key = "rsa:3072"});
                }),
                HasSubstr("signature does not hold"));
}

TEST_F(Outbound, AReceiptForAnotherMessageIsAFailure) {
  expect_failed(send_and_answer(
                    [](Answering& a) { a.content.original_message_id = as2::MessageId::generate("other"); }),
                HasSubstr("is for message"));
  expect_failed(send_and_answer([](Answering& a) { a.content.original_message_id.reset(); }),
                HasSubstr("no Original-Message-ID"));
}

TEST_F(Outbound, AReceiptOfYesterdayProvesNothingToday) {
  HttpResponse yesterdays;
  ASSERT_EQ(send_and_answer([](Answering&) {}).state, MessageState::Confirmed);
  const auto kept = need(pair_.acme.store().receipt(pair_.acme.messages().at(0).id));
  for (const auto& [name, value] : kept.headers)
    if (name == "Content-Type") yesterdays.headers.add(name, value);
  yesterdays.body = Slice::of(kept.body);
  partner_.script = [yesterdays](const HttpRequest&) { return yesterdays; };
  expect_failed(need(pair_.send("an order")), HasSubstr("is for message"));
}

TEST_F(Outbound, ARefusalIsAFailureWithItsDisposition) {
  for (const auto fault : {as2::Fault::DecryptionFailed, as2::Fault::AuthenticationFailed,
                           as2::Fault::UnexpectedProcessingError, as2::Fault::UnsupportedMicAlgorithms}) {
    const auto sent =
        send_and_answer([&](Answering& a) { a.content.disposition = as2::Disposition::of(fault); });
    EXPECT_EQ(sent.disposition, as2::disposition_for(fault));
    expect_failed(sent, HasSubstr("did not accept the message"));
  }
  const auto warned = send_and_answer(
      [](Answering& a) { a.content.disposition = as2::Disposition::of(as2::Fault::DuplicateDocument); });
  EXPECT_EQ(warned.state, MessageState::Confirmed) << "a warning is no refusal: " << warned.reason;
}

TEST_F(Outbound, AConnectionThatIsRefusedOrClosedIsAFailure) {
  LoopbackListener listener;
  trade_with(listener.url());
  std::thread closer([&] { ::close(listener.accept()); });
  const auto closed = need(pair_.send("an order"));
  closer.join();
  expect_failed(closed, HasSubstr(std::to_string(listener.port())));
  listener.close();
  expect_failed(need(pair_.send("an order")), HasSubstr(std::to_string(listener.port())));
}

TEST_F(Outbound, AnAnswerThatBreaksOffIsAFailure) {
  LoopbackListener listener;
  trade_with(listener.url());
  std::thread partner([&] {
    const int connection = listener.accept();
    char buffer[64 * 1024];
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    constexpr std::string_view kHalf =
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/report; boundary=x\r\nContent-Length: 500\r\n\r\n--x\r\n";
    static_cast<void>(::send(connection, kHalf.data(), kHalf.size(), MSG_NOSIGNAL));
    ::shutdown(connection, SHUT_RDWR);
    ::close(connection);
  });
  const auto sent = need(pair_.send("an order"));
  partner.join();
  expect_failed(sent, Not(IsEmpty()));
}

TEST_F(Outbound, NothingLeavesWithoutAnAgreementOrAUrl) {
  EXPECT_EQ(pair_.acme.send("no-such", "an order").error().kind, ErrorKind::NotFound);
  trade_with("");
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().detail, HasSubstr("no URL"));
  EXPECT_THAT(pair_.acme.messages(), IsEmpty());
}

TEST_F(Outbound, WithoutAReceiptAnyGoodStatusConfirmsAndNothingElse) {
  trade_with(partner_.url(),
             [](OneWayAgreement& send, OneWayAgreement&) { send.mdn_settings.need_mdn = false; });
  EXPECT_EQ(send_and_answer_with(204, "", "").state, MessageState::Confirmed);
  EXPECT_EQ(send_and_answer_with(200, "text/html", "thanks").state, MessageState::Confirmed);
  EXPECT_EQ(send_and_answer_with(400, "text/plain", "no").state, MessageState::Failed);
}

// ---- TLS, with a listener's key in the vault

class OutboundTls : public testing::Test {
 protected:
  void SetUp() override {
    const auto own = pair_.globex.add_key(
        "globex-tls",
        CertificateSpec{.common_name = "localhost", .subject_alternative_name = "DNS:localhost"});
    auto globexes = pair_.accounts().second;
    globexes.certificates.push_back(own);
    pair_.globex.apply(globexes);
    pair_.globex.options.tls_certificate = "globex-tls";
    pair_.globex.restart();
    server_ = own;
    server_.key.reset();
  }

  /// Sends to `url`, believing servers as `trust` says.
  Result<MessageRecord> send(const std::string& url, const std::function<void(Agreement&)>& change) {
    auto account = pair_.accounts().first;
    account.certificates.push_back(server_);
    account.certificates.push_back({"other-tls",
                                    make_certificate({.common_name = "localhost other"}).certificate.der(),
                                    std::nullopt,
                                    {}});
    account.agreements.front().connection.url = url;
    change(account.agreements.front());
    pair_.acme.apply(account);
    return pair_.send("an order");
  }
  static std::function<void(Agreement&)> pinned(const std::string& certificate, bool ignore_name = false) {
    return [=](Agreement& agreement) {
      agreement.connection.tls_trust.mode = agreements::TlsTrustMode::Pinned;
      agreement.connection.tls_trust.certificates = {certificate};
      agreement.send_agreement.message_connection_settings.ignore_certificate_name_mismatch = ignore_name;
    };
  }
  [[nodiscard]] std::string numeric_url() const {
    return "https://127.0.0.1:" + std::to_string(pair_.globex.tls_port()) + "/as2";
  }

  TradingPair pair_;
  agreements::CertificateEntry server_;
};

TEST_F(OutboundTls, AMessageGoesToAPinnedServerWhoseKeyIsInItsVault) {
  const auto sent = need(send(pair_.globex.tls_url(), pinned("globex-tls")));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  const auto lines = pair_.globex.audit_lines();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("globex-tls") != std::string::npos && line.find("\"sign\"") != std::string::npos;
  }));
}

TEST_F(OutboundTls, AnotherPinIsRefusedBeforeAnythingLeaves) {
  const auto sent = need(send(pair_.globex.tls_url(), pinned("other-tls")));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_THAT(sent.reason, HasSubstr("pin"));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
}

TEST_F(OutboundTls, AServerThatNoAuthorityVouchesForIsRefused) {
  const auto sent = need(send(pair_.globex.tls_url(), [](Agreement&) {}));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_THAT(sent.reason, HasSubstr("certificate"));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  const auto other = need(send(pair_.globex.tls_url(), [](Agreement& agreement) {
    agreement.connection.tls_trust.mode = agreements::TlsTrustMode::CertificateAuthorities;
    agreement.connection.tls_trust.certificates = {"other-tls"};
  }));
  EXPECT_EQ(other.state, MessageState::Failed);
}

TEST_F(OutboundTls, AServerThatItsOwnAuthorityVouchesForIsAccepted) {
  const auto sent = need(send(pair_.globex.tls_url(), [](Agreement& agreement) {
    agreement.connection.tls_trust.mode = agreements::TlsTrustMode::CertificateAuthorities;
    agreement.connection.tls_trust.certificates = {"globex-tls"};
  }));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
}

TEST_F(OutboundTls, ACertificateForAnotherNameIsRefusedUnlessTheAgreementToleratesIt) {
  const auto refused = need(send(numeric_url(), pinned("globex-tls")));
  EXPECT_EQ(refused.state, MessageState::Failed);
  EXPECT_THAT(refused.reason, HasSubstr("127.0.0.1"));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  const auto tolerated = need(send(numeric_url(), pinned("globex-tls", true)));
  EXPECT_EQ(tolerated.state, MessageState::Confirmed) << tolerated.reason;
}

}  // namespace
}  // namespace signet::test
