#include "certstore/account/role_selection.h"

#include <fmt/format.h>

#include <algorithm>

namespace signet::certstore {
namespace {

Error none_active(const std::vector<CertificateChoice>& choices, Time now) {
  if (choices.empty())
    return {ErrorKind::NotFound, "no certificate is named for it: name one in the agreement"};
  const CertificateChoice* next = nullptr;
  for (const CertificateChoice& choice : choices) {
    const bool comes =
        choice.active_from > now && (!choice.active_until || choice.active_from < *choice.active_until);
    if (comes && (next == nullptr || choice.active_from < next->active_from)) next = &choice;
  }
  const std::string when = to_rfc3339(now);
  if (next == nullptr)
    return {
        ErrorKind::NotFound,
        fmt::format(
            "none of its {} certificates is active at {}, and none will be: name another in the agreement",
            choices.size(), when)};
  return {ErrorKind::NotFound,
          fmt::format("none of its {} certificates is active at {}; next becomes active '{}' at {}",
                      choices.size(), when, next->certificate, to_rfc3339(next->active_from))};
}

}  // namespace

Result<std::vector<CertificateChoice>> all_active(const std::vector<CertificateChoice>& choices, Time now) {
  std::vector<CertificateChoice> active;
  std::copy_if(choices.rbegin(), choices.rend(), std::back_inserter(active),
               [now](const CertificateChoice& choice) { return choice.active_at(now); });
  if (active.empty()) return fail(none_active(choices, now));
  // Stable, on the reversed list: of equals the last listed stays first.
  std::stable_sort(active.begin(), active.end(), [](const CertificateChoice& a, const CertificateChoice& b) {
    return a.active_from > b.active_from;
  });
  return active;
}

Result<CertificateChoice> newest_active(const std::vector<CertificateChoice>& choices, Time now) {
  SIGNET_TRY(std::vector<CertificateChoice> active, all_active(choices, now));
  return std::move(active.front());
}

}  // namespace signet::certstore
