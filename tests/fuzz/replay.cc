#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "tests/fuzz/fuzz_target.h"

/// Runs a fuzz target over its seeds and over mutations of them, without libFuzzer: the share of the fuzzing
/// that every test run has, under whatever sanitizers the build has. The mutations are the same in every run.

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace {

namespace fs = std::filesystem;
using signet::Bytes;

constexpr std::size_t kMaxSize = 64 * 1024;

Bytes current_input;
std::string current_target;

/// Keeps what the target died of.
void keep_input() {
  const std::string name = "crash-" + current_target;
  std::FILE* file = std::fopen(name.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(current_input.data(), 1, current_input.size(), file);
  std::fclose(file);
  std::fprintf(stderr, "the input is in %s\n", fs::absolute(name).c_str());
}

void on_abort(int) {
  keep_input();
  std::_Exit(1);
}

void run(signet::fuzz::Target target, Bytes input) {
  current_input = std::move(input);
  // A copy of its own, so that a read one octet too far is seen.
  const Bytes exact(current_input.begin(), current_input.end());
  target(exact);
}

std::vector<Bytes> read_seeds(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    if (fs::is_regular_file(path)) files.emplace_back(path);
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> seeds;
  for (const fs::path& file : files)
    if (auto bytes = signet::read_file(file); bytes && bytes->size() <= kMaxSize)
      seeds.push_back(*std::move(bytes));
  return seeds;
}

/// Small changes such as a fuzzer makes: octets set, flipped, taken out, doubled, or taken from another seed.
class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& seeds) : seeds_(seeds) {}

  Bytes next() {
    Bytes input = any_seed();
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(input);
    if (input.size() > kMaxSize) input.resize(kMaxSize);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const Bytes& any_seed() { return seeds_[below(seeds_.size())]; }

  void change(Bytes& input) {
    static constexpr std::uint8_t kTelling[] = {0x00, 0xFF, 0x80, 0x7F, '\r', '\n', ' ',  '"',
                                                ';',  ':',  '<',  '&',  '0',  0x30, 0x24, 0x84};
    const std::size_t at = below(input.size());
    const std::size_t length = std::min(input.size() - at, 1 + below(32));
    const auto place = [&input](std::size_t offset) {
      return input.begin() + static_cast<std::ptrdiff_t>(offset);
    };
    switch (below(6)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << below(8)));
        break;
      case 1:
        if (!input.empty()) input[at] = kTelling[below(std::size(kTelling))];
        break;
      case 2:
        input.insert(place(at), kTelling[below(std::size(kTelling))]);
        break;
      case 3:
        input.erase(place(at), place(at + length));
        break;
      case 4: {
        const Bytes run(place(at), place(at + length));
        input.insert(place(at), run.begin(), run.end());
        break;
      }
      default: {
        const Bytes& other = any_seed();
        const std::size_t from = below(other.size());
        const std::size_t count = std::min(other.size() - from, 1 + below(64));
        const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
        input.insert(place(at), begin, begin + static_cast<std::ptrdiff_t>(count));
      }
    }
  }

  const std::vector<Bytes>& seeds_;
  std::mt19937 random_{20261121};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: signet_fuzz_replay TARGET MUTATIONS SEED...\n");
    for (const auto& [name, target] : signet::fuzz::targets()) std::fprintf(stderr, "  %s\n", name.c_str());
    return 2;
  }
  const auto found = signet::fuzz::targets().find(argv[1]);
  if (found == signet::fuzz::targets().end()) {
    std::fprintf(stderr, "there is no fuzz target '%s'\n", argv[1]);
    return 2;
  }
  current_target = argv[1];
  std::signal(SIGABRT, on_abort);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(keep_input);
#endif

  const std::vector<Bytes> seeds = read_seeds({argv + 3, argv + argc});
  if (seeds.empty()) {
    std::fprintf(stderr, "no seed was found for '%s'\n", argv[1]);
    return 2;
  }
  for (const Bytes& seed : seeds) run(found->second, seed);
  Mutator mutator(seeds);
  const long mutations = std::strtol(argv[2], nullptr, 10);
  for (long i = 0; i < mutations; ++i) run(found->second, mutator.next());
  std::printf("%s: %zu seeds, %ld mutations\n", argv[1], seeds.size(), mutations);
  return 0;
}
