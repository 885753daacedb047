#include "gateway/cli/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>

#include "base/file.h"
#include "certstore/vault/secret.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kLongestPassphrase = 4096;

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

/// A line of standard input, without its end.
Result<SecretBytes> read_line() {
  SecretBytes buffer(kLongestPassphrase);
  std::size_t size = 0;
  for (char octet = 0; size < buffer.size();) {
    const ssize_t got = ::read(STDIN_FILENO, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error("reading the passphrase"));
    if (got == 0 || octet == '\n') break;
    if (octet != '\r') buffer.writable()[size++] = static_cast<std::uint8_t>(octet);
  }
  return SecretBytes::copy_of(buffer.view().first(size));
}

/// Keeps a terminal from showing what is typed.
class NoEcho {
 public:
  NoEcho() {
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~NoEcho() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  bool known_ = false;
  termios before_{};
};

Result<SecretBytes> ask(std::string_view prompt) {
  const NoEcho silent;
  std::cerr << prompt << ": " << std::flush;
  auto line = read_line();
  std::cerr << '\n';
  return line;
}

}  // namespace

Result<SecretBytes> obtain_passphrase(const std::filesystem::path& file, std::string_view prompt,
                                      bool twice) {
  if (!file.empty()) return read_passphrase_file(file);
  const bool at_terminal = ::isatty(STDIN_FILENO) == 1;
  SIGNET_TRY(SecretBytes passphrase, at_terminal ? ask(prompt) : read_line());
  if (passphrase.empty())
    return fail(ErrorKind::InvalidInput,
                "no passphrase came: name a file with --passphrase-file, or give it on standard input");
  if (!at_terminal || !twice) return passphrase;
  SIGNET_TRY(const SecretBytes again, ask(fmt::format("{} once more", prompt)));
  if (as_text(again.view()) != as_text(passphrase.view()))
    return fail(ErrorKind::InvalidInput, "the two passphrases are not the same; nothing was changed");
  return passphrase;
}

Result<SecretBytes> read_passphrase_file(const std::filesystem::path& path) {
  SIGNET_TRY(Bytes content, read_file(path, kLongestPassphrase));
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

Error of_key_file(Error error, const std::filesystem::path& file, bool passphrase_given) {
  if (!passphrase_given && error.kind == ErrorKind::CryptoFailure)
    error.detail += "; give it by --passphrase-file";
  return std::move(error).within(file.string());
}

}  // namespace signet::gateway
