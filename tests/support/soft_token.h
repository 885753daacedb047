#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "certstore/vault/token_uri.h"

namespace signet::test {

/// A token of SoftHSM's, with a directory of its own that every SoftHSM of this process looks into: the
/// module reads SOFTHSM2_CONF when it starts, so that a process has one such directory.
class SoftToken {
 public:
  /// Makes a token with this label, unless the process has it already.
  explicit SoftToken(std::string_view label);

  [[nodiscard]] vault::TokenUri uri() const { return uri(module()); }
  /// By another module, which is one in front of SoftHSM.
  [[nodiscard]] vault::TokenUri uri(const std::filesystem::path& through) const;
  /// How many private keys it holds, by the files that SoftHSM keeps them in.
  [[nodiscard]] std::size_t keys() const;
  /// As if it were pulled out, and in again.
  void take_away() const;
  void put_back() const;
  [[nodiscard]] bool is_away() const { return !std::filesystem::exists(folder_); }
  /// Where SoftHSM keeps this process's tokens, one folder each.
  [[nodiscard]] static const std::filesystem::path& tokens();
  [[nodiscard]] static const std::filesystem::path& module();
  /// With the PIN, 0600.
  [[nodiscard]] const std::filesystem::path& pin_file() const { return pin_file_; }

 private:
  std::string label_;
  std::filesystem::path pin_file_;
  std::filesystem::path folder_;  ///< SoftHSM's of this token
};

}  // namespace signet::test
