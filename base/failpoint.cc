#include "base/failpoint.h"

namespace signet {

void failpoint(const char*) noexcept {}

}  // namespace signet
