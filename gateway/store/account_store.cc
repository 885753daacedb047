#include "gateway/store/account_store.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "agreements/diff.h"
#include "agreements/xml.h"
#include "gateway/store/certificate_rows_internal.h"

namespace signet::gateway {
namespace {

using agreements::Account;
using agreements::CertificateEntry;
using agreements::Metadata;
using Json = nlohmann::ordered_json;

/// A JSON object's members as notes; anything else that a certificate's uploader gave as one note.
Metadata notes_in(const std::string& text) {
  if (text.empty()) return {};
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {{"metadata", text}};
  Metadata notes;
  for (const auto& [name, value] : json.items())
    notes.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
  return notes;
}

std::string json_of(const Metadata& notes) {
  if (notes.empty()) return {};
  Json json = Json::object();
  for (const auto& note : notes) json[note.name] = note.value;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CertificateEntry entry_of(CertificateRow row) {
  CertificateEntry entry;
  entry.name = std::move(row.name);
  entry.public_certificate = std::move(row.der);
  if (row.key)
    entry.key = agreements::KeyReference{row.key->key_vault, row.key->key_name, row.key->key_version};
  entry.metadata = notes_in(row.metadata);
  return entry;
}

CertificateRow row_of(const CertificateEntry& entry, Time now) {
  CertificateRow row{entry.name, entry.public_certificate, std::nullopt, now, now, json_of(entry.metadata)};
  if (entry.key)
    row.key = certstore::KeyReference{entry.key->key_vault, entry.key->key_name, entry.key->key_version};
  return row;
}

/// Writes the rows anew in their new order; what did not change keeps its times and its metadata as they were
/// given.
void replace_certificates(SqlConnection& connection, const std::vector<CertificateEntry>& entries, Time now) {
  std::map<std::string, CertificateRow> before;
  for (CertificateRow& row : read_certificates(connection)) before.emplace(row.name, row);
  remove_all_certificates(connection);
  for (const CertificateEntry& entry : entries) {
    CertificateRow row = row_of(entry, now);
    if (const auto found = before.find(entry.name); found != before.end()) {
      if (entry_of(found->second) == entry)
        row = found->second;
      else
        row.created = found->second.created;
    }
    write_certificate(connection, row);
  }
}

Result<Account> parse(const std::string& xml) {
  if (xml.empty()) return Account{};
  agreements::ParseOutcome outcome = agreements::parse_account(xml);
  if (outcome.account) return *std::move(outcome.account);
  return fail(
      ErrorKind::InvalidInput,
      fmt::format(
          "the stored account cannot be read; apply the account's XML again or restore a backup ({})",
          outcome.problems.empty() ? "no reason given" : agreements::to_string(outcome.problems.front())));
}

Account without_certificates(const Account& account) {
  Account rest;
  rest.partners = account.partners;
  rest.agreements = account.agreements;
  return rest;
}

std::string stored_xml(SqlConnection& connection) {
  Query row(connection, "SELECT xml FROM account");
  return row.next() ? row.text(0) : std::string();
}

/// Certificates have their times in their rows.
void keep_times(SqlConnection& connection, const Account& before, const Account& after, Time now) {
  for (const agreements::EntryChange& entry : agreements::diff(before, after)) {
    if (entry.change == agreements::ChangeKind::Removed)
      Query(connection, "DELETE FROM entry_times WHERE kind = ? AND name = ?")
          .bind(to_string(entry.kind), entry.name)
          .run();
    else
      Query(connection,
            "INSERT INTO entry_times (kind, name, created, changed) VALUES (?1, ?2, ?3, ?3) "
            "ON CONFLICT DO UPDATE SET changed = ?3")
          .bind(to_string(entry.kind), entry.name, now)
          .run();
  }
}

struct Rows {
  std::string xml;  ///< empty before the first account
  std::vector<CertificateRow> certificates;
  std::uint64_t generation = 0;
};

}  // namespace

Result<agreements::StoredAccount> SqliteAccountStore::load() {
  SIGNET_TRY(Rows rows, read_value<Rows>(*database_, [](SqlConnection& connection) -> Result<Rows> {
               SIGNET_TRY(const Generations generations, read_generations(connection));
               return Rows{stored_xml(connection), read_certificates(connection), generations.account};
             }));
  SIGNET_TRY(Account account, parse(rows.xml));
  account.agreements.shrink_to_fit();  // it is kept for long
  account.certificates.reserve(rows.certificates.size());
  for (CertificateRow& row : rows.certificates) account.certificates.push_back(entry_of(std::move(row)));
  return agreements::StoredAccount{std::move(account), rows.generation};
}

Result<std::uint64_t> SqliteAccountStore::replace(const Account& account, std::uint64_t expected_generation) {
  const Account rest = without_certificates(account);
  const std::string xml = agreements::write_account(rest);
  SIGNET_CHECK(database_->write([&](SqlConnection& connection) -> Result<> {
    SIGNET_TRY(const Generations generations, read_generations(connection));
    if (generations.account != expected_generation)
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("somebody else changed the account in the meantime (it is at generation {}, and {} was "
                      "expected); look at it again and repeat",
                      generations.account, expected_generation));
    const Time now = clock_.now();
    // An account that can no longer be read is replaced all the same.
    keep_times(connection, parse(stored_xml(connection)).value_or(Account{}), rest, now);
    Query(connection, "INSERT OR REPLACE INTO account (only_row, xml) VALUES (1, ?)").bind(xml).run();
    replace_certificates(connection, account.certificates, now);
    count_account_change(connection);
    return {};
  }));
  return expected_generation + 1;
}

Result<agreements::TimesByName> SqliteAccountStore::times(agreements::EntryKind kind) {
  using agreements::TimesByName;
  return read_value<TimesByName>(*database_, [&](SqlConnection& connection) -> Result<TimesByName> {
    TimesByName times;
    if (kind == agreements::EntryKind::Certificate) {
      for (const CertificateRow& row : read_certificates(connection))
        times.emplace(row.name, agreements::EntryTimes{row.created, row.changed});
      return times;
    }
    Query query(connection, "SELECT name, created, changed FROM entry_times WHERE kind = ?");
    query.bind(to_string(kind));
    while (query.next()) times.emplace(query.text(0), agreements::EntryTimes{query.time(1), query.time(2)});
    return times;
  });
}

}  // namespace signet::gateway
