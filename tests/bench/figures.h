#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace signet::bench {

/// What was measured: a table for people, and every figure under a name that stays.
class Figures {
 public:
  /// Begins a part of the table.
  void section(std::string title);
  /// A row. `value` goes under `name`, if that is not empty, into the JSON.
  void row(const std::string& name, std::string label, double value, std::string unit);
  /// A row with its floor, and how many times the floor it is (or what share of it, when more is better).
  void row_with_floor(const std::string& name, std::string label, double value, std::string unit,
                      double floor, double ratio);
  /// A figure that is in the JSON only.
  void keep(const std::string& name, double value);
  [[nodiscard]] double value(const std::string& name) const;

  void print() const;
  /// One flat object, {"inbound.messages_per_second": 1234.5, ...}.
  Result<> write_json(const std::filesystem::path& path) const;

 private:
  std::string table_;
  std::vector<std::pair<std::string, double>> values_;
};

}  // namespace signet::bench
