#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ostream>

#include "base/file.h"
#include "tests/interop/wire.h"

/// Messages of pyas2-lib and libas2, recorded on the loopback (tests/vectors/peer-wire, MANIFEST.md).

namespace signet::interop {
namespace {

const std::filesystem::path kRecorded = SIGNET_SOURCE_DIR "/tests/vectors/peer-wire";

struct Recorded {
  std::string name;
  std::string from;
  std::string to;
  std::string from_key;  ///< the sender's files in keys/
  std::string to_key;
  bool encrypted;
};

std::ostream& operator<<(std::ostream& out, const Recorded& recorded) { return out << recorded.name; }

class PeerWire : public testing::TestWithParam<Recorded> {};

TEST_P(PeerWire, IsAcceptedWithTheMicThatTheSenderGot) {
  const Recorded& recorded = GetParam();
  const auto own = [&](const std::string& key) {
    return test::load_certificate(kRecorded / "keys" / (key + ".pem"), kRecorded / "keys" / (key + ".key"));
  };
  test::TestGateway gateway({.name = recorded.to});
  gateway.clock.set(parse_time("2026-11-21T12:00:00Z").value());
  Trade trade{"trade",
              recorded.from,
              recorded.to,
              public_certificate(recorded.from_key, kRecorded / "keys" / (recorded.from_key + ".pem")),
              gateway.add_key(recorded.to_key, own(recorded.to_key)),
              {}};
  trade.receive.validation_settings.encrypt_message = recorded.encrypted;
  gateway.apply(account_of({trade}));
  gateway.start();

  const std::string message = test::need(read_text_file(kRecorded / (recorded.name + ".msg")));
  const std::size_t head = message.find("\r\n\r\n") + 4;
  const std::string request =
      fmt::format("POST /as2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", message.size() - head);
  const WireMessage answer = post_to(gateway, request + message);
  const std::string message_id = test::field_in(message, "Message-ID");
  const auto verdict = check(answer, message_id, own(recorded.to_key).certificate);
  EXPECT_TRUE(verdict.proves_delivery) << verdict.reason << "\n" << answer.text();

  // The report of the sender, as libas2 and our own script wrote it: ..."rmic":"<base64>, <hash>"...
  const std::string report = test::need(read_text_file(kRecorded / (recorded.name + ".result.json")));
  std::string mic = report.substr(report.find("\"rmic\""));
  mic.erase(0, mic.find('"', mic.find(':')) + 1);
  mic.erase(mic.find('"'));
  ASSERT_TRUE(verdict.content && verdict.content->mic);
  EXPECT_EQ(verdict.content->mic, as2::parse_mic(mic).value());

  gateway.wait_delivered(message_id);
  const auto files = gateway.delivered("trade");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(test::need(read_file(files.front())), test::need(read_file(kRecorded / "edi10k.edi")));
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, PeerWire,
    testing::Values(Recorded{"py_sign256_aes256_syncsigned", "PYAS2", "NODEAS2", "py", "node", true},
                    Recorded{"node_sign256_aes256_oaepsha1", "NODEAS2", "PYAS2", "node", "py", true},
                    Recorded{"node_compress_sign384", "NODEAS2", "PYAS2", "node", "py", false}),
    [](const auto& recorded) { return recorded.param.name; });

}  // namespace
}  // namespace signet::interop
