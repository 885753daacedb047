#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "gateway/cli/control_channel.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_operations.h"
#include "gateway/cli/serve_settings.h"
#include "gateway/cli/vault_seal.h"
#include "gateway/endpoint/http_server.h"

/// What `signet serve` and `signet vault serve` have in common: a process that serves a home, is steered by
/// signals and ends in time.

namespace signet::gateway {

/// For calls of the REST services that are under way at the end.
inline constexpr std::chrono::milliseconds kApiDrainTime{1'000};
/// A stop takes less than ten seconds, whatever is in hand.
inline constexpr std::chrono::milliseconds kLongestStop{9'000};

/// Asks for the signals that steer a service, instead of being ended by them. Before any thread is made: they
/// inherit it.
sigset_t block_signals();

/// Sets the log's level, opens the home, and makes sure that this program may open keys at all.
///
/// @error  as Home::open_for_serving(), vault::self_check().
Result<std::unique_ptr<Home>> open_to_serve(const std::filesystem::path& home, const ServeSettings& settings);

/// Ends what a change of the master key left, if it was cut short, and says so when the vault begins sealed.
/// With the ServeLock.
Result<> settle_home(Home& home);

/// By which `signet vault seal` and `unseal` reach the service. Nothing where the disk has no sockets; but a
/// vault that is sealed could not be opened then. @error  as ControlChannel::open(), of a sealed vault.
Result<std::unique_ptr<ControlChannel>> open_control_channel(Home& home, VaultSeal& seal);

/// Says where the service listens: in the log, and in the file that the settings name.
///
/// @param bound  with the ports that were taken
Result<> announce(const std::vector<Listener>& bound, const ServeSettings& settings);

/// Names the settings in which a running service differs from what is wanted and that it cannot take up.
void warn_of_settings_that_wait(const ServeSettings& running, const ServeSettings& wanted);

/// What SIGHUP does: tells systemd and the log how `reload` went, which changes all or nothing.
///
/// @param settings  those in force once it has
void reload_settings(const std::function<Result<>()>& reload, const ServeSettings& settings);

/// Works off signals, and warns daily, until one says that it is time to end. SIGHUP calls `on_hangup`.
void serve_until_told_to_end(const sigset_t& signals, ServeOperations& operations,
                             const std::function<void()>& on_hangup);

/// Ends the process by force when it does not end in time by itself. Nothing is lost by that: what was
/// answered is on disk, and the next start takes up the rest.
class EndInTime {
 public:
  explicit EndInTime(std::chrono::milliseconds time);
  ~EndInTime();
  EndInTime(const EndInTime&) = delete;
  EndInTime& operator=(const EndInTime&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool in_time_ = false;
  std::thread thread_;
};

}  // namespace signet::gateway
