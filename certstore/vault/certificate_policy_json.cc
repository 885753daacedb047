#include "certstore/vault/certificate_policy_json.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

namespace signet::vault {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::int64_t seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// What a type of key ends in that is in a token.
constexpr std::string_view kInToken = "-HSM";

/// "RSA-2048" is 2048, "EC-P-256" is 256.
int size_of(KeyKind kind) {
  const std::string_view word = to_string(kind);
  return std::stoi(std::string(word.substr(word.rfind('-') + 1)));
}

ordered_json key_json(const CertificatePolicy& policy) {
  ordered_json value{
      {"exportable", policy.exportable},
      {"kty", fmt::format("{}{}", is_rsa(policy.kind) ? "RSA" : "EC", policy.in_token ? kInToken : "")},
      {"key_size", size_of(policy.kind)},
      {"reuse_key", policy.reuse_key}};
  if (!is_rsa(policy.kind)) value["crv"] = to_string(policy.kind).substr(std::string_view("EC-").size());
  return value;
}

ordered_json names_json(const certstore::AlternativeNames& names) {
  ordered_json value = ordered_json::object();
  const auto add = [&value](const char* member, const std::vector<std::string>& list) {
    if (!list.empty()) value[member] = list;
  };
  add("dns_names", names.dns_names);
  add("emails", names.emails);
  add("upns", names.upns);
  add("uris", names.uris);
  add("ipAddresses", names.ip_addresses);
  return value;
}

ordered_json x509_json(const CertificatePolicy& policy) {
  ordered_json uses = ordered_json::array();
  for (const certstore::KeyUse use : key_uses_of(policy)) uses.push_back(to_string(use));
  return {{"subject", policy.subject},
          {"sans", names_json(policy.alternative_names)},
          {"ekus", policy.extended_key_usages},
          {"key_usage", std::move(uses)},
          {"validity_months", policy.validity_months}};
}

ordered_json actions_json(const CertificatePolicy& policy) {
  ordered_json list = ordered_json::array();
  for (const LifetimeAction& action : lifetime_actions_of(policy)) {
    ordered_json trigger = ordered_json::object();
    if (action.lifetime_percentage) trigger["lifetime_percentage"] = *action.lifetime_percentage;
    if (action.days_before_expiry) trigger["days_before_expiry"] = *action.days_before_expiry;
    list.push_back({{"trigger", std::move(trigger)}, {"action", {{"action_type", to_string(action.type)}}}});
  }
  return list;
}

ordered_json issuer_json(const CertificatePolicy& policy) {
  ordered_json value{{"name", policy.issuer}};
  if (!policy.certificate_type.empty()) value["cty"] = policy.certificate_type;
  value["cert_transparency"] = policy.certificate_transparency;
  return value;
}

/// An object of the JSON that was given, with the way to it; or an absent one, of which nothing is read.
class Member {
 public:
  Member(const json* value, std::string path) : value_(value), path_(std::move(path)) {}

  Result<Member> object(const char* name) const {
    Member member(find(name), path_ + "/" + name);
    if (member.value_ != nullptr && !member.value_->is_object()) return member.refuse("an object");
    return member;
  }
  /// @returns whether there is such a member.
  Result<bool> read(const char* name, std::string& into) const {
    const json* const value = find(name);
    if (value == nullptr) return false;
    if (!value->is_string()) return Member(value, path_ + "/" + name).refuse("a text");
    into = value->get<std::string>();
    return true;
  }
  Result<> read(const char* name, bool& into) const {
    const json* const value = find(name);
    if (value == nullptr) return {};
    if (!value->is_boolean()) return Member(value, path_ + "/" + name).refuse("true or false");
    into = value->get<bool>();
    return {};
  }
  Result<bool> read(const char* name, int& into) const {
    const json* const value = find(name);
    if (value == nullptr) return false;
    const Member member(value, path_ + "/" + name);
    if (!value->is_number_integer()) return member.refuse("a whole number");
    const auto number = value->get<std::int64_t>();
    if (number < 0 || number > std::numeric_limits<int>::max())
      return member.refuse("a smaller whole number");
    into = static_cast<int>(number);
    return true;
  }
  Result<bool> read(const char* name, std::vector<std::string>& into) const {
    SIGNET_TRY(const auto list, elements(name));
    if (!list) return false;
    into.clear();
    for (const Member& element : *list) {
      if (!element.value_->is_string()) return element.refuse("a text");
      into.push_back(element.value_->get<std::string>());
    }
    return true;
  }
  Result<std::optional<std::vector<Member>>> elements(const char* name) const {
    const json* const value = find(name);
    if (value == nullptr) return std::optional<std::vector<Member>>();
    const std::string path = path_ + "/" + name;
    if (!value->is_array()) return Member(value, path).refuse("a list");
    std::vector<Member> list;
    for (std::size_t i = 0; i < value->size(); ++i)
      list.emplace_back(&(*value)[i], fmt::format("{}/{}", path, i));
    return std::optional(std::move(list));
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] tl::unexpected<Error> refuse(std::string_view wanted) const {
    return fail(ErrorKind::InvalidInput, fmt::format("{}: {} is wanted, got {}", path_, wanted,
                                                     value_ == nullptr ? "nothing" : value_->type_name()));
  }

 private:
  [[nodiscard]] const json* find(const char* name) const {
    if (value_ == nullptr || !value_->is_object()) return nullptr;
    const auto found = value_->find(name);
    return found == value_->end() || found->is_null() ? nullptr : &*found;
  }
  const json* value_;
  std::string path_;
};

template <class T>
Result<T> at(const Member& member, const char* name, Result<T> read) {
  if (read) return read;
  return fail(std::move(read).error().within(member.path() + "/" + name));
}

/// The kind that is wanted; what is not said of it is as it was, or as Key Vault has it where the type
/// changes.
Result<KeyKind> apply_kind(const Member& key, KeyKind now, bool& in_token) {
  std::string type = is_rsa(now) ? "RSA" : "EC";
  int size = is_rsa(now) ? size_of(now) : 2048;
  std::string curve =
      is_rsa(now) ? "P-256" : std::string(to_string(now).substr(std::string_view("EC-").size()));
  SIGNET_TRY(const bool typed, key.read("kty", type));
  SIGNET_TRY(const bool sized, key.read("key_size", size));
  SIGNET_TRY(const bool curved, key.read("crv", curve));
  if (typed) in_token = type.ends_with(kInToken);
  if (typed && in_token) type.resize(type.size() - kInToken.size());
  if (equal_ignoring_case(type, "EC")) {
    constexpr std::array<std::pair<int, const char*>, 3> kCurves{
        {{256, "P-256"}, {384, "P-384"}, {521, "P-521"}}};
    for (const auto& [bits, name] : kCurves)
      if (sized && !curved && bits == size) curve = name;
    return at(key, "crv", parse_key_kind("EC-" + curve));
  }
  if (!equal_ignoring_case(type, "RSA"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("{}/kty: '{}' is no type of key; there are: RSA, EC, RSA-HSM, EC-HSM", key.path(),
                            printable(type)));
  return at(key, "key_size", parse_key_kind(fmt::format("RSA-{}", size)));
}

Result<> apply_key(const Member& key, CertificatePolicy& policy) {
  SIGNET_TRY(policy.kind, apply_kind(key, policy.kind, policy.in_token));
  SIGNET_CHECK(key.read("exportable", policy.exportable));
  return key.read("reuse_key", policy.reuse_key);
}

Result<> apply_secret(const Member& secret, CertificatePolicy& policy) {
  std::string type;
  SIGNET_TRY(const bool given, secret.read("contentType", type));
  if (given) {
    SIGNET_TRY(policy.content, at(secret, "contentType", parse_certificate_content(type)));
  }
  return {};
}

Result<> apply_names(const Member& sans, certstore::AlternativeNames& names) {
  SIGNET_CHECK(sans.read("dns_names", names.dns_names));
  SIGNET_CHECK(sans.read("emails", names.emails));
  SIGNET_CHECK(sans.read("upns", names.upns));
  SIGNET_CHECK(sans.read("uris", names.uris));
  SIGNET_CHECK(sans.read("ipAddresses", names.ip_addresses));
  return {};
}

Result<> apply_x509(const Member& x509, CertificatePolicy& policy) {
  SIGNET_CHECK(x509.read("subject", policy.subject));
  SIGNET_TRY(const Member sans, x509.object("sans"));
  SIGNET_CHECK(apply_names(sans, policy.alternative_names));
  SIGNET_CHECK(x509.read("ekus", policy.extended_key_usages));
  SIGNET_CHECK(x509.read("validity_months", policy.validity_months));
  std::vector<std::string> words;
  SIGNET_TRY(const bool given, x509.read("key_usage", words));
  if (!given) return {};
  policy.key_uses.emplace();
  for (const std::string& word : words) {
    SIGNET_TRY(const certstore::KeyUse use, at(x509, "key_usage", parse_key_use(word)));
    policy.key_uses->insert(use);
  }
  return {};
}

Result<LifetimeAction> read_action(const Member& given) {
  LifetimeAction action;
  SIGNET_TRY(const Member trigger, given.object("trigger"));
  int number = 0;
  SIGNET_TRY(const bool percentage, trigger.read("lifetime_percentage", number));
  if (percentage) action.lifetime_percentage = number;
  SIGNET_TRY(const bool days, trigger.read("days_before_expiry", number));
  if (days) action.days_before_expiry = number;
  SIGNET_TRY(const Member type, given.object("action"));
  std::string word;
  SIGNET_CHECK(type.read("action_type", word));
  SIGNET_TRY(action.type, at(type, "action_type", parse_lifetime_action_type(word)));
  return action;
}

Result<> apply_actions(const Member& root, CertificatePolicy& policy) {
  SIGNET_TRY(const auto list, root.elements("lifetime_actions"));
  if (!list) return {};
  policy.lifetime_actions.emplace();
  for (const Member& given : *list) {
    SIGNET_TRY(const LifetimeAction action, read_action(given));
    policy.lifetime_actions->push_back(action);
  }
  return {};
}

Result<> apply_issuer(const Member& issuer, CertificatePolicy& policy) {
  SIGNET_CHECK(issuer.read("name", policy.issuer));
  policy.issuer = issuer_name(policy.issuer);
  SIGNET_CHECK(issuer.read("cty", policy.certificate_type));
  return issuer.read("cert_transparency", policy.certificate_transparency);
}

}  // namespace

ordered_json to_json(const CertificatePolicy& policy) {
  return {{"key_props", key_json(policy)},
          {"secret_props", {{"contentType", to_string(policy.content)}}},
          {"x509_props", x509_json(policy)},
          {"lifetime_actions", actions_json(policy)},
          {"issuer", issuer_json(policy)},
          {"attributes",
           {{"enabled", policy.enabled},
            {"created", seconds(policy.created)},
            {"updated", seconds(policy.updated)}}}};
}

ordered_json to_stored_json(const CertificatePolicy& policy) {
  ordered_json value = to_json(policy);
  if (!policy.key_uses) value["x509_props"].erase("key_usage");
  if (!policy.lifetime_actions) value.erase("lifetime_actions");
  return value;
}

Result<CertificatePolicy> apply_json(CertificatePolicy policy, const json& given) {
  const Member root(&given, "");
  if (!given.is_object()) return root.refuse("a policy as an object");
  SIGNET_TRY(const Member key, root.object("key_props"));
  SIGNET_CHECK(apply_key(key, policy));
  SIGNET_TRY(const Member secret, root.object("secret_props"));
  SIGNET_CHECK(apply_secret(secret, policy));
  SIGNET_TRY(const Member x509, root.object("x509_props"));
  SIGNET_CHECK(apply_x509(x509, policy));
  SIGNET_TRY(const Member issuer, root.object("issuer"));
  SIGNET_CHECK(apply_issuer(issuer, policy));
  SIGNET_CHECK(apply_actions(root, policy));
  SIGNET_TRY(const Member attributes, root.object("attributes"));
  SIGNET_CHECK(attributes.read("enabled", policy.enabled));
  return policy;
}

}  // namespace signet::vault
