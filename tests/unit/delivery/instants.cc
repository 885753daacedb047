#include "tests/unit/delivery/instants.h"

#include <mutex>
#include <utility>

#include "base/failpoint.h"

namespace {
std::mutex mutex;
std::function<void(std::string_view)> current;
}  // namespace

namespace signet {

// Linked in the place of base/failpoint.cc.
void failpoint(const char* name) noexcept {
  const std::lock_guard lock(mutex);
  if (current) current(name);
}

namespace test {

AtInstants::AtInstants(std::function<void(std::string_view)> hook) {
  const std::lock_guard lock(mutex);
  current = std::move(hook);
}

AtInstants::~AtInstants() {
  const std::lock_guard lock(mutex);
  current = nullptr;
}

}  // namespace test
}  // namespace signet
