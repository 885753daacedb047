#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "certstore/account/key_reference.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/key_handle.h"

/// What the integration account's certificates need from around them. The gateway implements these.

namespace signet::certstore {

/// A certificate as the integration account keeps it: Azure's integrationAccounts/certificates.
struct StoredCertificate {
  std::string name;
  Certificate certificate;
  std::optional<KeyReference> key;  ///< present: a private certificate, ours
  Time created{};
  Time changed{};
  std::string metadata{};  ///< JSON, kept as given; may be empty

  [[nodiscard]] bool is_private() const { return key.has_value(); }
};

/// Where certificates are kept. Thread-safe; names are unique and compared octet by octet.
///
/// @error IoFailure, Unavailable  of every call: the store could not be read or written; nothing was changed.
class CertificateStore {
 public:
  virtual ~CertificateStore() = default;
  /// Keeps the certificate, in place of the one of the same name if there is one. Durable on return.
  virtual Result<> put(const StoredCertificate& certificate) = 0;
  /// Nothing when no certificate has the name.
  virtual Result<std::optional<StoredCertificate>> get(std::string_view name) = 0;
  /// All of them, by name.
  virtual Result<std::vector<StoredCertificate>> list() = 0;
  /// @returns whether there was one.
  virtual Result<bool> remove(std::string_view name) = 0;
};

/// The public halves of the key vaults' keys.
class KeyVaultLookup {
 public:
  virtual ~KeyVaultLookup() = default;
  /// @error NotFound  no such vault, key or version.  @error PermissionDenied  the access policy does not let
  /// us see it.
  virtual Result<KeyHandle> public_key(const KeyReference& key) = 0;
};

/// Who relies on a certificate.
class CertificateUsage {
 public:
  virtual ~CertificateUsage() = default;
  /// Everybody who names the certificate, in words such as "agreement 'acme-globex'".
  virtual Result<std::vector<std::string>> users_of(std::string_view certificate) = 0;
};

}  // namespace signet::certstore
