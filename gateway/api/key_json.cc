#include "gateway/api/key_json.h"

#include <fmt/format.h>

#include "gateway/api/json_body.h"
#include "gateway/api/jwk.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kDeletedKeys = "deletedkeys";
constexpr std::array kOperations = {vault::KeyOp::Encrypt, vault::KeyOp::Decrypt, vault::KeyOp::Sign,
                                    vault::KeyOp::Verify,  vault::KeyOp::WrapKey, vault::KeyOp::UnwrapKey};

/// An EC key's `decrypt` is the vault's own word for key agreement, which the contract has none for.
Json key_ops_json(const vault::KeyInfo& info) {
  Json words = Json::array();
  for (const vault::KeyOp op : kOperations)
    if (info.ops.has(op) && (vault::is_rsa(info.kind) || op != vault::KeyOp::Decrypt))
      words.push_back(vault::to_string(op));
  return words;
}

Result<vault::KeyKind> rsa_kind(std::int64_t bits) {
  switch (bits) {
    case 2048:
      return vault::KeyKind::Rsa2048;
    case 3072:
      return vault::KeyKind::Rsa3072;
    case 4096:
      return vault::KeyKind::Rsa4096;
    default:
      return fail(ErrorKind::InvalidInput,
                  fmt::format("an RSA key has a key_size of 2048, 3072 or 4096, not {}", bits));
  }
}

Result<std::optional<vault::KeyOps>> ops_member(const Json& body) {
  SIGNET_TRY(const auto words, words_member(body, "key_ops"));
  if (!words) return std::nullopt;
  vault::KeyOps ops;
  for (const std::string& word : *words) {
    SIGNET_TRY(const vault::KeyOps op, vault::parse_key_ops(word));
    ops.add_all(op);
  }
  return ops;
}

}  // namespace

Result<Json> key_bundle(const Call& call, const vault::KeyInfo& info) {
  Json key = {{"kid", object_url(call, "keys", info.id)}};
  SIGNET_TRY(const Json jwk, public_jwk(info.public_key));
  key["kty"] = jwk["kty"];
  key["key_ops"] = key_ops_json(info);
  key.update(jwk);
  if (info.in_token) key["kty"] = jwk["kty"].get<std::string>() + "-HSM";
  Json bundle = {{"key", std::move(key)},
                 {"attributes", attributes_json(call, info.attributes, info.created, info.updated)}};
  add_tags(bundle, info.tags);
  if (info.managed) bundle["managed"] = true;
  return bundle;
}

Result<Json> deleted_key_bundle(const Call& call, const vault::DeletedKey& deleted) {
  SIGNET_TRY(Json bundle, key_bundle(call, deleted.info));
  bundle.update(deletion_json(call, kDeletedKeys, deleted.info.id, deleted.deletion));
  return bundle;
}

Json deleted_key_item(const Call& call, const vault::DeletedKey& deleted) {
  Json item = key_item(call, deleted.info, {deleted.info.id.vault, deleted.info.id.name, {}});
  item.update(deletion_json(call, kDeletedKeys, deleted.info.id, deleted.deletion));
  return item;
}

Json key_item(const Call& call, const vault::KeyInfo& info, const vault::KeyId& id) {
  Json item = {{"kid", object_url(call, "keys", id)},
               {"attributes", attributes_json(call, info.attributes, info.created, info.updated)}};
  add_tags(item, info.tags);
  if (info.managed) item["managed"] = true;
  return item;
}

Result<vault::KeyKind> read_key_kind(const Json& body) {
  constexpr std::int64_t kDefaultBits = 2048;
  SIGNET_TRY(const std::string word, required("kty", text_member(body, "kty")));
  const std::string type = key_type(word).type;
  SIGNET_TRY(const auto bits, integer_member(body, "key_size"));
  SIGNET_TRY(const auto curve, text_member(body, "crv"));
  if (type == "RSA") return rsa_kind(bits.value_or(kDefaultBits));
  if (type == "EC") return ec_kind(curve.value_or("P-256"));
  return fail(unknown_key_type(word));
}

Result<vault::KeySettings> read_key_settings(const Json& body) {
  vault::KeySettings settings;
  SIGNET_TRY(settings.ops, ops_member(body));
  SIGNET_TRY(settings.attributes, read_attributes(body));
  SIGNET_TRY(const auto tags, map_member(body, "tags"));
  settings.tags = tags.value_or(vault::Tags());
  SIGNET_TRY(const auto type, text_member(body, "kty"));
  settings.in_token = type && key_type(*type).in_token;
  return settings;
}

Result<KeyImport> read_key_import(const Json& body) {
  SIGNET_TRY(const auto in_hardware, flag_member(body, "Hsm"));
  const auto key = body.find("key");  // no copy of it
  if (key == body.end() || !key->is_object())
    return fail(ErrorKind::InvalidInput, "the request's body lacks the member 'key', a JSON Web Key");
  KeyImport given;
  SIGNET_TRY(given.settings, read_key_settings(body));
  SIGNET_TRY(given.settings.ops, ops_member(*key));
  SIGNET_TRY(const auto type, text_member(*key, "kty"));
  given.settings.in_token = in_hardware.value_or(false) || (type && key_type(*type).in_token);
  SIGNET_TRY(given.material, read_private_jwk(*key));
  return given;
}

Result<vault::KeyUpdate> read_key_update(const Json& body) {
  vault::KeyUpdate update;
  SIGNET_TRY(update.ops, ops_member(body));
  SIGNET_TRY(update.attributes, read_attributes_update(body));
  SIGNET_TRY(update.tags, map_member(body, "tags"));
  return update;
}

}  // namespace signet::gateway::api
