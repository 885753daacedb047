#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

/// The audit log as an Auditor reads it.

namespace signet::authority {

/// Which records are wanted; what is empty or absent is not asked about.
struct AuditQuery {
  std::optional<Time> from;   ///< inclusive
  std::optional<Time> until;  ///< exclusive
  std::string principal;      ///< without regard to ASCII case
  std::string operation;      ///< "approveRequest"
  std::string object;         ///< occurs in the name of what it was about: "request 3f1c..."
  std::uint64_t after = 0;    ///< number of a line: those behind it
  std::size_t size = 100;     ///< 1 to 1000
};

/// One line of the log as it is there, so that whoever has all of them can follow their chain of hashes.
struct AuditEntry {
  std::uint64_t line = 0;  ///< counts from 1
  std::string json;
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  std::optional<std::uint64_t> next;  ///< for AuditQuery::after; nothing at the end
};

/// gateway/store implements it over the file. Thread-safe.
class AuditTrail {
 public:
  virtual ~AuditTrail() = default;
  /// Looks at the whole log. @error IoFailure
  virtual Result<AuditPage> find(const AuditQuery& query) = 0;
};

}  // namespace signet::authority
