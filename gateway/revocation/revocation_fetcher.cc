#include "gateway/revocation/revocation_fetcher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "base/backoff.h"
#include "base/log.h"
#include "base/random.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kTick{1};
/// How often it is looked what time alone has changed: a list that has ended, a clock that was set.
constexpr std::chrono::seconds kLookPause{30};
/// A list that ends so soon, and no new one came: there is time for somebody to do something.
constexpr std::chrono::hours kWarning{24};

bool is_any_allowed(const std::vector<std::string>& urls, const AllowedUrls& allowed) {
  return std::any_of(urls.begin(), urls.end(), [&](const std::string& url) { return allowed.has_url(url); });
}

/// Of the job that fetches from there.
std::string id_of(const RevocationOrigin& origin) { return origin.first + " " + origin.second; }

/// The server whose fault it is when nothing comes.
std::string lane_of(const WantedList& wanted, const AllowedUrls& allowed) {
  for (const std::string& url : wanted.urls)
    if (allowed.has_url(url))
      if (const auto parts = parse_url(url)) return parts->host;
  return "";
}

const RevocationSource* find_source(const std::vector<RevocationSource>& sources, const WantedList& wanted) {
  const RevocationOrigin origin = wanted.origin();
  const auto found = std::find_if(sources.begin(), sources.end(), [&](const RevocationSource& source) {
    return origin_of(source) == origin;
  });
  return found == sources.end() ? nullptr : &*found;
}

milliseconds until(Time moment, Time now) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(moment - now));
}

}  // namespace

Time next_fetch(const FetchTimes& times, const std::optional<RevocationSource>& source,
                const std::optional<Time>& until, double dice) {
  if (!source) return Time();
  milliseconds wait{0};
  if (source->failures > 0) {
    wait = doubled(times.first_retry, times.longest_retry, source->failures);
  } else if (until) {
    wait = std::chrono::duration_cast<milliseconds>(*until - source->tried) / 2;
    wait = std::clamp(wait, times.shortest_wait, times.longest_wait);
  } else {
    wait = times.shortest_wait;  // it was taken, and an operator has removed it
  }
  return source->tried + std::chrono::duration_cast<milliseconds>(wait * (1.0 - 0.2 * dice));
}

RevocationFetcher::RevocationFetcher(Ports ports, AllowedUrls allowed, FetchTimes times)
    : ports_(std::move(ports)),
      times_(times),
      nonce_(random_id()),
      allowed_(std::move(allowed)),
      lanes_("crl", {.threads = 8, .window = 1}, [this](const Lanes::Turn& turn) { return fetch(turn); }) {}

RevocationFetcher::~RevocationFetcher() {
  stop();
  join();
}

void RevocationFetcher::start() {
  ports_.lists.expect_fetching(ports_.fetch.clock.now());
  look_around();  // what is at hand is known before the first message
  thread_ = std::thread([this] { run(); });
}

void RevocationFetcher::allow(AllowedUrls allowed) {
  const std::lock_guard lock(mutex_);
  if (allowed_ == allowed) return;
  allowed_ = std::move(allowed);
  replan_ = true;
}

AllowedUrls RevocationFetcher::allowed() const {
  const std::lock_guard lock(mutex_);
  return allowed_;
}

void RevocationFetcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ends_.notify_all();
  lanes_.stop();
}

void RevocationFetcher::join() {
  if (thread_.joinable()) thread_.join();
  lanes_.join();
}

void RevocationFetcher::run() {
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, kTick, [this] { return stopping_; })) {
    lock.unlock();
    look_around();
    lock.lock();
  }
}

/// Takes up what another process has put into the store, and plans anew where anything has changed.
void RevocationFetcher::look_around() {
  const auto account = ports_.account();
  if (!account) return;  // whoever needs it says so
  if (const auto reloaded = ports_.lists.reload(); !reloaded)
    return log::error("revocation-lists-not-read", {{"reason", reloaded.error().detail}});
  const auto generation = ports_.fetch.store.generation();
  const Time now = ports_.fetch.clock.now();
  const std::uint64_t servers = ports_.lists.servers_generation();
  bool look = planned_ != *account || servers != planned_servers_ ||
              (generation && *generation != planned_lists_) || now < looked_ || looked_ + kLookPause <= now;
  {
    const std::lock_guard lock(mutex_);
    look = std::exchange(replan_, false) || look;
  }
  if (!look) return;
  looked_ = now;
  planned_ = *account;
  planned_lists_ = generation.value_or(0);
  planned_servers_ = servers;
  if (const auto planned = plan(*account); !planned)
    return log::error("revocation-lists-not-planned", {{"reason", planned.error().detail}});
  report_changes(*account);
}

Result<> RevocationFetcher::plan(const std::shared_ptr<const AccountSnapshot>& account) {
  const Time now = ports_.fetch.clock.now();
  const AllowedUrls allowed = this->allowed();
  SIGNET_TRY(const auto sources, ports_.fetch.store.sources());
  const std::vector<WantedList> wanted = wanted_lists(account, ports_.lists, now);
  std::map<std::string, WantedList, std::less<>> plan;
  RevocationOrigins origins;
  struct Job {
    std::string id;
    std::string lane;
    milliseconds delay;
  };
  std::vector<Job> jobs;
  for (const WantedList& one : wanted) {
    const std::string lane = lane_of(one, allowed);
    if (lane.empty()) continue;
    const RevocationSource* source = find_source(sources, one);
    origins.emplace(one.origin(), source == nullptr ? std::nullopt : std::optional(source->tried));
    // What was tried in the future was tried before somebody set the clock back.
    const auto known =
        source == nullptr || now + kIssuersClockAhead < source->tried ? std::nullopt : std::optional(*source);
    const std::string id = id_of(one.origin());
    jobs.push_back({id, lane, until(next_fetch(times_, known, one.until, dice(id)), now)});
    plan.emplace(id, one);
  }
  for (const RevocationSource& source : sources)
    if (!plan.contains(id_of(origin_of(source))))
      SIGNET_CHECK(ports_.fetch.store.remove_source(source.authority, source.urls));
  {
    const std::lock_guard lock(mutex_);
    plan_ = std::move(plan);
  }
  ports_.lists.expect(account, std::move(origins));
  // For one that has no place to come from, the reason is known without asking.
  for (const WantedList& one : wanted)
    if (lane_of(one, allowed).empty())
      if (const auto refused = fetch_list(ports_.fetch, allowed, one.urls, one.issuer, one.subjects);
          !refused)
        ports_.lists.note(one.origin(), refused.error().detail, now);
  for (Job& job : jobs) lanes_.add(std::move(job.id), std::move(job.lane), job.delay);
  return {};
}

/// The same for a list as long as the process lives, so that planning anew moves nothing.
double RevocationFetcher::dice(const std::string& id) const {
  return static_cast<double>(std::hash<std::string>{}(id + nonce_) % 256) / 255.0;
}

std::optional<WantedList> RevocationFetcher::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = plan_.find(id);
  return found == plan_.end() ? std::nullopt : std::optional(found->second);
}

LaneRunner::Finish RevocationFetcher::fetch(const Lanes::Turn& turn) {
  const auto wanted = find(turn.job.id);
  if (!wanted) return {Lanes::Outcome::NotTried, std::nullopt};  // nobody looks into it any more
  const auto taken = fetch_list(ports_.fetch, allowed(), wanted->urls, wanted->issuer, wanted->subjects);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return {Lanes::Outcome::NotTried, std::nullopt};
  }
  RevocationSource source{wanted->authority, wanted->joined_urls(), ports_.fetch.clock.now(), 0, {}};
  std::optional<Time> ends = wanted->until;
  if (taken) {
    ends = taken->list.list.next_update();
    log::write(taken->change == RevocationStore::Change::Taken ? log::Level::Info : log::Level::Debug,
               "revocation-list-taken",
               {{"issuer", wanted->issuer.subject()},
                {"number", taken->list.list.number()},
                {"entries", std::to_string(taken->list.list.entries().size())},
                {"next_update", to_rfc3339(*ends)},
                {"url", url_for_people(taken->list.source)}});
  } else {
    const auto sources = ports_.fetch.store.sources();
    const RevocationSource* before = sources ? find_source(*sources, *wanted) : nullptr;
    source.failures = 1 + (before == nullptr ? 0 : before->failures);
    source.reason = taken.error().detail;
    log::warning("revocation-list-not-fetched",
                 {{"issuer", wanted->issuer.subject()},
                  {"until", wanted->until ? to_rfc3339(*wanted->until) : ""},
                  {"failures", std::to_string(source.failures)},
                  {"certificates", fmt::format("{}", fmt::join(wanted->certificates, ", "))},
                  {"reason", source.reason}});
  }
  if (const auto noted = ports_.fetch.store.put_source(source); !noted)
    log::error("revocation-source-not-noted", {{"reason", noted.error().detail}});
  if (const auto reloaded = ports_.lists.reload(); !reloaded)
    log::error("revocation-lists-not-read", {{"reason", reloaded.error().detail}});
  ports_.lists.note(wanted->origin(), source.reason, source.tried);
  return {taken ? Lanes::Outcome::Worked : Lanes::Outcome::NotTried,
          until(next_fetch(times_, source, ends, dice(turn.job.id)), ports_.fetch.clock.now())};
}

/// What an operator has to know, once.
void RevocationFetcher::report_changes(const std::shared_ptr<const AccountSnapshot>& account) {
  const Time now = ports_.fetch.clock.now();
  std::map<std::string, RevocationStatus, std::less<>> standings;
  for (const RevocationStanding& standing : revocation_standings(account, ports_.lists, now)) {
    standings.emplace(standing.certificate, standing.status);
    const std::string agreements = fmt::format("{}", fmt::join(standing.agreements, ", "));
    const auto before = reported_standings_.find(standing.certificate);
    if (before != reported_standings_.end() && before->second == standing.status) continue;
    if (standing.status == RevocationStatus::Revoked)
      log::error(
          "certificate-revoked",
          {{"certificate", standing.certificate}, {"agreements", agreements}, {"reason", standing.reason}});
    else if (standing.status == RevocationStatus::Unknown)
      log::warning(
          "revocation-unknown",
          {{"certificate", standing.certificate}, {"agreements", agreements}, {"reason", standing.reason}});
  }
  reported_standings_ = std::move(standings);
  report_endings(account);
}

/// A list that nothing new is fetched for, whether the certificate's own or one further up.
void RevocationFetcher::report_endings(const std::shared_ptr<const AccountSnapshot>& account) {
  const Time now = ports_.fetch.clock.now();
  const AllowedUrls allowed = this->allowed();
  std::map<RevocationOrigin, Time> warned_of;
  for (const auto& [name, agreements] : certificates_looked_up(account->account(), now)) {
    const auto certificate = account->certificate(name);
    if (!certificate) continue;
    for (const RevocationLink& link : ports_.lists.links_of(*certificate, account)) {
      if (!link.list || is_any_allowed(link.urls, allowed)) continue;
      const Time until = link.list->next_update();
      if (until < now || now + kWarning <= until) continue;
      const RevocationOrigin origin = origin_of(link);
      const auto before = warned_of_.find(origin);
      const bool is_known =
          warned_of.contains(origin) || (before != warned_of_.end() && before->second == until);
      warned_of[origin] = until;
      if (is_known) continue;
      log::warning("revocation-list-ends-soon",
                   {{"certificate", name},
                    {"agreements", fmt::format("{}", fmt::join(agreements, ", "))},
                    {"issuer", link.issuer.subject()},
                    {"until", to_rfc3339(until)},
                    {"reason", fmt::format("'{}' names no address that crl-allow-url allows, to fetch a new "
                                           "one from: allow one, or import the list, by 'signet crl import "
                                           "FILE'",
                                           printable(link.subject.subject()))}});
    }
  }
  warned_of_ = std::move(warned_of);
}

}  // namespace signet::gateway
