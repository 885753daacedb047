#include "gateway/operations/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/log.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::seconds kLastPatience{1};

/// Whether it is decided by this event what a message's tracking events say.
bool is_decisive(MessageEvent event) {
  switch (event) {
    case MessageEvent::Accepted:
    case MessageEvent::Refused:
    case MessageEvent::Confirmed:
    case MessageEvent::Failed:
      return true;
    case MessageEvent::Repeated:
    case MessageEvent::NotTaken:
    case MessageEvent::HeldBack:
    case MessageEvent::Delivered:
    case MessageEvent::Submitted:
      return false;
  }
  return false;
}

/// Never waits: a pipe without a reader would.
int open_to_append(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

}  // namespace

EventFile::EventFile(std::filesystem::path path, LinesOf lines_of, std::size_t longest_queue)
    : path_(std::move(path)),
      lines_of_(std::move(lines_of)),
      longest_queue_(longest_queue),
      thread_([this] { run(); }) {}

EventFile::~EventFile() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLastPatience, [this] { return waiting_.empty(); });
    dropped_ += waiting_.size();
    waiting_.clear();
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void EventFile::message(MessageEvent event, const MessageRecord& record) {
  if (is_decisive(event)) enqueue(record.id);
}

void EventFile::enqueue(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= longest_queue_) {
      ++dropped_;
      return;
    }
    waiting_.push_back(id);
  }
  changed_.notify_all();
}

void EventFile::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::deque<std::string> batch = std::exchange(waiting_, {});
    lock.unlock();
    try {
      write(batch);
    } catch (const std::exception& thrown) {
      dropped_ += batch.size();
      log::error("tracking-not-written", {{"file", path_.string()}, {"reason", thrown.what()}});
    }
    lock.lock();
    changed_.notify_all();  // whoever ends this may wait for the queue to be empty
  }
}

void EventFile::write(const std::deque<std::string>& ids) {
  std::string text;
  std::uint64_t count = 0;
  std::string trouble;
  for (const std::string& id : ids) {
    const auto lines = lines_of_(id);
    if (!lines) {
      ++dropped_;
      trouble = lines.error().detail;
      continue;
    }
    for (const std::string& line : *lines) text += line + '\n';
    ++count;
  }
  if (auto appended = append(text); !appended) {
    dropped_ += count;
    trouble = appended.error().detail;
  }
  if (!trouble.empty() && trouble != last_trouble_)
    log::error("tracking-not-written", {{"file", path_.string()}, {"reason", trouble}});
  last_trouble_ = trouble;
}

/// All of it or nothing.
Result<> EventFile::append(const std::string& lines) const {
  const FileDescriptor file(open_to_append(path_));
  const bool is_pipe = file.get() < 0 && errno == ENXIO;
  struct stat about {};
  if (is_pipe) return fail(ErrorKind::InvalidInput, path_.string() + " is not a regular file");
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0)
    return fail(errno_error("opening " + path_.string()));
  if (!S_ISREG(about.st_mode))
    return fail(ErrorKind::InvalidInput, path_.string() + " is not a regular file");
  auto written = write_all(file.get(), as_bytes(lines));
  if (!written && ::ftruncate(file.get(), about.st_size) != 0)
    return fail(errno_error(fmt::format("cutting off half a line after: {}", written.error().detail)));
  return written;
}

}  // namespace signet::gateway
