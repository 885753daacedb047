#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "certstore/vault/vault_certificate_store.h"
#include "tests/support/memory_key_store.h"

namespace signet::test {

/// The key vault's certificates, in memory, beside its keys and secrets; fails on demand.
class MemoryVaultCertificateStore final : public vault::VaultCertificateStore {
 public:
  MemoryVaultCertificateStore(MemoryKeyStore& keys, MemorySecretStore& secrets)
      : keys_(keys), secrets_(secrets) {}

  Result<> put_version(const vault::NewVersion& version) override;
  Result<> put_name(const vault::StoredName& name) override;
  Result<vault::StoredName> load_name(std::string_view vault, std::string_view name) override;
  Result<vault::StoredCertificate> load(const vault::CertificateId& id) override;
  Result<std::vector<vault::CertificateInfo>> list(std::string_view vault) override;
  Result<std::vector<vault::StoredName>> list_without_version(std::string_view vault) override;
  Result<std::vector<vault::CertificateInfo>> versions(std::string_view vault,
                                                       std::string_view name) override;
  Result<vault::CertificateInfo> update(const vault::CertificateId& id,
                                        const vault::CertificateChange& change) override;
  Result<> remove_operation(std::string_view vault, std::string_view name) override;
  Result<std::vector<vault::StoredName>> in_progress() override;
  Result<> note_order(const vault::CertificateId& id, const vault::StoredOperation& operation) override;
  Result<std::vector<vault::CurrentCertificate>> in_use() override;
  Result<std::vector<vault::CertificateNotice>> notices() override;
  Result<> put_notice_mailed(std::int64_t number) override;
  Result<> remove_notice(std::int64_t number) override;
  Result<> soft_delete(std::string_view vault, std::string_view name,
                       const vault::Deletion& deletion) override;
  Result<std::vector<vault::Deleted<vault::CertificateInfo>>> list_deleted(std::string_view vault) override;
  Result<vault::Deleted<vault::CertificateInfo>> load_deleted(std::string_view vault,
                                                              std::string_view name) override;
  Result<vault::StoredName> load_deleted_name(std::string_view vault, std::string_view name) override;
  Result<std::vector<vault::Deleted<vault::CertificateInfo>>> overdue(Time now) override;
  Result<> recover(std::string_view vault, std::string_view name) override;
  Result<> purge(std::string_view vault, std::string_view name, const vault::Deletion& deletion) override;
  Result<vault::WholeCertificate> load_all(std::string_view vault, std::string_view name) override;
  Result<> put_all(const vault::WholeCertificate& certificate) override;
  Result<std::vector<vault::CertificateContact>> contacts(std::string_view vault) override;
  Result<> put_contacts(std::string_view vault,
                        const std::vector<vault::CertificateContact>& contacts) override;
  Result<> put_issuer(const vault::StoredIssuer& issuer) override;
  Result<vault::StoredIssuer> load_issuer(std::string_view vault, std::string_view name) override;
  Result<std::vector<vault::CertificateIssuer>> list_issuers(std::string_view vault) override;
  Result<> remove_issuer(std::string_view vault, std::string_view name) override;

  /// The keys of operations in progress.
  std::vector<vault::KeyAtRest> at_rest();

  /// From now on every change fails with this, until it is reset.
  std::optional<Error> failure;

 private:
  vault::StoredName* find_name(std::string_view vault, std::string_view name);
  template <class Wanted>
  std::vector<vault::Deleted<vault::CertificateInfo>> deleted_that(Wanted wanted);
  vault::StoredCertificate* find(const vault::CertificateId& id);

  std::mutex mutex_;
  MemoryKeyStore& keys_;
  MemorySecretStore& secrets_;
  std::vector<vault::StoredName> names_;
  /// A deleted certificate is here alone.
  std::vector<std::pair<vault::WholeCertificate, vault::Deletion>> deleted_;
  std::vector<vault::StoredCertificate> versions_;   ///< oldest first
  std::vector<vault::CertificateContact> contacts_;  ///< of the one vault that tests have
  std::vector<vault::StoredIssuer> issuers_;
  std::vector<vault::CertificateNotice> notices_;
  std::int64_t last_notice_ = 0;
};

}  // namespace signet::test
