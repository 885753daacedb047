#pragma once

#include "certstore/vault/vault.h"
#include "gateway/api/call.h"

/// Keys of the vault as Key Vault's JSON.

namespace signet::gateway::api {

/// The whole key: its public half as a JSON Web Key, attributes.
Result<Json> key_bundle(const Call& call, const vault::KeyInfo& info);

/// How lists show a key. `id` may lack the version.
Json key_item(const Call& call, const vault::KeyInfo& info, const vault::KeyId& id);

/// A key that was deleted, as a whole and as lists show it.
Result<Json> deleted_key_bundle(const Call& call, const vault::DeletedKey& deleted);
Json deleted_key_item(const Call& call, const vault::DeletedKey& deleted);

/// "kty", "key_size" and "crv" of a request to make a key. @error InvalidInput  no such kind.
Result<vault::KeyKind> read_key_kind(const Json& body);

/// "key_ops", "attributes" and "tags" of a request to make a key, and of one to change it.
Result<vault::KeySettings> read_key_settings(const Json& body);
Result<vault::KeyUpdate> read_key_update(const Json& body);

/// A key that comes from outside.
struct KeyImport {
  vault::KeyMaterial material;
  vault::KeySettings settings;
};

/// "key", "Hsm", "attributes" and "tags" of a request to take a key in. @error InvalidInput, Unsupported
Result<KeyImport> read_key_import(const Json& body);

}  // namespace signet::gateway::api
