#include "gateway/revocation/issuer_steps.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>

#include "certstore/x509/issuers.h"

namespace signet::gateway {
namespace {

/// More than chains of issuers have; ends what issues itself in circles, too.
constexpr std::size_t kLongestIssuerChain = 8;

}  // namespace

std::vector<IssuerStep> issuer_steps(const certstore::Certificate& certificate,
                                     const std::vector<certstore::Certificate>& authorities) {
  std::vector<IssuerStep> steps;
  std::optional<certstore::Certificate> subject = certificate;
  while (subject && !subject->self_signed() && steps.size() < kLongestIssuerChain) {
    auto issuer = certstore::find_issuer(*subject, authorities);
    if (issuer) steps.push_back({*subject, *issuer});
    subject = std::move(issuer);
  }
  return steps;
}

std::string text_of_no_issuer(const certstore::Certificate& certificate) {
  return fmt::format("the account does not have the certificate of its issuer, '{}', which signs the lists",
                     printable(certificate.issuer()));
}

}  // namespace signet::gateway
