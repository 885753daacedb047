#include "gateway/endpoint/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <thread>

#include "base/digest.h"
#include "base/openssl.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

namespace signet::gateway::test {
namespace {

using namespace std::chrono_literals;
using certstore::PrivateCertificate;
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
  expect_error(refused, ErrorKind::CryptoFailure, server.own.certificate.thumbprint_sha256());
  expect_error(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {})), ErrorKind::CryptoFailure,
               "not trusted");
  EXPECT_EQ(server.handler.targets().size(), 1U) << "something was sent to a server that was not trusted";
}

TEST(HttpClientTls, TrustsItsAuthoritiesAndNoOthers) {
  TlsServer server;
  const auto other = signet::test::make_certificate({.common_name = "Other Authority"});
  HttpClient client;
  EXPECT_TRUE(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {server.own.certificate})));
  expect_error(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {other.certificate})),
               ErrorKind::CryptoFailure, "self-signed certificate");
  expect_error(client.post(server.post_trusting(TlsTrust::Kind::Authorities, {})), ErrorKind::CryptoFailure,
               "certificate");
}

TEST(HttpClientTls, DoesNotReuseAConnectionThatWasTrustedForAnotherReason) {
  TlsServer server;
  HttpClient client;
  EXPECT_TRUE(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate})));
  expect_error(client.post(server.post_trusting(TlsTrust::Kind::System, {})), ErrorKind::CryptoFailure,
               "self-signed certificate");
}

TEST(HttpClientTls, ChecksTheNameUnlessToldNotTo) {
  TlsServer server({.common_name = "elsewhere", .subject_alternative_name = "DNS:elsewhere.example"});
  HttpClient client;
  HttpPost post = server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate});
  expect_error(client.post(post), ErrorKind::CryptoFailure, "name");
  EXPECT_THAT(server.handler.targets(), IsEmpty());
  post.trust.ignore_name_mismatch = true;
  EXPECT_TRUE(client.post(post));
}

TEST(HttpClientTls, RefusesAnExpiredCertificateEvenIfPinned) {
  TlsServer server(
      {.common_name = "localhost", .not_after = "2021-01-01", .subject_alternative_name = "IP:127.0.0.1"});
  HttpClient client;
  expect_error(client.post(server.post_trusting(TlsTrust::Kind::Pinned, {server.own.certificate})),
               ErrorKind::CryptoFailure, "expired");
}

TEST(HttpClientTls, DoesNotSpeakTlsWithAPlainServer) {
  TestServer server;
  server.start();
  HttpClient client;
  expect_error(client.post(post_to(server.url("/as2", "https"))), ErrorKind::CryptoFailure, "TLS");
  EXPECT_THAT(server.handler.targets(), IsEmpty());
}

/// A TLS server that asks one client for its certificate, answers 200, and tells whose certificate came.
class AskingServer {
 public:
  explicit AskingServer(const PrivateCertificate& own)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, own] { serve(own); });
  }
  ~AskingServer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  AskingServer(const AskingServer&) = delete;
  AskingServer& operator=(const AskingServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  std::string thumbprint_shown() {
    thread_.join();
    return shown_;
  }

 private:
  void serve(const PrivateCertificate& own) {
    const Handle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), own.certificate.native());
    SSL_CTX_use_PrivateKey(context.get(), own.key.native());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(
        context.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    const int socket = ::accept(listener_, nullptr, nullptr);
    const Handle<SSL, SSL_free> ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket);
    if (SSL_accept(ssl.get()) == 1) {
      const X509Ptr certificate(SSL_get1_peer_certificate(ssl.get()));
      unsigned char* der = nullptr;
      const int size = i2d_X509(certificate.get(), &der);
      const OpensslMemory owner(der);
      shown_ = hex_upper(digest(Hash::Sha256, ByteView(der, static_cast<std::size_t>(size))));
      char octets[4096];
      std::string request;
      while (!request.ends_with("hello")) {
        const int got = SSL_read(ssl.get(), octets, sizeof octets);
        if (got <= 0) break;
        request.append(octets, static_cast<std::size_t>(got));
      }
      const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(ssl.get());
    }
    ::close(socket);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::string shown_;
  std::thread thread_;
};

TEST(HttpClientTls, ShowsItsCertificateToAServerThatAsks) {
  const auto own = signet::test::make_certificate(
      {.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1"});
  const auto ours = signet::test::make_certificate({.common_name = "Signet", .key = "ec:P-256"});
  AskingServer server(own);
  HttpClient client;
  HttpPost post = post_to("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  post.trust = {TlsTrust::Kind::Pinned, {own.certificate}, false};
  post.client_certificate = ours;
  const auto answer = client.post(post);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(server.thumbprint_shown(), ours.certificate.thumbprint_sha256());
}

TEST(HttpClientTls, FailsWithoutTheCertificateThatTheServerWants) {
  const auto own = signet::test::make_certificate(
      {.common_name = "localhost", .subject_alternative_name = "IP:127.0.0.1"});
  AskingServer server(own);
  HttpClient client;
  HttpPost post = post_to("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  post.trust = {TlsTrust::Kind::Pinned, {own.certificate}, false};
  EXPECT_FALSE(client.post(post));
}

}  // namespace
}  // namespace signet::gateway::test
