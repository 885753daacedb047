#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>

#include "as2/compose.h"
#include "as2/mime/content_type.h"
#include "as2/mime/entity.h"
#include "as2/open.h"
#include "base/digest.h"
#include "base/file.h"
#include "tests/interop/covering_array.h"
#include "tests/interop/peer_process.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/base/temporary_directory.h"

/// The openssl command and BouncyCastle make the layers of messages that as2::open() reads, and take off the
/// layers of messages that as2::compose() makes. By default every two settings meet; SIGNET_TEST_FULL=1 runs
/// every form of a signature and every form of an envelope.

namespace signet::interop {
namespace {

using as2::LayerKind;
using as2::cms::ContentCipher;

enum class Peer { OpenSsl, BouncyCastle };

std::string name_of(Peer peer) { return peer == Peer::OpenSsl ? "openssl" : "BouncyCastle"; }
std::ostream& operator<<(std::ostream& out, Peer peer) { return out << name_of(peer); }

// ---- What is combined

enum Dimension : std::size_t {
  kHash,
  kSigner,
  kAttributes,
  kCarriesCertificate,
  kSignatureEncoding,
  kSignerId,
  kTransferEncoding,
  kCipher,
  kRecipient,
  kRecipientId,
  kEnvelopeEncoding,
  kCompression,
  kCompressionEncoding,
  kPayload,
  kDimensions
};

constexpr std::array<std::string_view, 5> kHashes = {"none", "sha256", "sha384", "sha512", "sha1"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSigners = {
    {{"rsa", "pkcs1"}, {"rsa", "pss"}, {"ec256", "ecdsa"}, {"ec384", "ecdsa"}, {"ec521", "ecdsa"}}};
constexpr std::array<std::string_view, 8> kCiphers = {"none",       "aes128-cbc", "aes192-cbc", "aes256-cbc",
                                                      "aes128-gcm", "aes192-gcm", "aes256-gcm", "3des-cbc"};
/// A key, and the RSA key transport or the hash of the key derivation.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRecipients = {{{"rsa", "rsa"},
                                                                                       {"rsa", "oaep-sha1"},
                                                                                       {"rsa", "oaep-sha256"},
                                                                                       {"rsa", "oaep-sha384"},
                                                                                       {"rsa", "oaep-sha512"},
                                                                                       {"ec256", "sha256"},
                                                                                       {"ec256", "sha1"},
                                                                                       {"ec384", "sha384"},
                                                                                       {"ec521", "sha512"}}};
enum Compression : std::size_t { kNoCompression, kBeforeSigning, kAfterSigning };

ChoiceSpace space_of(Peer peer) {
  ChoiceSpace space;
  space.sizes = {kHashes.size(),  kSigners.size(),    2, 2, 2, 2, 2,
                 kCiphers.size(), kRecipients.size(), 2, 2, 3, 2, 2};
  space.settle = [peer](Choice& choice) {
    if (peer == Peer::OpenSsl) {
      choice[kSignatureEncoding] = 0;         // openssl has no detached signature in BER
      choice[kCompression] = kNoCompression;  // and Debian's no CompressedData
    }
    const auto clear = [&](Dimension from, Dimension to) {
      for (std::size_t i = from; i <= to; ++i) choice[i] = 0;
    };
    if (choice[kHash] == 0) {
      clear(kSigner, kTransferEncoding);
      // Before and after a signature that is not there are the same.
      if (choice[kCompression] == kAfterSigning) choice[kCompression] = kBeforeSigning;
    }
    if (choice[kCipher] == 0) clear(kRecipient, kEnvelopeEncoding);
    if (choice[kCompression] == kNoCompression) clear(kCompressionEncoding, kCompressionEncoding);
  };
  return space;
}

std::vector<Choice> choices_for(Peer peer) {
  const ChoiceSpace space = space_of(peer);
  std::vector<Choice> choices = pairwise(space);
  if (!full_run()) return choices;
  for (const auto& group : {std::pair<std::size_t, std::size_t>(kHash, kCipher), {kCipher, kDimensions}})
    for (Choice& choice : every_combination(space, group)) choices.push_back(std::move(choice));
  return choices;
}

std::string describe(const Choice& choice) {
  const auto yes = [&](Dimension dimension) { return choice[dimension] == 0; };
  std::string text = fmt::format("payload {}", yes(kPayload) ? "small" : "large");
  if (choice[kHash] != 0)
    text +=
        fmt::format(", signed {} {} {}, attributes {}, certificates {}, {}, by {}, {}",
                    kHashes[choice[kHash]], kSigners[choice[kSigner]].first, kSigners[choice[kSigner]].second,
                    yes(kAttributes), yes(kCarriesCertificate), yes(kSignatureEncoding) ? "DER" : "BER",
                    yes(kSignerId) ? "issuer" : "ski", yes(kTransferEncoding) ? "base64" : "binary");
  if (choice[kCipher] != 0)
    text += fmt::format(", encrypted {} to {} {}, by {}, {}", kCiphers[choice[kCipher]],
                        kRecipients[choice[kRecipient]].first, kRecipients[choice[kRecipient]].second,
                        yes(kRecipientId) ? "issuer" : "ski", yes(kEnvelopeEncoding) ? "DER" : "BER");
  if (choice[kCompression] != kNoCompression)
    text += fmt::format(", compressed {} signing, {}",
                        choice[kCompression] == kBeforeSigning ? "before" : "after",
                        yes(kCompressionEncoding) ? "DER" : "BER");
  return text;
}

Hash hash_of(std::string_view name) {
  if (name == "sha1") return Hash::Sha1;
  if (name == "sha384") return Hash::Sha384;
  return name == "sha512" ? Hash::Sha512 : Hash::Sha256;
}

ContentCipher cipher_of(std::string_view name) {
  if (name == "aes128-cbc") return ContentCipher::Aes128Cbc;
  if (name == "aes192-cbc") return ContentCipher::Aes192Cbc;
  if (name == "aes256-cbc") return ContentCipher::Aes256Cbc;
  if (name == "aes128-gcm") return ContentCipher::Aes128Gcm;
  if (name == "aes192-gcm") return ContentCipher::Aes192Gcm;
  if (name == "aes256-gcm") return ContentCipher::Aes256Gcm;
  return ContentCipher::Des3Cbc;
}

as2::cms::KeyTransport transport_of(std::string_view name) {
  using as2::cms::KeyTransport;
  if (name == "oaep-sha1") return KeyTransport::OaepSha1;
  if (name == "oaep-sha256") return KeyTransport::OaepSha256;
  if (name == "oaep-sha384") return KeyTransport::OaepSha384;
  return name == "oaep-sha512" ? KeyTransport::OaepSha512 : KeyTransport::Rsa15;
}

// ---- The peer, and both sides' keys

class CmsPeers : public testing::TestWithParam<Peer> {
 protected:
  CmsPeers() {
    for (const auto& [name, key] : {std::pair{"rsa", "rsa:2048"},
                                    {"ec256", "ec:P-256"},
                                    {"ec384", "ec:P-384"},
                                    {"ec521", "ec:P-521"},
                                    {"stranger", "rsa:2048"}}) {
      identities_.emplace(
          name, test::make_certificate({.common_name = name, .key = key, .subject_key_identifier = true}));
      put(std::string(name) + ".crt", as_bytes(identities_.at(name).certificate.pem()));
      put(std::string(name) + ".key", as_bytes(test::private_key_pem(identities_.at(name).key)));
    }
    payloads_[0] = to_bytes("ISA*00*          *00*          *ZZ*ACME~\r\nIEA*1*000000001~\r\n");
    payloads_[1] = payloads_[0];
    for (std::uint32_t i = 0; i < 90'000; ++i)
      payloads_[1].push_back(static_cast<std::uint8_t>(i * 2654435761U >> 13U));
    const std::filesystem::path here = SIGNET_SOURCE_DIR "/tests/interop";
    const auto program =
        GetParam() == Peer::OpenSsl ? here / "openssl/openssl_peer.py" : here / "bouncycastle/smime_peer.sh";
    peer_ = std::make_unique<PeerProcess>(
        std::vector<std::string>{program.string()},
        PeerProcess::Environment{{"SIGNET_BOUNCYCASTLE_CLASSES", SIGNET_BOUNCYCASTLE_CLASSES}});
  }

  std::string path(std::string_view name) const { return (directory_.path() / name).string(); }
  void put(std::string_view name, ByteView octets) const {
    std::ofstream(path(name), std::ios::binary) << as_text(octets);
  }
  Bytes octets_of(std::string_view name) const { return read_file(path(name)).value(); }
  const certstore::PrivateCertificate& identity(std::string_view name) const {
    return identities_.find(name)->second;
  }

  std::string ask(const PeerCommand& command) {
    peer_->write_line(command.line());
    return peer_->read_line();
  }
  /// Asks for something that has to be done; the file `out` is what came of it.
  Bytes ask_for_file(const PeerCommand& command) {
    std::filesystem::remove(path("out"));
    const std::string answer = ask(PeerCommand(command).with("out", path("out")));
    EXPECT_TRUE(answer.starts_with("ok")) << answer << "\n" << command.line();
    return answer.starts_with("ok") ? octets_of("out") : Bytes();
  }

  // ---- Layers that the peer puts on; `entity` is a MIME entity with its headers

  Bytes signed_by_peer(const Bytes& entity, const Choice& choice) {
    put("in", entity);
    const auto& [key, scheme] = kSigners[choice[kSigner]];
    PeerCommand command("sign");
    command.with("in", path("in"))
        .with("key", path(std::string(key) + ".key"))
        .with("cert", path(std::string(key) + ".crt"))
        .with("hash", std::string(kHashes[choice[kHash]]))
        .with("scheme", std::string(scheme))
        .with("attributes", choice[kAttributes] == 0 ? "yes" : "no")
        .with("certs", choice[kCarriesCertificate] == 0 ? "yes" : "no")
        .with("encoding", choice[kSignatureEncoding] == 0 ? "der" : "ber")
        .with("sid", choice[kSignerId] == 0 ? "issuer" : "ski");
    const bool in_base64 = choice[kTransferEncoding] == 0;
    if (GetParam() == Peer::BouncyCastle)
      return ask_for_file(
          command.with("form", "multipart").with("transfer", in_base64 ? "base64" : "binary"));
    const Bytes signature = ask_for_file(command.with("form", "p7s"));
    std::string whole =
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
        "boundary=\"b0\"\r\n\r\n--b0\r\n";
    whole += as_text(entity);
    whole += fmt::format(
        "\r\n--b0\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: {}\r\n\r\n",
        in_base64 ? "base64" : "binary");
    whole += in_base64 ? base64_lines(signature) : std::string(as_text(signature));
    return to_bytes(whole + "\r\n--b0--\r\n");
  }

  Bytes compressed_by_peer(const Bytes& entity, const Choice& choice) {
    put("in", entity);
    PeerCommand command("compress");
    command.with("in", path("in")).with("encoding", choice[kCompressionEncoding] == 0 ? "der" : "ber");
    return pkcs7_mime("compressed-data", ask_for_file(command));
  }

  Bytes encrypted_by_peer(const Bytes& entity, const Choice& choice) {
    put("in", entity);
    const auto& [key, way] = kRecipients[choice[kRecipient]];
    PeerCommand command("encrypt");
    command.with("in", path("in"))
        .with("to", path(std::string(key) + ".crt"))
        .with("cipher", std::string(kCiphers[choice[kCipher]]))
        .with(key == "rsa" ? "transport" : "kdf", std::string(way))
        .with("recipient", choice[kRecipientId] == 0 ? "issuer" : "ski")
        .with("encoding", choice[kEnvelopeEncoding] == 0 ? "der" : "ber");
    return pkcs7_mime(
        is_authenticated(cipher_of(kCiphers[choice[kCipher]])) ? "authEnveloped-data" : "enveloped-data",
        ask_for_file(command));
  }

  static Bytes pkcs7_mime(std::string_view type, const Bytes& octets) {
    Bytes entity =
        to_bytes(fmt::format("Content-Type: application/pkcs7-mime; smime-type={}; name=smime.p7m\r\n"
                             "Content-Transfer-Encoding: binary\r\n\r\n",
                             type));
    entity.insert(entity.end(), octets.begin(), octets.end());
    return entity;
  }

  // ---- Layers that the peer takes off

  Bytes decrypted_by_peer(const Bytes& body, const std::string& key) {
    put("in", body);
    PeerCommand command("decrypt");
    return ask_for_file(
        command.with("in", path("in")).with("key", path(key + ".key")).with("cert", path(key + ".crt")));
  }

  Bytes decompressed_by_peer(const Bytes& entity) {
    put("in", mime_body(entity));
    return ask_for_file(PeerCommand("decompress").with("in", path("in")));
  }

  /// The signed part, once the peer has found that `key` signed it and that it does not hold for a stranger.
  Bytes verified_by_peer(const Bytes& entity, const std::string& key) {
    const as2::mime::Entity whole = as2::mime::read_entity(Slice::of(entity)).value();
    const auto type = as2::mime::content_type(whole.headers).value();
    const auto parts = as2::mime::split_signed(whole.body, type->parameter("boundary").value_or(""));
    EXPECT_TRUE(parts) << parts.error().detail;
    if (!parts) return {};
    const Bytes content = parts->content.to_bytes(1 << 20).value();
    put("content", content);
    put("p7s", as2::mime::decoded(parts->signature, {}).value().to_bytes(1 << 20).value());
    PeerCommand command("verify");
    command.with("p7s", path("p7s")).with("content", path("content"));
    const std::string answer = ask(PeerCommand(command).with("cert", path(key + ".crt")));
    EXPECT_TRUE(answer.starts_with("ok")) << answer;
    EXPECT_TRUE(ask(command.with("cert", path("stranger.crt"))).starts_with("error"));
    if (GetParam() == Peer::OpenSsl) return content;
    // What Java's AS2 products read multipart/signed with.
    put("in", entity);
    EXPECT_EQ(
        ask_for_file(PeerCommand("open-signed").with("in", path("in")).with("cert", path(key + ".crt"))),
        content);
    return content;
  }

  static Bytes mime_body(const Bytes& entity) {
    const as2::mime::Entity read = as2::mime::read_entity(Slice::of(entity)).value();
    return as2::mime::decoded(read, {}).value().to_bytes(1 << 20).value();
  }

  const TemporaryDirectory directory_;
  std::map<std::string, certstore::PrivateCertificate, std::less<>> identities_;
  std::array<Bytes, 2> payloads_;
  std::unique_ptr<PeerProcess> peer_;
};

as2::OpenSettings opening(const certstore::PrivateCertificate& ours,
                          const certstore::PrivateCertificate& signer) {
  as2::OpenSettings settings;
  settings.decryption = {ours};
  settings.signers = {signer.certificate};
  settings.verify.allowed_hashes.push_back(Hash::Sha1);
  settings.decrypt.allowed_ciphers.push_back(ContentCipher::Des3Cbc);
  return settings;
}

as2::Step<as2::Opened> open_entity(const Bytes& entity, const as2::OpenSettings& settings) {
  const as2::mime::Entity message = as2::mime::read_entity(Slice::of(entity)).value();
  std::vector<as2::Layer> layers;
  return as2::open(message.headers, message.body, settings, layers);
}

// ---- They make, we read

TEST_P(CmsPeers, MakeWhatWeOpenWithTheMicOfWhatTheySecured) {
  for (const Choice& choice : choices_for(GetParam())) {
    SCOPED_TRACE(describe(choice));
    const bool is_signed = choice[kHash] != 0;
    const bool encrypted = choice[kCipher] != 0;
    const Bytes& payload = payloads_[choice[kPayload]];
    Bytes original = to_bytes(
        "Content-Type: application/EDI-X12\r\nContent-Disposition: attachment; filename=po.x12\r\n\r\n");
    original.insert(original.end(), payload.begin(), payload.end());

    Bytes entity = original;
    if (choice[kCompression] == kBeforeSigning) entity = compressed_by_peer(entity, choice);
    const Bytes mic_input = is_signed ? entity : original;
    if (is_signed) entity = signed_by_peer(entity, choice);
    if (choice[kCompression] == kAfterSigning) entity = compressed_by_peer(entity, choice);
    if (encrypted) entity = encrypted_by_peer(entity, choice);
    if (HasFailure()) return;

    const auto& ours = identity(kRecipients[choice[kRecipient]].first);
    const auto& signer = identity(kSigners[choice[kSigner]].first);
    const auto opened = open_entity(entity, opening(ours, signer));
    ASSERT_TRUE(opened) << opened.error().cause.detail;
    EXPECT_EQ(opened->has(LayerKind::Signed), is_signed);
    EXPECT_EQ(opened->has(LayerKind::Encrypted), encrypted);
    EXPECT_EQ(opened->has(LayerKind::Compressed), choice[kCompression] != kNoCompression);
    EXPECT_EQ(opened->payload.body.to_bytes(1 << 20).value(), payload);

    const Hash hash = as2::mic_hash(*opened, {}, {Hash::Sha256}, Hash::Sha256);
    EXPECT_EQ(hash, is_signed ? hash_of(kHashes[choice[kHash]]) : Hash::Sha256);
    const bool plain = !is_signed && !encrypted && choice[kCompression] == kNoCompression;
    EXPECT_EQ(as2::compute_mic(*opened, hash, as2::CompressedMic::WithHeaders).value().value,
              digest(hash, ByteView(plain ? payload : mic_input)));

    // The same message, with one thing wrong.
    const auto& stranger = identity("stranger");
    EXPECT_NE(is_signed, open_entity(entity, opening(ours, stranger)).has_value());
    EXPECT_NE(encrypted, open_entity(entity, opening(stranger, signer)).has_value());
    // A changed bit may well turn a signed message into one that is not signed, for which there is judge().
    Bytes tampered = entity;
    tampered[entity.size() / 2] ^= 1;
    const bool guarded = is_signed || (encrypted && is_authenticated(cipher_of(kCiphers[choice[kCipher]])));
    if (guarded) {
      const auto reopened = open_entity(tampered, opening(ours, signer));
      EXPECT_TRUE(!reopened || !as2::judge(*reopened, {is_signed, encrypted, false}, {}) ||
                  reopened->payload.body.to_bytes(1 << 20).value() == payload);
    }
  }
}

// ---- We make, they read

as2::ComposeSettings composing(const Choice& choice, const certstore::PrivateCertificate& signer,
                               const certstore::Certificate& recipient) {
  as2::ComposeSettings settings{as2::As2Name::of("Acme").value(), as2::As2Name::of("Globex").value(),
                                as2::MessageId::parse("<1@acme.example>").value()};
  settings.date = parse_time("2026-11-21T08:30:00Z").value();
  settings.content_type = "application/EDI-X12";
  settings.file_name = "po.x12";
  settings.payload_encoding = choice[kEnvelopeEncoding] == 0 ? as2::mime::TransferEncoding::Binary
                                                             : as2::mime::TransferEncoding::Base64;
  if (choice[kHash] != 0) settings.signer = signer;
  settings.sign.hash = hash_of(kHashes[choice[kHash]]);
  settings.sign.scheme = kSigners[choice[kSigner]].second == "pss" ? as2::cms::SignatureScheme::RsaPss
                                                                   : as2::cms::SignatureScheme::RsaPkcs1;
  settings.sign.signed_attributes = choice[kAttributes] == 0;
  settings.sign.include_certificate = choice[kCarriesCertificate] == 0;
  settings.sign.algorithm_protection = choice[kSignerId] != 0 && settings.sign.signed_attributes;
  settings.signature_encoding = choice[kTransferEncoding] == 0 ? as2::mime::TransferEncoding::Base64
                                                               : as2::mime::TransferEncoding::Binary;
  if (choice[kCipher] != 0) {
    settings.recipients = {recipient};
    settings.encrypt.cipher = cipher_of(kCiphers[choice[kCipher]]);
    settings.encrypt.key_transport = transport_of(kRecipients[choice[kRecipient]].second);
  }
  settings.compress = choice[kCompression] != kNoCompression;
  settings.compression_order = choice[kCompression] == kAfterSigning ? as2::CompressionOrder::AfterSigning
                                                                     : as2::CompressionOrder::BeforeSigning;
  return settings;
}

TEST_P(CmsPeers, ReadWhatWeComposeAndFindTheMicThatWeKept) {
  for (const Choice& choice : choices_for(GetParam())) {
    SCOPED_TRACE(describe(choice));
    const bool is_signed = choice[kHash] != 0;
    const std::string signer(kSigners[choice[kSigner]].first);
    const std::string recipient(kRecipients[choice[kRecipient]].first);
    const auto composed = as2::compose(Slice::of(payloads_[choice[kPayload]]),
                                       composing(choice, identity(signer), identity(recipient).certificate));
    ASSERT_TRUE(composed) << composed.error().detail;

    const Bytes body = composed->body.to_bytes(1 << 20).value();
    Bytes entity =
        to_bytes(fmt::format("Content-Type: {}\r\n\r\n", *composed->headers.value("Content-Type")));
    entity.insert(entity.end(), body.begin(), body.end());
    if (choice[kCipher] != 0) entity = decrypted_by_peer(body, recipient);
    if (choice[kCompression] == kAfterSigning) entity = decompressed_by_peer(entity);
    if (is_signed) entity = verified_by_peer(entity, signer);
    const Bytes mic_input = entity;
    if (choice[kCompression] == kBeforeSigning) entity = decompressed_by_peer(entity);
    if (HasFailure()) return;

    const bool plain = !is_signed && choice[kCipher] == 0 && choice[kCompression] == kNoCompression;
    const Bytes covered = is_signed ? mic_input : plain ? body : entity;
    EXPECT_EQ(composed->mic.value, digest(composed->mic.hash, covered));
    if (plain) continue;  // its payload's headers travel in the HTTP head
    EXPECT_EQ(mime_body(entity), payloads_[choice[kPayload]]);
    EXPECT_EQ(as2::mime::file_name(as2::mime::read_entity(Slice::of(entity)).value().headers), "po.x12");
  }
}

TEST_P(CmsPeers, ReadWhatWeEncryptForSeveral) {
  for (const ContentCipher cipher : {ContentCipher::Aes256Cbc, ContentCipher::Aes128Gcm}) {
    as2::ComposeSettings settings =
        composing(Choice(kDimensions, 0), identity("rsa"), identity("rsa").certificate);
    settings.encrypt.cipher = cipher;
    for (const char* name : {"stranger", "ec384", "rsa"})
      settings.recipients.push_back(identity(name).certificate);
    const auto composed = as2::compose(Slice::of(payloads_[1]), settings);
    ASSERT_TRUE(composed) << composed.error().detail;
    for (const char* name : {"stranger", "ec384", "rsa"})
      EXPECT_EQ(mime_body(decrypted_by_peer(composed->body.to_bytes(1 << 20).value(), name)), payloads_[1])
          << name;
    const std::string answer = ask(PeerCommand("decrypt")
                                       .with("in", path("in"))
                                       .with("out", path("out"))
                                       .with("key", path("ec256.key"))
                                       .with("cert", path("ec256.crt")));
    EXPECT_TRUE(answer.starts_with("error")) << answer;
  }
}

TEST_P(CmsPeers, EncryptForSeveralOfWhomWeAreOne) {
  Bytes entity = to_bytes("Content-Type: application/EDI-X12\r\n\r\n");
  entity.insert(entity.end(), payloads_[1].begin(), payloads_[1].end());
  put("in", entity);
  for (const char* cipher : {"aes256-cbc", "aes128-gcm"}) {
    PeerCommand command("encrypt");
    command.with("in", path("in")).with("cipher", cipher);
    for (const char* name : {"stranger", "ec384", "rsa"})
      command.with("to", path(std::string(name) + ".crt"));
    const Bytes message = pkcs7_mime("enveloped-data", ask_for_file(command));
    for (const char* name : {"stranger", "ec384", "rsa"}) {
      const auto opened = open_entity(message, opening(identity(name), identity("rsa")));
      ASSERT_TRUE(opened) << name << ": " << opened.error().cause.detail;
      EXPECT_EQ(opened->payload.body.to_bytes(1 << 20).value(), payloads_[1]);
    }
    EXPECT_FALSE(open_entity(message, opening(identity("ec256"), identity("rsa"))));
  }
}

INSTANTIATE_TEST_SUITE_P(Interop, CmsPeers, testing::Values(Peer::OpenSsl, Peer::BouncyCastle),
                         [](const auto& peer) { return name_of(peer.param); });

}  // namespace
}  // namespace signet::interop
