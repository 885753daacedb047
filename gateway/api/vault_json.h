#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "certstore/vault/key.h"
#include "gateway/api/call.h"

/// What the keys, secrets and certificates of a vault have in common in JSON.

namespace signet::gateway::api {

/// "https://host:port/keys/name/version"; without the last part where the id has no version.
std::string object_url(const Call& call, std::string_view collection, const vault::KeyId& id);

/// The name and the version that the path names.
vault::KeyId named_in(const Call& call);

/// In seconds since 1970, as all dates of a vault.
std::int64_t seconds(Time time);

/// Of what has no dates of its own and is not recoverable.
Json short_attributes_json(bool enabled, Time created, Time updated);

/// Also says how the vault treats the object when it is deleted.
Json attributes_json(const Call& call, const vault::KeyAttributes& attributes, Time created, Time updated);

/// What is said beside a deleted object: where it is now, since when, until when. `collection` is
/// "deletedkeys", say.
Json deletion_json(const Call& call, std::string_view collection, const vault::KeyId& id,
                   const vault::Deletion& deletion);

/// {"value": ...} @error LimitExceeded  a body that restores it would be too long.
Result<Answer> backup_answer(ByteView blob);

/// The body's "attributes", of something new.
///
/// @error InvalidInput  a member of a wrong type, or a date before 1970 or after 9999.
Result<vault::KeyAttributes> read_attributes(const Json& body);
/// The same of a change.
Result<vault::AttributesUpdate> read_attributes_update(const Json& body);

/// An object's tags, as a member; none where there are none.
void add_tags(Json& json, const vault::Tags& tags);

}  // namespace signet::gateway::api
