// A disk that forgets. Preloaded into a program, it keeps beside the real files what an fsync has made
// durable: a file's content as it was then, a directory's names as they were then. Whatever else the program
// wrote is gone when the power is cut (power.py puts together what is left).
//
// In the directory that SIGNET_POWER names:
//
//     <inode>.data    a file's content at its last fsync or fdatasync
//     <inode>.names   a directory's names at its last fsync, each "<inode> <d|f> <name>\0"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace {

/// Gives up rather than go on with a picture that is wrong: the row would call that a lost message.
[[noreturn]] void broken(const char* what) {
  std::perror(what);
  std::_Exit(99);
}

const char* shadow() {
  static const char* const directory = std::getenv("SIGNET_POWER");
  return directory;
}

std::string shadow_name(ino_t inode, const char* kind) {
  return std::string(shadow()) + "/" + std::to_string(inode) + kind;
}

/// Writes a shadow in one step, so that a kill leaves the old one or the new one.
class Draft {
 public:
  explicit Draft(std::string name)
      : name_(std::move(name)),
        file_(::open((name_ + "~").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (file_ < 0) broken("making a shadow");
  }
  [[nodiscard]] int file() const { return file_; }
  void finish() {
    ::close(file_);
    if (::rename((name_ + "~").c_str(), name_.c_str()) != 0) broken("keeping a shadow");
  }

 private:
  std::string name_;
  int file_;
};

void keep_content(int file, const struct stat& facts) {
  // A descriptor of our own: the program's may be write-only, and has a position.
  const int source = ::open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) broken("reading what is synced");
  Draft draft(shadow_name(facts.st_ino, ".data"));
  ssize_t count = 0;
  while ((count = ::sendfile(draft.file(), source, nullptr, 1 << 30)) != 0)
    if (count < 0) broken("copying what is synced");
  ::close(source);
  draft.finish();
}

void keep_names(int directory, const struct stat& facts) {
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = own < 0 ? nullptr : ::fdopendir(own);
  if (stream == nullptr) broken("listing what is synced");
  std::string names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = static_cast<const char*>(entry->d_name);
    struct stat found {};
    if (name == "." || name == ".." || ::fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    names += std::to_string(found.st_ino) + (S_ISDIR(found.st_mode) ? " d " : " f ") + name + '\0';
  }
  ::closedir(stream);
  Draft draft(shadow_name(facts.st_ino, ".names"));
  if (::write(draft.file(), names.data(), names.size()) != static_cast<ssize_t>(names.size()))
    broken("keeping names");
  draft.finish();
}

int keep(int file) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  struct stat facts {};
  if (::fstat(file, &facts) != 0) return -1;
  if (shadow() == nullptr) return 0;
  const int before = errno;
  if (S_ISDIR(facts.st_mode)) keep_names(file, facts);
  if (S_ISREG(facts.st_mode)) keep_content(file, facts);
  errno = before;
  return 0;
}

}  // namespace

extern "C" int fsync(int file) { return keep(file); }
extern "C" int fdatasync(int file) { return keep(file); }
