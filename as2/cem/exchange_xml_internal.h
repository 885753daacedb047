#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "as2/cem/certificate_exchange.h"

/// Internal to as2/cem: the XML alone, in which certificates are named and not contained.

namespace signet::as2::cem {

/// InvalidInput, which says what it is about.
inline tl::unexpected<Error> refused(std::string detail) {
  return fail(ErrorKind::InvalidInput, "certificate exchange: " + std::move(detail));
}

struct NamedCertificate {
  std::vector<CertificateUsage> usages;
  std::optional<Time> respond_by;
  std::string response_url;
  CertificateIdentifier identifier;
  std::string content_id;  ///< without brackets
};

struct RequestXml {
  std::string request_id;
  std::string sender;
  Time originated{};
  std::vector<NamedCertificate> certificates;
};

std::string write_xml(const RequestXml& request);
std::string write_xml(const Response& response);

/// @error InvalidInput, LimitExceeded  as parse().
Result<std::variant<RequestXml, Response>> read_xml(std::string_view xml);

/// "<sign@acme>" and "cid:sign@acme" are "sign@acme".
std::string bare_content_id(std::string_view text);

}  // namespace signet::as2::cem
