#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/distinguished_name.h"

/// What a new certificate says of its holder and of its key, whoever signs it.

namespace signet::certstore {

/// RFC 5280 section 4.2.1.3; the values are the numbers of the bits.
enum class KeyUse {
  DigitalSignature = 0,
  NonRepudiation = 1,
  KeyEncipherment = 2,
  DataEncipherment = 3,
  KeyAgreement = 4,
  KeyCertSign = 5,
  CrlSign = 6,
  EncipherOnly = 7,
  DecipherOnly = 8,
};
using KeyUses = std::set<KeyUse>;

/// RFC 5280 section 4.2.1.6. Everything is ASCII; international names are in their ASCII form (RFC 5891).
struct AlternativeNames {
  std::vector<std::string> dns_names;     ///< "as2.acme.example", "*.acme.example"
  std::vector<std::string> emails;        ///< "as2@acme.example"
  std::vector<std::string> upns;          ///< Windows' user principal names, "as2@acme.example": UTF-8
  std::vector<std::string> uris;          ///< "urn:acme:as2", "https://acme.example/as2"
  std::vector<std::string> ip_addresses;  ///< "192.0.2.1", "2001:db8::1"

  [[nodiscard]] bool empty() const {
    return dns_names.empty() && emails.empty() && upns.empty() && uris.empty() && ip_addresses.empty();
  }
  friend bool operator==(const AlternativeNames&, const AlternativeNames&) = default;
};

/// RFC 5280 section 4.2.1.9.
struct BasicConstraints {
  bool certificate_authority = false;
  std::optional<int> path_length;  ///< how many authorities may follow; without a bound when absent

  friend bool operator==(const BasicConstraints&, const BasicConstraints&) = default;
};

struct CertificateProfile {
  DistinguishedName subject;  ///< or `alternative_names`, or both
  AlternativeNames alternative_names;
  KeyUses key_uses;  ///< no extension when empty
  std::vector<std::string>
      extended_key_usages;  ///< object identifiers, "1.3.6.1.5.5.7.3.1"; no extension when empty
  BasicConstraints basic_constraints;
  Time not_before{};  ///< whole seconds count
  Time not_after{};
};

/// The object identifiers of serverAuth and clientAuth (RFC 5280 section 4.2.1.12).
inline constexpr std::string_view kServerAuthentication = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kClientAuthentication = "1.3.6.1.5.5.7.3.2";

/// Names, object identifiers and constraints of a profile, without its dates.
///
/// @error InvalidInput  nobody is named; a name that is none; more than 1000 names; an object identifier
///                      that is none; keyCertSign or a path length without being an authority.
Result<> check_profile(const CertificateProfile& profile);

/// What an existing certificate says, as far as a profile can say it: alternative names that are none of
/// their kind are left out.
CertificateProfile profile_of(const Certificate& certificate);

}  // namespace signet::certstore
