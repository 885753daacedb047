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

/// The password is for the guest's server, and for nobody whom somebody else's URL names.
bool is_same_server(const UrlParts& a, const UrlParts& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

Result<std::optional<BasicCredentials>> credentials_for(const std::string& url,
                                                        const agreements::Connection& connection,
                                                        const AccountSnapshot& account) {
  const auto& agreed = connection.basic_authentication;
  if (!agreed) return std::optional<BasicCredentials>();
  SIGNET_TRY(const UrlParts target, parse_url(url));
  SIGNET_TRY(const UrlParts guest, parse_url(connection.url));
  if (!is_same_server(target, guest)) return std::optional<BasicCredentials>();
  if (target.scheme != "https")
    return fail(ErrorKind::InvalidInput,
                fmt::format("HTTP Basic would show the password of '{}' to everybody on the way to {}: "
                            "give the connection an https URL",
                            printable(agreed->user_name), printable(url)));
  SIGNET_TRY(SecretBytes password, account.password(*agreed));
  return std::optional(BasicCredentials{agreed->user_name, std::move(password)});
}

}  // namespace

Error as_our_trouble(Error error) {
  if (error.kind == ErrorKind::NotFound || is_our_trouble(error)) error.kind = ErrorKind::Unavailable;
  return error;
}

void look_up_server(HttpPost& request, ServerLook look) {
  if (!agreements::looks_up_server(look.agreement)) return;
  request.check_server = [look = std::move(look)](const TlsServer& server) -> std::optional<ServerRefusal> {
    RevocationVerdict verdict =
        judge_server(look.check, look.agreement, server, look.account, look.clock.now(), look.message);
    switch (verdict.outcome) {
      case RevocationOutcome::Usable:
        return std::nullopt;
      case RevocationOutcome::Unchecked:
        if (look.unchecked) look.unchecked(std::move(verdict.text));
        return std::nullopt;
      case RevocationOutcome::Revoked:
        return ServerRefusal{PostFault::TlsRevoked, std::move(verdict.text)};
      case RevocationOutcome::NoList:
      case RevocationOutcome::NotYet:
        break;
    }
    return ServerRefusal{PostFault::TlsRevocationUnknown, std::move(verdict.text)};
  };
}

Result<HttpPost> request_to(const std::string& url, const ResolvedAgreement& agreement,
                            const AccountSnapshot& account, const agreements::ConnectionSettings& settings) {
  const agreements::Connection& connection = agreement.agreement.connection;
  HttpPost post;
  post.url = url;
  post.connect_timeout = connection.connect_timeout;
  post.total_timeout = connection.total_timeout;
  post.expect_continue = settings.support_http_status_code_continue;
  post.keep_alive = settings.keep_http_connection_alive;
  post.minimum_tls =
      connection.min_tls_version == agreements::TlsVersion::Tls13 ? TlsVersion::Tls13 : TlsVersion::Tls12;
  SIGNET_TRY(post.trust, tls_trust(agreement, account));
  post.trust.ignore_name_mismatch = settings.ignore_certificate_name_mismatch;
  if (!connection.client_certificate_name.empty()) {
    SIGNET_TRY(post.client_certificate, account.private_certificate(connection.client_certificate_name));
    SIGNET_TRY(post.client_chain, account.issuers_of(connection.client_certificate_name));
  }
  SIGNET_TRY(post.basic, credentials_for(url, connection, account));
  return post;
}

}  // namespace signet::gateway
