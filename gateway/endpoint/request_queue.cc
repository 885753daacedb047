#include "gateway/endpoint/request_queue.h"

#include <exception>

#include "base/log.h"

namespace signet::gateway {

RequestQueue::RequestQueue(HttpHandler& handler, std::size_t limit, unsigned workers)
    : handler_(handler), limit_(limit) {
  for (unsigned i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

RequestQueue::~RequestQueue() { stop(); }

bool RequestQueue::offer(HttpRequest& request, Responder& responder) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= limit_) return false;
    jobs_.push_back({std::move(request), std::move(responder)});
  }
  changed_.notify_one();
  return true;
}

std::size_t RequestQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void RequestQueue::stop() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(jobs_);
  }
  changed_.notify_all();
  for (Job& job : left)
    job.responder.respond(text_response(503, "the gateway is shutting down", job.request.request_id));
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void RequestQueue::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
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
