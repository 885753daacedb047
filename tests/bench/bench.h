#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "tests/bench/figures.h"

/// What is measured, a function each. Every one makes what it needs below the bench's directory, and writes
/// its part of the table.

namespace signet::bench {

struct Options {
  std::string signet;
  bool quick = false;
  std::filesystem::path json;
  std::filesystem::path directory = "/var/tmp";
  std::string only;   ///< the one part to be measured; empty: all of them
  bool keep = false;  ///< leave what was made, to look into it
  std::size_t connections = 16;
  std::uint64_t large_mib = 0;  ///< 0: 1024, or 100 when it is quick
};

/// What every part is given.
struct Bench {
  const Options& options;
  std::filesystem::path directory;  ///< on a real disk; goes away in the end
  SpoolArea spool;
  Figures figures = {};

  /// One of two values: for a quick run, and for a whole one.
  template <class T>
  [[nodiscard]] T quick_or(T quick, T whole) const {
    return options.quick ? quick : whole;
  }
  [[nodiscard]] std::uint64_t large_mib() const {
    return options.large_mib > 0 ? options.large_mib : quick_or<std::uint64_t>(100, 1024);
  }
};

inline constexpr std::size_t kSmallSize = 10 * 1024;

unsigned cores();
/// Tells whoever waits what is being done.
void say(std::string_view what);

Result<> measure_inbound(Bench& bench);      ///< small messages received, many at once and one at a time
Result<> measure_outbound(Bench& bench);     ///< small documents sent
Result<> measure_large(Bench& bench);        ///< one large message or document
Result<> measure_mixed(Bench& bench);        ///< small messages while large ones come
Result<> measure_growth(Bench& bench);       ///< start-up and throughput, with much in the store
Result<> measure_tls(Bench& bench);          ///< small messages over new TLS connections
Result<> measure_openssl_cms(Bench& bench);  ///< what OpenSSL's CMS alone does, for comparison

}  // namespace signet::bench
