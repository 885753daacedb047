#include "certstore/x509/host_name.h"

#include <openssl/x509v3.h>

#include <string>

namespace signet::certstore {

bool is_for_host(const Certificate& certificate, std::string_view host) {
  if (host.empty()) return false;
  if (X509_check_host(certificate.native(), host.data(), host.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                      nullptr) == 1)
    return true;
  return X509_check_ip_asc(certificate.native(), std::string(host).c_str(), 0) == 1;
}

bool is_for_tls_servers(const Certificate& certificate) {
  return X509_check_purpose(certificate.native(), X509_PURPOSE_SSL_SERVER, 0) == 1;
}

bool is_authority(const Certificate& certificate) { return X509_check_ca(certificate.native()) == 1; }

}  // namespace signet::certstore
