#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/certificate_provider.h"

/// What ACME's requests are signed with: JSON Web Signatures (RFC 7515) in the flattened form that RFC 8555
/// section 6.2 asks for, and JSON Web Keys (RFC 7517).

namespace signet::gateway {

/// A key on P-256 as RFC 7518 section 6.2.1 has it, from its SubjectPublicKeyInfo. Members in the order that
/// RFC 7638 asks for.
///
/// @error Internal  the key is none on P-256.
Result<nlohmann::json> ec_jwk(ByteView subject_public_key_info);

/// RFC 7638: base64url of the SHA-256 over the members that every key of its kind has.
std::string jwk_thumbprint(const nlohmann::json& jwk);

/// Whether a text has the characters of base64url alone, and some: so nonces and tokens must (RFC 8555
/// sections 6.5.1 and 8.3).
bool is_base64url(std::string_view text);

/// What a signature is over (RFC 7515 section 5.1): both in base64url, joined by a dot.
std::string signing_input(std::string_view protected_header, std::string_view payload);

/// {"protected", "payload", "signature"} by ES256 with the account's key. An empty payload is that of
/// POST-as-GET (RFC 8555 section 6.3).
///
/// @error ...  the key does not sign.
Result<std::string> sign_es256(vault::IssuerAccount& account, const nlohmann::json& protected_header,
                               std::string_view payload);

/// The same by HS256 (RFC 7518 section 3.2), for external account binding (RFC 8555 section 7.3.4).
nlohmann::json sign_hs256(const SecretBytes& key, const nlohmann::json& protected_header,
                          std::string_view payload);

}  // namespace signet::gateway
