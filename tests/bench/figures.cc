#include "tests/bench/figures.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace signet::bench {
namespace {

std::string number(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  if (value >= 10) return fmt::format("{:.1f}", value);
  return fmt::format("{:.3f}", value);
}

}  // namespace

void Figures::section(std::string title) {
  table_ += fmt::format("\n{:<74}{:>10} {:<5}{:>10}{:>9}\n", title, "measured", "", "floor", "ratio");
}

void Figures::row(const std::string& name, std::string label, double value, std::string unit) {
  keep(name, value);
  table_ += fmt::format("  {:<72}{:>10} {:<5}\n", label, number(value), unit);
}

void Figures::row_with_floor(const std::string& name, std::string label, double value, std::string unit,
                             double floor, double ratio) {
  keep(name, value);
  table_ += fmt::format("  {:<72}{:>10} {:<5}{:>10}{:>9}\n", label, number(value), unit, number(floor),
                        number(ratio));
}

void Figures::keep(const std::string& name, double value) {
  if (!name.empty()) values_.emplace_back(name, value);
}

double Figures::value(const std::string& name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return value;
  return 0;
}

void Figures::print() const { fmt::print("{}\n", table_); }

Result<> Figures::write_json(const std::filesystem::path& path) const {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const auto& [name, value] : values_) all[name] = value;
  return write_file_durably(path, as_bytes(all.dump(2) + "\n"), 0644);
}

}  // namespace signet::bench
