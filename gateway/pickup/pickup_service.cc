#include "gateway/pickup/pickup_service.h"

#include <utility>

#include "base/log.h"

namespace signet::gateway {
namespace {

/// The lane in which the account is looked at; no agreement has this name.
constexpr const char* kAccount = "";

/// One pass at a time in each folder; a folder in trouble is looked at less and less often.
constexpr LaneSettings kLanes{.threads = 16, .window = 1, .failures_until_broken = 1};

}  // namespace

PickupService::PickupService(FoldersNow folders_now, PickupPorts ports, std::chrono::milliseconds interval)
    : folders_now_(std::move(folders_now)),
      ports_(std::move(ports)),
      interval_(interval),
      passes_("pick-up", kLanes, [this](const Lanes::Turn& turn) {
        return turn.job.lane == kAccount ? look_into_account() : pass(turn.job.id);
      }) {
  passes_.add(kAccount, kAccount);
}

void PickupService::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  passes_.stop();
}

LaneRunner::Finish PickupService::look_into_account() {
  const auto now = folders_now_();
  const std::string trouble = now ? std::string() : now.error().detail;
  if (std::exchange(last_trouble_, trouble) != trouble && !now)
    log::error("pickup-failed", {{"reason", trouble}});
  if (!now) return {Lanes::Outcome::Failed, interval_};
  std::vector<std::string> added;
  {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::shared_ptr<Watched>, std::less<>> watched;
    for (const PickupSettings& settings : *now) {
      const auto known = watched_.find(settings.agreement);
      if (known == watched_.end()) added.push_back(settings.agreement);
      const bool unchanged = known != watched_.end() && known->second->folder.settings() == settings;
      watched.emplace(settings.agreement,
                      unchanged ? known->second : std::make_shared<Watched>(PickupFolder(settings, ports_)));
    }
    watched_ = std::move(watched);
  }
  for (const std::string& agreement : added) passes_.add(agreement, agreement);
  return {Lanes::Outcome::Worked, interval_};
}

LaneRunner::Finish PickupService::pass(const std::string& agreement) {
  std::shared_ptr<Watched> watched;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(agreement);
    if (found == watched_.end()) return {Lanes::Outcome::NotTried, std::nullopt};
    watched = found->second;
  }
  const auto stop = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  const auto made = watched->folder.pass(PickupFolder::Moment::clock::now(), stop);
  const std::string trouble = made ? std::string() : made.error().detail;
  if (std::exchange(watched->last_trouble, trouble) != trouble) {
    const std::string folder = watched->folder.settings().folder.string();
    if (!made)
      log::error("pickup-failed", {{"agreement", agreement}, {"folder", folder}, {"reason", trouble}});
    else
      log::info("pickup-works-again", {{"agreement", agreement}, {"folder", folder}});
  }
  return {made ? Lanes::Outcome::Worked : Lanes::Outcome::Failed, interval_};
}

}  // namespace signet::gateway
