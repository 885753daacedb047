#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/file.h"
#include "tests/interop/wire.h"

/// What OpenAS2 4.9.0 sent, posted octet for octet (tests/vectors/openas2-wire, MANIFEST.md): accepted with
/// the payload that was sent and exactly the MIC that OpenAS2's own receiver gave, or refused. Where our
/// answer differs from the recorded one, a comment says why it is the better one.

namespace signet::interop {
namespace {

using agreements::WeakAlgorithm;

const std::filesystem::path kSamples = SIGNET_SOURCE_DIR "/tests/vectors/openas2-wire";

/// A row of the MANIFEST's first table.
struct Sample {
  std::string name;
  std::string layers;   ///< "enveloped+signed"
  std::string ciphers;  ///< "des-ede3-cbc/rsaEncryption"
  std::string payload;  ///< a file
  std::string receipt;  ///< "sync signed"
  std::string disposition;
  std::string mic;  ///< "-" for none

  [[nodiscard]] bool has(std::string_view layer) const { return layers.find(layer) != std::string::npos; }
  [[nodiscard]] bool wants(std::string_view what) const { return (" " + receipt).ends_with(what); }
};

std::map<std::string, Sample> manifest() {
  std::map<std::string, Sample> samples;
  std::istringstream lines(test::need(read_text_file(kSamples / "MANIFEST.md")));
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) {
      std::erase(cell, '`');
      cells.emplace_back(trim(cell));
    }
    if (cells.size() == 11 && std::filesystem::is_directory(kSamples / cells[1]))
      samples[cells[1]] = {cells[1], cells[3], cells[5], cells[6], cells[8], cells[9], cells[10]};
  }
  return samples;
}

class OpenAs2Wire : public testing::Test {
 protected:
  OpenAs2Wire() {
    gateway_.clock.set(parse_time("2026-11-21T12:00:00Z").value());
    ours_ = gateway_.add_key("partnera", test::load_certificate(kSamples / "keys/partnera.cert.pem",
                                                                kSamples / "keys/partnera.key.pem"));
    theirs_ = public_certificate("mycompany", kSamples / "keys/mycompany.cert.pem");
  }

  /// The agreement that a sample needs: what the sample has is what is demanded.
  Trade trade_for(const Sample& sample) const {
    const auto headers =
        as2::mime::parse_headers(after_start_line(sample.name), as2::mime::HeaderRules::http())
            .value()
            .headers;
    Trade trade{sample.name,
                std::string(*headers.value("AS2-From")),
                std::string(*headers.value("AS2-To")),
                theirs_,
                ours_,
                {}};
    trade.receive.validation_settings.sign_message = sample.has("signed");
    trade.receive.validation_settings.encrypt_message = sample.has("enveloped");
    if (sample.ciphers.find("des-ede3") != std::string::npos)
      trade.receive.allow_weak.push_back(exception_for(WeakAlgorithm::DES3));
    // OpenAS2 digests the decompressed content without its headers here, as RFC 4130 7.3.1 reads; RFC
    // 5402 4.3 says with.
    if (sample.name == "comp-only")
      trade.receive.mic.compressed_unsigned = agreements::MicCoverage::ContentOnly;
    return trade;
  }
  Trade trade_for(const std::string& name) const { return trade_for(manifest().at(name)); }

  void trade(std::vector<Trade> trades) {
    gateway_.apply(account_of(trades));
    if (!gateway_.is_running()) gateway_.start();
  }

  static std::string request(const std::string& name) {
    return test::need(read_text_file(kSamples / name / "request.http"));
  }
  static std::string after_start_line(const std::string& name) {
    const std::string text = request(name);
    return text.substr(text.find("\r\n") + 2);
  }
  static std::string message_id(const std::string& name) {
    return test::field_in(request(name), "Message-ID");
  }
  static std::string payload(const std::string& file) {
    return test::need(read_text_file(kSamples / "payloads" / file));
  }

  WireMessage post(const std::string& name) { return post_to(gateway_, request(name)); }
  as2::ReceiptVerdict receipt(const WireMessage& answer, const std::string& name,
                              bool must_be_signed = true) const {
    return check(answer, message_id(name),
                 test::need(certstore::Certificate::parse(ours_.public_certificate)), must_be_signed);
  }

  void expect_delivered(const std::string& agreement, const std::string& name,
                        const std::string& payload_file) {
    gateway_.wait_delivered(message_id(name));
    const auto files = gateway_.delivered(agreement);
    ASSERT_EQ(files.size(), 1U) << name;
    EXPECT_EQ(test::need(read_text_file(files.front())), payload(payload_file)) << name;
  }
  void expect_nothing_delivered(const std::string& agreement) {
    gateway_.drain();
    EXPECT_TRUE(gateway_.delivered(agreement).empty());
  }

  /// A variant of sign-sha256 or of signenc-sha256-aes256 that is to be taken like the original.
  void expect_taken(const std::string& variant, const std::string& original) {
    const Sample sample = manifest().at(original);
    trade({trade_for(sample)});
    const auto verdict = receipt(post(variant), variant);
    EXPECT_TRUE(verdict.proves_delivery) << verdict.reason;
    ASSERT_TRUE(verdict.content);
    EXPECT_TRUE(sample.mic.starts_with(base64(verdict.content->mic.value().value)))
        << verdict.content->mic_text;
    expect_delivered(original, variant, sample.payload);
  }
  /// The disposition of the receipt that refuses it.
  std::string refusal_of(const std::string& variant, const std::string& agreement,
                         bool must_be_signed = true) {
    const WireMessage answer = post(variant);
    EXPECT_EQ(answer.status(), 200);
    const auto verdict = receipt(answer, variant, must_be_signed);
    EXPECT_FALSE(verdict.proves_delivery);
    EXPECT_EQ(verdict.signer.has_value(), must_be_signed) << verdict.reason;
    expect_nothing_delivered(agreement);
    return verdict.content ? verdict.content->disposition.text : verdict.reason;
  }

  test::TestGateway gateway_{{.name = "B"}};
  agreements::CertificateEntry ours_;
  agreements::CertificateEntry theirs_;
};

// ---- Section 1: what OpenAS2 sends

TEST_F(OpenAs2Wire, EveryGoodSampleIsAcceptedWithItsPayloadAndExactlyItsMic) {
  std::map<std::string, Sample> good = manifest();
  std::erase_if(good, [](const auto& entry) { return entry.first.starts_with("neg-"); });
  ASSERT_GE(good.size(), 25U);
  for (const auto& [name, sample] : good) {
    SCOPED_TRACE(name);
    trade({trade_for(sample)});
    const WireMessage answer = post(name);
    EXPECT_EQ(answer.status(), 200);
    // OpenAS2 signs CRLF and sends LF here, and stores what was sent. Handed over is what the signature is
    // over: then nobody on the way can choose the payload's line ends.
    expect_delivered(name, name, name == "sign-sha256-8bit" ? "po-crlf.edi" : sample.payload);
    if (sample.wants(" none")) {
      // OpenAS2 says "200 OK" in the body, too. A body that is no receipt serves nobody.
      EXPECT_EQ(answer.text(), "");
      continue;
    }
    // OpenAS2 answers async-* on a connection of their own. Here the answer is in hand already: RFC 4130 7.2
    // has the sender take a receipt wherever it comes.
    const auto verdict = receipt(answer, name, sample.wants(" signed"));
    EXPECT_TRUE(verdict.proves_delivery) << verdict.reason;
    EXPECT_EQ(verdict.signer.has_value(), sample.wants(" signed"));
    ASSERT_TRUE(verdict.content);
    EXPECT_EQ(verdict.content->disposition.text, "automatic-action/MDN-sent-automatically; processed");
    // Where no MIC algorithm was asked for OpenAS2 leaves the MIC out; ours is there, since RFC 4130 7.4.3
    // wants it.
    EXPECT_TRUE(sample.mic == "-" || sample.mic == verdict.content->mic_text) << verdict.content->mic_text;
    EXPECT_TRUE(verdict.content->mic);
  }
}

TEST_F(OpenAs2Wire, TripleDesIsRefusedWithoutAnException) {
  Trade strict = trade_for("enc-3des");
  strict.receive.allow_weak.clear();
  trade({strict});
  EXPECT_EQ(refusal_of("enc-3des", "enc-3des"),
            as2::disposition_for(as2::Fault::InsufficientMessageSecurity));
}

TEST_F(OpenAs2Wire, NegativeWrongSignersCertificateIsAnAuthenticationFailure) {
  trade({trade_for("neg-wrongsigcert")});
  // OpenAS2 says integrity-check-failed. The content is whole; it is the signer who is not the one agreed on.
  EXPECT_EQ(refusal_of("neg-wrongsigcert", "neg-wrongsigcert"),
            as2::disposition_for(as2::Fault::AuthenticationFailed));
}

TEST_F(OpenAs2Wire, NegativeUnsignedMessageIsInsufficientlySecured) {
  Trade strict = trade_for("neg-unsignedrejected");
  strict.receive.validation_settings.sign_message = true;
  trade({strict});
  // OpenAS2's "signed-message-required" is no modifier that RFC 4130 7.5.3 knows; a peer cannot branch on it.
  EXPECT_EQ(refusal_of("neg-unsignedrejected", "neg-unsignedrejected"),
            as2::disposition_for(as2::Fault::InsufficientMessageSecurity));
}

TEST_F(OpenAs2Wire, NegativeStoreThatFailsIsAskedAgainInsteadOfRefusedForEver) {
  trade({trade_for("neg-storefail")});
  gateway_.store().before_commit = [] { return Result<>(fail(ErrorKind::IoFailure, "the disk is full")); };
  // OpenAS2 sends a signed error, which is final: its partner gives the document up. Ours is 503: the partner
  // sends it again, and then it is taken.
  const WireMessage refused = post("neg-storefail");
  EXPECT_EQ(refused.status(), 503);
  EXPECT_TRUE(refused.headers.has("Retry-After"));
  EXPECT_TRUE(gateway_.delivered("neg-storefail").empty());
  gateway_.store().before_commit = nullptr;
  EXPECT_TRUE(receipt(post("neg-storefail"), "neg-storefail").proves_delivery);
  expect_delivered("neg-storefail", "neg-storefail", "po-lf.edi");
}

// ---- Section 2: variants of these messages

TEST_F(OpenAs2Wire, TamperedSignedPayload) {
  trade({trade_for("sign-sha256")});
  EXPECT_EQ(refusal_of("x-tampered-signed-payload", "sign-sha256"),
            as2::disposition_for(as2::Fault::IntegrityCheckFailed));
}

TEST_F(OpenAs2Wire, TamperedCiphertext) {
  trade({trade_for("signenc-sha256-aes256")});
  // OpenAS2 says integrity-check-failed here and decryption-failed for a broken padding: that difference is
  // what reads ciphertexts (RFC 3218). Ours is the same for everything that goes wrong behind CBC.
  EXPECT_EQ(refusal_of("x-tampered-ciphertext", "signenc-sha256-aes256"),
            as2::disposition_for(as2::Fault::DecryptionFailed));
}

TEST_F(OpenAs2Wire, AskedForSha1Alone) {
  trade({trade_for("sign-sha256")});
  // OpenAS2 signs its receipt with SHA-1. Nobody should: without an exception the request cannot be met, and
  // RFC 4130 7.5.3 has words for that.
  EXPECT_EQ(refusal_of("x-micalg-optional_sha1", "sign-sha256"),
            as2::disposition_for(as2::Fault::UnsupportedMicAlgorithms));
}

TEST_F(OpenAs2Wire, AskedForSha1AloneWithAnExceptionForIt) {
  Trade lenient = trade_for("sign-sha256");
  lenient.receive.allow_weak.push_back(exception_for(WeakAlgorithm::SHA1));
  trade({lenient});
  const auto verdict = receipt(post("x-micalg-optional_sha1"), "x-micalg-optional_sha1");
  EXPECT_TRUE(verdict.proves_delivery) << verdict.reason;
  // Verified are SHA-1 signatures by exception; made are none.
  EXPECT_EQ(verdict.signer.value().hash(), Hash::Sha256);
  // OpenAS2 gives a SHA-1 MIC. The message is signed with SHA-256, and the MIC's algorithm "MUST be the same
  // as the micalg value used by the sender in the multipart/signed message" [RFC4130 7.4.3].
  EXPECT_EQ(base64(verdict.content.value().mic.value().value),
            "1Ql/2nuk0o/FGXqI+/SS0BjArXT8tWyVclfGjI1n6SI=");
}

TEST_F(OpenAs2Wire, AskedForSha512First) {
  trade({trade_for("sign-sha256")});
  const std::string variant = "x-micalg-optional_sha_512_sha_256_sha1";
  const auto verdict = receipt(post(variant), variant);
  EXPECT_TRUE(verdict.proves_delivery) << verdict.reason;
  EXPECT_EQ(verdict.signer.value().hash(), Hash::Sha512);
  // As above: OpenAS2 gives a SHA-512 MIC for a message that is signed with SHA-256.
  EXPECT_EQ(verdict.content.value().mic_text, "1Ql/2nuk0o/FGXqI+/SS0BjArXT8tWyVclfGjI1n6SI=, sha-256");
}

TEST_F(OpenAs2Wire, AskedForAHashThatNobodyKnows) {
  trade({trade_for("sign-sha256")});
  // OpenAS2: 500, and the partner learns nothing.
  EXPECT_EQ(refusal_of("x-micalg-optional_sha_999", "sign-sha256"),
            as2::disposition_for(as2::Fault::UnsupportedMicAlgorithms));
}

// OpenAS2 answers 500; quoted values are in the field (checklist: liberal in what we read).
TEST_F(OpenAs2Wire, QuotedOptionValues) { expect_taken("x-micalg-quoted", "sign-sha256"); }

TEST_F(OpenAs2Wire, LowerCaseFieldNames) { expect_taken("x-lowercase-headers", "sign-sha256"); }

// OpenAS2 never sends the 100 that was asked for.
TEST_F(OpenAs2Wire, ExpectContinue) { expect_taken("x-expect-100", "sign-sha256"); }

TEST_F(OpenAs2Wire, FoldedContentType) { expect_taken("x-folded-content-type", "sign-sha256"); }

// OpenAS2 stores the ciphertext as the payload, under a positive signed receipt. The CMS inside says what it
// is.
TEST_F(OpenAs2Wire, NoSmimeType) { expect_taken("x-no-smime-type", "signenc-sha256-aes256"); }

TEST_F(OpenAs2Wire, MissingAs2From) {
  trade({trade_for("sign-sha256")});
  // OpenAS2: 500, as if the fault were its own.
  const WireMessage answer = post("x-missing-as2-from");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_NE(answer.text().find("AS2-From"), std::string::npos);
  expect_nothing_delivered("sign-sha256");
}

TEST_F(OpenAs2Wire, UnknownSender) {
  trade({trade_for("sign-sha256")});
  // OpenAS2: 500. Ours tells what is wrong, in a receipt without our signature: that is not for strangers.
  EXPECT_EQ(refusal_of("x-unknown-sender", "sign-sha256", false),
            as2::disposition_for(as2::Fault::UnknownTradingRelationship));
}

TEST_F(OpenAs2Wire, GetIsAnsweredOnceAndHarmlessly) {
  trade({trade_for("sign-sha256")});
  // OpenAS2: 411, then 400 on the same connection: an answer to a request that nobody made. People and probes
  // do GET.
  const std::string answer = test::post_raw(gateway_.port(), request("x-get"));
  EXPECT_EQ(test::status_of(answer), 200);
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
}

TEST_F(OpenAs2Wire, PutIsNoWayToSend) {
  trade({trade_for("sign-sha256")});
  // OpenAS2 takes it like a POST; RFC 4130 5.2 knows POST only.
  const WireMessage answer = post("x-put");
  EXPECT_EQ(answer.status(), 405);
  EXPECT_TRUE(answer.headers.has("Allow"));
  expect_nothing_delivered("sign-sha256");
}

TEST_F(OpenAs2Wire, ARepeatGetsTheSameReceiptAndIsNotDeliveredAgain) {
  trade({trade_for("sign-sha256")});
  const std::string first = test::post_raw(gateway_.port(), request("sign-sha256"));
  // OpenAS2 has no duplicate detection: it delivers again. Here the same message in another framing is known,
  // too.
  const WireMessage again = post("x-lowercase-headers");
  EXPECT_EQ(again.text(), read_answer(first).text());
  expect_delivered("sign-sha256", "sign-sha256", "po-lf.edi");
}

}  // namespace
}  // namespace signet::interop
