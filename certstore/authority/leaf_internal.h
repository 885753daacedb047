#pragma once

#include <string>
#include <vector>

#include "certstore/authority/application.h"
#include "certstore/authority/group.h"
#include "certstore/authority/request.h"
#include "certstore/x509/certification_request.h"
#include "certstore/x509/profile.h"
#include "certstore/x509/publication.h"

/// Internal: what issued certificates are like.

namespace signet::authority {

/// @error AlreadyExists  a group for OPC UA and a station, or the other way round.
Result<> check_type_fits(const Group& group, const Application& application);

/// What was asked for and the hosts of the application's URLs, each once: host names in lower case, and
/// addresses in their one form.
Result<std::vector<std::string>> domain_names_of(const Application& application,
                                                 const std::vector<std::string>& asked_for);

/// Reads a PKCS#10 request, and whether it is one for this application and this group.
///
/// @error InvalidInput   its applicationUri is another's, or absent; an RSA key smaller than the group's or
///                       larger than 4096 bits, or for OPC UA another one than RSA; no common name. And those
///                       of CertificationRequest::parse().
Result<certstore::CertificationRequest> read_signing_request(const Group& group,
                                                             const Application& application,
                                                             ByteView pem_or_der);
/// The host names and addresses that it asks for.
std::vector<std::string> domain_names_of(const certstore::CertificationRequest& request);

/// Names, uses and constraints of a certificate, without its dates.
///
/// @error InvalidInput  the subject, or a name.
Result<certstore::CertificateProfile> leaf_profile(const Group& group, const Application& application,
                                                   const Request& request, certstore::KeyType key_type);

/// From midnight (UTC) of yesterday on, for the group's lifetime, within that of the issuer.
///
/// @error AlreadyExists  the issuer's is over by tomorrow, or has not begun.
Result<> set_leaf_dates(certstore::CertificateProfile& profile, const Group& group, const Certificate& issuer,
                        Time now);

/// Where others find what they need to check what an issuer issued.
certstore::Publication publication_for(const Group& group, const std::string& issuer_serial);

}  // namespace signet::authority
