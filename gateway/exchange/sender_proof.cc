#include "gateway/exchange/sender_proof.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/secret.h"
#include "gateway/endpoint/basic_credentials.h"

namespace signet::gateway {
namespace {

/// "user:password" as one secret.
SecretBytes joined(std::string_view user, ByteView password) {
  SecretBytes text(user.size() + 1 + password.size());
  auto out = text.writable().begin();
  out = std::copy(user.begin(), user.end(), out);
  *out++ = ':';
  std::copy(password.begin(), password.end(), out);
  return text;
}

/// Compares digests, which are of one length: not even the password's can be learnt from the time.
bool is_same_secret(ByteView a, ByteView b) {
  return equal_in_constant_time(digest(Hash::Sha256, a), digest(Hash::Sha256, b));
}

std::string describe(const certstore::Certificate& certificate) {
  return fmt::format("{} (SHA-256 {})", printable(certificate.subject()), certificate.thumbprint_sha256());
}

Unproven unproven_by_certificate(std::string reason) {
  return {403, std::move(reason), "the TLS client certificate that was agreed on is needed"};
}

Result<std::optional<Unproven>> check_certificate(const std::optional<certstore::Certificate>& shown,
                                                  const agreements::RequiredClientCertificate& required,
                                                  const AccountSnapshot& account, Time now) {
  if (!shown)
    return unproven_by_certificate(
        "the agreement demands a TLS client certificate, and none was shown (the listener has to ask for "
        "one: signet serve --tls-client-certificates wanted)");
  for (const std::string& name : required.certificates) {
    SIGNET_TRY(const certstore::Certificate agreed, account.certificate(name));
    if (agreed.thumbprint_sha256() != shown->thumbprint_sha256()) continue;
    if (agreed.valid_at(now)) return std::optional<Unproven>();
    return unproven_by_certificate(fmt::format(
        "the TLS client certificate '{}' is valid from {} to {} only: ask the partner for a new one", name,
        to_rfc3339(agreed.not_before()), to_rfc3339(agreed.not_after())));
  }
  return unproven_by_certificate(fmt::format(
      "the TLS client certificate that was shown is none of those agreed on: {}", describe(*shown)));
}

Result<std::optional<Unproven>> check_password(const std::optional<std::string>& authorization,
                                               const agreements::BasicAuthentication& required,
                                               const AccountSnapshot& account) {
  const auto refuse = [](std::string_view reason) {
    return Unproven{401, std::string(reason), "HTTP Basic authentication is needed"};
  };
  if (!authorization)
    return refuse("the agreement demands HTTP Basic authentication, and the request has none");
  const auto given = parse_basic_credentials(*authorization);
  if (!given)
    return refuse(
        "the agreement demands HTTP Basic authentication, and the request's Authorization is another one");
  SIGNET_TRY(const SecretBytes password, account.password(required));
  if (!is_same_secret(joined(given->user, given->password.view()).view(),
                      joined(required.user_name, password.view()).view()))
    return refuse("the agreement demands HTTP Basic authentication, and user name or password are wrong");
  return std::optional<Unproven>();
}

}  // namespace

SenderProof take_proof(HttpRequest& request) {
  SenderProof proof{std::move(request.client_certificate), std::nullopt};
  proof.authorization = request.headers.value("Authorization");
  request.headers.remove("Authorization");
  return proof;
}

Result<std::optional<Unproven>> check_sender(const SenderProof& proof,
                                             const agreements::OneWayAgreement& agreed,
                                             const AccountSnapshot& account, Time now) {
  if (agreed.required_client_certificate) {
    SIGNET_TRY(auto unproven, check_certificate(proof.client_certificate, *agreed.required_client_certificate,
                                                account, now));
    if (unproven) return unproven;
  }
  if (!agreed.required_basic_authentication) return std::optional<Unproven>();
  return check_password(proof.authorization, *agreed.required_basic_authentication, account);
}

Result<std::optional<Unproven>> check_not_revoked(const SenderProof& proof,
                                                  const agreements::Agreement& agreement,
                                                  RevocationCheck& revocation,
                                                  const std::shared_ptr<const AccountSnapshot>& account,
                                                  Time now, std::string& unchecked,
                                                  const std::string& message) {
  const agreements::OneWayAgreement& agreed = agreement.receive_agreement;
  if (!agreed.validation_settings.check_certificate_revocation_list_on_receive ||
      !agreed.required_client_certificate || !proof.client_certificate)
    return std::optional<Unproven>();
  RevocationVerdict verdict = judge_revocation(revocation, agreement, agreements::LookedUpUse::TlsClient,
                                               *proof.client_certificate, account, now, message);
  switch (verdict.outcome) {
    case RevocationOutcome::Usable:
      return std::optional<Unproven>();
    case RevocationOutcome::Unchecked:
      unchecked = std::move(verdict.text);
      return std::optional<Unproven>();
    case RevocationOutcome::Revoked:
    case RevocationOutcome::NoList:
      return unproven_by_certificate(std::move(verdict.text));
    case RevocationOutcome::NotYet:
      break;
  }
  return fail(ErrorKind::Unavailable, std::move(verdict.text));
}

}  // namespace signet::gateway
