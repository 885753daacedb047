#include "base/random.h"

#include <openssl/rand.h>

#include <cstdlib>

namespace signet {

Bytes random_bytes(std::size_t count) {
  Bytes bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

std::string random_id() { return hex_lower(random_bytes(16)); }

}  // namespace signet
