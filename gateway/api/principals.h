#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/audit_log.h"
#include "certstore/x509/certificate.h"
#include "gateway/api/principal.h"

namespace signet::gateway::api {

struct NewToken {
  TokenInfo info;
  std::string token;  ///< "sgt_" and 43 characters of base64url: 256 random bits; shown once, kept nowhere
};

/// What is to be different of a principal; what is not given stays as it is.
struct PrincipalChange {
  std::optional<Roles> roles = {};
  std::optional<bool> enabled = {};
  std::optional<std::string> jwt_subject = {};  ///< empty: none any more
};

/// The principals of an installation as its administrator looks after them. Each change leaves an audit
/// record, in the name of `by`, before it is made, and another one where it fails; without a record nothing
/// is changed. Thread-safe.
class Principals {
 public:
  /// Everything given outlives this.
  Principals(PrincipalStore& store, vault::AuditLog& audit, const Clock& clock)
      : store_(store), audit_(audit), clock_(clock) {}

  /// @error InvalidInput  as check_principal_name() and check_jwt_subject().  @error AlreadyExists
  Result<Principal> add(const vault::Principal& by, std::string_view name, Roles roles,
                        std::string_view jwt_subject = {});
  /// @error NotFound  @error InvalidInput  as check_jwt_subject().  @error AlreadyExists  the subject is
  /// another's.
  Result<Principal> change(const vault::Principal& by, std::string_view name, const PrincipalChange& change);
  /// With its tokens, its certificates and what access policies grant it. @error NotFound
  Result<> remove(const vault::Principal& by, std::string_view name);
  /// @error NotFound
  Result<Principal> find(std::string_view name) { return store_.find(name); }
  Result<std::vector<Principal>> list() { return store_.list(); }

  /// @error NotFound  no such principal.  @error InvalidInput  it would be over already, or last for more
  /// than kLongestTokenLife.
  Result<NewToken> create_token(const vault::Principal& by, std::string_view principal, Time expires);
  Result<std::vector<TokenInfo>> tokens(std::string_view principal) { return store_.tokens(principal); }
  /// @error NotFound
  Result<> revoke_token(const vault::Principal& by, std::string_view id);

  /// Registers a certificate, without its key, by which the principal is known where it proves to have the
  /// key.
  ///
  /// @error InvalidInput  it is not valid now, or there are kMostCertificates already.  @error Unsupported  a
  /// weak key.  @error AlreadyExists  it is somebody's.  @error NotFound  no such principal.
  Result<ManagementCertificate> add_certificate(const vault::Principal& by, std::string_view principal,
                                                const certstore::Certificate& certificate);
  Result<std::vector<ManagementCertificate>> certificates(std::string_view principal) {
    return store_.certificates(principal);
  }
  /// @param thumbprint  SHA-256, in any case, with or without spaces and colons. @error NotFound
  Result<> remove_certificate(const vault::Principal& by, std::string_view thumbprint);

 private:
  /// Makes a change behind its record; a failure leaves a second one.
  template <class Change>
  Result<> recorded(const vault::Principal& by, std::string_view operation, std::string_view name,
                    std::string detail, Change change);

  PrincipalStore& store_;
  vault::AuditLog& audit_;
  const Clock& clock_;
};

inline constexpr std::chrono::days kLongestTokenLife{397};
inline constexpr std::size_t kMostCertificates = 100;  ///< of all principals

/// What is kept of a token, and looked up when one is shown.
Bytes token_hash(std::string_view token);

}  // namespace signet::gateway::api
