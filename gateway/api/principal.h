#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/flag_set.h"

/// Who may call the REST services: principals, the tokens by which they are known, and what must be kept of
/// both.

namespace signet::gateway::api {

/// What a principal may do on the management plane. What it may do with a vault's keys and secrets, that
/// vault's access policies say, and no role.
enum class Role {
  Reader,             ///< looks
  Writer,             ///< makes, changes and deletes what an account has
  Approver,           ///< decides about others' requests
  Administrator,      ///< access policies, and what cannot be undone
  CertificateBinder,  ///< says which certificates the names of service certificates stand for
  Auditor,            ///< reads the audit log, and nothing else
};
using Roles = vault::FlagSet<Role>;

/// "Reader"...
std::string_view to_string(Role role);
/// "Reader,Writer": also the form that is stored.
std::string to_string(Roles roles);
/// Reads words separated by commas, in any case. @error InvalidInput  names the word, and those there are.
Result<Roles> parse_roles(std::string_view words);

struct Principal {
  std::string id;    ///< a GUID: what Azure calls the object id
  std::string name;  ///< what access policies name it by; unique without regard to ASCII case
  Roles roles;
  bool enabled = true;  ///< a disabled one is not let in
  Time created{};
  /// How JWTs of the issuer of `signet serve` name it, character by character; unique; empty: not at all.
  std::string jwt_subject = {};
};

/// @error InvalidInput  says what is allowed: 1 to 64 letters, digits and - _ . @, and neither of the names
/// that the vault knows the gateway and the operator by.
Result<> check_principal_name(std::string_view name);

/// @error InvalidInput  says what is allowed: 1 to 255 characters of printable ASCII, or none at all.
Result<> check_jwt_subject(std::string_view subject);

/// Everything about a token that may be shown.
struct TokenInfo {
  std::string id;         ///< 32 hexadecimal digits; not the token, and no part of it
  std::string principal;  ///< whose it is, by name
  Time created{};
  Time expires{};
};

/// A token names nobody by itself: who shows it is looked up by its SHA-256, and nothing else of it is kept.
struct StoredToken {
  TokenInfo info;
  Bytes sha256;
};

/// A client certificate by which a principal is known too: pinned, so whoever issued it does not matter.
struct ManagementCertificate {
  std::string thumbprint;  ///< SHA-256 of the DER, upper-case hexadecimal
  std::string principal;   ///< whose it is, by name
  std::string subject;     ///< RFC 2253 text, for people
  Time created{};          ///< when it was registered
  Time not_before{};
  Time not_after{};
};

/// Names of this installation: GUIDs that are made with its store and never change.
struct Installation {
  std::string tenant;
  std::string subscription;
};

/// What must be kept. gateway/store implements it. Thread-safe; a change is durable when its call returns.
/// Principals' names are matched without regard to ASCII case.
class PrincipalStore {
 public:
  virtual ~PrincipalStore() = default;

  /// @error AlreadyExists  its name, or its JWT subject, is another's.
  virtual Result<> add(const Principal& principal) = 0;
  /// By name. @error NotFound
  virtual Result<Principal> find(std::string_view name) = 0;
  /// All, by name.
  virtual Result<std::vector<Principal>> list() = 0;
  /// Replaces roles, enabled and JWT subject. @error NotFound  @error AlreadyExists  the subject is
  /// another's.
  virtual Result<> update(const Principal& principal) = 0;
  /// Removes it with its tokens, its certificates and with what access policies grant it: another one that is
  /// given its name later gets nothing of this one. @error NotFound
  virtual Result<> remove(std::string_view name) = 0;

  /// @error NotFound  there is no such principal.
  virtual Result<> add_token(const StoredToken& token) = 0;
  /// The tokens of a principal, or of all when `principal` is empty; the newest first.
  virtual Result<std::vector<TokenInfo>> tokens(std::string_view principal) = 0;
  /// @error NotFound
  virtual Result<> remove_token(std::string_view id) = 0;

  struct TokenHolder {
    Principal principal;
    Time expires{};
  };
  /// Nothing when there is no such token.
  virtual Result<std::optional<TokenHolder>> holder_of(ByteView sha256) = 0;

  /// @error AlreadyExists  it is somebody's already.  @error NotFound  there is no such principal.
  virtual Result<> add_certificate(const ManagementCertificate& certificate) = 0;
  /// Those of a principal, or of all when `principal` is empty; the newest first.
  virtual Result<std::vector<ManagementCertificate>> certificates(std::string_view principal) = 0;
  /// @error NotFound
  virtual Result<> remove_certificate(std::string_view thumbprint) = 0;
  /// Nothing when it is nobody's.
  virtual Result<std::optional<Principal>> holder_of_certificate(std::string_view thumbprint) = 0;

  /// Nothing when it is nobody's.
  virtual Result<std::optional<Principal>> holder_of_jwt_subject(std::string_view subject) = 0;

  virtual Result<Installation> installation() = 0;
};

}  // namespace signet::gateway::api
