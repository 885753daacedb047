#include "tests/support/memory_vault_certificate_store.h"

#include <algorithm>

namespace signet::test {
namespace {

using vault::CertificateId;
using vault::CertificateInfo;
using vault::StoredCertificate;
using vault::StoredIssuer;
using vault::StoredName;

bool same_name(const vault::KeyId& a, std::string_view vault, std::string_view name) {
  return equal_ignoring_case(a.vault, vault) && equal_ignoring_case(a.name, name);
}

tl::unexpected<Error> nothing(std::string_view name) {
  return fail(ErrorKind::NotFound, "there is no '" + std::string(name) + "'");
}

}  // namespace

StoredName* MemoryVaultCertificateStore::find_name(std::string_view vault, std::string_view name) {
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&](const StoredName& known) { return same_name(known.id, vault, name); });
  return found == names_.end() ? nullptr : &*found;
}

StoredCertificate* MemoryVaultCertificateStore::find(const CertificateId& id) {
  const auto found = std::find_if(versions_.rbegin(), versions_.rend(), [&](const StoredCertificate& known) {
    return same_name(known.info.id, id.vault, id.name) &&
           (id.version.empty() || id.version == known.info.id.version);
  });
  return found == versions_.rend() ? nullptr : &*found;
}

Result<> MemoryVaultCertificateStore::put_name(const StoredName& name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  for (vault::CertificateNotice notice : name.notices) {
    notice.number = ++last_notice_;
    notices_.push_back(std::move(notice));
  }
  if (StoredName* const known = find_name(name.id.vault, name.id.name)) {
    known->policy = name.policy;
    known->renewal = name.renewal;
    if (name.operation) known->operation = name.operation;
  } else {
    names_.push_back(name);
    names_.back().notices.clear();
  }
  return {};
}

Result<> MemoryVaultCertificateStore::put_version(const vault::NewVersion& version) {
  SIGNET_CHECK(put_name(version.name));
  SIGNET_CHECK(keys_.put_version(version.key));
  SIGNET_CHECK(secrets_.put_version(version.secret));
  const std::lock_guard lock(mutex_);
  versions_.push_back(version.certificate);
  return {};
}

Result<StoredName> MemoryVaultCertificateStore::load_name(std::string_view vault, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const StoredName* const known = find_name(vault, name);
  if (known == nullptr) return nothing(name);
  return *known;
}

Result<StoredCertificate> MemoryVaultCertificateStore::load(const CertificateId& id) {
  const std::lock_guard lock(mutex_);
  const StoredCertificate* const known = find(id);
  if (known == nullptr) return nothing(id.name);
  return *known;
}

Result<std::vector<CertificateInfo>> MemoryVaultCertificateStore::list(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  std::vector<CertificateInfo> all;
  for (const StoredName& name : names_)
    if (const StoredCertificate* const version = find(name.id);
        version != nullptr && equal_ignoring_case(name.id.vault, vault))
      all.push_back(version->info);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id.name < b.id.name; });
  return all;
}

Result<std::vector<StoredName>> MemoryVaultCertificateStore::list_without_version(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  std::vector<StoredName> all;
  for (const StoredName& name : names_)
    if (equal_ignoring_case(name.id.vault, vault) && find(name.id) == nullptr) all.push_back(name);
  return all;
}

Result<std::vector<CertificateInfo>> MemoryVaultCertificateStore::versions(std::string_view vault,
                                                                           std::string_view name) {
  const std::lock_guard lock(mutex_);
  std::vector<CertificateInfo> all;
  for (auto version = versions_.rbegin(); version != versions_.rend(); ++version)
    if (same_name(version->info.id, vault, name)) all.push_back(version->info);
  return all;
}

Result<CertificateInfo> MemoryVaultCertificateStore::update(const CertificateId& id,
                                                            const vault::CertificateChange& change) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  StoredCertificate* const known = find(id);
  if (known == nullptr) return nothing(id.name);
  CertificateInfo info = known->info;
  SIGNET_CHECK(change(info));
  known->info = info;
  SIGNET_CHECK(keys_.update(info.id, [&](vault::KeyInfo& key) -> Result<> {
    key.attributes.enabled = info.settings.enabled;
    key.tags = info.settings.tags;
    return {};
  }));
  SIGNET_CHECK(secrets_.update(info.id, [&](vault::SecretInfo& secret) -> Result<> {
    secret.settings.attributes.enabled = info.settings.enabled;
    secret.settings.tags = info.settings.tags;
    return {};
  }));
  return info;
}

Result<> MemoryVaultCertificateStore::remove_operation(std::string_view vault, std::string_view name) {
  const std::lock_guard lock(mutex_);
  StoredName* const known = find_name(vault, name);
  if (known == nullptr || !known->operation) return nothing(name);
  known->operation.reset();
  if (find(known->id) == nullptr)
    std::erase_if(names_, [&](const StoredName& one) { return same_name(one.id, vault, name); });
  return {};
}

Result<std::vector<StoredName>> MemoryVaultCertificateStore::in_progress() {
  const std::lock_guard lock(mutex_);
  std::vector<StoredName> all;
  for (const StoredName& name : names_)
    if (name.operation && name.operation->operation.status == vault::OperationStatus::InProgress &&
        name.operation->operation.issuer != vault::kUnknownIssuer)
      all.push_back(name);
  return all;
}

Result<> MemoryVaultCertificateStore::note_order(const CertificateId& id,
                                                 const vault::StoredOperation& operation) {
  const std::lock_guard lock(mutex_);
  StoredName* const known = find_name(id.vault, id.name);
  if (known == nullptr || !known->operation ||
      known->operation->operation.request_id != operation.operation.request_id)
    return nothing(id.name);
  known->operation->order = operation.order;
  known->operation->operation.details = operation.operation.details;
  return {};
}

Result<std::vector<vault::CurrentCertificate>> MemoryVaultCertificateStore::in_use() {
  const std::lock_guard lock(mutex_);
  std::vector<vault::CurrentCertificate> all;
  for (const StoredName& name : names_)
    if (const StoredCertificate* const version = find(name.id)) all.push_back({name, *version});
  return all;
}

Result<std::vector<vault::CertificateNotice>> MemoryVaultCertificateStore::notices() {
  const std::lock_guard lock(mutex_);
  return notices_;
}

Result<> MemoryVaultCertificateStore::put_notice_mailed(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  for (vault::CertificateNotice& notice : notices_)
    if (notice.number == number) notice.mailed = true;
  return {};
}

Result<> MemoryVaultCertificateStore::remove_notice(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(notices_, [number](const auto& notice) { return notice.number == number; });
  return {};
}

template <class Wanted>
std::vector<vault::Deleted<CertificateInfo>> MemoryVaultCertificateStore::deleted_that(Wanted wanted) {
  std::vector<vault::Deleted<CertificateInfo>> all;
  for (const auto& [whole, deletion] : deleted_)
    if (wanted(whole.name.id, deletion)) all.push_back({whole.versions.back().info, deletion});
  return all;
}

Result<> MemoryVaultCertificateStore::soft_delete(std::string_view vault, std::string_view name,
                                                  const vault::Deletion& deletion) {
  if (failure) return fail(*failure);
  SIGNET_TRY(vault::WholeCertificate whole, load_all(vault, name));
  SIGNET_CHECK(keys_.soft_delete(vault, name, deletion));
  SIGNET_CHECK(secrets_.soft_delete(vault, name, deletion));
  deleted_.emplace_back(std::move(whole), deletion);
  std::erase_if(names_, [&](const StoredName& one) { return same_name(one.id, vault, name); });
  std::erase_if(versions_, [&](const StoredCertificate& one) { return same_name(one.info.id, vault, name); });
  return {};
}

Result<std::vector<vault::Deleted<CertificateInfo>>> MemoryVaultCertificateStore::list_deleted(
    std::string_view vault) {
  return deleted_that([&](const auto& id, const auto&) { return equal_ignoring_case(id.vault, vault); });
}

Result<vault::Deleted<CertificateInfo>> MemoryVaultCertificateStore::load_deleted(std::string_view vault,
                                                                                  std::string_view name) {
  const auto found = deleted_that([&](const auto& id, const auto&) { return same_name(id, vault, name); });
  if (found.empty()) return nothing(name);
  return found.front();
}

Result<StoredName> MemoryVaultCertificateStore::load_deleted_name(std::string_view vault,
                                                                  std::string_view name) {
  for (const auto& [whole, deletion] : deleted_)
    if (same_name(whole.name.id, vault, name)) return whole.name;
  return nothing(name);
}

Result<std::vector<vault::Deleted<CertificateInfo>>> MemoryVaultCertificateStore::overdue(Time now) {
  return deleted_that([&](const auto&, const auto& deletion) { return deletion.scheduled_purge <= now; });
}

Result<> MemoryVaultCertificateStore::recover(std::string_view vault, std::string_view name) {
  const auto found = std::find_if(deleted_.begin(), deleted_.end(),
                                  [&](const auto& one) { return same_name(one.first.name.id, vault, name); });
  if (found == deleted_.end()) return nothing(name);
  SIGNET_CHECK(keys_.recover(vault, name));
  SIGNET_CHECK(secrets_.recover(vault, name));
  names_.push_back(found->first.name);
  versions_.insert(versions_.end(), found->first.versions.begin(), found->first.versions.end());
  deleted_.erase(found);
  return {};
}

Result<> MemoryVaultCertificateStore::purge(std::string_view vault, std::string_view name,
                                            const vault::Deletion& deletion) {
  SIGNET_TRY(const auto deleted, load_deleted(vault, name));
  if (deleted.deletion != deletion) return nothing(name);
  SIGNET_CHECK(keys_.purge(vault, name, deletion));
  SIGNET_CHECK(secrets_.purge(vault, name, deletion));
  std::erase_if(deleted_, [&](const auto& one) { return same_name(one.first.name.id, vault, name); });
  return {};
}

Result<vault::WholeCertificate> MemoryVaultCertificateStore::load_all(std::string_view vault,
                                                                      std::string_view name) {
  vault::WholeCertificate whole;
  SIGNET_TRY(whole.name, load_name(vault, name));
  whole.name.operation.reset();
  for (const StoredCertificate& version : versions_)
    if (same_name(version.info.id, vault, name)) whole.versions.push_back(version);
  if (whole.versions.empty()) return nothing(name);
  SIGNET_TRY(whole.keys, keys_.load_all(vault, name));
  SIGNET_TRY(whole.secrets, secrets_.load_all(vault, name));
  return whole;
}

Result<> MemoryVaultCertificateStore::put_all(const vault::WholeCertificate& certificate) {
  SIGNET_CHECK(keys_.put_all(certificate.keys));
  SIGNET_CHECK(secrets_.put_all(certificate.secrets));
  names_.push_back(certificate.name);
  versions_.insert(versions_.end(), certificate.versions.begin(), certificate.versions.end());
  return {};
}

Result<std::vector<vault::CertificateContact>> MemoryVaultCertificateStore::contacts(std::string_view) {
  return contacts_;
}

Result<> MemoryVaultCertificateStore::put_contacts(std::string_view,
                                                   const std::vector<vault::CertificateContact>& contacts) {
  contacts_ = contacts;
  return {};
}

Result<> MemoryVaultCertificateStore::put_issuer(const StoredIssuer& issuer) {
  std::erase_if(issuers_, [&](const StoredIssuer& known) {
    return same_name(known.issuer.id, issuer.issuer.id.vault, issuer.issuer.id.name);
  });
  issuers_.push_back(issuer);
  return {};
}

Result<StoredIssuer> MemoryVaultCertificateStore::load_issuer(std::string_view vault, std::string_view name) {
  for (const StoredIssuer& known : issuers_)
    if (same_name(known.issuer.id, vault, name)) return known;
  return nothing(name);
}

Result<std::vector<vault::CertificateIssuer>> MemoryVaultCertificateStore::list_issuers(
    std::string_view vault) {
  std::vector<vault::CertificateIssuer> all;
  for (const StoredIssuer& known : issuers_)
    if (equal_ignoring_case(known.issuer.id.vault, vault)) all.push_back(known.issuer);
  return all;
}

Result<> MemoryVaultCertificateStore::remove_issuer(std::string_view vault, std::string_view name) {
  if (std::erase_if(issuers_,
                    [&](const StoredIssuer& known) { return same_name(known.issuer.id, vault, name); }) == 0)
    return nothing(name);
  return {};
}

std::vector<vault::KeyAtRest> MemoryVaultCertificateStore::at_rest() {
  const std::lock_guard lock(mutex_);
  std::vector<vault::KeyAtRest> rows;
  for (const StoredName& name : names_)
    if (name.operation && !name.operation->sealed.empty())
      rows.push_back({{name.id.vault, name.id.name, name.operation->version},
                      name.operation->public_key,
                      name.operation->sealed});
  return rows;
}

}  // namespace signet::test
