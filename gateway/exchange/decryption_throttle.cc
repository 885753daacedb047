#include "gateway/exchange/decryption_throttle.h"

#include <string>

#include "base/network.h"

namespace signet::gateway {
namespace {

constexpr double kSecondsOfHour = 3600;

std::string key_of(std::string_view address, std::string_view agreement) {
  return network_of_subscriber(address).append("\n").append(agreement);
}

}  // namespace

DecryptionThrottle::DecryptionThrottle(unsigned an_hour)
    : limited_(an_hour != 0), failures_({an_hour / kSecondsOfHour, static_cast<double>(an_hour)}) {}

std::optional<std::chrono::seconds> DecryptionThrottle::wait(std::string_view address,
                                                             std::string_view agreement, Moment now) const {
  return limited_ ? failures_.wait(key_of(address, agreement), now) : std::nullopt;
}

std::optional<std::chrono::seconds> DecryptionThrottle::failed(std::string_view address,
                                                               std::string_view agreement, Moment now) {
  if (!limited_) return std::nullopt;
  const std::string key = key_of(address, agreement);
  if (failures_.take(key, now)) return std::nullopt;  // others of the same moment were the last
  return failures_.wait(key, now);
}

}  // namespace signet::gateway
