#include "gateway/cli/vault_upkeep.h"

#include <utility>

#include "base/log.h"
#include "gateway/cli/deleted_vaults.h"

namespace signet::gateway {
namespace {

void report(const vault::RotationEvent& event) {
  const vault::KeyInfo& key = event.key;
  const std::string expires = key.attributes.expires ? to_rfc3339(*key.attributes.expires) : "never";
  switch (event.what) {
    case vault::RotationEvent::What::Rotated:
      return log::info("key-rotated", {{"key", to_string(key.id)}, {"expires", expires}});
    case vault::RotationEvent::What::NearExpiry:
      return log::warning("key-expires-soon", {{"key", to_string(key.id)}, {"expires", expires}});
    case vault::RotationEvent::What::Failed:
      return log::error("key-not-rotated", {{"key", to_string(key.id)}, {"reason", event.reason}});
  }
}

/// @returns whether that could be done: nothing is while the vault is sealed
bool look_after(Home& home, const GivenOptions& given, const std::stop_token& stop) {
  if (home.vault().is_sealed()) return false;
  if (const auto purged = purge_overdue_vaults(home, given); !purged)
    log::error("vault-not-purged", {{"reason", purged.error().detail}});
  if (const auto purged = home.vault().purge_overdue(); !purged)
    log::error("vault-not-purged", {{"reason", purged.error().detail}});
  if (const auto events = home.vault().rotate_due(stop); !events)
    log::error("keys-not-rotated", {{"reason", events.error().detail}});
  else
    for (const vault::RotationEvent& event : *events) report(event);
  if (stop.stop_requested()) return true;
  if (const auto settled = home.vault().settle_tokens(); !settled)
    log::error("tokens-not-settled", {{"reason", settled.error().detail}});
  return true;
}

}  // namespace

VaultUpkeep::VaultUpkeep(Home& home, GivenOptions given)
    : home_(home), given_(std::move(given)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void VaultUpkeep::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void VaultUpkeep::run(const std::stop_token& stop) {
  constexpr std::chrono::minutes kPause = std::chrono::hours(24);
  constexpr std::chrono::minutes kWhileSealed{1};
  while (!stop.stop_requested()) {
    const std::chrono::minutes pause = look_after(home_, given_, stop) ? kPause : kWhileSealed;
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, pause, [] { return false; });
  }
}

}  // namespace signet::gateway
