#pragma once

#include <fmt/format.h>

#include <chrono>

#include "certstore/vault/audit_log.h"
#include "certstore/vault/key_store.h"
#include "certstore/vault/secret_store.h"
#include "certstore/vault/vault_certificate_store.h"

/// Internal to the embedded vault: what it does alike with keys, secrets and certificates, by name. `State`
/// is that of the vault; `Kind` is Keys, Secrets or Certificates.

namespace signet::vault {

struct Keys {
  using Info = KeyInfo;
  using Permission = KeyPermission;
  static constexpr AuditObject kObject = AuditObject::Key;
  static constexpr std::string_view kSuffix{};  ///< of the operations' names in the audit log
  template <class State>
  static KeyStore& store(State& state) {
    return state.store();
  }
};

struct Secrets {
  using Info = SecretInfo;
  using Permission = SecretPermission;
  static constexpr AuditObject kObject = AuditObject::Secret;
  static constexpr std::string_view kSuffix = "Secret";
  template <class State>
  static SecretStore& store(State& state) {
    return state.secrets();
  }
};

struct Certificates {
  using Info = CertificateInfo;
  using Permission = CertificatePermission;
  static constexpr AuditObject kObject = AuditObject::Certificate;
  static constexpr std::string_view kSuffix = "Certificate";
  template <class State>
  static VaultCertificateStore& store(State& state) {
    return state.certificates();
  }
};

/// Whether a key or a secret belongs to a certificate, with which alone it is deleted, recovered and purged.
template <class Info>
bool is_managed(const Info& info) {
  return info.managed;
}
inline bool is_managed(const CertificateInfo&) { return false; }

/// @error PermissionDenied  it does.
template <class Kind>
Result<> check_not_managed(const typename Kind::Info& info) {
  if (!is_managed(info)) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("the {} '{}' belongs to the certificate of that name, with which alone it is deleted, "
                  "recovered and purged: use signet vault certificate",
                  to_string(Kind::kObject), to_string(KeyId{info.id.vault, info.id.name, {}})));
}

/// The key vault's name of an object in all its versions.
inline KeyId name_of(const KeyId& id) { return {id.vault, id.name, {}}; }

template <class Kind, class State>
AuditRecord object_record(State& state, const Principal& principal, std::string_view operation,
                          const KeyId& id, std::string detail = {}) {
  AuditRecord record =
      state.new_record(principal, fmt::format("{}{}", operation, Kind::kSuffix), id, std::move(detail));
  record.object = Kind::kObject;
  return record;
}

/// Removes for good what was to be purged by now, each with a record of its own, in the gateway's name. One
/// that fails holds up none of the others.
template <class Kind, class State>
Result<> purge_overdue_objects(State& state) {
  auto& store = Kind::store(state);
  SIGNET_TRY(const auto overdue, store.overdue(state.now()));
  Result<> outcome;
  for (const Deleted<typename Kind::Info>& object : overdue) {
    KeyId id = name_of(object.info.id);
    const auto done = state.change_with_keys(
        object_record<Kind>(state, Principal::gateway(), "purge", id,
                            "its retention was over at " + to_rfc3339(object.deletion.scheduled_purge)),
        id, []() -> Result<> { return {}; }, [&] { return store.purge(id.vault, id.name, object.deletion); });
    if (done || done.error().kind == ErrorKind::NotFound) continue;  // another process may have been faster
    if (outcome) outcome = done;
  }
  return outcome;
}

/// Whatever is deleted, certificates first: with them go their keys and secrets, whose names are free from
/// then on.
template <class State>
Result<> purge_all_overdue(State& state) {
  Result<> purged = purge_overdue_objects<Certificates>(state);
  for (Result<> more : {purge_overdue_objects<Keys>(state), purge_overdue_objects<Secrets>(state)})
    if (purged) purged = std::move(more);
  return purged;
}

/// What is deleted, unless its time is over.
///
/// @error NotFound
template <class Kind, class State>
Result<Deleted<typename Kind::Info>> load_deleted(State& state, const KeyId& id) {
  SIGNET_CHECK(purge_all_overdue(state));
  return Kind::store(state).load_deleted(id.vault, id.name);
}

/// Whether a name can get a first version, or a further one.
///
/// @error DeletedButRecoverable  says until when, and what to do.
template <class Kind, class State>
Result<> check_not_deleted(State& state, const KeyId& id) {
  const auto deleted = load_deleted<Kind>(state, id);
  if (!deleted && deleted.error().kind == ErrorKind::NotFound) return {};
  if (!deleted) return fail(deleted.error());
  const AuditObject object = is_managed(deleted->info) ? AuditObject::Certificate : Kind::kObject;
  return fail(
      ErrorKind::DeletedButRecoverable,
      fmt::format(
          "{0} '{1}' was deleted and can be recovered until {2}: recover it (signet vault {0} recover "
          "{3} --vault {4}), purge it, or take another name",
          to_string(object), to_string(name_of(deleted->info.id)),
          to_rfc3339(deleted->deletion.scheduled_purge), id.name, id.vault));
}

template <class Kind, class State>
Result<Deleted<typename Kind::Info>> delete_object(State& state, const Principal& principal, KeyId id) {
  Deleted<typename Kind::Info> deleted;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_object_id(id, to_string(Kind::kObject)));
    SIGNET_CHECK(state.authorise(principal, id.vault, Kind::Permission::Delete));
    SIGNET_TRY(auto stored, Kind::store(state).load(id));
    deleted.info = std::move(stored.info);
    id = name_of(deleted.info.id);
    SIGNET_CHECK(check_not_managed<Kind>(deleted.info));
    SIGNET_CHECK(state.check_unused(Kind::kObject, id));
    SIGNET_TRY(const VaultSettings settings, state.store().settings(id.vault));
    deleted.deletion.deleted = state.now();
    deleted.deletion.scheduled_purge = state.now() + std::chrono::days(settings.retention_days);
    return {};
  };
  SIGNET_CHECK(state.change_with_keys(object_record<Kind>(state, principal, "delete", id), id, prepare, [&] {
    return Kind::store(state).soft_delete(id.vault, id.name, deleted.deletion);
  }));
  return deleted;
}

template <class Kind, class State>
Result<typename Kind::Info> recover_object(State& state, const Principal& principal, KeyId id) {
  typename Kind::Info info;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_object_id(id, to_string(Kind::kObject)));
    SIGNET_CHECK(state.authorise(principal, id.vault, Kind::Permission::Recover));
    SIGNET_TRY(auto deleted, load_deleted<Kind>(state, id));
    info = std::move(deleted.info);
    id = name_of(info.id);
    SIGNET_CHECK(check_not_managed<Kind>(info));
    return {};
  };
  SIGNET_CHECK(state.change(object_record<Kind>(state, principal, "recover", id), id, prepare,
                            [&] { return Kind::store(state).recover(id.vault, id.name); }));
  return info;
}

template <class Kind, class State>
Result<> purge_object(State& state, const Principal& principal, KeyId id) {
  Deletion deletion;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_object_id(id, to_string(Kind::kObject)));
    SIGNET_CHECK(state.authorise(principal, id.vault, Kind::Permission::Purge));
    SIGNET_TRY(const auto deleted, load_deleted<Kind>(state, id));
    id = name_of(deleted.info.id);
    deletion = deleted.deletion;
    SIGNET_CHECK(check_not_managed<Kind>(deleted.info));
    SIGNET_TRY(const VaultSettings settings, state.store().settings(id.vault));
    if (!settings.purge_protection) return {};
    return fail(
        ErrorKind::PermissionDenied,
        fmt::format(
            "{} '{}' cannot be purged: key vault '{}' has purge protection, and purges it itself at {}",
            to_string(Kind::kObject), to_string(id), id.vault, to_rfc3339(deleted.deletion.scheduled_purge)));
  };
  return state.change_with_keys(object_record<Kind>(state, principal, "purge", id), id, prepare,
                                [&] { return Kind::store(state).purge(id.vault, id.name, deletion); });
}

template <class Kind, class State>
Result<Deleted<typename Kind::Info>> get_deleted_object(State& state, const Principal& principal,
                                                        const KeyId& id) {
  SIGNET_CHECK(check_object_id(id, to_string(Kind::kObject)));
  SIGNET_CHECK(
      state.authorise_look(object_record<Kind>(state, principal, "getDeleted", id), Kind::Permission::Get));
  return load_deleted<Kind>(state, id);
}

template <class Kind, class State>
Result<std::vector<Deleted<typename Kind::Info>>> list_deleted_objects(State& state,
                                                                       const Principal& principal,
                                                                       std::string_view vault) {
  SIGNET_CHECK(
      state.authorise_look(object_record<Kind>(state, principal, "listDeleted", {std::string(vault), {}, {}}),
                           Kind::Permission::List));
  SIGNET_CHECK(purge_all_overdue(state));
  return Kind::store(state).list_deleted(vault);
}

}  // namespace signet::vault
