#include "gateway/endpoint/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <thread>

#include "base/digest.h"
#include "base/openssl.h"
#include "gateway/endpoint/post_fault.h"
#include "tests/integration/loopback_listener.h"
#include "tests/support/odd_tls_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

namespace signet::gateway::test {
namespace {

using namespace std::chrono_literals;
using certstore::PrivateCertificate;
using signet::test::OddTlsServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

HttpPost post_to(const std::string& url, const std::string& body = "hello") {
  HttpPost post;
  post.url = url;
  post.body = Slice::of(body);
  return post;
}

std::string text_of(const Slice& slice) { return std::string(as_text(slice.to_bytes(1 << 20).value())); }

/// What an answer must be told to be: an error of this kind whose text says this.
void expect_error(const Result<HttpAnswer>& answer, ErrorKind kind, const std::string& words) {
  ASSERT_FALSE(answer) << answer->status;
  EXPECT_EQ(to_string(answer.error().kind), to_string(kind)) << answer.error().detail;
  EXPECT_THAT(answer.error().detail, HasSubstr(words));
}

/// A failure that begins with the word of its fault, which everybody who reads a reason can rely on.
void expect_tls_failure(const Result<HttpAnswer>& answer, PostFault fault, const std::string& words) {
  expect_error(answer, ErrorKind::CryptoFailure, words);
  if (answer) return;
  EXPECT_EQ(fault_of(answer.error().detail), fault) << answer.error().detail;
  EXPECT_THAT(answer.error().detail, HasSubstr(": https://127.0.0.1:"));
}

TEST(HttpClient, PostsABodyWithItsLengthAndReadsTheAnswer) {
  TestServer server;
  std::promise<HttpRequest> seen;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    HttpResponse response;
    response.status = 202;
    response.headers.add("AS2-From", "Partner One");
    response.body = Slice::of("receipt");
    seen.set_value(std::move(request));
    responder.respond(std::move(response));
  };
  server.start();
  HttpClient client;
  HttpPost post = post_to(server.url("/as2?x=1"));
  post.headers.add("AS2-To", "\"Partner One\"");
  post.headers.add("X-Empty", "");
  const auto answer = client.post(post);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->headers.value("as2-from"), "Partner One");
  EXPECT_EQ(text_of(answer->body), "receipt");
  const HttpRequest request = seen.get_future().get();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/as2?x=1");
  EXPECT_EQ(request.headers.value("Content-Length"), "5");
  EXPECT_EQ(request.headers.value("as2-to"), "\"Partner One\"");
  EXPECT_EQ(request.headers.value("X-Empty"), "");
  for (const char* unasked : {"Transfer-Encoding", "Expect", "Content-Type", "Accept", "Accept-Encoding"})
    EXPECT_FALSE(request.headers.has(unasked)) << unasked;
  EXPECT_EQ(text_of(request.body), "hello");
}

TEST(HttpClient, StreamsLargeBodiesBothWays) {
  TestServer server;
  server.handler.request = [](HttpRequest request, Responder responder) {
    HttpResponse response;
    response.body = request.body;
    responder.respond(std::move(response));
  };
  server.start();
  HttpClient client(SpoolArea{server.directory.path()});
  HttpPost post = post_to(server.url(), std::string(5'000'000, 'x') + "end");
  for (const bool ask_first : {false, true}) {
    post.expect_continue = ask_first;
    const auto answer = client.post(post);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_FALSE(answer->body.in_memory());
    EXPECT_EQ(digest(Hash::Sha256, answer->body).value(), digest(Hash::Sha256, post.body).value());
  }
}

TEST(HttpClient, UsesItsConnectionAgain) {
  TestServer server;
  server.config.limits.connections = 1;
  server.start();
  HttpClient client;
  for (int i = 0; i < 5; ++i) {
    const auto answer = client.post(post_to(server.url()));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
  }
}

TEST(HttpClient, KeepsNoConnectionThatIsToServeOnePostAlone) {
  TestServer server;
  std::vector<std::string> connection_fields;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    connection_fields.emplace_back(request.headers.value("Connection").value_or(""));
    responder.respond(HttpResponse{});
  };
  server.start();
  HttpClient client;
  HttpPost alone = post_to(server.url());
  alone.keep_alive = false;
  ASSERT_TRUE(client.post(post_to(server.url())));
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.post(alone);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->headers.value("Connection"), "close");
  }
  ASSERT_TRUE(client.post(post_to(server.url())));
  EXPECT_THAT(connection_fields, ElementsAre("", "close", "close", ""));
}

TEST(HttpClient, PostsFromSeveralThreadsAtOnce) {
  TestServer server;
  server.start();
  HttpClient client;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        const auto answer = client.post(post_to(server.url()));
        good += answer && answer->status == 200 ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
}

TEST(HttpClient, RefusesWhatItMustNotSend) {
  HttpClient client;
  for (const char* url :
       {"ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", "http://user:secret@127.0.0.1/",
        "http://127.0.0.1/#x", "http://127.0.0.1/\r\nX: y", "gopher://127.0.0.1/", "http://"})
    expect_error(client.post(post_to(url)), ErrorKind::InvalidInput, "URL");
  for (const char* name :
       {"Host", "Content-Length", "transfer-encoding", "Connection", "Bad Name", "X:Y", ""}) {
    HttpPost post = post_to("http://127.0.0.1:1/");
    post.headers.add(name, "1");
    expect_error(client.post(post), ErrorKind::InvalidInput, "header");
  }
  HttpPost post = post_to("http://127.0.0.1:1/");
  post.basic = BasicCredentials{"a:b", SecretBytes::copy_of("x")};
  expect_error(client.post(post), ErrorKind::InvalidInput, "user name");
}

TEST(HttpClient, SendsCredentialsUnasked) {
  TestServer server;
  std::promise<std::string> seen;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    seen.set_value(std::string(request.headers.value("Authorization").value_or("none")));
    responder.respond({});
  };
  server.start();
  HttpClient client;
  HttpPost post = post_to(server.url());
  post.basic = BasicCredentials{"signet", SecretBytes::copy_of("open sesame")};
  ASSERT_TRUE(client.post(post));
  EXPECT_EQ(seen.get_future().get(), "Basic " + base64(as_bytes("signet:open sesame")));
}

TEST(HttpClient, DoesNotFollowARedirect) {
  TestServer server;
  server.handler.request = [&](HttpRequest, Responder responder) {
    HttpResponse response;
    response.status = 307;
    response.headers.add("Location", "/elsewhere");
    responder.respond(std::move(response));
  };
  server.start();
  HttpClient client;
  const auto answer = client.post(post_to(server.url()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 307);
  EXPECT_THAT(server.handler.targets(), ElementsAre("/as2"));
}

TEST(HttpClient, TakesNoProxyFromTheEnvironment) {
  TestServer server;
  server.start();
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  HttpClient client;
  const auto answer = client.post(post_to(server.url()));
  ::unsetenv("http_proxy");
  EXPECT_TRUE(answer);
}

TEST(HttpClient, CutsOffAnAnswerOverTheLimit) {
  TestServer server;
  server.handler.request = [](HttpRequest request, Responder responder) {
    HttpResponse response;
    if (request.target == "/line") response.headers.add("X", std::string(200'000, 'x'));
    if (request.target == "/head") {
      for (int i = 0; i < 20; ++i) response.headers.add("X", std::string(5000, 'x'));
    } else {
      response.body = Slice::of(std::string(1001, 'x'));
    }
    responder.respond(std::move(response));
  };
  server.start();
  HttpClient client;
  HttpPost post = post_to(server.url());
  post.answer_limit = 1001;
  EXPECT_TRUE(client.post(post));
  post.answer_limit = 1000;
  expect_error(client.post(post), ErrorKind::LimitExceeded, "answer");
  expect_error(client.post(post_to(server.url("/head"))), ErrorKind::LimitExceeded, "head");
  expect_error(client.post(post_to(server.url("/line"))), ErrorKind::LimitExceeded,
               "head is longer than 65536");
}

TEST(HttpClient, CallsAPeerThatDoesNotAnswerUnavailable) {
  TestServer server;
  std::mutex mutex;
  std::vector<Responder> parked;
  server.handler.request = [&](HttpRequest, Responder responder) {
    const std::lock_guard lock(mutex);
    parked.push_back(std::move(responder));
  };
  server.start();
  HttpClient client;
  HttpPost post = post_to(server.url());
  post.total_timeout = 200ms;
  expect_error(client.post(post), ErrorKind::Unavailable, "timed out");
  server.server->stop(0ms);
  expect_error(client.post(post), ErrorKind::Unavailable, "127.0.0.1");
}

TEST(HttpClient, CallsAPeerUnavailableWhoseAnswerIsNoHttp) {
  const signet::test::LoopbackListener listener;
  std::thread peer([&] {
    const int connection = listener.accept();
    char octets[4096];
    while (::recv(connection, octets, sizeof octets, 0) == sizeof octets) continue;
    constexpr std::string_view kGreeting = "220 mail.example ESMTP\r\n";
    ::send(connection, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL);
    ::close(connection);
  });
  expect_error(HttpClient().post(post_to(listener.url())), ErrorKind::Unavailable, "HTTP/0.9");
  peer.join();
}

// ---- TLS
// -----------------------------------------------------------------------------------------------------------

struct TlsServer : TestServer {
  PrivateCertificate own;
  explicit TlsServer(
      const signet::test::CertificateSpec& spec = {.common_name = "localhost",
                                                   .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"})
      : own(signet::test::make_certificate(spec)) {
    config.listeners[0].tls = TlsIdentity{own, {}};
    start();
  }
  [[nodiscard]] HttpPost post_trusting(TlsTrust::Kind kind,
                                       std::vector<certstore::Certificate> certificates) const {
    HttpPost post = post_to(url("/as2", "https"));
    post.trust = {kind, std::move(certificates), false};
    return post;
  }
};

TEST(HttpClientTls, TrustsAPinnedCertificateAndNoOther) {
  TlsServer server;
  const auto other = signet::test::make_certificate(
      {.common_name = "localhost", .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"});
  HttpClient client;
  const auto answer =
      client.post(server.post_trusting(TlsTrust::Kind::Pinned, {other.certificate, server.own.certificate}));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);

  // Same key, same name, and still another certificate: and the error says which one came.
  const auto refused = client.post(server.post_trusting(TlsTrust::Kind::Pinned, {other.certificate}));
  expect_tls_failure(refused, PostFault::TlsNotPinned, server.own.certificate.thumbprint_sha256());
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {})), PostFault::TlsNotPinned,
                     "none of those pinned");
  EXPECT_EQ(server.handler.targets().size(), 1U) << "something was sent to a server that was not trusted";
}

TEST(HttpClientTls, TrustsItsAuthoritiesAndNoOthers) {
  TlsServer server;
  const auto other = signet::test::make_certificate({.common_name = "Other Authority"});
  HttpClient client;
  EXPECT_TRUE(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {server.own.certificate})));
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {other.certificate})),
                     PostFault::TlsUntrusted, "self-signed certificate");
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {})),
                     PostFault::TlsUntrusted, "certificate");
}

TEST(HttpClientTls, TrustsWhatItsAuthorityIssuedAndNothingOfAnother) {
  const auto authority = signet::test::make_certificate({.common_name = "Authority", .authority = true});
  const auto impostor = signet::test::make_certificate({.common_name = "Impostor", .authority = true});
  TlsServer server(
      {.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1", .issuer = &authority});
  HttpClient client;
  const auto answer = client.post(
      server.post_trusting(TlsTrust::Kind::Authorities, {impostor.certificate, authority.certificate}));
  EXPECT_TRUE(answer) << answer.error().detail;
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {impostor.certificate})),
                     PostFault::TlsUntrusted, "unable to get local issuer certificate");
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::System, {})), PostFault::TlsUntrusted,
                     "unable to get local issuer certificate");
  EXPECT_EQ(server.handler.targets().size(), 1U) << "something was sent to a server that was not trusted";
}

TEST(HttpClientTls, TrustsNothingThatItsAuthorityIssuedAndThatHasExpired) {
  const auto authority = signet::test::make_certificate({.common_name = "Authority", .authority = true});
  TlsServer server({.common_name = "localhost",
                    .not_after = "2021-01-01",
                    .subject_alternative_name = "IP:127.0.0.1",
                    .issuer = &authority});
  HttpClient client;
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {authority.certificate})),
                     PostFault::TlsExpired, "certificate has expired");
  EXPECT_THAT(server.handler.targets(), IsEmpty());
}

TEST(HttpClientTls, DoesNotReuseAConnectionThatWasTrustedForAnotherReason) {
  TlsServer server;
  HttpClient client;
  EXPECT_TRUE(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate})));
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::System, {})), PostFault::TlsUntrusted,
                     "self-signed certificate");
}

TEST(HttpClientTls, AsksAboutATrustedServerBeforeEachRequestAndShowsWhoVouchesForIt) {
  const auto authority = signet::test::make_certificate({.common_name = "Authority", .authority = true});
  TlsServer server(
      {.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1", .issuer = &authority});
  HttpClient client;
  std::vector<std::string> asked;
  std::optional<ServerRefusal> refusal;
  HttpPost post = server.post_trusting(TlsTrust::Kind::Authorities, {authority.certificate});
  post.check_server = [&](const gateway::TlsServer& shown) {
    asked.push_back(shown.certificate.subject());
    for (const auto& issuer : shown.issuers) asked.back() += " by " + issuer.subject();
    return refusal;
  };
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.post(post));
  EXPECT_THAT(asked, testing::Each("CN=localhost by CN=Authority"));
  refusal = ServerRefusal{PostFault::TlsRevoked, "it is on the list"};
  expect_tls_failure(client.post(post), PostFault::TlsRevoked, "it is on the list");
  expect_tls_failure(HttpClient().post(post), PostFault::TlsRevoked,
                     server.own.certificate.thumbprint_sha256());
  EXPECT_THAT(asked, testing::SizeIs(4));
  EXPECT_EQ(server.handler.targets().size(), 2U) << "something was sent to a server that was refused";
  refusal.reset();
  EXPECT_TRUE(client.post(post));
}

TEST(HttpClientTls, AsksAboutNoServerThatIsNotTrustedOrHasNoTls) {
  TlsServer server({.common_name = "localhost", .subject_alternative_name = "DNS:elsewhere.example"});
  HttpClient client;
  int asked = 0;
  const auto check = [&](const gateway::TlsServer& shown) -> std::optional<ServerRefusal> {
    ++asked;
    EXPECT_THAT(shown.issuers, IsEmpty()) << "it is pinned";
    return std::nullopt;
  };
  HttpPost untrusted = server.post_trusting(TlsTrust::Kind::System, {});
  HttpPost misnamed = server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate});
  untrusted.check_server = misnamed.check_server = check;
  expect_tls_failure(client.post(untrusted), PostFault::TlsUntrusted, "self-signed certificate");
  expect_tls_failure(client.post(misnamed), PostFault::TlsNameMismatch, "127.0.0.1");
  TestServer plain;
  plain.start();
  HttpPost open = post_to(plain.url());
  open.check_server = check;
  EXPECT_TRUE(client.post(open));
  EXPECT_EQ(asked, 0);
  misnamed.trust.ignore_name_mismatch = true;
  EXPECT_TRUE(client.post(misnamed));
  EXPECT_EQ(asked, 1);
}

TEST(HttpClientTls, ChecksTheNameUnlessToldNotTo) {
  TlsServer server({.common_name = "elsewhere", .subject_alternative_name = "DNS:elsewhere.example"});
  HttpClient client;
  HttpPost post = server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate});
  expect_tls_failure(client.post(post), PostFault::TlsNameMismatch, "name");
  EXPECT_THAT(server.handler.targets(), IsEmpty());
  post.trust.ignore_name_mismatch = true;
  EXPECT_TRUE(client.post(post));
}

TEST(HttpClientTls, RefusesAnExpiredCertificateEvenIfPinned) {
  TlsServer server(
      {.common_name = "localhost", .not_after = "2021-01-01", .subject_alternative_name = "IP:127.0.0.1"});
  HttpClient client;
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate})),
                     PostFault::TlsExpired, "expired");
}

TEST(HttpClientTls, RefusesACertificateOfTomorrowEvenIfPinned) {
  TlsServer server({.common_name = "localhost",
                    .not_before = "2199-01-01",
                    .not_after = "2200-01-01",
                    .subject_alternative_name = "IP:127.0.0.1"});
  HttpClient client;
  expect_tls_failure(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate})),
                     PostFault::TlsNotYetValid, "not yet valid");
}

TEST(PostFault, IsFoundAtTheBeginningOfAReasonAndNowhereElse) {
  EXPECT_EQ(fault_of("tls-expired: https://as2.example/: certificate has expired"), PostFault::TlsExpired);
  EXPECT_EQ(fault_of("unauthorized: the partner answered HTTP 401"), PostFault::Unauthorized);
  for (const char* other : {"", "tls-expired", "tls-expire: x", " tls-expired: x", "tls: x", ": x",
                            "the partner answered HTTP 500: tls-expired: x"})
    EXPECT_FALSE(fault_of(other)) << other;
}

TEST(HttpClientTls, DoesNotFollowARedirectToPlainHttp) {
  TestServer plain;
  plain.start();
  TlsServer server;
  server.handler.request = [&](HttpRequest, Responder responder) {
    HttpResponse response;
    response.status = 308;
    response.headers.add("Location", plain.url());
    responder.respond(std::move(response));
  };
  HttpClient client;
  const auto answer = client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate}));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 308);
  EXPECT_THAT(plain.handler.targets(), IsEmpty());
}

TEST(HttpClientTls, DoesNotSpeakTlsWithAPlainServer) {
  TestServer server;
  server.start();
  HttpClient client;
  expect_tls_failure(client.post(post_to(server.url("/as2", "https"))), PostFault::TlsNotSpoken,
                     "wrong version number");
  EXPECT_THAT(server.handler.targets(), IsEmpty());
}

/// A post that would trust this server.
HttpPost post_trusting(const OddTlsServer& server, const PrivateCertificate& own) {
  HttpPost post = post_to(server.url());
  post.trust = {TlsTrust::Kind::Pinned, {own.certificate}, false};
  return post;
}

PrivateCertificate server_certificate() {
  return signet::test::make_certificate(
      {.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1"});
}

void demand_certificate(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
}

TEST(HttpClientTls, ShowsItsCertificateToAServerThatAsks) {
  const auto own = server_certificate();
  const auto ours = signet::test::make_certificate({.common_name = "Signet", .key = "ec:P-256"});
  OddTlsServer server(own, demand_certificate);
  HttpClient client;
  HttpPost post = post_trusting(server, own);
  post.client_certificate = ours;
  const auto answer = client.post(post);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(server.thumbprint_shown(), ours.certificate.thumbprint_sha256());
}

TEST(HttpClientTls, SaysThatTheServerWantsACertificate) {
  const auto own = server_certificate();
  OddTlsServer server(own, demand_certificate);  // TLS 1.3: our handshake is over before the server minds
  HttpClient client;
  expect_tls_failure(client.post(post_trusting(server, own)), PostFault::TlsRefusedByPeer,
                     "alert 'certificate required'");
}

TEST(HttpClientTls, SaysThatTheServerRefusesOurCertificate) {
  const auto own = server_certificate();
  const auto ours = signet::test::make_certificate({.common_name = "Signet", .key = "ec:P-256"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    OddTlsServer server(own, [&](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);  // by no authority: ours is none it knows
    });
    HttpClient client;
    HttpPost post = post_trusting(server, own);
    post.client_certificate = ours;
    expect_tls_failure(client.post(post), PostFault::TlsRefusedByPeer, "alert 'unknown CA'");
  }
}

TEST(HttpClientTls, SpeaksNothingOlderThanTls12) {
  const auto own = server_certificate();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    OddTlsServer server(own, [&](SSL_CTX* context) {
      SSL_CTX_set_security_level(context, 0);
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_cipher_list(context, "ALL");
    });
    HttpClient client;
    expect_tls_failure(client.post(post_trusting(server, own)), PostFault::TlsRefusedByPeer, "alert");
  }
}

TEST(HttpClientTls, SpeaksNothingOlderThanThePostAllows) {
  const auto own = server_certificate();
  const auto post_at_least = [&](TlsVersion minimum) {
    OddTlsServer server(own,
                        [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
    HttpClient client;
    HttpPost post = post_trusting(server, own);
    post.minimum_tls = minimum;
    return client.post(post);
  };
  EXPECT_TRUE(post_at_least(TlsVersion::Tls12));
  expect_tls_failure(post_at_least(TlsVersion::Tls13), PostFault::TlsRefusedByPeer,
                     "alert 'protocol version'");
}

TEST(HttpClientTls, TakesForwardSecrecyWithAuthenticatedEncryptionAndNothingElse) {
  const auto own = server_certificate();
  const auto post_with = [&](const char* ciphers) {
    OddTlsServer server(own, [&](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
      SSL_CTX_set_cipher_list(context, ciphers);
    });
    HttpClient client;
    return client.post(post_trusting(server, own));
  };
  for (const char* good :
       {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"})
    EXPECT_TRUE(post_with(good)) << good;
  for (const char* bad : {"AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA"})
    expect_tls_failure(post_with(bad), PostFault::TlsRefusedByPeer, "alert 'handshake failure'");
}

}  // namespace
}  // namespace signet::gateway::test
