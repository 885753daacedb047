#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"
#include "base/clock.h"
#include "certstore/x509/certificate.h"

/// Every certificate that a gateway depends on, once, with all the places where it is kept and everything
/// that it is used for; so that somebody sees in time what comes to its end, and what that would stop.

namespace signet::gateway {

struct CertificatePlace {
  enum class Kind {
    Account,    ///< a certificate of the account, by its name
    KeyVault,   ///< "vault/name/version"
    Principal,  ///< a management certificate, by the principal's name
    File,       ///< a file with authorities, by its path
  };
  Kind kind = Kind::Account;
  std::string name;

  friend bool operator==(const CertificatePlace&, const CertificatePlace&) = default;
};
/// "account", "keyVault", "principal", "file".
std::string_view to_string(CertificatePlace::Kind kind);

/// One thing that would stop.
struct CertificateTask {
  std::string by;    ///< "agreement 'acme-globex'", "tls-certificate", "principal 'app'", ...
  std::string role;  ///< "signMessage"... as agreements have them; "tlsClient", "tlsTrust", "tlsServer",
                     ///< "managementClient"; "current", of a key vault's certificate; "issuer", of a group
  std::optional<Time> from;   ///< absent: it is so already
  std::optional<Time> until;  ///< absent: for good

  friend bool operator==(const CertificateTask&, const CertificateTask&) = default;
};

/// What an inventory says of a certificate. Of management certificates there is no more than the thumbprint,
/// the subject and the dates.
struct CertificateSummary {
  std::string thumbprint_sha256;  ///< upper-case hexadecimal, of the DER
  std::string subject;
  std::string issuer;
  std::string serial;
  std::string thumbprint_sha1;
  Time not_before{};
  Time not_after{};
};
CertificateSummary summary_of(const certstore::Certificate& certificate);

struct InventoryEntry {
  CertificateSummary certificate;
  bool has_key = false;  ///< ours; else a partner's, or an authority's
  std::vector<CertificatePlace> places;
  std::vector<CertificateTask> tasks;

  /// Negative once it has expired.
  [[nodiscard]] double days_left(Time now) const;
  /// Whether anything goes by it, now or later.
  [[nodiscard]] bool is_used(Time now) const;
  /// Whether anything would still go by it when it expires: then somebody has to see to it.
  [[nodiscard]] bool is_missed(Time now) const;
  /// "account acme-2026", the first of its places.
  [[nodiscard]] std::string name() const;
};

/// Collects an inventory. Certificates are the same where they are so octet by octet.
class InventoryBuilder {
 public:
  void add(CertificateSummary certificate, CertificatePlace place, bool has_key);
  /// @param thumbprint_sha256  of one that was added; another one is left out
  void use(std::string_view thumbprint_sha256, CertificateTask task);

  /// Those that end first in front.
  [[nodiscard]] std::vector<InventoryEntry> finish() &&;

 private:
  std::vector<InventoryEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_thumbprint_;
};

/// A certificate of an agreement, by name, and what it does there.
struct NamedTask {
  std::string certificate;
  CertificateTask task;
};
/// All that an agreement names, TLS included.
std::vector<NamedTask> tasks_of(const agreements::Agreement& agreement);

/// "agreement 'acme-globex' (encrypt, verifyMdn), tls-certificate (tlsServer)"; empty: nothing.
std::string to_string(const std::vector<CertificateTask>& tasks);

}  // namespace signet::gateway
