#include "gateway/exchange/revocation_check.h"

#include <fmt/format.h>

#include "base/log.h"

namespace signet::gateway {
namespace {

std::string_view task_of(agreements::CertificateRole role) {
  switch (role) {
    case agreements::CertificateRole::VerifyMessage:
      return "that signed the message";
    case agreements::CertificateRole::Decrypt:
      return "that the message was encrypted for";
    case agreements::CertificateRole::SignMdn:
      return "of ours that signs receipts";
    case agreements::CertificateRole::SignMessage:
      return "of ours that signs the message";
    case agreements::CertificateRole::Encrypt:
      return "that the message is encrypted for";
    case agreements::CertificateRole::VerifyMdn:
      return "that signed the receipt";
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

std::string text_of(RevocationOutcome outcome, agreements::CertificateRole role,
                    const std::string& certificate, const std::string& reason) {
  switch (outcome) {
    case RevocationOutcome::Usable:
      return "";
    case RevocationOutcome::Revoked:
      return fmt::format("the certificate {} ({}) is revoked: {}", task_of(role), certificate, reason);
    case RevocationOutcome::Unchecked:
      return fmt::format("whether the certificate {} ({}) is revoked was not checked: {}", task_of(role),
                         certificate, reason);
    case RevocationOutcome::NoList:
    case RevocationOutcome::NotYet:
      return fmt::format(
          "whether the certificate {} ({}) is revoked cannot be said, and x:revocation says hardFail: {}",
          task_of(role), certificate, reason);
  }
  return "";
}

RevocationVerdict follow(RevocationCheck& check, const agreements::Agreement& agreement,
                         agreements::CertificateRole role, const RevocationFinding& finding,
                         const std::string& certificate, const std::string& message) {
  const RevocationOutcome outcome = outcome_of(finding.status, agreement.revocation.policy);
  check.decided(agreement.name, role, outcome);
  RevocationVerdict verdict{outcome, text_of(outcome, role, certificate, finding.reason)};
  if (outcome == RevocationOutcome::Unchecked)
    log::warning("revocation-not-checked", {{"id", message},
                                            {"agreement", agreement.name},
                                            {"role", std::string(to_string(role))},
                                            {"certificate", certificate},
                                            {"reason", finding.reason}});
  return verdict;
}

std::string name_for_people(const certstore::Certificate& certificate) {
  return fmt::format("{}, SHA-256 {}", printable(certificate.subject()), certificate.thumbprint_sha256());
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

RevocationVerdict judge_revocation(RevocationCheck& check, const agreements::Agreement& agreement,
                                   agreements::CertificateRole role,
                                   const certstore::Certificate& certificate,
                                   const std::shared_ptr<const AccountSnapshot>& account, Time now,
                                   const std::string& message) {
  const RevocationFinding finding = check.look_up(certificate, account, now);
  if (finding.reason.empty()) {  // the usual case makes no texts
    check.decided(agreement.name, role, RevocationOutcome::Usable);
    return {};
  }
  return follow(check, agreement, role, finding, name_for_people(certificate), message);
}

RevocationVerdict judge_missing_certificate(RevocationCheck& check, const agreements::Agreement& agreement,
                                            agreements::CertificateRole role, const std::string& thumbprint,
                                            const std::string& message) {
  return follow(check, agreement, role, {RevocationStatus::Unknown, "the account does not have it any more"},
                "SHA-256 " + thumbprint, message);
}

}  // namespace signet::gateway
