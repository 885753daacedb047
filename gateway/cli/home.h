#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "agreements/account_store.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/stream.h"
#include "certstore/account/certificate_store.h"
#include "certstore/authority/authority.h"
#include "certstore/service/binding.h"
#include "certstore/service/definition.h"
#include "certstore/vault/embedded_vault.h"
#include "gateway/cli/master_key_files.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/store/store.h"

namespace signet::gateway {

class AuditFile;
class CertificateExchangeStore;
class EvidenceStore;
class ExpiryNoticeStore;
class LinkedVaults;
class RevocationStore;
class SqliteResourceStore;
class SqliteVaultLinkStore;

namespace api {
class PrincipalStore;
class Principals;
}  // namespace api

/// A gateway's home directory, opened: its store, its vault and its account, wired together.
///
///     <home>/master.key      the vault's master key (0600); or master.scrypt, for a passphrase
///     <home>/control.sock    for commands that ask the gateway which serves the home
///     <home>/serve.toml      the listeners and other settings of `signet serve`
///     <home>/store/          the database, large bodies and spools
///     <home>/audit.log       every use of a key, hash-chained
///     <home>/delivery/       received payloads, a folder per agreement, unless the agreement names another
///     <home>/pickup/         documents to be sent, a folder per agreement that picks up and names no other
class Home {
 public:
  /// How a new home's master key is kept.
  struct InitOptions {
    std::optional<std::filesystem::path>
        passphrase_file;  ///< its first line; absent: a random key in master.key
  };

  /// Makes a home in an empty or new directory, with a vault that lets the gateway use its keys,
  /// and the principal `administrator`, who has no token yet. One that was
  /// cut short opens nowhere, and is begun anew by the next.
  ///
  /// @error AlreadyExists  there is a home already, or something else; nothing is changed.
  static Result<> initialise(const std::filesystem::path& directory, const InitOptions& options);

  /// @error NotFound  no home there, or one that is half made: says to run `signet init`.  @error IoFailure
  /// its master key is missing.  @error ...  of the store, the vault, the master key.
  static Result<std::unique_ptr<Home>> open(const std::filesystem::path& directory);
  /// The same for a gateway: where the master key is made of a passphrase that is not at hand, the vault is
  /// sealed.
  static Result<std::unique_ptr<Home>> open_for_serving(const std::filesystem::path& directory);
  ~Home();

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path delivery_directory() const { return directory_ / "delivery"; }
  [[nodiscard]] std::filesystem::path pickup_directory() const { return directory_ / "pickup"; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] SqliteStore& store() { return *store_; }
  /// The vaults of this home.
  [[nodiscard]] vault::EmbeddedVault& vault() { return *vault_; }
  /// The vault that certificates and agreements mean by a name: of this home, or linked. Lives as long as the
  /// home, and handles of its keys no longer than it. Null is never given.
  Result<vault::KeyVault*> key_vault(std::string_view name);
  /// The vault of this home that has the name. @error Unsupported  it is linked: that vault does such things
  /// itself.
  Result<vault::EmbeddedVault*> own_vault(std::string_view name);
  [[nodiscard]] LinkedVaults& linked_vaults() { return *linked_vaults_; }
  [[nodiscard]] SqliteVaultLinkStore& vault_links();
  [[nodiscard]] agreements::AccountStore& accounts();
  [[nodiscard]] certstore::CertificateStore& certificates();
  [[nodiscard]] certstore::ServiceBindingStore& service_bindings();
  [[nodiscard]] AuditFile& audit();
  [[nodiscard]] EvidenceStore& evidence();
  [[nodiscard]] RevocationStore& revocations();
  /// What the vault keeps of certificates; to look at.
  [[nodiscard]] vault::VaultCertificateStore& vault_certificates();
  [[nodiscard]] ExpiryNoticeStore& expiry_notices();
  [[nodiscard]] CertificateExchangeStore& exchanges();
  /// The current version of a secret, for the gateway to use: enabled, and in its time. Its vault is of this
  /// home, or linked.
  Result<SecretBytes> secret(std::string_view key_vault, std::string_view secret_name);
  /// What the operator sees of that version. @error NotFound
  Result<vault::SecretInfo> secret_info(std::string_view key_vault, std::string_view secret_name);
  /// The certificate service of this home. Asks a vault that is sealed in vain.
  [[nodiscard]] authority::Authority& authority() { return *authority_; }
  /// What it keeps, for those who enrol devices.
  [[nodiscard]] authority::AuthorityStore& authority_store();
  /// Who may call the REST services.
  [[nodiscard]] api::Principals& principals();
  [[nodiscard]] api::PrincipalStore& principal_store();
  /// What only the management plane knows.
  [[nodiscard]] SqliteResourceStore& resources();
  /// What addresses that open without a token are signed with.
  /// Another master key makes another one.
  ///
  /// @error Unavailable  the vault is sealed.
  [[nodiscard]] Result<SecretBytes> callback_key() const;
  /// The check value of the master key that the store is sealed under; nothing before the first.
  Result<std::optional<Bytes>> master_key_check();
  /// Where that key comes from. @error NotFound
  Result<MasterKeyFile> master_key_file();
  /// For bodies on their way.
  [[nodiscard]] SpoolArea spool_area() const;

  /// The account as it is now, with the gateway's eyes; made anew only when something was changed.
  Result<std::shared_ptr<const AccountSnapshot>> current_account();
  /// The account as it would be with other definitions of service certificates.
  Result<std::shared_ptr<const AccountSnapshot>> account_with(
      const certstore::ServiceDefinitions& definitions);

  /// The service certificates that there are: those that a running gateway goes by, elsewhere those of
  /// serve.toml. @error InvalidInput  that file cannot be read.
  Result<certstore::ServiceDefinitions> service_definitions();
  /// From now on the account has these.
  void define_service_certificates(certstore::ServiceDefinitions definitions);

 private:
  struct Stores;
  explicit Home(std::filesystem::path directory);
  Result<> look_at_audit_log();
  Result<certstore::ServiceDefinitions> definitions_of_lock_holder() const;
  static Result<std::unique_ptr<Home>> open_made(const std::filesystem::path& directory);
  static Result<std::unique_ptr<Home>> open_stores(const std::filesystem::path& directory);
  vault::EmbeddedVaultOptions vault_options();
  Result<> open_vault(vault::MasterKey master_key);
  void take_up_authority();
  Result<> open_vault(const std::optional<SecretBytes>& passphrase);

  const std::filesystem::path directory_;
  const SystemClock clock_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Stores> stores_;
  std::unique_ptr<vault::EmbeddedVault> vault_;
  std::unique_ptr<authority::Authority> authority_;
  std::unique_ptr<LinkedVaults> linked_vaults_;
  std::unique_ptr<api::Principals> principals_;

  std::mutex mutex_;
  std::shared_ptr<const AccountSnapshot> account_;
  std::uint64_t account_generation_ = 0;
  std::optional<certstore::ServiceDefinitions> definitions_;  ///< absent: those of serve.toml
};

/// The name of the vault that `signet init` makes.
inline constexpr std::string_view kDefaultVault = "signet";

}  // namespace signet::gateway
