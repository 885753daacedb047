#pragma once

#include <openssl/ssl.h>

#include <optional>

#include "base/handle.h"
#include "gateway/endpoint/http_server.h"

/// What our TLS connections agree to. Internal to the module.

namespace signet::gateway {

using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;

/// TLS 1.2 and 1.3 only, forward secrecy and authenticated encryption only, no renegotiation, no compression.
void harden(SSL_CTX* context);

/// Presents `own` with `chain` behind it. @error InvalidInput  OpenSSL refuses them, or the key does not fit
/// the certificate.
Result<> present(SSL_CTX* context, const certstore::PrivateCertificate& own,
                 const std::vector<certstore::Certificate>& chain);

/// A server's context for a listener. @error InvalidInput  as present().
Result<SslCtxPtr> make_server_context(const TlsIdentity& identity, ClientCertificates client_certificates);

/// The certificate that a client has shown, and has proved to have the key of; nothing when it showed none.
std::optional<certstore::Certificate> client_certificate(const SSL* connection);

}  // namespace signet::gateway
