#include "as2/inspect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "as2/multipart_signed.h"
#include "base/file.h"
#include "tests/unit/as2/round_trip_fixture.h"

/// inspect() over the messages of other implementations (tests/vectors), over our own, and over damaged ones.

namespace signet::as2 {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::filesystem::path kVectors = SIGNET_SOURCE_DIR "/tests/vectors";
const std::filesystem::path kOpenAs2 = kVectors / "openas2-wire";
const std::filesystem::path kPeers = kVectors / "peer-wire";

const SpoolArea kArea{{}, std::size_t{64} << 20, std::uint64_t{64} << 20};

Capture read_or_die(const std::filesystem::path& path) {
  const auto capture = read_capture(Slice::of(read_file(path).value()), {"", kArea});
  EXPECT_TRUE(capture) << path << ": " << capture.error().detail;
  return capture ? *capture : Capture{};
}

InspectOptions in_memory() {
  InspectOptions options;
  options.spool = kArea;
  return options;
}

Explanation inspect_file(const std::filesystem::path& path, const InspectMaterial& material = {}) {
  return inspect(read_or_die(path), material, in_memory());
}

certstore::Certificate certificate(const std::filesystem::path& path) {
  return certstore::Certificate::parse(read_file(path).value()).value();
}

certstore::PrivateCertificate own(const std::filesystem::path& folder, const std::string& name) {
  return test::load_certificate((folder / (name + ".cert.pem")).string(),
                                (folder / (name + ".key.pem")).string());
}

certstore::PrivateCertificate peer(const std::string& name) {
  return test::load_certificate((kPeers / "keys" / (name + ".pem")).string(),
                                (kPeers / "keys" / (name + ".key")).string());
}

/// What the receiver of the OpenAS2 samples has.
InspectMaterial receiver() {
  InspectMaterial material;
  material.decryption = {{"partnera", own(kOpenAs2 / "keys", "partnera")}};
  material.signers = {{"mycompany", certificate(kOpenAs2 / "keys" / "mycompany.cert.pem")}};
  material.signers_agreed = true;
  material.decrypt.allowed_ciphers.push_back(cms::ContentCipher::Des3Cbc);
  return material;
}

std::string words(const std::vector<LayerKind>& layers) {
  std::string text;
  for (const LayerKind kind : layers) {
    text += text.empty() ? "" : "+";
    text += kind == LayerKind::Encrypted ? "enveloped" : kind == LayerKind::Signed ? "signed" : "compressed";
  }
  return text.empty() ? "plain" : text;
}

std::vector<std::string> texts(const Explanation& explanation, CheckResult result) {
  std::vector<std::string> all;
  for (const ExplainedLayer& layer : explanation.layers)
    for (const Check& check : layer.checks)
      if (check.result == result) all.push_back(check.text);
  return all;
}

std::vector<std::string> remarks(const Explanation& explanation) {
  std::vector<std::string> all;
  for (const ExplainedLayer& layer : explanation.layers)
    all.insert(all.end(), layer.remarks.begin(), layer.remarks.end());
  return all;
}

std::string all_text(const Explanation& explanation) {
  std::string text;
  for (const ExplainedLayer& layer : explanation.layers) {
    text += layer.title + '\n';
    for (const Fact& fact : layer.facts) {
      text += fact.name + ": " + fact.value + '\n';
      for (const Fact& part : fact.parts) text += "  " + part.name + ": " + part.value + '\n';
    }
    for (const std::string& remark : layer.remarks) text += remark + '\n';
    for (const Check& check : layer.checks) text += check.text + '\n';
  }
  return text;
}

/// Section 1 of the MANIFEST: sample, from -> to, layers, ..., disposition, MIC.
std::map<std::string, std::vector<std::string>> manifest() {
  std::map<std::string, std::vector<std::string>> rows;
  std::istringstream lines(read_text_file(kOpenAs2 / "MANIFEST.md").value());
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) {
      std::erase(cell, '`');
      cells.emplace_back(trim(cell));
    }
    if (cells.size() == 11 && std::filesystem::is_directory(kOpenAs2 / cells[1])) rows[cells[1]] = cells;
  }
  return rows;
}

// ---- Other implementations' messages

TEST(Inspect, FindsTheLayersAndTheMicThatTheManifestNames) {
  const auto rows = manifest();
  EXPECT_GE(rows.size(), 25U);
  for (const auto& [sample, cells] : rows) {
    InspectMaterial material = receiver();
    if (sample == "comp-only") material.signers.clear();
    const Explanation explanation = inspect_file(kOpenAs2 / sample / "request.http", material);
    EXPECT_EQ(words(explanation.security), cells[3]) << sample;
    EXPECT_TRUE(explanation.complete) << sample;
    EXPECT_EQ(explanation.held(), sample != "neg-wrongsigcert") << sample << '\n' << all_text(explanation);
    if (cells[10] == "-") continue;
    const auto comparison = compare_mic(explanation, mic_variants(explanation.mic_bases).value(), cells[10]);
    // With neither signature nor encryption OpenAS2 leaves the headers out [RFC4130 7.3.1 against
    // RFC5402 4.3].
    EXPECT_EQ(comparison.equal, sample != "comp-only") << sample << ": " << comparison.verdict;
    if (sample == "comp-only") {
      EXPECT_EQ(comparison.variant, "decompressed-body") << comparison.verdict;
    }
  }
}

TEST(Inspect, ExplainsReceiptsAndVerifiesWhoSignedThem) {
  InspectMaterial partner;
  partner.signers = {{"partnera", certificate(kOpenAs2 / "keys" / "partnera.cert.pem")}};
  partner.signers_agreed = true;
  int receipts = 0;
  for (const auto& [sample, cells] : manifest()) {
    for (const std::string_view file : {"response.http", "async-mdn-request.http"}) {
      if (!std::filesystem::exists(kOpenAs2 / sample / file)) continue;
      const Explanation explanation = inspect_file(kOpenAs2 / sample / file, partner);
      if (!explanation.receipt) continue;
      ++receipts;
      EXPECT_TRUE(explanation.held()) << sample << '\n' << all_text(explanation);
      EXPECT_EQ(explanation.receipt->mic_text, cells[10] == "-" ? "" : cells[10]) << sample;
      EXPECT_THAT(remarks(explanation), Contains(HasSubstr("Content-Type once more"))) << sample;
    }
  }
  EXPECT_GE(receipts, 25);
}

TEST(Inspect, SaysWhichCertificateOfTheAccountSignedInsteadOfTheAgreedOne) {
  InspectMaterial material = receiver();
  material.known = {{"rogue", certificate(kOpenAs2 / "keys" / "rogue.cert.pem")}};
  const Explanation explanation = inspect_file(kOpenAs2 / "neg-wrongsigcert" / "request.http", material);
  EXPECT_FALSE(explanation.held());
  EXPECT_THAT(remarks(explanation), Contains(HasSubstr("signed with the account's certificate 'rogue'")));
  EXPECT_THAT(remarks(explanation), Contains(HasSubstr("it names 'mycompany'")));
}

TEST(Inspect, SaysWhoseCertificateIsNeededWhenNoneIsThere) {
  InspectMaterial material = receiver();
  const Explanation explanation = inspect_file(kOpenAs2 / "neg-wrongsigcert" / "request.http", material);
  EXPECT_THAT(remarks(explanation),
              Contains(HasSubstr("can be verified only with the certificate of issuer")));
}

TEST(Inspect, TellsAChangedPayloadFromChangedLineEnds) {
  const Explanation tampered =
      inspect_file(kOpenAs2 / "x-tampered-signed-payload" / "request.http", receiver());
  EXPECT_FALSE(tampered.held());
  EXPECT_THAT(texts(tampered, CheckResult::Failed),
              Contains(HasSubstr("No change of line ends explains it")));
  EXPECT_THAT(remarks(tampered),
              Contains(HasSubstr("the signature itself is by the agreement's certificate 'mycompany'")));

  const Explanation canonical = inspect_file(kOpenAs2 / "sign-sha256-8bit" / "request.http", receiver());
  EXPECT_TRUE(canonical.held());
  EXPECT_THAT(remarks(canonical), Contains(HasSubstr("signature is over the content with CRLF line ends")));
}

TEST(Inspect, WithoutKeysSaysWhatWouldBeNeededAndStillChecksDigests) {
  const Explanation encrypted = inspect_file(kOpenAs2 / "signenc-sha256-aes256" / "request.http");
  EXPECT_TRUE(encrypted.held());
  EXPECT_FALSE(encrypted.complete);
  EXPECT_FALSE(encrypted.mic);
  EXPECT_THAT(texts(encrypted, CheckResult::NotChecked),
              Contains(HasSubstr("takes the private key of issuer")));
  EXPECT_THAT(all_text(encrypted), HasSubstr("cipher: AES-256-CBC"));
  EXPECT_THAT(all_text(encrypted), HasSubstr("key transport: RSA PKCS#1 v1.5"));

  const Explanation only_signed = inspect_file(kOpenAs2 / "sign-sha256" / "request.http");
  EXPECT_TRUE(only_signed.held());
  EXPECT_THAT(texts(only_signed, CheckResult::Held), Contains(HasSubstr("its digest is the signed one")));
  EXPECT_THAT(texts(only_signed, CheckResult::NotChecked), Contains(HasSubstr("can be verified only with")));
}

TEST(Inspect, OpensTheMessagesOfPyas2AndLibas2) {
  InspectMaterial node;
  node.decryption = {{"node", peer("node")}};
  node.signers = {{"py", peer("py").certificate}};
  node.signers_agreed = true;
  const Explanation from_python = inspect_file(kPeers / "py_sign256_aes256_syncsigned.msg", node);
  EXPECT_EQ(words(from_python.security), "enveloped+signed");
  EXPECT_TRUE(from_python.held()) << all_text(from_python);

  InspectMaterial python;
  python.decryption = {{"py", peer("py")}};
  python.signers = {{"node", peer("node").certificate}};
  python.signers_agreed = true;
  const Explanation oaep = inspect_file(kPeers / "node_sign256_aes256_oaepsha1.msg", python);
  EXPECT_TRUE(oaep.held()) << all_text(oaep);
  EXPECT_THAT(all_text(oaep), HasSubstr("RSAES-OAEP"));
  const Explanation compressed = inspect_file(kPeers / "node_compress_sign384.msg", python);
  EXPECT_EQ(words(compressed.security), "signed+compressed");
  EXPECT_TRUE(compressed.held()) << all_text(compressed);
  EXPECT_THAT(all_text(compressed), HasSubstr("ratio: "));
}

/// libas2 signs its receipts with a line end behind the inner closing boundary, and sends them without.
TEST(Inspect, NamesTheLineEndThatLibas2Loses) {
  std::string receipt = read_text_file(kPeers / "py_sign256_aes256_syncsigned.mdn").value();
  const std::size_t end_of_report = receipt.find("--\r\n\r\n--");
  ASSERT_NE(end_of_report, std::string::npos);
  receipt.erase(end_of_report + 2, 2);
  const auto capture = read_capture(Slice::of(receipt), {"", kArea});
  ASSERT_TRUE(capture);
  const Explanation explanation = inspect(*capture, {}, in_memory());
  ASSERT_TRUE(explanation.receipt) << all_text(explanation);
  EXPECT_FALSE(explanation.held());
  EXPECT_THAT(texts(explanation, CheckResult::Failed), Contains(HasSubstr("one CRLF more at the end")));
}

TEST(Inspect, EveryVectorIsExplainedOrRefusedWithAReason) {
  int explained = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kVectors)) {
    if (!entry.is_regular_file() || entry.file_size() > 1024 * 1024) continue;
    const Bytes octets = read_file(entry.path()).value();
    for (const std::string_view type :
         {"", "application/pkcs7-mime", "multipart/signed; boundary=\"x\"; micalg=sha1"}) {
      const auto capture = read_capture(Slice::of(octets), {std::string(type), kArea});
      if (!capture) {
        EXPECT_FALSE(capture.error().detail.empty()) << entry.path();
        continue;
      }
      const Explanation explanation = inspect(*capture, receiver(), in_memory());
      EXPECT_FALSE(explanation.layers.empty()) << entry.path();
      ++explained;
    }
  }
  EXPECT_GT(explained, 100);
}

// ---- Our own messages

class InspectOwn : public RoundTrip {
 protected:
  Capture capture_of(const Composed& message) {
    Capture capture;
    capture.form = CaptureForm::MimeMessage;
    capture.headers = message.headers;
    capture.body = message.body;
    return capture;
  }

  InspectMaterial material() const {
    InspectMaterial material;
    material.decryption = {{"ours", globex_}};
    material.signers = {{"acme", acme_.certificate}};
    material.signers_agreed = true;
    return material;
  }
};

TEST_F(InspectOwn, MicIsTheOneThatTheSenderKept) {
  for (const bool sign : {false, true})
    for (const bool encrypt : {false, true})
      for (const bool compress : {false, true})
        for (const auto order : {CompressionOrder::BeforeSigning, CompressionOrder::AfterSigning}) {
          ComposeSettings settings = compose_settings();
          if (!sign) settings.signer.reset();
          if (!encrypt) settings.recipients.clear();
          settings.compress = compress;
          settings.compression_order = order;
          const Composed message = compose_or_die(Slice::of(payload_), settings);
          const Explanation explanation = inspect(capture_of(message), material(), in_memory());
          EXPECT_TRUE(explanation.held()) << all_text(explanation);
          EXPECT_EQ(explanation.mic, message.mic) << all_text(explanation);
          EXPECT_EQ(explanation.security.size(), message.layers.size());
        }
}

TEST_F(InspectOwn, SaysHowAPartnerHashedWhenTheMicIsNotOurs) {
  ComposeSettings settings = compose_settings();
  settings.compress = true;
  const Explanation explanation =
      inspect(capture_of(compose_or_die(Slice::of(payload_), settings)), material(), in_memory());
  const auto variants = mic_variants(explanation.mic_bases).value();
  const auto mic_of = [](std::string_view octets, Hash hash) {
    return to_string(Mic{hash, digest(hash, as_bytes(octets))});
  };

  const MicComparison content = compare_mic(explanation, variants, mic_of(payload_, Hash::Sha256));
  EXPECT_FALSE(content.equal);
  EXPECT_EQ(content.variant, "decompressed-body");
  EXPECT_THAT(content.verdict, HasSubstr("leaves the MIME headers out"));

  const MicComparison empty = compare_mic(explanation, variants, mic_of("", Hash::Sha1));
  EXPECT_EQ(empty.variant, "empty");

  const std::string unix_text = "UNB+UNOC:3+ACME:14+GLOBEX:14+261121:0830+1'\nUNZ+0+1'\n";
  const MicComparison lf = compare_mic(explanation, variants, mic_of(unix_text, Hash::Sha512));
  EXPECT_EQ(lf.variant, "decompressed-body+lf");
  EXPECT_THAT(lf.verdict, HasSubstr("Unix line ends"));

  const MicComparison strange = compare_mic(explanation, variants, mic_of("another message", Hash::Sha256));
  EXPECT_FALSE(strange.variant);
  EXPECT_THAT(strange.verdict, HasSubstr("other octets"));
  EXPECT_FALSE(compare_mic(explanation, variants, "not a MIC").equal);
}

TEST_F(InspectOwn, NamesAHashThatIsNotWhatItIsCalled) {
  const Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  const Explanation explanation = inspect(capture_of(message), material(), in_memory());
  const auto variants = mic_variants(explanation.mic_bases).value();
  const MicComparison comparison =
      compare_mic(explanation, variants, base64(explanation.mic->value) + ", md5");
  EXPECT_FALSE(comparison.equal);
  EXPECT_THAT(comparison.verdict, HasSubstr("it is called md5, which it is not"));
}

TEST_F(InspectOwn, SaysForWhomAMessageIsThatWeCannotOpen) {
  ComposeSettings settings = compose_settings();
  settings.recipients = {stranger_.certificate};
  InspectMaterial mine = material();
  mine.known = {{"stranger", stranger_.certificate}};
  const Explanation explanation =
      inspect(capture_of(compose_or_die(Slice::of(payload_), settings)), mine, in_memory());
  EXPECT_FALSE(explanation.held());
  EXPECT_FALSE(explanation.complete);
  EXPECT_THAT(all_text(explanation), HasSubstr("is: the account's certificate 'stranger'"));
}

TEST_F(InspectOwn, TellsTheCertificateThatAMessageCarriesFromTheAgreedOne) {
  ComposeSettings settings = compose_settings();
  settings.signer = stranger_;
  const Composed message = compose_or_die(Slice::of(payload_), settings);
  const Explanation refused = inspect(capture_of(message), material(), in_memory());
  EXPECT_FALSE(refused.held());
  EXPECT_THAT(remarks(refused),
              Contains(HasSubstr("certificate that it carries, which is not in the account: CN=Stranger")));

  InspectMaterial nobody = material();
  nobody.signers.clear();
  nobody.signers_agreed = false;
  const Explanation unknown = inspect(capture_of(message), nobody, in_memory());
  EXPECT_TRUE(unknown.held()) << all_text(unknown);
  EXPECT_THAT(texts(unknown, CheckResult::Held), Contains(HasSubstr("nothing here says")));
}

TEST_F(InspectOwn, AWeakHashHoldsOnlyAsARemark) {
  ComposeSettings settings = compose_settings();
  settings.sign.hash = Hash::Sha1;
  const Explanation explanation =
      inspect(capture_of(compose_or_die(Slice::of(payload_), settings)), material(), in_memory());
  EXPECT_FALSE(explanation.held());
  EXPECT_THAT(remarks(explanation), Contains(HasSubstr("in a way that the agreement does not allow")));
}

TEST_F(InspectOwn, RemarksOnWhatTheHeaderSaysWrongly) {
  Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  message.headers.set("Content-Type", "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m");
  const Explanation explanation = inspect(capture_of(message), material(), in_memory());
  EXPECT_TRUE(explanation.held());
  EXPECT_THAT(remarks(explanation),
              Contains(HasSubstr("smime-type says signed-data, but it is enveloped-data")));
}

TEST_F(InspectOwn, ReadsBase64ThatNothingAnnounces) {
  Composed message = compose_or_die(Slice::of(payload_), compose_settings());
  message.body = Slice::of(base64_lines(message.body.to_bytes(1 << 20).value()));
  const Explanation explanation = inspect(capture_of(message), material(), in_memory());
  EXPECT_FALSE(explanation.held());
  EXPECT_TRUE(explanation.complete);
  EXPECT_THAT(texts(explanation, CheckResult::Failed),
              Contains(HasSubstr("no Content-Transfer-Encoding says so")));
}

TEST_F(InspectOwn, ShowsNothingOfThePayload) {
  const Explanation explanation =
      inspect(capture_of(compose_or_die(Slice::of(payload_), compose_settings())), material(), in_memory());
  const std::string text = all_text(explanation);
  EXPECT_THAT(text, HasSubstr("looks like: EDIFACT"));
  EXPECT_EQ(text.find("UNB"), std::string::npos);
  EXPECT_EQ(text.find("0830"), std::string::npos);
}

TEST_F(InspectOwn, DepthOfLayersIsBounded) {
  Slice entity = Slice::of("Content-Type: text/plain\r\n\r\nhello");
  for (int depth = 0; depth < 12; ++depth) {
    const auto made = sign_multipart(entity, acme_, {}, Sha2Format::ShaHyphenHashSize,
                                     mime::TransferEncoding::Base64, kArea);
    ASSERT_TRUE(made);
    Bytes octets = to_bytes(made->headers.serialise() + "\r\n");
    const Bytes body = made->body.to_bytes(1 << 22).value();
    octets.insert(octets.end(), body.begin(), body.end());
    entity = Slice::of(std::move(octets));
  }
  const auto capture = read_capture(entity, {"", kArea});
  ASSERT_TRUE(capture);
  const Explanation explanation = inspect(*capture, {}, in_memory());
  EXPECT_EQ(explanation.security.size(), 8U);
  EXPECT_FALSE(explanation.complete);
  EXPECT_THAT(texts(explanation, CheckResult::Failed), Contains(HasSubstr("more than 8 layers")));
}

}  // namespace
}  // namespace signet::as2
