#include "gateway/api/jwk_set.h"

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/handle.h"

namespace signet::gateway::api {
namespace {

using nlohmann::json;

constexpr std::size_t kMostKeys = 100;
constexpr std::size_t kShortestModulus = 2048 / 8;  // octets
constexpr std::size_t kLongestModulus = 8192 / 8;

void release(cjose_jwk_t* jwk) { cjose_jwk_release(jwk); }
using JwkPtr = Handle<cjose_jwk_t, release>;
using JwsPtr = Handle<cjose_jws_t, cjose_jws_release>;

/// What the library leaves in OpenSSL's queue is not ours to report: a reason would only tell of a bad
/// signature what its sender could use.
struct ClearsErrors {
  ClearsErrors() = default;
  ClearsErrors(const ClearsErrors&) = delete;
  ClearsErrors& operator=(const ClearsErrors&) = delete;
  ~ClearsErrors() { ERR_clear_error(); }
};

struct SigningCurve {
  std::string_view name;
  std::string_view algorithm;
  std::size_t signature_octets;  ///< two numbers of the curve's length (RFC 7518 section 3.4)
};
constexpr std::array<SigningCurve, 3> kSigningCurves{
    {{"P-256", "ES256", 2 * 32}, {"P-384", "ES384", 2 * 48}, {"P-521", "ES512", 2 * 66}}};
constexpr std::array<std::string_view, 6> kRsaAlgorithms{"RS256", "RS384", "RS512",
                                                         "PS256", "PS384", "PS512"};

std::string text_of(const json& jwk, const char* name) {
  const auto found = jwk.find(name);
  return found != jwk.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// RFC 7517 sections 4.2 and 4.3: a key that says what it is for is for nothing else.
bool is_for_verifying(const json& jwk) {
  if (jwk.contains("use") && text_of(jwk, "use") != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), json("verify")) != operations->end();
}

/// The octets of a signature by an RSA key: those of its modulus. Nothing when it is too short or too long.
std::optional<std::size_t> rsa_signature_octets(const json& jwk) {
  const auto modulus = parse_base64url(text_of(jwk, "n"));
  if (!modulus) return std::nullopt;
  const auto first = std::find_if(modulus->begin(), modulus->end(), [](std::uint8_t c) { return c != 0; });
  const auto octets = static_cast<std::size_t>(modulus->end() - first);
  if (octets < kShortestModulus || octets > kLongestModulus) return std::nullopt;
  return octets;
}

}  // namespace

struct JwkSet::Key {
  std::string kid;
  std::vector<std::string_view> algorithms;  ///< that it verifies
  std::size_t signature_octets = 0;
  JwkPtr jwk;

  /// Nothing when it is none that verifies here. @error InvalidInput  it is a private one.
  static Result<std::unique_ptr<const Key>> read(const json& jwk);
};

Result<std::unique_ptr<const JwkSet::Key>> JwkSet::Key::read(const json& jwk) {
  if (!jwk.is_object() || !is_for_verifying(jwk)) return nullptr;
  auto key = std::make_unique<Key>();
  key->kid = text_of(jwk, "kid");
  if (key->kid.empty()) return nullptr;
  const std::string type = text_of(jwk, "kty");
  const std::string curve_name = text_of(jwk, "crv");
  const auto curve = std::find_if(kSigningCurves.begin(), kSigningCurves.end(),
                                  [&](const SigningCurve& c) { return c.name == curve_name; });
  if (type == "RSA") {
    const auto octets = rsa_signature_octets(jwk);
    if (!octets) return nullptr;
    key->signature_octets = *octets;
    key->algorithms.assign(kRsaAlgorithms.begin(), kRsaAlgorithms.end());
  } else if (type == "EC" && curve != kSigningCurves.end()) {
    key->signature_octets = curve->signature_octets;
    key->algorithms = {curve->algorithm};
  } else {
    return nullptr;
  }
  if (jwk.contains("alg"))
    std::erase_if(key->algorithms, [only = text_of(jwk, "alg")](std::string_view a) { return a != only; });
  if (key->algorithms.empty()) return nullptr;
  if (jwk.contains("d"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("the key '{}' has its private part, which is nobody's business here: give the "
                            "issuer's public keys alone",
                            printable(key->kid)));
  const std::string text = jwk.dump(-1, ' ', true, json::error_handler_t::replace);
  const ClearsErrors clears;
  key->jwk = JwkPtr(cjose_jwk_import(text.data(), text.size(), nullptr));
  if (!key->jwk)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the numbers of the key '{}' make no {} key", printable(key->kid), type));
  return std::unique_ptr<const Key>(std::move(key));
}

JwkSet::JwkSet() = default;
JwkSet::JwkSet(JwkSet&&) noexcept = default;
JwkSet& JwkSet::operator=(JwkSet&&) noexcept = default;
JwkSet::~JwkSet() = default;

Result<JwkSet> JwkSet::parse(std::string_view text) {
  const json set = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array())
    return fail(ErrorKind::InvalidInput, "it is no JWK Set: an object whose member 'keys' is an array");
  JwkSet made;
  for (const json& jwk : set["keys"]) {
    SIGNET_TRY(auto key, Key::read(jwk));
    if (!key) continue;
    if (made.has(key->kid))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("two of its keys have the kid '{}'", printable(key->kid)));
    made.keys_.push_back(std::move(key));
    if (made.keys_.size() > kMostKeys)
      return fail(ErrorKind::InvalidInput, fmt::format("it has more than {} keys", kMostKeys));
  }
  if (made.keys_.empty())
    return fail(ErrorKind::InvalidInput,
                "none of its keys will do: one with a kid is needed, RSA of 2048 bits or more, or EC on "
                "P-256, P-384 or P-521, for signatures");
  return made;
}

const JwkSet::Key* JwkSet::find(std::string_view kid) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key->kid == kid; });
  return found == keys_.end() ? nullptr : found->get();
}

bool JwkSet::has(std::string_view kid) const { return find(kid) != nullptr; }

Result<> JwkSet::verify(std::string_view kid, std::string_view algorithm, std::string_view token) const {
  const Key* key = find(kid);
  if (key == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("the issuer has no key '{}'", printable(kid)));
  if (std::find(key->algorithms.begin(), key->algorithms.end(), algorithm) == key->algorithms.end())
    return fail(ErrorKind::PermissionDenied, fmt::format("the key '{}' is none for the algorithm '{}'",
                                                         printable(kid), printable(algorithm)));
  const Error bad{ErrorKind::PermissionDenied, "the token's signature does not verify"};
  // The library would take numbers with zeros before them, or an odd octet behind them.
  const auto signature = parse_base64url(token.substr(token.rfind('.') + 1));
  if (!signature || signature->size() != key->signature_octets) return fail(bad);
  const ClearsErrors clears;
  const JwsPtr jws(cjose_jws_import(token.data(), token.size(), nullptr));
  if (!jws || !cjose_jws_verify(jws.get(), key->jwk.get(), nullptr)) return fail(bad);
  return {};
}

}  // namespace signet::gateway::api
