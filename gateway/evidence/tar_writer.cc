#include "gateway/evidence/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace signet::gateway {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kLongestName = 100;
constexpr std::uint64_t kLargestInOctal = (std::uint64_t{1} << 33) - 1;

using Header = std::array<std::uint8_t, kBlock>;

void put(Header& header, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(offset));
}

void put_size(Header& header, std::uint64_t size) {
  constexpr std::size_t kOffset = 124;
  if (size <= kLargestInOctal) return put(header, kOffset, fmt::format("{:011o}", size));
  header[kOffset] = 0x80;
  for (std::size_t i = 0; i < sizeof size; ++i)
    header[kOffset + 11 - i] = static_cast<std::uint8_t>(size >> (8 * i) & 0xFF);
}

/// [POSIX.1-1988 10.1.1]
Header header_of(std::string_view name, std::uint64_t size, Time modified) {
  Header header{};
  put(header, 0, name);
  put(header, 100, "0000644");
  put(header, 108, "0000000");  // uid
  put(header, 116, "0000000");  // gid
  put_size(header, size);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(modified.time_since_epoch()).count();
  put(header, 136, fmt::format("{:011o}", std::max<std::int64_t>(seconds, 0)));
  put(header, 148, "        ");  // the checksum counts as spaces while it is computed
  put(header, 156, "0");         // a file
  put(header, 257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const std::uint8_t octet : header) sum += octet;
  put(header, 148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

}  // namespace

Result<> TarWriter::add(std::string_view name, const Slice& octets, Time modified) {
  if (name.empty() || name.size() > kLongestName)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a name in a tar archive has 1 to {} octets, not {}", kLongestName, name.size()));
  SIGNET_CHECK(out_.write(header_of(name, octets.size(), modified)));
  SIGNET_CHECK(octets.copy_to(out_));
  constexpr Header kZeros{};
  const std::size_t beyond = octets.size() % kBlock;
  return beyond == 0 ? Result<>() : out_.write(ByteView(kZeros).first(kBlock - beyond));
}

Result<> TarWriter::finish() {
  constexpr std::array<std::uint8_t, 2 * kBlock> kEnd{};
  return out_.write(kEnd);
}

}  // namespace signet::gateway
