#include "certstore/vault/access_policy.h"

#include <fmt/format.h>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

constexpr std::array<Word<KeyPermission>, 20> kPermissions{
    {{KeyPermission::Decrypt, "decrypt"},
     {KeyPermission::Sign, "sign"},
     {KeyPermission::Get, "get"},
     {KeyPermission::List, "list"},
     {KeyPermission::Verify, "verify"},
     {KeyPermission::Encrypt, "encrypt"},
     {KeyPermission::WrapKey, "wrapKey"},
     {KeyPermission::UnwrapKey, "unwrapKey"},
     {KeyPermission::Create, "create"},
     {KeyPermission::Import, "import"},
     {KeyPermission::Update, "update"},
     {KeyPermission::Delete, "delete"},
     {KeyPermission::Backup, "backup"},
     {KeyPermission::Restore, "restore"},
     {KeyPermission::Recover, "recover"},
     {KeyPermission::Purge, "purge"},
     {KeyPermission::Release, "release"},
     {KeyPermission::Rotate, "rotate"},
     {KeyPermission::GetRotationPolicy, "getrotationpolicy"},
     {KeyPermission::SetRotationPolicy, "setrotationpolicy"}}};

constexpr KeyPermissions kOperatorsOwn{KeyPermission::Get,    KeyPermission::List,   KeyPermission::Create,
                                       KeyPermission::Import, KeyPermission::Update, KeyPermission::Delete};

/// The command sets what a principal may do as a whole, so it names what is granted already as well.
std::string granting_command(const Principal& principal, std::string_view vault, KeyPermissions granted,
                             KeyPermission needed) {
  KeyPermissions wanted = granted;
  wanted.add(needed);
  if (principal == Principal::gateway()) wanted.add_all(gateway_key_permissions());
  return fmt::format("signet vault policy set --vault {} --principal {} --key-permissions {}", vault,
                     printable(principal.name), to_string(wanted));
}

}  // namespace

std::string_view to_string(KeyPermission permission) { return word_of(kPermissions, permission); }
std::string to_string(KeyPermissions permissions) { return join_words(kPermissions, permissions); }

Result<KeyPermissions> parse_key_permissions(std::string_view words) {
  if (!equal_ignoring_case(trim(words), "all")) return split_words(kPermissions, words, "key permission");
  KeyPermissions all;
  for (const Word<KeyPermission>& word : kPermissions) all.add(word.value);
  return all;
}

KeyPermissions gateway_key_permissions() {
  return {KeyPermission::Decrypt, KeyPermission::Sign, KeyPermission::Get, KeyPermission::List};
}

Result<> check_permission(const Principal& principal, std::string_view vault, KeyPermissions granted,
                          KeyPermission needed) {
  if (granted.has(needed)) return {};
  if (principal == Principal::local_operator() && kOperatorsOwn.has(needed)) return {};
  return fail(ErrorKind::PermissionDenied,
              fmt::format("principal '{}' lacks the key permission '{}' on key vault '{}'; to grant it: {}",
                          printable(principal.name), to_string(needed), vault,
                          granting_command(principal, vault, granted, needed)));
}

}  // namespace signet::vault
