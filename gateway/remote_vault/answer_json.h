#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/stream.h"
#include "certstore/vault/key.h"
#include "certstore/vault/secret.h"

/// What a vault's answers say, read with the distrust that another server's words deserve. Every error here
/// is InvalidInput and names the member.

namespace signet::gateway {

using nlohmann::json;

/// Reads an object; the octets on the way are wiped, since there are secrets in them.
Result<json> read_object(const Slice& body);

/// A member that is a text; empty where there is none.
std::string text_of(const json& object, const char* member);
/// base64url without padding.
Result<Bytes> octets_of(const json& object, const char* member);
Result<SecretBytes> secret_octets_of(json& object, const char* member);

/// "https://vault.example/keys/name/version" of this vault's, as our KeyId; the version may be absent.
///
/// @param collection  "keys" or "secrets"
Result<vault::KeyId> read_object_id(std::string_view url, std::string_view collection,
                                    const std::string& vault);

/// A key bundle. Only kinds that are in KeyKind are understood, in hardware or not.
///
/// @error Unsupported  another kind of key.
Result<vault::KeyInfo> read_key_bundle(const json& bundle, const std::string& vault);
/// An item of a list of keys: without the kind and the public half.
Result<vault::KeyInfo> read_key_item(const json& item, const std::string& vault);
/// A bundle or an item of a list of secrets, without the value.
Result<vault::SecretInfo> read_secret_info(const json& item, const std::string& vault);

}  // namespace signet::gateway
