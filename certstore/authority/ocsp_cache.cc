#include "certstore/authority/ocsp_cache_internal.h"

#include <algorithm>
#include <utility>

namespace signet::authority {

std::optional<OcspCache::Answer> OcspCache::find(const Bytes& question, Time now) {
  const std::lock_guard lock(mutex_);
  const auto known = answers_.find(as_text(question));
  if (known == answers_.end() || now < known->second.made || now >= known->second.made + kLifetime / 2)
    return std::nullopt;
  return known->second;
}

void OcspCache::put(const Bytes& question, Answer answer) {
  const std::lock_guard lock(mutex_);
  if (answers_.size() >= kMostAnswers)
    std::erase_if(answers_, [&](const auto& one) { return answer.made >= one.second.made + kLifetime / 2; });
  if (answers_.size() >= kMostAnswers && !answers_.contains(as_text(question)))
    answers_.erase(std::min_element(answers_.begin(), answers_.end(), [](const auto& a, const auto& b) {
      return a.second.made < b.second.made;
    }));
  answers_.insert_or_assign(std::string(as_text(question)), std::move(answer));
}

bool OcspCache::may_sign(std::string_view network, Throttle::Moment now) {
  // The network's share first: what is refused there takes nothing from the others.
  return !signatures_of_networks_.take(network, now) && !signatures_.take("all", now);
}

}  // namespace signet::authority
