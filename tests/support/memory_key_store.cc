#include "tests/support/memory_key_store.h"

namespace signet::test {
namespace {

bool same_name(const vault::KeyId& a, std::string_view vault, std::string_view name) {
  return equal_ignoring_case(a.vault, vault) && equal_ignoring_case(a.name, name);
}

tl::unexpected<Error> missing(const vault::KeyId& id) {
  return fail(ErrorKind::NotFound, "there is no '" + to_string(id) + "'");
}

}  // namespace

template <class Interface, class Stored, class Info>
auto MemoryStore<Interface, Stored, Info>::find(const vault::KeyId& id, bool deleted) -> Row* {
  const auto found = std::find_if(rows_.rbegin(), rows_.rend(), [&](const Row& row) {
    return row.deletion.has_value() == deleted && same_name(row.stored.info.id, id.vault, id.name) &&
           (id.version.empty() || id.version == row.stored.info.id.version);
  });
  return found == rows_.rend() ? nullptr : &*found;
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::put_row(const Stored& version) {
  const vault::KeyId& id = version.info.id;
  if (find({id.vault, id.name, {}}, true) != nullptr)
    return fail(ErrorKind::DeletedButRecoverable, "'" + to_string(id) + "' is deleted");
  if (find(id, false) != nullptr) return fail(ErrorKind::AlreadyExists, "there is such a version");
  rows_.push_back({version, std::nullopt});
  return {};
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::put_version(const Stored& version) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  SIGNET_CHECK(put_row(version));
  ++generation_;
  return {};
}

template <class Interface, class Stored, class Info>
Result<Stored> MemoryStore<Interface, Stored, Info>::load(const vault::KeyId& id) {
  const std::lock_guard lock(mutex_);
  ++loads;
  if (failure) return fail(*failure);
  const Row* const row = find(id, false);
  if (row == nullptr) return missing(id);
  return row->stored;
}

template <class Interface, class Stored, class Info>
Result<std::vector<Info>> MemoryStore<Interface, Stored, Info>::list(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<Info> all;
  for (const Row& row : rows_) {
    const vault::KeyId& id = row.stored.info.id;
    if (equal_ignoring_case(id.vault, vault) && find({id.vault, id.name, {}}, false) == &row)
      all.push_back(row.stored.info);
  }
  std::sort(all.begin(), all.end(), [](const Info& a, const Info& b) { return a.id.name < b.id.name; });
  return all;
}

template <class Interface, class Stored, class Info>
Result<std::vector<Info>> MemoryStore<Interface, Stored, Info>::versions(std::string_view vault,
                                                                         std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<Info> all;
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row)
    if (!row->deletion && same_name(row->stored.info.id, vault, name)) all.push_back(row->stored.info);
  return all;
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::set_deletion(std::string_view vault, std::string_view name,
                                                            std::optional<vault::Deletion> deletion) {
  if (failure) return fail(*failure);
  bool found = false;
  for (Row& row : rows_) {
    if (row.deletion.has_value() == deletion.has_value() || !same_name(row.stored.info.id, vault, name))
      continue;
    row.deletion = deletion;
    found = true;
  }
  if (!found) return missing({std::string(vault), std::string(name), {}});
  ++generation_;
  return {};
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::soft_delete(std::string_view vault, std::string_view name,
                                                           const vault::Deletion& deletion) {
  const std::lock_guard lock(mutex_);
  return set_deletion(vault, name, deletion);
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::recover(std::string_view vault, std::string_view name) {
  const std::lock_guard lock(mutex_);
  return set_deletion(vault, name, std::nullopt);
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::purge(std::string_view vault, std::string_view name,
                                                     const vault::Deletion& deletion) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const auto gone = [&](const Row& row) {
    return row.deletion == deletion && same_name(row.stored.info.id, vault, name);
  };
  if (std::erase_if(rows_, gone) == 0) return missing({std::string(vault), std::string(name), {}});
  ++generation_;
  return {};
}

template <class Interface, class Stored, class Info>
template <class Wanted>
std::vector<vault::Deleted<Info>> MemoryStore<Interface, Stored, Info>::newest_deleted(Wanted wanted) {
  std::vector<vault::Deleted<Info>> all;
  for (const Row& row : rows_) {
    const vault::KeyId& id = row.stored.info.id;
    if (row.deletion && find({id.vault, id.name, {}}, true) == &row && wanted(row))
      all.push_back({row.stored.info, *row.deletion});
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.info.id.name < b.info.id.name; });
  return all;
}

template <class Interface, class Stored, class Info>
Result<std::vector<vault::Deleted<Info>>> MemoryStore<Interface, Stored, Info>::list_deleted(
    std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  return newest_deleted([&](const Row& row) { return equal_ignoring_case(row.stored.info.id.vault, vault); });
}

template <class Interface, class Stored, class Info>
Result<vault::Deleted<Info>> MemoryStore<Interface, Stored, Info>::load_deleted(std::string_view vault,
                                                                                std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  auto found = newest_deleted([&](const Row& row) { return same_name(row.stored.info.id, vault, name); });
  if (found.empty()) return missing({std::string(vault), std::string(name), {}});
  return std::move(found.front());
}

template <class Interface, class Stored, class Info>
Result<std::vector<vault::Deleted<Info>>> MemoryStore<Interface, Stored, Info>::overdue(Time now) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  return newest_deleted(
      [&](const Row& row) { return !row.stored.info.managed && row.deletion->scheduled_purge <= now; });
}

template <class Interface, class Stored, class Info>
Result<std::vector<Stored>> MemoryStore<Interface, Stored, Info>::load_all(std::string_view vault,
                                                                           std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<Stored> all;
  for (const Row& row : rows_)
    if (!row.deletion && same_name(row.stored.info.id, vault, name)) all.push_back(row.stored);
  return all;
}

template <class Interface, class Stored, class Info>
Result<> MemoryStore<Interface, Stored, Info>::put_all(const std::vector<Stored>& versions) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const vault::KeyId& id = versions.front().info.id;
  if (find({id.vault, id.name, {}}, false) != nullptr)
    return fail(ErrorKind::AlreadyExists, "there is such a name");
  for (const Stored& version : versions) SIGNET_CHECK(put_row(version));
  ++generation_;
  return {};
}

template <class Interface, class Stored, class Info>
Bytes& MemoryStore<Interface, Stored, Info>::sealed(const vault::KeyId& id) {
  const std::lock_guard lock(mutex_);
  Row* const row = find(id, false);
  if (row == nullptr) throw std::out_of_range("no such version");
  ++generation_;
  return row->stored.sealed;
}

template class MemoryStore<vault::KeyStore, vault::StoredKey, vault::KeyInfo>;
template class MemoryStore<vault::SecretStore, vault::StoredSecret, vault::SecretInfo>;

Result<vault::KeyInfo> MemoryKeyStore::update(const vault::KeyId& id, const vault::KeyChange& change) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  Row* const row = find(id, false);
  if (row == nullptr) return missing(id);
  vault::KeyInfo info = row->stored.info;
  SIGNET_CHECK(change(info));
  row->stored.info = info;
  ++generation_;
  return info;
}

Result<std::vector<std::string>> MemoryKeyStore::users_of(std::string_view, std::string_view) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  return users;
}

Result<std::optional<vault::RotationPolicy>> MemoryKeyStore::rotation_policy(std::string_view vault,
                                                                             std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const auto known = rotation_policies_.find(to_lower(std::string(vault) + "/" + std::string(name)));
  return known == rotation_policies_.end() ? std::nullopt : std::optional(known->second);
}

Result<> MemoryKeyStore::put_rotation_policy(std::string_view vault, std::string_view name,
                                             const vault::RotationPolicy& policy) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  rotation_policies_.insert_or_assign(to_lower(std::string(vault) + "/" + std::string(name)), policy);
  return {};
}

Result<std::vector<vault::KeyInfo>> MemoryKeyStore::rotation_candidates() {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::KeyInfo> all;
  for (const Row& row : rows_) {
    const vault::KeyInfo& info = row.stored.info;
    const vault::KeyId name{info.id.vault, info.id.name, {}};
    const bool due_some_day =
        info.attributes.expires || rotation_policies_.contains(to_lower(to_string(name)));
    if (find(name, false) == &row && !info.managed && due_some_day) all.push_back(info);
  }
  return all;
}

Result<vault::VaultSettings> MemoryKeyStore::settings(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const auto known = settings_.find(to_lower(vault));
  return known == settings_.end() ? vault::VaultSettings() : known->second;
}

Result<> MemoryKeyStore::put_settings(std::string_view vault, const vault::VaultSettings& settings) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  settings_.insert_or_assign(to_lower(vault), settings);
  return {};
}

Result<std::vector<vault::AccessPolicy>> MemoryKeyStore::policies(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::AccessPolicy> all;
  for (const vault::AccessPolicy& policy : policies_)
    if (equal_ignoring_case(policy.vault, vault)) all.push_back(policy);
  return all;
}

Result<> MemoryKeyStore::put_policy(const vault::AccessPolicy& policy) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::erase_if(policies_, [&](const vault::AccessPolicy& known) {
    return equal_ignoring_case(known.vault, policy.vault) && known.principal == policy.principal;
  });
  if (!policy.grants_nothing()) policies_.push_back(policy);
  ++generation_;
  return {};
}

Result<std::optional<Bytes>> MemoryKeyStore::master_key_check() { return check_; }

Result<> MemoryKeyStore::change_master_key(const vault::MasterKeyChange& /*change*/,
                                           vault::Resealer& /*reseal*/) {
  return fail(ErrorKind::Unsupported, "a store in memory keeps its master key");
}

Result<> MemoryKeyStore::put_master_key_check(ByteView check) {
  check_ = Bytes(check.begin(), check.end());
  return {};
}

Result<std::uint64_t> MemoryKeyStore::generation() {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  return generation_;
}

Result<vault::SecretInfo> MemorySecretStore::update(const vault::SecretId& id,
                                                    const vault::SecretChange& change) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  Row* const row = find(id, false);
  if (row == nullptr) return missing(id);
  vault::SecretInfo info = row->stored.info;
  SIGNET_CHECK(change(info));
  row->stored.info = info;
  return info;
}

Result<> MemoryAuditLog::append(const vault::AuditRecord& record) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  records_.push_back(record);
  return {};
}

std::vector<vault::AuditRecord> MemoryAuditLog::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

vault::AuditRecord MemoryAuditLog::last() const {
  const std::lock_guard lock(mutex_);
  return records_.empty() ? vault::AuditRecord{} : records_.back();
}

std::vector<vault::KeyAtRest> MemoryKeyStore::at_rest() {
  const std::lock_guard lock(mutex_);
  std::vector<vault::KeyAtRest> rows;
  for (const Row& row : rows_)
    rows.push_back({row.stored.info.id, row.stored.info.public_key, row.stored.sealed});
  return rows;
}

}  // namespace signet::test
