#pragma once

#include <string_view>

#include "base/result.h"
#include "certstore/vault/access_policy.h"
#include "certstore/vault/key.h"

namespace signet::vault {

/// Tells whether a principal may do something before anything else of what it asks for is looked at. Every
/// operation of a vault asks the same again.
class AccessCheck {
 public:
  virtual ~AccessCheck() = default;

  /// @param operation  what it is called in the audit record, which a denial leaves
  /// @param what       the vault, and what in it the operation is about; the latter need not be there
  /// @error PermissionDenied  as check_permission().  @error InvalidInput  no name of a vault.
  virtual Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                                KeyPermission needed) = 0;
  virtual Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                                SecretPermission needed) = 0;
  virtual Result<> check_access(const Principal& principal, std::string_view operation, const KeyId& what,
                                CertificatePermission needed) = 0;
};

}  // namespace signet::vault
