#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "certstore/vault/flag_set.h"

/// Who may do what with the keys, secrets and certificates of a vault. What no policy grants is denied.

namespace signet::vault {

/// Somebody who asks the vault for something.
struct Principal {
  std::string name;  ///< matched without regard to ASCII case

  /// The running service.
  static Principal gateway() { return {"gateway"}; }
  /// The certificate service, in the vaults where its issuers' keys are.
  static Principal authority() { return {"authority"}; }
  /// The administrator at the command line. May look after keys, secrets, certificates and policies in every
  /// vault without a policy; to use a key (decrypt, sign, verify, encrypt, wrapKey, unwrapKey, release) or to
  /// get a secret, a policy must say so for the operator as for anybody.
  static Principal local_operator() { return {"operator"}; }

  friend bool operator==(const Principal& a, const Principal& b) {
    return equal_ignoring_case(a.name, b.name);
  }
};

/// Key Vault's key permissions, in the order in which they are listed.
enum class KeyPermission {
  Decrypt,
  Sign,
  Get,
  List,
  Verify,
  Encrypt,
  WrapKey,
  UnwrapKey,
  Create,
  Import,
  Update,
  Delete,
  Backup,
  Restore,
  Recover,
  Purge,
  Release,
  Rotate,
  GetRotationPolicy,
  SetRotationPolicy,
};
using KeyPermissions = FlagSet<KeyPermission>;

/// "decrypt", "wrapKey"...
std::string_view to_string(KeyPermission permission);
/// "decrypt,sign,get,list": also the form that is stored.
std::string to_string(KeyPermissions permissions);
/// Reads words separated by commas, in any case; "all" is every one. @error InvalidInput  names the word.
Result<KeyPermissions> parse_key_permissions(std::string_view words);

/// What the gateway needs: decrypt, sign, get, list.
KeyPermissions gateway_key_permissions();

/// What the certificate service needs to make and use its issuers' keys: create, sign, get, list, update.
KeyPermissions authority_key_permissions();

/// Key Vault's secret permissions, in the order in which they are listed.
enum class SecretPermission { Get, List, Set, Delete, Backup, Restore, Recover, Purge };
using SecretPermissions = FlagSet<SecretPermission>;

/// As those for keys.
std::string_view to_string(SecretPermission permission);
std::string to_string(SecretPermissions permissions);
Result<SecretPermissions> parse_secret_permissions(std::string_view words);

/// What the gateway needs to log on at partners, and for partners that log on here: get.
SecretPermissions gateway_secret_permissions();

/// What the certificate service needs to keep keys that it made for others, and to destroy them: get, list,
/// set, delete, purge.
SecretPermissions authority_secret_permissions();

/// Key Vault's certificate permissions, in the order in which they are listed.
enum class CertificatePermission {
  Get,
  List,
  Update,
  Create,
  Import,
  Delete,
  Recover,
  Backup,
  Restore,
  ManageContacts,
  ManageIssuers,
  GetIssuers,
  ListIssuers,
  SetIssuers,
  DeleteIssuers,
  Purge,
};
using CertificatePermissions = FlagSet<CertificatePermission>;

/// As those for keys: "get", "managecontacts"... In a check, manageissuers stands for the four that follow
/// it.
std::string_view to_string(CertificatePermission permission);
std::string to_string(CertificatePermissions permissions);
Result<CertificatePermissions> parse_certificate_permissions(std::string_view words);

/// What one principal may do in one vault.
struct AccessPolicy {
  std::string vault;
  Principal principal;
  KeyPermissions keys = {};
  SecretPermissions secrets = {};
  CertificatePermissions certificates = {};

  [[nodiscard]] bool grants_nothing() const {
    return keys.empty() && secrets.empty() && certificates.empty();
  }
};

/// Whether a principal that was granted `granted` in `vault` may do what `needed` names.
///
/// @error PermissionDenied  names the principal, the permission and the vault, and the command that grants
/// it.
Result<> check_permission(const Principal& principal, std::string_view vault, KeyPermissions granted,
                          KeyPermission needed);
Result<> check_permission(const Principal& principal, std::string_view vault, SecretPermissions granted,
                          SecretPermission needed);
Result<> check_permission(const Principal& principal, std::string_view vault, CertificatePermissions granted,
                          CertificatePermission needed);

}  // namespace signet::vault
