#include "base/throttle.h"

#include <algorithm>
#include <cmath>

namespace signet {
namespace {

constexpr std::size_t kMostBuckets = 10'000;
constexpr std::chrono::seconds kBetweenSweeps{1};  ///< looking through all of them is work for strangers

}  // namespace

std::optional<std::chrono::seconds> Throttle::take(std::string_view who, Moment now) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMostBuckets && now >= next_sweep_) forget_idle(now);
  // Who comes when there is no room any more shares a bucket with all others who do.
  const bool room = buckets_.size() < kMostBuckets || buckets_.contains(std::string(who));
  Bucket& bucket = buckets_.try_emplace(room ? std::string(who) : "", Bucket{rate_.burst, now}).first->second;
  refill(bucket, now);
  const auto first = wait(bucket);
  if (!first) bucket.tokens -= 1;
  return first;
}

std::optional<std::chrono::seconds> Throttle::wait(std::string_view who, Moment now) const {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(std::string(who));
  if (found == buckets_.end()) return std::nullopt;
  Bucket bucket = found->second;
  refill(bucket, now);
  return wait(bucket);
}

void Throttle::refill(Bucket& bucket, Moment now) const {
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.tokens = std::min(rate_.burst, bucket.tokens + std::max(0.0, passed.count()) * rate_.per_second);
  bucket.filled = std::max(bucket.filled, now);
}

std::optional<std::chrono::seconds> Throttle::wait(const Bucket& bucket) const {
  // A token that is full but for what is lost in adding fractions up is one.
  constexpr double kFull = 1 - 1e-9;
  if (bucket.tokens >= kFull) return std::nullopt;
  const double wait = std::ceil((kFull - bucket.tokens) / rate_.per_second);
  return std::chrono::seconds(static_cast<std::int64_t>(std::max(wait, 1.0)));
}

void Throttle::forget_idle(Moment now) {
  next_sweep_ = now + kBetweenSweeps;
  std::erase_if(buckets_, [&](const auto& entry) {
    Bucket bucket = entry.second;
    refill(bucket, now);
    return bucket.tokens >= rate_.burst;
  });
}

}  // namespace signet
