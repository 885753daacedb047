#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Work that waits for its moment, in lanes: one lane for each partner, so that a partner who is dead, slow
/// or refuses never holds up the others.

namespace signet::gateway {

/// After how long a job is tried again that our own disk or vault said no to.
inline constexpr std::chrono::seconds kOwnTroublePause{5};

struct LaneSettings {
  unsigned threads = 32;  ///< jobs at once, over all lanes; threads are made when they are needed
  unsigned window = 4;    ///< jobs at once in a lane whose last one worked; any other lane has one at a time
  unsigned batch =
      1;  ///< jobs that one turn may take in a lane whose last one worked; any other lane gives one
  unsigned failures_until_broken = 3;  ///< in a row; from then on a lane is only probed
  std::chrono::milliseconds first_pause{
      1000};  ///< before a broken lane's first probe; doubles with each that fails
  std::chrono::milliseconds longest_pause{60'000};  ///< the doubling ends here
};

/// Whose turn it is. The logic without its threads: time comes in as a parameter. For one thread at a time.
///
/// A lane is *proven* when its last job worked, and *doubtful* when it failed. Doubtful lanes share at most
/// half of the threads, so that any number of dead partners leaves the other half to the living. A lane is
/// *broken* after some failures in a row (a circuit breaker): its jobs then wait for the lane, which lets one
/// through now and then to see whether the partner is back.
class Lanes {
 public:
  using Moment = std::chrono::steady_clock::time_point;  ///< monotonic: a change of the clock moves nothing

  struct Job {
    std::string id;
    std::string lane;
    Moment due{};
    Moment expires =
        Moment::max();  ///< a job that waits for a broken lane beyond this is given out to be ended
  };
  /// A job whose turn it is.
  struct Turn {
    Job job;
    bool expired = false;  ///< not to be tried any more: its lane is broken, and its time is over
  };
  /// What became of it.
  enum class Outcome {
    Worked,
    Failed,    ///< by the lane's fault
    NotTried,  ///< says nothing about the lane
  };

  explicit Lanes(LaneSettings settings = {}) : settings_(settings) {}

  /// Notes a job. One that waits already becomes due at the earlier of both moments; one that is being done
  /// is not noted.
  void add(Job job);
  /// The next job that may start at `now`, if there is one. It is being done until finished().
  std::optional<Turn> take(Moment now);
  /// The same, and what else is due in its lane, in order, for those who do several jobs together. They begin
  /// as one: the window does not count those behind the first. Empty: nothing may start.
  std::vector<Turn> take_batch(Moment now);
  /// `again`: the same job is due again then.
  void finished(const Job& job, Outcome outcome, Moment now, std::optional<Moment> again);
  /// The earliest moment at which take() may have something, going by what is known now; nothing when only
  /// finished() or add() can change that.
  [[nodiscard]] std::optional<Moment> next() const;

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t running() const { return running_; }
  /// The lanes that are broken now.
  [[nodiscard]] std::vector<std::string> broken() const;

 private:
  struct Lane {
    std::string name;
    std::set<std::pair<Moment, std::string>> due;       ///< waiting jobs by moment
    std::set<std::pair<Moment, std::string>> expiring;  ///< the same, by the end of their time
    std::map<std::string, Job, std::less<>> jobs;       ///< the same, by id
    std::set<std::string, std::less<>> running;
    unsigned failures = 0;  ///< in a row
    bool proven = false;
    [[nodiscard]] bool doubtful() const { return failures > 0; }
    Moment not_before{};  ///< while broken: the next probe
    Moment last_turn{};
    std::optional<Moment> position;         ///< in ready_
    std::optional<Moment> expiry_position;  ///< in expiries_
  };
  using Ready = std::set<std::pair<Moment, Lane*>>;

  [[nodiscard]] bool is_broken(const Lane& lane) const {
    return lane.failures >= settings_.failures_until_broken;
  }
  [[nodiscard]] unsigned doubtful_limit() const { return settings_.threads < 2 ? 1 : settings_.threads / 2; }
  [[nodiscard]] std::optional<Moment> start_of(const Lane& lane) const;
  Ready& ready(const Lane& lane) { return lane.doubtful() ? doubtful_ : sound_; }
  void unplace(Lane& lane);
  void place(Lane& lane);
  Job remove(Lane& lane, std::string_view id);
  std::optional<Turn> take_expired(Moment now);
  Lane* first_ready(Moment now);

  const LaneSettings settings_;
  std::map<std::string, Lane, std::less<>> lanes_;
  Ready sound_;     ///< lanes that may start a job, by when; the longest without a turn first
  Ready doubtful_;  ///< the same, of the doubtful ones
  Ready expiries_;  ///< broken lanes, by the end of the first job's time
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  std::set<std::string, std::less<>>
      doubtful_running_;  ///< the jobs being done whose lane was doubtful when they began
};

/// Does the jobs of lanes on threads of its own.
class LaneRunner {
 public:
  struct Finish {
    Lanes::Outcome outcome = Lanes::Outcome::Worked;
    std::optional<std::chrono::milliseconds> again_in;  ///< the same job once more, so much later
  };
  /// Does one job; called on several threads at once. What it throws counts as not tried, and is tried again
  /// in a minute.
  using Work = std::function<Finish(const Lanes::Turn&)>;
  /// Does a batch of one lane's jobs, and answers for each, in their order. Those at the end that it does not
  /// answer for were not begun, and wait as before, in the order that they had.
  ///
  /// A batch says one thing about its lane: it works if a job of it did, and else has failed if one did.
  using BatchWork = std::function<std::vector<Finish>(const std::vector<Lanes::Turn>&)>;

  LaneRunner(std::string name, LaneSettings settings, Work work);
  LaneRunner(std::string name, LaneSettings settings, BatchWork work);
  /// As stop() and join().
  ~LaneRunner();
  LaneRunner(const LaneRunner&) = delete;
  LaneRunner& operator=(const LaneRunner&) = delete;

  /// Notes a job that is due in `delay`.
  void add(std::string id, std::string lane, std::chrono::milliseconds delay = {},
           std::optional<std::chrono::milliseconds> expires_in = std::nullopt);
  /// Waits until nothing is being done and nothing is due, or stop(); for at most `patience`.
  void wait_until_idle(std::chrono::milliseconds patience);
  /// Lets no further job begin. Those that are being done go on. Idempotent.
  void stop();
  /// Waits for what is being done, after stop(). Idempotent.
  void join();

  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::vector<std::string> broken() const;

 private:
  void run();
  void grow();
  std::vector<Finish> do_jobs(const std::vector<Lanes::Turn>& turns) const;
  void finish(const std::vector<Lanes::Turn>& turns, const std::vector<Finish>& finishes);

  const std::string name_;
  const unsigned most_threads_;
  const BatchWork work_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable finished_;
  Lanes lanes_;
  bool stopping_ = false;
  std::size_t idle_ = 0;  ///< threads that wait for something to do
  std::mutex joining_;
  std::vector<std::thread> threads_;
};

}  // namespace signet::gateway
