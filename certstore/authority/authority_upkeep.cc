#include <algorithm>
#include <set>

#include "base/log.h"
#include "certstore/authority/authority_internal.h"
#include "certstore/authority/limits_internal.h"

/// What the service does by itself.

namespace signet::authority {
namespace {

/// So old is what a request that was cut short left behind, and nobody is still about to use.
constexpr std::chrono::hours kLeftBehind{1};

/// Keeps the first failure, and goes on.
class Outcome {
 public:
  void add(std::string_view what, const std::string& of, Error error) {
    log::warning(what, {{"of", of}, {"reason", error.detail}});
    if (!first_) first_ = std::move(error);
  }
  [[nodiscard]] Result<> result() const { return first_ ? Result<>(fail(*first_)) : Result<>(); }

 private:
  std::optional<Error> first_;
};

Actor service_itself() { return {vault::Principal::authority().name, {Role::Administrator}}; }

/// At half of its time. One that begins later than now was made by a clock that was ahead: relying parties do
/// not take it.
bool is_due(const PublishedCrl& crl, Time now) {
  return now < crl.this_update || now >= crl.this_update + (crl.next_update - crl.this_update) / 2;
}

/// The request whose secret it is; empty for what is none of ours.
std::string request_of(const vault::SecretInfo& secret) {
  constexpr std::string_view kPrefix = "request-";
  constexpr std::size_t kGuid = 36;
  if (secret.settings.content_type != kRequestSecret || !secret.id.name.starts_with(kPrefix) ||
      secret.id.name.size() < kPrefix.size() + kGuid)
    return {};
  return secret.id.name.substr(kPrefix.size(), kGuid);
}

/// Whether a request needs it still.
Result<bool> is_needed(AuthorityStore& store, const vault::SecretInfo& secret) {
  const auto request = store.request(request_of(secret));
  if (!request && request.error().kind == ErrorKind::NotFound) return false;
  if (!request) return fail(request.error());
  const auto is_it = [&](const std::optional<vault::SecretId>& id) {
    return id && equal_ignoring_case(id->name, secret.id.name);
  };
  return is_it(request->password) || is_it(request->key_file);
}

Result<> destroy_left_behind(Authority::Implementation& service, const std::string& vault) {
  const vault::Principal self = vault::Principal::authority();
  SIGNET_TRY(const auto secrets, service.vault().list_secrets(self, vault));
  for (const vault::SecretInfo& secret : secrets) {
    if (request_of(secret).empty() || secret.created + kLeftBehind > service.now()) continue;
    SIGNET_TRY(const bool needed, is_needed(service.store(), secret));
    if (!needed) service.destroy(secret.id);
  }
  SIGNET_TRY(const vault::VaultSettings settings, service.vault().settings(vault));
  if (settings.purge_protection) return {};  // the vault itself purges in its time
  SIGNET_TRY(const auto deleted, service.vault().list_deleted_secrets(self, vault));
  for (const vault::DeletedSecret& secret : deleted)
    if (!request_of(secret.info).empty())
      SIGNET_CHECK(service.vault().purge_secret(self, vault, secret.info.id.name));
  return {};
}

/// Keys that no issuer has, since the step that made them was cut short. The vault keeps all versions of a
/// key, so they are disabled.
Result<> disable_unused_keys(Authority::Implementation& service, const Group& group,
                             const std::string& vault) {
  const vault::Principal self = vault::Principal::authority();
  SIGNET_TRY(const auto keys, service.vault().list(self, vault));
  const bool has_key = std::any_of(keys.begin(), keys.end(), [&](const vault::KeyInfo& key) {
    return equal_ignoring_case(key.id.name, issuer_key_name(group.name));
  });
  if (!has_key) return {};
  SIGNET_TRY(const auto versions, service.vault().versions(self, vault, issuer_key_name(group.name)));
  SIGNET_TRY(const auto issuers, service.store().issuers(group.name));
  SIGNET_TRY(const auto waiting, service.store().issuer_request(group.name));
  std::set<std::string> used;
  for (const IssuerVersion& issuer : issuers) used.insert(issuer.key.version);
  if (waiting) used.insert(waiting->key.version);
  for (const vault::KeyInfo& key : versions) {
    if (!key.attributes.enabled || used.count(key.id.version) != 0 ||
        key.created + kLeftBehind > service.now())
      continue;
    vault::KeyUpdate update;
    update.attributes.enabled = false;
    const auto updated = service.vault().update(self, key.id, update);
    if (!updated) return fail(updated.error());
  }
  return {};
}

/// The vault that a group has now, and those that it had.
Result<std::set<std::string>> vaults_of(AuthorityStore& store, const Group& group) {
  std::set<std::string> vaults{to_lower(group.key_vault)};
  SIGNET_TRY(const auto issuers, store.issuers(group.name));
  for (const IssuerVersion& issuer : issuers) vaults.insert(to_lower(issuer.key.vault));
  SIGNET_TRY(
      const auto requests,
      all_requests(store, {.group = group.name, .states = {RequestState::New, RequestState::Approved}}));
  for (const Request& request : requests)
    for (const auto& secret : {request.password, request.key_file})
      if (secret) vaults.insert(to_lower(secret->vault));
  return vaults;
}

/// @returns whether it was due, and was made
Result<bool> keep_crl_up(Authority& authority, Authority::Implementation& service,
                         const IssuerVersion& issuer) {
  const std::string& serial = issuer.certificate.serial();
  if (issuer.certificate.not_after() < service.now()) return false;
  SIGNET_TRY(const PublishedCrl crl, service.store().crl(issuer.group, serial));
  if (!is_due(crl, service.now())) return false;
  const auto reissued = authority.reissue_crl(service_itself(), issuer.group, serial);
  return reissued ? Result<bool>(true) : fail(reissued.error());
}

}  // namespace

Result<std::size_t> Authority::keep_up() {
  Outcome outcome;
  std::size_t made = 0;
  std::set<std::string> vaults;
  SIGNET_TRY(const auto groups, implementation_->store().groups());
  for (const Group& group : groups) {
    auto issuers = implementation_->store().issuers(group.name);
    if (!issuers) outcome.add("issuers-not-read", group.name, issuers.error());
    for (const IssuerVersion& issuer : issuers.value_or(std::vector<IssuerVersion>())) {
      auto reissued = keep_crl_up(*this, *implementation_, issuer);
      if (!reissued)
        outcome.add("crl-not-reissued", group.name + "/" + issuer.certificate.serial(), reissued.error());
      if (reissued && *reissued) ++made;
    }
    auto own = vaults_of(implementation_->store(), group);
    if (!own) outcome.add("vaults-of-group-not-read", group.name, own.error());
    for (const std::string& vault : own.value_or(std::set<std::string>{to_lower(group.key_vault)})) {
      if (auto done = disable_unused_keys(*implementation_, group, vault); !done)
        outcome.add("unused-issuer-keys-not-disabled", group.name + " in " + vault, std::move(done.error()));
      vaults.insert(vault);
    }
  }
  for (const std::string& vault : vaults)
    if (auto done = destroy_left_behind(*implementation_, vault); !done)
      outcome.add("request-secrets-not-destroyed", vault, std::move(done.error()));
  SIGNET_CHECK(outcome.result());
  return made;
}

}  // namespace signet::authority
