#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/flag_set.h"
#include "certstore/vault/tags.h"

/// What is said about a key of the vault: its name, its kind, what it may be used for, and its public half.

namespace signet::vault {

/// A key, or one version of it. Names are compared without regard to ASCII case and shown as first written,
/// as Key Vault does. An empty version means the current one, which is the newest.
struct KeyId {
  std::string vault;    ///< 3 to 24 letters, digits and single hyphens, a letter first
  std::string name;     ///< 1 to 127 letters, digits and hyphens
  std::string version;  ///< 32 lower-case hexadecimal digits, or empty

  friend bool operator==(const KeyId&, const KeyId&) = default;
};

/// "vault/name/version", or "vault/name" without one.
std::string to_string(const KeyId& id);

/// The certificate service names the keys of its groups' issuers by this and the group.
inline constexpr std::string_view kIssuerKeyPrefix = "issuer-";
/// Whether a key of this name may be an issuer's; the store knows whether it is.
bool may_be_issuers(std::string_view name);

/// @error InvalidInput  says which part breaks which of the rules above.
Result<> check_vault_name(std::string_view vault);
Result<> check_key_id(const KeyId& id);
/// The same for something else that is named as keys are: `what` is "secret", say.
Result<> check_object_id(const KeyId& id, std::string_view what);

enum class KeyKind { Rsa2048, Rsa3072, Rsa4096, EcP256, EcP384, EcP521 };

/// "RSA-2048", "EC-P-256"...: also the form that is stored.
std::string_view to_string(KeyKind kind);
/// Reads that form in any case; "P-256" is read as well. @error InvalidInput  lists the kinds there are.
Result<KeyKind> parse_key_kind(std::string_view text);
bool is_rsa(KeyKind kind);

/// What a key may be used for: Key Vault's key_ops. Azure has no word for ECDH; a key agreement needs
/// `decrypt` here.
enum class KeyOp { Sign, Verify, Encrypt, Decrypt, WrapKey, UnwrapKey };
using KeyOps = FlagSet<KeyOp>;

/// "sign", "wrapKey"...
std::string_view to_string(KeyOp op);
/// "sign,verify": also the form that is stored.
std::string to_string(KeyOps ops);
/// Reads words separated by commas, in any case. @error InvalidInput  names the word, and those there are.
Result<KeyOps> parse_key_ops(std::string_view words);
/// All six for RSA; sign, verify and decrypt (which is key agreement) for EC.
KeyOps default_key_ops(KeyKind kind);

/// When a key may be used. A disabled key does nothing. Before `not_before` and from `expires` on, a key
/// signs, encrypts and wraps nothing more; what was encrypted for it can still be read and what it signed
/// still be verified.
struct KeyAttributes {
  bool enabled = true;
  std::optional<Time> not_before;
  std::optional<Time> expires;

  friend bool operator==(const KeyAttributes&, const KeyAttributes&) = default;
};

/// @error InvalidInput  the dates leave no time in which `what` ("key", "secret") could be used.
Result<> check_dates(const KeyAttributes& attributes, std::string_view what);

/// A change of a date. Absent: it stays. Holding nothing: there is no date any more.
using DateChange = std::optional<std::optional<Time>>;

/// A change of attributes: what is absent stays as it is.
struct AttributesUpdate {
  std::optional<bool> enabled;
  DateChange not_before;
  DateChange expires;

  void apply_to(KeyAttributes& attributes) const;
};

/// A change of one version of a key: what is absent stays as it is.
struct KeyUpdate {
  AttributesUpdate attributes;
  std::optional<KeyOps> ops;
  std::optional<Tags> tags;  ///< in place of all there were
};

/// What a change says, as an audit record has it: "enabled=false expires=none".
std::string to_string(const AttributesUpdate& update);

/// Everything about one version of a key that may be shown.
struct KeyInfo {
  KeyId id;  ///< with its version
  KeyKind kind = KeyKind::Rsa2048;
  KeyOps ops;
  KeyAttributes attributes;
  Tags tags;
  Time created{};
  Time updated{};
  Bytes public_key;  ///< SubjectPublicKeyInfo (RFC 5280 section 4.1), DER
  bool managed =
      false;  ///< the key of a certificate of the same name and version, with which alone it changes
  bool in_token = false;  ///< a token holds the private half, and no part of it is here

  /// The public key as "-----BEGIN PUBLIC KEY-----".
  [[nodiscard]] std::string public_key_pem() const;
};

}  // namespace signet::vault
