// Crashes: what was acknowledged is delivered, once.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;

std::string disposition_of(const HttpAnswer& answer) { return field_in(text_of(answer.body), "Disposition"); }

// ---- Between commit and hand-over

TEST(Recovery, WhatWasAcknowledgedAndNotHandedOverIsHandedOverOnceAtTheNextStart) {
  TradingPair pair({.name = "Acme"}, {.name = "Globex", .hands_over = false});
  const auto small = need(pair.send("a small order"));
  const auto large =
      need(pair.acme.send("trade", Slice::of(noise(600'000))));  // a file of its own in the store
  EXPECT_EQ(small.state, MessageState::Confirmed);
  EXPECT_EQ(large.state, MessageState::Confirmed);
  EXPECT_THAT(pair.globex.delivered("trade"), IsEmpty());
  EXPECT_EQ(pair.globex.message(small.message_id).state, MessageState::Accepted);

  pair.globex.options.hands_over = true;
  pair.globex.restart();
  EXPECT_EQ(need(read_text_file(pair.globex.wait_delivered(small.message_id).delivered_to)), "a small order");
  EXPECT_EQ(need(read_file(pair.globex.wait_delivered(large.message_id).delivered_to)), noise(600'000));
  pair.globex.restart();
  pair.globex.drain();
  EXPECT_THAT(pair.globex.delivered("trade"), SizeIs(2));
}

TEST(Recovery, AHandOverThatTheRecordNeverLearntOfIsNotRepeated) {
  TradingPair pair({.name = "Acme"}, {.name = "Globex", .hands_over = false});
  const auto sent = need(pair.send("an order"));
  // The crash comes after the file was put in its place and before the record says so.
  const auto record = pair.globex.message(sent.message_id);
  const auto folder = pair.globex.home().delivery_directory() / "trade";
  std::filesystem::create_directories(folder);
  const gateway::HandOver order{record, need(pair.globex.store().payload(record.id))};
  const auto file = need(gateway::FolderDelivery(pair.globex.clock).deliver({order}, folder).front());
  // ... and the business has taken it away meanwhile.
  std::filesystem::remove(file);
  std::filesystem::remove(file.string() + ".json");

  pair.globex.options.hands_over = true;
  pair.globex.restart();
  pair.globex.wait_delivered(sent.message_id);
  EXPECT_THAT(pair.globex.delivered("trade"), IsEmpty());
}

TEST(Recovery, TheSidecarSaysWhatTheBusinessNeedsToKnow) {
  TradingPair pair;
  const auto sent = need(pair.acme.send("trade", Slice::of("an order"), "../order no. 7.edi"));
  const auto received = pair.globex.wait_delivered(sent.message_id);
  const json sidecar = json::parse(need(read_text_file(received.delivered_to + ".json")));
  EXPECT_EQ(sidecar.at("agreement"), "trade");
  EXPECT_EQ(sidecar.at("messageId"), sent.message_id);
  EXPECT_EQ(sidecar.at("fileNameAsSent"), "../order no. 7.edi");
  EXPECT_EQ(sidecar.at("contentType"), "application/edi-consent");
  EXPECT_EQ(sidecar.at("mic"), sent.mic);
  EXPECT_EQ(sidecar.at("micAlgorithm"), "sha-256");
  EXPECT_EQ(sidecar.at("signerThumbprintSha256"), received.signer_thumbprint);
  EXPECT_EQ(sidecar.at("id"), received.id);
  EXPECT_EQ(sidecar.at("file"), std::filesystem::path(received.delivered_to).filename().string());
  EXPECT_EQ(sidecar.at("size"), 8);
  EXPECT_EQ(sidecar.at("sha256"), hex_lower(digest(Hash::Sha256, as_bytes("an order"))));
}

// ---- kill -9

/// `signet serve` on a home, as a process of its own, on a free port.
class ServingProcess {
 public:
  ServingProcess(const std::filesystem::path& home, const std::filesystem::path& directory) {
    const auto ports = directory / "ports.json";
    std::filesystem::remove(ports);
    const std::string log = (directory / "gateway.log").string();
    process_ = ::fork();
    if (process_ == 0) {
      const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      ::dup2(file, STDOUT_FILENO);
      ::dup2(file, STDERR_FILENO);
      ::execl(SIGNET_BINARY, "signet", "--home", home.c_str(), "serve", "--listen", "127.0.0.1:0",
              "--ports-file", ports.c_str(), nullptr);
      ::_exit(127);
    }
    // The file appears whole, by rename, once the gateway listens.
    for (int patience = 0; !std::filesystem::exists(ports); ++patience) {
      int status = 0;
      if (::waitpid(process_, &status, WNOHANG) == process_ || patience > 6000)
        throw std::runtime_error("signet serve did not start: " + need(read_text_file(log)));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    port_ = json::parse(need(read_text_file(ports))).at(0).at("port");
  }
  ~ServingProcess() { end(SIGKILL); }
  ServingProcess(const ServingProcess&) = delete;
  ServingProcess& operator=(const ServingProcess&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/as2"; }
  /// @returns the exit status as waitpid() gives it.
  int end(int signal) {
    if (process_ <= 0) return 0;
    int status = 0;
    ::kill(process_, signal);
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return status;
  }

 private:
  pid_t process_ = 0;
  std::uint16_t port_ = 0;
};

class Crash : public testing::Test {
 protected:
  std::vector<WireMessage> compose(int count) {
    std::vector<WireMessage> messages;
    for (int i = 0; i < count; ++i)
      // Every third is large enough to be a file of its own in the store.
      messages.push_back(pair_.acme.compose("trade", Slice::of(payload(i))));
    return messages;
  }
  static Bytes payload(int number) {
    return noise(number % 3 == 0 ? 400'000 : 3'000, static_cast<std::uint32_t>(number));
  }

  TradingPair pair_;
  TestDirectory directory_;
};

TEST_F(Crash, KilledWhileThirtyMessagesFlowEachIsDeliveredExactlyOnce) {
  constexpr int kMessages = 30;
  auto messages = compose(kMessages);
  pair_.globex.close();  // its home goes on in processes of their own

  std::atomic<int> answered{0};
  for (const int killed_after : {3, 9, 20}) {
    answered = 0;
    ServingProcess gateway(pair_.globex.directory(), directory_.path());
    for (WireMessage& message : messages) message.url = gateway.url();
    std::vector<std::future<void>> senders;
    for (int sender = 0; sender < 6; ++sender)
      senders.push_back(std::async(std::launch::async, [&, sender] {
        for (int i = sender; i < kMessages; i += 6) {
          const auto answer = post(messages[static_cast<std::size_t>(i)]);
          if (!answer) return;  // the gateway is gone
          answered.fetch_add(1);
          answered.notify_all();
        }
      }));
    for (int seen = 0; seen < killed_after; seen = answered.load()) answered.wait(seen);
    gateway.end(SIGKILL);
    for (auto& sender : senders) sender.get();
  }

  // The partner sends everything again until each is acknowledged, and once more.
  ServingProcess gateway(pair_.globex.directory(), directory_.path());
  for (WireMessage& message : messages) {
    message.url = gateway.url();
    const HttpAnswer first = answer_to(message);
    EXPECT_THAT(disposition_of(first), EndsWith("; processed"));
    EXPECT_EQ(text_of(answer_to(message).body), text_of(first.body));
  }
  const int status = gateway.end(SIGTERM);  // waits for what is being handed over
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;

  const auto files = pair_.globex.delivered("trade");
  ASSERT_THAT(files, SizeIs(kMessages));
  std::set<Bytes> expected;
  std::set<Bytes> got;
  for (int i = 0; i < kMessages; ++i) expected.insert(payload(i));
  for (const auto& file : files) got.insert(need(read_file(file)));
  EXPECT_TRUE(got == expected);
  // The home is whole: opened here again, every record says delivered, and the audit log's chain holds.
  pair_.globex.start();
  gateway::MessageFilter accepted;
  accepted.state = MessageState::Delivered;
  EXPECT_THAT(pair_.globex.messages(accepted), SizeIs(kMessages));
  EXPECT_THAT(pair_.globex.audit_lines(), testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace signet::test
