#pragma once

#include <string>
#include <vector>

#include "certstore/x509/certificate.h"

/// The way from a certificate to its issuer, to the issuer's, and so on: each step is a look into the lists
/// of an issuer.

namespace signet::gateway {

struct IssuerStep {
  certstore::Certificate subject;
  certstore::Certificate issuer;
};

/// As far as the issuers are among the authorities, the certificate's own step first; it ends before what is
/// self-signed, and after more steps than chains of issuers have. Empty: it is self-signed, or its issuer is
/// not there.
///
/// @param authorities  AccountSnapshot::authorities()
std::vector<IssuerStep> issuer_steps(const certstore::Certificate& certificate,
                                     const std::vector<certstore::Certificate>& authorities);

/// What to say of a certificate that is not self-signed and has no steps.
std::string text_of_no_issuer(const certstore::Certificate& certificate);

}  // namespace signet::gateway
