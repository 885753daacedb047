#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "as2/inspect.h"

/// What `signet inspect` found, as it is shown.

namespace signet::gateway {

/// A MIC from somewhere, held against the message.
struct MicFinding {
  std::string source;  ///< "--mic", "the receipt in mdn.http", "the store"
  as2::MicComparison comparison;
};

/// Everything that one call of `signet inspect` shows.
struct InspectReport {
  as2::Explanation message;
  std::optional<as2::Explanation> receipt;  ///< of --mdn
  std::vector<as2::MicVariant> variants;
  std::vector<MicFinding> mics;
  bool show_variants = false;  ///< also in the text; JSON always has them
  std::string payload;         ///< the part of the payload that was asked for, printable; usually empty

  [[nodiscard]] bool held() const;
};

nlohmann::ordered_json to_json(const InspectReport& report);
/// Layers indented by how deep they are, facts aligned, "!" before what is odd, and a word before each check.
std::string to_text(const InspectReport& report);

}  // namespace signet::gateway
