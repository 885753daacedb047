#include "gateway/cli/home.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/api/principals.h"
#include "gateway/cli/master_key_files.h"
#include "gateway/cli/passphrase.h"
#include "gateway/cli/serve_lock.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/service_certificates.h"
#include "gateway/cli/wiring.h"
#include "gateway/remote_vault/linked_vaults.h"
#include "gateway/store/account_store.h"
#include "gateway/store/audit_file.h"
#include "gateway/store/audit_trail.h"
#include "gateway/store/authority_store.h"
#include "gateway/store/certificate_exchange_store.h"
#include "gateway/store/certificate_store.h"
#include "gateway/store/evidence_store.h"
#include "gateway/store/expiry_notice_store.h"
#include "gateway/store/key_store.h"
#include "gateway/store/principal_store.h"
#include "gateway/store/resource_store.h"
#include "gateway/store/revocation_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/service_binding_store.h"
#include "gateway/store/token_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "gateway/store/vault_link_store.h"

namespace signet::gateway {
namespace {

/// The principal of the REST services that every home begins with.
constexpr std::string_view kAdministrator = "administrator";

constexpr std::string_view kServeSettings =
    "# Settings of `signet serve`; each is also an option of the command line, which wins. `signet serve "
    "--help` lists them.\n"
    "# listen = [\"0.0.0.0:4080\"]\n"
    "# listen-tls = [\"0.0.0.0:4443\"]\n"
    "# tls-certificate = \"our-tls\"\n"
    "# host = \"as2.example.com\"\n"
    "# operations-listen = \"127.0.0.1:4081\"  # /health, /ready and /metrics\n";

/// The version that the reference names; without one, the newest enabled version that the certificate was
/// issued for, so that a new version of the key changes nothing until there is a certificate for it.
Result<certstore::KeyHandle> open_key_of(vault::KeyVault& vault, const agreements::KeyReference& reference,
                                         const certstore::Certificate& certificate) {
  const vault::Principal gateway = vault::Principal::gateway();
  if (!reference.key_version.empty())
    return vault::open_key(vault, gateway, {reference.key_vault, reference.key_name, reference.key_version});
  SIGNET_TRY(const auto versions, vault.versions(gateway, reference.key_vault, reference.key_name));
  std::size_t disabled = 0;
  for (const vault::KeyInfo& version : versions) {
    if (!version.attributes.enabled) {
      ++disabled;
      continue;
    }
    SIGNET_TRY(certstore::KeyHandle handle, vault::open_key(vault, gateway, version.id));
    if (certificate.has_public_key(handle.native())) return handle;
  }
  return fail(ErrorKind::PermissionDenied,
              fmt::format("no enabled version of key '{}' in vault '{}' is the one that certificate {} was "
                          "issued for: enable it, or "
                          "upload a certificate of the current version",
                          reference.key_name, reference.key_vault, certificate.thumbprint_sha1()));
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// The passphrase, where the environment names the file that has it.
Result<std::optional<SecretBytes>> passphrase_at_hand() {
  const char* file = std::getenv("SIGNET_PASSPHRASE_FILE");
  if (file == nullptr) return std::optional<SecretBytes>();
  SIGNET_TRY(SecretBytes passphrase, read_passphrase_file(file));
  return std::optional(std::move(passphrase));
}

Result<vault::MasterKey> create_master_key(const std::filesystem::path& home,
                                           const Home::InitOptions& options) {
  if (!options.passphrase_file) return create_master_key(home, MasterKeyKind::KeyFile, {});
  SIGNET_TRY(const SecretBytes passphrase, read_passphrase_file(*options.passphrase_file));
  return create_master_key(home, MasterKeyKind::Passphrase, passphrase);
}

Result<> make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error)
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all,
                                 std::filesystem::perm_options::replace, error);
  if (error)
    return fail(ErrorKind::IoFailure, fmt::format("making {}: {}", directory.string(), error.message()));
  return {};
}

/// @error InvalidInput  something else than a directory has the name.
Result<> check_directory(const std::filesystem::path& home) {
  std::error_code ignored;
  if (!is_there(home) || std::filesystem::is_directory(home, ignored)) return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("{} is not a directory: name a gateway's home with --home or SIGNET_HOME", home.string()));
}

bool holds_home(const std::filesystem::path& directory) { return has_master_key(directory); }

/// A home that was restored, or moved, in part.
bool lacks_master_key(const std::filesystem::path& directory) {
  return !holds_home(directory) && is_there(directory / "store" / "signet.db");
}

std::string without_master_key(const std::filesystem::path& directory) {
  return fmt::format(
      "{} is a gateway's home without its master key: its store is there, but neither master.key nor "
      "master.scrypt. The vault's keys cannot be opened without it: put it back from your copy",
      directory.string());
}

// ---- The making of a home. From its first file to its last one a mark lies in it, with which nothing opens
// it; so whatever lies beside a mark was never used, and may go.

constexpr std::string_view kUnfinished =
    "This home was not made to its end: run `signet init` for it again, which begins anew.\n";

std::filesystem::path unfinished_mark(const std::filesystem::path& home) { return home / "init.unfinished"; }

/// What `signet init` makes.
constexpr std::array kParts = {"delivery", "serve.toml", "master.key", "master.scrypt", "store", "audit.log"};

/// Whether a home can be made here: nothing is there, or what an init that was cut short left.
///
/// @error AlreadyExists  nothing was changed.
Result<> check_vacant(const std::filesystem::path& directory) {
  SIGNET_CHECK(check_directory(directory));
  if (!is_there(directory) || is_there(unfinished_mark(directory))) return {};
  if (holds_home(directory))
    return fail(ErrorKind::AlreadyExists,
                fmt::format("{} is a home already; nothing was changed: use it, or name another with --home",
                            directory.string()));
  if (lacks_master_key(directory)) return fail(ErrorKind::AlreadyExists, without_master_key(directory));
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename() != ServeLock::kFileName)
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("{} is not empty: name a new or an empty directory; nothing was changed",
                              directory.string()));
  if (error)
    return fail(ErrorKind::IoFailure, fmt::format("reading {}: {}", directory.string(), error.message()));
  return {};
}

Result<> set_mark(const std::filesystem::path& home) {
  if (is_there(unfinished_mark(home))) return {};
  SIGNET_TRY(NewFile file, NewFile::create(unfinished_mark(home)));
  SIGNET_CHECK(file.write(as_bytes(kUnfinished)));
  SIGNET_CHECK(file.sync());
  return sync_directory(home);
}

Result<> remove_unfinished(const std::filesystem::path& home) {
  if (!is_there(unfinished_mark(home))) return {};
  std::error_code error;
  for (const char* part : kParts) {
    std::filesystem::remove_all(home / part, error);
    if (error)
      return fail(ErrorKind::IoFailure, fmt::format("removing {}, which an earlier init left: {}",
                                                    (home / part).string(), error.message()));
  }
  return {};
}

Result<> remove_mark(const std::filesystem::path& home) {
  if (::unlink(unfinished_mark(home).c_str()) != 0)
    return fail(errno_error("removing " + unfinished_mark(home).string()));
  return sync_directory(home);
}

}  // namespace

struct Home::Stores {
  std::unique_ptr<AuditFile> audit;
  SqliteKeyStore keys;
  SqliteSecretStore secrets;
  SqliteVaultCertificateStore vault_certificates;
  SqliteTokenStore tokens;
  SqliteAccountStore accounts;
  SqliteCertificateStore certificates;
  SqliteEvidenceStore evidence;
  SqlitePrincipalStore principals;
  SqliteResourceStore resources;
  SqliteServiceBindingStore service_bindings;
  SqliteVaultLinkStore vault_links;
  SqliteAuthorityStore authority;
  AuditFileTrail audit_trail;
  SqliteRevocationStore revocations;
  SqliteExpiryNoticeStore expiry_notices;
  SqliteCertificateExchangeStore exchanges;
};

Home::Home(std::filesystem::path directory) : directory_(std::move(directory)) {}
Home::~Home() = default;

Result<> Home::initialise(const std::filesystem::path& directory, const InitOptions& options) {
  SIGNET_CHECK(check_vacant(directory));
  SIGNET_CHECK(make_directory(directory));
  SIGNET_TRY(const ServeLock lock, ServeLock::take(directory, SystemClock().now()));
  SIGNET_CHECK(check_vacant(directory));  // another init may have been faster
  SIGNET_CHECK(remove_unfinished(directory));
  SIGNET_CHECK(set_mark(directory));
  SIGNET_CHECK(make_directory(directory / "delivery"));
  SIGNET_CHECK(write_file_durably(directory / "serve.toml", as_bytes(kServeSettings)));
  SIGNET_TRY(vault::MasterKey master_key, create_master_key(directory, options));
  SIGNET_TRY(const auto home, open_stores(directory));
  SIGNET_CHECK(home->open_vault(std::move(master_key)));
  SIGNET_CHECK(
      home->vault().set_policy(vault::Principal::local_operator(),
                               {std::string(kDefaultVault), vault::Principal::gateway(),
                                vault::gateway_key_permissions(), vault::gateway_secret_permissions()}));
  SIGNET_CHECK(
      home->principals().add(vault::Principal::local_operator(), kAdministrator, {api::Role::Administrator}));
  return remove_mark(directory);
}

Result<std::unique_ptr<Home>> Home::open(const std::filesystem::path& directory) {
  SIGNET_TRY(auto home, open_made(directory));
  SIGNET_TRY(const auto passphrase, passphrase_at_hand());
  SIGNET_CHECK(home->open_vault(passphrase));
  SIGNET_CHECK(home->look_at_audit_log());
  return home;
}

Result<std::unique_ptr<Home>> Home::open_for_serving(const std::filesystem::path& directory) {
  SIGNET_TRY(auto home, open_made(directory));
  SIGNET_TRY(const auto passphrase, passphrase_at_hand());
  SIGNET_TRY(const MasterKeyFile file, home->master_key_file());
  if (file.kind == MasterKeyKind::Passphrase && !passphrase) {
    home->vault_ = vault::EmbeddedVault::open_sealed(
        home->stores_->keys, home->stores_->secrets, home->stores_->vault_certificates,
        wiring::audit_log(*home->stores_->audit), home->clock_, home->vault_options());
    home->take_up_authority();
  } else {
    SIGNET_CHECK(home->open_vault(passphrase));
  }
  SIGNET_CHECK(home->look_at_audit_log());
  return home;
}

namespace {

/// Why a home that is there cannot be used, from errno, and who could mend that.
Error no_way_into(const std::filesystem::path& directory) {
  Error error = errno_error("opening the home " + directory.string());
  struct stat status {};
  if (error.kind != ErrorKind::PermissionDenied || ::stat(directory.c_str(), &status) != 0) return error;
  error.detail +=
      status.st_uid == ::geteuid()
          ? fmt::format(": its mode is {:o}, and its user must read and write it; 'chmod u+rwX' mends that",
                        status.st_mode & 07777U)
          : fmt::format(": it belongs to user {}, and this is user {}; run as the former", status.st_uid,
                        ::geteuid());
  return error;
}

}  // namespace

Result<std::unique_ptr<Home>> Home::open_made(const std::filesystem::path& directory) {
  SIGNET_CHECK(check_directory(directory));
  if (::access(directory.c_str(), F_OK) == 0 && ::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
    return fail(no_way_into(directory));
  if (is_there(unfinished_mark(directory)))
    return fail(ErrorKind::NotFound, fmt::format("the home {} was not made to its end: run 'signet --home {} "
                                                 "init' again, which begins anew",
                                                 directory.string(), directory.string()));
  if (lacks_master_key(directory)) return fail(ErrorKind::IoFailure, without_master_key(directory));
  if (!holds_home(directory))
    return fail(ErrorKind::NotFound, fmt::format("{} is not a gateway's home: make one with 'signet --home "
                                                 "{} init', or name another with --home or "
                                                 "SIGNET_HOME",
                                                 directory.string(), directory.string()));
  return open_stores(directory);
}

/// Whether the audit log has what `signet init` wrote into it, and the newest line that the evidence names. A
/// log without them was removed or cut: that is told at each start, and an emptied log begins with it, by
/// which it is known later.
Result<> Home::look_at_audit_log() {
  const std::filesystem::path file = directory_ / "audit.log";
  SIGNET_TRY(const auto named, stores_->evidence.newest_audit_mention());
  const bool is_empty = !stores_->audit->head();
  bool is_lost = is_empty;
  if (!is_empty) {
    SIGNET_TRY(is_lost, AuditFile::begins_anew(file));
  }
  bool is_cut = false;
  if (!is_lost && named) {
    SIGNET_TRY(const bool has_line, AuditFile::has(file, named->line));
    is_cut = !has_line;
  }
  if (!is_lost && !is_cut) return {};
  const std::string what =
      is_lost ? "the audit log was emptied or removed"
              : fmt::format(
                    "the audit log lacks the line that record {} of the evidence names: its end was "
                    "cut off, or all of it was made anew",
                    named->record);
  log::error(
      "audit-log-cut",
      {{"file", file.string()},
       {"reason", what + "; `signet audit verify` says from where on, and a backup has what is gone"}});
  if (!is_empty) return {};
  vault::AuditRecord record;
  record.time = clock_.now();
  record.principal = "signet";
  record.operation = kAuditLogCut;
  record.object = vault::AuditObject::Call;
  record.key.name = "audit.log";
  record.result = vault::AuditResult::Failed;
  record.detail = what;
  return stores_->audit->append(record);
}

Result<std::unique_ptr<Home>> Home::open_stores(const std::filesystem::path& directory) {
  std::unique_ptr<Home> home(new Home(std::filesystem::absolute(directory)));
  SIGNET_TRY(home->store_, SqliteStore::open(directory));
  SIGNET_TRY(auto audit, AuditFile::open(directory / "audit.log"));
  const auto& database = home->store_->database();
  // No receipt may leave before the audit records of the keys that made it are on disk.
  database->set_before_commit([file = audit.get()] { return file->sync(); });
  home->store_->name_audit_head([file = audit.get()] { return file->head(); });
  home->stores_ = std::make_unique<Stores>(Stores{
      std::move(audit), SqliteKeyStore(database), SqliteSecretStore(database),
      SqliteVaultCertificateStore(database), SqliteTokenStore(database),
      SqliteAccountStore(database, home->clock_), SqliteCertificateStore(database),
      SqliteEvidenceStore(*home->store_), SqlitePrincipalStore(database), SqliteResourceStore(database),
      SqliteServiceBindingStore(database), SqliteVaultLinkStore(database), SqliteAuthorityStore(database),
      AuditFileTrail(directory / "audit.log"), SqliteRevocationStore(database),
      SqliteExpiryNoticeStore(database), SqliteCertificateExchangeStore(database)});
  home->linked_vaults_ = std::make_unique<LinkedVaults>(
      home->stores_->vault_links, wiring::audit_log(*home->stores_->audit), home->clock_, home->spool_area());
  home->principals_ = std::make_unique<api::Principals>(
      home->stores_->principals, wiring::audit_log(*home->stores_->audit), home->clock_);
  return home;
}

Result<> Home::open_vault(vault::MasterKey master_key) {
  SIGNET_TRY(vault_, vault::EmbeddedVault::open(stores_->keys, stores_->secrets, stores_->vault_certificates,
                                                wiring::audit_log(*stores_->audit), std::move(master_key),
                                                clock_, vault_options()));
  take_up_authority();
  return {};
}

void Home::take_up_authority() {
  authority_ = std::make_unique<authority::Authority>(wiring::authority_store(stores_->authority), *vault_,
                                                      wiring::audit_log(*stores_->audit),
                                                      stores_->audit_trail, clock_);
}

/// The same whether the vault begins open or sealed.
vault::EmbeddedVaultOptions Home::vault_options() {
  vault::EmbeddedVaultOptions options;
  options.tokens = &stores_->tokens;
  return options;
}

Result<> Home::open_vault(const std::optional<SecretBytes>& passphrase) {
  SIGNET_TRY(const MasterKeyFile file, master_key_file());
  SIGNET_TRY(vault::MasterKey master_key, open_master_key(file, passphrase ? &*passphrase : nullptr));
  return open_vault(std::move(master_key));
}

Result<MasterKeyFile> Home::master_key_file() {
  SIGNET_TRY(const auto check, master_key_check());
  return find_master_key(directory_, check);
}

Result<std::optional<Bytes>> Home::master_key_check() { return stores_->keys.master_key_check(); }

Result<SecretBytes> Home::callback_key() const { return vault_->mac_key("callback URLs"); }

agreements::AccountStore& Home::accounts() { return stores_->accounts; }
certstore::CertificateStore& Home::certificates() { return stores_->certificates; }
certstore::ServiceBindingStore& Home::service_bindings() { return stores_->service_bindings; }
AuditFile& Home::audit() { return *stores_->audit; }
EvidenceStore& Home::evidence() { return stores_->evidence; }
RevocationStore& Home::revocations() { return stores_->revocations; }
vault::VaultCertificateStore& Home::vault_certificates() { return stores_->vault_certificates; }
ExpiryNoticeStore& Home::expiry_notices() { return stores_->expiry_notices; }
CertificateExchangeStore& Home::exchanges() { return stores_->exchanges; }
api::Principals& Home::principals() { return *principals_; }
SqliteResourceStore& Home::resources() { return stores_->resources; }
api::PrincipalStore& Home::principal_store() { return stores_->principals; }

authority::AuthorityStore& Home::authority_store() { return stores_->authority; }

SqliteVaultLinkStore& Home::vault_links() { return stores_->vault_links; }

Result<vault::KeyVault*> Home::key_vault(std::string_view name) {
  SIGNET_TRY(RemoteVault* const linked, linked_vaults_->find(name));
  if (linked != nullptr) return linked;
  return vault_.get();
}

Result<vault::EmbeddedVault*> Home::own_vault(std::string_view name) {
  SIGNET_TRY(const RemoteVault* const linked, linked_vaults_->find(name));
  if (linked == nullptr) return vault_.get();
  return fail(ErrorKind::Unsupported, fmt::format("'{}' is linked to the key vault at {}: that is done there",
                                                  printable(name), linked->link().url));
}

Result<SecretBytes> Home::secret(std::string_view key_vault, std::string_view secret_name) {
  const vault::SecretId id{std::string(key_vault), std::string(secret_name), {}};
  SIGNET_TRY(RemoteVault* const linked, linked_vaults_->find(key_vault));
  SIGNET_TRY(vault::Secret secret, linked != nullptr ? linked->get_secret(vault::Principal::gateway(), id)
                                                     : vault_->get_secret(vault::Principal::gateway(), id));
  SIGNET_CHECK(vault::check_usable(secret.info, clock_.now()));
  return std::move(secret.value);
}

Result<vault::SecretInfo> Home::secret_info(std::string_view key_vault, std::string_view secret_name) {
  const vault::Principal caller = vault::Principal::local_operator();
  SIGNET_TRY(RemoteVault* const linked, linked_vaults_->find(key_vault));
  SIGNET_TRY(const auto versions, linked != nullptr
                                      ? linked->secret_versions(caller, secret_name)
                                      : vault_->secret_versions(caller, key_vault, secret_name));
  return versions.front();
}

SpoolArea Home::spool_area() const {
  SpoolArea area;
  area.directory = store_->spool_directory();
  return area;
}

Result<std::shared_ptr<const AccountSnapshot>> Home::current_account() {
  SIGNET_TRY(const std::uint64_t generation, store_->generation());
  const std::lock_guard lock(mutex_);
  if (account_ && generation == account_generation_) return account_;
  SIGNET_TRY(const certstore::ServiceDefinitions definitions, definitions_of_lock_holder());
  SIGNET_TRY(account_, account_with(definitions));
  account_generation_ = generation;
  return account_;
}

Result<std::shared_ptr<const AccountSnapshot>> Home::account_with(
    const certstore::ServiceDefinitions& definitions) {
  SIGNET_TRY(agreements::StoredAccount stored, stores_->accounts.load());
  SIGNET_TRY(ServiceCertificates services, resolve_service_certificates(*this, definitions, stored.account));
  return AccountSnapshot::build(
      std::move(stored.account),
      [this](const agreements::KeyReference& key,
             const certstore::Certificate& certificate) -> Result<certstore::KeyHandle> {
        SIGNET_TRY(vault::KeyVault* const vault, key_vault(key.key_vault));
        return open_key_of(*vault, key, certificate);
      },
      [this](const std::string& key_vault, const std::string& secret_name) {
        return secret(key_vault, secret_name);
      },
      std::move(services));
}

Result<certstore::ServiceDefinitions> Home::service_definitions() {
  const std::lock_guard lock(mutex_);
  return definitions_of_lock_holder();
}

Result<certstore::ServiceDefinitions> Home::definitions_of_lock_holder() const {
  if (definitions_) return *definitions_;
  SIGNET_TRY(const ServeSettings settings, read_serve_settings({}, directory_ / "serve.toml"));
  return service_definitions_of(settings);
}

void Home::define_service_certificates(certstore::ServiceDefinitions definitions) {
  const std::lock_guard lock(mutex_);
  definitions_ = std::move(definitions);
  account_.reset();
}

}  // namespace signet::gateway
