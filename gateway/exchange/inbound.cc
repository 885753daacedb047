#include "gateway/exchange/inbound.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "gateway/exchange/in_flight.h"
#include "gateway/exchange/inbound_journey_internal.h"
#include "gateway/exchange/lanes.h"

namespace signet::gateway {

/// The order of the steps.
class InboundExchange::Impl {
 public:
  Impl(InboundPorts ports, InboundOptions options)
      : ports_(std::move(ports)),
        options_(std::move(options)),
        failures_(options_.decryption_failures),
        pool_(threads(options_)),
        in_flight_([this](InFlight::Waiter waiter) { boost::asio::post(pool_, std::move(waiter)); }),
        opening_("open", {.threads = threads(options_), .window = threads(options_)},
                 [this](const Lanes::Turn& turn) { return open(turn.job.id); }) {}

  ~Impl() {
    opening_.stop();
    opening_.join();
    wait_for_commits();
    pool_.join();
    wait_for_commits();  // which the pool's last work began
  }

  Result<std::size_t> recover() {
    SIGNET_TRY(const auto works, ports_.store.waiting(MessageState::Received));
    for (const WaitingWork& work : works) {
      SIGNET_TRY(const MessageRecord record, ports_.store.find(work.id));
      take_on(record.id, record.agreement, in_flight_.claim(key_of(record), [] {}));
    }
    return works.size();
  }

  void stop() { opening_.stop(); }
  [[nodiscard]] std::size_t to_open() const { return opening_.waiting(); }

  // The whole of receiving, in order. The first step that has an outcome ends the way.
  void receive(const InboundRequest& request, const Reply& reply) {
    try {
      const auto journey = std::make_shared<Journey>(ports_, options_, failures_, request);
      if (auto outcome = journey->identify()) return finish(journey, *std::move(outcome), reply, nullptr);
      if (journey->is_in_work()) return reply(Journey::taken_answer());

      auto claim = in_flight_.claim(journey->key(), [this, request, reply] { receive(request, reply); });
      if (!claim) return;
      if (auto outcome = journey->admit())
        return finish(journey, *std::move(outcome), reply, std::move(claim));
      if (const auto wait = journey->held_back_for()) return reply(journey->try_again_in(*wait));
      if (journey->answers_first()) return answer_first(journey, reply, std::move(claim));
      finish(journey, journey->take(), reply, std::move(claim));
    } catch (const std::exception& thrown) {
      // Memory has run out, or a mistake of ours: the message was not taken, and the partner may try again.
      log::error("message-not-taken", {{"request", request.request_id}, {"reason", thrown.what()}});
      ports_.observer.message(MessageEvent::NotTaken, {});
      reply(plain_answer(503, "the message could not be taken at the moment; please send it again later",
                         request.request_id));
    }
  }

  void refuse_unread(InboundRequest request, std::string reason) {
    commit_begins();
    boost::asio::post(pool_, [this, request = std::move(request), reason = std::move(reason)] {
      try {
        const auto journey = std::make_shared<Journey>(ports_, options_, failures_, request);
        commit(*journey->turn_away_unread(reason).commit, [journey](const Result<>& stored) {
          if (stored) return journey->committed();
          static_cast<void>(journey->unavailable(stored.error()));
        });
      } catch (const std::exception& thrown) {
        log::error("message-not-taken", {{"request", request.request_id}, {"reason", thrown.what()}});
      }
      commit_ended();
    });
  }

  [[nodiscard]] std::uint64_t body_limit(const as2::mime::Headers& head) const {
    constexpr std::uint64_t kForStrangers = 256 * 1024;
    const auto claims = read_claims(head);
    const auto account = ports_.account();
    if (!claims || !account) return kForStrangers;
    const auto* agreement = (*account)->directory().find_inbound(claims->from->text(), claims->to->text());
    return agreement ? agreement->agreement.receive_agreement.limits.max_message_size : kForStrangers;
  }

 private:
  using Claim = std::shared_ptr<InFlight::Claim>;
  using JourneyPtr = std::shared_ptr<Journey>;

  static unsigned threads(const InboundOptions& options) {
    return options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  }

  static std::string key_of(const MessageRecord& record) {
    const auto id = as2::MessageId::parse(record.message_id);
    return message_key(record, id ? &*id : nullptr);
  }

  /// The answer leaves when the outcome is on disk, and not before.
  void finish(const JourneyPtr& journey, Outcome outcome, const Reply& reply, Claim claim) {
    if (!outcome.commit) return reply(std::move(outcome.answer));
    auto ended = std::make_shared<Outcome>(std::move(outcome));
    when_even(*journey, [this, journey, ended, reply, claim = std::move(claim)]() mutable {
      commit_outcome(journey, ended, reply, std::move(claim));
    });
  }

  void commit_outcome(const JourneyPtr& journey, const std::shared_ptr<Outcome>& ended, const Reply& reply,
                      Claim claim) {
    commit(*ended->commit, [this, journey, ended, reply, claim = std::move(claim)](const Result<>& stored) {
      if (stored) {
        journey->committed();
        return reply(ended->answer);
      }
      if (stored.error().kind != ErrorKind::AlreadyExists)
        return reply(journey->unavailable(stored.error()).answer);
      boost::asio::post(
          pool_, [this, journey, ended, reply, claim] { finish_repeat(journey, *ended, reply, claim); });
    });
  }

  /// The names turned out to be claimed: by another process that was first, or by a message from before the
  /// look-back, after which an id may be used again.
  void finish_repeat(const JourneyPtr& journey, Outcome outcome, const Reply& reply, const Claim& claim) {
    if (auto earlier = journey->admit()) return finish(journey, *std::move(earlier), reply, claim);
    outcome.commit->unique = false;
    finish(journey, std::move(outcome), reply, claim);
  }

  /// A message whose receipt is posted: it is answered when it is on disk as it came, however long opening it
  /// takes [RFC4130 4.2].
  void answer_first(const JourneyPtr& journey, const Reply& reply, Claim claim, bool unique = true) {
    ports_.store.commit_received(
        journey->received(), journey->wire(), unique && journey->claims_names(),
        counted([this, journey, reply, claim = std::move(claim)](const Result<>& stored) {
          if (stored) {
            take_on(journey->id(), journey->agreement(), claim);
            reply(Journey::taken_answer());
          } else if (stored.error().kind == ErrorKind::AlreadyExists) {
            boost::asio::post(pool_, [this, journey, reply, claim] {
              if (auto earlier = journey->admit()) return finish(journey, *std::move(earlier), reply, claim);
              answer_first(journey, reply, claim, false);
            });
          } else {
            reply(journey->unavailable(stored.error()).answer);
          }
        }));
  }

  /// Queues a received message for opening; repeats of it wait.
  void take_on(const std::string& id, const std::string& agreement, Claim claim) {
    {
      const std::lock_guard lock(claims_mutex_);
      claims_[id] = std::move(claim);
    }
    opening_.add(id, agreement);
  }

  LaneRunner::Finish open(const std::string& id) {
    if (ports_.is_sealed()) return {Lanes::Outcome::NotTried, kOwnTroublePause};
    std::optional<std::chrono::seconds> held_back;
    const auto done = [&]() -> Result<bool> {
      SIGNET_TRY(MessageRecord record, ports_.store.find(id));
      if (record.state != MessageState::Received) return true;
      SIGNET_TRY(WireCopy wire, ports_.store.wire(id));
      InboundRequest request{
          {}, std::move(wire.body), record.request_id, record.remote_address, record.created};
      for (auto& [name, value] : wire.headers) request.headers.add(name, value);
      const auto journey =
          std::make_shared<Journey>(ports_, options_, failures_, std::move(request), std::move(record));
      auto outcome = journey->identify();
      // Answered before its like were too many: it waits here, and holds nobody else up.
      if (!outcome && (held_back = journey->held_back_for())) return true;
      if (!outcome) outcome = journey->take();
      if (!outcome->commit) {  // our own trouble, which is in the log
        report_wait(id, journey->waits_for());
        return false;
      }
      when_even(*journey, [this, id, journey, what = *std::move(outcome->commit)]() mutable {
        commit_opened(id, journey, std::move(what));
      });
      return true;
    }();
    if (held_back) return {Lanes::Outcome::NotTried, *held_back};
    if (done && *done) return {};
    if (!done) log::error("message-not-opened", {{"id", id}, {"reason", done.error().detail}});
    return {Lanes::Outcome::NotTried, kOwnTroublePause};
  }

  void commit_opened(const std::string& id, const JourneyPtr& journey, InboundCommit what) {
    commit(std::move(what), [this, id, journey](const Result<>& stored) {
      if (stored) journey->committed();
      if (stored || stored.error().kind == ErrorKind::AlreadyExists) return let_go(id);
      static_cast<void>(journey->unavailable(stored.error()));
      opening_.add(id, journey->agreement(), kOwnTroublePause);
    });
  }

  /// Goes on at once, or, with what our keys did not decrypt, at a moment that tells nothing. No thread
  /// waits.
  void when_even(const Journey& journey, std::function<void()> go_on) {
    const auto pause = journey.pause_before_outcome();
    if (pause.count() == 0) return go_on();
    commit_begins();
    const auto timer = std::make_shared<boost::asio::steady_timer>(pool_, pause);
    timer->async_wait([this, timer, go_on = std::move(go_on)](const boost::system::error_code&) mutable {
      std::exchange(go_on, nullptr)();
      commit_ended();
    });
  }

  /// Once, and again when it waits for something else: it is tried every few seconds.
  void report_wait(const std::string& id, const std::string& reason) {
    if (reason.empty()) return;
    {
      const std::lock_guard lock(claims_mutex_);
      if (std::exchange(waiting_[id], reason) == reason) return;
    }
    log::warning("message-waits", {{"id", id}, {"reason", reason}});
  }

  void let_go(const std::string& id) {
    Claim released;  // outside of the lock: repeats are let in
    const std::lock_guard lock(claims_mutex_);
    waiting_.erase(id);
    if (const auto entry = claims_.find(id); entry != claims_.end())
      released = std::move(claims_.extract(entry).mapped());
  }

  void commit(InboundCommit what, MessageStore::Done done) {
    ports_.store.commit_inbound(std::move(what), counted(std::move(done)));
  }

  /// The store may keep what it has called for a while. What that holds, a claim among it, is let go before
  /// the commit counts as ended: all of this may be gone afterwards.
  MessageStore::Done counted(MessageStore::Done done) {
    commit_begins();
    return [this, held = std::make_shared<MessageStore::Done>(std::move(done))](Result<> stored) {
      std::exchange(*held, nullptr)(std::move(stored));
      commit_ended();
    };
  }

  void commit_begins() {
    const std::lock_guard lock(commits_mutex_);
    ++commits_;
  }

  void commit_ended() {
    const std::lock_guard lock(commits_mutex_);
    --commits_;
    commits_ended_.notify_all();
  }

  void wait_for_commits() {
    std::unique_lock lock(commits_mutex_);
    commits_ended_.wait(lock, [this] { return commits_ == 0; });
  }

  InboundPorts ports_;
  const InboundOptions options_;
  DecryptionThrottle failures_;
  boost::asio::thread_pool pool_;  ///< for what must not run on the store's committer
  InFlight in_flight_;

  std::mutex claims_mutex_;
  std::map<std::string, Claim> claims_;  ///< of the messages that were answered and are still to be opened
  std::map<std::string, std::string> waiting_;  ///< what for, by the id of such a message

  std::mutex commits_mutex_;
  std::condition_variable commits_ended_;
  std::size_t commits_ = 0;  ///< under way, and calling back

  LaneRunner opening_;  ///< last: its threads use everything above
};

InboundExchange::InboundExchange(InboundPorts ports, InboundOptions options)
    : impl_(std::make_unique<Impl>(std::move(ports), std::move(options))) {}
InboundExchange::~InboundExchange() = default;

void InboundExchange::receive(const InboundRequest& request, const Reply& reply) {
  impl_->receive(request, reply);
}
Result<std::size_t> InboundExchange::recover() { return impl_->recover(); }
void InboundExchange::stop() { impl_->stop(); }
std::size_t InboundExchange::to_open() const { return impl_->to_open(); }

void InboundExchange::refuse_unread(InboundRequest request, std::string reason) {
  impl_->refuse_unread(std::move(request), std::move(reason));
}

std::uint64_t InboundExchange::body_limit(const as2::mime::Headers& head) const {
  return impl_->body_limit(head);
}

}  // namespace signet::gateway
