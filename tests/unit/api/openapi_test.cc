#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <regex>
#include <set>

#include "base/file.h"
#include "gateway/api/api_version.h"
#include "gateway/api/route.h"

/// The OpenAPI documents say of the routes what the table of all routes says, in both directions.

namespace signet::gateway::api {
namespace {

using testing::ContainerEq;

/// As a document and as HTTP spell them.
constexpr std::array<std::pair<const char*, const char*>, 5> kMethods = {
    {{"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"patch", "PATCH"}, {"delete", "DELETE"}}};

struct Document {
  Plane plane;
  Json root;

  /// What a value stands for, where it is a reference to something else.
  [[nodiscard]] const Json& resolved(const Json& value) const {
    return value.contains("$ref") ? root.at(pointer(value.at("$ref"))) : value;
  }
  static Json::json_pointer pointer(const std::string& reference) {
    return Json::json_pointer(reference.substr(1));  // without its '#'
  }
};

/// An operation of a document, with the parameters that it has of its own and of its path.
struct Operation {
  std::string call;  ///< "GET /keys"
  const Json* json;
  std::vector<Json> parameters;
};

const std::vector<Document>& documents() {
  static const auto read = [](const char* name) {
    const Bytes text = read_file(std::filesystem::path(SIGNET_SOURCE_DIR) / "docs" / name).value();
    return Json::parse(as_text(text));
  };
  static const std::vector<Document> all = {{Plane::Vault, read("openapi-vault.json")},
                                            {Plane::Management, read("openapi-management.json")}};
  return all;
}

std::vector<Operation> operations_of(const Document& document) {
  std::vector<Operation> operations;
  for (const auto& [path, item] : document.root.at("paths").items())
    for (const auto& [member, method] : kMethods) {
      if (!item.contains(member)) continue;
      Operation operation{fmt::format("{} {}", method, path), &item.at(member), {}};
      for (const Json* holder : {&item, operation.json})
        for (const Json& parameter : holder->value("parameters", Json::array()))
          operation.parameters.push_back(document.resolved(parameter));
      operations.push_back(std::move(operation));
    }
  return operations;
}

/// "keys/sign", "Reader".
std::string words_of(const Needs& needs) {
  struct {
    std::string operator()(vault::KeyPermission need) { return fmt::format("keys/{}", to_string(need)); }
    std::string operator()(vault::SecretPermission need) {
      return fmt::format("secrets/{}", to_string(need));
    }
    std::string operator()(vault::CertificatePermission need) {
      return fmt::format("certificates/{}", to_string(need));
    }
    std::string operator()(Role need) { return std::string(to_string(need)); }
  } words;
  return std::visit(words, needs);
}

/// OpenAPI has no segment that may be missing, so a pattern with one is two paths. Where others follow it, it
/// is empty in the second: "/keys/{name}//sign".
std::vector<std::string> paths_of(std::string_view pattern) {
  constexpr std::string_view kOptional = "/{version?}";
  const std::string text(pattern);
  const std::size_t at = text.find(kOptional);
  if (at == std::string::npos) return {text};
  const std::string rest = text.substr(at + kOptional.size());
  return {text.substr(0, at) + "/{version}" + rest, text.substr(0, at) + (rest.empty() ? "" : "/" + rest)};
}

/// "GET /keys: keys/list" of each.
std::set<std::string> calls_of_table(Plane plane) {
  std::set<std::string> calls;
  for (const Route& route : routes())
    if (route.plane == plane)
      for (const std::string& path : paths_of(route.pattern))
        calls.insert(fmt::format("{} {}: {}", route.method, path, words_of(route.needs)));
  return calls;
}

std::set<std::string> calls_of_document(const Document& document) {
  std::set<std::string> calls;
  for (const Operation& operation : operations_of(document))
    calls.insert(
        fmt::format("{}: {}", operation.call, operation.json->at("x-signet-needs").get<std::string>()));
  return calls;
}

std::set<std::string> names_in_braces(const std::string& text) {
  static const std::regex kName(R"(\{(\w+)\})");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), kName); at != std::sregex_iterator(); ++at)
    names.insert((*at)[1]);
  return names;
}

void collect_references(const Json& value, std::set<std::string>& references) {
  if (value.is_object() && value.contains("$ref")) references.insert(value.at("$ref").get<std::string>());
  if (value.is_structured())
    for (const Json& inner : value) collect_references(inner, references);
}

/// The words of an enumeration of permissions, as a policy's text has them.
std::string words_in(const Document& document, const char* schema) {
  std::vector<std::string> words = document.root.at("components").at("schemas").at(schema).at("enum");
  std::erase(words, "all");
  return fmt::format("{}", fmt::join(words, ","));
}

TEST(OpenApi, HasTheRoutesAndNoOthersEachWithWhatItNeeds) {
  for (const Document& document : documents())
    EXPECT_THAT(calls_of_document(document), ContainerEq(calls_of_table(document.plane)));
}

TEST(OpenApi, DeclaresEachParameterOfAPathAndTheApiVersion) {
  for (const Document& document : documents())
    for (const Operation& operation : operations_of(document)) {
      std::set<std::string> in_path;
      bool has_version = false;
      for (const Json& parameter : operation.parameters) {
        const std::string name = parameter.at("name");
        if (parameter.at("in") == "path") {
          EXPECT_TRUE(parameter.value("required", false)) << operation.call;
          in_path.insert(name);
        }
        has_version = has_version || (name == "api-version" && parameter.value("required", false));
      }
      EXPECT_THAT(in_path, ContainerEq(names_in_braces(operation.call))) << operation.call;
      EXPECT_TRUE(has_version) << operation.call;
    }
}

TEST(OpenApi, HasEverythingThatItRefersToAndNothingElse) {
  for (const Document& document : documents()) {
    std::set<std::string> references;
    collect_references(document.root, references);
    std::set<std::string> components;
    for (const char* kind : {"parameters", "responses", "schemas"})
      for (const auto& [name, component] : document.root.at("components").at(kind).items())
        components.insert(fmt::format("#/components/{}/{}", kind, name));
    EXPECT_THAT(references, ContainerEq(components));
  }
}

TEST(OpenApi, CallsEachOperationByAnotherName) {
  for (const Document& document : documents()) {
    std::set<std::string> ids;
    for (const Operation& operation : operations_of(document))
      EXPECT_TRUE(ids.insert(operation.json->at("operationId").get<std::string>()).second) << operation.call;
  }
}

TEST(OpenApi, TellsTheVersionsThatAreTaken) {
  for (const Document& document : documents()) {
    const std::regex pattern(document.root.at("components")
                                 .at("parameters")
                                 .at("api-version")
                                 .at("schema")
                                 .at("pattern")
                                 .get<std::string>());
    for (const std::string version : {"7.0", "7.6", "7.7", "7.6-preview", "7.6-preview.2", "2025-07-01",
                                      "2019-05-01", "2026-02-01-preview", "20190501", "latest", ""})
      EXPECT_EQ(std::regex_match(version, pattern),
                read_api_version(parse_target("/?api-version=" + version), document.plane).has_value())
          << version;
  }
}

TEST(OpenApi, HasTheWordsOfThePermissions) {
  const Document& management = documents().back();
  EXPECT_EQ(words_in(management, "KeyPermission"), to_string(*vault::parse_key_permissions("all")));
  EXPECT_EQ(words_in(management, "SecretPermission"), to_string(*vault::parse_secret_permissions("all")));
  EXPECT_EQ(words_in(management, "CertificatePermission"),
            to_string(*vault::parse_certificate_permissions("all")));
}

}  // namespace
}  // namespace signet::gateway::api
