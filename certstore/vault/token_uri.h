#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::vault {

/// Where a PKCS#11 token is, and how to get in, as an RFC 7512 URI says it:
/// "pkcs11:token=acme?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/signet/acme.pin".
class TokenUri {
 public:
  /// @param module    an absolute path: what is loaded from it runs inside of this process
  /// @param label     the token's, up to 32 octets
  /// @param pin_file  an absolute path, of a file with the user's PIN that its owner alone can read
  /// @error InvalidInput  says what is expected.
  static Result<TokenUri> of(const std::filesystem::path& module, std::string_view label,
                             const std::filesystem::path& pin_file);
  /// A URI with `token`, or other attributes of a token such as `serial`, and with `module-path` and
  /// `pin-source`. One that has the PIN itself is refused: it would stand where it does not belong.
  ///
  /// @error InvalidInput
  static Result<TokenUri> parse(std::string_view uri);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::filesystem::path& module() const { return module_; }
  [[nodiscard]] const std::filesystem::path& pin_file() const { return pin_file_; }
  /// "acme", for errors; the text where the token is named by something else than its label.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Without module and PIN file: which token it is, and not where to find it on this machine.
  [[nodiscard]] const std::string& token() const { return token_; }

  friend bool operator==(const TokenUri& a, const TokenUri& b) { return a.text_ == b.text_; }

 private:
  TokenUri() = default;
  std::string text_;
  std::string token_;
  std::string name_;
  std::filesystem::path module_;
  std::filesystem::path pin_file_;
};

}  // namespace signet::vault
