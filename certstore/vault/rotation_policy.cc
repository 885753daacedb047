#include "certstore/vault/rotation_policy.h"

#include <fmt/format.h>

#include "certstore/vault/word_list.h"

namespace signet::vault {
namespace {

using From = RotationTrigger::From;

constexpr std::array<Word<From>, 2> kFrom{
    {{From::Creation, "timeAfterCreate"}, {From::Expiry, "timeBeforeExpiry"}}};

constexpr std::chrono::days kShortestLife{28};
constexpr std::chrono::days kShortestDistance{7};  ///< of a rotation, from a version's creation and expiry
constexpr CalendarPeriod kUsualNotice{0, 0, 30, 0};

Result<> refuse_policy(std::string_view why) {
  return fail(ErrorKind::InvalidInput, fmt::format("the rotation policy will not do: {}", why));
}

Result<> check_rotate(const RotationTrigger& rotate, const std::optional<CalendarPeriod>& expiry_time) {
  if (shortest_length(rotate.period) < kShortestDistance)
    return refuse_policy(
        fmt::format("a key is rotated at least {} days after its creation or before its expiry, not {}",
                    kShortestDistance.count(), to_string(rotate.period)));
  if (!expiry_time) {
    if (rotate.from == From::Creation) return {};
    return refuse_policy(
        "it rotates before an expiry, so it needs an expiry time for the versions that it makes");
  }
  if (longest_length(rotate.period) + kShortestDistance <= shortest_length(*expiry_time)) return {};
  return refuse_policy(
      fmt::format("{} is not, in every month, {} days within the life of a version, which lasts {}",
                  to_string(rotate), kShortestDistance.count(), to_string(*expiry_time)));
}

}  // namespace

std::string to_string(const RotationTrigger& trigger) {
  return fmt::format("{} {}", word_of(kFrom, trigger.from), to_string(trigger.period));
}

Result<RotationTrigger> parse_rotation_trigger(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is no trigger: expected 'timeAfterCreate P60D' or 'timeBeforeExpiry P30D'",
                            printable(text)));
  RotationTrigger trigger;
  SIGNET_TRY(trigger.from, find_word(kFrom, text.substr(0, space), "trigger"));
  SIGNET_TRY(trigger.period, parse_period(text.substr(space + 1)));
  return trigger;
}

RotationPolicy default_rotation_policy() {
  RotationPolicy policy;
  policy.notify = RotationTrigger{From::Expiry, kUsualNotice};
  return policy;
}

std::string to_string(const RotationPolicy& policy) {
  std::string text;
  const auto add = [&text](std::string_view what, std::string_view value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, value);
  };
  if (policy.expiry_time) add("expiry", to_string(*policy.expiry_time));
  if (policy.rotate) add("rotate", to_string(*policy.rotate));
  if (policy.notify) add("notify", to_string(*policy.notify));
  return text.empty() ? "nothing" : text;
}

Result<> check_rotation_policy(const RotationPolicy& policy) {
  if (policy.expiry_time && shortest_length(*policy.expiry_time) < kShortestLife)
    return refuse_policy(fmt::format("a version lasts at least {} days, not {}", kShortestLife.count(),
                                     to_string(*policy.expiry_time)));
  if (policy.notify && policy.notify->from != From::Expiry)
    return refuse_policy("a notice is given some time before the expiry, not after the creation");
  if (!policy.rotate) return {};
  return check_rotate(*policy.rotate, policy.expiry_time);
}

std::optional<Time> due_time(const RotationTrigger& trigger, const KeyInfo& info) {
  if (trigger.from == From::Creation) return info.created + trigger.period;
  if (!info.attributes.expires) return std::nullopt;
  return *info.attributes.expires - trigger.period;
}

}  // namespace signet::vault
