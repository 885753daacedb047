// Signet to Signet over HTTP: every way to secure a message with every kind of receipt.
//
// SIGNET_TEST_FULL=1 runs all 432 combinations; otherwise a share of 60 in which each value meets each other
// value at least once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <set>

#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using agreements::ContentCipher;
using agreements::EncryptionAlgorithm;
using agreements::SigningAlgorithm;
using testing::HasSubstr;

// ---- The axes

struct Signing {
  const char* name;
  SigningAlgorithm algorithm;  ///< NotSpecified: not signed
  const char* hash;
};
constexpr std::array<Signing, 4> kSigning = {{{"unsigned", SigningAlgorithm::NotSpecified, "sha-256"},
                                              {"sha256", SigningAlgorithm::SHA2256, "sha-256"},
                                              {"sha384", SigningAlgorithm::SHA2384, "sha-384"},
                                              {"sha512", SigningAlgorithm::SHA2512, "sha-512"}}};

struct Encrypting {
  const char* name;  ///< as records show it
  EncryptionAlgorithm algorithm;
  ContentCipher cipher;
};
constexpr std::array<Encrypting, 6> kEncrypting = {
    {{"in clear", EncryptionAlgorithm::None, ContentCipher::ByEncryptionAlgorithm},
     {"AES-128-CBC", EncryptionAlgorithm::AES128, ContentCipher::ByEncryptionAlgorithm},
     {"AES-192-CBC", EncryptionAlgorithm::AES192, ContentCipher::ByEncryptionAlgorithm},
     {"AES-256-CBC", EncryptionAlgorithm::AES256, ContentCipher::ByEncryptionAlgorithm},
     {"AES-128-GCM", EncryptionAlgorithm::AES128, ContentCipher::AES128GCM},
     {"AES-256-GCM", EncryptionAlgorithm::AES256, ContentCipher::AES256GCM}}};

constexpr std::array<const char*, 3> kCompressing = {"not compressed", "compressed first",
                                                     "compressed after signing"};
constexpr std::array<const char*, 3> kReceipts = {"no receipt", "unsigned receipt", "signed receipt"};
constexpr std::array<const char*, 2> kKeys = {"rsa:2048", "ec:P-256"};

/// One place on each axis: sign, encrypt, compress, receipt, key.
using Combination = std::array<std::size_t, 5>;
constexpr Combination kSizes = {kSigning.size(), kEncrypting.size(), kCompressing.size(), kReceipts.size(),
                                kKeys.size()};

std::string name_of(const Combination& c) {
  return std::string(kSigning[c[0]].name) + ", " + kEncrypting[c[1]].name + ", " + kCompressing[c[2]] + ", " +
         kReceipts[c[3]] + ", " + kKeys[c[4]];
}

// ---- Which of them

std::vector<Combination> all_combinations() {
  std::vector<Combination> all;
  Combination c{};
  for (;;) {
    all.push_back(c);
    std::size_t axis = c.size();
    while (axis > 0 && ++c[axis - 1] == kSizes[axis - 1]) c[--axis] = 0;
    if (axis == 0) return all;
  }
}

/// (axis, value, axis, value)
using Pair = std::array<std::size_t, 4>;
std::vector<Pair> pairs_of(const Combination& c) {
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < c.size(); ++a)
    for (std::size_t b = a + 1; b < c.size(); ++b) pairs.push_back({a, c[a], b, c[b]});
  return pairs;
}

/// At least `count`, and each pair of values at least once: greedily the one that shows most new pairs, then
/// evenly spread.
std::vector<Combination> bounded_share(std::size_t count) {
  const auto all = all_combinations();
  std::set<Pair> missing;
  for (const Combination& c : all)
    for (const Pair& pair : pairs_of(c)) missing.insert(pair);
  std::set<Combination> chosen;
  while (!missing.empty()) {
    const Combination* best = nullptr;
    std::size_t most = 0;
    for (const Combination& c : all) {
      std::size_t fresh = 0;
      for (const Pair& pair : pairs_of(c)) fresh += missing.count(pair);
      if (fresh > most) best = &c, most = fresh;
    }
    chosen.insert(*best);
    for (const Pair& pair : pairs_of(*best)) missing.erase(pair);
  }
  constexpr std::size_t kStride = 151;  // has no divisor in common with 432: visits each once
  for (std::size_t i = 0; chosen.size() < count; ++i) chosen.insert(all[i * kStride % all.size()]);
  return {chosen.begin(), chosen.end()};
}

bool wants_everything() { return std::getenv("SIGNET_TEST_FULL") != nullptr; }

// ---- One exchange

void apply_terms(const Combination& c, OneWayAgreement& send, OneWayAgreement& receive) {
  const Signing& signing = kSigning[c[0]];
  const Encrypting& encrypting = kEncrypting[c[1]];
  send.validation_settings.sign_message = signing.algorithm != SigningAlgorithm::NotSpecified;
  send.validation_settings.signing_algorithm = signing.algorithm;
  send.validation_settings.encrypt_message = encrypting.algorithm != EncryptionAlgorithm::None;
  send.validation_settings.encryption_algorithm = encrypting.algorithm;
  send.encryption.content_cipher = encrypting.cipher;
  send.validation_settings.compress_message = c[2] != 0;
  send.packaging.compression_order =
      c[2] == 2 ? agreements::CompressionOrder::AfterSigning : agreements::CompressionOrder::BeforeSigning;
  send.mdn_settings.need_mdn = c[3] != 0;
  send.mdn_settings.sign_mdn = c[3] == 2;
  // What is sent is also what is demanded.
  receive.validation_settings.sign_message = send.validation_settings.sign_message;
  receive.validation_settings.encrypt_message = send.validation_settings.encrypt_message;
  receive.validation_settings.compress_message = send.validation_settings.compress_message;
}

/// Compresses somewhat, and holds every octet: line ends of all kinds, NUL, what looks like a boundary.
std::string payload_for(std::size_t number) {
  std::string payload =
      "UNB+UNOC:3+4012345000009:14'\r\n--boundary\n\r\rNo. " + std::to_string(number) + "\r\n";
  for (int i = 0; i < 2048; ++i) payload.push_back(static_cast<char>(i % 256));
  return payload;
}

std::string thumbprint(const agreements::CertificateEntry& entry) {
  return need(certstore::Certificate::parse(entry.public_certificate)).thumbprint_sha256();
}

void exchange(TradingPair& pair, const Combination& c, std::size_t number) {
  SCOPED_TRACE(name_of(c));
  pair.agree([&](OneWayAgreement& send, OneWayAgreement& receive) { apply_terms(c, send, receive); },
             kKeys[c[4]]);
  const std::string payload = payload_for(number);
  const auto sent = need(pair.send(payload), name_of(c));
  ASSERT_EQ(sent.state, MessageState::Confirmed) << sent.reason;

  const auto received = pair.globex.wait_delivered(sent.message_id);
  EXPECT_EQ(need(read_text_file(received.delivered_to)), payload);
  EXPECT_EQ(received.mic, sent.mic);
  EXPECT_EQ(received.mic_algorithm, kSigning[c[0]].hash);
  EXPECT_EQ(sent.mic_algorithm, kSigning[c[0]].hash);

  const bool is_signed = c[0] != 0;
  EXPECT_EQ(received.signer_thumbprint,
            is_signed ? thumbprint(pair.certificate(pair.acme, kKeys[c[4]])) : "");
  EXPECT_EQ(sent.receipt_signer_thumbprint,
            c[3] == 2 ? thumbprint(pair.certificate(pair.globex, kKeys[c[4]])) : "");
  EXPECT_EQ(sent.disposition.empty(), c[3] == 0);

  EXPECT_EQ(received.security, sent.security);
  if (c[1] != 0) {
    EXPECT_THAT(received.security, HasSubstr(kEncrypting[c[1]].name));
  }
  EXPECT_EQ(received.security.find("signed") != std::string::npos, is_signed) << received.security;
  EXPECT_EQ(received.security.find("compressed") != std::string::npos, c[2] != 0) << received.security;
}

TEST(Matrix, TheBoundedShareShowsEachPairOfValues) {
  std::set<Pair> all;
  std::set<Pair> shown;
  for (const Combination& c : all_combinations())
    for (const Pair& pair : pairs_of(c)) all.insert(pair);
  const auto share = bounded_share(60);
  for (const Combination& c : share)
    for (const Pair& pair : pairs_of(c)) shown.insert(pair);
  EXPECT_EQ(shown, all);
  EXPECT_EQ(share.size(), 60U);
  EXPECT_EQ(all_combinations().size(), 432U);
}

TEST(Matrix, EveryCombinationArrivesAndItsReceiptProvesIt) {
  TradingPair pair;
  const auto combinations = wants_everything() ? all_combinations() : bounded_share(60);
  std::size_t number = 0;
  for (const Combination& c : combinations) exchange(pair, c, ++number);
  EXPECT_EQ(pair.globex.delivered("trade").size(), combinations.size());
}

// ---- What the axes leave out

struct Variant {
  const char* name;
  TradingPair::Terms terms;
  const char* shows;  ///< in the record's security; empty: nothing special
  const char* key = "rsa:2048";
};

std::vector<Variant> variants() {
  using agreements::KeyTransport;
  using agreements::TransferEncoding;
  using Way = OneWayAgreement;
  return {
      {"RSASSA-PSS, messages and receipts",
       [](Way& send, Way& receive) {
         send.signature.scheme = agreements::SignatureScheme::Pss;
         receive.signature.scheme = agreements::SignatureScheme::Pss;
       },
       "PSS"},
      {"RSASSA-PSS with sha-512",
       [](Way& send, Way&) {
         send.signature.scheme = agreements::SignatureScheme::Pss;
         send.validation_settings.signing_algorithm = SigningAlgorithm::SHA2512;
       },
       "PSS"},
      {"RSA-OAEP with sha-1", [](Way& send, Way&) { send.encryption.key_transport = KeyTransport::RsaOaep; },
       "OAEP"},
      {"RSA-OAEP with sha-256",
       [](Way& send, Way&) { send.encryption.key_transport = KeyTransport::RsaOaep256; }, "OAEP"},
      {"RSA-OAEP with sha-512",
       [](Way& send, Way&) {
         send.encryption.key_transport = KeyTransport::RsaOaep512;
         send.encryption.content_cipher = ContentCipher::AES256GCM;
       },
       "OAEP"},
      {"AES-192-GCM", [](Way& send, Way&) { send.encryption.content_cipher = ContentCipher::AES192GCM; },
       "AES-192-GCM"},
      {"payload in base64",
       [](Way& send, Way&) { send.packaging.transfer_encoding = TransferEncoding::Base64; }, ""},
      {"payload in base64, only signed",
       [](Way& send, Way& receive) {
         send.packaging.transfer_encoding = TransferEncoding::Base64;
         send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
       },
       "signed"},
      {"payload in base64, plain",
       [](Way& send, Way& receive) {
         send.packaging.transfer_encoding = TransferEncoding::Base64;
         send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
         send.validation_settings.sign_message = receive.validation_settings.sign_message = false;
       },
       "plain"},
      {"signature in binary, messages and receipts",
       [](Way& send, Way& receive) {
         send.signature.transfer_encoding = TransferEncoding::Binary;
         receive.signature.transfer_encoding = TransferEncoding::Binary;
       },
       ""},
      {"signature in binary, only signed",
       [](Way& send, Way& receive) {
         send.signature.transfer_encoding = TransferEncoding::Binary;
         send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
       },
       ""},
      {"no certificate in the signature",
       [](Way& send, Way& receive) {
         send.signature.include_certificate = false;
         receive.signature.include_certificate = false;
       },
       ""},
      {"CMSAlgorithmProtection",
       [](Way& send, Way& receive) {
         send.signature.algorithm_protection = true;
         receive.signature.algorithm_protection = true;
       },
       ""},
      {"MIC of a compressed, unsigned message over the content alone",
       [](Way& send, Way& receive) {
         send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
         send.validation_settings.sign_message = receive.validation_settings.sign_message = false;
         send.validation_settings.compress_message = true;
         send.mic.compressed_unsigned = receive.mic.compressed_unsigned =
             agreements::MicCoverage::ContentOnly;
       },
       "compressed"},
      {"100-continue",
       [](Way& send, Way&) { send.message_connection_settings.support_http_status_code_continue = true; },
       ""},
      {"EC P-384",
       [](Way& send, Way&) { send.validation_settings.signing_algorithm = SigningAlgorithm::SHA2384; }, "",
       "ec:P-384"},
      {"EC P-521",
       [](Way& send, Way&) { send.validation_settings.signing_algorithm = SigningAlgorithm::SHA2512; }, "",
       "ec:P-521"},
  };
}

TEST(Matrix, EveryOtherSettingOfAMessageWorks) {
  TradingPair pair;
  const std::string payload = payload_for(1);
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    pair.agree(variant.terms, variant.key);
    const auto sent = need(pair.send(payload), variant.name);
    ASSERT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
    const auto received = pair.globex.wait_delivered(sent.message_id);
    EXPECT_EQ(need(read_text_file(received.delivered_to)), payload);
    EXPECT_EQ(received.mic, sent.mic);
    EXPECT_EQ(received.security, sent.security);
    EXPECT_THAT(received.security, HasSubstr(variant.shows));
  }
}

TEST(Matrix, HashesAreSpeltAsTheAgreementSaysInTheMessageAndInItsReceipt) {
  using agreements::Sha2AlgorithmFormat;
  struct Spelling {
    Sha2AlgorithmFormat format;
    SigningAlgorithm hash;
    const char* text;
  };
  TradingPair pair;
  for (const Spelling& spelling :
       {Spelling{Sha2AlgorithmFormat::Sha2, SigningAlgorithm::SHA2256, "sha2"},
        Spelling{Sha2AlgorithmFormat::ShaHashSize, SigningAlgorithm::SHA2256, "sha256"},
        Spelling{Sha2AlgorithmFormat::ShaHashSize, SigningAlgorithm::SHA2512, "sha512"},
        Spelling{Sha2AlgorithmFormat::ShaHyphenHashSize, SigningAlgorithm::SHA2384, "sha-384"},
        Spelling{Sha2AlgorithmFormat::Sha2UnderscoreHashSize, SigningAlgorithm::SHA2256, "sha2_256"},
        Spelling{Sha2AlgorithmFormat::Sha2UnderscoreHashSize, SigningAlgorithm::SHA2512, "sha2_512"}}) {
    SCOPED_TRACE(spelling.text);
    pair.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
      send.validation_settings.signing_algorithm = spelling.hash;
      send.security_settings.sha2_algorithm_format = spelling.format;
      receive.security_settings.sha2_algorithm_format = spelling.format;
    });
    const WireMessage message = pair.compose("a document");
    EXPECT_THAT(std::string(message.headers.value("Content-Type").value_or("")),
                testing::ContainsRegex("micalg=\"?" + std::string(spelling.text) + "\"?(;|$)"));
    EXPECT_THAT(std::string(message.headers.value("Disposition-Notification-Options").value_or("")),
                testing::EndsWith(std::string(" ") + spelling.text));
    EXPECT_THAT(field_in(text_of(answer_to(message).body), "Received-Content-MIC"),
                testing::EndsWith(std::string(", ") + spelling.text));
    const auto sent = need(pair.send("a document"));
    EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  }
}

TEST(Matrix, AReceiptsSignatureIsEncodedAsTheAgreementSays) {
  using agreements::TransferEncoding;
  TradingPair pair;
  for (const TransferEncoding encoding : {TransferEncoding::Binary, TransferEncoding::Base64}) {
    pair.agree(
        [&](OneWayAgreement&, OneWayAgreement& receive) { receive.signature.transfer_encoding = encoding; });
    const std::string receipt = text_of(answer_to(pair.compose("a document")).body);
    const std::string signature = receipt.substr(receipt.find("application/pkcs7-signature"));
    EXPECT_EQ(field_in(signature, "Content-Transfer-Encoding"),
              encoding == TransferEncoding::Binary ? "binary" : "base64");
    const auto sent = need(pair.send("a document"));
    EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  }
}

TEST(Matrix, NamesWithSpacesQuotesAndBackslashesFindTheirAgreement) {
  for (const auto& [acme, globex] : {std::pair{"Acme Ltd", "Globex GmbH & Co. KG"},
                                     std::pair{R"(Ac"me)", R"(Glo\bex "West")"}, std::pair{"acme", "ACME"}}) {
    SCOPED_TRACE(acme);
    TradingPair pair({.name = "Acme", .as2_name = acme}, {.name = "Globex", .as2_name = globex});
    const auto sent = need(pair.send("a document"));
    EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
    const auto received = pair.globex.wait_delivered(sent.message_id);
    EXPECT_EQ(received.as2_from, acme);
    EXPECT_EQ(received.as2_to, globex);
  }
}

TEST(Matrix, AFileNameIsMadeByTheAgreementsTemplate) {
  TradingPair pair;
  const auto agree_on = [&](const std::string& file_name_template, bool suspend) {
    pair.agree([&](OneWayAgreement& send, OneWayAgreement&) {
      send.envelope_settings.file_name_template = file_name_template;
      send.envelope_settings.suspend_message_on_file_name_generation_error = suspend;
    });
  };
  agree_on("acme-%SourceFileName%", true);
  EXPECT_EQ(need(pair.acme.send("trade", Slice::of("a document"), "order.edi")).file_name, "acme-order.edi");
  agree_on("%MessageID%.edi", true);
  const auto sent = need(pair.acme.send("trade", Slice::of("a document"), ""));
  EXPECT_EQ("<" + sent.file_name + ">", sent.message_id.substr(0, sent.message_id.size() - 1) + ".edi>");

  agree_on("acme-%SourceFileName%", true);
  const std::size_t before = pair.acme.messages().size();
  const auto refused = pair.acme.send("trade", Slice::of("a document"), "");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("fileNameTemplate"));
  EXPECT_EQ(pair.acme.messages().size(), before) << "what is not taken leaves no record";
  agree_on("acme-%SourceFileName%", false);
  const auto nameless = need(pair.acme.send("trade", Slice::of("a document"), ""));
  EXPECT_EQ(nameless.state, MessageState::Confirmed);
  EXPECT_EQ(nameless.file_name, "");
}

TEST(Matrix, AnyFileNameArrivesAsMetadataAndTheFileOnDiskHasANameOfOurs) {
  TradingPair pair;
  for (const std::string name : {"order 7.edi", "Bestellung für Köln.edi", "../../etc/passwd",
                                 "a\"b\\c;d=e.txt", "注文書.xml", ".hidden", "COM1"}) {
    SCOPED_TRACE(name);
    const auto sent = need(pair.acme.send("trade", Slice::of("a document"), name));
    ASSERT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
    const auto received = pair.globex.wait_delivered(sent.message_id);
    EXPECT_EQ(received.file_name, name);
    const std::filesystem::path file = received.delivered_to;
    EXPECT_EQ(file.parent_path(), pair.globex.home().delivery_directory() / "trade");
    EXPECT_THAT(file.filename().string(), HasSubstr(received.id));
  }
}

}  // namespace
}  // namespace signet::test
