#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "certstore/account/certificate_store.h"
#include "certstore/x509/validity.h"

namespace signet::certstore {

enum class UploadChange { Created, Replaced, Unchanged };

/// What becomes of a certificate that somebody relies on when another one is uploaded under its name.
enum class WhenInUse { Refuse, Replace };

struct UploadOutcome {
  UploadChange change = UploadChange::Unchanged;
  StoredCertificate stored;
  std::vector<Finding> warnings;             ///< what does not stop the upload, but somebody should know
  std::optional<Certificate> replaced = {};  ///< what the name stood for before
  std::vector<std::string> users = {};       ///< who relied on that one, and on the new one from now on
};

/// Azure's naming rule: 1 to 80 ASCII letters, digits and - _ . ( ).
///
/// @error InvalidInput  says what is wrong with the name.
Result<> check_certificate_name(std::string_view name);

/// The certificates of the integration account: the partners' public ones, and our private ones, whose keys
/// stay in the key vault. What is in here has been checked on its way in.
///
/// As safe for threads as the store given to it. Two changes of the same name at the same moment: the later
/// one wins.
class IntegrationAccountCertificates {
 public:
  /// Borrows all four; they must outlive it.
  IntegrationAccountCertificates(CertificateStore& store, KeyVaultLookup& vault, CertificateUsage& usage,
                                 const Clock& clock)
      : store_(store), vault_(vault), usage_(usage), clock_(clock) {}

  /// Takes a certificate in (DER, PEM, or PKCS#7 with nothing else) under a name; with `key` as a private
  /// one. Replaces what the name stood for, if nobody relies on that or `when_in_use` says so; the same again
  /// changes nothing, not even the time of the last change.
  ///
  /// @error InvalidInput   the name breaks the rule, the octets are not exactly one certificate, or `key` is
  /// incomplete.
  /// @error Unsupported    check_key_strength() refuses it.
  /// @error CryptoFailure  the certificate was not issued for the vault's key: a pair that could never work.
  /// @error AlreadyExists  the name differs from another only in case; what the name stands for is in use; or
  /// a private certificate in use would lose its key, whatever `when_in_use` says.
  /// @error NotFound, PermissionDenied, ...  the vault does not show the key; and errors of the store.
  Result<UploadOutcome> upload(std::string_view name, ByteView certificate,
                               const std::optional<KeyReference>& key, std::string_view metadata = {},
                               WhenInUse when_in_use = WhenInUse::Refuse);

  /// @error NotFound  lists nothing, says how to see the names there are.
  [[nodiscard]] Result<StoredCertificate> find(std::string_view name) const;
  /// By name.
  [[nodiscard]] Result<std::vector<StoredCertificate>> list() const;

  /// @error NotFound  no such certificate.  @error AlreadyExists  it is in use, and by whom.
  Result<> remove(std::string_view name);

 private:
  Result<UploadOutcome> keep(std::string_view name, Certificate certificate,
                             const std::optional<KeyReference>& key, std::string_view metadata,
                             WhenInUse when_in_use);
  Result<> check_key(const Certificate& certificate, const KeyReference& key) const;
  Result<> check_case(std::string_view name) const;

  CertificateStore& store_;
  KeyVaultLookup& vault_;
  CertificateUsage& usage_;
  const Clock& clock_;
};

}  // namespace signet::certstore
