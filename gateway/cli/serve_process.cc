#include "gateway/cli/serve_process.h"

#include <fmt/ranges.h>
#include <pthread.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "certstore/vault/provider.h"
#include "gateway/cli/command.h"
#include "gateway/operations/service_manager.h"

namespace signet::gateway {
namespace {

/// @returns nothing when a day has passed without one.
std::optional<int> next_signal(const sigset_t& signals) {
  constexpr timespec kDay{24 * 3600, 0};
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &kDay);
    if (signal > 0) return signal;
    if (errno == EAGAIN) return std::nullopt;
  }
}

}  // namespace

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<std::unique_ptr<Home>> open_to_serve(const std::filesystem::path& home,
                                            const ServeSettings& settings) {
  log::set_level(level_of(settings));
  SIGNET_TRY(auto opened, Home::open_for_serving(home));
  SIGNET_CHECK(vault::self_check());
  if (const auto warning = vault::openssl_version_warning())
    log::warning("openssl-is-old", {{"reason", *warning}});
  return opened;
}

Result<> settle_home(Home& home) {
  SIGNET_TRY(const auto check, home.master_key_check());
  SIGNET_CHECK(settle_master_key(home.directory(), check));
  if (home.vault().is_sealed())
    log::warning("vault-sealed",
                 {{"reason", "SIGNET_PASSPHRASE_FILE names no passphrase; " + std::string(vault::kSealed)}});
  return {};
}

Result<std::unique_ptr<ControlChannel>> open_control_channel(Home& home, VaultSeal& seal) {
  auto channel = ControlChannel::open(home.directory(), control_calls(seal));
  if (channel || home.vault().is_sealed()) return channel;
  log::error("control-socket-not-made",
             {{"reason", channel.error().detail + "; `signet vault seal` does not reach this gateway"}});
  return std::unique_ptr<ControlChannel>();
}

Result<> announce(const std::vector<Listener>& bound, const ServeSettings& settings) {
  nlohmann::ordered_json ports = nlohmann::ordered_json::array();
  for (const Listener& listener : bound) {
    ports.push_back({{"name", listener.name}, {"address", listener.address}, {"port", listener.port}});
    log::info(
        "listening",
        {{"name", listener.name}, {"address", listener.address}, {"port", std::to_string(listener.port)}});
  }
  if (settings.ports_file.empty()) return {};
  return write_file_durably(settings.ports_file, as_bytes(ports.dump()));
}

void warn_of_settings_that_wait(const ServeSettings& running, const ServeSettings& wanted) {
  for (const std::string& name : settings_for_next_start(running, wanted))
    log::warning("setting-waits",
                 {{"setting", name},
                  {"reason", "a running gateway cannot take it up; it counts from the next start"}});
}

void reload_settings(const std::function<Result<>()>& reload, const ServeSettings& settings) {
  notify_reloading();
  if (const auto reloaded = reload())
    log::info("settings-reloaded",
              {{"log_level", settings.log_level},
               {"body_limit", std::to_string(settings.body_limit)},
               {"tls_certificate", fmt::format("{}", fmt::join(settings.tls_certificate, ", "))},
               {"api_certificate", fmt::format("{}", fmt::join(settings.api_certificate, ", "))}});
  else
    log::error("settings-not-reloaded", {{"reason", reloaded.error().detail + "; the old settings stay"}});
  notify_ready();
}

void serve_until_told_to_end(const sigset_t& signals, ServeOperations& operations,
                             const std::function<void()>& on_hangup) {
  for (;;) {
    operations.warn_of_expiry();
    const std::optional<int> signal = next_signal(signals);
    if (signal == SIGHUP) on_hangup();
    if (!signal || signal == SIGHUP) continue;
    log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    notify_stopping();
    operations.stopping();
    return;
  }
}

EndInTime::EndInTime(std::chrono::milliseconds time)
    : thread_([this, time] {
        std::unique_lock lock(mutex_);
        if (ended_.wait_for(lock, time, [this] { return in_time_; })) return;
        log::error("stopped-by-force",
                   {{"reason", "work in hand did not end in time; it is taken up at the next start"}});
        log::flush();
        std::_Exit(static_cast<int>(ExitCode::Unavailable));
      }) {}

EndInTime::~EndInTime() {
  {
    const std::lock_guard lock(mutex_);
    in_time_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

}  // namespace signet::gateway
