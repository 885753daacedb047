#include "gateway/endpoint/tls_context_internal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/openssl.h"
#include "certstore/x509/host_name.h"

namespace signet::gateway {
namespace {

/// HTTP/1.1 when the client offers it; a client that offers only something else finds out by our silence
/// [RFC7301 3.2].
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* /*argument*/) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// Octets of the certificates that a client may show: nobody knows it yet.
constexpr long kMaxClientCertificates = 32 * 1024;

/// Whom a client's certificate stands for is the agreement's matter, which is known when the request has been
/// read. So no chain is built here: that would be work for strangers, and would refuse the self-signed
/// certificates that partners pin.
void ask_for_certificate(SSL_CTX* context, bool required) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(
      context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  SSL_CTX_set_max_cert_list(context, kMaxClientCertificates);
}

/// TLS 1.2's with forward secrecy and authenticated encryption, best first; all of 1.3's have both.
constexpr std::array<std::string_view, 6> kCiphers{
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",   "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"};

}  // namespace

Result<> check_tls_ciphers(std::string_view ciphers) {
  for (std::size_t begin = 0; begin <= ciphers.size();) {
    const std::string_view cipher = ciphers.substr(begin, ciphers.find(':', begin) - begin);
    if (std::find(kCiphers.begin(), kCiphers.end(), cipher) == kCiphers.end())
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("'{}' is no cipher that is spoken here in TLS 1.2: name some of {}, with ':' between",
                      printable(cipher), fmt::join(kCiphers, ", ")));
    begin += cipher.size() + 1;
  }
  return {};
}

Result<> harden(SSL_CTX* context, const TlsRules& rules) {
  SIGNET_CHECK(rules.ciphers.empty() ? Result<>{} : check_tls_ciphers(rules.ciphers));
  const std::string ciphers =
      rules.ciphers.empty() ? fmt::format("{}", fmt::join(kCiphers, ":")) : rules.ciphers;
  SSL_CTX_set_min_proto_version(context,
                                rules.minimum == TlsVersion::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(context, ciphers.c_str());
  char groups[] = "X25519:P-256:P-384:P-521";  // the macro casts const away
  SSL_CTX_set1_groups_list(context, groups);
  return {};
}

Result<> present(SSL_CTX* context, const certstore::PrivateCertificate& own,
                 const std::vector<certstore::Certificate>& chain) {
  const auto failed = [&](std::string_view what) {
    return fail(take_openssl_error(
        ErrorKind::InvalidInput,
        fmt::format("{} of the TLS certificate {}", what, own.certificate.thumbprint_sha256())));
  };
  if (SSL_CTX_use_certificate(context, own.certificate.native()) != 1) return failed("using the public half");
  if (SSL_CTX_use_PrivateKey(context, own.key.native()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return failed("using the key");
  for (const certstore::Certificate& intermediate : chain)
    if (SSL_CTX_add1_chain_cert(context, intermediate.native()) != 1) return failed("adding an intermediate");
  return {};
}

namespace {

/// What a session is bound to: the most that OpenSSL keeps of it.
std::string session_context_of(const certstore::Certificate& certificate) {
  return certificate.thumbprint_sha256().substr(0, SSL_MAX_SID_CTX_LENGTH);
}

/// What a listener shows to who asks for another host than its first identity is for: kept by the context of
/// that one, and freed with it.
struct OtherIdentity {
  certstore::Certificate certificate;
  SslCtxPtr context;
};
struct Identities {
  certstore::Certificate first;
  std::vector<OtherIdentity> others;
};

int identities_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void* /*parent*/, void* identities, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
         void* /*argp*/) { const std::unique_ptr<Identities> owner(static_cast<Identities*>(identities)); });
  return kIndex;
}

/// The host that a client asks for; empty: none. Whether the message is well-formed, OpenSSL judges later on.
/// [RFC6066 3]
std::string_view asked_host(SSL* connection) {
  const unsigned char* octets = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_server_name, &octets, &size) != 1) return {};
  constexpr std::size_t kHead = 5;  // of the list its size, of its first name type and size
  if (size < kHead || octets[2] != TLSEXT_NAMETYPE_host_name) return {};
  const std::size_t length = static_cast<std::size_t>(octets[3]) << 8 | octets[4];
  if (length == 0 || length > size - kHead || length > TLSEXT_MAXLEN_host_name) return {};
  return {reinterpret_cast<const char*>(octets) + kHead, length};
}

/// Before OpenSSL looks for the session that the client would resume, which belongs to one identity.
int choose_identity(SSL* connection, int* /*alert*/, void* /*argument*/) {
  const auto* identities =
      static_cast<const Identities*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), identities_index()));
  const std::string_view host = asked_host(connection);
  if (identities == nullptr || host.empty() || certstore::is_for_host(identities->first, host))
    return SSL_CLIENT_HELLO_SUCCESS;
  for (const OtherIdentity& other : identities->others)
    if (certstore::is_for_host(other.certificate, host)) {
      SSL_set_SSL_CTX(connection, other.context.get());
      break;
    }
  return SSL_CLIENT_HELLO_SUCCESS;
}

/// A context that shows one identity. A session is of its certificate, and resumed under no other.
Result<SslCtxPtr> make_context_of_one(const TlsIdentity& identity, ClientCertificates client_certificates,
                                      const TlsRules& rules) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(take_openssl_error(ErrorKind::Internal, "making a TLS context"));
  SIGNET_CHECK(harden(context.get(), rules));
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  const std::string session_context = session_context_of(identity.own.certificate);
  SSL_CTX_set_session_id_context(context.get(),
                                 reinterpret_cast<const unsigned char*>(session_context.data()),
                                 static_cast<unsigned>(session_context.size()));
  if (client_certificates != ClientCertificates::NotAsked)
    ask_for_certificate(context.get(), client_certificates == ClientCertificates::Required);
  SIGNET_CHECK(present(context.get(), identity.own, identity.chain));
  return context;
}

}  // namespace

Result<SslCtxPtr> make_server_context(const TlsIdentity& identity, ClientCertificates client_certificates,
                                      const TlsRules& rules) {
  SIGNET_TRY(SslCtxPtr context, make_context_of_one(identity, client_certificates, rules));
  if (identity.for_other_hosts.empty()) return context;
  auto identities = std::make_unique<Identities>(Identities{identity.own.certificate, {}});
  for (const TlsIdentity& other : identity.for_other_hosts) {
    SIGNET_TRY(SslCtxPtr made, make_context_of_one(other, client_certificates, rules));
    identities->others.push_back({other.own.certificate, std::move(made)});
  }
  if (SSL_CTX_set_ex_data(context.get(), identities_index(), identities.get()) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "making a TLS context"));
  static_cast<void>(identities.release());  // the context's now
  SSL_CTX_set_client_hello_cb(context.get(), choose_identity, nullptr);
  return context;
}

std::optional<certstore::Certificate> client_certificate(const SSL* connection) {
  X509* const shown = SSL_get0_peer_certificate(connection);
  unsigned char* der = nullptr;
  const int size = shown == nullptr ? 0 : i2d_X509(shown, &der);
  const OpensslMemory owner(der);
  if (size <= 0) return std::nullopt;
  auto certificate = certstore::Certificate::parse(ByteView(der, static_cast<std::size_t>(size)));
  if (!certificate) return std::nullopt;
  return *std::move(certificate);
}

}  // namespace signet::gateway
