#include "certstore/vault/access_policy.h"

#include <fmt/format.h>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

constexpr std::array<Word<KeyPermission>, 20> kKeyPermissions{
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

constexpr std::array<Word<SecretPermission>, 8> kSecretPermissions{{{SecretPermission::Get, "get"},
                                                                    {SecretPermission::List, "list"},
                                                                    {SecretPermission::Set, "set"},
                                                                    {SecretPermission::Delete, "delete"},
                                                                    {SecretPermission::Backup, "backup"},
                                                                    {SecretPermission::Restore, "restore"},
                                                                    {SecretPermission::Recover, "recover"},
                                                                    {SecretPermission::Purge, "purge"}}};

constexpr std::array<Word<CertificatePermission>, 16> kCertificatePermissions{
    {{CertificatePermission::Get, "get"},
     {CertificatePermission::List, "list"},
     {CertificatePermission::Update, "update"},
     {CertificatePermission::Create, "create"},
     {CertificatePermission::Import, "import"},
     {CertificatePermission::Delete, "delete"},
     {CertificatePermission::Recover, "recover"},
     {CertificatePermission::Backup, "backup"},
     {CertificatePermission::Restore, "restore"},
     {CertificatePermission::ManageContacts, "managecontacts"},
     {CertificatePermission::ManageIssuers, "manageissuers"},
     {CertificatePermission::GetIssuers, "getissuers"},
     {CertificatePermission::ListIssuers, "listissuers"},
     {CertificatePermission::SetIssuers, "setissuers"},
     {CertificatePermission::DeleteIssuers, "deleteissuers"},
     {CertificatePermission::Purge, "purge"}}};

constexpr KeyPermissions kOperatorsKeys{KeyPermission::Get,
                                        KeyPermission::List,
                                        KeyPermission::Create,
                                        KeyPermission::Import,
                                        KeyPermission::Update,
                                        KeyPermission::Delete,
                                        KeyPermission::Recover,
                                        KeyPermission::Purge,
                                        KeyPermission::Backup,
                                        KeyPermission::Restore,
                                        KeyPermission::Rotate,
                                        KeyPermission::GetRotationPolicy,
                                        KeyPermission::SetRotationPolicy};
constexpr SecretPermissions kOperatorsSecrets{
    SecretPermission::List,  SecretPermission::Set,    SecretPermission::Delete, SecretPermission::Recover,
    SecretPermission::Purge, SecretPermission::Backup, SecretPermission::Restore};

constexpr CertificatePermissions kOperatorsCertificates{
    CertificatePermission::Get,           CertificatePermission::List,
    CertificatePermission::Update,        CertificatePermission::Create,
    CertificatePermission::Import,        CertificatePermission::Delete,
    CertificatePermission::Recover,       CertificatePermission::ManageContacts,
    CertificatePermission::ManageIssuers, CertificatePermission::GetIssuers,
    CertificatePermission::ListIssuers,   CertificatePermission::SetIssuers,
    CertificatePermission::DeleteIssuers, CertificatePermission::Backup,
    CertificatePermission::Restore,       CertificatePermission::Purge};
constexpr CertificatePermissions kAboutIssuers{
    CertificatePermission::GetIssuers, CertificatePermission::ListIssuers, CertificatePermission::SetIssuers,
    CertificatePermission::DeleteIssuers};

template <class Permission, std::size_t N>
Result<FlagSet<Permission>> parse_permissions(const std::array<Word<Permission>, N>& table,
                                              std::string_view words, std::string_view what) {
  if (!equal_ignoring_case(trim(words), "all")) return split_words(table, words, what);
  FlagSet<Permission> all;
  for (const Word<Permission>& word : table) all.add(word.value);
  return all;
}

/// What a check has to know of the permissions for keys, for secrets, or for certificates.
template <class Permission>
struct Kind {
  std::string_view name;
  FlagSet<Permission> operators;    ///< what the operator may without a policy
  FlagSet<Permission> for_gateway;  ///< what the gateway needs to work
};

/// The command sets what a principal may do with keys, or with secrets, as a whole, so it names what is
/// granted already as well.
template <class Permission>
Result<> check(const Kind<Permission>& kind, const Principal& principal, std::string_view vault,
               FlagSet<Permission> granted, Permission needed) {
  if (granted.has(needed)) return {};
  if (principal == Principal::local_operator() && kind.operators.has(needed)) return {};
  FlagSet<Permission> wanted = granted;
  wanted.add(needed);
  if (principal == Principal::gateway()) wanted.add_all(kind.for_gateway);
  return fail(ErrorKind::PermissionDenied,
              fmt::format("principal '{0}' lacks the {1} permission '{2}' on key vault '{3}'; to grant it: "
                          "signet vault policy set --vault {3} --principal {0} --{1}-permissions {4}",
                          printable(principal.name), kind.name, to_string(needed), vault, to_string(wanted)));
}

}  // namespace

std::string_view to_string(KeyPermission permission) { return word_of(kKeyPermissions, permission); }
std::string to_string(KeyPermissions permissions) { return join_words(kKeyPermissions, permissions); }
std::string_view to_string(SecretPermission permission) { return word_of(kSecretPermissions, permission); }
std::string to_string(SecretPermissions permissions) { return join_words(kSecretPermissions, permissions); }

std::string_view to_string(CertificatePermission permission) {
  return word_of(kCertificatePermissions, permission);
}
std::string to_string(CertificatePermissions permissions) {
  return join_words(kCertificatePermissions, permissions);
}

Result<CertificatePermissions> parse_certificate_permissions(std::string_view words) {
  return parse_permissions(kCertificatePermissions, words, "certificate permission");
}

Result<KeyPermissions> parse_key_permissions(std::string_view words) {
  return parse_permissions(kKeyPermissions, words, "key permission");
}

Result<SecretPermissions> parse_secret_permissions(std::string_view words) {
  return parse_permissions(kSecretPermissions, words, "secret permission");
}

KeyPermissions gateway_key_permissions() {
  return {KeyPermission::Decrypt, KeyPermission::Sign, KeyPermission::Get, KeyPermission::List};
}

SecretPermissions gateway_secret_permissions() { return {SecretPermission::Get}; }

KeyPermissions authority_key_permissions() {
  return {KeyPermission::Create, KeyPermission::Sign, KeyPermission::Get, KeyPermission::List,
          KeyPermission::Update};
}

SecretPermissions authority_secret_permissions() {
  return {SecretPermission::Get, SecretPermission::List, SecretPermission::Set, SecretPermission::Delete,
          SecretPermission::Purge};
}

Result<> check_permission(const Principal& principal, std::string_view vault, KeyPermissions granted,
                          KeyPermission needed) {
  return check<KeyPermission>({"key", kOperatorsKeys, gateway_key_permissions()}, principal, vault, granted,
                              needed);
}

Result<> check_permission(const Principal& principal, std::string_view vault, SecretPermissions granted,
                          SecretPermission needed) {
  return check<SecretPermission>({"secret", kOperatorsSecrets, gateway_secret_permissions()}, principal,
                                 vault, granted, needed);
}

Result<> check_permission(const Principal& principal, std::string_view vault, CertificatePermissions granted,
                          CertificatePermission needed) {
  if (kAboutIssuers.has(needed) && granted.has(CertificatePermission::ManageIssuers)) return {};
  return check<CertificatePermission>({"certificate", kOperatorsCertificates, {}}, principal, vault, granted,
                                      needed);
}

}  // namespace signet::vault
