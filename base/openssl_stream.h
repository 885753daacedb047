#pragma once

#include <optional>

#include "base/openssl.h"
#include "base/stream.h"

/// Our streams as OpenSSL BIOs, so that its CMS code reads and writes without holding a message.

namespace signet {

/// A BIO that reads `source`, which must outlive it. A failing read is kept in `*error` (which must outlive
/// it too) and shows to OpenSSL as a failed read.
[[nodiscard]] BioPtr bio_reading(Source& source, std::optional<Error>& error);

/// A BIO that writes into `sink`, which must outlive it; errors as above.
[[nodiscard]] BioPtr bio_writing(Sink& sink, std::optional<Error>& error);

}  // namespace signet
