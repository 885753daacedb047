#pragma once

#include <optional>
#include <vector>

#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// The intermediates that a certificate is shown with in TLS: its issuer, the issuer's issuer and so on, as
/// far as `known` has them, in the order that RFC 8446 section 4.4.2 sends them in. A self-signed certificate
/// ends the walk and is left out, since whoever trusts it has it. Each step is a match of names and key
/// identifiers and a signature that holds; of several that fit (an intermediate that was renewed under its
/// key) the one that is valid longest is taken. Nobody is trusted by this: the other side checks what it is
/// shown.
///
/// @returns nothing for a self-signed certificate, or one whose issuer is not known.
std::vector<Certificate> issuers_of(const Certificate& certificate, const std::vector<Certificate>& known);

/// Whether names and key identifiers match, and the signature holds. Dates are not looked at.
bool is_issued_by(const Certificate& certificate, const Certificate& issuer);

/// The authority among `known`, self-signed or not, that issued a certificate, and may issue by its own word
/// (RFC 5280 sections 4.2.1.3, 4.2.1.9): a match as above, and of several the one that is valid longest.
/// Nobody is trusted by this.
std::optional<Certificate> find_issuer(const Certificate& certificate, const std::vector<Certificate>& known);

}  // namespace signet::certstore
