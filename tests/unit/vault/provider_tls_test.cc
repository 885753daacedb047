#include <openssl/ssl.h>

#include "base/openssl.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;
using SslPtr = Handle<SSL, SSL_free>;

struct TlsCase {
  const char* name;
  int version;
  const char* server_key;
  const char* client_key;
};

/// A context that shows a certificate, trusts another and speaks one version of TLS.
SslCtxPtr make_context(const SSL_METHOD* method, int version, const certstore::Certificate& own,
                       EVP_PKEY* key, const certstore::Certificate& trusted) {
  SslCtxPtr context(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), own.native()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key), 1);
  EXPECT_EQ(SSL_CTX_check_private_key(context.get()), 1);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted.native());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

/// Both ends of a connection in memory. @returns whether both finished their handshake.
bool handshake(SSL* client, SSL* server) {
  BIO* client_side = nullptr;
  BIO* server_side = nullptr;
  EXPECT_EQ(BIO_new_bio_pair(&client_side, 0, &server_side, 0), 1);
  SSL_set_bio(client, client_side, client_side);
  SSL_set_bio(server, server_side, server_side);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
  for (int i = 0; i < 20; ++i) {
    const int client_done = SSL_do_handshake(client);
    const int server_done = SSL_do_handshake(server);
    if (client_done == 1 && server_done == 1) return true;
    if (SSL_get_error(server, server_done) == SSL_ERROR_SSL ||
        SSL_get_error(client, client_done) == SSL_ERROR_SSL)
      return false;
  }
  return false;
}

class TlsHandshake : public EveryBackEndFor<TlsCase> {
 protected:
  TlsHandshake()
      : server_(test::make_certificate({.common_name = "server", .key = what().server_key})),
        client_(test::make_certificate({.common_name = "client", .key = what().client_key})),
        server_handle_(handle(import(server_, "server"))),
        client_handle_(handle(import(client_, "client"))),
        server_context_(make_context(TLS_server_method(), what().version, server_.certificate,
                                     server_handle_.native(), client_.certificate)),
        client_context_(make_context(TLS_client_method(), what().version, client_.certificate,
                                     client_handle_.native(), server_.certificate)) {}
  ~TlsHandshake() override { ERR_clear_error(); }

  certstore::PrivateCertificate server_;
  certstore::PrivateCertificate client_;
  certstore::KeyHandle server_handle_;
  certstore::KeyHandle client_handle_;
  SslCtxPtr server_context_;
  SslCtxPtr client_context_;
};

TEST_P(TlsHandshake, SucceedsWithKeysOfTheVaultOnBothSides) {
  const SslPtr server(SSL_new(server_context_.get()));
  const SslPtr client(SSL_new(client_context_.get()));
  ASSERT_TRUE(handshake(client.get(), server.get())) << take_openssl_error(ErrorKind::Internal, "").detail;
  EXPECT_EQ(SSL_version(client.get()), what().version);
  std::vector<std::string> signers;
  for (const AuditRecord& record : audit_.records())
    if (record.operation == "sign") signers.push_back(record.key.name);
  EXPECT_THAT(signers, testing::UnorderedElementsAre("server", "client"));
  EXPECT_TRUE(self_check().has_value());
}

TEST_P(TlsHandshake, FailsWhenTheVaultRefusesToSign) {
  grant("get,decrypt");
  const SslPtr server(SSL_new(server_context_.get()));
  const SslPtr client(SSL_new(client_context_.get()));
  EXPECT_FALSE(handshake(client.get(), server.get()));
  EXPECT_THAT(take_vault_refusal().value().detail, testing::HasSubstr("lacks the key permission 'sign'"));
}

SIGNET_EVERY_BACK_END_FOR(TlsHandshake,
                          testing::Values(TlsCase{"tls13_rsa", TLS1_3_VERSION, "rsa:2048", "rsa:2048"},
                                          TlsCase{"tls13_ec", TLS1_3_VERSION, "ec:P-256", "ec:P-384"},
                                          TlsCase{"tls12_rsa", TLS1_2_VERSION, "rsa:2048", "ec:P-256"},
                                          TlsCase{"tls12_ec", TLS1_2_VERSION, "ec:P-256", "rsa:2048"}));

class TlsOfTheVault : public EveryBackEnd {};

TEST_P(TlsOfTheVault, TlsDoesNotTakeAKeyOfAnotherCertificate) {
  const auto own = test::make_certificate();
  const auto other = test::make_certificate({.common_name = "other"});
  const certstore::KeyHandle key = handle(import(own));
  const SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  ASSERT_EQ(SSL_CTX_use_certificate(context.get(), other.certificate.native()), 1);
  EXPECT_NE(SSL_CTX_use_PrivateKey(context.get(), key.native()), 1);
  ERR_clear_error();
}

TEST_P(TlsOfTheVault, TlsKeyTransportByRsaIsRefused) {
  const auto server_certificate = test::make_certificate({.common_name = "server"});
  const auto client_certificate = test::make_certificate({.common_name = "client"});
  const certstore::KeyHandle key = handle(import(server_certificate));
  const SslCtxPtr server_context =
      make_context(TLS_server_method(), TLS1_2_VERSION, server_certificate.certificate, key.native(),
                   client_certificate.certificate);
  const SslCtxPtr client_context =
      make_context(TLS_client_method(), TLS1_2_VERSION, client_certificate.certificate,
                   client_certificate.key.native(), server_certificate.certificate);
  SSL_CTX_set_cipher_list(client_context.get(), "AES256-GCM-SHA384");
  const SslPtr server(SSL_new(server_context.get()));
  const SslPtr client(SSL_new(client_context.get()));
  EXPECT_FALSE(handshake(client.get(), server.get()));
  ERR_clear_error();
}

SIGNET_EVERY_BACK_END(TlsOfTheVault);

}  // namespace
}  // namespace signet::vault
