#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// A fuzz target is one function that eats any octets and checks a property of what our code makes of them.
/// The same function is libFuzzer's entry in a build with SIGNET_BUILD_FUZZERS, and one of many in
/// signet_fuzz_replay otherwise.

namespace signet::fuzz {

using Target = void (*)(ByteView input);

/// The targets linked into the replay, by name.
inline std::map<std::string, Target>& targets() {
  static std::map<std::string, Target> all;
  return all;
}

struct Registration {
  Registration(const char* name, Target target) { targets().emplace(name, target); }
};

/// Ends the process when the property does not hold; the fuzzer, or the replay, keeps the input.
inline void require(bool holds, std::string_view property) {
  if (holds) return;
  std::fprintf(stderr, "the property does not hold: %.*s\n", static_cast<int>(property.size()),
               property.data());
  std::abort();
}

}  // namespace signet::fuzz

/// Defines the target: SIGNET_FUZZ_TARGET(mdn) { ...uses `input`... }
#ifdef SIGNET_LIBFUZZER
#define SIGNET_FUZZ_TARGET(name)                                                      \
  static void run_##name(signet::ByteView input);                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    run_##name({data, size});                                                         \
    return 0;                                                                         \
  }                                                                                   \
  static void run_##name(signet::ByteView input)
#else
#define SIGNET_FUZZ_TARGET(name)                                                  \
  static void run_##name(signet::ByteView input);                                 \
  static const signet::fuzz::Registration registration_##name(#name, run_##name); \
  static void run_##name(signet::ByteView input)
#endif
