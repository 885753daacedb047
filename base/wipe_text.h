#pragma once

#include <cstdint>
#include <string>

#include "base/secret.h"

namespace signet {

/// Overwrites a text that was a secret, in a way that no optimiser removes. For what others want as a text,
/// or give as one; what we keep is SecretBytes.
inline void wipe_text(std::string& text) {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

}  // namespace signet
