#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// Certificates in one file: SignedData without content and without signers (PKCS#7 "certs-only", RFC 5652
/// section 5, RFC 5273 section 3.2), DER.
///
/// @error Internal
Result<Bytes> make_certs_only(const std::vector<Certificate>& certificates);

}  // namespace signet::certstore
