#include "gateway/cli/vault_upkeep.h"

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

void look_after(Home& home, const std::stop_token& stop) {
  if (const auto purged = purge_overdue_vaults(home); !purged)
    log::error("vault-not-purged", {{"reason", purged.error().detail}});
  if (const auto purged = home.vault().purge_overdue(); !purged)
    log::error("vault-not-purged", {{"reason", purged.error().detail}});
  if (home.vault().is_sealed()) return;
  if (const auto events = home.vault().rotate_due(stop); !events)
    log::error("keys-not-rotated", {{"reason", events.error().detail}});
  else
    for (const vault::RotationEvent& event : *events) report(event);
  if (stop.stop_requested()) return;
  if (const auto settled = home.vault().settle_tokens(); !settled)
    log::error("tokens-not-settled", {{"reason", settled.error().detail}});
}

}  // namespace

VaultUpkeep::VaultUpkeep(Home& home)
    : home_(home), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void VaultUpkeep::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void VaultUpkeep::run(const std::stop_token& stop) {
  constexpr std::chrono::hours kPause{24};
  constexpr std::chrono::minutes kWhileSealed{1};
  while (!stop.stop_requested()) {
    look_after(home_, stop);
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, home_.vault().is_sealed() ? std::chrono::minutes(kWhileSealed) : kPause,
                    [] { return false; });
  }
}

}  // namespace signet::gateway
