#include "gateway/exchange/outbound_request.h"

#include <fmt/format.h>

#include <utility>

#include "base/file.h"

namespace signet::gateway {
namespace {

using agreements::ResolvedAgreement;

Result<TlsTrust> tls_trust(const ResolvedAgreement& agreement, const AccountSnapshot& account) {
  const agreements::TlsTrust& agreed = agreement.agreement.connection.tls_trust;
  TlsTrust trust;
  switch (agreed.mode) {
    case agreements::TlsTrustMode::System:
      return trust;
    case agreements::TlsTrustMode::CertificateAuthorities:
      trust.kind = TlsTrust::Kind::Authorities;
      break;
    case agreements::TlsTrustMode::Pinned:
      trust.kind = TlsTrust::Kind::Pinned;
      break;
  }
  for (const std::string& name : agreed.certificates) {
    SIGNET_TRY(certstore::Certificate certificate, account.certificate(name));
    trust.certificates.push_back(std::move(certificate));
  }
  if (!agreed.ca_file.empty()) {
    SIGNET_TRY(const Bytes bundle, read_file(agreed.ca_file));
    SIGNET_TRY(auto authorities, certstore::parse_certificates(bundle));
    trust.certificates.insert(trust.certificates.end(), authorities.begin(), authorities.end());
  }
  return trust;
}

}  // namespace

Result<HttpPost> request_to(const std::string& url, const ResolvedAgreement& agreement,
                            const AccountSnapshot& account, const agreements::ConnectionSettings& settings) {
  const agreements::Connection& connection = agreement.agreement.connection;
  if (connection.basic_authentication)
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "agreement '{}' asks for HTTP Basic authentication; the vault holds no secrets yet, so it cannot "
            "be used",
            agreement.agreement.name));
  HttpPost post;
  post.url = url;
  post.connect_timeout = connection.connect_timeout;
  post.total_timeout = connection.total_timeout;
  post.expect_continue = settings.support_http_status_code_continue;
  post.keep_alive = settings.keep_http_connection_alive;
  SIGNET_TRY(post.trust, tls_trust(agreement, account));
  post.trust.ignore_name_mismatch = settings.ignore_certificate_name_mismatch;
  if (!connection.client_certificate_name.empty()) {
    SIGNET_TRY(post.client_certificate, account.private_certificate(connection.client_certificate_name));
  }
  return post;
}

}  // namespace signet::gateway
