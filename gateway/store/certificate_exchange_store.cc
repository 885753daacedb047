#include "gateway/store/certificate_exchange_store.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/failpoint.h"
#include "gateway/store/certificate_exchange_rows_internal.h"
#include "gateway/store/sql_internal.h"

namespace signet::gateway {
namespace {

using Records = std::vector<CertificateExchangeRecord>;

#define SIGNET_EXCHANGE_COLUMNS                                                                        \
  "id, origin, agreement, request_id, usages, certificate, thumbprint, message, respond_by, created, " \
  "created_by, state, decided, decided_by, reason, name, use_from, retire_at, response, settled, told"

ExchangeState state_of(std::string_view word) {
  if (word == to_string(ExchangeState::Accepted)) return ExchangeState::Accepted;
  return word == to_string(ExchangeState::Rejected) ? ExchangeState::Rejected : ExchangeState::Waiting;
}

CertificateExchangeRecord record_of(const Query& row) {
  CertificateExchangeRecord record;
  record.id = row.text(0);
  record.origin = row.text(1) == to_string(ExchangeOrigin::Us) ? ExchangeOrigin::Us : ExchangeOrigin::Partner;
  record.agreement = row.text(2);
  record.request_id = row.text(3);
  record.usages = row.text(4);
  record.certificate = row.bytes(5);
  record.thumbprint = row.text(6);
  record.message = row.text(7);
  record.respond_by = row.optional_time(8);
  record.created = row.time(9);
  record.created_by = row.text(10);
  record.state = state_of(row.text(11));
  record.decided = row.optional_time(12);
  record.decided_by = row.text(13);
  record.reason = row.text(14);
  record.terms = {row.text(15), row.time(16), row.time(17)};
  record.response = row.text(18);
  record.settled = row.integer(19) != 0;
  record.told = row.text(20);
  return record;
}

Records records_of(Query& query) {
  Records records;
  while (query.next()) records.push_back(record_of(query));
  return records;
}

void insert(SqlConnection& connection, const CertificateExchangeRecord& r) {
  Query(connection,
        "INSERT INTO certificate_exchanges (" SIGNET_EXCHANGE_COLUMNS
        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(r.id, to_string(r.origin), r.agreement, r.request_id, r.usages, r.certificate, r.thumbprint,
            r.message, r.respond_by, r.created, r.created_by, to_string(r.state), r.decided, r.decided_by,
            r.reason, r.terms.name, r.terms.use_from, r.terms.retire_at, r.response, flag(r.settled), r.told)
      .run();
}

constexpr std::size_t kShortestId = 8;

}  // namespace

void take_exchanges(SqlConnection& connection, const InboundCommit& commit) {
  for (const CertificateExchangeRecord& record : commit.announced) insert(connection, record);
  for (const ExchangeAnswer& answer : commit.answers)
    Query(connection,
          "UPDATE certificate_exchanges SET state = ?, decided = ?, reason = ?, response = ?, settled = 0 "
          "WHERE id = ? AND state = 'waiting'")
        .bind(to_string(answer.state), answer.time, answer.reason, answer.response, answer.id)
        .run();
  keep_features(connection, commit.record.agreement, commit.features);
}

void keep_features(SqlConnection& connection, std::string_view agreement, std::string_view features) {
  if (features.empty() || agreement.empty()) return;
  Query(connection,
        "INSERT INTO partner_features (agreement, features) VALUES (?, ?) ON CONFLICT (agreement) DO UPDATE "
        "SET features = excluded.features WHERE features <> excluded.features")
      .bind(agreement, features)
      .run();
}

std::string features_in(const StoredReceipt& answer) {
  constexpr std::size_t kLongest = 1000;
  for (const auto& [name, value] : answer.headers)
    if (equal_ignoring_case(name, "EDIINT-Features")) return printable(value, kLongest);
  return "";
}

Result<Records> SqliteCertificateExchangeStore::list() {
  return read_value<Records>(*database_, [](SqlConnection& connection) -> Result<Records> {
    Query query(connection,
                "SELECT " SIGNET_EXCHANGE_COLUMNS " FROM certificate_exchanges ORDER BY sequence DESC");
    return records_of(query);
  });
}

Result<CertificateExchangeRecord> SqliteCertificateExchangeStore::find(std::string_view id) {
  const auto none = [&] {
    return fail(
        ErrorKind::NotFound,
        fmt::format("no certificate was exchanged under the id '{}'; 'signet cem list' shows those that were",
                    printable(id)));
  };
  if (id.size() < kShortestId) return none();
  SIGNET_TRY(
      Records found, read_value<Records>(*database_, [&](SqlConnection& connection) -> Result<Records> {
        Query query(connection, "SELECT " SIGNET_EXCHANGE_COLUMNS
                                " FROM certificate_exchanges WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2");
        query.bind(id);
        return records_of(query);
      }));
  if (found.empty()) return none();
  if (found.size() > 1)
    return fail(ErrorKind::InvalidInput,
                fmt::format("several ids begin with '{}': give more of it", printable(id)));
  return std::move(found.front());
}

Result<Records> SqliteCertificateExchangeStore::of_request(ExchangeOrigin origin, std::string_view agreement,
                                                           std::string_view request_id) {
  return read_value<Records>(*database_, [&](SqlConnection& connection) -> Result<Records> {
    Query query(connection,
                "SELECT " SIGNET_EXCHANGE_COLUMNS
                " FROM certificate_exchanges WHERE origin = ? AND agreement = ? AND request_id = ? "
                "ORDER BY sequence");
    query.bind(to_string(origin), agreement, request_id);
    return records_of(query);
  });
}

Result<Records> SqliteCertificateExchangeStore::open() {
  return read_value<Records>(*database_, [](SqlConnection& connection) -> Result<Records> {
    Query query(connection, "SELECT " SIGNET_EXCHANGE_COLUMNS
                            " FROM certificate_exchanges WHERE settled = 0 ORDER BY sequence");
    return records_of(query);
  });
}

Result<> SqliteCertificateExchangeStore::add(const CertificateExchangeRecord& record) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    insert(connection, record);
    return {};
  });
}

Result<> SqliteCertificateExchangeStore::decide(const CertificateExchangeRecord& r) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    const int changed =
        Query(
            connection,
            "UPDATE certificate_exchanges SET state = ?, decided = ?, decided_by = ?, reason = ?, name = ?, "
            "use_from = ?, retire_at = ?, response = ?, settled = ? WHERE id = ? AND state = 'waiting'")
            .bind(to_string(r.state), r.decided, r.decided_by, r.reason, r.terms.name, r.terms.use_from,
                  r.terms.retire_at, r.response, flag(r.settled), r.id)
            .run();
    if (changed == 0)
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format("the certificate under {} was decided on before: 'signet cem show' says how", r.id));
    return {};
  });
}

Result<> SqliteCertificateExchangeStore::settle(std::string_view id, ExchangeState state) {
  failpoint("exchange.settle");
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE certificate_exchanges SET settled = 1 WHERE id = ? AND state = ?")
        .bind(id, to_string(state))
        .run();
    return {};
  });
}

Result<> SqliteCertificateExchangeStore::tell(std::string_view id, std::string_view told) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    Query(connection, "UPDATE certificate_exchanges SET told = ? WHERE id = ?").bind(told, id).run();
    return {};
  });
}

Result<std::string> SqliteCertificateExchangeStore::features(std::string_view agreement) {
  return read_value<std::string>(*database_, [&](SqlConnection& connection) -> Result<std::string> {
    Query query(connection, "SELECT features FROM partner_features WHERE agreement = ?");
    return query.bind(agreement).next() ? query.text(0) : std::string();
  });
}

}  // namespace signet::gateway
