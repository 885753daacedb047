#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "certstore/vault/provider.h"
#include "tests/bench/bench.h"

/// Messages per second and peak memory of `signet serve` and `signet send`, next to the bare arithmetic of
/// the same messages measured in the same run. docs/performance.md says what each figure is.

namespace signet::bench {

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

void say(std::string_view what) { fmt::print(stderr, "{}...\n", what); }

namespace {

/// What is measured, in this order.
const std::vector<std::pair<std::string, Result<> (*)(Bench&)>> kParts = {
    {"inbound", measure_inbound},
    {"outbound", measure_outbound},
    {"large", measure_large},
    {"mixed", measure_mixed},
    {"growth", measure_growth},
    {"tls", measure_tls},
    {"openssl-cms", measure_openssl_cms},
};

/// A directory that goes away with its owner, unless it is kept.
class WorkDirectory {
 public:
  explicit WorkDirectory(const std::filesystem::path& parent, bool keep) : keep_(keep) {
    std::string pattern = (parent / "signet-bench.XXXXXX").string();
    if (const char* made = ::mkdtemp(pattern.data())) path_ = made;
  }
  ~WorkDirectory() {
    std::error_code error;
    if (!path_.empty() && !keep_) std::filesystem::remove_all(path_, error);
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  const bool keep_;
  std::filesystem::path path_;
};

Result<> measure_parts(Bench& bench) {
  for (const auto& [name, measure] : kParts)
    if (bench.options.only.empty() || bench.options.only == name) SIGNET_CHECK(measure(bench));
  return {};
}

int measure(const Options& options) {
  log::set_level(log::Level::Warning);
  const WorkDirectory directory(options.directory, options.keep);
  if (directory.path().empty()) {
    fmt::print(stderr, "signet_bench: no directory can be made in {}\n", options.directory.string());
    return 1;
  }
  fmt::print("{} cores, {}; RSA-2048, SHA-256, AES-256-CBC, signed synchronous receipts, loopback HTTP\n",
             cores(), vault::openssl_version());
  Bench bench{options, directory.path(), {directory.path()}};
  if (options.keep) say("keeping everything in " + directory.path().string());
  auto done = measure_parts(bench);
  bench.figures.print();  // also what was measured before something failed
  if (done && !options.json.empty()) done = bench.figures.write_json(options.json);
  if (done) return 0;
  fmt::print(stderr, "signet_bench: {}\n", done.error().detail);
  return 1;
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  using namespace signet::bench;
  Options options;
  std::vector<std::string> parts;
  for (const auto& part : kParts) parts.push_back(part.first);
  CLI::App app("Measures signet serve and signet send beside the bare arithmetic of the same messages.");
  app.add_option("--signet", options.signet, "The signet binary")->required()->check(CLI::ExistingFile);
  app.add_flag("--quick", options.quick, "About two minutes");
  app.add_option("--json", options.json, "Write every figure to this file");
  app.add_option("--only", options.only, "Measure this part alone")->check(CLI::IsMember(parts));
  app.add_flag("--keep", options.keep, "Leave the homes that were made, to look into or to profile");
  app.add_option("--directory", options.directory, "Where the homes are made: a real disk")
      ->capture_default_str();
  app.add_option("--connections", options.connections,
                 "Keep-alive connections that send small messages; partners that small documents go to")
      ->capture_default_str();
  app.add_option(
         "--large-mib", options.large_mib,
         "Size of the large messages of every kind; 0: 1024, some kinds a sixteenth of it, or 100 when "
         "it is quick")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return measure(options);
}
