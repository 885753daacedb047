#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/endpoint/http_server.h"

/// Complete requests on their way to the workers. Internal to the module.

namespace signet::gateway {

/// Large requests, of more than a mebibyte, have a line and workers of their own, which leave the processors
/// to the others first: a gigabyte takes seconds, and the orders behind it are small.
class RequestQueue {
 public:
  /// Starts `workers` threads for small requests and as many for large ones, which hand them to `handler`.
  /// `limit` is of all that wait.
  RequestQueue(HttpHandler& handler, std::size_t limit, unsigned workers);
  ~RequestQueue();
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  /// Takes the request when there is room for it, to be answered to `target`; leaves both as they are when
  /// there is not.
  bool offer(HttpRequest& request, std::shared_ptr<Responder::Target> target);
  /// Whether offer() would take nothing now.
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::size_t waiting() const;

  /// Answers what still waits by 503, waits for the workers to finish what they are at, and ends them. Once.
  void stop();

 private:
  struct Job {
    HttpRequest request;
    Responder responder;
  };
  struct Line {
    std::condition_variable changed;
    std::deque<Job> jobs;
  };
  [[nodiscard]] bool is_full() const {
    return stopping_ || small_.jobs.size() + large_.jobs.size() >= limit_;
  }
  void work(Line& line);
  void serve(Job job);

  HttpHandler& handler_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  Line small_;
  Line large_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

/// One thread that does small jobs in their order: the writing of large bodies, so that a busy disk never
/// holds up the threads that all connections share. A job that throws is logged, and the next one has its
/// turn.
class SideThread {
 public:
  SideThread();
  ~SideThread();
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  void post(std::function<void()> job);
  /// Does what was posted, then ends the thread; later jobs are dropped.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace signet::gateway
