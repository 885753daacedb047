#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/store/authority_rows_internal.h"

namespace signet::gateway {
namespace {

using authority::Application;
using authority::As2Station;
using authority::Group;
using authority::IssuedCertificate;
using authority::IssuerVersion;
using authority::OpcUaApplication;
using authority::Request;
using certstore::Certificate;
using nlohmann::json;

json to_json(const OpcUaApplication& application) {
  json names = json::array();
  for (const authority::LocalizedText& name : application.names)
    names.push_back({{"locale", name.locale}, {"text", name.text}});
  return {{"kind", "opcUa"},
          {"uri", application.uri},
          {"names", names},
          {"productUri", application.product_uri},
          {"type", authority::to_string(application.type)},
          {"discoveryUrls", application.discovery_urls},
          {"capabilities", application.capabilities},
          {"gatewayServerUri", application.gateway_server_uri},
          {"discoveryProfileUri", application.discovery_profile_uri}};
}

json to_json(const As2Station& station) {
  json purposes = json::array();
  for (const certstore::Purpose purpose : station.purposes) purposes.push_back(authority::to_string(purpose));
  return {
      {"kind", "as2Station"}, {"as2Name", station.as2_name}, {"url", station.url}, {"purposes", purposes}};
}

Result<OpcUaApplication> opc_ua_of(const json& value) {
  OpcUaApplication application;
  application.uri = value.at("uri");
  for (const json& name : value.at("names"))
    application.names.push_back({name.at("locale"), name.at("text")});
  application.product_uri = value.at("productUri");
  SIGNET_TRY(application.type, authority::parse_opc_ua_type(value.at("type").get<std::string>()));
  application.discovery_urls = value.at("discoveryUrls").get<std::vector<std::string>>();
  application.capabilities = value.at("capabilities").get<std::vector<std::string>>();
  application.gateway_server_uri = value.at("gatewayServerUri");
  application.discovery_profile_uri = value.at("discoveryProfileUri");
  return application;
}

Result<As2Station> station_of(const json& value) {
  As2Station station;
  station.as2_name = value.at("as2Name");
  station.url = value.at("url");
  for (const json& word : value.at("purposes")) {
    SIGNET_TRY(const certstore::Purpose purpose, authority::parse_purpose(word.get<std::string>()));
    station.purposes.insert(purpose);
  }
  return station;
}

std::string text_of(const authority::ApplicationDescription& description) {
  return std::visit([](const auto& one) { return to_json(one).dump(); }, description);
}

Result<authority::ApplicationDescription> description_of(const std::string& text) {
  try {
    const json value = json::parse(text);
    if (value.at("kind") == "as2Station") {
      SIGNET_TRY(As2Station station, station_of(value));
      return station;
    }
    SIGNET_TRY(OpcUaApplication application, opc_ua_of(value));
    return application;
  } catch (const json::exception& exception) {
    return fail(
        ErrorKind::IoFailure,
        fmt::format("the description of an application in the store cannot be read: {}", exception.what()));
  }
}

std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(name).append("\n");
  return text;
}

std::vector<std::string> names_in(std::string_view lines) {
  std::vector<std::string> names;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    names.emplace_back(lines.substr(0, end));
    lines.remove_prefix(std::min(end, lines.size() - 1) + 1);
  }
  return names;
}

std::optional<vault::SecretId> secret_in(const Query& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return vault::SecretId{row.text(column), row.text(column + 1), row.text(column + 2)};
}

using Text = std::optional<std::string>;
Text vault_of(const std::optional<vault::SecretId>& id) { return id ? Text(id->vault) : std::nullopt; }
Text name_of(const std::optional<vault::SecretId>& id) { return id ? Text(id->name) : std::nullopt; }
Text version_of(const std::optional<vault::SecretId>& id) { return id ? Text(id->version) : std::nullopt; }

Result<std::optional<authority::RevocationReason>> reason_in(const Query& row, int column) {
  using Reason = std::optional<authority::RevocationReason>;
  if (row.is_null(column)) return Reason();
  SIGNET_TRY(const auto reason, certstore::parse_revocation_reason(row.text(column)));
  return Reason(reason);
}

Text text_of(const std::optional<authority::RevocationReason>& reason) {
  return reason ? Text(certstore::to_string(*reason)) : std::nullopt;
}

}  // namespace

Result<Group> read_group(const Query& row) {
  Group group;
  group.name = row.text(0);
  SIGNET_TRY(group.type, authority::parse_certificate_type(row.text(1)));
  group.subject = row.text(2);
  group.key_vault = row.text(3);
  group.issued.lifetime_months = static_cast<int>(row.integer(4));
  group.issued.key_bits = static_cast<int>(row.integer(5));
  SIGNET_TRY(group.issued.hash, authority::parse_certificate_hash(row.text(6)));
  group.issuer.lifetime_months = static_cast<int>(row.integer(7));
  group.issuer.key_bits = static_cast<int>(row.integer(8));
  SIGNET_TRY(group.issuer.hash, authority::parse_certificate_hash(row.text(9)));
  group.crl_lifetime = std::chrono::days(row.integer(10));
  group.crl_distribution_point = row.text(11);
  group.authority_information_access = row.text(12);
  group.ocsp_responder = row.text(13);
  group.approves_vault_orders = row.integer(14) != 0;
  group.created = stamp_in(row, 15);
  group.changed = stamp_in(row, 17);
  group.revision = row.integer(19);
  return group;
}

Result<bool> put_group(SqlConnection& connection, const Group& group) {
  const auto bind = [&](Query& query) {
    query.bind(group.name, authority::to_string(group.type), group.subject, group.key_vault,
               std::int64_t{group.issued.lifetime_months}, std::int64_t{group.issued.key_bits},
               to_string(group.issued.hash), std::int64_t{group.issuer.lifetime_months},
               std::int64_t{group.issuer.key_bits}, to_string(group.issuer.hash),
               std::int64_t{group.crl_lifetime.count()}, group.crl_distribution_point,
               group.authority_information_access, group.ocsp_responder, flag(group.approves_vault_orders),
               group.created.by, group.created.at, group.changed.by, group.changed.at, group.revision);
    return query.run() == 1;
  };
  if (group.revision != 0) {
    Query update(
        connection,
        "UPDATE authority_groups SET (" SIGNET_GROUP_COLUMNS
        ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20 + "
        "1) WHERE name = ?1 AND revision = ?20");
    return bind(update);
  }
  Query insert(connection,
               "INSERT INTO authority_groups (" SIGNET_GROUP_COLUMNS
               ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? + 1) ON CONFLICT "
               "DO NOTHING");
  if (bind(insert)) return true;
  return fail(ErrorKind::AlreadyExists, fmt::format("there is a group '{}' already", printable(group.name)));
}

Result<Application> read_application(const Query& row) {
  Application application;
  application.record = row.integer(0);
  application.id = row.text(1);
  SIGNET_TRY(application.description, description_of(row.text(2)));
  SIGNET_TRY(application.state, authority::parse_application_state(row.text(3)));
  application.registered = stamp_in(row, 4);
  application.changed = stamp_in(row, 6);
  application.approved = optional_stamp_in(row, 8);
  application.rejected = optional_stamp_in(row, 10);
  application.unregistered = optional_stamp_in(row, 12);
  application.reason = row.text(14);
  application.revision = row.integer(15);
  return application;
}

Result<bool> put_application(SqlConnection& connection, const Application& application) {
  const auto bind = [&](Query& query) {
    query.bind(application.id, text_of(application.description), authority::to_string(application.state),
               application.registered.by, application.registered.at, application.changed.by,
               application.changed.at, by_of(application.approved), time_of(application.approved),
               by_of(application.rejected), time_of(application.rejected), by_of(application.unregistered),
               time_of(application.unregistered), application.reason, application.revision);
    return query.run() == 1;
  };
  if (application.revision != 0) {
    Query update(connection,
                 "UPDATE authority_applications SET (" SIGNET_APPLICATION_COLUMNS_WITHOUT_RECORD
                 ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 + 1) WHERE id = ?1 "
                 "AND revision = ?15");
    return bind(update);
  }
  Query insert(connection, "INSERT INTO authority_applications (" SIGNET_APPLICATION_COLUMNS_WITHOUT_RECORD
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? + 1)");
  return bind(insert);
}

Result<Request> read_request(const Query& row) {
  Request request;
  request.record = row.integer(0);
  request.id = row.text(1);
  request.application = row.text(2);
  request.group = row.text(3);
  SIGNET_TRY(request.kind, authority::parse_request_kind(row.text(4)));
  SIGNET_TRY(request.state, authority::parse_request_state(row.text(5)));
  request.subject = row.text(6);
  request.domain_names = names_in(row.text(7));
  SIGNET_TRY(request.key_format, authority::parse_key_format(row.text(8)));
  request.signing_request = row.bytes(9);
  if (!row.is_null(10)) {
    SIGNET_TRY(request.certificate, Certificate::parse(row.bytes(10)));
  }
  request.issuer_serial = row.text(11);
  request.password = secret_in(row, 12);
  request.key_file = secret_in(row, 15);
  request.submitted = stamp_in(row, 18);
  request.approved = optional_stamp_in(row, 20);
  request.rejected = optional_stamp_in(row, 22);
  request.accepted = optional_stamp_in(row, 24);
  request.revocation_requested = optional_stamp_in(row, 26);
  request.revoked = optional_stamp_in(row, 28);
  request.removed = optional_stamp_in(row, 30);
  SIGNET_TRY(request.revocation_reason, reason_in(row, 32));
  request.reason = row.text(33);
  request.signing_request_sha256 = row.bytes(34);
  request.ordered_by = row.text(35);
  request.revision = row.integer(36);
  return request;
}

Result<bool> put_request(SqlConnection& connection, const Request& request) {
  const std::optional<ByteView> certificate =
      request.certificate ? std::optional(ByteView(request.certificate->der())) : std::nullopt;
  const auto bind = [&](Query& query) {
    query.bind(request.id, request.application, request.group, authority::to_string(request.kind),
               authority::to_string(request.state), request.subject, lines_of(request.domain_names),
               authority::to_string(request.key_format), request.signing_request, certificate,
               request.issuer_serial, vault_of(request.password), name_of(request.password),
               version_of(request.password), vault_of(request.key_file), name_of(request.key_file),
               version_of(request.key_file), request.submitted.by, request.submitted.at,
               by_of(request.approved), time_of(request.approved), by_of(request.rejected),
               time_of(request.rejected), by_of(request.accepted), time_of(request.accepted),
               by_of(request.revocation_requested), time_of(request.revocation_requested),
               by_of(request.revoked), time_of(request.revoked), by_of(request.removed),
               time_of(request.removed), text_of(request.revocation_reason), request.reason,
               request.signing_request_sha256, request.ordered_by, request.revision);
    return query.run() == 1;
  };
  if (request.revision != 0) {
    Query update(
        connection,
        "UPDATE authority_requests SET (" SIGNET_REQUEST_COLUMNS_WITHOUT_RECORD
        ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
        "?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36 + 1) "
        "WHERE id = ?1 AND revision = ?36");
    return bind(update);
  }
  Query insert(connection,
               "INSERT INTO authority_requests (" SIGNET_REQUEST_COLUMNS_WITHOUT_RECORD
               ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
               "?, ?, ?, ?, ?, ?, ?, ?, ?, ? + 1)");
  return bind(insert);
}

Result<IssuerVersion> read_issuer(const Query& row) {
  SIGNET_TRY(Certificate certificate, Certificate::parse(row.bytes(1)));
  IssuerVersion issuer{row.text(0), std::move(certificate), {}, {}, false, {}};
  if (const std::string chain = row.text(2); !chain.empty()) {
    SIGNET_TRY(issuer.chain, certstore::parse_certificates(as_bytes(chain)));
  }
  issuer.key = {row.text(3), row.text(4), row.text(5)};
  issuer.active = row.integer(6) != 0;
  issuer.created = stamp_in(row, 7);
  return issuer;
}

Result<IssuedCertificate> read_issued(const Query& row) {
  SIGNET_TRY(Certificate certificate, Certificate::parse(row.bytes(2)));
  IssuedCertificate issued{row.text(0), row.text(1),      std::move(certificate),   row.text(3),
                           row.text(4), stamp_in(row, 5), optional_stamp_in(row, 7)};
  SIGNET_TRY(const auto reason, reason_in(row, 9));
  if (reason) issued.reason = *reason;
  return issued;
}

}  // namespace signet::gateway
