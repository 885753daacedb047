#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_line.h"
#include "gateway/evidence/evidence_store.h"

/// Records in a row, each of which says the SHA-256 of the one before it: the audit log's lines and the
/// evidence's rows. Whoever edits one, takes one out or changes the order breaks the row at that place. What
/// no chain can show by itself is that its end was cut off, or that all of it was made anew: for that, the
/// hash of a record (a head) is kept elsewhere.

namespace signet::gateway {

/// What the first record gives as the hash of the one before it.
std::string_view no_record();

/// A record as the line that follows the one with the hash `previous`, its last field.
std::string chain_line(JsonLine record, std::string_view previous);

/// Lower-case hexadecimal SHA-256 of a line, which the next one says as its "previous".
std::string chain_hash(std::string_view line);

/// A field's text in a line; empty where there is none, or where it is no text.
std::string chain_field(std::string_view line, std::string_view name);

/// Looks at a chain from its first line to its last.
class ChainCheck {
 public:
  /// `heads` are hashes that some line has to have.
  explicit ChainCheck(std::vector<std::string> heads = {});

  /// The next line. @returns false once the chain is broken: what follows says nothing any more.
  bool next(std::string_view line);
  /// Notes a flaw; the first one counts.
  void broken(std::uint64_t line, std::string what);

  [[nodiscard]] const ChainReport& report() const { return report_; }

 private:
  std::vector<std::string> wanted_;
  ChainReport report_;
};

}  // namespace signet::gateway
