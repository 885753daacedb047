#pragma once

#include <string>

namespace signet::bench {

/// What is done to a payload: zlib, then SHA-256 and RSA-2048, then AES-256-CBC.
struct Layers {
  bool is_signed = true;
  bool is_encrypted = true;
  bool is_compressed = false;

  static constexpr Layers none() { return {false, false, false}; }

  /// "signed, encrypted", "plain".
  [[nodiscard]] std::string text() const {
    std::string text;
    const auto add = [&text](bool there, const char* word) {
      if (there) text += (text.empty() ? "" : ", ") + std::string(word);
    };
    add(is_compressed, "compressed");
    add(is_signed, "signed");
    add(is_encrypted, "encrypted");
    return text.empty() ? "plain" : text;
  }
};

}  // namespace signet::bench
