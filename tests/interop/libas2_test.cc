#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "tests/interop/peer_process.h"
#include "tests/interop/wire.h"

/// libas2 (npm, Node.js) sends to a gateway of ours and receives from it.

namespace signet::interop {
namespace {

using agreements::ContentCipher;
using agreements::KeyTransport;
using agreements::SigningAlgorithm;
using gateway::MessageState;
using nlohmann::json;

const std::string kLibas2 = SIGNET_LIBAS2_DIRECTORY;

/// SIGNET is ours, LIBAS2 theirs, and each has a certificate of its own.
class Libas2 : public testing::Test {
 protected:
  Libas2() {
    put("ours.crt", ours_.certificate.pem());
    put("theirs.crt", theirs_.certificate.pem());
    put("theirs.key", test::private_key_pem(theirs_.key));
    put("stranger.crt", stranger_.certificate.pem());
    put("stranger.key", test::private_key_pem(stranger_.key));
    put("po.x12", payload_);
    account_ = account_of({{"trade",
                            "LIBAS2",
                            "SIGNET",
                            {"theirs", theirs_.certificate.der(), std::nullopt, {}},
                            gateway_.add_key("ours", ours_),
                            {}}});
    gateway_.apply(account_);
    gateway_.start();
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }

  /// One message from libas2 to our gateway, with what send.js says of it.
  json sent_by_peer(PeerProcess& sender, std::vector<std::pair<std::string, std::string>> options) const {
    const std::vector<std::pair<std::string, std::string>> usual = {
        {"url", gateway_.url()}, {"file", path("po.x12")},     {"from", "LIBAS2"},
        {"to", "SIGNET"},        {"cert", path("theirs.crt")}, {"key", path("theirs.key")},
        {"sign", "sha256"},      {"encrypt", "aes256-CBC"},    {"partner_cert", path("ours.crt")},
        {"mdn", "signed"},       {"oaep", "sha256"},           {"async", "no"}};
    std::string line;
    for (const auto& [name, value] : usual) {
      const auto other = std::find_if(options.begin(), options.end(),
                                      [&key = name](const auto& option) { return option.first == key; });
      line += fmt::format("{}{}={}", line.empty() ? "" : "\t", name,
                          other == options.end() ? value : other->second);
    }
    sender.write_line(line);
    const std::string answer = sender.read_line();
    json parsed = json::parse(answer, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << answer;
    return parsed.is_discarded() ? json::object() : parsed;
  }

  /// A receiver of libas2, listening.
  std::unique_ptr<PeerProcess> receiver(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {"node",
                                        kLibas2 + "/receive.js",
                                        "--id=LIBAS2",
                                        "--partner=SIGNET",
                                        "--cert=" + path("theirs.crt"),
                                        "--key=" + path("theirs.key"),
                                        "--partner_cert=" + path("ours.crt")};
    command.insert(command.end(), more.begin(), more.end());
    auto process = std::make_unique<PeerProcess>(command);
    const std::string line = process->read_line();
    const json first = json::parse(line, nullptr, false);
    if (!first.is_object()) throw std::runtime_error("libas2 does not listen: " + line);
    agreement().connection.url = fmt::format("http://127.0.0.1:{}/", first.at("port").get<int>());
    return process;
  }

  agreements::Agreement& agreement() { return account_.agreements.front(); }

  /// Sends our payload under the agreement as it now is.
  gateway::MessageRecord send() {
    gateway_.apply(account_);
    return test::need(gateway_.send("trade", Slice::of(payload_), "po.x12"), "sending");
  }

  const test::TestDirectory directory_;
  const certstore::PrivateCertificate ours_ = test::make_certificate({.common_name = "Signet"});
  const certstore::PrivateCertificate theirs_ = test::make_certificate({.common_name = "libas2"});
  const certstore::PrivateCertificate stranger_ = test::make_certificate({.common_name = "Stranger"});
  const std::string payload_ = "ISA*00*          *00*          *ZZ*LIBAS2~\r\nIEA*1*000000001~\r\n";
  test::TestGateway gateway_{{.name = "SIGNET"}};
  agreements::Account account_;
};

TEST_F(Libas2, SendsAndVerifiesOurReceiptAndFindsItsMic) {
  PeerProcess sender({"node", kLibas2 + "/send.js"});
  std::size_t count = 0;
  for (const char* sign : {"sha256", "sha384", "sha512"})
    for (const char* encrypt : {"aes128-CBC", "aes256-CBC"})
      for (const char* oaep : {"sha1", "sha512"}) {
        SCOPED_TRACE(fmt::format("{} {} {}", sign, encrypt, oaep));
        const json result = sent_by_peer(sender, {{"sign", sign}, {"encrypt", encrypt}, {"oaep", oaep}});
        SCOPED_TRACE(result.dump());
        ASSERT_TRUE(result.value("delivered", false));
        EXPECT_TRUE(result.at("mdn").at("verified").get<bool>());
        EXPECT_TRUE(result.at("mdn").at("sameMessage").get<bool>());
        EXPECT_TRUE(result.at("mic").at("matches").get<bool>());
        const auto record = gateway_.wait_delivered(result.at("messageId").get<std::string>());
        EXPECT_EQ(test::need(read_text_file(record.delivered_to)), payload_);
        EXPECT_EQ(record.file_name, "po.x12");
        ++count;
      }
  EXPECT_EQ(gateway_.delivered("trade").size(), count);
}

TEST_F(Libas2, GetsAnUnsignedReceiptOrNoneWhenItAsksForThat) {
  PeerProcess sender({"node", kLibas2 + "/send.js"});
  const json unsigned_one = sent_by_peer(sender, {{"mdn", "unsigned"}});
  EXPECT_TRUE(unsigned_one.value("delivered", false)) << unsigned_one.dump();
  const json none = sent_by_peer(sender, {{"mdn", "none"}});
  EXPECT_TRUE(none.value("delivered", false)) << none.dump();
  EXPECT_EQ(gateway_.messages().size(), 2U);
}

TEST_F(Libas2, GetsItsReceiptPostedWhereTheAgreementAllowsThat) {
  PeerProcess sender({"node", kLibas2 + "/send.js"});
  sender.write_line("listen");
  const std::string url = json::parse(sender.read_line()).at("url");
  for (const bool allowed : {true, false}) {
    agreement().receive_agreement.receipt_policy.allowed_urls = {allowed ? url : "http://127.0.0.1:1/"};
    gateway_.apply(account_);
    for (const char* mdn : {"signed", "unsigned"}) {
      const json result = sent_by_peer(sender, {{"async", "yes"}, {"mdn", mdn}});
      SCOPED_TRACE(result.dump());
      ASSERT_TRUE(result.value("delivered", false));
      EXPECT_EQ(result.value("answered", -1) == 0, allowed);  // or else it is in the answer
      EXPECT_TRUE(result.at("mic").at("matches").get<bool>());
      const auto record = gateway_.wait_delivered(result.at("messageId").get<std::string>());
      EXPECT_EQ(record.receipt_url, allowed ? url : "");
    }
  }
}

TEST_F(Libas2, IsToldWhenItsMessageIsNotAccepted) {
  PeerProcess sender({"node", kLibas2 + "/send.js"});
  const std::vector<std::vector<std::pair<std::string, std::string>>> wrong = {
      {{"cert", path("stranger.crt")}, {"key", path("stranger.key")}},  // signed by somebody else
      {{"partner_cert", path("stranger.crt")}},                         // encrypted for somebody else
      {{"sign", "none"}},
      {{"encrypt", "none"}},
      {{"sign", "sha1"}},
      {{"encrypt", "des-EDE3-CBC"}},
      {{"encrypt", "aes256-GCM"}},  // a form of its own: GCM in EnvelopedData
      {{"from", "NOBODY"}},
  };
  for (const auto& options : wrong) {
    const json result = sent_by_peer(sender, options);
    EXPECT_FALSE(result.value("delivered", true))
        << options.front().first << "=" << options.front().second << result.dump();
  }
  gateway_.drain();
  EXPECT_TRUE(gateway_.delivered("trade").empty());
}

TEST_F(Libas2, ReceivesWhatWeSendAndProvesItByItsReceipt) {
  const auto peer = receiver();
  agreements::OneWayAgreement& send_agreement = agreement().send_agreement;
  for (const SigningAlgorithm hash :
       {SigningAlgorithm::SHA2256, SigningAlgorithm::SHA2384, SigningAlgorithm::SHA2512})
    for (const ContentCipher cipher : {ContentCipher::AES128CBC, ContentCipher::AES256CBC})
      for (const KeyTransport transport :
           {KeyTransport::Rsa15, KeyTransport::RsaOaep, KeyTransport::RsaOaep256}) {
        SCOPED_TRACE(fmt::format("{} {} {}", to_string(hash), to_string(cipher), to_string(transport)));
        send_agreement.validation_settings.signing_algorithm = hash;
        send_agreement.encryption = {cipher, transport};
        const auto record = send();
        const json seen = json::parse(peer->read_line(), nullptr, false);
        SCOPED_TRACE(seen.dump());
        EXPECT_EQ(record.state, MessageState::Confirmed) << record.reason;
        EXPECT_EQ(record.receipt_signer_thumbprint, theirs_.certificate.thumbprint_sha256());
        ASSERT_TRUE(seen.is_object());
        EXPECT_TRUE(seen.value("processed", false));
        EXPECT_EQ(seen.value("sha256", ""), hex_lower(digest(Hash::Sha256, as_bytes(payload_))));
        EXPECT_EQ(seen.value("filename", ""), "po.x12");
        EXPECT_NE(seen.at("mic").dump().find(record.mic), std::string::npos);
      }
}

TEST_F(Libas2, AnswersWithAnUnsignedReceiptWhereThatIsAgreed) {
  const auto peer = receiver();
  agreement().send_agreement.mdn_settings.sign_mdn = false;
  const auto record = send();
  EXPECT_EQ(record.state, MessageState::Confirmed) << record.reason;
  EXPECT_EQ(record.receipt_signer_thumbprint, "");
}

TEST_F(Libas2, PostsItsReceiptAndThatProvesIt) {
  const auto peer = receiver();
  agreements::MdnSettings& wanted = agreement().send_agreement.mdn_settings;
  wanted.send_mdn_asynchronously = true;
  wanted.receipt_delivery_url = gateway_.receipt_url();
  for (const bool is_signed : {true, false}) {
    wanted.sign_mdn = is_signed;
    const auto sent = send();
    const auto confirmed = gateway_.wait_for_state(sent.id, MessageState::Confirmed);
    EXPECT_EQ(confirmed.receipt_signer_thumbprint, is_signed ? theirs_.certificate.thumbprint_sha256() : "");
  }
}

TEST_F(Libas2, ReceiptsThatItPostsAsItSignsThemProveNothing) {
  const auto peer = receiver({"--repair=no"});
  agreements::MdnSettings& wanted = agreement().send_agreement.mdn_settings;
  wanted.send_mdn_asynchronously = true;
  wanted.receipt_delivery_url = gateway_.receipt_url();
  const auto sent = send();
  EXPECT_FALSE(gateway_.wait_for_state(sent.id, MessageState::Failed).reason.empty());
}

TEST_F(Libas2, ReceiptsAsItSignsThemProveNothing) {
  // It signs its receipts without the CRLF that it then sends: nobody can verify them, and a partner has to
  // know.
  const auto peer = receiver({"--repair=no"});
  const auto record = send();
  EXPECT_EQ(record.state, MessageState::Failed);
  EXPECT_FALSE(record.reason.empty());
}

TEST_F(Libas2, RefusesWhatIsNotForItOrNotFromUs) {
  {
    const auto peer = receiver({"--cert=" + path("stranger.crt"), "--key=" + path("stranger.key")});
    const auto record = send();
    EXPECT_EQ(record.state, MessageState::Failed) << record.disposition;
  }
  {
    const auto peer = receiver({"--partner_cert=" + path("stranger.crt")});
    const auto record = send();
    EXPECT_EQ(record.state, MessageState::Failed) << record.disposition;
    EXPECT_NE(record.disposition.find("fail"), std::string::npos) << record.disposition;
  }
  {
    const auto peer = receiver({"--partner=SOMEBODY"});
    const auto record = send();
    EXPECT_EQ(record.state, MessageState::Failed);
    EXPECT_NE(record.reason.find("403"), std::string::npos) << record.reason;
  }
}

}  // namespace
}  // namespace signet::interop
