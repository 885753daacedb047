// HTTP Basic and TLS client certificates, both ways: who must show what, and where the passwords are not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>

#include "tests/integration/scripted_partner.h"
#include "tests/support/odd_tls_server.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::BasicCredentials;
using gateway::HttpClient;
using gateway::HttpRequest;
using gateway::HttpResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kPassword = "correct horse battery staple";

agreements::BasicAuthentication credentials() {
  return {"acme", std::string(gateway::kDefaultVault), "acme-password"};
}

agreements::CertificateEntry public_entry(const std::string& name, const certstore::PrivateCertificate& own) {
  return {name, own.certificate.der(), std::nullopt, {}};
}

/// Everything that lies in the files below a directory.
std::string content_of(const std::filesystem::path& directory) {
  std::ostringstream all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
  return all.str();
}

// ---- What Globex demands of Acme's requests

class Demands : public testing::Test {
 protected:
  Demands() {
    globex_tls_ = pair_.globex.add_key("globex-tls", server_);
    pair_.globex.options.tls_certificate = "globex-tls";
    pair_.globex.options.client_certificates = gateway::ClientCertificates::Wanted;
    pair_.globex.set_secret("acme-password", kPassword);
    agree({});
    pair_.globex.restart();
  }

  void agree(const std::function<void(OneWayAgreement& receive)>& demand) {
    auto account = pair_.accounts().second;
    account.certificates.push_back(globex_tls_);
    for (const auto& [name, certificate] : shown_)
      account.certificates.push_back(public_entry(name, certificate));
    if (demand) demand(account.agreements.front().receive_agreement);
    pair_.globex.apply(account);
  }
  void demand_password() {
    agree([](OneWayAgreement& receive) { receive.required_basic_authentication = credentials(); });
  }
  void demand_certificate(std::vector<std::string> names) {
    agree([&](OneWayAgreement& receive) {
      receive.required_client_certificate = agreements::RequiredClientCertificate{std::move(names)};
    });
  }
  /// A certificate with its key, known to Globex's account as `name`.
  certstore::PrivateCertificate known_to_globex(const std::string& name, CertificateSpec spec = {}) {
    spec.common_name = name;
    return shown_.emplace_back(name, make_certificate(spec)).second;
  }

  /// A message of Acme's to Globex's HTTPS listener, to be posted with something more.
  HttpPost message() {
    last_ = pair_.compose("an order");
    return again();
  }
  HttpPost again() {
    HttpPost post = last_.to_post();
    post.url = pair_.globex.tls_url();
    post.trust = {gateway::TlsTrust::Kind::Pinned, {server_.certificate}, false};
    return post;
  }
  HttpAnswer answer_with(HttpPost post, std::string_view user, std::string_view password) {
    post.basic = BasicCredentials{std::string(user), SecretBytes::copy_of(password)};
    return need(HttpClient().post(post));
  }
  HttpAnswer answer_with(HttpPost post, const certstore::PrivateCertificate& certificate) {
    post.client_certificate = certificate;
    return need(HttpClient().post(post));
  }
  HttpAnswer answer_with_field(HttpPost post, const std::string& authorization) {
    post.headers.add("Authorization", authorization);
    return need(HttpClient().post(post));
  }

  /// That the last message was turned away: nothing of it is kept but the record.
  void expect_refused(const HttpAnswer& answer, int status, const std::string& reason) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.value("WWW-Authenticate").has_value(), status == 401);
    EXPECT_THAT(text_of(answer.body), Not(HasSubstr("Disposition"))) << "no receipt";
    const MessageRecord record = pair_.globex.message(last_.message_id());
    EXPECT_EQ(record.state, MessageState::Refused);
    EXPECT_THAT(record.reason, HasSubstr(reason));
    EXPECT_EQ(record.agreement, "trade");
    EXPECT_EQ(record.payload_size, 0U);
    EXPECT_FALSE(pair_.globex.store().wire(record.id).has_value()) << "the message as it came";
  }
  void expect_accepted(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(text_of(answer.body), HasSubstr("automatic-action/MDN-sent-automatically; processed"));
    EXPECT_EQ(text_of(need(pair_.globex.store().payload(pair_.globex.wait_delivered(last_.message_id()).id))),
              "an order");
  }

  TradingPair pair_;
  const certstore::PrivateCertificate server_ =
      make_certificate({.common_name = "localhost", .subject_alternative_name = "DNS:localhost"});
  agreements::CertificateEntry globex_tls_;
  std::vector<std::pair<std::string, certstore::PrivateCertificate>> shown_;
  WireMessage last_;
};

TEST_F(Demands, TheAgreedPasswordIsNeeded) {
  demand_password();
  expect_accepted(answer_with(message(), "acme", kPassword));
  const HttpAnswer without = need(HttpClient().post(message()));
  expect_refused(without, 401, "the request has none");
  EXPECT_EQ(without.headers.value("WWW-Authenticate"), "Basic realm=\"AS2\", charset=\"UTF-8\"");
  expect_refused(answer_with(message(), "acme", "correct horse battery stapl"), 401, "are wrong");
  expect_refused(answer_with(message(), "acme", ""), 401, "are wrong");
  expect_refused(answer_with(message(), "Acme", kPassword), 401, "are wrong");
  expect_refused(answer_with(message(), "", std::string("acme:") + std::string(kPassword)), 401, "are wrong");
}

TEST_F(Demands, WhatIsNoBasicAuthorizationIsNone) {
  demand_password();
  const std::string right = base64(as_bytes("acme:" + std::string(kPassword)));
  expect_accepted(answer_with_field(message(), "bAsIc  " + right));
  for (const std::string& value : {"Bearer " + right, right, "Basic" + right, std::string("Basic !!!"),
                                   std::string("Basic "), std::string("Digest username=\"acme\"")})
    expect_refused(answer_with_field(message(), value), 401, "");
  HttpPost twice = message();
  twice.headers.add("Authorization", "Basic " + right);
  EXPECT_EQ(answer_with_field(std::move(twice), "Basic " + right).status, 400);
}

TEST_F(Demands, ARefusedPasswordDoesNotPoisonTheMessage) {
  demand_password();
  expect_refused(answer_with(message(), "acme", "wrong"), 401, "are wrong");
  const HttpAnswer answer = answer_with(again(), "acme", kPassword);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(text_of(answer.body), HasSubstr("processed"));
}

TEST_F(Demands, ARepeatProvesItselfAnew) {
  demand_password();
  expect_accepted(answer_with(message(), "acme", kPassword));
  EXPECT_EQ(need(HttpClient().post(again())).status, 401) << "the stored receipt is for its owner";
  const HttpAnswer answer = answer_with(again(), "acme", kPassword);
  EXPECT_THAT(text_of(answer.body), HasSubstr("processed"));
}

TEST_F(Demands, ANewPasswordCountsAtOnce) {
  demand_password();
  pair_.globex.set_secret("acme-password", "tr0ub4dor");
  expect_refused(answer_with(message(), "acme", kPassword), 401, "are wrong");
  expect_accepted(answer_with(message(), "acme", "tr0ub4dor"));
}

TEST_F(Demands, APasswordThatTheVaultDoesNotGiveOutIsOurTroubleAndNobodyIsLetIn) {
  demand_password();
  vault::SecretSettings disabled;
  disabled.attributes.enabled = false;
  pair_.globex.set_secret("acme-password", kPassword, disabled);
  expect_refused(answer_with(message(), "acme", kPassword), 503, "it is disabled");
  pair_.globex.set_secret("acme-password", kPassword);
  pair_.globex.set_key_permissions("decrypt,sign,get,list");  // and none for secrets
  expect_refused(answer_with(message(), "acme", kPassword), 503,
                 "lacks the secret permission 'get' on key vault 'signet'");
}

TEST_F(Demands, AnUnaskedForAuthorizationChangesNothingAndIsKeptNowhere) {
  const HttpAnswer answer = answer_with(message(), "somebody", "unasked-for-secret");
  expect_accepted(answer);
  demand_password();
  expect_accepted(answer_with(message(), "acme", kPassword));
  expect_refused(answer_with(message(), "acme", "wrong-secret"), 401, "are wrong");

  const std::string home = content_of(pair_.globex.directory());
  EXPECT_NE(home.find("AS2-Version"), std::string::npos)
      << "messages are kept as they came, so their fields would be found";
  for (const std::string& secret :
       {std::string("unasked-for-secret"), std::string("wrong-secret"), std::string(kPassword),
        base64(as_bytes("acme:" + std::string(kPassword))), base64(as_bytes("acme:wrong-secret")),
        base64(as_bytes("somebody:unasked-for-secret")), std::string("Authorization")})
    EXPECT_EQ(home.find(secret), std::string::npos) << secret;
}

TEST_F(Demands, EachLookAtAPasswordIsInTheAuditLogUnderItsMessage) {
  demand_password();
  expect_accepted(answer_with(message(), "acme", kPassword));
  const std::string id = pair_.globex.message(last_.message_id()).id;
  const auto lines = pair_.globex.audit_lines();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [&](const std::string& line) {
                            return line.find("\"getSecret\"") != std::string::npos &&
                                   line.find("\"acme-password\"") != std::string::npos &&
                                   line.find(id) != std::string::npos;
                          }),
            1);
}

TEST_F(Demands, AMessageThatIsOpenedLaterNeedsItsPasswordWhenItComes) {
  ScriptedPartner receipts;
  receipts.script = [](const HttpRequest&) { return HttpResponse{}; };
  const auto ask_for_post = [&](OneWayAgreement& send) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = receipts.url();
  };
  pair_.acme.apply(
      pair_.accounts([&](OneWayAgreement& send, OneWayAgreement&) { ask_for_post(send); }).first);
  agree([&](OneWayAgreement& receive) {
    receive.required_basic_authentication = credentials();
    receive.receipt_policy.allowed_urls = {receipts.url()};
    receive.receipt_policy.allowed_networks = {"127.0.0.0/8"};
  });
  expect_refused(need(HttpClient().post(message())), 401, "has none");
  EXPECT_EQ(answer_with(message(), "acme", kPassword).status, 204);
  pair_.globex.wait_delivered(last_.message_id());
}

TEST_F(Demands, TheAgreedClientCertificateIsNeeded) {
  const auto acme = known_to_globex("acme-client");
  const auto next = known_to_globex("acme-next", {.key = "ec:P-256"});
  const auto other = known_to_globex("other-client");
  demand_certificate({"acme-client", "acme-next"});
  expect_accepted(answer_with(message(), acme));
  expect_accepted(answer_with(message(), next));
  expect_refused(
      answer_with(message(), other), 403,
      "none of those agreed on: CN=other-client (SHA-256 " + other.certificate.thumbprint_sha256());
  expect_refused(need(HttpClient().post(message())), 403, "none was shown");
  const auto same_names = make_certificate({.common_name = "acme-client"});
  expect_refused(answer_with(message(), same_names), 403, "none of those agreed on");

  HttpPost plain = message();
  plain.url = pair_.globex.url();
  expect_refused(answer_with(std::move(plain), acme), 403, "none was shown");
}

TEST_F(Demands, AnExpiredClientCertificateIsNone) {
  const auto expired = known_to_globex("acme-client", {.not_after = "2021-01-01"});
  demand_certificate({"acme-client"});
  expect_refused(answer_with(message(), expired), 403, "is valid from 2020-01-01");
}

TEST_F(Demands, ACertificateThatNobodyAskedForChangesNothing) {
  expect_accepted(
      answer_with(message(), make_certificate({.common_name = "whoever", .not_after = "2021-01-01"})));
}

TEST_F(Demands, AClientCertificateDoesNotReplaceTheSignature) {
  const auto acme = known_to_globex("acme-client");
  demand_certificate({"acme-client"});
  pair_.acme.apply(pair_
                       .accounts([](OneWayAgreement& send, OneWayAgreement&) {
                         send.validation_settings.sign_message = false;
                       })
                       .first);
  const HttpAnswer answer = answer_with(message(), acme);
  EXPECT_THAT(text_of(answer.body), HasSubstr("processed/error: "));
  EXPECT_EQ(pair_.globex.message(last_.message_id()).state, MessageState::Refused);
}

TEST_F(Demands, BothCanBeDemandedAndThenBothAreNeeded) {
  const auto acme = known_to_globex("acme-client");
  agree([](OneWayAgreement& receive) {
    receive.required_basic_authentication = credentials();
    receive.required_client_certificate = agreements::RequiredClientCertificate{{"acme-client"}};
  });
  HttpPost both = message();
  both.client_certificate = acme;
  expect_accepted(answer_with(std::move(both), "acme", kPassword));
  expect_refused(answer_with(message(), acme), 401, "has none");
  expect_refused(answer_with(message(), "acme", kPassword), 403, "none was shown");
}

// ---- What Acme shows to whom

class Shows : public testing::Test {
 protected:
  Shows() {
    pair_.acme.set_secret("acme-password", kPassword);
    partner_.script = [this](const HttpRequest& request) {
      authorizations_.emplace_back(request.headers.value("Authorization").value_or("none"));
      connections_.emplace_back(request.headers.value("Connection").value_or(""));
      certificates_.emplace_back(request.client_certificate ? request.client_certificate->thumbprint_sha256()
                                                            : "none");
      return HttpResponse{};
    };
  }

  /// Sends to the partner under an agreement with credentials, and with what `change` does to it.
  Result<MessageRecord> send(const std::function<void(Agreement&)>& change = {}) {
    auto account =
        pair_.accounts([](OneWayAgreement& out, OneWayAgreement&) { out.mdn_settings.need_mdn = false; })
            .first;
    account.certificates.push_back(public_entry("partner-tls", own_));
    account.certificates.push_back(acme_client_);
    Agreement& agreement = account.agreements.front();
    agreement.connection.url = partner_.url();
    agreement.connection.tls_trust = {agreements::TlsTrustMode::Pinned, "", {"partner-tls"}};
    agreement.connection.basic_authentication = credentials();
    if (change) change(agreement);
    pair_.acme.apply(account);
    return pair_.send("an order");
  }

  TradingPair pair_;
  const certstore::PrivateCertificate own_ =
      make_certificate({.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1"});
  const agreements::CertificateEntry acme_client_ =
      pair_.acme.add_key("acme-client", CertificateSpec{.common_name = "acme-client"});
  std::vector<std::string> authorizations_;
  std::vector<std::string> connections_;
  std::vector<std::string> certificates_;
  ScriptedPartner partner_{own_};
};

TEST_F(Shows, ThePasswordThatTheVaultHasNow) {
  EXPECT_EQ(need(send()).state, MessageState::Confirmed);
  pair_.acme.set_secret("acme-password", "tr0ub4dor");
  EXPECT_EQ(need(send()).state, MessageState::Confirmed);
  EXPECT_THAT(authorizations_,
              testing::ElementsAre("Basic " + base64(as_bytes("acme:" + std::string(kPassword))),
                                   "Basic " + base64(as_bytes("acme:tr0ub4dor"))));
  const std::string home = content_of(pair_.acme.directory());
  for (const std::string& secret :
       {std::string(kPassword), base64(as_bytes("acme:" + std::string(kPassword)))})
    EXPECT_EQ(home.find(secret), std::string::npos);
  const auto lines = pair_.acme.audit_lines();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("getSecret") != std::string::npos &&
           line.find("\"secret\":\"acme-password\"") != std::string::npos;
  }));
}

TEST_F(Shows, NothingWhereNothingIsAgreed) {
  EXPECT_EQ(need(send([](Agreement& agreement) { agreement.connection.basic_authentication.reset(); })).state,
            MessageState::Confirmed);
  EXPECT_THAT(authorizations_, testing::ElementsAre("none"));
  EXPECT_THAT(certificates_, testing::ElementsAre("none"));
}

TEST_F(Shows, WithoutThePermissionNothingIsSentAndTheErrorNamesItAndTheVault) {
  pair_.acme.set_key_permissions("decrypt,sign,get,list");
  const auto refused = send();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(refused.error().detail, HasSubstr("lacks the secret permission 'get' on key vault 'signet'"));
  EXPECT_THAT(refused.error().detail, HasSubstr("--secret-permissions get"));
  EXPECT_THAT(authorizations_, IsEmpty());
}

TEST_F(Shows, WithoutTheSecretNothingIsSent) {
  const auto refused =
      send([](Agreement& agreement) { agreement.connection.basic_authentication->secret_name = "none"; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::NotFound);
  EXPECT_THAT(refused.error().detail, HasSubstr("none"));
  EXPECT_THAT(authorizations_, IsEmpty());
}

// What was taken to be sent waits for its password; only then could it not be told from one that failed.
TEST_F(Shows, AMessageWaitsWhileItsPasswordIsGone) {
  const auto usual = partner_.script;
  partner_.script = [](const HttpRequest&) {
    HttpResponse busy;
    busy.status = 503;
    return busy;
  };
  const MessageRecord sent = need(send([](Agreement& agreement) {
    agreement.retry.attempts = 100;
    agreement.retry.first_interval = std::chrono::milliseconds(20);
    agreement.retry.factor = 1;
  }));
  ASSERT_EQ(sent.state, MessageState::Queued);
  auto& vault = pair_.acme.home().vault();
  const auto operator_ = vault::Principal::local_operator();
  need(vault.delete_secret(operator_, gateway::kDefaultVault, "acme-password"));
  const MessageRecord waits = pair_.acme.wait_for(sent.id, [](const MessageRecord& record) {
    return record.reason.find("acme-password") != std::string::npos;
  });
  EXPECT_EQ(waits.state, MessageState::Queued);
  partner_.script = usual;
  need(vault.recover_secret(operator_, gateway::kDefaultVault, "acme-password"));
  EXPECT_EQ(pair_.acme.wait_for_state(sent.id, MessageState::Confirmed).reason, "");
}

TEST_F(Shows, NoPasswordOverPlainHttp) {
  ScriptedPartner plain;
  plain.script = partner_.script;
  const auto refused = send([&](Agreement& agreement) { agreement.connection.url = plain.url(); });
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, AllOf(HasSubstr("https"), Not(HasSubstr(std::string(kPassword)))));
  EXPECT_THAT(authorizations_, IsEmpty());
}

TEST_F(Shows, AWrongPasswordIsTheMessagesFailure) {
  partner_.script = [](const HttpRequest&) {
    HttpResponse response;
    response.status = 401;
    response.headers.add("WWW-Authenticate", "Basic realm=\"partner\"");
    return response;
  };
  const auto sent = need(send([](Agreement& agreement) { agreement.retry.attempts = 5; }));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_THAT(sent.reason, AllOf(testing::StartsWith("unauthorized: "), HasSubstr("HTTP 401")));
  EXPECT_EQ(sent.attempts, 1U) << "trying the same again would lock the account at the partner's";
}

TEST_F(Shows, ItsCertificateToAServerThatAsks) {
  EXPECT_EQ(need(send([](Agreement& agreement) {
              agreement.connection.client_certificate_name = "acme-client";
            })).state,
            MessageState::Confirmed);
  const auto certificate = need(certstore::Certificate::parse(acme_client_.public_certificate));
  EXPECT_THAT(certificates_, testing::ElementsAre(certificate.thumbprint_sha256()));
}

TEST_F(Shows, TheIntermediatesOfItsCertificateThatTheAccountHas) {
  const auto root = make_certificate({.common_name = "Root", .key = "ec:P-256", .authority = true});
  const auto intermediate = make_certificate(
      {.common_name = "Intermediate", .key = "ec:P-256", .authority = true, .issuer = &root});
  const auto issued = pair_.acme.add_key(
      "acme-issued",
      make_certificate({.common_name = "acme-issued", .key = "ec:P-256", .issuer = &intermediate}));
  const auto send_to_one_who_knows_the_root = [&](bool intermediate_is_known) {
    OddTlsServer server(own_, [&](SSL_CTX* context) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.certificate.native());
    });
    auto account =
        pair_.accounts([](OneWayAgreement& out, OneWayAgreement&) { out.mdn_settings.need_mdn = false; })
            .first;
    account.certificates.push_back(public_entry("partner-tls", own_));
    account.certificates.push_back(issued);
    if (intermediate_is_known) account.certificates.push_back(public_entry("between", intermediate));
    Agreement& agreement = account.agreements.front();
    agreement.connection.url = server.url();
    agreement.connection.tls_trust = {agreements::TlsTrustMode::Pinned, "", {"partner-tls"}};
    agreement.connection.client_certificate_name = "acme-issued";
    pair_.acme.apply(account);
    return need(pair_.send("an order"));
  };
  EXPECT_EQ(send_to_one_who_knows_the_root(true).state, MessageState::Confirmed);
  EXPECT_THAT(send_to_one_who_knows_the_root(false).reason, testing::StartsWith("tls-refused-by-peer: "));
}

TEST_F(Shows, WhetherTheConnectionServesFurtherRequests) {
  EXPECT_EQ(need(send()).state, MessageState::Confirmed);
  EXPECT_EQ(need(send([](Agreement& agreement) {
              agreement.send_agreement.message_connection_settings.keep_http_connection_alive = false;
            })).state,
            MessageState::Confirmed);
  EXPECT_THAT(connections_, testing::ElementsAre("", "close"));
}

/// Acme owes receipts by a connection of their own.
class ShowsWithReceipts : public Shows {
 protected:
  /// The Authorization of the receipt that Acme posts to `server` after a message of Globex's.
  std::string authorization_at(ScriptedPartner& server) {
    std::promise<std::string> authorization;
    server.script = [&](const HttpRequest& request) {
      authorization.set_value(std::string(request.headers.value("Authorization").value_or("none")));
      return HttpResponse{};
    };
    auto [acmes, globexes] = pair_.accounts();
    OneWayAgreement& globex_sends = globexes.agreements.front().send_agreement;
    globex_sends.mdn_settings.send_mdn_asynchronously = true;
    globex_sends.mdn_settings.receipt_delivery_url = server.url();
    Agreement& agreement = acmes.agreements.front();
    agreement.connection.url = partner_.url();
    agreement.connection.tls_trust = {agreements::TlsTrustMode::Pinned, "", {"partner-tls"}};
    agreement.connection.basic_authentication = credentials();
    agreement.receive_agreement.receipt_policy.allowed_urls = {server.url()};
    agreement.receive_agreement.receipt_policy.allowed_networks = {"127.0.0.0/8"};
    acmes.certificates.push_back(public_entry("partner-tls", own_));
    pair_.acme.apply(acmes);
    pair_.globex.apply(globexes);
    need(pair_.globex.send("trade", "an order"));
    return authorization.get_future().get();
  }
};

TEST_F(ShowsWithReceipts, ThePasswordToThePartnersServer) {
  EXPECT_EQ(authorization_at(partner_), "Basic " + base64(as_bytes("acme:" + std::string(kPassword))));
}

TEST_F(ShowsWithReceipts, ThePasswordToNoOtherServer) {
  ScriptedPartner elsewhere{own_};
  EXPECT_EQ(authorization_at(elsewhere), "none");
}

}  // namespace
}  // namespace signet::test
