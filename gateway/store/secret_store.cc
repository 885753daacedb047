#include "gateway/store/secret_store.h"

#include "gateway/store/recoverable_rows_internal.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/vault_rows_internal.h"

namespace signet::gateway {
namespace {

using vault::SecretId;
using vault::SecretInfo;
using vault::StoredSecret;

#define SIGNET_SECRET_COLUMNS \
  "vault, name, version, content_type, enabled, not_before, expires, created, updated, tags, managed"

Result<SecretInfo> read_secret_info(const Query& row) {
  SecretInfo info;
  info.id = SecretId{row.text(0), row.text(1), row.text(2)};
  info.settings.content_type = row.text(3);
  info.settings.attributes.enabled = row.integer(4) != 0;
  info.settings.attributes.not_before = row.optional_time(5);
  info.settings.attributes.expires = row.optional_time(6);
  info.created = row.time(7);
  info.updated = row.time(8);
  SIGNET_TRY(info.settings.tags, tags_of(row.text(9)));
  info.managed = row.integer(10) != 0;
  return info;
}

Result<std::vector<SecretInfo>> read_secret_infos(Query& query) {
  std::vector<SecretInfo> infos;
  while (query.next()) {
    SIGNET_TRY(SecretInfo info, read_secret_info(query));
    infos.push_back(std::move(info));
  }
  return infos;
}

Error no_secret(const SecretId& id) {
  return Error{ErrorKind::NotFound, "there is no secret " + printable(vault::to_string(id))};
}

struct SecretRows {
  SIGNET_RECOVERABLE_SQL("secret_versions", SIGNET_SECRET_COLUMNS);
  using Stored = StoredSecret;
  using Info = SecretInfo;
  static constexpr int kColumns = 11;
  static constexpr std::string_view kWhat = "secret";
  static Result<Info> read(const Query& row) { return read_secret_info(row); }
  static Result<> insert(SqlConnection& connection, const Stored& secret);
  static void changed(SqlConnection&) {}  // nobody holds secrets between two uses
  static void purged(SqlConnection&, std::string_view, std::string_view) {}
};

Result<> SecretRows::insert(SqlConnection& connection, const StoredSecret& secret) {
  const SecretInfo& info = secret.info;
  const vault::SecretAttributes& attributes = info.settings.attributes;
  SIGNET_CHECK(check_seal(connection, secret.sealed));
  Query insert(connection, "INSERT INTO secret_versions (" SIGNET_SECRET_COLUMNS
                           ", sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind(info.id.vault, info.id.name, info.id.version, info.settings.content_type,
              flag(attributes.enabled), attributes.not_before, attributes.expires, info.created, info.updated,
              to_column(info.settings.tags), flag(info.managed), secret.sealed);
  if (insert.run() == 1) return {};
  return fail(ErrorKind::AlreadyExists,
              "there is a secret " + printable(vault::to_string(info.id)) + " already");
}

}  // namespace

Result<> put_secret_version(SqlConnection& connection, const StoredSecret& secret) {
  SIGNET_CHECK(check_takes_version<SecretRows>(connection, secret.info));
  return SecretRows::insert(connection, secret);
}

Result<> SqliteSecretStore::put_version(const StoredSecret& secret) {
  return database_->write([&](SqlConnection& connection) { return put_secret_version(connection, secret); });
}

Result<StoredSecret> SqliteSecretStore::load(const SecretId& id) {
  return read_value<StoredSecret>(*database_, [&](SqlConnection& connection) -> Result<StoredSecret> {
    Query query(connection,
                "SELECT " SIGNET_SECRET_COLUMNS
                ", sealed FROM secret_versions WHERE vault = ?1 AND name = ?2 AND (?3 = '' OR version = ?3) "
                "AND deleted IS NULL "
                "ORDER BY sequence DESC LIMIT 1");
    if (!query.bind(id.vault, id.name, id.version).next()) return fail(no_secret(id));
    SIGNET_TRY(SecretInfo info, read_secret_info(query));
    return StoredSecret{std::move(info), query.bytes(11)};
  });
}

Result<std::vector<SecretInfo>> SqliteSecretStore::list(std::string_view vault) {
  return read_value<std::vector<SecretInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(connection,
                "SELECT " SIGNET_SECRET_COLUMNS
                " FROM secret_versions AS secret WHERE vault = ? AND deleted IS NULL AND sequence = (SELECT "
                "max(sequence) FROM secret_versions AS other WHERE other.vault = secret.vault "
                "AND other.name = secret.name) ORDER BY name");
    query.bind(vault);
    return read_secret_infos(query);
  });
}

Result<std::vector<SecretInfo>> SqliteSecretStore::versions(std::string_view vault, std::string_view name) {
  return read_value<std::vector<SecretInfo>>(*database_, [&](SqlConnection& connection) {
    Query query(
        connection,
        "SELECT " SIGNET_SECRET_COLUMNS
        " FROM secret_versions WHERE vault = ? AND name = ? AND deleted IS NULL ORDER BY sequence DESC");
    query.bind(vault, name);
    return read_secret_infos(query);
  });
}

Result<SecretInfo> SqliteSecretStore::update(const SecretId& id, const vault::SecretChange& change) {
  SecretInfo info;
  const auto change_row = [&](SqlConnection& connection) -> Result<> {
    Query find(connection,
               "SELECT " SIGNET_SECRET_COLUMNS
               " FROM secret_versions WHERE vault = ? AND name = ? AND version = ? AND deleted IS NULL");
    if (!find.bind(id.vault, id.name, id.version).next()) return fail(no_secret(id));
    SIGNET_TRY(info, read_secret_info(find));
    SIGNET_CHECK(change(info));
    const vault::SecretAttributes& attributes = info.settings.attributes;
    Query update(connection,
                 "UPDATE secret_versions SET content_type = ?, enabled = ?, not_before = ?, expires = ?, "
                 "updated = ?, tags = ? WHERE vault = ? AND name = ? AND version = ?");
    update
        .bind(info.settings.content_type, flag(attributes.enabled), attributes.not_before, attributes.expires,
              info.updated, to_column(info.settings.tags), id.vault, id.name, id.version)
        .run();
    return {};
  };
  SIGNET_CHECK(database_->write(change_row));
  return info;
}

Result<> SqliteSecretStore::soft_delete(std::string_view vault, std::string_view name,
                                        const vault::Deletion& deletion) {
  return soft_delete_rows<SecretRows>(*database_, vault, name, deletion);
}

Result<std::vector<vault::DeletedSecret>> SqliteSecretStore::list_deleted(std::string_view vault) {
  return list_deleted_rows<SecretRows>(*database_, vault);
}

Result<vault::DeletedSecret> SqliteSecretStore::load_deleted(std::string_view vault, std::string_view name) {
  return load_deleted_row<SecretRows>(*database_, vault, name);
}

Result<std::vector<vault::DeletedSecret>> SqliteSecretStore::overdue(Time now) {
  return overdue_rows<SecretRows>(*database_, now);
}

Result<> SqliteSecretStore::recover(std::string_view vault, std::string_view name) {
  return recover_rows<SecretRows>(*database_, vault, name);
}

Result<> SqliteSecretStore::purge(std::string_view vault, std::string_view name,
                                  const vault::Deletion& deletion) {
  return purge_rows<SecretRows>(*database_, vault, name, deletion);
}

Result<std::vector<StoredSecret>> load_secret_versions(SqlConnection& connection, std::string_view vault,
                                                       std::string_view name) {
  return load_all_rows<SecretRows>(connection, vault, name);
}

Result<std::vector<StoredSecret>> SqliteSecretStore::load_all(std::string_view vault, std::string_view name) {
  return read_value<std::vector<StoredSecret>>(
      *database_, [&](SqlConnection& connection) { return load_secret_versions(connection, vault, name); });
}

Result<> SqliteSecretStore::put_all(const std::vector<StoredSecret>& versions) {
  return put_all_rows<SecretRows>(*database_, versions);
}

}  // namespace signet::gateway
