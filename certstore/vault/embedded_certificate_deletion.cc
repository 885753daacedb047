#include "certstore/vault/backup_internal.h"
#include "certstore/vault/embedded_certificates_internal.h"

/// Certificates that are deleted, recovered and purged, and their backups: their keys and secrets go with
/// them.

namespace signet::vault {

Result<DeletedCertificate> EmbeddedVault::delete_certificate(const Principal& principal,
                                                             std::string_view vault, std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_TRY(const Deleted<CertificateInfo> deleted, delete_object<Certificates>(*state_, principal, id));
  return CertificateSteps(*state_).show_deleted(deleted);
}

Result<std::vector<Deleted<CertificateInfo>>> EmbeddedVault::list_deleted_certificates(
    const Principal& principal, std::string_view vault) {
  return list_deleted_objects<Certificates>(*state_, principal, vault);
}

Result<DeletedCertificate> EmbeddedVault::get_deleted_certificate(const Principal& principal,
                                                                  std::string_view vault,
                                                                  std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_TRY(const Deleted<CertificateInfo> deleted,
             get_deleted_object<Certificates>(*state_, principal, id));
  return CertificateSteps(*state_).show_deleted(deleted);
}

Result<VaultCertificate> EmbeddedVault::recover_certificate(const Principal& principal,
                                                            std::string_view vault, std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_TRY(const CertificateInfo info, recover_object<Certificates>(*state_, principal, id));
  return CertificateSteps(*state_).show(info.id);
}

Result<> EmbeddedVault::purge_certificate(const Principal& principal, std::string_view vault,
                                          std::string_view name) {
  return purge_object<Certificates>(*state_, principal, {std::string(vault), std::string(name), {}});
}

Result<DeletedCertificate> EmbeddedVault::CertificateSteps::show_deleted(
    const Deleted<CertificateInfo>& deleted) {
  SIGNET_TRY(StoredName name,
             state_.certificates().load_deleted_name(deleted.info.id.vault, deleted.info.id.name));
  return DeletedCertificate{{deleted.info, std::move(name.policy), false}, deleted.deletion};
}

}  // namespace signet::vault
