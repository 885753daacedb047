#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "agreements/model.h"

/// Internal: the parts of certificate_roles.h that the linter reasons with.

namespace signet::agreements {

inline constexpr std::array kAllRoles{CertificateRole::VerifyMessage, CertificateRole::Decrypt,
                                      CertificateRole::SignMdn,       CertificateRole::SignMessage,
                                      CertificateRole::Encrypt,       CertificateRole::VerifyMdn};

/// Whether a role belongs to receiveAgreement.
bool is_receiving(CertificateRole role);
const OneWayAgreement& direction_of(const Agreement& agreement, CertificateRole role);
/// Azure's name for the role; empty when there is none.
std::string_view azure_name_of(const Agreement& agreement, CertificateRole role);
/// The role's certificates without those of another role.
std::vector<DatedCertificate> own_certificates(const Agreement& agreement, CertificateRole role);

}  // namespace signet::agreements
