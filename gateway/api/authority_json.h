#pragma once

#include <string_view>

#include "certstore/authority/authority.h"
#include "gateway/api/call.h"

/// The certificate service in JSON: what /certificateService answers and takes, and what the command prints.

namespace signet::gateway::api {

/// {"by": "operator-a", "at": "2026-11-28T13:00:00.000Z"}
Json json_of(const authority::Stamp& stamp);
Json json_of(const authority::Group& group);
Json json_of(const authority::IssuerVersion& issuer);
Json json_of(const authority::IssuerRequest& request);
/// Without the list itself.
Json json_of(const authority::PublishedCrl& crl);
Json json_of(const authority::TrustList& list);
Json json_of(const authority::Application& application);
Json json_of(const authority::Request& request);
Json json_of(const authority::FetchedCertificate& fetched);
Json json_of(const authority::IssuedCertificate& issued);
/// {"line": 17, "record": {...}}
Json json_of(const authority::AuditEntry& entry);

/// What of a group a body names is put into `group`, but for its name; the rest stays. In URLs, %servicehost%
/// is `publication_host`.
///
/// @error InvalidInput  a member that is none of its kind, or %servicehost% where there is no such host.
Result<> take_group(const Json& body, std::string_view publication_host, authority::Group& group);

/// The body of an application: OPC UA's, or an AS2 station's where it has "as2Name".
///
/// @error InvalidInput  names the member.
Result<authority::ApplicationDescription> application_in(const Json& body);

/// A URL in which %servicehost% has become `publication_host`.
///
/// @error InvalidInput  says which setting is needed.
Result<std::string> with_service_host(std::string url, std::string_view publication_host);

/// Where the certificates of a new group say that things are, unless it is told otherwise: at our own
/// listener.
void set_default_urls(std::string_view publication_host, authority::Group& group);

/// The certificates of a text: PEM, or base64 of one in DER or of a PKCS#7 bundle.
///
/// @error InvalidInput  it has none.
Result<std::vector<certstore::Certificate>> read_certificates(std::string_view text);

/// What whoever calls may do with the certificate service.
authority::Actor actor_of(const Principal& principal);

}  // namespace signet::gateway::api
