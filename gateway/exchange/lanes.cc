#include "gateway/exchange/lanes.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"

namespace signet::gateway {

namespace {

/// What the jobs of a batch say about their lane together.
Lanes::Outcome outcome_of(const std::vector<LaneRunner::Finish>& finishes) {
  const auto any = [&finishes](Lanes::Outcome wanted) {
    return std::any_of(finishes.begin(), finishes.end(),
                       [wanted](const LaneRunner::Finish& finish) { return finish.outcome == wanted; });
  };
  if (any(Lanes::Outcome::Worked)) return Lanes::Outcome::Worked;
  return any(Lanes::Outcome::Failed) ? Lanes::Outcome::Failed : Lanes::Outcome::NotTried;
}

}  // namespace

// ---- Lanes

void Lanes::add(Job job) {
  Lane& lane = lanes_.try_emplace(job.lane).first->second;
  lane.name = job.lane;
  if (lane.running.contains(job.id)) return;
  unplace(lane);
  if (const auto known = lane.jobs.find(job.id); known != lane.jobs.end()) {
    job.due = std::min(job.due, known->second.due);
    remove(lane, job.id);
  }
  lane.due.emplace(job.due, job.id);
  lane.expiring.emplace(job.expires, job.id);
  lane.jobs.emplace(job.id, job);
  ++waiting_;
  place(lane);
}

Lanes::Job Lanes::remove(Lane& lane, std::string_view id) {
  const auto entry = lane.jobs.find(id);
  Job job = std::move(entry->second);
  lane.jobs.erase(entry);
  lane.due.erase({job.due, job.id});
  lane.expiring.erase({job.expires, job.id});
  --waiting_;
  return job;
}

/// When the lane may start its next job; nothing when it has none, or as many under way as it may.
std::optional<Lanes::Moment> Lanes::start_of(const Lane& lane) const {
  const std::size_t window = lane.proven ? settings_.window : 1;
  if (lane.due.empty() || lane.running.size() >= window) return std::nullopt;
  Moment start = std::max(lane.due.begin()->first, lane.last_turn);
  if (is_broken(lane)) start = std::max(start, lane.not_before);
  return start;
}

void Lanes::unplace(Lane& lane) {
  if (lane.position) ready(lane).erase({*lane.position, &lane});
  if (lane.expiry_position) expiries_.erase({*lane.expiry_position, &lane});
  lane.position.reset();
  lane.expiry_position.reset();
}

void Lanes::place(Lane& lane) {
  lane.position = start_of(lane);
  if (lane.position) ready(lane).emplace(*lane.position, &lane);
  if (!is_broken(lane) || lane.expiring.empty() || lane.expiring.begin()->first == Moment::max()) return;
  lane.expiry_position = lane.expiring.begin()->first;
  expiries_.emplace(*lane.expiry_position, &lane);
}

std::optional<Lanes::Turn> Lanes::take_expired(Moment now) {
  if (expiries_.empty() || expiries_.begin()->first > now) return std::nullopt;
  Lane& lane = *expiries_.begin()->second;
  unplace(lane);
  const std::string id = lane.expiring.begin()->second;
  Turn turn{remove(lane, id), true};
  lane.running.insert(id);
  place(lane);
  return turn;
}

Lanes::Lane* Lanes::first_ready(Moment now) {
  const auto first = [now](const Ready& ready) {
    return ready.empty() || ready.begin()->first > now ? nullptr : ready.begin()->second;
  };
  if (Lane* lane = first(sound_)) return lane;
  return doubtful_running_.size() < doubtful_limit() ? first(doubtful_) : nullptr;
}

std::optional<Lanes::Turn> Lanes::take(Moment now) {
  std::optional<Turn> turn = take_expired(now);
  if (!turn) {
    Lane* lane = first_ready(now);
    if (lane == nullptr) return std::nullopt;
    unplace(*lane);
    turn = Turn{remove(*lane, lane->due.begin()->second), false};
    lane->running.insert(turn->job.id);
    lane->last_turn = now;
    place(*lane);
    if (lane->doubtful()) doubtful_running_.insert(turn->job.id);
  }
  ++running_;
  return turn;
}

std::vector<Lanes::Turn> Lanes::take_batch(Moment now) {
  std::vector<Turn> turns;
  auto first = take(now);
  if (!first) return turns;
  Lane& lane = lanes_.find(first->job.lane)->second;
  turns.push_back(*std::move(first));
  if (!lane.proven) return turns;
  unplace(lane);
  while (turns.size() < settings_.batch && !lane.due.empty() && lane.due.begin()->first <= now) {
    turns.push_back({remove(lane, lane.due.begin()->second), false});
    lane.running.insert(turns.back().job.id);
    ++running_;
  }
  place(lane);
  return turns;
}

void Lanes::finished(const Job& job, Outcome outcome, Moment now, std::optional<Moment> again) {
  Lane& lane = lanes_.find(job.lane)->second;
  unplace(lane);
  lane.running.erase(job.id);
  --running_;
  doubtful_running_.erase(job.id);
  if (outcome == Outcome::Worked) {
    lane.failures = 0;
    lane.proven = true;
  } else if (outcome == Outcome::Failed) {
    lane.proven = false;
    ++lane.failures;
    if (is_broken(lane)) {
      const unsigned doublings = std::min(lane.failures - settings_.failures_until_broken, 20U);
      lane.not_before = now + std::min(settings_.first_pause * (1U << doublings), settings_.longest_pause);
    }
  }
  place(lane);
  // One whose time was over is not given out again before it is due: that would go round and round.
  if (again) add({job.id, job.lane, *again, job.expires <= now ? *again : job.expires});
}

std::optional<Lanes::Moment> Lanes::next() const {
  std::optional<Moment> earliest;
  const auto consider = [&earliest](const Ready& ready) {
    if (!ready.empty() && (!earliest || ready.begin()->first < *earliest)) earliest = ready.begin()->first;
  };
  consider(sound_);
  consider(expiries_);
  if (doubtful_running_.size() < doubtful_limit()) consider(doubtful_);
  return earliest;
}

std::vector<std::string> Lanes::broken() const {
  std::vector<std::string> names;
  for (const auto& [name, lane] : lanes_)
    if (is_broken(lane)) names.push_back(name);
  return names;
}

// ---- The threads

LaneRunner::LaneRunner(std::string name, LaneSettings settings, Work work)
    : LaneRunner(std::move(name), settings, [one = std::move(work)](const std::vector<Lanes::Turn>& turns) {
        return std::vector<Finish>{one(turns.front())};
      }) {}

LaneRunner::LaneRunner(std::string name, LaneSettings settings, BatchWork work)
    : name_(std::move(name)),
      most_threads_(std::max(settings.threads, 1U)),
      work_(std::move(work)),
      lanes_(settings) {
  const std::lock_guard lock(mutex_);
  grow();
}

LaneRunner::~LaneRunner() {
  stop();
  join();
}

void LaneRunner::add(std::string id, std::string lane, std::chrono::milliseconds delay,
                     std::optional<std::chrono::milliseconds> expires_in) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    lanes_.add(
        {std::move(id), std::move(lane), now + delay, expires_in ? now + *expires_in : Lanes::Moment::max()});
  }
  changed_.notify_one();
}

void LaneRunner::wait_until_idle(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  finished_.wait_for(lock, patience, [this] {
    const auto next = lanes_.next();
    const bool is_idle = lanes_.running() == 0 && (!next || *next > std::chrono::steady_clock::now());
    return stopping_ || is_idle;
  });
}

void LaneRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void LaneRunner::join() {
  const std::lock_guard joining(joining_);
  for (;;) {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    if (threads.empty()) return;
    for (std::thread& thread : threads) thread.join();
  }
}

/// One more thread, if nobody is free to look for work and there may be one more.
void LaneRunner::grow() {
  if (!stopping_ && idle_ == 0 && threads_.size() < most_threads_) threads_.emplace_back([this] { run(); });
}

std::size_t LaneRunner::waiting() const {
  const std::lock_guard lock(mutex_);
  return lanes_.waiting();
}

std::size_t LaneRunner::running() const {
  const std::lock_guard lock(mutex_);
  return lanes_.running();
}

std::vector<std::string> LaneRunner::broken() const {
  const std::lock_guard lock(mutex_);
  return lanes_.broken();
}

std::vector<LaneRunner::Finish> LaneRunner::do_jobs(const std::vector<Lanes::Turn>& turns) const {
  try {
    return work_(turns);
  } catch (const std::exception& thrown) {
    for (const Lanes::Turn& turn : turns)
      log::error("work-interrupted", {{"work", name_}, {"id", turn.job.id}, {"reason", thrown.what()}});
    return std::vector<Finish>(turns.size(), {Lanes::Outcome::NotTried, std::chrono::minutes(1)});
  }
}

void LaneRunner::finish(const std::vector<Lanes::Turn>& turns, const std::vector<Finish>& finishes) {
  const auto now = std::chrono::steady_clock::now();
  Lanes::Outcome outcome = outcome_of(finishes);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    std::optional<Lanes::Moment> again;
    if (i >= finishes.size())
      again = turns[i].job.due;
    else if (finishes[i].again_in)
      again = now + *finishes[i].again_in;
    // Once for all of them: ten that failed together are not ten failures in a row.
    lanes_.finished(turns[i].job, std::exchange(outcome, Lanes::Outcome::NotTried), now, again);
  }
}

void LaneRunner::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::vector<Lanes::Turn> turns = lanes_.take_batch(std::chrono::steady_clock::now());
    if (turns.empty()) {
      // One thread that is woken looks for all: another one is woken when there is more than it can take.
      ++idle_;
      if (const auto next = lanes_.next())
        changed_.wait_until(lock, *next);
      else
        changed_.wait(lock);
      --idle_;
      continue;
    }
    grow();
    lock.unlock();
    changed_.notify_one();
    const std::vector<Finish> finishes = do_jobs(turns);
    lock.lock();
    finish(turns, finishes);
    finished_.notify_all();
  }
}

}  // namespace signet::gateway
