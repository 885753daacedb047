#include "gateway/cli/certificates_file.h"

#include "base/file.h"

namespace signet::gateway {

Result<std::vector<certstore::Certificate>> read_certificates_file(const std::filesystem::path& path) {
  constexpr std::size_t kMostOctets = 1024 * 1024;
  SIGNET_TRY(const Bytes octets, read_file(path, kMostOctets));
  auto read = certstore::parse_certificates(octets);
  if (!read) return fail(std::move(read).error().within(path.string()));
  return read;
}

}  // namespace signet::gateway
