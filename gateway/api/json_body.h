#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/stream.h"
#include "gateway/api/call.h"

/// Bodies of requests, and their members. Members that nobody asks for are ignored, and null is the same as
/// absent, as Key Vault has it; a member of another type than asked for is InvalidInput with its name.

namespace signet::gateway::api {

inline constexpr std::size_t kLongestBody = 1024 * 1024;  ///< octets
inline constexpr std::size_t kDeepestBody = 32;           ///< arrays and objects within one another
inline constexpr std::size_t kMostMembers = 512;          ///< of one object

/// Reads an object. Nothing at all is an empty one.
///
/// @error InvalidInput  no JSON (RFC 8259), or not an object.  @error LimitExceeded  larger, deeper or wider.
Result<Json> parse_body(const Slice& body);

/// Of words with commas between them, an array.
Json words_json(std::string_view words);

Result<std::optional<std::string>> text_member(const Json& object, std::string_view name);
/// A text that nobody else may see. The body has it too, until the call is answered.
Result<std::optional<SecretBytes>> secret_member(const Json& object, std::string_view name);
Result<std::optional<bool>> flag_member(const Json& object, std::string_view name);
Result<std::optional<std::int64_t>> integer_member(const Json& object, std::string_view name);
/// An empty object when it is absent.
Result<Json> object_member(const Json& object, std::string_view name);
Result<std::optional<std::vector<std::string>>> words_member(const Json& object, std::string_view name);
Result<std::optional<std::map<std::string, std::string>>> map_member(const Json& object,
                                                                     std::string_view name);
/// The objects of an array; none when it is absent.
Result<std::vector<Json>> objects_member(const Json& object, std::string_view name);
/// base64url without padding.
Result<std::optional<Bytes>> octets_member(const Json& object, std::string_view name);

/// A member that must be there: SIGNET_TRY(auto alg, required("alg", text_member(body, "alg"))).
template <class T>
Result<T> required(std::string_view name, Result<std::optional<T>> member) {
  if (!member) return fail(std::move(member).error());
  if (*member) return **std::move(member);
  return fail(ErrorKind::InvalidInput, "the request's body lacks the member '" + std::string(name) + "'");
}

}  // namespace signet::gateway::api
