#pragma once

#include <string_view>

#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// Whether a certificate is for a host: by its subject alternative names, or by its common name where it has
/// none of hosts (RFC 6125 section 6.4). A wildcard stands for one whole label. Case does not matter.
///
/// @param host  a name, or an IPv4 or IPv6 address without brackets; may come from a peer
bool is_for_host(const Certificate& certificate, std::string_view host);

/// Whether a TLS server may show it, by its extended key usage and key usage (RFC 5280 section 4.2.1.12). A
/// certificate without these extensions may be shown.
bool is_for_tls_servers(const Certificate& certificate);

/// Whether it is a certificate authority's, by its basic constraints (RFC 5280 section 4.2.1.9).
bool is_authority(const Certificate& certificate);

}  // namespace signet::certstore
