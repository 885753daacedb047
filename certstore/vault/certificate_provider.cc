#include "certstore/vault/certificate_provider.h"

#include <algorithm>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

constexpr std::array<std::string_view, 4> kServed{kOwnService, "ACME", "DigiCert", "GlobalSign"};

constexpr std::array<Word<RevocationReason>, 5> kReasons{
    {{RevocationReason::Unspecified, "unspecified"},
     {RevocationReason::KeyCompromise, "keyCompromise"},
     {RevocationReason::AffiliationChanged, "affiliationChanged"},
     {RevocationReason::Superseded, "superseded"},
     {RevocationReason::CessationOfOperation, "cessationOfOperation"}}};

}  // namespace

bool is_own_service(std::string_view provider) { return equal_ignoring_case(provider, kOwnService); }

bool is_served(std::string_view provider) {
  return std::any_of(kServed.begin(), kServed.end(),
                     [&](std::string_view known) { return equal_ignoring_case(known, provider); });
}

std::string_view to_string(RevocationReason reason) { return word_of(kReasons, reason); }
Result<RevocationReason> parse_revocation_reason(std::string_view text) {
  return find_word(kReasons, text, "reason of a revocation");
}

OperationFailure failure_of(const Error& error) {
  const bool refused = error.kind == ErrorKind::PermissionDenied;
  return {std::string(refused ? kRequestRejected : kIssuerError), error.detail};
}

bool may_pass(const Error& error) {
  // Who vouches for an issuer can be set right while an order waits.
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::CryptoFailure ||
         error.kind == ErrorKind::IoFailure;
}

}  // namespace signet::vault
