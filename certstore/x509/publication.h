#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// Where the issuer of a certificate publishes what others need to check it: URLs of http, or https. Whoever
/// reads them from a stranger's certificate decides for himself which of them he asks.
struct Publication {
  std::vector<std::string> crl_urls;     ///< cRLDistributionPoints (RFC 5280 section 4.2.1.13)
  std::vector<std::string> issuer_urls;  ///< authorityInfoAccess, caIssuers: DER (section 4.2.2.1)
  std::vector<std::string> ocsp_urls;    ///< authorityInfoAccess, ocsp

  friend bool operator==(const Publication&, const Publication&) = default;
};

/// @error InvalidInput  a URL that is none of http or https, has other than visible ASCII, or over 1000
///                      octets; more than 16 of a kind.
Result<> check_publication(const Publication& publication);

/// What a certificate says of it: complete lists of its own issuer, for all reasons. What check_publication()
/// would refuse is left out.
Publication publication_of(const Certificate& certificate);

}  // namespace signet::certstore
