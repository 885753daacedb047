#pragma once

#include <nlohmann/json_fwd.hpp>

#include "certstore/vault/certificate_policy.h"

/// Certificate policies in Key Vault's JSON: {"key_props", "secret_props", "x509_props", "lifetime_actions",
/// "issuer", "attributes"}.

namespace signet::vault {

/// All of a policy, its defaults written out, but for its id.
nlohmann::ordered_json to_json(const CertificatePolicy& policy);
/// What was said of a policy, to be kept: defaults that depend on other members stay open to their changes.
nlohmann::ordered_json to_stored_json(const CertificatePolicy& policy);

/// Lays what is given over a policy. Absent members and nulls change nothing, lists are replaced as a whole,
/// members that nobody knows are passed over, and created and updated cannot be given.
///
/// @error InvalidInput  a member of the wrong type, or a word that is none; says which, as a JSON pointer.
/// @error Unsupported   a curve or a size of key that the vault does not have, or a key in hardware.
Result<CertificatePolicy> apply_json(CertificatePolicy policy, const nlohmann::json& given);

}  // namespace signet::vault
