#include "gateway/api/key_routes.h"

#include "gateway/api/json_body.h"
#include "gateway/api/key_json.h"
#include "gateway/api/paging.h"
#include "gateway/api/rotation_json.h"
#include "gateway/api/vault_json.h"

namespace signet::gateway::api {
namespace {

Result<Answer> whole(const Call& call, const Result<vault::KeyInfo>& info) {
  if (!info) return fail(info.error());
  SIGNET_TRY(Json bundle, key_bundle(call, *info));
  return Answer::of(std::move(bundle));
}

/// The version that an operation is about to use, for its answer names it. The caller may make the call,
/// which says nothing of whether it may look at the key, so this asks in the operator's name; and by naming
/// the version, a new one in between changes nothing.
Result<vault::KeyId> with_version(Services& services, const Call& call) {
  vault::KeyId id = named_in(call);
  if (!id.version.empty()) return id;
  SIGNET_TRY(const vault::KeyInfo info, services.keys.get(vault::Principal::local_operator(), id));
  return info.id;
}

Answer outcome_of(const Call& call, const vault::KeyId& id, ByteView octets) {
  return Answer::of({{"kid", object_url(call, "keys", id)}, {"value", base64url(octets)}});
}

ByteView octets_of(const Bytes& octets) { return octets; }
ByteView octets_of(const SecretBytes& octets) { return octets.view(); }

/// encrypt, decrypt, wrapkey and unwrapkey: an algorithm and octets in, octets out.
template <class Operation>
Result<Answer> transform(Services& services, const Call& call, Operation operation) {
  SIGNET_TRY(const std::string name, required("alg", text_member(call.body, "alg")));
  SIGNET_TRY(const vault::EncryptionAlgorithm algorithm, vault::parse_encryption_algorithm(name));
  SIGNET_TRY(const Bytes value, required("value", octets_member(call.body, "value")));
  SIGNET_TRY(const vault::KeyId id, with_version(services, call));
  SIGNET_TRY(const auto octets, (services.keys.*operation)(call.vault_principal(), id, algorithm, value));
  return outcome_of(call, id, octets_of(octets));
}

Result<vault::SignatureAlgorithm> read_signature_algorithm(const Json& body) {
  SIGNET_TRY(const std::string name, required("alg", text_member(body, "alg")));
  return vault::parse_signature_algorithm(name);
}

}  // namespace

Result<Answer> create_key(Services& services, const Call& call) {
  SIGNET_TRY(const vault::KeyKind kind, read_key_kind(call.body));
  SIGNET_TRY(const vault::KeySettings settings, read_key_settings(call.body));
  return whole(call, services.keys.create_key(call.vault_principal(), call.vault, call.parameter("name"),
                                              kind, settings));
}

Result<Answer> import_key(Services& services, const Call& call) {
  SIGNET_TRY(const KeyImport given, read_key_import(call.body));
  return whole(call, services.keys.import_key(call.vault_principal(), call.vault, call.parameter("name"),
                                              given.material, given.settings));
}

Result<Answer> get_key(Services& services, const Call& call) {
  return whole(call, services.keys.get(call.vault_principal(), named_in(call)));
}

Result<Answer> update_key(Services& services, const Call& call) {
  SIGNET_TRY(const vault::KeyUpdate update, read_key_update(call.body));
  return whole(call, services.keys.update(call.vault_principal(), named_in(call), update));
}

Result<Answer> list_keys(Services& services, const Call& call) {
  SIGNET_TRY(const auto keys, services.keys.list(call.vault_principal(), call.vault));
  return page_of(
      call, keys, Order::Key, [](const vault::KeyInfo& info) { return info.id.name; },
      [&](const vault::KeyInfo& info) {
        return key_item(call, info, {info.id.vault, info.id.name, {}});
      });
}

Result<Answer> list_key_versions(Services& services, const Call& call) {
  SIGNET_TRY(const auto versions,
             services.keys.versions(call.vault_principal(), call.vault, call.parameter("name")));
  return page_of(
      call, versions, Order::Other, [](const vault::KeyInfo& info) { return info.id.version; },
      [&](const vault::KeyInfo& info) { return key_item(call, info, info.id); });
}

Result<Answer> delete_key(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedKey deleted,
             services.keys.delete_key(call.vault_principal(), call.vault, call.parameter("name")));
  SIGNET_TRY(Json bundle, deleted_key_bundle(call, deleted));
  return Answer::of(std::move(bundle));
}

Result<Answer> list_deleted_keys(Services& services, const Call& call) {
  SIGNET_TRY(const auto all, services.keys.list_deleted_keys(call.vault_principal(), call.vault));
  return page_of(
      call, all, Order::Key, [](const vault::DeletedKey& deleted) { return deleted.info.id.name; },
      [&](const vault::DeletedKey& deleted) { return deleted_key_item(call, deleted); });
}

Result<Answer> get_deleted_key(Services& services, const Call& call) {
  SIGNET_TRY(const vault::DeletedKey deleted,
             services.keys.get_deleted_key(call.vault_principal(), call.vault, call.parameter("name")));
  SIGNET_TRY(Json bundle, deleted_key_bundle(call, deleted));
  return Answer::of(std::move(bundle));
}

Result<Answer> recover_key(Services& services, const Call& call) {
  return whole(call, services.keys.recover_key(call.vault_principal(), call.vault, call.parameter("name")));
}

Result<Answer> purge_key(Services& services, const Call& call) {
  SIGNET_CHECK(services.keys.purge_key(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::no_content();
}

Result<Answer> backup_key(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob,
             services.keys.backup_key(call.vault_principal(), call.vault, call.parameter("name")));
  return backup_answer(blob);
}

Result<Answer> restore_key(Services& services, const Call& call) {
  SIGNET_TRY(const Bytes blob, required("value", octets_member(call.body, "value")));
  return whole(call, services.keys.restore_key(call.vault_principal(), call.vault, blob));
}

Result<Answer> rotate_key(Services& services, const Call& call) {
  return whole(call, services.keys.rotate_key(call.vault_principal(), call.vault, call.parameter("name")));
}

Result<Answer> get_rotation_policy(Services& services, const Call& call) {
  SIGNET_TRY(const vault::RotationPolicy policy,
             services.keys.rotation_policy(call.vault_principal(), call.vault, call.parameter("name")));
  return Answer::of(rotation_policy_json(call, named_in(call), policy));
}

Result<Answer> set_rotation_policy(Services& services, const Call& call) {
  SIGNET_TRY(const vault::RotationPolicy wanted, read_rotation_policy(call.body));
  SIGNET_TRY(
      const vault::RotationPolicy policy,
      services.keys.set_rotation_policy(call.vault_principal(), call.vault, call.parameter("name"), wanted));
  return Answer::of(rotation_policy_json(call, named_in(call), policy));
}

Result<Answer> sign(Services& services, const Call& call) {
  SIGNET_TRY(const vault::SignatureAlgorithm algorithm, read_signature_algorithm(call.body));
  SIGNET_TRY(const Bytes digest, required("value", octets_member(call.body, "value")));
  SIGNET_TRY(const vault::KeyId id, with_version(services, call));
  SIGNET_TRY(const Bytes signature, services.keys.sign(call.vault_principal(), id, algorithm, digest));
  return outcome_of(call, id, signature);
}

Result<Answer> verify(Services& services, const Call& call) {
  SIGNET_TRY(const vault::SignatureAlgorithm algorithm, read_signature_algorithm(call.body));
  SIGNET_TRY(const Bytes digest, required("digest", octets_member(call.body, "digest")));
  SIGNET_TRY(const Bytes signature, required("value", octets_member(call.body, "value")));
  SIGNET_TRY(const bool holds,
             services.keys.verify(call.vault_principal(), named_in(call), algorithm, digest, signature));
  return Answer::of({{"value", holds}});
}

Result<Answer> encrypt(Services& services, const Call& call) {
  return transform(services, call, &vault::KeyVault::encrypt);
}
Result<Answer> decrypt(Services& services, const Call& call) {
  return transform(services, call, &vault::KeyVault::decrypt);
}
Result<Answer> wrap_key(Services& services, const Call& call) {
  return transform(services, call, &vault::KeyVault::wrap_key);
}
Result<Answer> unwrap_key(Services& services, const Call& call) {
  return transform(services, call, &vault::KeyVault::unwrap_key);
}

}  // namespace signet::gateway::api
