#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/stream.h"

namespace signet::gateway {

/// Writes a tar archive (POSIX.1-1988 "ustar") as it goes: the plainest form that every unpacker knows. Files
/// only, mode 0644, nobody's. Larger files than the form's 8 GiB have their size in GNU's base-256 notation.
class TarWriter {
 public:
  /// `out` outlives this.
  explicit TarWriter(Sink& out) : out_(out) {}

  /// @error InvalidInput  a name of more than 100 octets; the archive is as it was.  @error  of the sink, or
  /// of reading `octets`.
  Result<> add(std::string_view name, const Slice& octets, Time modified);
  /// The archive's end.
  Result<> finish();

 private:
  Sink& out_;
};

}  // namespace signet::gateway
