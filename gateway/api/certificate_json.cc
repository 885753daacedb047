#include "gateway/api/certificate_json.h"

#include <fmt/format.h>

#include "base/digest.h"
#include "base/json_texts.h"
#include "certstore/vault/certificate_policy_json.h"
#include "certstore/x509/pem.h"
#include "gateway/api/json_body.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kCertificates = "certificates";
constexpr std::string_view kDeletedCertificates = "deletedcertificates";
constexpr std::size_t kMostInChain = 100;

vault::CertificateId without_version(const vault::CertificateId& id) { return {id.vault, id.name, {}}; }

std::string url_below(const Call& call, const vault::CertificateId& id, std::string_view what) {
  return fmt::format("{}/{}", object_url(call, kCertificates, without_version(id)), what);
}

Json attributes_of(const Call& call, const vault::CertificateInfo& info) {
  vault::KeyAttributes attributes{info.settings.enabled, {}, {}};
  if (!info.chain.empty()) {
    attributes.not_before = info.chain.front().not_before();
    attributes.expires = info.chain.front().not_after();
  }
  return attributes_json(call, attributes, info.created, info.updated);
}

std::string thumbprint(const certstore::Certificate& certificate) {
  return base64url(digest(Hash::Sha1, certificate.der()));
}

Result<std::string> text_or_empty(const Json& object, std::string_view name) {
  SIGNET_TRY(const auto text, text_member(object, name));
  return text.value_or("");
}

Json administrators_json(const std::vector<vault::IssuerAdministrator>& administrators) {
  Json list = Json::array();
  for (const vault::IssuerAdministrator& one : administrators)
    list.push_back({{"first_name", one.first_name},
                    {"last_name", one.last_name},
                    {"email", one.email},
                    {"phone", one.phone}});
  return list;
}

Result<std::vector<vault::IssuerAdministrator>> read_administrators(const std::vector<Json>& given) {
  std::vector<vault::IssuerAdministrator> administrators;
  for (const Json& one : given) {
    vault::IssuerAdministrator administrator;
    SIGNET_TRY(administrator.first_name, text_or_empty(one, "first_name"));
    SIGNET_TRY(administrator.last_name, text_or_empty(one, "last_name"));
    SIGNET_TRY(administrator.email, text_or_empty(one, "email"));
    SIGNET_TRY(administrator.phone, text_or_empty(one, "phone"));
    administrators.push_back(std::move(administrator));
  }
  return administrators;
}

/// Certificates as PEM; an empty text is none.
Result<std::optional<std::vector<certstore::Certificate>>> authorities_member(const Json& body) {
  using Authorities = std::optional<std::vector<certstore::Certificate>>;
  SIGNET_TRY(const auto text, text_member(body, "authorities"));
  if (!text) return Authorities();
  if (text->empty()) return Authorities(std::vector<certstore::Certificate>());
  auto read = certstore::parse_certificates(as_bytes(*text));
  if (!read) return fail(std::move(read).error().within("the member 'authorities'"));
  return Authorities(*std::move(read));
}

}  // namespace

Json certificate_bundle(const Call& call, const vault::VaultCertificate& certificate) {
  const vault::CertificateInfo& info = certificate.info;
  Json bundle = {{"id", object_url(call, kCertificates, info.id)}};
  if (!info.chain.empty()) {
    bundle["kid"] = object_url(call, "keys", info.id);
    bundle["sid"] = object_url(call, "secrets", info.id);
    bundle["x5t"] = thumbprint(info.chain.front());
    bundle["cer"] = base64(info.chain.front().der());
    bundle["contentType"] = to_string(certificate.policy.content);
  }
  bundle["attributes"] = attributes_of(call, info);
  bundle["tags"] = info.settings.tags;
  bundle["policy"] = policy_json(call, info.id, certificate.policy);
  if (certificate.pending) bundle["pending"] = {{"id", url_below(call, info.id, "pending")}};
  return bundle;
}

Json certificate_item(const Call& call, const vault::CertificateInfo& info, const vault::CertificateId& id) {
  Json item = {{"id", object_url(call, kCertificates, id)}};
  if (!info.chain.empty()) item["x5t"] = thumbprint(info.chain.front());
  item["attributes"] = attributes_of(call, info);
  item["tags"] = info.settings.tags;
  return item;
}

Json deleted_bundle(const Call& call, const vault::DeletedCertificate& deleted) {
  Json bundle = certificate_bundle(call, deleted.certificate);
  bundle.update(deletion_json(call, kDeletedCertificates, deleted.certificate.info.id, deleted.deletion));
  return bundle;
}

Json deleted_item(const Call& call, const vault::Deleted<vault::CertificateInfo>& deleted) {
  Json item = certificate_item(call, deleted.info, without_version(deleted.info.id));
  item.update(deletion_json(call, kDeletedCertificates, deleted.info.id, deleted.deletion));
  return item;
}

Json policy_json(const Call& call, const vault::CertificateId& id, const vault::CertificatePolicy& policy) {
  Json json = {{"id", url_below(call, id, "policy")}};
  json.update(vault::to_json(policy));
  return json;
}

Json operation_json(const Call& call, const vault::CertificateOperation& operation) {
  Json json = {{"id", url_below(call, operation.id, "pending")},
               {"issuer", {{"name", operation.issuer}}},
               {"csr", base64(operation.request)},
               {"cancellation_requested", operation.cancellation_requested},
               {"status", to_string(operation.status)}};
  if (operation.status == vault::OperationStatus::InProgress)
    json["status_details"] =
        operation.issuer == vault::kUnknownIssuer
            ? "Pending certificate created. Please Perform Merge to complete the request."
            : operation.details;
  if (operation.failure)
    json["error"] = {{"code", operation.failure->code}, {"message", operation.failure->message}};
  if (operation.status == vault::OperationStatus::Completed)
    json["target"] = object_url(call, kCertificates, without_version(operation.id));
  json["request_id"] = operation.request_id;
  return json;
}

Json contacts_json(const Call& call, const std::vector<vault::CertificateContact>& contacts) {
  Json list = Json::array();
  for (const vault::CertificateContact& contact : contacts) {
    Json one = {{"email", contact.email}};
    if (!contact.name.empty()) one["name"] = contact.name;
    if (!contact.phone.empty()) one["phone"] = contact.phone;
    list.push_back(std::move(one));
  }
  return {{"id", call.origin + "/certificates/contacts"}, {"contacts", std::move(list)}};
}

Json issuer_json(const Call& call, const vault::CertificateIssuer& issuer) {
  Json organisation = Json::object();
  if (!issuer.organisation.empty()) organisation["id"] = issuer.organisation;
  organisation["admin_details"] = administrators_json(issuer.administrators);
  Json credentials = Json::object();
  if (!issuer.account.empty()) credentials["account_id"] = issuer.account;
  Json json = {{"id", fmt::format("{}/certificates/issuers/{}", call.origin, issuer.id.name)},
               {"provider", issuer.provider},
               {"credentials", std::move(credentials)},
               {"org_details", std::move(organisation)},
               {"attributes", short_attributes_json(issuer.enabled, issuer.created, issuer.updated)}};
  if (!issuer.directory.empty()) json["directory"] = issuer.directory;
  if (!issuer.authorities.empty()) json["authorities"] = to_pem(issuer.authorities);
  return json;
}

Result<vault::CertificateUpdate> read_certificate_update(const Json& body) {
  vault::CertificateUpdate update;
  SIGNET_TRY(const Json attributes, object_member(body, "attributes"));
  SIGNET_TRY(update.enabled, flag_member(attributes, "enabled"));
  SIGNET_TRY(update.tags, map_member(body, "tags"));
  return update;
}

Result<vault::CertificatePolicy> read_policy(const Json& body, vault::CertificatePolicy before) {
  SIGNET_TRY(const Json given, object_member(body, "policy"));
  return vault::apply_json(std::move(before), given);
}

Result<vault::CertificateFile> read_certificate_value(const Json& body) {
  SIGNET_TRY(const SecretBytes value, required("value", secret_member(body, "value")));
  SIGNET_TRY(const std::optional<SecretBytes> passphrase, secret_member(body, "pwd"));
  auto file = certstore::pem_or_der_in(as_text(value.view()));
  if (!file) return fail(std::move(file).error().within("the member 'value', PEM or a PFX in base64"));
  auto read = vault::read_certificate_file(*file, passphrase);
  wipe(*file);
  return read;
}

Result<std::vector<certstore::Certificate>> read_certificates(const Json& body) {
  SIGNET_TRY(const std::vector<std::string> given, required("x5c", words_member(body, "x5c")));
  if (given.size() > kMostInChain)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'x5c' has {} certificates; at most {} are taken", given.size(), kMostInChain));
  std::vector<certstore::Certificate> certificates;
  for (const std::string& text : given) {
    SIGNET_TRY(const Bytes der, parse_base64(text));
    SIGNET_TRY(certstore::Certificate certificate, certstore::Certificate::parse(der));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

Result<std::vector<vault::CertificateContact>> read_contacts(const Json& body) {
  SIGNET_TRY(const std::vector<Json> given, objects_member(body, "contacts"));
  std::vector<vault::CertificateContact> contacts;
  for (const Json& one : given) {
    vault::CertificateContact contact;
    SIGNET_TRY(contact.email, text_or_empty(one, "email"));
    SIGNET_TRY(contact.name, text_or_empty(one, "name"));
    SIGNET_TRY(contact.phone, text_or_empty(one, "phone"));
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

Result<vault::IssuerUpdate> read_issuer(const Json& body) {
  vault::IssuerUpdate update;
  SIGNET_TRY(update.provider, text_member(body, "provider"));
  SIGNET_TRY(Json credentials, object_member(body, "credentials"));
  SIGNET_TRY(update.account, text_member(credentials, "account_id"));
  SIGNET_TRY(update.password, secret_member(credentials, "pwd"));
  if (update.password) wipe_texts(credentials);
  SIGNET_TRY(const Json organisation, object_member(body, "org_details"));
  SIGNET_TRY(update.organisation, text_member(organisation, "id"));
  SIGNET_TRY(const std::vector<Json> administrators, objects_member(organisation, "admin_details"));
  if (!administrators.empty()) {
    SIGNET_TRY(update.administrators, read_administrators(administrators));
  }
  SIGNET_TRY(update.directory, text_member(body, "directory"));
  SIGNET_TRY(update.authorities, authorities_member(body));
  SIGNET_TRY(const Json attributes, object_member(body, "attributes"));
  SIGNET_TRY(update.enabled, flag_member(attributes, "enabled"));
  return update;
}

}  // namespace signet::gateway::api
