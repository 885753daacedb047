#include "gateway/endpoint/request_queue.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>

#include "base/log.h"

namespace signet::gateway {

namespace {

/// Octets of the largest body that is small.
constexpr std::uint64_t kLargestSmall = 1024 * 1024;

/// A thread that yields to those that do not: with this niceness it gets a tenth of what they get.
void yield_to_others() {
  constexpr int kNiceness = 10;
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness));
}

}  // namespace

RequestQueue::RequestQueue(HttpHandler& handler, std::size_t limit, unsigned workers)
    : handler_(handler), limit_(limit) {
  for (unsigned i = 0; i < workers; ++i) {
    workers_.emplace_back([this] { work(small_); });
    workers_.emplace_back([this] {
      yield_to_others();
      work(large_);
    });
  }
}

RequestQueue::~RequestQueue() { stop(); }

bool RequestQueue::offer(HttpRequest& request, std::shared_ptr<Responder::Target> target) {
  Line& line = request.body.size() > kLargestSmall ? large_ : small_;
  {
    const std::lock_guard lock(mutex_);
    if (is_full()) return false;
    line.jobs.push_back({std::move(request), Responder(std::move(target))});
  }
  line.changed.notify_one();
  return true;
}

bool RequestQueue::full() const {
  const std::lock_guard lock(mutex_);
  return is_full();
}

std::size_t RequestQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return small_.jobs.size() + large_.jobs.size();
}

void RequestQueue::stop() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Line* line : {&small_, &large_})
      std::move(line->jobs.begin(), line->jobs.end(), std::back_inserter(left));
    small_.jobs.clear();
    large_.jobs.clear();
  }
  small_.changed.notify_all();
  large_.changed.notify_all();
  for (Job& job : left)
    job.responder.respond(handler_.on_refusal(503, "the gateway is shutting down", job.request.request_id));
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void RequestQueue::work(Line& line) {
  for (;;) {
    std::unique_lock lock(mutex_);
    line.changed.wait(lock, [&] { return stopping_ || !line.jobs.empty(); });
    if (line.jobs.empty()) return;
    Job job = std::move(line.jobs.front());
    line.jobs.pop_front();
    lock.unlock();
    serve(std::move(job));
  }
}

void RequestQueue::serve(Job job) {
  const std::string request_id = job.request.request_id;
  try {
    handler_.on_request(std::move(job.request), std::move(job.responder));
  } catch (const std::exception& exception) {
    // The responder went with the exception, so the peer has its 500.
    log::error("http-handler-failed", {{"request", request_id}, {"reason", exception.what()}});
  }
}

SideThread::SideThread() : thread_([this] { work(); }) {}

SideThread::~SideThread() { stop(); }

void SideThread::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void SideThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SideThread::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job();
    } catch (const std::exception& thrown) {
      log::error("side-job-given-up", {{"reason", thrown.what()}});
    }
  }
}

}  // namespace signet::gateway
