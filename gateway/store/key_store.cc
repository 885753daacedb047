#include "gateway/store/key_store.h"

#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using vault::AccessPolicy;
using vault::KeyId;
using vault::KeyInfo;
using vault::StoredKey;

#define SIGNET_KEY_COLUMNS \
  "vault, name, version, kind, ops, enabled, not_before, expires, created, updated, public_key, tags"

Result<KeyInfo> read_info(const Query& row) {
  KeyInfo info;
  info.id = KeyId{row.text(0), row.text(1), row.text(2)};
  SIGNET_TRY(info.kind, vault::parse_key_kind(row.text(3)));
  SIGNET_TRY(info.ops, vault::parse_key_ops(row.text(4)));
  info.attributes.enabled = row.integer(5) != 0;
  info.attributes.not_before = row.optional_time(6);
  info.attributes.expires = row.optional_time(7);
  info.created = row.time(8);
  info.updated = row.time(9);
  info.public_key = row.bytes(10);
  SIGNET_TRY(info.tags, tags_of(row.text(11)));
  return info;
}

Result<std::vector<KeyInfo>> read_infos(Query& query) {
  std::vector<KeyInfo> infos;
  while (query.next()) {
    SIGNET_TRY(KeyInfo info, read_info(query));
    infos.push_back(std::move(info));
  }
  return infos;
}

Error no_key(const KeyId& id) {
  return Error{ErrorKind::NotFound, "there is no key " + printable(vault::to_string(id))};
}

}  // namespace

Result<> SqliteKeyStore::put_version(const StoredKey& key) {
  const KeyInfo& info = key.info;
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query insert(connection,
                 "INSERT INTO key_versions (" SIGNET_KEY_COLUMNS
                 ", sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.bind(info.id.vault, info.id.name, info.id.version, vault::to_string(info.kind),
                vault::to_string(info.ops), flag(info.attributes.enabled), info.attributes.not_before,
                info.attributes.expires, info.created, info.updated, info.public_key, to_column(info.tags),
                key.sealed);
    if (insert.run() == 0)
      return fail(ErrorKind::AlreadyExists,
                  "there is a key " + printable(vault::to_string(info.id)) + " already");
    count_key_change(connection);
    return {};
  });
}

Result<StoredKey> SqliteKeyStore::load(const KeyId& id) {
  return read_value<StoredKey>(*database_, [&](SqlConnection& connection) -> Result<StoredKey> {
    Query query(connection,
                "SELECT " SIGNET_KEY_COLUMNS
                ", sealed FROM key_versions WHERE vault = ?1 AND name = ?2 AND (?3 = '' OR version = ?3) "
                "ORDER BY sequence DESC LIMIT 1");
    if (!query.bind(id.vault, id.name, id.version).next()) return fail(no_key(id));
    StoredKey key;
    SIGNET_TRY(key.info, read_info(query));
    key.sealed = query.bytes(12);
    return key;
  });
}

Result<std::vector<KeyInfo>> SqliteKeyStore::list(std::string_view vault) {
  return read_value<std::vector<KeyInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(
        connection,
        "SELECT " SIGNET_KEY_COLUMNS
        " FROM key_versions AS key WHERE vault = ? AND sequence = (SELECT max(sequence) FROM "
        "key_versions AS other WHERE other.vault = key.vault AND other.name = key.name) ORDER BY name");
    query.bind(vault);
    return read_infos(query);
  });
}

Result<std::vector<KeyInfo>> SqliteKeyStore::versions(std::string_view vault, std::string_view name) {
  return read_value<std::vector<KeyInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection, "SELECT " SIGNET_KEY_COLUMNS
                            " FROM key_versions WHERE vault = ? AND name = ? ORDER BY sequence DESC");
    query.bind(vault, name);
    return read_infos(query);
  });
}

Result<> SqliteKeyStore::update(const KeyInfo& info) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query update(connection,
                 "UPDATE key_versions SET ops = ?, enabled = ?, not_before = ?, expires = ?, updated = ?, "
                 "tags = ? WHERE vault = ? AND name = ? AND version = ?");
    update.bind(vault::to_string(info.ops), flag(info.attributes.enabled), info.attributes.not_before,
                info.attributes.expires, info.updated, to_column(info.tags), info.id.vault, info.id.name,
                info.id.version);
    if (update.run() == 0) return fail(no_key(info.id));
    count_key_change(connection);
    return {};
  });
}

Result<std::vector<AccessPolicy>> SqliteKeyStore::policies(std::string_view vault) {
  using Policies = std::vector<AccessPolicy>;
  return read_value<Policies>(*database_, [&](SqlConnection& connection) -> Result<Policies> {
    Query query(
        connection,
        "SELECT vault, principal, keys, secrets FROM access_policies WHERE vault = ? ORDER BY principal");
    query.bind(vault);
    Policies policies;
    while (query.next()) {
      SIGNET_TRY(const vault::KeyPermissions keys, vault::parse_key_permissions(query.text(2)));
      SIGNET_TRY(const vault::SecretPermissions secrets, vault::parse_secret_permissions(query.text(3)));
      policies.push_back(AccessPolicy{query.text(0), vault::Principal{query.text(1)}, keys, secrets});
    }
    return policies;
  });
}

Result<> SqliteKeyStore::put_policy(const AccessPolicy& policy) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "DELETE FROM access_policies WHERE vault = ? AND principal = ?")
        .bind(policy.vault, policy.principal.name)
        .run();
    if (!policy.grants_nothing())
      Query(connection, "INSERT INTO access_policies (vault, principal, keys, secrets) VALUES (?, ?, ?, ?)")
          .bind(policy.vault, policy.principal.name, vault::to_string(policy.keys),
                vault::to_string(policy.secrets))
          .run();
    count_key_change(connection);
    return {};
  });
}

Result<std::optional<Bytes>> SqliteKeyStore::master_key_check() {
  using Check = std::optional<Bytes>;
  return read_value<Check>(*database_, [](SqlConnection& connection) -> Result<Check> {
    Query query(connection, "SELECT check_value FROM master_key");
    return query.next() ? Check(query.bytes(0)) : Check();
  });
}

Result<> SqliteKeyStore::put_master_key_check(ByteView check) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "INSERT OR REPLACE INTO master_key (only_row, check_value) VALUES (1, ?)")
        .bind(check)
        .run();
    return {};
  });
}

Result<std::uint64_t> SqliteKeyStore::generation() {
  SIGNET_TRY(const Generations generations, database_->generations());
  return generations.keys;
}

}  // namespace signet::gateway
