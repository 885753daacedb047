#pragma once

#include <string_view>
#include <vector>

#include "certstore/vault/vault_certificate.h"
#include "gateway/api/call.h"

/// Certificates of the vault, and what belongs to them, as Key Vault's JSON.

namespace signet::gateway::api {

/// A version with its policy; without a certificate where there is only a pending operation.
Json certificate_bundle(const Call& call, const vault::VaultCertificate& certificate);
/// How lists show a certificate. `id` may lack the version.
Json certificate_item(const Call& call, const vault::CertificateInfo& info, const vault::CertificateId& id);
/// A version that was deleted, as a whole and as lists show it.
Json deleted_bundle(const Call& call, const vault::DeletedCertificate& deleted);
Json deleted_item(const Call& call, const vault::Deleted<vault::CertificateInfo>& deleted);
Json policy_json(const Call& call, const vault::CertificateId& id, const vault::CertificatePolicy& policy);
Json operation_json(const Call& call, const vault::CertificateOperation& operation);
Json contacts_json(const Call& call, const std::vector<vault::CertificateContact>& contacts);
Json issuer_json(const Call& call, const vault::CertificateIssuer& issuer);

/// "attributes" and "tags" of a body. Dates are the certificate's own, and passed over.
Result<vault::CertificateUpdate> read_certificate_update(const Json& body);
/// A body's "policy" laid over the one that there is; as it is where the body has none.
Result<vault::CertificatePolicy> read_policy(const Json& body, vault::CertificatePolicy before);
/// "value" and "pwd" of an import: a PFX in base64, or PEM, as text or in base64.
Result<vault::CertificateFile> read_certificate_value(const Json& body);
/// "x5c" of a merge: DER in base64, at most 100. @error InvalidInput
Result<std::vector<certstore::Certificate>> read_certificates(const Json& body);
Result<std::vector<vault::CertificateContact>> read_contacts(const Json& body);
/// An issuer's members; an empty object says nothing, as an absent one.
Result<vault::IssuerUpdate> read_issuer(const Json& body);

}  // namespace signet::gateway::api
