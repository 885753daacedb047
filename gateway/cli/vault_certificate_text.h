#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "certstore/vault/vault_certificate.h"

/// Certificates of the vault, as commands show them.

namespace signet::gateway {

nlohmann::ordered_json certificate_json(const vault::CertificateInfo& info);
/// With its policy.
nlohmann::ordered_json certificate_json(const vault::VaultCertificate& certificate);
nlohmann::ordered_json operation_json(const vault::CertificateOperation& operation);

/// One line of a list.
std::string certificate_line(const vault::CertificateInfo& info);
/// One fact a line.
std::string certificate_text(const vault::VaultCertificate& certificate);
std::string operation_text(const vault::CertificateOperation& operation);

/// "-----BEGIN CERTIFICATE REQUEST-----".
std::string request_pem(const Bytes& request);

}  // namespace signet::gateway
