#include "gateway/store/key_store.h"

#include <fmt/format.h>

#include "gateway/store/recoverable_rows_internal.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using vault::AccessPolicy;
using vault::KeyId;
using vault::KeyInfo;
using vault::RotationPolicy;
using vault::StoredKey;
using vault::VaultSettings;

#define SIGNET_KEY_COLUMNS                                                                              \
  "vault, name, version, kind, ops, enabled, not_before, expires, created, updated, public_key, tags, " \
  "managed, in_token"

Result<KeyInfo> read_key_info(const Query& row) {
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
  info.managed = row.integer(12) != 0;
  info.in_token = row.integer(13) != 0;
  return info;
}

Result<std::vector<KeyInfo>> read_key_infos(Query& query) {
  std::vector<KeyInfo> infos;
  while (query.next()) {
    SIGNET_TRY(KeyInfo info, read_key_info(query));
    infos.push_back(std::move(info));
  }
  return infos;
}

/// What `parse` reads in a column that may be NULL.
template <class Parse>
auto optional_in(const Query& row, int column, Parse parse)
    -> Result<std::optional<typename std::invoke_result_t<Parse, std::string_view>::value_type>> {
  if (row.is_null(column)) return std::nullopt;
  SIGNET_TRY(auto value, parse(row.text(column)));
  return std::optional(std::move(value));
}

template <class Value>
std::optional<std::string> text_of(const std::optional<Value>& value) {
  return value ? std::optional(vault::to_string(*value)) : std::nullopt;
}

Error no_key(const KeyId& id) {
  return Error{ErrorKind::NotFound, "there is no key " + printable(vault::to_string(id))};
}

struct KeyRows {
  SIGNET_RECOVERABLE_SQL("key_versions", SIGNET_KEY_COLUMNS);
  using Stored = StoredKey;
  using Info = KeyInfo;
  static constexpr int kColumns = 14;
  static constexpr std::string_view kWhat = "key";
  static Result<Info> read(const Query& row) { return read_key_info(row); }
  static Result<> insert(SqlConnection& connection, const Stored& key);
  static void changed(SqlConnection& connection) { count_key_change(connection); }
  static void purged(SqlConnection& connection, std::string_view vault, std::string_view name) {
    Query(connection, "DELETE FROM rotation_policies WHERE vault = ? AND name = ?").bind(vault, name).run();
  }
};

Result<> KeyRows::insert(SqlConnection& connection, const StoredKey& key) {
  const KeyInfo& info = key.info;
  SIGNET_CHECK(check_seal(connection, key.sealed));
  SIGNET_CHECK(check_place_of_key(connection, info.id.vault, info.in_token));
  Query insert(connection,
               "INSERT INTO key_versions (" SIGNET_KEY_COLUMNS
               ", sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind(info.id.vault, info.id.name, info.id.version, vault::to_string(info.kind),
              vault::to_string(info.ops), flag(info.attributes.enabled), info.attributes.not_before,
              info.attributes.expires, info.created, info.updated, info.public_key, to_column(info.tags),
              flag(info.managed), flag(info.in_token), key.sealed);
  if (insert.run() == 1) return {};
  return fail(ErrorKind::AlreadyExists,
              "there is a key " + printable(vault::to_string(info.id)) + " already");
}

}  // namespace

Result<> check_place_of_key(SqlConnection& connection, std::string_view vault, bool in_token) {
  Query token(connection, "SELECT 1 FROM vault_tokens WHERE vault = ?");
  if (token.bind(vault).next() == in_token) return {};
  return fail(
      ErrorKind::Unavailable,
      fmt::format("where the keys of key vault {} are was changed meanwhile: try again", printable(vault)));
}

Result<> put_key_version(SqlConnection& connection, const StoredKey& key) {
  SIGNET_CHECK(check_takes_version<KeyRows>(connection, key.info));
  SIGNET_CHECK(KeyRows::insert(connection, key));
  count_key_change(connection);
  return {};
}

Result<> SqliteKeyStore::put_version(const StoredKey& key) {
  return database_->write([&](SqlConnection& connection) { return put_key_version(connection, key); });
}

Result<StoredKey> SqliteKeyStore::load(const KeyId& id) {
  return read_value<StoredKey>(*database_, [&](SqlConnection& connection) -> Result<StoredKey> {
    Query query(connection,
                "SELECT " SIGNET_KEY_COLUMNS
                ", sealed FROM key_versions WHERE vault = ?1 AND name = ?2 AND (?3 = '' OR version = ?3) "
                "AND deleted IS NULL "
                "ORDER BY sequence DESC LIMIT 1");
    if (!query.bind(id.vault, id.name, id.version).next()) return fail(no_key(id));
    StoredKey key;
    SIGNET_TRY(key.info, read_key_info(query));
    key.sealed = query.bytes(14);
    return key;
  });
}

Result<std::vector<KeyInfo>> SqliteKeyStore::list(std::string_view vault) {
  return read_value<std::vector<KeyInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(
        connection,
        "SELECT " SIGNET_KEY_COLUMNS
        " FROM key_versions AS key WHERE vault = ? AND deleted IS NULL AND sequence = (SELECT max(sequence) "
        "FROM "
        "key_versions AS other WHERE other.vault = key.vault AND other.name = key.name) ORDER BY name");
    query.bind(vault);
    return read_key_infos(query);
  });
}

Result<std::vector<KeyInfo>> SqliteKeyStore::versions(std::string_view vault, std::string_view name) {
  return read_value<std::vector<KeyInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_KEY_COLUMNS
                " FROM key_versions WHERE vault = ? AND name = ? AND deleted IS NULL ORDER BY sequence DESC");
    query.bind(vault, name);
    return read_key_infos(query);
  });
}

Result<KeyInfo> SqliteKeyStore::update(const KeyId& id, const vault::KeyChange& change) {
  KeyInfo info;
  const auto change_row = [&](SqlConnection& connection) -> Result<> {
    Query find(connection,
               "SELECT " SIGNET_KEY_COLUMNS
               " FROM key_versions WHERE vault = ? AND name = ? AND version = ? AND deleted IS NULL");
    if (!find.bind(id.vault, id.name, id.version).next()) return fail(no_key(id));
    SIGNET_TRY(info, read_key_info(find));
    SIGNET_CHECK(change(info));
    Query update(connection,
                 "UPDATE key_versions SET ops = ?, enabled = ?, not_before = ?, expires = ?, updated = ?, "
                 "tags = ? WHERE vault = ? AND name = ? AND version = ?");
    update
        .bind(vault::to_string(info.ops), flag(info.attributes.enabled), info.attributes.not_before,
              info.attributes.expires, info.updated, to_column(info.tags), id.vault, id.name, id.version)
        .run();
    count_key_change(connection);
    return {};
  };
  SIGNET_CHECK(database_->write(change_row));
  return info;
}

Result<> SqliteKeyStore::soft_delete(std::string_view vault, std::string_view name,
                                     const vault::Deletion& deletion) {
  return soft_delete_rows<KeyRows>(*database_, vault, name, deletion);
}

Result<std::vector<vault::DeletedKey>> SqliteKeyStore::list_deleted(std::string_view vault) {
  return list_deleted_rows<KeyRows>(*database_, vault);
}

Result<vault::DeletedKey> SqliteKeyStore::load_deleted(std::string_view vault, std::string_view name) {
  return load_deleted_row<KeyRows>(*database_, vault, name);
}

Result<std::vector<vault::DeletedKey>> SqliteKeyStore::overdue(Time now) {
  return overdue_rows<KeyRows>(*database_, now);
}

Result<> SqliteKeyStore::recover(std::string_view vault, std::string_view name) {
  return recover_rows<KeyRows>(*database_, vault, name);
}

Result<> SqliteKeyStore::purge(std::string_view vault, std::string_view name,
                               const vault::Deletion& deletion) {
  return purge_rows<KeyRows>(*database_, vault, name, deletion);
}

Result<std::vector<StoredKey>> load_key_versions(SqlConnection& connection, std::string_view vault,
                                                 std::string_view name) {
  return load_all_rows<KeyRows>(connection, vault, name);
}

Result<std::vector<StoredKey>> SqliteKeyStore::load_all(std::string_view vault, std::string_view name) {
  return read_value<std::vector<StoredKey>>(
      *database_, [&](SqlConnection& connection) { return load_key_versions(connection, vault, name); });
}

Result<> SqliteKeyStore::put_all(const std::vector<StoredKey>& versions) {
  return put_all_rows<KeyRows>(*database_, versions);
}

Result<std::vector<std::string>> SqliteKeyStore::users_of(std::string_view vault, std::string_view name) {
  using Users = std::vector<std::string>;
  return read_value<Users>(*database_, [&](SqlConnection& connection) -> Result<Users> {
    Query query(connection,
                "SELECT name FROM certificates WHERE key_vault = ? COLLATE NOCASE AND key_name = ? COLLATE "
                "NOCASE ORDER BY position");
    query.bind(vault, name);
    Users users;
    while (query.next()) users.push_back(fmt::format("certificate '{}'", printable(query.text(0))));
    // Not even an issuer that has ended: a list of its revocations may be asked for still.
    Query issuers(
        connection,
        "SELECT group_name FROM authority_issuers WHERE key_vault = ?1 AND key_name = ?2 UNION SELECT "
        "group_name FROM authority_issuer_requests WHERE key_vault = ?1 AND key_name = ?2");
    issuers.bind(vault, name);
    while (issuers.next())
      users.push_back(fmt::format("the issuer of certificate group '{}'", printable(issuers.text(0))));
    return users;
  });
}

Result<bool> SqliteKeyStore::is_issuers(std::string_view vault, std::string_view name) {
  return read_value<bool>(*database_, [&](SqlConnection& connection) -> Result<bool> {
    // By the group too: what is signed before its issuer is there would be the issuer's afterwards.
    Query query(connection,
                "SELECT 1 FROM authority_issuers WHERE key_vault = ?1 AND key_name = ?2 UNION ALL SELECT 1 "
                "FROM authority_issuer_requests WHERE key_vault = ?1 AND key_name = ?2 UNION ALL SELECT 1 "
                "FROM authority_groups WHERE key_vault = ?1 AND ?3 || name = ?2 COLLATE NOCASE LIMIT 1");
    return query.bind(vault, name, vault::kIssuerKeyPrefix).next();
  });
}

Result<std::optional<RotationPolicy>> SqliteKeyStore::rotation_policy(std::string_view vault,
                                                                      std::string_view name) {
  using Policy = std::optional<RotationPolicy>;
  return read_value<Policy>(*database_, [&](SqlConnection& connection) -> Result<Policy> {
    Query query(connection,
                "SELECT expiry_time, rotate, notify, created, updated FROM rotation_policies WHERE vault = ? "
                "AND name = ?");
    if (!query.bind(vault, name).next()) return Policy();
    RotationPolicy policy;
    SIGNET_TRY(policy.expiry_time, optional_in(query, 0, vault::parse_period));
    SIGNET_TRY(policy.rotate, optional_in(query, 1, vault::parse_rotation_trigger));
    SIGNET_TRY(policy.notify, optional_in(query, 2, vault::parse_rotation_trigger));
    policy.created = query.time(3);
    policy.updated = query.time(4);
    return Policy(std::move(policy));
  });
}

Result<> SqliteKeyStore::put_rotation_policy(std::string_view vault, std::string_view name,
                                             const RotationPolicy& policy) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query put(
        connection,
        "INSERT OR REPLACE INTO rotation_policies (vault, name, expiry_time, rotate, notify, created, "
        "updated) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM key_versions WHERE vault "
        "= ?1 AND name = ?2 AND deleted IS NULL AND managed = 0)");
    put.bind(vault, name, text_of(policy.expiry_time), text_of(policy.rotate), text_of(policy.notify),
             policy.created, policy.updated);
    if (put.run() == 0) return fail(no_key({std::string(vault), std::string(name), {}}));
    return {};
  });
}

Result<std::vector<KeyInfo>> SqliteKeyStore::rotation_candidates() {
  return read_value<std::vector<KeyInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection, "SELECT " SIGNET_KEY_COLUMNS
                            " FROM key_versions AS key WHERE deleted IS NULL AND managed = 0" SIGNET_VAULT_IN_USE(
                                "key.vault") " AND (expires IS "
                            "NOT NULL OR EXISTS (SELECT 1 FROM rotation_policies AS policy "
                            "WHERE policy.vault = key.vault AND policy.name = key.name)) AND sequence = "
                            "(SELECT max(sequence) FROM "
                            "key_versions AS other WHERE other.vault = key.vault AND other.name = key.name) "
                            "ORDER BY vault, name");
    return read_key_infos(query);
  });
}

Result<VaultSettings> SqliteKeyStore::settings(std::string_view vault) {
  return read_value<VaultSettings>(*database_, [&](SqlConnection& connection) -> Result<VaultSettings> {
    Query query(connection, "SELECT retention_days, purge_protection FROM vault_settings WHERE vault = ?");
    if (!query.bind(vault).next()) return VaultSettings();
    return VaultSettings{static_cast<int>(query.integer(0)), query.integer(1) != 0};
  });
}

Result<> SqliteKeyStore::put_settings(std::string_view vault, const VaultSettings& settings) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_linked(connection, vault));
    SIGNET_CHECK(check_vault_in_use(connection, vault));
    Query(connection,
          "INSERT INTO vault_settings (vault, retention_days, purge_protection) VALUES (?, ?, ?) ON CONFLICT "
          "(vault) DO UPDATE SET retention_days = excluded.retention_days, purge_protection = "
          "excluded.purge_protection")
        .bind(vault, std::int64_t{settings.retention_days}, flag(settings.purge_protection))
        .run();
    return {};
  });
}

Result<std::vector<AccessPolicy>> SqliteKeyStore::policies(std::string_view vault) {
  using Policies = std::vector<AccessPolicy>;
  return read_value<Policies>(*database_, [&](SqlConnection& connection) -> Result<Policies> {
    Query query(
        connection,
        "SELECT vault, principal, keys, secrets, certificates FROM access_policies WHERE vault = ? AND "
        "set_aside = 0 ORDER BY principal");
    query.bind(vault);
    Policies policies;
    while (query.next()) {
      SIGNET_TRY(const vault::KeyPermissions keys, vault::parse_key_permissions(query.text(2)));
      SIGNET_TRY(const vault::SecretPermissions secrets, vault::parse_secret_permissions(query.text(3)));
      SIGNET_TRY(const vault::CertificatePermissions certificates,
                 vault::parse_certificate_permissions(query.text(4)));
      policies.push_back(
          AccessPolicy{query.text(0), vault::Principal{query.text(1)}, keys, secrets, certificates});
    }
    return policies;
  });
}

Result<> SqliteKeyStore::put_policy(const AccessPolicy& policy) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_CHECK(check_not_linked(connection, policy.vault));
    SIGNET_CHECK(check_vault_in_use(connection, policy.vault));
    Query(connection, "DELETE FROM access_policies WHERE vault = ? AND principal = ?")
        .bind(policy.vault, policy.principal.name)
        .run();
    if (!policy.grants_nothing())
      Query(connection,
            "INSERT INTO access_policies (vault, principal, keys, secrets, certificates) VALUES (?, ?, ?, ?, "
            "?)")
          .bind(policy.vault, policy.principal.name, vault::to_string(policy.keys),
                vault::to_string(policy.secrets), vault::to_string(policy.certificates))
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
