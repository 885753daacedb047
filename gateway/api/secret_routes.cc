#include "gateway/api/secret_routes.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "gateway/api/json_body.h"
#include "gateway/api/paging.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

/// How lists show a secret, and what every answer about one begins with. `id` may lack the version.
Json secret_item(const Call& call, const vault::SecretInfo& info, const vault::SecretId& id) {
  Json json = {{"id", object_url(call, "secrets", id)}};
  if (!info.settings.content_type.empty()) json["contentType"] = info.settings.content_type;
  json["attributes"] = attributes_json(call, info.settings.attributes, info.created, info.updated);
  add_tags(json, info.settings.tags);
  if (info.managed) json["managed"] = true;
  return json;
}

Json secret_bundle(const Call& call, const vault::SecretInfo& info) {
  Json bundle = secret_item(call, info, info.id);
  if (info.managed) bundle["kid"] = object_url(call, "keys", info.id);
  return bundle;
}

/// Of Key Vault's newest version, a certificate's secret in another form than it was made in. There is none
/// here, and one that is not kept to is refused, as there.
Result<> check_form(const Call& call, const vault::SecretInfo& info) {
  SIGNET_TRY(const auto wanted, call.target.parameter("outContentType"));
  if (!wanted || equal_ignoring_case(*wanted, info.settings.content_type)) return {};
  return fail(ErrorKind::Unsupported,
              fmt::format("this secret is given out as '{}' alone, not as '{}': leave outContentType out",
                          printable(info.settings.content_type), printable(*wanted)));
}

constexpr std::string_view kDeletedSecrets = "deletedsecrets";

Json deleted_bundle(const Call& call, const vault::DeletedSecret& deleted) {
  Json bundle = secret_bundle(call, deleted.info);
  bundle.update(deletion_json(call, kDeletedSecrets, deleted.info.id, deleted.deletion));
  return bundle;
}

Json deleted_item(const Call& call, const vault::DeletedSecret& deleted) {
  Json item = secret_item(call, deleted.info, {deleted.info.id.vault, deleted.info.id.name, {}});
  item.update(deletion_json(call, kDeletedSecrets, deleted.info.id, deleted.deletion));
  return item;
}

Result<vault::SecretSettings> read_settings(const Json& body) {
  vault::SecretSettings settings;
  SIGNET_TRY(const auto content_type, text_member(body, "contentType"));
  settings.content_type = content_type.value_or("");
  SIGNET_TRY(settings.attributes, read_attributes(body));
  SIGNET_TRY(const auto tags, map_member(body, "tags"));
  settings.tags = tags.value_or(vault::Tags());
  return settings;
}

Result<vault::SecretUpdate> read_update(const Json& body) {
  vault::SecretUpdate update;
  SIGNET_TRY(update.content_type, text_member(body, "contentType"));
  SIGNET_TRY(update.attributes, read_attributes_update(body));
  SIGNET_TRY(update.tags, map_member(body, "tags"));
  return update;
}

}  // namespace

Result<Answer> set_secret(Services& services, const Call& call) {
  SIGNET_TRY(const SecretBytes secret, required("value", secret_member(call.body, "value")));
  SIGNET_TRY(const vault::SecretSettings settings, read_settings(call.body));
  SIGNET_TRY(const vault::SecretInfo info,
             services.secrets.set_secret(call.vault_principal(), call.vault, call.parameter("name"), secret,
                                         settings));
  Json bundle = secret_bundle(call, info);
  bundle["value"] = as_text(secret.view());
  return Answer::of(std::move(bundle));
}

Result<Answer> get_secret(Services& services, const Call& call) {
  SIGNET_TRY(const vault::Secret secret, services.secrets.get_secret(call.vault_principal(), named_in(call)));
  SIGNET_CHECK(check_form(call, secret.info));
  const std::string_view value = as_text(secret.value.view());
  if (!is_utf8(value))
    return fail(ErrorKind::Unsupported,
                "the value of this secret is not text (UTF-8), which is all that JSON can carry");
  Json bundle = secret_bundle(call, secret.info);
  bundle["value"] = value;
  return Answer::of(std::move(bundle));
}

Result<Answer> update_secret(Services& services, const Call& call) {
  SIGNET_TRY(const vault::SecretUpdate update, read_update(call.body));
  SIGNET_TRY(const vault::SecretInfo info,
             services.secrets.update_secret(call.vault_principal(), named_in(call), update));
  return Answer::of(secret_bundle(call, info));
}

Result<Answer> list_secrets(Services& services, const Call& call) {
  SIGNET_TRY(const auto secrets, services.secrets.list_secrets(call.vault_principal(), call.vault));
  return page_of(
      call, secrets, Order::Key, [](const vault::SecretInfo& info) { return info.id.name; },
      [&](const vault::SecretInfo& info) {
        return secret_item(call, info, {info.id.vault, info.id.name, {}});
      });
}

Result<Answer> list_secret_versions(Services& services, const Call& call) {
  SIGNET_TRY(const auto versions,
             services.secrets.secret_versions(call.vault_principal(), call.vault, call.parameter("name")));
  return page_of(
      call, versions, Order::Other, [](const vault::SecretInfo& info) { return info.id.version; },
      [&](const vault::SecretInfo& info) { return secret_item(call, info, info.id); });
}

Result<Answer> delete_secret(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedSecret deleted,
             services.secrets.delete_secret(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::of(deleted_bundle(call, deleted));
}

Result<Answer> list_deleted_secrets(Services& services, const Call& call) {
  SIGNET_TRY(const auto all, services.secrets.list_deleted_secrets(call.vault_principal(), call.vault));
  return page_of(
      call, all, Order::Key, [](const vault::DeletedSecret& deleted) { return deleted.info.id.name; },
      [&](const vault::DeletedSecret& deleted) { return deleted_item(call, deleted); });
}

Result<Answer> get_deleted_secret(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedSecret deleted,
             services.secrets.get_deleted_secret(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::of(deleted_bundle(call, deleted));
}

Result<Answer> recover_secret(Services& services, const Call& call) {
  SIGNET_TRY(const vault::SecretInfo info,
             services.secrets.recover_secret(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::of(secret_bundle(call, info));
}

Result<Answer> purge_secret(Services& services, const Call& call) {
  SIGNET_CHECK(services.secrets.purge_secret(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::no_content();
}

Result<Answer> backup_secret(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob,
             services.secrets.backup_secret(call.vault_principal(), call.vault, call.parameter("name")));
  return backup_answer(blob);
}

Result<Answer> restore_secret(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob, required("value", octets_member(call.body, "value")));
  SIGNET_TRY(const vault::SecretInfo info,
             services.secrets.restore_secret(call.vault_principal(), call.vault, blob));
  return Answer::of(secret_bundle(call, info));
}

}  // namespace signet::gateway::api
