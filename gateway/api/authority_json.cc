#include "gateway/api/authority_json.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/bytes.h"
#include "certstore/x509/pem.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

using authority::Application;
using authority::As2Station;
using authority::KeySettings;
using authority::OpcUaApplication;
using certstore::Certificate;

constexpr std::string_view kServiceHost = "%servicehost%";

Json certificate_facts(const Certificate& certificate) {
  return {{"subject", certificate.subject()},
          {"issuer", certificate.issuer()},
          {"serialNumber", certificate.serial()},
          {"thumbprint", certificate.thumbprint_sha1()},
          {"thumbprintSha256", certificate.thumbprint_sha256()},
          {"notBefore", to_rfc3339(certificate.not_before())},
          {"notAfter", to_rfc3339(certificate.not_after())},
          {"certificate", base64(certificate.der())}};
}

Json certificates_json(const std::vector<Certificate>& certificates) {
  Json list = Json::array();
  for (const Certificate& certificate : certificates) list.push_back(certificate_facts(certificate));
  return list;
}

void add(Json& json, const char* name, const std::optional<authority::Stamp>& stamp) {
  if (stamp) json[name] = json_of(*stamp);
}

void add(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

Json settings_json(const KeySettings& settings) {
  return {{"lifetimeMonths", settings.lifetime_months},
          {"keySize", settings.key_bits},
          {"hashAlgorithm", to_string(settings.hash)}};
}

void add_description(Json& json, const OpcUaApplication& application) {
  json["applicationUri"] = application.uri;
  json["applicationNames"] = Json::array();
  for (const authority::LocalizedText& name : application.names)
    json["applicationNames"].push_back({{"locale", name.locale}, {"text", name.text}});
  json["productUri"] = application.product_uri;
  json["applicationType"] = to_string(application.type);
  json["discoveryUrls"] = application.discovery_urls;
  json["serverCapabilities"] = application.capabilities;
  add(json, "gatewayServerUri", application.gateway_server_uri);
  add(json, "discoveryProfileUri", application.discovery_profile_uri);
}

void add_description(Json& json, const As2Station& station) {
  json["as2Name"] = station.as2_name;
  json["url"] = station.url;
  json["purposes"] = Json::array();
  for (const certstore::Purpose purpose : station.purposes)
    json["purposes"].push_back(authority::to_string(purpose));
}

}  // namespace

Json json_of(const authority::Stamp& stamp) { return {{"by", stamp.by}, {"at", to_rfc3339(stamp.at)}}; }

Json json_of(const authority::Group& group) {
  return {{"name", group.name},
          {"certificateType", to_string(group.type)},
          {"subject", group.subject},
          {"keyVault", group.key_vault},
          {"issued", settings_json(group.issued)},
          {"issuer", settings_json(group.issuer)},
          {"crlLifetimeDays", group.crl_lifetime.count()},
          {"crlDistributionPoint", group.crl_distribution_point},
          {"authorityInformationAccess", group.authority_information_access},
          {"ocspResponder", group.ocsp_responder},
          {"approvesVaultOrders", group.approves_vault_orders},
          {"created", json_of(group.created)},
          {"changed", json_of(group.changed)},
          {"revision", group.revision}};
}

Json json_of(const authority::IssuerVersion& issuer) {
  Json json = certificate_facts(issuer.certificate);
  json["group"] = issuer.group;
  json["active"] = issuer.active;
  json["key"] = to_string(issuer.key);
  json["chain"] = certificates_json(issuer.chain);
  json["created"] = json_of(issuer.created);
  return json;
}

Json json_of(const authority::IssuerRequest& request) {
  return {{"group", request.group},
          {"key", to_string(request.key)},
          {"certificateRequest", base64(request.request)},
          {"created", json_of(request.created)}};
}

Json json_of(const authority::PublishedCrl& crl) {
  return {{"group", crl.group},
          {"issuerSerialNumber", crl.issuer_serial},
          {"number", crl.number},
          {"thisUpdate", to_rfc3339(crl.this_update)},
          {"nextUpdate", to_rfc3339(crl.next_update)}};
}

Json json_of(const authority::TrustList& list) {
  Json crls = Json::array();
  for (const authority::PublishedCrl& crl : list.crls) {
    crls.push_back(json_of(crl));
    crls.back()["crl"] = base64(crl.der);
  }
  return {{"group", list.group},
          {"trustedCertificates", certificates_json(list.trusted)},
          {"trustedCrls", std::move(crls)},
          {"issuerCertificates", certificates_json(list.issuers)}};
}

Json json_of(const Application& application) {
  Json json = {
      {"applicationId", application.id}, {"id", application.record}, {"state", to_string(application.state)}};
  std::visit([&](const auto& description) { add_description(json, description); }, application.description);
  json["registered"] = json_of(application.registered);
  json["changed"] = json_of(application.changed);
  add(json, "approved", application.approved);
  add(json, "rejected", application.rejected);
  add(json, "unregistered", application.unregistered);
  add(json, "reason", application.reason);
  json["revision"] = application.revision;
  return json;
}

Json json_of(const authority::Request& request) {
  Json json = {{"requestId", request.id},
               {"id", request.record},
               {"applicationId", request.application},
               {"group", request.group},
               {"kind", to_string(request.kind)},
               {"state", to_string(request.state)},
               {"subject", request.subject},
               {"domainNames", request.domain_names}};
  if (request.kind == authority::RequestKind::KeyPair)
    json["privateKeyFormat"] = to_string(request.key_format);
  if (!request.signing_request.empty()) json["certificateRequest"] = base64(request.signing_request);
  if (request.certificate) json["certificate"] = certificate_facts(*request.certificate);
  add(json, "issuerSerialNumber", request.issuer_serial);
  json["submitted"] = json_of(request.submitted);
  add(json, "orderedBy", request.ordered_by);
  add(json, "approved", request.approved);
  add(json, "rejected", request.rejected);
  add(json, "accepted", request.accepted);
  add(json, "revocationRequested", request.revocation_requested);
  add(json, "revoked", request.revoked);
  add(json, "removed", request.removed);
  if (request.revocation_reason) json["revocationReason"] = to_string(*request.revocation_reason);
  add(json, "reason", request.reason);
  json["revision"] = request.revision;
  return json;
}

Json json_of(const authority::FetchedCertificate& fetched) {
  Json json = {{"request", json_of(fetched.request)}, {"issuers", certificates_json(fetched.issuers)}};
  if (fetched.key_file) json["privateKey"] = base64(*fetched.key_file);
  return json;
}

Json json_of(const authority::IssuedCertificate& issued) {
  Json json = certificate_facts(issued.certificate);
  json["group"] = issued.group;
  json["issuerSerialNumber"] = issued.issuer_serial;
  json["requestId"] = issued.request;
  json["applicationId"] = issued.application;
  json["issued"] = json_of(issued.issued);
  if (issued.revoked) {
    json["revoked"] = json_of(*issued.revoked);
    json["revocationReason"] = to_string(issued.reason);
  }
  return json;
}

Json json_of(const authority::AuditEntry& entry) {
  Json record = Json::parse(entry.json, nullptr, false);
  // A line that somebody made unreadable is shown as it is.
  if (!record.is_object()) record = {{"unreadable", printable(entry.json)}};
  return {{"line", entry.line}, {"record", std::move(record)}};
}

void set_default_urls(std::string_view publication_host, authority::Group& group) {
  const std::string base = fmt::format("http://{}", publication_host);
  group.crl_distribution_point = base + "/certs/crl/%serial%/%group%.crl";
  group.authority_information_access = base + "/certs/issuer/%serial%/%group%.cer";
  group.ocsp_responder = base + "/ocsp";
}

Result<std::vector<Certificate>> read_certificates(std::string_view text) {
  const auto octets = certstore::pem_or_der_in(text);
  if (!octets) return fail(Error(octets.error()).within("certificates"));
  return certstore::parse_certificates(*octets);
}

Result<std::string> with_service_host(std::string url, std::string_view publication_host) {
  const std::size_t at = url.find(kServiceHost);
  if (at == std::string::npos) return url;
  if (publication_host.empty())
    return fail(ErrorKind::InvalidInput,
                fmt::format("the URL '{}' has %servicehost%, and nobody said what that is: set "
                            "publication-host in serve.toml to the name and port by which others reach "
                            "listen-publication, or give the URL without it",
                            printable(url)));
  return url.replace(at, kServiceHost.size(), publication_host);
}

namespace {

Result<> take_integer(const Json& object, const char* name, int& value) {
  SIGNET_TRY(const auto given, integer_member(object, name));
  if (!given) return {};
  if (*given < 0 || *given > std::numeric_limits<int>::max())
    return fail(ErrorKind::InvalidInput, fmt::format("'{}' cannot be {}", name, *given));
  value = static_cast<int>(*given);
  return {};
}

Result<> take_settings(const Json& body, const char* name, KeySettings& settings) {
  SIGNET_TRY(const Json object, object_member(body, name));
  SIGNET_CHECK(take_integer(object, "lifetimeMonths", settings.lifetime_months));
  SIGNET_CHECK(take_integer(object, "keySize", settings.key_bits));
  SIGNET_TRY(const auto hash, text_member(object, "hashAlgorithm"));
  if (hash) {
    SIGNET_TRY(settings.hash, authority::parse_certificate_hash(*hash));
  }
  return {};
}

Result<> take_url(const Json& body, const char* name, std::string_view publication_host, std::string& url) {
  SIGNET_TRY(auto given, text_member(body, name));
  if (!given) return {};
  SIGNET_TRY(url, with_service_host(*std::move(given), publication_host));
  return {};
}

Result<> take_text(const Json& body, const char* name, std::string& text) {
  SIGNET_TRY(auto given, text_member(body, name));
  if (given) text = *std::move(given);
  return {};
}

Result<std::vector<authority::LocalizedText>> names_in(const Json& body) {
  SIGNET_TRY(const std::vector<Json> objects, objects_member(body, "applicationNames"));
  std::vector<authority::LocalizedText> names;
  for (const Json& object : objects) {
    authority::LocalizedText name;
    SIGNET_CHECK(take_text(object, "locale", name.locale));
    SIGNET_TRY(name.text, required("text", text_member(object, "text")));
    names.push_back(std::move(name));
  }
  return names;
}

Result<authority::ApplicationDescription> station_in(const Json& body) {
  As2Station station;
  SIGNET_TRY(station.as2_name, required("as2Name", text_member(body, "as2Name")));
  SIGNET_TRY(station.url, required("url", text_member(body, "url")));
  SIGNET_TRY(const auto purposes, required("purposes", words_member(body, "purposes")));
  for (const std::string& word : purposes) {
    SIGNET_TRY(const certstore::Purpose purpose, authority::parse_purpose(word));
    station.purposes.insert(purpose);
  }
  return station;
}

Result<authority::ApplicationDescription> opc_ua_in(const Json& body) {
  OpcUaApplication application;
  SIGNET_TRY(application.uri, required("applicationUri", text_member(body, "applicationUri")));
  SIGNET_TRY(application.names, names_in(body));
  SIGNET_TRY(application.product_uri, required("productUri", text_member(body, "productUri")));
  SIGNET_TRY(const std::string type, required("applicationType", text_member(body, "applicationType")));
  SIGNET_TRY(application.type, authority::parse_opc_ua_type(type));
  SIGNET_TRY(auto urls, words_member(body, "discoveryUrls"));
  application.discovery_urls = std::move(urls).value_or(std::vector<std::string>());
  SIGNET_TRY(auto capabilities, words_member(body, "serverCapabilities"));
  application.capabilities = std::move(capabilities).value_or(std::vector<std::string>());
  SIGNET_CHECK(take_text(body, "gatewayServerUri", application.gateway_server_uri));
  SIGNET_CHECK(take_text(body, "discoveryProfileUri", application.discovery_profile_uri));
  return application;
}

}  // namespace

Result<> take_group(const Json& body, std::string_view publication_host, authority::Group& group) {
  SIGNET_TRY(const auto type, text_member(body, "certificateType"));
  if (type) {
    SIGNET_TRY(group.type, authority::parse_certificate_type(*type));
  }
  SIGNET_CHECK(take_text(body, "subject", group.subject));
  SIGNET_CHECK(take_text(body, "keyVault", group.key_vault));
  SIGNET_CHECK(take_settings(body, "issued", group.issued));
  SIGNET_CHECK(take_settings(body, "issuer", group.issuer));
  int days = static_cast<int>(group.crl_lifetime.count());
  SIGNET_CHECK(take_integer(body, "crlLifetimeDays", days));
  group.crl_lifetime = std::chrono::days(days);
  SIGNET_CHECK(take_url(body, "crlDistributionPoint", publication_host, group.crl_distribution_point));
  SIGNET_CHECK(
      take_url(body, "authorityInformationAccess", publication_host, group.authority_information_access));
  SIGNET_CHECK(take_url(body, "ocspResponder", publication_host, group.ocsp_responder));
  SIGNET_TRY(const auto approves, flag_member(body, "approvesVaultOrders"));
  if (approves) group.approves_vault_orders = *approves;
  SIGNET_TRY(const auto revision, integer_member(body, "revision"));
  group.revision = revision.value_or(0);
  return {};
}

Result<authority::ApplicationDescription> application_in(const Json& body) {
  return body.contains("as2Name") ? station_in(body) : opc_ua_in(body);
}

authority::Actor actor_of(const Principal& principal) {
  constexpr std::array<std::pair<Role, authority::Role>, 5> kRoles{
      {{Role::Reader, authority::Role::Reader},
       {Role::Writer, authority::Role::Writer},
       {Role::Approver, authority::Role::Approver},
       {Role::Administrator, authority::Role::Administrator},
       {Role::Auditor, authority::Role::Auditor}}};
  authority::Actor actor{principal.name, {}};
  for (const auto& [ours, theirs] : kRoles)
    if (principal.roles.has(ours)) actor.roles.add(theirs);
  return actor;
}

}  // namespace signet::gateway::api
