#include "gateway/cli/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "certstore/vault/secret.h"

namespace signet::gateway {
namespace {

/// Reads to the end, into wiped memory alone.
Result<SecretBytes> read_all(int file, const std::string& name) {
  SecretBytes buffer(vault::kMaxSecretSize + 3);  // a line end, and one octet to see that there are too many
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(file, buffer.writable().data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error("reading the secret from " + name));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  std::string_view text = as_text(buffer.view().first(size));
  for (const std::string_view end : {"\r\n", "\n"})
    if (text.ends_with(end)) {
      text.remove_suffix(end.size());
      break;
    }
  if (text.size() > vault::kMaxSecretSize)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("{} holds more than the {} octets that a secret may have", name, vault::kMaxSecretSize));
  return SecretBytes::copy_of(text);
}

}  // namespace

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

Result<SecretBytes> read_secret_value(const std::filesystem::path& file) {
  if (file.empty()) {
    if (::isatty(STDIN_FILENO) == 1)
      return fail(ErrorKind::InvalidInput,
                  "the value would be seen while it is typed: name a file with --value-file, or pipe it in");
    return read_all(STDIN_FILENO, "standard input");
  }
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return fail(errno_error("opening " + file.string()));
  auto value = read_all(opened, file.string());
  ::close(opened);
  return value;
}

}  // namespace signet::gateway
