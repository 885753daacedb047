#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "as2/mime/headers.h"
#include "base/result.h"
#include "base/stream.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/deletion.h"
#include "gateway/api/principal.h"
#include "gateway/api/target.h"

/// One call of a REST service, checked as far as that can be done for all of them, and its answer.

namespace signet::gateway::api {

using Json = nlohmann::ordered_json;

/// What the segments of a path are that its route's pattern has a name in braces for.
using PathParameters = std::map<std::string, std::string, std::less<>>;

/// A call whose principal may make it. Its body was not looked at before that was certain.
struct Call {
  const Principal& principal;
  std::string vault;   ///< on the vault plane: whose origin it came to
  std::string origin;  ///< "https://host:port", as ids begin
  std::string path;    ///< as it came, encoded, without its query
  std::string api_version;
  const Target& target;
  PathParameters parameters;
  Json body;                           ///< an object, without members where none came
  vault::VaultSettings settings = {};  ///< on the vault plane: how the vault treats what is deleted in it

  /// The segment that the pattern has {name} for; empty where it stands for nothing.
  [[nodiscard]] const std::string& parameter(std::string_view name) const;
  /// The caller as the vault knows it.
  [[nodiscard]] vault::Principal vault_principal() const { return {principal.name}; }
};

struct Answer {
  int status = 200;
  std::optional<Json> body;
  as2::mime::Headers headers;
  /// In the place of JSON: a file, whose Content-Type `headers` say.
  std::optional<Slice> file = {};

  static Answer of(Json body) { return {200, std::move(body), {}}; }
  static Answer no_content() { return {204, std::nullopt, {}}; }
  /// @param name  what the file is to be called where it is stored: any text
  static Answer of_file(Slice file, std::string_view content_type, std::string_view name);
};

/// What an answer of 400 and more says.
struct Problem {
  int status = 500;
  std::string code;
  std::string message;
  std::string inner = {};  ///< a code that says more; left out when empty
};

/// {"error":{"code":...,"message":...,"innererror":{"code":...}}}
Answer answer_of(const Problem& problem);

/// What a failed call is answered with. The texts of errors that are the caller's own go out with it; of
/// others, such as a full disk's, only that there was one: the log has them.
///
/// @param not_found  the code of a thing that is not there, such as "KeyNotFound"
Problem problem_of(const Error& error, std::string_view not_found);

}  // namespace signet::gateway::api
