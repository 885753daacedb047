#include "certstore/x509/issuers.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "certstore/x509/host_name.h"

namespace signet::certstore {
namespace {

/// More than chains have; ends what issues itself in circles (cross-certification), too.
constexpr std::size_t kLongestChain = 8;

const Certificate* issuer_of(const Certificate& subject, const std::vector<Certificate>& known) {
  const Certificate* found = nullptr;
  for (const Certificate& candidate : known)
    if (!candidate.self_signed() && is_issued_by(subject, candidate) &&
        (found == nullptr || found->not_after() < candidate.not_after()))
      found = &candidate;
  return found;
}

}  // namespace

bool is_issued_by(const Certificate& certificate, const Certificate& issuer) {
  const bool did = issuer.public_key() != nullptr &&
                   X509_check_issued(issuer.native(), certificate.native()) == X509_V_OK &&
                   X509_verify(certificate.native(), issuer.public_key()) == 1;
  ERR_clear_error();  // a signature that does not hold is an answer
  return did;
}

std::vector<Certificate> issuers_of(const Certificate& certificate, const std::vector<Certificate>& known) {
  std::vector<Certificate> chain;
  if (certificate.self_signed()) return chain;
  const Certificate* issuer = issuer_of(certificate, known);
  while (issuer != nullptr && chain.size() < kLongestChain &&
         std::find(chain.begin(), chain.end(), *issuer) == chain.end()) {
    chain.push_back(*issuer);
    issuer = issuer_of(chain.back(), known);
  }
  return chain;
}

std::optional<Certificate> find_issuer(const Certificate& certificate,
                                       const std::vector<Certificate>& known) {
  std::optional<Certificate> found;
  for (const Certificate& candidate : known)
    if (is_authority(candidate) && candidate.key_usage().key_cert_sign &&
        is_issued_by(certificate, candidate) && (!found || found->not_after() < candidate.not_after()))
      found = candidate;
  return found;
}

}  // namespace signet::certstore
