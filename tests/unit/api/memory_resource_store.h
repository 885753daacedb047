#pragma once

#include <map>
#include <utility>

#include "base/bytes.h"
#include "gateway/api/resource_store.h"

namespace signet::gateway::api {

/// Resources that nobody keeps.
class MemoryResourceStore final : public ResourceStore {
 public:
  Result<std::optional<Resource>> find(ResourceKind kind, std::string_view name) override {
    const auto found = resources_.find({kind, to_lower(name)});
    return found == resources_.end() ? std::optional<Resource>() : std::optional(found->second);
  }
  Result<std::vector<Resource>> list(ResourceKind kind) override {
    std::vector<Resource> all;
    for (const auto& [key, resource] : resources_)
      if (key.first == kind) all.push_back(resource);
    return all;
  }
  Result<bool> put(ResourceKind kind, std::string_view name, std::string_view json, Time now) override {
    const auto [place, made] =
        resources_.try_emplace({kind, to_lower(name)}, Resource{std::string(name), {}, now, now});
    place->second.json = json;
    place->second.changed = now;
    return made;
  }
  Result<bool> remove(ResourceKind kind, std::string_view name) override {
    return resources_.erase({kind, to_lower(name)}) != 0;
  }
  Result<> log_events(const std::vector<LoggedEvent>& events, Time) override {
    events_.insert(events_.end(), events.begin(), events.end());
    return {};
  }
  Result<> visit_logged_events(std::optional<Time>,
                               const std::function<Result<>(const LoggedEvent&)>& visitor) override {
    for (const LoggedEvent& event : events_) SIGNET_CHECK(visitor(event));
    return {};
  }

  [[nodiscard]] const std::vector<LoggedEvent>& logged() const { return events_; }

 private:
  std::map<std::pair<ResourceKind, std::string>, Resource> resources_;
  std::vector<LoggedEvent> events_;
};

}  // namespace signet::gateway::api
