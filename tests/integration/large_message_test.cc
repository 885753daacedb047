// A message that is much larger than the memory it may take.

#include <gtest/gtest.h>

#include <fstream>

#include "base/digest.h"
#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // freed memory is kept in quarantine, so that its size says nothing
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr std::size_t kSize = (kSanitized ? 12 : 64) * kMebibyte;

/// A figure of /proc/self/status, in octets.
std::size_t process_memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) * 1024;
  return 0;
}

/// From here on VmHWM is the peak since now.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// Half noise, half text: compressing has something to do, and something not.
Slice large_payload(const std::filesystem::path& file) {
  {
    auto out = need(NewFile::create(file));
    for (std::uint32_t block = 0; block < kSize / kMebibyte; ++block) {
      need(out.write(noise(kMebibyte / 2, block)));
      const std::string text(kMebibyte / 2, static_cast<char>('a' + block % 26));
      need(out.write(as_bytes(text)));
    }
  }
  return need(Slice::of_file(file));
}

TEST(LargeMessage, GoesThroughBothGatewaysInLittleMemory) {
  TradingPair pair;
  TestDirectory directory;
  pair.agree([](OneWayAgreement& send, OneWayAgreement& receive) {
    send.validation_settings.compress_message = receive.validation_settings.compress_message = true;
  });
  need(pair.send("a small one first, so that what is made once is made"));
  const Slice payload = large_payload(directory.path() / "large.bin");

  forget_peak();
  const std::size_t before = process_memory("VmRSS");
  const auto sent = need(pair.acme.send("trade", payload));
  const std::size_t peak = process_memory("VmHWM");
  ASSERT_EQ(sent.state, MessageState::Confirmed) << sent.reason;

  const auto received = pair.globex.wait_delivered(sent.message_id);
  EXPECT_EQ(received.payload_size, kSize);
  EXPECT_EQ(received.mic, sent.mic);
  EXPECT_EQ(need(digest(Hash::Sha256, need(Slice::of_file(received.delivered_to)))),
            need(digest(Hash::Sha256, payload)));
  const std::size_t growth = peak > before ? peak - before : 0;
  RecordProperty("growth_of_memory_in_kib", static_cast<int>(growth / 1024));
  if (!kSanitized) {
    EXPECT_LT(growth, 48 * kMebibyte);
  }
}

}  // namespace
}  // namespace signet::test
