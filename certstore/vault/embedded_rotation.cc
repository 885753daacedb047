#include "certstore/vault/embedded_vault_internal.h"

/// New versions of keys by their rotation policies.

namespace signet::vault {
namespace {

/// What rotation makes of a key: the like of its current version, lasting as long as its policy says.
KeyInfo successor_of(const KeyInfo& current, const RotationPolicy& policy, Time now) {
  KeyInfo next;
  next.kind = current.kind;
  next.ops = current.ops;
  next.tags = current.tags;
  if (policy.expiry_time) next.attributes.expires = now + *policy.expiry_time;
  return next;
}

Result<RotationPolicy> policy_of(KeyStore& store, const KeyId& id) {
  SIGNET_TRY(const auto policy, store.rotation_policy(id.vault, id.name));
  return policy.value_or(default_rotation_policy());
}

/// What a key's new version is to be. @error NotFound
Result<> describe_successor(KeyStore& store, const KeyId& id, Time now, KeyInfo& next) {
  SIGNET_TRY(const StoredKey current, store.load(name_of(id)));
  SIGNET_TRY(const RotationPolicy policy, policy_of(store, id));
  next = successor_of(current.info, policy, now);
  return {};
}

bool is_due(const std::optional<RotationTrigger>& trigger, const KeyInfo& info, Time now) {
  if (!trigger) return false;
  const std::optional<Time> due = due_time(*trigger, info);
  return due && *due <= now;
}

}  // namespace

Result<KeyInfo> EmbeddedVault::rotate_key(const Principal& principal, std::string_view vault,
                                          std::string_view name) {
  const KeyId id{std::string(vault), std::string(name), {}};
  const auto describe = [&](KeyInfo& next) -> Result<> {
    SIGNET_CHECK(state_->check_is_no_issuers(principal, id));
    return describe_successor(state_->store(), id, state_->now(), next);
  };
  return state_->add(state_->new_record(principal, "rotate", id),
                     state_->permit(principal, KeyPermission::Rotate), describe, state_->generate());
}

Result<RotationPolicy> EmbeddedVault::rotation_policy(const Principal& principal, std::string_view vault,
                                                      std::string_view name) {
  const KeyId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_key_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_record(principal, "getRotationPolicy", id),
                                      KeyPermission::GetRotationPolicy));
  SIGNET_CHECK(state_->store().load(id));
  return policy_of(state_->store(), id);
}

Result<RotationPolicy> EmbeddedVault::set_rotation_policy(const Principal& principal, std::string_view vault,
                                                          std::string_view name,
                                                          const RotationPolicy& wanted) {
  KeyId id{std::string(vault), std::string(name), {}};
  RotationPolicy policy = wanted;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_key_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, KeyPermission::SetRotationPolicy));
    SIGNET_CHECK(state_->check_is_no_certificates(id, "key"));
    SIGNET_CHECK(state_->check_is_no_issuers(principal, id));
    SIGNET_CHECK(check_rotation_policy(wanted));
    SIGNET_TRY(const StoredKey known, state_->store().load(id));
    id = name_of(known.info.id);
    SIGNET_TRY(const auto before, state_->store().rotation_policy(id.vault, id.name));
    policy.updated = state_->now();
    policy.created = before ? before->created : policy.updated;
    return {};
  };
  SIGNET_CHECK(
      state_->change(state_->new_record(principal, "setRotationPolicy", id, to_string(wanted)), id, prepare,
                     [&] { return state_->store().put_rotation_policy(id.vault, id.name, policy); }));
  return policy;
}

Result<std::vector<RotationEvent>> EmbeddedVault::rotate_due(const std::stop_token& stop) {
  SIGNET_TRY(const std::vector<KeyInfo> keys, state_->store().rotation_candidates());
  std::vector<RotationEvent> events;
  for (const KeyInfo& key : keys) {
    if (stop.stop_requested()) break;
    auto event = rotate_if_due(name_of(key.id));
    if (!event) {
      if (event.error().kind != ErrorKind::NotFound)
        events.push_back({RotationEvent::What::Failed, key, event.error().detail});
    } else if (*event) {
      events.push_back(**std::move(event));
    }
  }
  return events;
}

Result<std::optional<RotationEvent>> EmbeddedVault::rotate_if_due(const KeyId& id) {
  using MaybeEvent = std::optional<RotationEvent>;
  SIGNET_TRY(const StoredKey current, state_->store().load(id));  // now: those before may have taken minutes
  SIGNET_TRY(const RotationPolicy policy, policy_of(state_->store(), id));
  if (!current.info.attributes.enabled) return MaybeEvent();
  if (is_due(policy.rotate, current.info, state_->now())) {
    SIGNET_TRY(KeyInfo made, state_->add(
                                 state_->new_record(Principal::gateway(), "rotate", id,
                                                    "by its rotation policy: " + to_string(policy)),
                                 [](std::string_view) -> Result<> { return {}; },
                                 [&](KeyInfo& next) -> Result<> {
                                   SIGNET_CHECK(state_->check_is_no_issuers(Principal::gateway(), id));
                                   return describe_successor(state_->store(), id, state_->now(), next);
                                 },
                                 state_->generate()));
    return MaybeEvent(RotationEvent{RotationEvent::What::Rotated, std::move(made), {}});
  }
  if (!is_due(policy.notify, current.info, state_->now())) return MaybeEvent();
  return MaybeEvent(RotationEvent{RotationEvent::What::NearExpiry, current.info, {}});
}

}  // namespace signet::vault
