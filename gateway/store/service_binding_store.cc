#include "gateway/store/service_binding_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/store/certificate_rows_internal.h"
#include "gateway/store/service_binding_rows_internal.h"
#include "gateway/store/vault_certificate_rows_internal.h"

namespace signet::gateway {
namespace {

using certstore::BindingChange;
using certstore::ServiceBinding;
using certstore::ServiceCandidate;
using certstore::Thumbprint;

Result<Thumbprint> thumbprint_of(const std::string& algorithm, const std::string& digits) {
  const auto parsed_algorithm = certstore::parse_thumbprint_algorithm(algorithm);
  if (parsed_algorithm) {
    if (auto thumbprint = certstore::parse_thumbprint(digits, *parsed_algorithm)) return thumbprint;
  }
  return fail(ErrorKind::IoFailure,
              "the database holds a binding that cannot be read: restore it from a backup");
}

Result<std::vector<Thumbprint>> read_earlier(SqlConnection& connection, const ServiceBinding& binding) {
  Query query(
      connection,
      "SELECT algorithm, thumbprint FROM service_bindings_before WHERE name = ? ORDER BY sequence DESC");
  query.bind(binding.name);
  std::vector<Thumbprint> earlier;
  while (query.next()) {
    SIGNET_TRY(Thumbprint thumbprint, thumbprint_of(query.text(0), query.text(1)));
    if (thumbprint != binding.thumbprint &&
        std::find(earlier.begin(), earlier.end(), thumbprint) == earlier.end())
      earlier.push_back(std::move(thumbprint));
  }
  return earlier;
}

Result<std::vector<ServiceCandidate>> read_candidates(SqlConnection& connection, std::string_view vault) {
  Query query(connection,
              "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
              " FROM live_certificate_versions WHERE ?1 = '' OR vault = ?1 ORDER BY sequence DESC");
  query.bind(vault);
  std::vector<ServiceCandidate> candidates;
  while (query.next()) {
    SIGNET_TRY(vault::StoredCertificate stored, read_certificate_version(query));
    const vault::CertificateId& id = stored.info.id;
    candidates.push_back(
        {{id.vault, id.name, id.version}, std::move(stored.info.chain), stored.info.settings.enabled});
  }
  return candidates;
}

/// Whether a key vault has the certificate, or the account: of the latter are intermediate ones.
Result<bool> is_there(SqlConnection& connection, const Thumbprint& thumbprint) {
  SIGNET_TRY(const auto candidates, read_candidates(connection, {}));
  for (const ServiceCandidate& candidate : candidates)
    if (thumbprint.is_of(candidate.chain.front())) return true;
  for (const CertificateRow& row : read_certificates(connection))
    if (const auto certificate = certstore::Certificate::parse(row.der);
        certificate && thumbprint.is_of(*certificate))
      return true;
  return false;
}

Result<std::optional<Thumbprint>> read_thumbprint(SqlConnection& connection, std::string_view name) {
  Query query(connection, "SELECT algorithm, thumbprint FROM service_bindings WHERE name = ?");
  if (!query.bind(name).next()) return std::optional<Thumbprint>();
  SIGNET_TRY(Thumbprint thumbprint, thumbprint_of(query.text(0), query.text(1)));
  return std::optional(std::move(thumbprint));
}

void write_change(SqlConnection& connection, const BindingChange& change, std::string_view by, Time now) {
  if (change.before)
    Query(connection,
          "INSERT INTO service_bindings_before (name, algorithm, thumbprint, replaced) VALUES (?, ?, ?, ?)")
        .bind(change.name, to_string(change.before->algorithm), change.before->digits, now)
        .run();
  if (change.after)
    Query(connection,
          "INSERT OR REPLACE INTO service_bindings (name, algorithm, thumbprint, changed, changed_by) VALUES "
          "(?, ?, ?, ?, ?)")
        .bind(change.name, to_string(change.after->algorithm), change.after->digits, now, by)
        .run();
  else
    Query(connection, "DELETE FROM service_bindings WHERE name = ?").bind(change.name).run();
}

Result<> make_change(SqlConnection& connection, const BindingChange& change, std::string_view by, Time now) {
  SIGNET_TRY(const std::optional<Thumbprint> stored, read_thumbprint(connection, change.name));
  if (stored != change.before)
    return fail(ErrorKind::AlreadyExists,
                fmt::format("somebody else changed the binding of '{}' in the meantime; look at it again and "
                            "repeat",
                            printable(change.name)));
  if (change.after) {
    SIGNET_TRY(const bool there, is_there(connection, *change.after));
    if (!there)
      return fail(ErrorKind::NotFound,
                  fmt::format("the certificate {} was deleted in the meantime", to_string(*change.after)));
  }
  write_change(connection, change, by, now);
  return {};
}

}  // namespace

Result<std::vector<ServiceBinding>> read_service_bindings(SqlConnection& connection) {
  Query query(connection,
              "SELECT name, algorithm, thumbprint, changed, changed_by FROM service_bindings ORDER BY name");
  std::vector<ServiceBinding> bindings;
  while (query.next()) {
    SIGNET_TRY(Thumbprint thumbprint, thumbprint_of(query.text(1), query.text(2)));
    bindings.push_back({query.text(0), std::move(thumbprint), query.time(3), query.text(4)});
  }
  return bindings;
}

Result<> check_not_bound(SqlConnection& connection, std::string_view vault, std::string_view name) {
  SIGNET_TRY(const auto bindings, read_service_bindings(connection));
  if (bindings.empty()) return {};
  Query query(connection, "SELECT " SIGNET_CERTIFICATE_VERSION_COLUMNS
                          " FROM live_certificate_versions WHERE vault = ? AND name = ?");
  query.bind(vault, name);
  while (query.next()) {
    SIGNET_TRY(const vault::StoredCertificate stored, read_certificate_version(query));
    for (const ServiceBinding& binding : bindings)
      if (binding.thumbprint.is_of(stored.info.chain.front()))
        return fail(
            ErrorKind::AlreadyExists,
            fmt::format("the service certificate '{}' is bound to certificate {}/{} ({}): bind it to "
                        "another one first",
                        binding.name, printable(vault), printable(name), to_string(binding.thumbprint)));
  }
  return {};
}

Result<std::vector<ServiceBinding>> SqliteServiceBindingStore::bindings() {
  using All = std::vector<ServiceBinding>;
  return read_value<All>(*database_, [](SqlConnection& connection) -> Result<All> {
    SIGNET_TRY(All bindings, read_service_bindings(connection));
    for (ServiceBinding& binding : bindings) {
      SIGNET_TRY(binding.earlier, read_earlier(connection, binding));
    }
    return bindings;
  });
}

Result<> SqliteServiceBindingStore::change(const std::vector<BindingChange>& changes, std::string_view by,
                                           Time now) {
  return database_->write([&](SqlConnection& connection) -> Result<> {
    for (const BindingChange& change : changes) SIGNET_CHECK(make_change(connection, change, by, now));
    count_key_change(connection);
    return {};
  });
}

Result<std::vector<ServiceCandidate>> SqliteServiceBindingStore::candidates(std::string_view key_vault) {
  using All = std::vector<ServiceCandidate>;
  return read_value<All>(*database_,
                         [&](SqlConnection& connection) { return read_candidates(connection, key_vault); });
}

}  // namespace signet::gateway
