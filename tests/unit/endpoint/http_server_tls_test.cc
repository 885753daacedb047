#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/openssl.h"
#include "gateway/endpoint/http_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

/// The HTTP server's TLS: what it speaks, and whom it shows.

namespace signet::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;
using SslPtr = Handle<SSL, SSL_free>;

struct TlsServer : TestServer {
  TlsServer() {
    const auto own = signet::test::make_certificate(
        {.common_name = "localhost", .subject_alternative_name = "DNS:localhost,IP:127.0.0.1"});
    config.listeners[0].tls = TlsIdentity{own, {}};
  }
};

/// The certificate that a server shows.
std::string thumbprint_shown_at(std::uint16_t port) {
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  RawClient client(port);
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client.descriptor());
  if (SSL_connect(ssl.get()) != 1) return "refused";
  const Handle<X509, X509_free> shown(SSL_get1_peer_certificate(ssl.get()));
  Bytes der(static_cast<std::size_t>(i2d_X509(shown.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_X509(shown.get(), &out);
  return certstore::Certificate::parse(der)->thumbprint_sha256();
}

/// Whether a client that knows only this can agree with the server; then also the answer to a request.
std::string tls_answer(std::uint16_t port, int version, const char* ciphers, bool renegotiate = false) {
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  if (ciphers != nullptr) SSL_CTX_set_cipher_list(context.get(), ciphers);
  RawClient client(port);
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client.descriptor());
  if (SSL_connect(ssl.get()) != 1) return "refused";
  if (renegotiate && (SSL_renegotiate(ssl.get()) != 1 || SSL_do_handshake(ssl.get()) != 1)) return "refused";
  const std::string request = "GET /tls HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::string answer;
  char octets[4096];
  for (int got = 0; (got = SSL_read(ssl.get(), octets, sizeof octets)) > 0;)
    answer.append(octets, static_cast<std::size_t>(got));
  const bool closed_properly = (SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  ERR_clear_error();
  return closed_properly ? body_of(answer) : "cut off";
}

TEST(HttpServerTls, SpeaksModernTlsOnly) {
  TlsServer server;
  server.start();
  EXPECT_EQ(tls_answer(server.port(), TLS1_3_VERSION, nullptr), "GET /tls 0");
  EXPECT_EQ(tls_answer(server.port(), TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"), "GET /tls 0");
  EXPECT_EQ(tls_answer(server.port(), TLS1_2_VERSION, "AES128-GCM-SHA256"), "refused")
      << "no forward secrecy";
  EXPECT_EQ(tls_answer(server.port(), TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256"), "refused")
      << "no authenticated encryption";
  EXPECT_EQ(tls_answer(server.port(), TLS1_1_VERSION, "ALL"), "refused");
  EXPECT_EQ(tls_answer(server.port(), TLS1_2_VERSION, nullptr, true), "refused") << "renegotiation";
}

TEST(HttpServerTls, SpeaksNoMoreThanItsRulesSay) {
  TlsServer newest;
  newest.config.listeners[0].tls_rules.minimum = TlsVersion::Tls13;
  newest.start();
  EXPECT_EQ(tls_answer(newest.port(), TLS1_3_VERSION, nullptr), "GET /tls 0");
  EXPECT_EQ(tls_answer(newest.port(), TLS1_2_VERSION, nullptr), "refused");
  ASSERT_TRUE(newest.server->renew_tls("test", *newest.config.listeners[0].tls));
  EXPECT_EQ(tls_answer(newest.port(), TLS1_2_VERSION, nullptr), "refused")
      << "another identity, the same rules";

  TlsServer one_cipher;
  one_cipher.config.listeners[0].tls_rules.ciphers = "ECDHE-RSA-AES256-GCM-SHA384";
  one_cipher.start();
  EXPECT_EQ(tls_answer(one_cipher.port(), TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"), "GET /tls 0");
  EXPECT_EQ(tls_answer(one_cipher.port(), TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"), "refused");
}

TEST(TlsCiphers, AreOnlyThoseWithForwardSecrecyAndAuthenticatedEncryption) {
  EXPECT_TRUE(check_tls_ciphers("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"));
  for (const char* bad : {"", "ALL", "AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384:",
                          "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384", "@SECLEVEL=0"})
    EXPECT_FALSE(check_tls_ciphers(bad)) << bad;
  EXPECT_THAT(check_tls_ciphers("ECDHE-RSA-AES128-SHA").error().detail,
              AllOf(HasSubstr("'ECDHE-RSA-AES128-SHA'"), HasSubstr("ECDHE-ECDSA-AES256-GCM-SHA384, ")));
}

TEST(HttpServerTls, CutsOffAHandshakeThatStalls) {
  TlsServer server;
  server.config.limits.handshake_time = 200ms;
  server.start();
  RawClient client(server.port());
  client.send("\x16\x03\x01");
  EXPECT_EQ(client.until_end(), "");
}

TEST(HttpServerTls, ShowsAnotherIdentityWhileItRuns) {
  TlsServer server;
  server.start();
  const auto first = server.config.listeners[0].tls->own;
  const auto second = signet::test::make_certificate({.common_name = "second"});
  EXPECT_EQ(thumbprint_shown_at(server.port()), first.certificate.thumbprint_sha256());
  ASSERT_TRUE(server.server->renew_tls("test", TlsIdentity{second, {}}));
  EXPECT_EQ(thumbprint_shown_at(server.port()), second.certificate.thumbprint_sha256());
}

TEST(HttpServerTls, KeepsItsIdentityWhenAnotherWillNotDo) {
  TlsServer server;
  server.start();
  const auto first = server.config.listeners[0].tls->own;
  auto second = signet::test::make_certificate({.common_name = "second"});
  second.key = first.key;
  const auto misfit = server.server->renew_tls("test", TlsIdentity{second, {}});
  ASSERT_FALSE(misfit);
  EXPECT_EQ(misfit.error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(server.server->renew_tls("no-such", TlsIdentity{first, {}}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(thumbprint_shown_at(server.port()), first.certificate.thumbprint_sha256());
}

TEST(HttpServerTls, ServesPlainAndTlsListenersAtOnce) {
  TlsServer server;
  server.config.listeners.push_back(
      {.name = "plain", .address = "127.0.0.1", .port = 0, .tls = std::nullopt});
  server.start();
  EXPECT_EQ(tls_answer(server.port(0), TLS1_3_VERSION, nullptr), "GET /tls 0");
  RawClient plain(server.port(1));
  plain.send(get_of("/plain"));
  EXPECT_EQ(body_of(plain.answer()), "GET /plain 0");
  RawClient confused(server.port(0));
  confused.send(get_of("/plain"));
  EXPECT_EQ(status_of(confused.until_end()), 0);
}

}  // namespace
}  // namespace signet::gateway::test
