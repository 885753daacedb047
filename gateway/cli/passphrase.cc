#include "gateway/cli/passphrase.h"

#include <algorithm>

#include "base/file.h"

namespace signet::gateway {

Result<SecretBytes> read_passphrase_file(const std::filesystem::path& path) {
  constexpr std::size_t kLongest = 4096;
  SIGNET_TRY(Bytes content, read_file(path, kLongest));
  const auto end =
      std::find_if(content.begin(), content.end(), [](std::uint8_t c) { return c == '\n' || c == '\r'; });
  SecretBytes secret =
      SecretBytes::copy_of(ByteView(content.data(), static_cast<std::size_t>(end - content.begin())));
  wipe(content);
  return secret;
}

}  // namespace signet::gateway
