#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <ostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "as2/mime/headers.h"
#include "certstore/x509/certificate.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/archive.h"

/// Other people's test inputs (README.md), and mutations of them, through every parser that they are meant to
/// break.

#if defined(__SANITIZE_ADDRESS__)  // g++
#define SIGNET_HAS_ASAN
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define SIGNET_HAS_ASAN
#endif
#endif
#ifdef SIGNET_HAS_ASAN
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace signet {
namespace {

constexpr double kLongest = 2;                      ///< seconds of our own; a busy machine does not count
constexpr std::size_t kLargestMutated = 64 * 1024;  ///< octets; time is for many inputs, not for large ones

struct Corpus {
  const char* name;
  std::vector<std::string> targets;  ///< of tests/fuzz
  bool lines = false;                ///< each line is an input, too
};

std::ostream& operator<<(std::ostream& out, const Corpus& corpus) { return out << corpus.name; }

const std::vector<std::string> kDer = {"cms_outside", "cms_decrypt", "cms_decompress",        "certificate",
                                       "key_file",    "crl",         "certification_request", "ocsp"};
const std::vector<std::string> kMime = {"mime_entity", "mdn", "http_gate"};
const std::vector<std::string> kText = {"names", "content_type", "receipt_request", "mime_entity",
                                        "agreement_xml"};

const std::vector<Corpus> kCorpora = {
    {"openssl-fuzz-cms", kDer},
    {"openssl-fuzz-asn1", kDer},
    {"openssl-fuzz-asn1parse", kDer},
    {"openssl-fuzz-x509", {"certificate", "cms_outside"}},
    {"openssl-fuzz-acert", {"certificate", "cms_outside"}},
    {"openssl-fuzz-crl", {"certificate", "cms_outside", "crl"}},
    {"openssl-fuzz-pem", {"certificate", "key_file"}},
    {"openssl-fuzz-decoder", {"certificate", "key_file"}},
    {"openssl-testdata",
     {"cms_outside", "cms_decrypt", "cms_decompress", "certificate", "key_file", "mime_entity"}},
    {"boringssl-fuzz", {"certificate", "key_file", "cms_outside"}},
    {"boringssl-testdata", kDer},
    {"bc-testdata", kDer},
    {"botan-x509", {"certificate", "key_file"}},
    {"certvalidator-ocsp", {"certificate", "cms_outside", "ocsp"}},
    {"nist-pkits", {"certificate", "cms_outside", "crl"}},
    {"x509-limbo", {"certificate", "audit_log"}},
    {"rfc4134", {"cms_outside", "cms_decrypt", "cms_decompress", "certificate", "key_file", "mime_entity"}},
    {"rustcrypto-formats", kDer},
    {"mime-mailparser", kMime},
    {"mime-mimekit", kMime},
    {"mime-nodemailer", kMime},
    {"mime-python", kMime},
    {"mime-rubymail", kMime},
    {"poco-seeds", {"http_gate", "mime_entity"}},
    {"pugixml-data", {"agreement_xml"}},
    {"json-test-suite", {"audit_log"}},
    {"injection-payloads", kText, true},
    {"naughty-strings", kText, true},
};

using Input = test::ArchivedFile;

std::vector<Input> inputs_of(const Corpus& corpus) {
  std::vector<Input> inputs = test::read_archive(corpus.name);
  if (!corpus.lines) return inputs;
  std::vector<Input> lines;
  for (const Input& input : inputs) {
    std::istringstream text{std::string(as_text(input.octets))};
    for (std::string line; std::getline(text, line);) lines.push_back({input.name, to_bytes(line)});
  }
  inputs.insert(inputs.end(), lines.begin(), lines.end());
  return inputs;
}

/// One to four octets changed, a piece taken out or doubled, or the end cut off.
Bytes mutated(Bytes octets, std::mt19937& random) {
  if (octets.empty()) return {static_cast<std::uint8_t>(random())};
  const auto place = [&octets](std::size_t offset) {
    return octets.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  const std::size_t at = random() % octets.size();
  const std::size_t end = std::min(octets.size(), at + 1 + random() % 16);
  switch (random() % 4) {
    case 0:
      octets.resize(at);
      break;
    case 1:
      octets.erase(place(at), place(end));
      break;
    case 2: {
      const Bytes piece(place(at), place(end));
      octets.insert(place(at), piece.begin(), piece.end());
      break;
    }
    default:
      for (std::size_t changes = 1 + random() % 4; changes > 0; --changes)
        octets[random() % octets.size()] = static_cast<std::uint8_t>(random());
  }
  return octets;
}

double seconds_of_work() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What was being looked at when the process died.
std::string current_target;
const Input* current_input = nullptr;
bool current_is_mutated = false;

void tell_what_was_read() {
  if (current_input != nullptr)
    std::fprintf(stderr, "reading %s%s by %s\n", current_is_mutated ? "a mutation of " : "",
                 current_input->name.c_str(), current_target.c_str());
}

void on_abort(int) {
  tell_what_was_read();
  std::_Exit(1);
}

class EachCorpus : public testing::TestWithParam<Corpus> {};

TEST_P(EachCorpus, IsSurvivedAndSoAreItsMutations) {
  std::signal(SIGABRT, on_abort);
#ifdef SIGNET_HAS_ASAN
  __sanitizer_set_death_callback(tell_what_was_read);
#endif
  const char* seed_text = std::getenv("SIGNET_TEST_SEED");
  const unsigned long seed = seed_text == nullptr ? 20261121 : std::strtoul(seed_text, nullptr, 10);
  const int mutations = std::getenv("SIGNET_TEST_FULL") == nullptr ? 10 : 100;
  const std::vector<Input> inputs = inputs_of(GetParam());
  ASSERT_FALSE(inputs.empty());
  std::printf("%zu inputs, %d mutations of each, SIGNET_TEST_SEED=%lu\n", inputs.size(), mutations, seed);

  std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
  for (const std::string& name : GetParam().targets) {
    const fuzz::Target target = fuzz::targets().at(name);
    current_target = name;
    for (const Input& input : inputs) {
      current_input = &input;
      const auto timed = [&](const Bytes& octets) {
        const Bytes exact(octets.begin(), octets.end());  // so that a read one octet too far is seen
        const double started = seconds_of_work();
        target(exact);
        EXPECT_LT(seconds_of_work() - started, kLongest) << name << " reads " << input.name;
      };
      current_is_mutated = false;
      timed(input.octets);
      current_is_mutated = true;
      if (input.octets.size() > kLargestMutated) continue;
      for (int i = 0; i < mutations; ++i) timed(mutated(input.octets, random));
    }
  }
  current_input = nullptr;
}

TEST(Corpora, AreReadAsTheyWerePacked) {
  std::size_t certificates = 0;
  for (const Input& input : test::read_archive("nist-pkits"))
    certificates += certstore::Certificate::parse(input.octets).has_value() ? 1U : 0U;
  EXPECT_GT(certificates, 250U);
  std::size_t mails = 0;
  for (const Input& input : test::read_archive("mime-rubymail"))
    mails += as2::mime::parse_headers(as_text(input.octets)).has_value() ? 1U : 0U;
  EXPECT_GT(mails, 30U);
}

INSTANTIATE_TEST_SUITE_P(Replay, EachCorpus, testing::ValuesIn(kCorpora), [](const auto& corpus) {
  std::string name = corpus.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace signet
