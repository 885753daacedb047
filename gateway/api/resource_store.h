#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

/// What only the management plane knows, and must be kept.

namespace signet::gateway::api {

enum class ResourceKind {
  IntegrationAccount,  ///< under which name the home's account is known, with its tags
  AccessKey,           ///< how often each of the account's keys was made anew
  OtherAgreement,      ///< an agreement of a type that Signet does not speak, as it came
  Envelope,            ///< location and tags of an entry of the account: "partners/acme"
  Vault,               ///< what Azure's management plane says of a vault, and we do nothing with
  DeletedVault,        ///< the same of one that was deleted, with its access policies
};

/// Text of JSON under a name, which is unique within its kind without regard to ASCII case.
struct Resource {
  std::string name;
  std::string json;
  Time created{};
  Time changed{};
};

/// One event that was given to the tracking log.
struct LoggedEvent {
  Time received{};
  std::string principal;
  std::string json;
};

inline constexpr std::int64_t kMostLoggedEvents = 100'000;
inline constexpr std::chrono::days kLoggedEventLife{90};

/// gateway/store implements it. Thread-safe; a change is durable when its call returns.
class ResourceStore {
 public:
  virtual ~ResourceStore() = default;

  virtual Result<std::optional<Resource>> find(ResourceKind kind, std::string_view name) = 0;
  /// All of a kind, by name.
  virtual Result<std::vector<Resource>> list(ResourceKind kind) = 0;
  /// Makes it, or puts another text in the place of its own. @return whether it was made
  virtual Result<bool> put(ResourceKind kind, std::string_view name, std::string_view json, Time now) = 0;
  /// @return whether it was there
  virtual Result<bool> remove(ResourceKind kind, std::string_view name) = 0;

  /// All of them or none. Those go for which there is no room any more, the oldest first, and those that are
  /// older than kLoggedEventLife by then.
  virtual Result<> log_events(const std::vector<LoggedEvent>& events, Time now) = 0;
  /// Shows those that were received since then, the oldest first. What `visitor` fails with ends it.
  virtual Result<> visit_logged_events(std::optional<Time> since,
                                       const std::function<Result<>(const LoggedEvent&)>& visitor) = 0;
};

}  // namespace signet::gateway::api
