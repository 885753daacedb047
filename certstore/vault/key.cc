#include "certstore/vault/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "certstore/vault/word_list.h"
#include "certstore/x509/pem.h"

namespace signet::vault {
namespace {

constexpr std::array<Word<KeyKind>, 6> kKinds{{{KeyKind::Rsa2048, "RSA-2048"},
                                               {KeyKind::Rsa3072, "RSA-3072"},
                                               {KeyKind::Rsa4096, "RSA-4096"},
                                               {KeyKind::EcP256, "EC-P-256"},
                                               {KeyKind::EcP384, "EC-P-384"},
                                               {KeyKind::EcP521, "EC-P-521"}}};

constexpr std::array<Word<KeyOp>, 6> kOps{{{KeyOp::Sign, "sign"},
                                           {KeyOp::Verify, "verify"},
                                           {KeyOp::Encrypt, "encrypt"},
                                           {KeyOp::Decrypt, "decrypt"},
                                           {KeyOp::WrapKey, "wrapKey"},
                                           {KeyOp::UnwrapKey, "unwrapKey"}}};

constexpr std::size_t kVersionLength = 32;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_character(char c) { return is_letter(c) || is_digit(c) || c == '-'; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string to_string(const KeyId& id) {
  if (id.version.empty()) return fmt::format("{}/{}", id.vault, id.name);
  return fmt::format("{}/{}/{}", id.vault, id.name, id.version);
}

bool may_be_issuers(std::string_view name) {
  return equal_ignoring_case(name.substr(0, kIssuerKeyPrefix.size()), kIssuerKeyPrefix);
}

Result<> check_vault_name(std::string_view vault) {
  const bool good = vault.size() >= 3 && vault.size() <= 24 && is_letter(vault.front()) &&
                    vault.back() != '-' && vault.find("--") == std::string_view::npos &&
                    std::all_of(vault.begin(), vault.end(), is_name_character);
  if (good) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "'{}' cannot name a key vault: 3 to 24 letters, digits and single hyphens are needed, with a "
          "letter first and no hyphen last",
          printable(vault)));
}

Result<> check_key_id(const KeyId& id) { return check_object_id(id, "key"); }

Result<> check_object_id(const KeyId& id, std::string_view what) {
  SIGNET_CHECK(check_vault_name(id.vault));
  if (id.name.empty() || id.name.size() > 127 ||
      !std::all_of(id.name.begin(), id.name.end(), is_name_character))
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' cannot name a {}: 1 to 127 letters, digits and hyphens are needed",
                            printable(id.name), what));
  if (!id.version.empty() && (id.version.size() != kVersionLength ||
                              !std::all_of(id.version.begin(), id.version.end(), is_lower_hex)))
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is no version of {} '{}': 32 lower-case hexadecimal digits are needed",
                            printable(id.version), what, id.name));
  return {};
}

Result<> check_dates(const KeyAttributes& attributes, std::string_view what) {
  if (!attributes.not_before || !attributes.expires || *attributes.expires > *attributes.not_before)
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("the {} would expire at {}, which is not after it becomes valid at {}", what,
                          to_rfc3339(*attributes.expires), to_rfc3339(*attributes.not_before)));
}

void AttributesUpdate::apply_to(KeyAttributes& attributes) const {
  attributes.enabled = enabled.value_or(attributes.enabled);
  attributes.not_before = not_before.value_or(attributes.not_before);
  attributes.expires = expires.value_or(attributes.expires);
}

std::string to_string(const AttributesUpdate& update) {
  std::vector<std::string> changes;
  const auto add = [&changes](std::string_view what, std::string_view value) {
    changes.push_back(fmt::format("{}={}", what, value));
  };
  const auto date = [](const std::optional<Time>& time) { return time ? to_rfc3339(*time) : "none"; };
  if (update.enabled) add("enabled", *update.enabled ? "true" : "false");
  if (update.not_before) add("not_before", date(*update.not_before));
  if (update.expires) add("expires", date(*update.expires));
  return fmt::format("{}", fmt::join(changes, " "));
}

std::string_view to_string(KeyKind kind) { return word_of(kKinds, kind); }

Result<KeyKind> parse_key_kind(std::string_view text) {
  for (const Word<KeyKind>& word : kKinds)
    if (!is_rsa(word.value) && equal_ignoring_case(word.text.substr(3), text)) return word.value;
  return find_word(kKinds, text, "kind of key");
}

bool is_rsa(KeyKind kind) {
  return kind == KeyKind::Rsa2048 || kind == KeyKind::Rsa3072 || kind == KeyKind::Rsa4096;
}

std::string_view to_string(KeyOp op) { return word_of(kOps, op); }
std::string to_string(KeyOps ops) { return join_words(kOps, ops); }
Result<KeyOps> parse_key_ops(std::string_view words) { return split_words(kOps, words, "key operation"); }

KeyOps default_key_ops(KeyKind kind) {
  if (!is_rsa(kind)) return {KeyOp::Sign, KeyOp::Verify, KeyOp::Decrypt};
  return {KeyOp::Sign, KeyOp::Verify, KeyOp::Encrypt, KeyOp::Decrypt, KeyOp::WrapKey, KeyOp::UnwrapKey};
}

std::string KeyInfo::public_key_pem() const { return certstore::pem_of(public_key, "PUBLIC KEY"); }

}  // namespace signet::vault
