#pragma once

#include <zlib.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/bytes.h"

/// Reading tests/corpora's archives; link ZLIB::ZLIB.

namespace signet::test {

struct ArchivedFile {
  std::string name;
  Bytes octets;
};

inline Bytes unpack_gzip(const std::string& path) {
  Bytes octets;
  gzFile file = gzopen(path.c_str(), "rb");
  std::uint8_t chunk[64 * 1024];
  for (int got = 1; file != nullptr && (got = gzread(file, chunk, sizeof chunk)) > 0;)
    octets.insert(octets.end(), chunk, chunk + got);
  if (file != nullptr) gzclose(file);
  return octets;
}

/// The files of a ustar archive such as pack.py makes.
inline std::vector<ArchivedFile> read_archive(const std::string& name) {
  constexpr std::size_t kBlock = 512;
  const Bytes tar = unpack_gzip(std::string(SIGNET_SOURCE_DIR "/tests/corpora/") + name + ".tar.gz");
  std::vector<ArchivedFile> files;
  for (std::size_t at = 0; at + kBlock <= tar.size() && tar[at] != 0;) {
    const std::string header(as_text(ByteView(tar).subspan(at, kBlock)));
    const std::size_t size = std::strtoul(header.substr(124, 11).c_str(), nullptr, 8);
    const ByteView content = ByteView(tar).subspan(at + kBlock, size);
    files.push_back({header.c_str(), Bytes(content.begin(), content.end())});
    at += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
  return files;
}

}  // namespace signet::test
