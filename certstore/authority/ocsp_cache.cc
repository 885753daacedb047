#include "certstore/authority/ocsp_cache_internal.h"

namespace signet::authority {

std::optional<Bytes> OcspCache::find(const Bytes& question, bool is_revoked, Time now) {
  const std::lock_guard lock(mutex_);
  const auto known = answers_.find(question);
  if (known == answers_.end() || known->second.is_revoked != is_revoked || now < known->second.made ||
      now >= known->second.made + kLifetime / 2)
    return std::nullopt;
  return known->second.der;
}

void OcspCache::put(const Bytes& question, bool is_revoked, Time now, const Bytes& answer) {
  const std::lock_guard lock(mutex_);
  if (answers_.size() >= kMostAnswers)
    std::erase_if(answers_, [&](const auto& one) { return now >= one.second.made + kLifetime / 2; });
  if (answers_.size() >= kMostAnswers) answers_.clear();
  answers_.insert_or_assign(question, Answer{is_revoked, now, answer});
}

bool OcspCache::may_sign(Time now) {
  const std::lock_guard lock(mutex_);
  if (now < minute_ || now >= minute_ + std::chrono::minutes(1)) {
    minute_ = now;
    signed_in_minute_ = 0;
  }
  return ++signed_in_minute_ <= kMostPerMinute;
}

}  // namespace signet::authority
