#pragma once

#include <array>

#include "agreements/model.h"

/// Internal to gateway/lifecycle.

namespace signet::gateway {

inline constexpr std::array kCertificateRoles{
    agreements::CertificateRole::VerifyMessage, agreements::CertificateRole::Decrypt,
    agreements::CertificateRole::SignMdn,       agreements::CertificateRole::SignMessage,
    agreements::CertificateRole::Encrypt,       agreements::CertificateRole::VerifyMdn};

}  // namespace signet::gateway
