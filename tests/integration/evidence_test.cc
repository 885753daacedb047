// Evidence, end to end: what is kept of an exchange is exported, and its README's commands are typed word for
// word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "gateway/evidence/evidence_archive.h"
#include "gateway/evidence/retention.h"
#include "gateway/store/audit_file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using gateway::EvidenceRecord;
using gateway::ExpiryRule;
using testing::HasSubstr;
using testing::IsSupersetOf;

/// An unpacked archive.
class Unpacked {
 public:
  Unpacked(TestGateway& gateway, const MessageRecord& record) {
    const auto archive = directory_.path() / "evidence.tar";
    {
      NewFile out = need(NewFile::create(archive));
      need(gateway::export_evidence(gateway.store(), gateway.home().evidence(), record,
                                    gateway.home().spool_area(), gateway.clock.now(), out));
    }
    if (run("tar xf evidence.tar && rm evidence.tar") != 0)
      throw std::runtime_error("tar does not unpack it");
  }

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return directory_.path() / name; }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(file(name)); }
  [[nodiscard]] std::string text(const std::string& name) const { return need(read_text_file(file(name))); }

  /// All that the README is about.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path()))
      if (const auto name = std::filesystem::relative(entry.path(), directory_.path()).string();
          entry.is_regular_file() && name != "README.txt")
        names.push_back(name);
    return names;
  }

  /// Types the README's commands, or only those that begin with `which`. @returns whether there were any, and
  /// all of them succeeded.
  bool verifies(const std::string& which = "") {
    std::istringstream readme(text("README.txt"));
    std::string commands;
    for (std::string line; std::getline(readme, line);)
      if (line.starts_with("    " + which)) commands += line + '\n';
    std::ofstream(file("commands.sh")) << commands;
    return !commands.empty() && run("sh -e commands.sh >log.txt 2>&1") == 0;
  }
  [[nodiscard]] std::string log() const { return text("log.txt"); }

  /// Changes one octet in the middle, as somebody would who wants to say something else.
  void tamper(const std::string& name) {
    std::string octets = text(name);
    octets[octets.size() / 2] ^= 1;
    std::ofstream(file(name), std::ios::binary) << octets;
  }

 private:
  int run(const std::string& command) {
    return std::system(("cd '" + directory_.path().string() + "' && " + command).c_str());
  }
  TestDirectory directory_;
};

/// What both sides keep of one message.
struct Kept {
  MessageRecord sent;
  MessageRecord received;
};

Kept trade(TradingPair& pair, std::string_view payload = "ISA*00*the order~") {
  const auto sent = need(pair.send(payload));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  return {pair.acme.message(sent.message_id), pair.globex.wait_delivered(sent.message_id)};
}

void expect_all_verifies(Unpacked&& evidence) {
  EXPECT_TRUE(evidence.verifies()) << evidence.log();
  EXPECT_THAT(evidence.text("README.txt"), HasSubstr("openssl cms -verify"));
}

/// There is no archive, as something is not what it was.
void expect_changed(TestGateway& gateway, const MessageRecord& record, const std::string& what) {
  MemorySink out;
  const auto exported = gateway::export_evidence(gateway.store(), gateway.home().evidence(), record,
                                                 gateway.home().spool_area(), gateway.clock.now(), out);
  ASSERT_FALSE(exported) << what;
  EXPECT_EQ(exported.error().kind, ErrorKind::CryptoFailure);
  EXPECT_THAT(exported.error().detail, HasSubstr(what));
  EXPECT_TRUE(out.bytes().empty());
}

class EvidenceOfKeys : public testing::TestWithParam<const char*> {};

TEST_P(EvidenceOfKeys, IsVerifiedByItsReadmeOnBothSides) {
  TradingPair pair;
  pair.agree({}, GetParam());
  const auto [sent, received] = trade(pair);

  Unpacked inbound(pair.globex, received);
  EXPECT_TRUE(inbound.verifies()) << inbound.log();
  EXPECT_EQ(inbound.text("payload"), "ISA*00*the order~");
  EXPECT_THAT(inbound.text("content.mime"), testing::EndsWith("ISA*00*the order~"));
  for (const char* file :
       {"wire.http", "content.p7s", "receipt.http", "receipt-content.p7s", "certificates/signer.pem",
        "certificates/recipient.pem", "certificates/receipt-signer.pem", "manifest.json"})
    EXPECT_TRUE(inbound.has(file)) << file;

  Unpacked outbound(pair.acme, sent);
  EXPECT_TRUE(outbound.verifies()) << outbound.log();
  EXPECT_EQ(outbound.text("content.mime"), inbound.text("content.mime"));
  EXPECT_THAT(outbound.text("receipt-content.mime"), HasSubstr(sent.mic));
}

INSTANTIATE_TEST_SUITE_P(RsaAndEc, EvidenceOfKeys, testing::Values("rsa:2048", "ec:P-256", "ec:P-384"));

class Evidence : public testing::Test {
 protected:
  TradingPair pair_;
};

TEST_F(Evidence, WhateverIsChangedInAnArchiveIsFoundByItsReadme) {
  const auto [sent, received] = trade(pair_);
  for (auto* side : {&pair_.globex, &pair_.acme}) {
    const MessageRecord& record = side == &pair_.acme ? sent : received;
    const std::vector<std::string> files = Unpacked(*side, record).files();
    EXPECT_THAT(files, IsSupersetOf({"payload", "content.mime", "receipt-content.p7s", "manifest.json"}));
    for (const std::string& file : files) {
      Unpacked tampered(*side, record);
      tampered.tamper(file);
      EXPECT_FALSE(tampered.verifies()) << file;
      Unpacked incomplete(*side, record);
      std::filesystem::remove(incomplete.file(file));
      EXPECT_FALSE(incomplete.verifies()) << file;
    }
  }
}

TEST_F(Evidence, SaysWhetherTheSenderGotTheReceiptThatIsPosted) {
  pair_.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
    send.mdn_settings.send_mdn_asynchronously = true;
    send.mdn_settings.receipt_delivery_url = pair_.acme.receipt_url();
    receive.receipt_policy.allowed_urls = {pair_.acme.receipt_url()};
  });
  const auto sent = need(pair_.send("an order"));
  const auto received = pair_.globex.wait_delivered(sent.message_id);
  auto& store = pair_.globex.store();
  ASSERT_TRUE(store.wait([&] { return need(store.receipt_post(received.id)).posted.has_value(); }));
  {
    Unpacked evidence(pair_.globex, received);
    EXPECT_TRUE(evidence.verifies()) << evidence.log();
    EXPECT_THAT(evidence.text("README.txt"), HasSubstr("It was posted to the sender, who took it at 20"));
  }
  auto post = need(store.receipt_post(received.id));
  post.posted.reset();
  post.given_up = pair_.globex.clock.now();
  post.reason = "the partner answered HTTP 404";
  need(store.update_receipt_post(post));
  Unpacked evidence(pair_.globex, received);
  EXPECT_TRUE(evidence.verifies()) << evidence.log();
  EXPECT_THAT(evidence.text("README.txt"),
              HasSubstr("The sender has not got it: posting it was given up at 20"));
  EXPECT_THAT(evidence.text("manifest.json"), HasSubstr("the partner answered HTTP 404"));
}

TEST_F(Evidence, SignaturesHoldAgainstWhoeverRewritesTheReadmeToo) {
  const auto [sent, received] = trade(pair_);
  for (auto* side : {&pair_.globex, &pair_.acme}) {
    const MessageRecord& record = side == &pair_.acme ? sent : received;
    EXPECT_TRUE(Unpacked(*side, record).verifies("openssl cms -verify"));
    Unpacked evidence(*side, record);
    evidence.tamper(side == &pair_.acme ? "receipt-content.mime" : "content.mime");
    EXPECT_FALSE(evidence.verifies("openssl cms -verify"));
  }
}

TEST_F(Evidence, AnotherPartysCertificateDoesNotVerify) {
  const auto [sent, received] = trade(pair_);
  Unpacked evidence(pair_.globex, received);
  std::filesystem::copy_file(evidence.file("certificates/receipt-signer.pem"),
                             evidence.file("certificates/signer.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(evidence.verifies());
}

TEST_F(Evidence, EveryMixtureOfSecurityIsVerified) {
  struct Mixture {
    bool sign;
    bool encrypt;
    std::optional<agreements::CompressionOrder> compress;
  };
  using Order = agreements::CompressionOrder;
  for (const auto& [sign, encrypt, compress] :
       {Mixture{true, true, Order::BeforeSigning}, Mixture{true, true, Order::AfterSigning},
        Mixture{true, false, std::nullopt}, Mixture{false, true, std::nullopt},
        Mixture{false, true, Order::BeforeSigning}, Mixture{false, false, std::nullopt}}) {
    pair_.agree([&, sign = sign, encrypt = encrypt, compress = compress](OneWayAgreement& send,
                                                                         OneWayAgreement& receive) {
      for (OneWayAgreement* side : {&send, &receive}) {
        side->validation_settings.sign_message = sign;
        side->validation_settings.encrypt_message = encrypt;
        side->validation_settings.compress_message = compress.has_value();
        if (compress) side->packaging.compression_order = *compress;
      }
    });
    const auto [sent, received] = trade(pair_, std::string(5000, 'x'));
    Unpacked inbound(pair_.globex, received);
    EXPECT_TRUE(inbound.verifies()) << received.security << "\n" << inbound.log();
    EXPECT_EQ(inbound.has("content.p7s"), sign);
    EXPECT_EQ(inbound.text("payload"), std::string(5000, 'x'));
    Unpacked outbound(pair_.acme, sent);
    EXPECT_TRUE(outbound.verifies()) << sent.security << "\n" << outbound.log();
    EXPECT_EQ(outbound.text("content.mime"), inbound.text("content.mime"));
  }
}

TEST_F(Evidence, OtherHashesAndSignatureSchemesAreVerified) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement& receive) {
    send.validation_settings.signing_algorithm = agreements::SigningAlgorithm::SHA2512;
    send.signature.scheme = agreements::SignatureScheme::Pss;
    receive.signature.scheme = agreements::SignatureScheme::Pss;
    send.packaging.transfer_encoding = agreements::TransferEncoding::Base64;
  });
  const auto [sent, received] = trade(pair_);
  expect_all_verifies(Unpacked(pair_.globex, received));
  expect_all_verifies(Unpacked(pair_.acme, sent));
}

TEST_F(Evidence, ALargeMessageIsVerified) {
  const auto sent = need(pair_.acme.send("trade", Slice::of(noise(700'000))));
  expect_all_verifies(Unpacked(pair_.globex, pair_.globex.wait_delivered(sent.message_id)));
  expect_all_verifies(Unpacked(pair_.acme, pair_.acme.message(sent.message_id)));
}

TEST_F(Evidence, OutlivesTheKeysAndCertificatesThatItWasMadeWith) {
  const auto [sent, received] = trade(pair_);
  pair_.agree({}, "ec:P-256");  // the account knows the old certificates no more
  expect_all_verifies(Unpacked(pair_.globex, received));
  expect_all_verifies(Unpacked(pair_.acme, sent));
}

TEST_F(Evidence, OfARefusedMessageSaysSo) {
  auto message = pair_.compose("an order");
  Bytes octets = need(message.body.to_bytes(1 << 20));
  octets[octets.size() / 2] ^= 1;
  message.body = Slice::of(octets);
  message.headers.set("Message-ID", "<altered@acme.example>");
  answer_to(message);
  const auto refused = pair_.globex.message("<altered@acme.example>");
  ASSERT_EQ(refused.state, MessageState::Refused);
  Unpacked evidence(pair_.globex, refused);
  EXPECT_TRUE(evidence.verifies()) << evidence.log();
  EXPECT_FALSE(evidence.has("payload"));
  EXPECT_THAT(evidence.text("README.txt"), HasSubstr("refused"));
}

TEST_F(Evidence, WhatTheAgreementDoesNotKeepIsNotExported) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement& receive) {
    receive.security_settings.enable_nrr_for_inbound_encoded_messages = false;
    receive.security_settings.enable_nrr_for_inbound_decoded_messages = false;
    send.security_settings.enable_nrr_for_outbound_encoded_messages = false;
    send.security_settings.enable_nrr_for_outbound_decoded_messages = false;
  });
  const auto [sent, received] = trade(pair_);
  for (auto* side : {&pair_.globex, &pair_.acme}) {
    Unpacked evidence(*side, side == &pair_.acme ? sent : received);
    EXPECT_TRUE(evidence.verifies()) << evidence.log();
    EXPECT_TRUE(evidence.has("receipt-content.p7s"));
    for (const char* file : {"wire.http", "payload", "content.mime"})
      EXPECT_FALSE(evidence.has(file)) << file;
  }
}

TEST_F(Evidence, AReceiptThatIsNotKeptGoesWhenItIsHandedOver) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.mdn_settings.send_inbound_mdn_to_message_box = true;
    send.security_settings.enable_nrr_for_inbound_mdn = false;
  });
  const auto sent = need(pair_.send("an order"));
  const auto handed_over = [&] { return pair_.acme.message(sent.message_id).delivered_to; };
  ASSERT_TRUE(pair_.acme.store().wait([&] { return !handed_over().empty(); }));
  EXPECT_THAT(need(read_text_file(handed_over())), HasSubstr("Original-Message-ID: " + sent.message_id));
  EXPECT_FALSE(pair_.acme.store().receipt(sent.id));
}

TEST_F(Evidence, WhereNothingIsKeptThereIsNoArchive) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.security_settings.enable_nrr_for_outbound_encoded_messages = false;
    send.security_settings.enable_nrr_for_outbound_decoded_messages = false;
    send.security_settings.enable_nrr_for_inbound_mdn = false;
  });
  const auto sent = trade(pair_).sent;
  MemorySink out;
  const auto exported = gateway::export_evidence(pair_.acme.store(), pair_.acme.home().evidence(), sent,
                                                 pair_.acme.home().spool_area(), pair_.acme.clock.now(), out);
  EXPECT_EQ(exported.error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(out.bytes().empty());
  EXPECT_THAT(pair_.acme.home().evidence().records(sent.id).value(), testing::SizeIs(2)) << "records stay";
}

TEST_F(Evidence, ACopyThatWasChangedInTheStoreIsNotExported) {
  const auto sent = need(pair_.acme.send("trade", Slice::of(noise(700'000))));
  const auto received = pair_.globex.wait_delivered(sent.message_id);
  const auto file = pair_.globex.directory() / "store/bodies" / received.id.substr(0, 2) / received.id;
  // In the middle: what the payload came in may stand around it.
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(350'000).put('!');
  expect_changed(pair_.globex, received, "payload");
}

TEST_F(Evidence, AFactThatWasChangedInTheStoreIsNotExported) {
  const auto received = trade(pair_).received;
  for (std::string MessageRecord::*fact :
       {&MessageRecord::message_id, &MessageRecord::as2_from, &MessageRecord::mic, &MessageRecord::agreement,
        &MessageRecord::signer_thumbprint}) {
    MessageRecord changed = received;
    changed.*fact += "x";
    expect_changed(pair_.globex, changed, "says '");
  }
}

TEST_F(Evidence, ALateReceiptThatWasChangedInTheStoreIsNotExported) {
  const auto sent = trade(pair_).sent;
  auto& store = pair_.acme.store();
  gateway::StoredReceipt late;
  late.body = to_bytes("a receipt");
  need(store.keep_late_receipt(sent.id, late, "proves delivery", pair_.acme.clock.now()));
  late.body = to_bytes("another one");
  need(store.keep_late_receipt(sent.id, late, "proves nothing", pair_.acme.clock.now()));
  {
    Unpacked evidence(pair_.acme, sent);
    EXPECT_TRUE(evidence.verifies()) << evidence.log();
    EXPECT_THAT(evidence.text("late-receipt-2.http"), HasSubstr("another one"));
  }
  SQLite::Database(pair_.acme.directory() / "store/signet.db", SQLite::OPEN_READWRITE)
      .exec("UPDATE late_receipts SET body = x'00' WHERE verdict = 'proves nothing'");
  expect_changed(pair_.acme, sent, "late-receipt-2.http");
}

TEST_F(Evidence, ASignatureThatWasChangedInTheStoreIsNotExported) {
  const auto received = trade(pair_).received;
  SQLite::Database(pair_.globex.directory() / "store/signet.db", SQLite::OPEN_READWRITE)
      .exec(
          "UPDATE proofs SET signature = "
          "CAST(substr(signature, 1, length(signature) - 4) || x'00000000' AS BLOB)");
  expect_changed(pair_.globex, received, "signature");
}

TEST_F(Evidence, ThePartnersWordsAreNoCommandsInTheReadme) {
  auto message = pair_.compose("an order");
  message.headers.set("Message-ID", "<'$(touch owned)'`touch owned`@acme.example>");
  answer_to(message);
  const auto received = pair_.globex.wait_delivered("<'$(touch owned)'`touch owned`@acme.example>");
  Unpacked evidence(pair_.globex, received);
  EXPECT_TRUE(evidence.verifies()) << evidence.log();
  EXPECT_FALSE(evidence.has("owned"));
}

TEST_F(Evidence, TheChainSurvivesARestartAndNamesTheAuditLog) {
  trade(pair_);
  pair_.acme.restart();
  trade(pair_);
  auto& evidence = pair_.acme.home().evidence();
  const auto report = need(evidence.verify({}));
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.records, 4U);
  EXPECT_EQ(need(evidence.head()).hash, report.head);
  const auto log = pair_.acme.directory() / "audit.log";
  EXPECT_FALSE(need(gateway::AuditFile::find_cut(log, evidence)));
  std::filesystem::resize_file(log, 0);
  EXPECT_EQ(need(gateway::AuditFile::find_cut(log, evidence))->line, 1U);
}

TEST_F(Evidence, TheGatewayLetsGoOfWhatHasHadItsTime) {
  const auto received = trade(pair_).received;
  auto account = pair_.globex.account();
  account.agreements.front().retention.days = 10;
  account.agreements.front().receive_agreement.validation_settings.interchange_duplicates_validity_days = 20;
  pair_.globex.apply(account);
  auto& evidence = pair_.globex.home().evidence();
  const auto expire_at = [&](int days) {
    const Time now = received.created + std::chrono::hours(24 * days);
    return need(gateway::expire_all(evidence, gateway::expiry_rules(account, now), now, [] { return false; }))
        .front()
        .messages;
  };
  EXPECT_EQ(expire_at(9), 0U);
  EXPECT_EQ(expire_at(11), 1U);
  EXPECT_FALSE(pair_.globex.store().wire(received.id));
  EXPECT_TRUE(pair_.globex.store().receipt(received.id)) << "a repeat is answered with it";
  EXPECT_EQ(expire_at(21), 1U);
  EXPECT_FALSE(pair_.globex.store().receipt(received.id));
  EXPECT_TRUE(need(evidence.verify({})).intact());
}

TEST_F(Evidence, ARepeatOfAMessageWhoseReceiptHasGoneIsToldSoAndIsNotHandedOverAgain) {
  const WireMessage message = pair_.compose("an order");
  ASSERT_THAT(text_of(answer_to(message).body), HasSubstr("processed"));
  const auto received = pair_.globex.wait_delivered(message.message_id());
  auto account = pair_.globex.account();
  account.agreements.front().retention.days = 1;
  account.agreements.front().receive_agreement.validation_settings.interchange_duplicates_validity_days = 1;
  pair_.globex.apply(account);
  const Time later = received.created + std::chrono::hours(24 * 2);
  const auto rules = gateway::expiry_rules(account, later);
  need(gateway::expire_all(pair_.globex.home().evidence(), rules, later, [] { return false; }));
  const HttpAnswer again = answer_to(message);
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(text_of(again.body), HasSubstr("taken before, and its receipt is not kept any more"));
  EXPECT_EQ(pair_.globex.delivered("trade").size(), 1U);
}

TEST(RetentionRound, GoesOnUntilItIsStopped) {
  TradingPair pair;
  const auto received = trade(pair).received;
  auto account = pair.globex.account();
  account.agreements.front().retention.days = 1;
  pair.globex.apply(account);
  pair.globex.clock.set(received.created + std::chrono::hours(24 * 40));
  {
    gateway::Retention retention(
        pair.globex.home().evidence(), [&] { return pair.globex.home().current_account(); },
        pair.globex.clock);
    while (pair.globex.store().wire(received.id)) std::this_thread::yield();
  }
  EXPECT_FALSE(pair.globex.store().payload(received.id));
}

}  // namespace
}  // namespace signet::test
