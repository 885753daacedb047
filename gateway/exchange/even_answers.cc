#include "gateway/exchange/even_answers.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::nanoseconds kForAnyMessage = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds kForAnOctet{50};

}  // namespace

std::chrono::nanoseconds until_even(std::chrono::nanoseconds took, std::uint64_t size) {
  const auto step = kForAnyMessage + kForAnOctet * static_cast<std::int64_t>(size);
  return step - took % step;
}

}  // namespace signet::gateway
