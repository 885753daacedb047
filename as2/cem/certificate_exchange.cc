#include "as2/cem/certificate_exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "as2/cem/exchange_xml_internal.h"
#include "as2/mime/content_type.h"
#include "as2/mime/entity.h"
#include "as2/mime/transfer_encoding.h"
#include "base/random.h"
#include "certstore/x509/certs_only.h"

namespace signet::as2::cem {
namespace {

constexpr std::string_view kXmlType = "application/ediint-cert-exchange+xml";
constexpr std::size_t kMostParts = 64;
constexpr std::size_t kLargestPart = 1024 * 1024;

/// Hexadecimal digits as a decimal number.
std::string decimal(std::string_view hexadecimal) {
  std::string digits = "0";  // the lowest first
  for (const char c : hexadecimal) {
    unsigned carry = c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10;
    for (char& digit : digits) {
      carry += static_cast<unsigned>(digit - '0') * 16;
      digit = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits.push_back(static_cast<char>('0' + carry % 10));
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

/// Line ends as MIME has them.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

struct Part {
  std::string head;  ///< each field with its line end
  std::string body;
};

Composed related(const std::string& xml, const std::vector<Part>& others) {
  const std::string boundary = "cem-" + random_id();
  const std::string start = fmt::format("{}@exchange", random_id());
  Composed composed;
  composed.content_type = fmt::format("multipart/related; type=\"{}\"; start=\"<{}>\"; boundary=\"{}\"",
                                      kXmlType, start, boundary);
  composed.body = fmt::format(
      "--{}\r\nContent-Type: {}\r\nContent-ID: <{}>\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", boundary,
      kXmlType, start, base64_lines(as_bytes(with_crlf(xml))));
  for (const Part& part : others)
    composed.body += fmt::format("--{}\r\n{}\r\n{}", boundary, part.head, part.body);
  composed.body += fmt::format("--{}--\r\n", boundary);
  return composed;
}

// ---- Reading

/// The XML, and the parts with a Content-ID.
struct Parts {
  std::string xml;
  std::vector<std::pair<std::string, Slice>> named;
};

Result<std::string> xml_in(const mime::Entity& entity, const SpoolArea& area) {
  SIGNET_TRY(const Slice content, mime::decoded(entity, area));
  SIGNET_TRY(const Bytes octets, content.to_bytes(kLargestPart));
  return std::string(as_text(octets));
}

Result<Parts> read_parts(const mime::ContentType& type, const Slice& body, const SpoolArea& area) {
  const auto boundary = type.parameter("boundary");
  if (!boundary) return refused("multipart/related has no boundary parameter");
  SIGNET_TRY(const std::vector<Slice> slices, mime::split_multipart(body, *boundary, kMostParts));
  const std::string start = bare_content_id(type.parameter("start").value_or(""));
  Parts parts;
  bool has_xml = false;
  for (const Slice& slice : slices) {
    SIGNET_TRY(const mime::Entity entity, mime::read_entity(slice));
    SIGNET_TRY(const auto part_type, mime::content_type(entity.headers));
    const std::string id = bare_content_id(entity.headers.value("Content-ID").value_or(""));
    if (part_type && part_type->is(kXmlType) && (start.empty() || id.empty() || id == start)) {
      if (has_xml) return refused(fmt::format("two parts of the type {}, expected one", kXmlType));
      has_xml = true;
      SIGNET_TRY(parts.xml, xml_in(entity, area));
      continue;
    }
    SIGNET_TRY(Slice content, mime::decoded(entity, area));
    if (!id.empty()) parts.named.emplace_back(id, std::move(content));
  }
  if (!has_xml) return refused(fmt::format("no part of the type {}", kXmlType));
  return parts;
}

/// The one that the XML names; what it is issued by may be in the same part.
Result<certstore::Certificate> find_certificate(const NamedCertificate& named, const Parts& parts) {
  const auto has_id = [&](const auto& part) { return part.first == named.content_id; };
  const auto found = std::find_if(parts.named.begin(), parts.named.end(), has_id);
  if (found == parts.named.end())
    return refused(fmt::format("no part has the Content-ID '{}' that the XML names a certificate by",
                               printable(named.content_id, 200)));
  if (std::count_if(parts.named.begin(), parts.named.end(), has_id) > 1)
    return refused(fmt::format("two parts have the Content-ID '{}'", printable(named.content_id, 200)));
  SIGNET_TRY(const Bytes octets, found->second.to_bytes(kLargestPart));
  auto certificates = certstore::parse_certificates(octets);
  if (!certificates)
    return fail(
        std::move(certificates)
            .error()
            .within(fmt::format("certificate exchange: the part '{}'", printable(named.content_id, 200))));
  for (certstore::Certificate& certificate : *certificates)
    if (identifier_of(certificate).serial == named.identifier.serial) return std::move(certificate);
  return refused(fmt::format("the part '{}' has no certificate with the serial number {}",
                             printable(named.content_id, 200), named.identifier.serial));
}

Result<Request> complete(RequestXml xml, const Parts& parts) {
  Request request{std::move(xml.request_id), std::move(xml.sender), xml.originated, {}};
  for (const NamedCertificate& named : xml.certificates) {
    SIGNET_TRY(certstore::Certificate certificate, find_certificate(named, parts));
    const auto same = std::find_if(request.certificates.begin(), request.certificates.end(),
                                   [&](const TrustRequest& one) { return one.certificate == certificate; });
    if (same == request.certificates.end()) {
      request.certificates.push_back(
          {named.usages, named.respond_by, named.response_url, std::move(certificate)});
      continue;
    }
    for (const CertificateUsage usage : named.usages)
      if (std::find(same->usages.begin(), same->usages.end(), usage) == same->usages.end())
        same->usages.push_back(usage);
    if (named.respond_by)
      same->respond_by = std::min(same->respond_by.value_or(*named.respond_by), *named.respond_by);
  }
  return request;
}

}  // namespace

CertificateIdentifier identifier_of(const certstore::Certificate& certificate) {
  return {certificate.issuer(), decimal(certificate.serial())};
}

Result<Composed> compose(const Request& request) {
  RequestXml xml{request.request_id, request.sender, request.originated, {}};
  std::vector<Part> parts;
  for (const TrustRequest& one : request.certificates) {
    const std::string id = fmt::format("{}@exchange", one.certificate.thumbprint_sha256().substr(0, 32));
    SIGNET_TRY(const Bytes certs_only, certstore::make_certs_only({one.certificate}));
    xml.certificates.push_back(
        {one.usages, one.respond_by, one.response_url, identifier_of(one.certificate), id});
    parts.push_back(
        {fmt::format("Content-Type: application/pkcs7-mime; smime-type=certs-only; "
                     "name=\"certificate.p7c\"\r\nContent-ID: <{}>\r\nContent-Transfer-Encoding: base64\r\n"
                     "Content-Disposition: attachment; filename=\"certificate.p7c\"\r\n",
                     id),
         base64_lines(certs_only)});
  }
  return related(write_xml(xml), parts);
}

Composed compose(const Response& response) { return related(write_xml(response), {}); }

bool is_exchange(std::string_view content_type) {
  const auto type = mime::parse_content_type(content_type);
  if (!type) return false;
  if (type->is(kXmlType)) return true;
  return type->is("multipart/related") && equal_ignoring_case(type->parameter("type").value_or(""), kXmlType);
}

Result<Exchange> parse(std::string_view content_type, const Slice& body, const SpoolArea& area) {
  SIGNET_TRY(const mime::ContentType type, mime::parse_content_type(content_type));
  Parts parts;
  if (type.is(kXmlType)) {
    SIGNET_TRY(const Bytes octets, body.to_bytes(kLargestPart));
    parts.xml = std::string(as_text(octets));
  } else {
    SIGNET_TRY(parts, read_parts(type, body, area));
  }
  SIGNET_TRY(auto xml, read_xml(parts.xml));
  if (auto* response = std::get_if<Response>(&xml)) return Exchange(std::move(*response));
  SIGNET_TRY(Request request, complete(std::get<RequestXml>(std::move(xml)), parts));
  return Exchange(std::move(request));
}

}  // namespace signet::as2::cem
