#include "certstore/x509/validity.h"

#include <fmt/format.h>

#include <optional>

#include "base/bytes.h"

namespace signet::certstore {
namespace {

/// The words for a purpose's part in the sentence "its key usage does not allow ...", and the bits it needs.
struct Need {
  bool met = false;
  std::string_view use;
  std::string_view bits;
};

Need need_of(const Certificate& certificate, Purpose purpose) {
  const KeyUsage& usage = certificate.key_usage();
  switch (purpose) {
    case Purpose::Sign:
      return {usage.digital_signature || usage.non_repudiation, "signing", "digitalSignature"};
    case Purpose::Tls:
      return {usage.digital_signature, "TLS", "digitalSignature"};
    case Purpose::Encrypt:
      break;
  }
  if (certificate.key_type() == KeyType::Ec) return {usage.key_agreement, "encryption", "keyAgreement"};
  return {usage.key_encipherment, "encryption", "keyEncipherment"};
}

std::optional<Finding> examine_time(const Certificate& certificate, std::string_view who, Time now) {
  const std::string end = to_rfc3339(certificate.not_after());
  if (now < certificate.not_before())
    return Finding{
        CertificateProblem::NotYetValid,
        fmt::format("{} is not valid before {}: use it from then on, or check this machine's clock", who,
                    to_rfc3339(certificate.not_before()))};
  if (now > certificate.not_after())
    return Finding{CertificateProblem::Expired,
                   fmt::format("{} expired on {}: ask its owner for a new one", who, end)};
  if (certificate.not_after() - now <= kExpiryNotice) {
    const auto days = std::chrono::floor<std::chrono::days>(certificate.not_after() - now).count();
    return Finding{
        CertificateProblem::ExpiresSoon,
        fmt::format(
            "{} expires in {} day{}, on {}: arrange for its successor, and list both while they overlap", who,
            days, days == 1 ? "" : "s", end)};
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(CertificateProblem problem) {
  switch (problem) {
    case CertificateProblem::Expired:
      return "expired";
    case CertificateProblem::ExpiresSoon:
      return "expires-soon";
    case CertificateProblem::NotYetValid:
      return "not-yet-valid";
    case CertificateProblem::WeakKey:
      return "weak-key";
    case CertificateProblem::KeyUsage:
      return "key-usage";
  }
  return "unknown";
}

std::vector<Finding> examine(const Certificate& certificate, Purpose purpose, Time now) {
  const std::string who = fmt::format("certificate '{}'", printable(certificate.subject()));
  std::vector<Finding> findings;
  if (auto finding = examine_time(certificate, who, now)) findings.push_back(*std::move(finding));
  if (auto strong = check_key_strength(certificate); !strong)
    findings.push_back({CertificateProblem::WeakKey, std::move(strong).error().detail});
  if (const Need need = need_of(certificate, purpose); !need.met)
    findings.push_back(
        {CertificateProblem::KeyUsage, fmt::format("{} is not meant for {}: its key usage lacks {}; partners "
                                                   "may refuse it, ask for one that has it",
                                                   who, need.use, need.bits)});
  return findings;
}

}  // namespace signet::certstore
