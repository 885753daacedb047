// Preloaded into the gateway under test: counts its calls of fsync and fdatasync, in a file of eight octets
// that SIGNET_SYNC_COUNT names, and passes them on.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

using Sync = int (*)(int);

std::atomic<std::uint64_t>* counter() {
  static auto* const mapped = []() -> std::atomic<std::uint64_t>* {
    const char* path = std::getenv("SIGNET_SYNC_COUNT");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* memory = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<std::uint64_t>*>(memory);
  }();
  return mapped;
}

int counted(Sync sync, int file) {
  if (auto* count = counter()) count->fetch_add(1, std::memory_order_relaxed);
  return sync(file);
}

}  // namespace

extern "C" int fsync(int file) {
  static const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fsync"));
  return counted(real, file);
}

extern "C" int fdatasync(int file) {
  static const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fdatasync"));
  return counted(real, file);
}
