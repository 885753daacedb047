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

std::string random_guid() {
  Bytes octets = random_bytes(16);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0F) | 0x40);  // version 4
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3F) | 0x80);  // the variant of RFC 9562
  std::string guid = hex_lower(octets);
  for (const std::size_t hyphen : {8U, 13U, 18U, 23U}) guid.insert(hyphen, 1, '-');
  return guid;
}

}  // namespace signet
