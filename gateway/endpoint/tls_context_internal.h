#pragma once

#include <openssl/ssl.h>

#include <optional>

#include "base/handle.h"
#include "gateway/endpoint/http_server.h"

/// What our TLS connections agree to. Internal to the module.

namespace signet::gateway {

using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;

/// Nothing beyond TlsRules, no renegotiation, no compression. @error InvalidInput  as check_tls_ciphers().
Result<> harden(SSL_CTX* context, const TlsRules& rules);

/// Presents `own` with `chain` behind it. @error InvalidInput  OpenSSL refuses them, or the key does not fit
/// the certificate.
Result<> present(SSL_CTX* context, const certstore::PrivateCertificate& own,
                 const std::vector<certstore::Certificate>& chain);

/// A server's context for a listener. Its tickets are sealed with a key of its own, and a session is resumed
/// under the identity that it began with, or not at all. @error InvalidInput  as present().
Result<SslCtxPtr> make_server_context(const TlsIdentity& identity, ClientCertificates client_certificates,
                                      const TlsRules& rules);

/// The certificate that a client has shown, and has proved to have the key of; nothing when it showed none.
std::optional<certstore::Certificate> client_certificate(const SSL* connection);

}  // namespace signet::gateway
