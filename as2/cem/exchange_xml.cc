#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <sstream>

#include "as2/cem/exchange_xml_internal.h"

namespace signet::as2::cem {
namespace {

constexpr std::string_view kNamespace = "urn:ietf:params:xml:ns:ediintcertificateexchange";
constexpr std::string_view kSignatureNamespace = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kRequest = "EDIINTCertificateExchangeRequest";
constexpr std::string_view kResponse = "EDIINTCertificateExchangeResponse";

constexpr std::size_t kLargestXml = 256 * 1024;
constexpr std::size_t kMostCertificates = 32;
constexpr std::size_t kLongestText = 2000;

constexpr std::array kUsages{CertificateUsage::DigitalSignature, CertificateUsage::KeyEncipherment,
                             CertificateUsage::TlsClient, CertificateUsage::TlsServer};

// ---- Reading

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// The namespace that a name's prefix stands for where it is; empty: none.
std::string_view namespace_of(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  const std::string declaration =
      colon == std::string_view::npos ? "xmlns" : fmt::format("xmlns:{}", name.substr(0, colon));
  for (pugi::xml_node at = node; at; at = at.parent())
    if (const pugi::xml_attribute declared = at.attribute(declaration.c_str())) return declared.value();
  return {};
}

bool is(const pugi::xml_node& node, std::string_view space, std::string_view name) {
  return local_name(node.name()) == name && namespace_of(node) == space;
}

/// The elements of one element, taken by name; what is left over at the end was not expected.
class Elements {
 public:
  explicit Elements(const pugi::xml_node& parent) : name_(local_name(parent.name())) {
    for (const pugi::xml_node& child : parent.children())
      if (child.type() == pugi::node_element) left_.push_back(child);
  }

  std::vector<pugi::xml_node> all(std::string_view space, std::string_view name) {
    std::vector<pugi::xml_node> found;
    std::erase_if(left_, [&](const pugi::xml_node& node) {
      if (!is(node, space, name)) return false;
      found.push_back(node);
      return true;
    });
    return found;
  }

  Result<std::optional<pugi::xml_node>> at_most_one(std::string_view space, std::string_view name) {
    const std::vector<pugi::xml_node> found = all(space, name);
    if (found.size() > 1)
      return refused(fmt::format("{} has {} {} elements, expected one", name_, found.size(), name));
    return found.empty() ? std::nullopt : std::optional(found.front());
  }

  Result<pugi::xml_node> one(std::string_view space, std::string_view name) {
    SIGNET_TRY(const auto found, at_most_one(space, name));
    if (!found) return refused(fmt::format("{} lacks the element {}", name_, name));
    return *found;
  }

  /// Others may extend it in namespaces of their own.
  Result<> end() const {
    for (const pugi::xml_node& node : left_)
      if (namespace_of(node) == kNamespace || namespace_of(node).empty())
        return refused(
            fmt::format("{} has an element that is unknown there: {}", name_, printable(node.name(), 80)));
    return {};
  }

 private:
  const std::string name_;
  std::vector<pugi::xml_node> left_;
};

/// An element's text: one that people can read, without elements in it.
Result<std::string> text_of(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_element)
      return refused(fmt::format("{} has an element in it, expected text", local_name(node.name())));
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
  }
  text = trim(text);
  if (text.empty() || text.size() > kLongestText)
    return refused(fmt::format("{} has {} characters, expected 1 to {}", local_name(node.name()), text.size(),
                               kLongestText));
  const bool has_controls = std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F;
  });
  if (has_controls) return refused(fmt::format("{} has control characters in it", local_name(node.name())));
  return text;
}

Result<Time> time_of(const pugi::xml_node& node) {
  SIGNET_TRY(const std::string text, text_of(node));
  auto time = parse_time(text);
  if (!time) return refused(fmt::format("{}: {}", local_name(node.name()), time.error().detail));
  return time;
}

Result<CertificateIdentifier> read_identifier(const pugi::xml_node& node) {
  Elements elements(node);
  CertificateIdentifier identifier;
  SIGNET_TRY(const auto issuer, elements.one(kSignatureNamespace, "X509IssuerName"));
  SIGNET_TRY(const auto serial, elements.one(kSignatureNamespace, "X509SerialNumber"));
  SIGNET_CHECK(elements.end());
  SIGNET_TRY(identifier.issuer, text_of(issuer));
  SIGNET_TRY(std::string digits, text_of(serial));
  const bool is_number =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || digits.size() > 50)
    return refused(fmt::format("X509SerialNumber is '{}', expected a decimal number of at most 50 digits",
                               printable(digits, 80)));
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  identifier.serial = std::move(digits);
  return identifier;
}

Result<NamedCertificate> read_trust_request(const pugi::xml_node& node) {
  Elements elements(node);
  NamedCertificate request;
  for (const pugi::xml_node& usage : elements.all(kNamespace, "CertUsage")) {
    SIGNET_TRY(const std::string word, text_of(usage));
    SIGNET_TRY(const auto one, parse_usages(word));
    for (const CertificateUsage found : one)
      if (std::find(request.usages.begin(), request.usages.end(), found) == request.usages.end())
        request.usages.push_back(found);
  }
  if (request.usages.empty()) return refused("TrustRequest lacks the element CertUsage");
  SIGNET_TRY(const auto respond_by, elements.at_most_one(kNamespace, "RespondByDate"));
  if (respond_by) {
    SIGNET_TRY(request.respond_by, time_of(*respond_by));
  }
  SIGNET_TRY(const auto url, elements.at_most_one(kNamespace, "ResponseURL"));
  if (url) {
    SIGNET_TRY(request.response_url, text_of(*url));
  }
  SIGNET_TRY(const auto entity, elements.one(kNamespace, "EndEntity"));
  elements.all(kNamespace, "TrustChain");
  SIGNET_CHECK(elements.end());

  Elements parts(entity);
  SIGNET_TRY(const auto identifier, parts.one(kNamespace, "CertificateIdentifier"));
  SIGNET_TRY(const auto content_id, parts.one(kNamespace, "CertificateContentID"));
  SIGNET_CHECK(parts.end());
  SIGNET_TRY(request.identifier, read_identifier(identifier));
  SIGNET_TRY(const std::string id, text_of(content_id));
  request.content_id = bare_content_id(id);
  return request;
}

Result<TrustResponse> read_trust_response(const pugi::xml_node& node) {
  Elements elements(node);
  TrustResponse response;
  SIGNET_TRY(const auto status, elements.one(kNamespace, "CertStatus"));
  SIGNET_TRY(const auto reason, elements.at_most_one(kNamespace, "ReasonForRejection"));
  SIGNET_TRY(const auto reference, elements.one(kNamespace, "CertificateReference"));
  SIGNET_CHECK(elements.end());
  SIGNET_TRY(const std::string word, text_of(status));
  if (word != "Accepted" && word != "Rejected")
    return refused(fmt::format("CertStatus is '{}', expected Accepted or Rejected", printable(word, 80)));
  response.accepted = word == "Accepted";
  if (reason && !std::string_view(reason->child_value()).empty()) {
    SIGNET_TRY(response.reason, text_of(*reason));
  }
  // The identifier's two elements stand in the reference, or in an element of their own in it.
  Elements parts(reference);
  SIGNET_TRY(const auto identifier, parts.at_most_one(kNamespace, "CertificateIdentifier"));
  SIGNET_TRY(response.certificate, read_identifier(identifier.value_or(reference)));
  return response;
}

/// What requests and responses begin with.
template <class Message>
Result<> read_beginning(const pugi::xml_node& root, Elements& elements, Message& message) {
  message.request_id = root.attribute("requestId").value();
  const bool is_id = !message.request_id.empty() && message.request_id.size() <= 200 &&
                     std::all_of(message.request_id.begin(), message.request_id.end(),
                                 [](char c) { return c > ' ' && c <= '~'; });
  if (!is_id)
    return refused(fmt::format("requestId is '{}', expected 1 to 200 characters of ASCII without spaces",
                               printable(message.request_id, 80)));
  SIGNET_TRY(const auto partner, elements.one(kNamespace, "TradingPartnerInfo"));
  Elements parts(partner);
  SIGNET_TRY(const auto name, parts.one(kNamespace, "Name"));
  SIGNET_TRY(const auto originated, parts.one(kNamespace, "MessageOriginated"));
  SIGNET_CHECK(parts.end());
  if (const pugi::xml_attribute qualifier = name.attribute("qualifier");
      qualifier && std::string_view(qualifier.value()) != "AS2")
    return refused(
        fmt::format("the Name's qualifier is '{}', expected AS2", printable(qualifier.value(), 80)));
  SIGNET_TRY(message.sender, text_of(name));
  SIGNET_TRY(message.originated, time_of(originated));
  return {};
}

template <class Message, class Read>
Result<Message> read_message(const pugi::xml_node& root, std::string_view of_each, Read read) {
  Elements elements(root);
  Message message;
  SIGNET_CHECK(read_beginning(root, elements, message));
  const std::vector<pugi::xml_node> each = elements.all(kNamespace, of_each);
  SIGNET_CHECK(elements.end());
  if (each.empty()) return refused(fmt::format("{} lacks the element {}", local_name(root.name()), of_each));
  if (each.size() > kMostCertificates)
    return fail(ErrorKind::LimitExceeded,
                fmt::format("certificate exchange: {} {} elements, expected {} at most", each.size(), of_each,
                            kMostCertificates));
  for (const pugi::xml_node& node : each) {
    SIGNET_TRY(auto one, read(node));
    message.certificates.push_back(std::move(one));
  }
  return message;
}

/// The only element at the top; nothing may declare entities.
Result<pugi::xml_node> root_of(const pugi::xml_document& document) {
  pugi::xml_node root;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() == pugi::node_doctype) return refused("a document type, expected none");
    if (node.type() != pugi::node_element) continue;
    if (root) return refused("two root elements, expected one");
    root = node;
  }
  if (!root) return refused("no root element");
  return root;
}

// ---- Writing

void add_text(pugi::xml_node& parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

/// Seconds are enough for everybody.
std::string date_time(Time time) {
  const std::string text = to_rfc3339(time);
  return text.substr(0, 19) + "Z";
}

pugi::xml_node begin(pugi::xml_document& document, std::string_view name, const std::string& request_id,
                     const std::string& sender, Time originated) {
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node root = document.append_child(std::string(name).c_str());
  root.append_attribute("xmlns") = std::string(kNamespace).c_str();
  root.append_attribute("xmlns:ds") = std::string(kSignatureNamespace).c_str();
  root.append_attribute("requestId") = request_id.c_str();
  pugi::xml_node partner = root.append_child("TradingPartnerInfo");
  pugi::xml_node named = partner.append_child("Name");
  named.append_attribute("qualifier") = "AS2";
  named.text().set(sender.c_str());
  add_text(partner, "MessageOriginated", date_time(originated));
  return root;
}

void add_identifier(pugi::xml_node& parent, const CertificateIdentifier& identifier) {
  add_text(parent, "ds:X509IssuerName", identifier.issuer);
  add_text(parent, "ds:X509SerialNumber", identifier.serial);
}

std::string written(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace

std::string_view to_string(CertificateUsage usage) {
  switch (usage) {
    case CertificateUsage::DigitalSignature:
      return "digitalSignature";
    case CertificateUsage::KeyEncipherment:
      return "keyEncipherment";
    case CertificateUsage::TlsClient:
      return "tlsClient";
    case CertificateUsage::TlsServer:
      return "tlsServer";
  }
  return "digitalSignature";
}

std::string to_string(const std::vector<CertificateUsage>& usages) {
  std::string text;
  for (const CertificateUsage usage : usages)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(usage));
  return text;
}

Result<std::vector<CertificateUsage>> parse_usages(std::string_view text) {
  std::vector<CertificateUsage> usages;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto found = std::find_if(kUsages.begin(), kUsages.end(),
                                    [&](CertificateUsage usage) { return to_string(usage) == word; });
    if (found == kUsages.end())
      return refused(
          fmt::format("CertUsage is '{}', expected digitalSignature, keyEncipherment, tlsClient or tlsServer",
                      printable(word, 80)));
    usages.push_back(*found);
  }
  return usages;
}

std::string bare_content_id(std::string_view text) {
  text = trim(text);
  if (text.starts_with("cid:")) text.remove_prefix(4);
  if (text.size() > 2 && text.front() == '<' && text.back() == '>') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::string write_xml(const RequestXml& request) {
  pugi::xml_document document;
  pugi::xml_node root = begin(document, kRequest, request.request_id, request.sender, request.originated);
  for (const NamedCertificate& one : request.certificates) {
    pugi::xml_node trust = root.append_child("TrustRequest");
    for (const CertificateUsage usage : one.usages)
      add_text(trust, "CertUsage", std::string(to_string(usage)));
    if (one.respond_by) add_text(trust, "RespondByDate", date_time(*one.respond_by));
    add_text(trust, "ResponseURL", one.response_url);
    pugi::xml_node entity = trust.append_child("EndEntity");
    pugi::xml_node identifier = entity.append_child("CertificateIdentifier");
    add_identifier(identifier, one.identifier);
    add_text(entity, "CertificateContentID", one.content_id);
  }
  return written(document);
}

std::string write_xml(const Response& response) {
  pugi::xml_document document;
  pugi::xml_node root = begin(document, kResponse, response.request_id, response.sender, response.originated);
  for (const TrustResponse& one : response.certificates) {
    pugi::xml_node trust = root.append_child("TrustResponse");
    add_text(trust, "CertStatus", one.accepted ? "Accepted" : "Rejected");
    if (!one.accepted && !one.reason.empty()) add_text(trust, "ReasonForRejection", one.reason);
    pugi::xml_node reference = trust.append_child("CertificateReference");
    add_identifier(reference, one.certificate);
  }
  return written(document);
}

Result<std::variant<RequestXml, Response>> read_xml(std::string_view xml) {
  if (xml.size() > kLargestXml)
    return fail(
        ErrorKind::LimitExceeded,
        fmt::format("certificate exchange: {} octets of XML, expected {} at most", xml.size(), kLargestXml));
  pugi::xml_document document;
  const pugi::xml_parse_result read =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype);
  if (!read)
    return refused(fmt::format("the XML cannot be read at octet {}: {}", read.offset, read.description()));
  SIGNET_TRY(const pugi::xml_node root, root_of(document));
  if (is(root, kNamespace, kRequest)) {
    SIGNET_TRY(RequestXml request, read_message<RequestXml>(root, "TrustRequest", read_trust_request));
    return std::variant<RequestXml, Response>(std::move(request));
  }
  if (is(root, kNamespace, kResponse)) {
    SIGNET_TRY(Response response, read_message<Response>(root, "TrustResponse", read_trust_response));
    return std::variant<RequestXml, Response>(std::move(response));
  }
  return refused(fmt::format("the root element is '{}' of the namespace '{}', expected {} or {} of {}",
                             printable(root.name(), 80), printable(namespace_of(root), 120), kRequest,
                             kResponse, kNamespace));
}

}  // namespace signet::as2::cem
