#include "gateway/remote_vault/answer_json.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <array>
#include <vector>

#include "base/json_texts.h"
#include "base/openssl_keys.h"

namespace signet::gateway {
namespace {

using vault::KeyInfo;
using vault::KeyKind;

using ParameterBuilderPtr = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParametersPtr = Handle<OSSL_PARAM, OSSL_PARAM_free>;

constexpr std::size_t kLargestAnswer = std::size_t{1} << 20;
constexpr std::size_t kLargestNumber = 1024;  ///< octets of a member of a key

struct Curve {
  std::string_view jwk;
  const char* openssl;
  KeyKind kind;
  std::size_t coordinate;  ///< octets
};
constexpr std::array<Curve, 3> kCurves{{{"P-256", "prime256v1", KeyKind::EcP256, 32},
                                        {"P-384", "secp384r1", KeyKind::EcP384, 48},
                                        {"P-521", "secp521r1", KeyKind::EcP521, 66}}};

Error wrong(const char* member, std::string_view expected) {
  return {ErrorKind::InvalidInput, fmt::format("its member '{}' is not {}", member, expected)};
}

Error no_key() { return take_openssl_error(ErrorKind::InvalidInput, "the public key that it shows"); }

Result<Bytes> number_of(const json& jwk, const char* member) {
  SIGNET_TRY(Bytes number, octets_of(jwk, member));
  if (number.empty() || number.size() > kLargestNumber)
    return fail(wrong(member, "a number of a public key"));
  return number;
}

Result<EvpPkeyPtr> make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return fail(no_key());
  return EvpPkeyPtr(key);
}

Result<KeyKind> rsa_kind(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_bits(key)) {
    case 2048:
      return KeyKind::Rsa2048;
    case 3072:
      return KeyKind::Rsa3072;
    case 4096:
      return KeyKind::Rsa4096;
    default:
      return fail(ErrorKind::Unsupported,
                  fmt::format("it is an RSA key of {} bits; those of 2048, 3072 and 4096 are used here",
                              EVP_PKEY_get_bits(key)));
  }
}

Result<> read_rsa(const json& jwk, KeyInfo& info, EvpPkeyPtr& key) {
  SIGNET_TRY(const Bytes n, number_of(jwk, "n"));
  SIGNET_TRY(const Bytes e, number_of(jwk, "e"));
  auto made = rsa_public_key(nullptr, n, e);
  if (!made) return fail(ErrorKind::InvalidInput, "the public key that it shows: " + made.error().detail);
  key = *std::move(made);
  SIGNET_TRY(info.kind, rsa_kind(key.get()));
  return {};
}

Result<> read_ec(const json& jwk, KeyInfo& info, EvpPkeyPtr& key) {
  const std::string name = text_of(jwk, "crv");
  for (const Curve& curve : kCurves) {
    if (curve.jwk != name) continue;
    SIGNET_TRY(const Bytes x, number_of(jwk, "x"));
    SIGNET_TRY(const Bytes y, number_of(jwk, "y"));
    if (x.size() != curve.coordinate || y.size() != curve.coordinate)
      return fail(wrong(x.size() == curve.coordinate ? "y" : "x", fmt::format("a coordinate of {}", name)));
    Bytes point{0x04};  // uncompressed (SEC 1 section 2.3.3)
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    const ParameterBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (!builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.openssl, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
      return fail(no_key());
    SIGNET_TRY(key, make_key("EC", builder.get()));
    info.kind = curve.kind;
    return {};
  }
  return fail(
      ErrorKind::Unsupported,
      fmt::format("it is an EC key on '{}'; those on P-256, P-384 and P-521 are used here", printable(name)));
}

Result<> read_public_key(const json& jwk, KeyInfo& info) {
  const std::string type = text_of(jwk, "kty");
  EvpPkeyPtr key;
  if (type == "RSA" || type == "RSA-HSM") {
    SIGNET_CHECK(read_rsa(jwk, info, key));
  } else if (type == "EC" || type == "EC-HSM") {
    SIGNET_CHECK(read_ec(jwk, info, key));
  } else {
    return fail(ErrorKind::Unsupported,
                fmt::format("it is a key of the kty '{}'; RSA and EC are used here", printable(type)));
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  const OpensslMemory owner(der);
  if (size <= 0) return fail(no_key());
  info.public_key.assign(der, der + size);
  return {};
}

/// Words that we have no use for, such as "import", say nothing to us.
vault::KeyOps ops_of(const json& jwk) {
  vault::KeyOps ops;
  const auto words = jwk.find("key_ops");
  if (words == jwk.end() || !words->is_array()) return ops;
  for (const json& word : *words)
    if (word.is_string())
      if (const auto op = vault::parse_key_ops(word.get_ref<const std::string&>())) ops.add_all(*op);
  return ops;
}

std::optional<Time> date_of(const json& attributes, const char* member) {
  constexpr std::int64_t kEndOfDates = 253'402'300'800;  // the year 10000
  const auto found = attributes.find(member);
  if (found == attributes.end() || !found->is_number_integer()) return std::nullopt;
  const auto seconds = found->get<std::int64_t>();
  if (seconds < 0 || seconds >= kEndOfDates) return std::nullopt;
  return Time(std::chrono::seconds(seconds));
}

struct Dates {
  Time created{};
  Time updated{};
};

/// Attributes that say nothing of "enabled" switch nothing off; any word there but true does.
Dates read_attributes(const json& object, vault::KeyAttributes& into) {
  static const json kNone = json::object();
  const auto found = object.find("attributes");
  const json& attributes = found != object.end() && found->is_object() ? *found : kNone;
  if (const auto enabled = attributes.find("enabled"); enabled != attributes.end())
    into.enabled = enabled->is_boolean() && enabled->get<bool>();
  into.not_before = date_of(attributes, "nbf");
  into.expires = date_of(attributes, "exp");
  return {date_of(attributes, "created").value_or(Time{}), date_of(attributes, "updated").value_or(Time{})};
}

vault::Tags tags_of(const json& object) {
  vault::Tags tags;
  const auto found = object.find("tags");
  if (found == object.end() || !found->is_object()) return tags;
  for (const auto& [name, value] : found->items())
    if (value.is_string()) tags.emplace(name, value.get<std::string>());
  return tags;
}

bool is_managed(const json& object) {
  const auto found = object.find("managed");
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

void read_facts(const json& object, KeyInfo& info) {
  const Dates dates = read_attributes(object, info.attributes);
  info.created = dates.created;
  info.updated = dates.updated;
  info.tags = tags_of(object);
  info.managed = is_managed(object);
}

}  // namespace

Result<json> read_object(const Slice& body) {
  SIGNET_TRY(Bytes octets, body.to_bytes(kLargestAnswer));
  json value = json::parse(octets.begin(), octets.end(), nullptr, false);
  wipe(octets);
  if (value.is_discarded() || !value.is_object())
    return fail(ErrorKind::InvalidInput, "it is no JSON object");
  return value;
}

std::string text_of(const json& object, const char* member) {
  if (!object.is_object()) return {};
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Bytes> octets_of(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return fail(wrong(member, "base64url"));
  auto octets = parse_base64url(found->get_ref<const std::string&>());
  if (!octets) return fail(wrong(member, "base64url"));
  return octets;
}

Result<SecretBytes> secret_octets_of(json& object, const char* member) {
  auto octets = octets_of(object, member);
  wipe_texts(object);
  if (!octets) return fail(std::move(octets).error());
  SecretBytes secret = SecretBytes::copy_of(ByteView(*octets));
  wipe(*octets);
  return secret;
}

Result<vault::KeyId> read_object_id(std::string_view url, std::string_view collection,
                                    const std::string& vault) {
  const std::string marker = fmt::format("/{}/", collection);
  const std::size_t at = url.find(marker);
  if (at != std::string_view::npos) {
    const std::string_view rest = url.substr(at + marker.size());
    const std::size_t slash = rest.find('/');
    vault::KeyId id{vault, std::string(rest.substr(0, slash)),
                    slash == std::string_view::npos ? "" : std::string(rest.substr(slash + 1))};
    if (vault::check_key_id(id)) return id;
  }
  return fail(ErrorKind::InvalidInput,
              fmt::format("the id '{}' in it is none of {}", printable(url), collection));
}

Result<KeyInfo> read_key_bundle(const json& bundle, const std::string& vault) {
  const auto jwk = bundle.find("key");
  if (jwk == bundle.end() || !jwk->is_object()) return fail(wrong("key", "a JSON Web Key"));
  KeyInfo info;
  SIGNET_TRY(info.id, read_object_id(text_of(*jwk, "kid"), "keys", vault));
  if (info.id.version.empty()) return fail(wrong("kid", "the id of a version"));
  SIGNET_CHECK(read_public_key(*jwk, info));
  info.ops = ops_of(*jwk);
  read_facts(bundle, info);
  return info;
}

Result<KeyInfo> read_key_item(const json& item, const std::string& vault) {
  KeyInfo info;
  SIGNET_TRY(info.id, read_object_id(text_of(item, "kid"), "keys", vault));
  read_facts(item, info);
  return info;
}

Result<vault::SecretInfo> read_secret_info(const json& item, const std::string& vault) {
  vault::SecretInfo info;
  SIGNET_TRY(info.id, read_object_id(text_of(item, "id"), "secrets", vault));
  const Dates dates = read_attributes(item, info.settings.attributes);
  info.created = dates.created;
  info.updated = dates.updated;
  info.settings.content_type = text_of(item, "contentType");
  info.settings.tags = tags_of(item);
  info.managed = is_managed(item);
  return info;
}

}  // namespace signet::gateway
