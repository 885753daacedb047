#include "as2/compose.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "as2/cms/compress.h"
#include "as2/mime/canonical.h"
#include "as2/mime/content_type.h"
#include "as2/multipart_signed.h"

namespace signet::as2 {
namespace {

using mime::TransferEncoding;

/// An entity being closed layer by layer: its MIME headers and its body as they are so far.
struct Draft {
  mime::Headers headers;
  Slice body;
};

/// The entity's octets: headers, empty line, body.
Result<Slice> whole(const Draft& draft, const SpoolArea& area) {
  return Slice::joined({Slice::of(draft.headers.serialise() + "\r\n"), draft.body}, area.memory_limit);
}

mime::Headers pkcs7_mime(std::string_view smime_type, std::string_view name) {
  mime::Headers headers;
  headers.add("Content-Type",
              fmt::format("application/pkcs7-mime; smime-type={}; name=\"{}\"", smime_type, name));
  headers.add("Content-Transfer-Encoding", "binary");
  headers.add("Content-Disposition", fmt::format("attachment; filename=\"{}\"", name));
  return headers;
}

class Composing {
 public:
  Composing(const Slice& payload, const ComposeSettings& settings) : payload_(payload), settings_(settings) {}

  Result<Composed> run() {
    SIGNET_CHECK(start_with_payload());
    if (settings_.compress && settings_.compression_order == CompressionOrder::BeforeSigning)
      SIGNET_CHECK(compress());
    if (settings_.signer) SIGNET_CHECK(sign());
    if (settings_.compress && settings_.compression_order == CompressionOrder::AfterSigning)
      SIGNET_CHECK(compress());
    if (!settings_.recipients.empty()) SIGNET_CHECK(encrypt());
    if (!composed_.mic.value.empty()) return finish();
    SIGNET_CHECK(mic_of_plain_message());
    return finish();
  }

 private:
  Result<> start_with_payload() {
    draft_.headers.add("Content-Type", settings_.content_type);
    draft_.headers.add("Content-Transfer-Encoding", to_string(settings_.payload_encoding));
    if (!settings_.file_name.empty()) {
      mime::ContentDisposition disposition{"attachment", {}};
      disposition.parameters.set("filename", settings_.file_name);
      draft_.headers.add("Content-Disposition", disposition.to_string());
    }
    draft_.body = payload_;
    if (settings_.canonicalise_text && to_lower(settings_.content_type).starts_with("text/"))
      SIGNET_CHECK(pass_through<mime::CanonicalLineEnds>());
    if (settings_.payload_encoding == TransferEncoding::Base64)
      SIGNET_CHECK(pass_through<mime::Base64Encoder>());
    return {};
  }

  /// Sends the draft's body through a filter.
  template <class Filter>
  Result<> pass_through() {
    const auto spool = std::make_shared<Spool>(settings_.spool);
    SliceSource source(draft_.body);
    Filter filtered(source);
    SIGNET_CHECK(copy(filtered, *spool));
    draft_.body = Spool::finish(spool);
    return {};
  }

  Result<> compress() {
    SIGNET_TRY(const Slice content, whole(draft_, settings_.spool));
    // An unsigned message's MIC is over what the partner has when all layers are off [RFC5402 4.2, 4.3].
    if (!settings_.signer)
      SIGNET_CHECK(keep_mic(settings_.recipients.empty() ? unsigned_mic_input(content) : content));
    const auto spool =
        std::make_shared<Spool>(settings_.recipients.empty() ? settings_.spool.kept() : settings_.spool);
    SliceSource source(content);
    SIGNET_CHECK(cms::compress(source, *spool));
    draft_ = {pkcs7_mime("compressed-data", "smime.p7z"), Spool::finish(spool)};
    add_layer({LayerKind::Compressed, "zlib", ""});
    return {};
  }

  Result<> sign() {
    SIGNET_TRY(const Slice content, whole(draft_, settings_.spool));
    SIGNET_TRY(MultipartSigned made,
               sign_multipart(content, *settings_.signer, settings_.sign, settings_.sha2_format,
                              settings_.signature_encoding, settings_.spool));
    SIGNET_CHECK(keep_mic(content));  // the digest that was just signed
    draft_ = {std::move(made.headers), std::move(made.body)};
    const bool ec = settings_.signer->certificate.key_type() == certstore::KeyType::Ec;
    add_layer({LayerKind::Signed,
               fmt::format("{} with {}", to_string(ec ? cms::SignatureScheme::Ecdsa : settings_.sign.scheme),
                           to_string(settings_.sign.hash)),
               settings_.signer->certificate.thumbprint_sha256()});
    return {};
  }

  Result<> encrypt() {
    SIGNET_TRY(const Slice content, whole(draft_, settings_.spool));
    if (composed_.mic.value.empty()) SIGNET_CHECK(keep_mic(content));
    const auto spool = std::make_shared<Spool>(settings_.spool.kept());
    SliceSource source(content);
    cms::EncryptOptions options = settings_.encrypt;
    options.content_size = content.size();
    SIGNET_CHECK(cms::encrypt(source, settings_.recipients, options, *spool));
    const bool authenticated = cms::is_authenticated(options.cipher);
    draft_ = {pkcs7_mime(authenticated ? "authEnveloped-data" : "enveloped-data", "smime.p7m"),
              Spool::finish(spool)};
    const bool ec = settings_.recipients.front().key_type() == certstore::KeyType::Ec;
    add_layer({LayerKind::Encrypted,
               fmt::format("{}, {}", to_string(options.cipher),
                           ec ? "ECDH with key wrap" : to_string(options.key_transport)),
               settings_.recipients.front().thumbprint_sha256()});
    return {};
  }

  /// Neither signed nor encrypted nor compressed: the content alone, as it travels.
  Result<> mic_of_plain_message() { return keep_mic(draft_.body); }

  Slice unsigned_mic_input(const Slice& entity) const {
    return settings_.compressed_mic == CompressedMic::WithHeaders ? entity : draft_.body;
  }

  Result<> keep_mic(const Slice& octets) {
    const Hash hash = settings_.signer ? settings_.sign.hash : settings_.unsigned_mic_hash;
    SIGNET_TRY(Bytes value, digest(hash, octets));
    composed_.mic = {hash, std::move(value)};
    composed_.mic_content = octets;
    return {};
  }

  void add_layer(Layer layer) { composed_.layers.insert(composed_.layers.begin(), std::move(layer)); }

  Result<Composed> finish() {
    mime::Headers& headers = composed_.headers;
    headers.add("AS2-Version", settings_.as2_version);
    if (!settings_.features.empty()) headers.add("EDIINT-Features", settings_.features);
    headers.add("AS2-From", settings_.from.field_value());
    headers.add("AS2-To", settings_.to.field_value());
    headers.add("Message-ID", settings_.message_id.text());
    headers.add("Date", to_rfc5322(settings_.date));
    headers.add("Subject", settings_.subject);
    headers.add("MIME-Version", "1.0");
    for (const mime::Header& header : draft_.headers) headers.add(header.name, header.value);
    write_receipt_request(settings_.receipt, headers);
    composed_.body = std::move(draft_.body);
    return std::move(composed_);
  }

  const Slice& payload_;
  const ComposeSettings& settings_;
  Draft draft_;
  Composed composed_;
};

}  // namespace

Result<Composed> compose(const Slice& payload, const ComposeSettings& settings) {
  return Composing(payload, settings).run();
}

}  // namespace signet::as2
