#include "gateway/lifecycle/expiry_notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/backoff.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::minutes kRound{10};
constexpr std::chrono::seconds kFirstRetry{60};
constexpr std::chrono::seconds kLongestRetry{3600};
constexpr std::chrono::hours kLongestWait{3 * 24};

std::string day(Time time) { return to_rfc3339(time).substr(0, 10); }

bool has_expired(const InventoryEntry& entry, Time now) { return entry.certificate.not_after < now; }

std::string places_of(const InventoryEntry& entry) {
  std::vector<std::string> texts;
  for (const CertificatePlace& place : entry.places)
    texts.push_back(fmt::format("{} {}", to_string(place.kind), place.name));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string id_of(const ExpiryNotice& notice) {
  return fmt::format("expiry.{}.{}", notice.thumbprint, notice.days);
}

std::string subject_of(const InventoryEntry& entry, Time now) {
  return fmt::format("Certificate {} {} on {}", entry.places.front().name,
                     has_expired(entry, now) ? "expired" : "expires", day(entry.certificate.not_after));
}

std::string text_of(const InventoryEntry& entry, Time now) {
  const CertificateSummary& certificate = entry.certificate;
  std::string text = has_expired(entry, now)
                         ? "The certificate has expired, and what is listed below still goes by it.\n"
                         : fmt::format(
                               "The certificate comes to its end in {} days, and what is listed below still "
                               "goes by it then.\n",
                               static_cast<long>(std::floor(entry.days_left(now))));
  text += entry.has_key
              ? "It is ours: make its successor, give that to the partners, and plan the change.\n\n"
              : "It is somebody else's: ask them for its successor, and plan the change.\n\n";
  text += fmt::format(
      "subject      {}\nissuer       {}\nserial       {}\nexpires      {}\nSHA-256      {}\nkept in      "
      "{}\n",
      printable_line(certificate.subject, 300), printable_line(certificate.issuer, 300), certificate.serial,
      to_rfc3339(certificate.not_after), certificate.thumbprint_sha256, places_of(entry));
  for (const CertificateTask& task : entry.tasks)
    text += fmt::format("used by      {}: {}{}\n", task.by, task.role,
                        task.until ? " until " + to_rfc3339(*task.until) : "");
  return text + "\n'signet rollover plan --help' says how one certificate takes the place of another.\n";
}

/// A CloudEvent (version 1.0, JSON format).
std::string event_of(const ExpiryNotice& notice, const InventoryEntry& entry, Time now) {
  const CertificateSummary& certificate = entry.certificate;
  nlohmann::ordered_json places = nlohmann::ordered_json::array();
  for (const CertificatePlace& place : entry.places)
    places.push_back({{"kind", to_string(place.kind)}, {"name", place.name}});
  nlohmann::ordered_json tasks = nlohmann::ordered_json::array();
  for (const CertificateTask& task : entry.tasks) tasks.push_back({{"by", task.by}, {"role", task.role}});
  const nlohmann::ordered_json event{
      {"specversion", "1.0"},
      {"id", id_of(notice)},
      {"source", "/certificates"},
      {"type", has_expired(entry, now) ? "Signet.CertificateExpired" : "Signet.CertificateNearExpiry"},
      {"subject", entry.places.front().name},
      {"time", to_rfc3339(notice.queued)},
      {"datacontenttype", "application/json"},
      {"data",
       {{"thumbprintSha256", notice.thumbprint},
        {"subject", certificate.subject},
        {"notAfter", to_rfc3339(certificate.not_after)},
        {"daysLeft", static_cast<long>(std::floor(entry.days_left(now)))},
        {"notice", notice.days},
        {"owner", entry.has_key ? "us" : "other"},
        {"places", std::move(places)},
        {"uses", std::move(tasks)}}}};
  return event.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

const InventoryEntry* find(const std::vector<InventoryEntry>& inventory, const std::string& thumbprint) {
  const auto found = std::find_if(inventory.begin(), inventory.end(), [&](const InventoryEntry& entry) {
    return entry.certificate.thumbprint_sha256 == thumbprint;
  });
  return found == inventory.end() ? nullptr : &*found;
}

}  // namespace

std::optional<unsigned> due_notice(const CertificateSummary& certificate, const std::vector<unsigned>& days,
                                   Time now) {
  const Time half = certificate.not_before + (certificate.not_after - certificate.not_before) / 2;
  std::optional<unsigned> due;
  for (const unsigned number : days) {
    const Time begins = std::max(half, certificate.not_after - std::chrono::days(number));
    if (begins <= now && (!due || number < *due)) due = number;
  }
  return due;
}

bool ExpiryNotices::can_tell() const {
  return ports_.ways.webhook || (ports_.ways.mail && !settings_.contacts.empty());
}

void ExpiryNotices::work() {
  if (!can_tell()) return;  // and nothing is taken for told
  const Time now = ports_.clock.now();
  const bool has_jumped_back = now < last_round_;
  if (now < next_round_ && !has_jumped_back) return;
  last_round_ = now;
  next_round_ = now + kRound;
  const auto done = round();
  if (!done) log::error("expiry-notices-not-told", {{"reason", done.error().detail}});
  for (const auto& [key, turn] : turns_) next_round_ = std::min(next_round_, turn.due);
  if (done && !*done) next_round_ = std::max(next_round_, ports_.clock.now() + kFirstRetry);
}

/// Ends at the first that cannot be told: the others would wait for the same server, and so would whatever
/// else this thread has to do. Those that failed least often come first, so that none is for ever behind
/// another one.
Result<bool> ExpiryNotices::round() {
  const Time now = ports_.clock.now();
  SIGNET_TRY(const std::vector<InventoryEntry> inventory, ports_.inventory());
  SIGNET_CHECK(queue_due(inventory, now));
  SIGNET_TRY(std::vector<ExpiryNotice> notices, ports_.store.notices());
  const auto failures = [&](const ExpiryNotice& notice) {
    const auto turn = turns_.find({notice.thumbprint, notice.days});
    return turn == turns_.end() ? 0U : turn->second.failures;
  };
  std::stable_sort(notices.begin(), notices.end(),
                   [&](const ExpiryNotice& a, const ExpiryNotice& b) { return failures(a) < failures(b); });
  for (const ExpiryNotice& notice : notices)
    if (!notice.settled && !settle(notice, find(inventory, notice.thumbprint), now)) return false;
  return true;
}

/// One notice that is due makes those for more days superfluous, whether or not they were told.
Result<> ExpiryNotices::queue_due(const std::vector<InventoryEntry>& inventory, Time now) {
  SIGNET_TRY(const std::vector<ExpiryNotice> known, ports_.store.notices());
  std::map<std::string, unsigned> told;  // the least days that there is a notice for
  for (const ExpiryNotice& notice : known) {
    const auto [least, first] = told.try_emplace(notice.thumbprint, notice.days);
    if (!first) least->second = std::min(least->second, notice.days);
  }
  std::vector<ExpiryNotice> fresh;
  for (const InventoryEntry& entry : inventory) {
    if (!entry.is_missed(now)) continue;
    const auto due = due_notice(entry.certificate, settings_.days, now);
    if (!due) continue;
    const std::string& thumbprint = entry.certificate.thumbprint_sha256;
    if (const auto least = told.find(thumbprint); least != told.end() && least->second <= *due) continue;
    fresh.push_back({thumbprint, *due, now, false, false});
  }
  if (fresh.empty()) return {};
  return ports_.store.queue(fresh);
}

/// @return false where it could not be told
bool ExpiryNotices::settle(ExpiryNotice notice, const InventoryEntry* entry, Time now) {
  const Key key{notice.thumbprint, notice.days};
  if (entry == nullptr || !entry->is_missed(now)) {
    notice.settled = true;
    turns_.erase(key);
    if (const auto kept = ports_.store.put(notice); !kept)
      log::error("expiry-notices-not-told", {{"reason", kept.error().detail}});
    return true;
  }
  if (const auto turn = turns_.find(key); turn != turns_.end() && now < turn->second.due) return true;
  const auto told = tell(notice, *entry, now);
  if (told)
    turns_.erase(key);
  else
    postpone(notice, *entry, told.error(), now);
  return told.has_value();
}

Result<> ExpiryNotices::tell(ExpiryNotice& notice, const InventoryEntry& entry, Time now) {
  if (!notice.mailed) SIGNET_CHECK(mail(notice, entry, now));
  SIGNET_CHECK(post_notice(ports_.ways, ports_.clock.now(), id_of(notice), event_of(notice, entry, now)));
  notice.settled = true;
  SIGNET_CHECK(ports_.store.put(notice));
  log::info("expiry-notice-told", {{"certificate", entry.name()},
                                   {"thumbprint", notice.thumbprint},
                                   {"days", std::to_string(notice.days)}});
  return {};
}

Result<> ExpiryNotices::mail(ExpiryNotice& notice, const InventoryEntry& entry, Time now) {
  if (settings_.contacts.empty() || !ports_.ways.mail) return {};
  SIGNET_CHECK(ports_.ways.mail(
      {settings_.contacts, subject_of(entry, now), text_of(entry, now), id_of(notice), notice.queued}));
  notice.mailed = true;
  return ports_.store.put(notice);
}

void ExpiryNotices::postpone(ExpiryNotice& notice, const InventoryEntry& entry, const Error& error,
                             Time now) {
  const Key key{notice.thumbprint, notice.days};
  Turn& turn = turns_.try_emplace(key, Turn{now, now, 0}).first->second;
  const bool give_up = now > turn.first_failed + kLongestWait;
  log::write(
      give_up ? log::Level::Error : log::Level::Warning,
      give_up ? "expiry-notice-given-up" : "expiry-notice-delayed",
      {{"certificate", entry.name()}, {"days", std::to_string(notice.days)}, {"reason", error.detail}});
  notice.settled = give_up;
  if (give_up && ports_.store.put(notice)) {
    turns_.erase(key);
    return;
  }
  turn.due = now + doubled(kFirstRetry, kLongestRetry, ++turn.failures);
}

}  // namespace signet::gateway
