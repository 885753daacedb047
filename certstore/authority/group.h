#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"
#include "certstore/authority/actor.h"
#include "certstore/vault/key.h"
#include "certstore/x509/certificate.h"

/// Certificate groups, each with an issuer of its own, and what the issuers' certificates and those that they
/// issue are like.

namespace signet::authority {

using certstore::Certificate;

/// What certificates of a group are for, which decides their profile.
enum class CertificateType {
  OpcUaApplication,  ///< an OPC UA application instance (OPC 10000-6 section 6.2.2)
  OpcUaHttps,        ///< the TLS certificate of an OPC UA application
  As2Station,        ///< an AS2 station: signatures, encryption and TLS, as its purposes say
};

/// "RsaSha256ApplicationCertificateType", "HttpsCertificateType", "As2CertificateType": OPC 10000-12's words,
/// as JSON and the store have them.
std::string_view to_string(CertificateType type);
/// Reads those in any case; "ApplicationCertificateType" is RsaSha256ApplicationCertificateType, too.
/// @error InvalidInput  lists those there are.
Result<CertificateType> parse_certificate_type(std::string_view text);

/// Of KeySettings::hash: "sha-256", "sha-384" or "sha-512", in any case. @error InvalidInput  lists them.
Result<Hash> parse_certificate_hash(std::string_view text);

/// What new keys and certificates are like. Keys are RSA.
struct KeySettings {
  int lifetime_months = 24;  ///< of issued certificates 1 to 60, of an issuer's 1 to 1200
  int key_bits = 2048;       ///< 2048, 3072 or 4096
  Hash hash = Hash::Sha256;  ///< of the signature: SHA-256, SHA-384 or SHA-512

  friend bool operator==(const KeySettings&, const KeySettings&) = default;
};

/// A certificate group: what one issuer issues, and how.
struct Group {
  std::string name;  ///< 1 to 48 ASCII letters and digits; unique without regard to case; never changes
  CertificateType type = CertificateType::OpcUaApplication;  ///< never changes
  std::string subject;  ///< of the issuer, RFC 4514, with a common name; a change demands a new issuer
  std::string key_vault = "signet";            ///< a vault of this installation; of issuers made from now on
  KeySettings issued;                          ///< of certificates approved from now on
  KeySettings issuer{60, 4096, Hash::Sha256};  ///< of issuers made from now on
  std::chrono::days crl_lifetime{7};  ///< from thisUpdate to nextUpdate, 1 to 366; made anew at half of it
  /// Each an absolute http or https URL in which %group% and %serial% stand for the group's name and for the
  /// serial number of the issuer's certificate; or empty, and the certificates do not name such a place.
  std::string crl_distribution_point;        ///< RFC 5280 section 4.2.1.13
  std::string authority_information_access;  ///< caIssuers, RFC 5280 section 4.2.2.1
  std::string ocsp_responder;                ///< ocsp, as above
  /// Requests that a vault of this installation makes for certificates of its own are approved by the
  /// service itself; otherwise by an Approver, as all others.
  bool approves_vault_orders = false;

  Stamp created;
  Stamp changed;              ///< the last change; as `created` when there was none
  std::int64_t revision = 0;  ///< the store's, for changes that rely on what was read
};

/// Everything that can be said of a group's settings by themselves, today: names, bounds, and that the keys
/// are large enough for the day on which their certificates end.
///
/// @param now  certificates are dated from here
/// @error InvalidInput  says which member, what came and what is expected.
Result<> check_group(const Group& group, Time now);

/// Whether a key may be relied on until a day: 2048 bits to the end of 2030, 3072 and more beyond it (NIST SP
/// 800-57 part 1 rev. 5, table 4: 112 bits of strength through 2030); an authority's beyond 2030 has 4096.
///
/// @param what  "the issuer's key", say
/// @error InvalidInput  says how large it has to be.
Result<> check_key_for(int key_bits, Time not_after, bool is_authority, std::string_view what);

/// A template's URL for a group and an issuer.
std::string expand_url(std::string_view url_template, std::string_view group, std::string_view issuer_serial);

/// One of the issuers that a group had so far. Its key lies in a vault and never leaves it.
struct IssuerVersion {
  std::string group;
  Certificate certificate;  ///< its serial number addresses it within the group
  std::vector<Certificate>
      chain;            ///< of those above it, up to a self-signed one; empty when it is that itself
  vault::KeyId key;     ///< with its version
  bool active = false;  ///< of each group at most one: what issues
  Stamp created;
};

/// A key that waits for its certificate from an authority elsewhere.
struct IssuerRequest {
  std::string group;
  vault::KeyId key;  ///< with its version
  Bytes request;     ///< PKCS#10, DER
  Stamp created;
};

/// A certificate revocation list as it is published.
struct PublishedCrl {
  std::string group;
  std::string issuer_serial;  ///< of the issuer's certificate, upper-case hexadecimal
  std::int64_t number = 0;    ///< cRLNumber (RFC 5280 section 5.2.3): 1, 2, 3... for each issuer version
  Time this_update{};
  Time next_update{};
  Bytes der;
};

/// An OCSP response (RFC 6960), with the times that it says of itself.
struct PublishedOcsp {
  Bytes der;
  Time made{};
  std::optional<Time> until;  ///< when there is a newer one; absent of a refusal, which has no signature
};

/// Everything that those need who are to rely on a group's certificates: all issuers that are valid still,
/// the active one first, with the CRL of each.
struct TrustList {
  std::string group;
  std::vector<Certificate> trusted;  ///< issuers of this group
  std::vector<PublishedCrl> crls;    ///< one for each of `trusted`
  std::vector<Certificate> issuers;  ///< authorities above them
};

}  // namespace signet::authority
