#include "tests/support/memory_key_store.h"

#include <algorithm>
#include <stdexcept>

namespace signet::test {
namespace {

bool same_key(const vault::KeyId& a, const vault::KeyId& b) {
  return equal_ignoring_case(a.vault, b.vault) && equal_ignoring_case(a.name, b.name);
}

}  // namespace

vault::StoredKey* MemoryKeyStore::find(const vault::KeyId& id) {
  const auto found = std::find_if(keys_.rbegin(), keys_.rend(), [&](const vault::StoredKey& key) {
    return same_key(key.info.id, id) && (id.version.empty() || id.version == key.info.id.version);
  });
  return found == keys_.rend() ? nullptr : &*found;
}

Result<> MemoryKeyStore::put_version(const vault::StoredKey& key) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  if (find(key.info.id) != nullptr) return fail(ErrorKind::AlreadyExists, "there is such a version");
  keys_.push_back(key);
  ++generation_;
  return {};
}

Result<vault::StoredKey> MemoryKeyStore::load(const vault::KeyId& id) {
  const std::lock_guard lock(mutex_);
  ++loads;
  if (failure) return fail(*failure);
  const vault::StoredKey* const key = find(id);
  if (key == nullptr) return fail(ErrorKind::NotFound, "there is no key '" + to_string(id) + "'");
  return *key;
}

Result<std::vector<vault::KeyInfo>> MemoryKeyStore::list(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::KeyInfo> all;
  for (const vault::StoredKey& key : keys_)
    if (equal_ignoring_case(key.info.id.vault, vault) &&
        find({key.info.id.vault, key.info.id.name, {}}) == &key)
      all.push_back(key.info);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id.name < b.id.name; });
  return all;
}

Result<std::vector<vault::KeyInfo>> MemoryKeyStore::versions(std::string_view vault, std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::KeyInfo> all;
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key)
    if (same_key(key->info.id, {std::string(vault), std::string(name), {}})) all.push_back(key->info);
  return all;
}

Result<> MemoryKeyStore::update(const vault::KeyInfo& info) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  vault::StoredKey* const key = find(info.id);
  if (key == nullptr) return fail(ErrorKind::NotFound, "there is no key '" + to_string(info.id) + "'");
  key->info.ops = info.ops;
  key->info.attributes = info.attributes;
  key->info.tags = info.tags;
  key->info.updated = info.updated;
  ++generation_;
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

Result<> MemoryKeyStore::put_master_key_check(ByteView check) {
  check_ = Bytes(check.begin(), check.end());
  return {};
}

Result<std::uint64_t> MemoryKeyStore::generation() {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  return generation_;
}

Bytes& MemoryKeyStore::sealed(const vault::KeyId& id) {
  const std::lock_guard lock(mutex_);
  vault::StoredKey* const key = find(id);
  if (key == nullptr) throw std::out_of_range("no such key");
  ++generation_;
  return key->sealed;
}

vault::StoredSecret* MemorySecretStore::find(const vault::SecretId& id) {
  const auto found = std::find_if(secrets_.rbegin(), secrets_.rend(), [&](const vault::StoredSecret& secret) {
    return same_key(secret.info.id, id) && (id.version.empty() || id.version == secret.info.id.version);
  });
  return found == secrets_.rend() ? nullptr : &*found;
}

Result<> MemorySecretStore::put_version(const vault::StoredSecret& secret) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  if (find(secret.info.id) != nullptr) return fail(ErrorKind::AlreadyExists, "there is such a version");
  secrets_.push_back(secret);
  return {};
}

Result<vault::StoredSecret> MemorySecretStore::load(const vault::SecretId& id) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const vault::StoredSecret* const secret = find(id);
  if (secret == nullptr) return fail(ErrorKind::NotFound, "there is no secret '" + to_string(id) + "'");
  return *secret;
}

Result<std::vector<vault::SecretInfo>> MemorySecretStore::list(std::string_view vault) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::SecretInfo> all;
  for (const vault::StoredSecret& secret : secrets_)
    if (equal_ignoring_case(secret.info.id.vault, vault) &&
        find({secret.info.id.vault, secret.info.id.name, {}}) == &secret)
      all.push_back(secret.info);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id.name < b.id.name; });
  return all;
}

Result<std::vector<vault::SecretInfo>> MemorySecretStore::versions(std::string_view vault,
                                                                   std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  std::vector<vault::SecretInfo> all;
  for (auto secret = secrets_.rbegin(); secret != secrets_.rend(); ++secret)
    if (same_key(secret->info.id, {std::string(vault), std::string(name), {}})) all.push_back(secret->info);
  return all;
}

Result<> MemorySecretStore::update(const vault::SecretInfo& info) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  vault::StoredSecret* const secret = find(info.id);
  if (secret == nullptr) return fail(ErrorKind::NotFound, "there is no secret '" + to_string(info.id) + "'");
  secret->info.settings = info.settings;
  secret->info.updated = info.updated;
  return {};
}

Result<> MemorySecretStore::remove(std::string_view vault, std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (failure) return fail(*failure);
  const vault::SecretId id{std::string(vault), std::string(name), {}};
  if (std::erase_if(secrets_, [&](const auto& secret) { return same_key(secret.info.id, id); }) == 0)
    return fail(ErrorKind::NotFound, "there is no secret '" + to_string(id) + "'");
  return {};
}

Bytes& MemorySecretStore::sealed(const vault::SecretId& id) {
  const std::lock_guard lock(mutex_);
  vault::StoredSecret* const secret = find(id);
  if (secret == nullptr) throw std::out_of_range("no such secret");
  return secret->sealed;
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

}  // namespace signet::test
