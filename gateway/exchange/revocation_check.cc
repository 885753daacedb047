#include "gateway/exchange/revocation_check.h"

#include <fmt/format.h>

#include "base/log.h"

namespace signet::gateway {
namespace {

std::string_view task_of(agreements::LookedUpUse use) {
  switch (use) {
    case agreements::LookedUpUse::VerifyMessage:
      return "that signed the message";
    case agreements::LookedUpUse::SignMessage:
      return "of ours that signs the message";
    case agreements::LookedUpUse::Encrypt:
      return "that the message is encrypted for";
    case agreements::LookedUpUse::VerifyMdn:
      return "that signed the receipt";
    case agreements::LookedUpUse::TlsClient:
      return "that the sender has shown in TLS";
    case agreements::LookedUpUse::TlsServer:
      return "of the partner's server";
  }
  return "";
}

RevocationOutcome outcome_of(RevocationStatus status, agreements::RevocationPolicy policy) {
  const bool soft = policy == agreements::RevocationPolicy::SoftFail;
  switch (status) {
    case RevocationStatus::NotRevoked:
    case RevocationStatus::NothingToCheck:
      return RevocationOutcome::Usable;
    case RevocationStatus::Revoked:
      return RevocationOutcome::Revoked;
    case RevocationStatus::Unknown:
      return soft ? RevocationOutcome::Unchecked : RevocationOutcome::NoList;
    case RevocationStatus::Pending:
      return soft ? RevocationOutcome::Unchecked : RevocationOutcome::NotYet;
  }
  return RevocationOutcome::NoList;
}

std::string text_of(RevocationOutcome outcome, agreements::LookedUpUse use, const std::string& certificate,
                    const std::string& reason) {
  switch (outcome) {
    case RevocationOutcome::Usable:
      return "";
    case RevocationOutcome::Revoked:
      return fmt::format("the certificate {} ({}) is revoked: {}", task_of(use), certificate, reason);
    case RevocationOutcome::Unchecked:
      return fmt::format("whether the certificate {} ({}) is revoked was not checked: {}", task_of(use),
                         certificate, reason);
    case RevocationOutcome::NoList:
    case RevocationOutcome::NotYet:
      return fmt::format(
          "whether the certificate {} ({}) is revoked cannot be said, and x:revocation says hardFail: {}",
          task_of(use), certificate, reason);
  }
  return "";
}

RevocationVerdict follow(RevocationCheck& check, const agreements::Agreement& agreement,
                         agreements::LookedUpUse use, const RevocationFinding& finding,
                         const std::string& certificate, const std::string& message) {
  const RevocationOutcome outcome = outcome_of(finding.status, agreement.revocation.policy);
  check.decided(agreement.name, use, outcome);
  RevocationVerdict verdict{outcome, text_of(outcome, use, certificate, finding.reason)};
  if (outcome == RevocationOutcome::Unchecked)
    log::warning("revocation-not-checked", {{"id", message},
                                            {"agreement", agreement.name},
                                            {"role", std::string(to_string(use))},
                                            {"certificate", certificate},
                                            {"reason", finding.reason}});
  return verdict;
}

std::string name_for_people(const certstore::Certificate& certificate) {
  return fmt::format("{}, SHA-256 {}", printable(certificate.subject()), certificate.thumbprint_sha256());
}

RevocationVerdict judge(RevocationCheck& check, const agreements::Agreement& agreement,
                        agreements::LookedUpUse use, const RevocationFinding& finding,
                        const certstore::Certificate& certificate, const std::string& message) {
  if (finding.reason.empty()) {  // the usual case makes no texts
    check.decided(agreement.name, use, RevocationOutcome::Usable);
    return {};
  }
  return follow(check, agreement, use, finding, name_for_people(certificate), message);
}

}  // namespace

std::string_view to_string(RevocationStatus status) {
  switch (status) {
    case RevocationStatus::NotRevoked:
      return "not-revoked";
    case RevocationStatus::NothingToCheck:
      return "self-signed";
    case RevocationStatus::Revoked:
      return "revoked";
    case RevocationStatus::Unknown:
      return "unknown";
    case RevocationStatus::Pending:
      return "pending";
  }
  return "unknown";
}

std::string_view to_string(RevocationOutcome outcome) {
  switch (outcome) {
    case RevocationOutcome::Usable:
      return "usable";
    case RevocationOutcome::Unchecked:
      return "unchecked";
    case RevocationOutcome::Revoked:
      return "revoked";
    case RevocationOutcome::NoList:
      return "no-list";
    case RevocationOutcome::NotYet:
      return "not-yet";
  }
  return "no-list";
}

RevocationFinding NoRevocationLists::look_up(const certstore::Certificate& /*certificate*/,
                                             const std::shared_ptr<const AccountSnapshot>& /*account*/,
                                             Time /*now*/) {
  return {RevocationStatus::Unknown, "this process has no revocation lists"};
}

RevocationFinding NoRevocationLists::look_up_server(const TlsServer& server, const std::string& /*agreement*/,
                                                    const std::shared_ptr<const AccountSnapshot>& account,
                                                    Time now) {
  return look_up(server.certificate, account, now);
}

RevocationVerdict judge_revocation(RevocationCheck& check, const agreements::Agreement& agreement,
                                   agreements::LookedUpUse use, const certstore::Certificate& certificate,
                                   const std::shared_ptr<const AccountSnapshot>& account, Time now,
                                   const std::string& message) {
  return judge(check, agreement, use, check.look_up(certificate, account, now), certificate, message);
}

RevocationVerdict judge_server(RevocationCheck& check, const agreements::Agreement& agreement,
                               const TlsServer& server, const std::shared_ptr<const AccountSnapshot>& account,
                               Time now, const std::string& message) {
  return judge(check, agreement, agreements::LookedUpUse::TlsServer,
               check.look_up_server(server, agreement.name, account, now), server.certificate, message);
}

RevocationVerdict judge_missing_certificate(RevocationCheck& check, const agreements::Agreement& agreement,
                                            agreements::LookedUpUse use, const std::string& thumbprint,
                                            const std::string& message) {
  return follow(check, agreement, use, {RevocationStatus::Unknown, "the account does not have it any more"},
                "SHA-256 " + thumbprint, message);
}

}  // namespace signet::gateway
