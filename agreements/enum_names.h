#pragma once

#include <array>
#include <string_view>

#include "agreements/model.h"

/// Internal: how the values of each enum are written, in the order of the enum.

namespace signet::agreements {

template <class E>
struct EnumNames;

template <class E>
constexpr std::string_view enum_name(E value) {
  return EnumNames<E>::kValues.at(static_cast<std::size_t>(value));
}

#define SIGNET_ENUM_NAMES(Enum, count, ...)                                    \
  template <>                                                                  \
  struct EnumNames<Enum> {                                                     \
    static constexpr std::string_view kName = #Enum;                           \
    static constexpr std::array<std::string_view, count> kValues{__VA_ARGS__}; \
  }

SIGNET_ENUM_NAMES(PartnerType, 2, "NotSpecified", "B2B");
SIGNET_ENUM_NAMES(HashingAlgorithm, 7, "NotSpecified", "None", "MD5", "SHA1", "SHA2256", "SHA2384",
                  "SHA2512");
SIGNET_ENUM_NAMES(EncryptionAlgorithm, 7, "NotSpecified", "None", "DES3", "RC2", "AES128", "AES192",
                  "AES256");
SIGNET_ENUM_NAMES(SigningAlgorithm, 6, "NotSpecified", "Default", "SHA1", "SHA2256", "SHA2384", "SHA2512");
SIGNET_ENUM_NAMES(Sha2AlgorithmFormat, 4, "Sha2", "ShaHashSize", "ShaHyphenHashSize",
                  "Sha2UnderscoreHashSize");
SIGNET_ENUM_NAMES(CertificateRole, 6, "verifyMessage", "decrypt", "signMdn", "signMessage", "encrypt",
                  "verifyMdn");
SIGNET_ENUM_NAMES(WeakAlgorithm, 2, "SHA1", "DES3");
SIGNET_ENUM_NAMES(SignatureScheme, 2, "RSASSA-PKCS1-v1_5", "RSASSA-PSS");
SIGNET_ENUM_NAMES(TransferEncoding, 2, "binary", "base64");
SIGNET_ENUM_NAMES(MicCoverage, 2, "withHeaders", "contentOnly");
SIGNET_ENUM_NAMES(ContentCipher, 7, "byEncryptionAlgorithm", "AES128CBC", "AES192CBC", "AES256CBC",
                  "AES128GCM", "AES192GCM", "AES256GCM");
SIGNET_ENUM_NAMES(KeyTransport, 4, "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-512");
SIGNET_ENUM_NAMES(CompressionOrder, 2, "beforeSigning", "afterSigning");
SIGNET_ENUM_NAMES(As2Version, 4, "1.0", "1.1", "1.2", "1.3");
SIGNET_ENUM_NAMES(ReceiptForUnsigned, 3, "asRequested", "unsigned", "none");
SIGNET_ENUM_NAMES(TlsVersion, 2, "1.2", "1.3");
SIGNET_ENUM_NAMES(TlsTrustMode, 3, "system", "certificateAuthorities", "pinned");
SIGNET_ENUM_NAMES(AgreementType, 4, "NotSpecified", "AS2", "X12", "Edifact");
SIGNET_ENUM_NAMES(RevocationPolicy, 2, "hardFail", "softFail");

#undef SIGNET_ENUM_NAMES

}  // namespace signet::agreements
