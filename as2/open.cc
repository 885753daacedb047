#include "as2/open.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "as2/cms/content_info.h"
#include "as2/mime/canonical.h"
#include "as2/mime/content_type.h"
#include "as2/mime/transfer_encoding.h"

namespace signet::as2 {
namespace {

constexpr std::size_t kMaxSignatureSize = 1024 * 1024;

std::string_view word(LayerKind kind) {
  switch (kind) {
    case LayerKind::Encrypted:
      return "encrypted";
    case LayerKind::Signed:
      return "signed";
    case LayerKind::Compressed:
      return "compressed";
  }
  return "";
}

/// What an entity is, by its Content-Type and, where that only says CMS, by the CMS itself: smime-type is
/// missing or wrong too often to be asked.
enum class EntityKind { Payload, MultipartSigned, Cms };

Step<EntityKind> kind_of(const mime::Entity& entity) {
  SIGNET_TRY(const auto type,
             or_refuse(Fault::UnexpectedProcessingError, mime::content_type(entity.headers)));
  if (!type) return EntityKind::Payload;
  if (type->is("multipart/signed")) return EntityKind::MultipartSigned;
  if (type->is("application/pkcs7-mime") || type->is("application/x-pkcs7-mime")) return EntityKind::Cms;
  return EntityKind::Payload;
}

/// cms::verify_detached() says NotFound when no SignerInfo of a readable signature names an accepted
/// certificate.
bool signed_by_a_stranger(const Refusal& refusal) {
  return refusal.fault == Fault::AuthenticationFailed && refusal.cause.kind == ErrorKind::NotFound;
}

/// The way in, one layer at a time. A member function is one kind of layer.
class Opening {
 public:
  Opening(const OpenSettings& settings, std::vector<Layer>& layers) : settings_(settings), layers_(layers) {}

  Step<Opened> run(mime::Entity entity) {
    auto opened = take_layers_off(std::move(entity));
    // What comes out of CBC was chosen by whoever last touched the message. If a wrong digest were told apart
    // from a wrong padding, the difference would decrypt other people's messages, one octet in 256 questions
    // [RFC3218, Vaudenay 2002]. A whole message with a stranger's signature is no such difference: whoever
    // probes paddings changes the end of it.
    if (!opened && malleable_ && !signed_by_a_stranger(opened.error()))
      opened.error().fault = Fault::DecryptionFailed;
    return opened;
  }

 private:
  Step<Opened> take_layers_off(mime::Entity entity) {
    for (;;) {
      SIGNET_TRY(const EntityKind kind, kind_of(entity));
      if (kind == EntityKind::Payload) break;
      if (layers_.size() == settings_.max_layers)
        return refuse(Fault::UnexpectedProcessingError, ErrorKind::LimitExceeded,
                      fmt::format("more than {} layers of encryption, signature and compression",
                                  settings_.max_layers));
      SIGNET_TRY(entity, kind == EntityKind::MultipartSigned ? verify_multipart(entity) : open_cms(entity));
    }
    opened_.payload = std::move(entity);
    opened_.layers = layers_;
    opened_.malleable = malleable_;
    return std::move(opened_);
  }

  Step<mime::Entity> open_cms(const mime::Entity& entity) {
    SIGNET_TRY(const Slice content, without_transfer_encoding(entity));
    SIGNET_TRY(const cms::CmsType type,
               or_refuse(Fault::UnexpectedProcessingError, cms::detect_type(content)));
    switch (type) {
      case cms::CmsType::Enveloped:
      case cms::CmsType::AuthEnveloped:
        return decrypt(content);
      case cms::CmsType::Signed:
        return verify_opaque(content);
      case cms::CmsType::Compressed:
        return decompress(content);
      case cms::CmsType::Other:
        break;
    }
    return refuse(
        Fault::UnexpectedProcessingError, ErrorKind::Unsupported,
        "application/pkcs7-mime holds a CMS type that is neither signed, enveloped nor compressed data");
  }

  Step<mime::Entity> decrypt(const Slice& content) {
    if (!layers_.empty())
      return refuse(
          Fault::UnexpectedProcessingError, ErrorKind::InvalidInput,
          fmt::format("encryption inside another layer ({}); it must be the outermost", to_string(layers_)));
    const auto spool = std::make_shared<Spool>(settings_.spool.kept());
    layers_.push_back({LayerKind::Encrypted, "not decrypted", ""});
    SIGNET_TRY(const auto decrypted, cms::decrypt(content, settings_.decryption, settings_.decrypt, *spool));
    layers_.back().algorithm =
        fmt::format("{}, {}", cms::to_string(decrypted.cipher), decrypted.key_transport);
    layers_.back().thumbprint = decrypted.recipient.thumbprint_sha256();
    malleable_ = !cms::is_authenticated(decrypted.cipher);
    SIGNET_TRY(mime::Entity inner, read_inner(Spool::finish(spool)));
    if (malleable_ && inner.headers.empty() && !settings_.bare_content_allowed)
      return refuse(Fault::DecryptionFailed, ErrorKind::CryptoFailure,
                    "what was decrypted has no MIME headers");
    return inner;
  }

  Step<mime::Entity> decompress(const Slice& content) {
    SIGNET_CHECK(only_once(LayerKind::Compressed, Fault::DecompressionFailed));
    const auto spool = std::make_shared<Spool>(settings_.spool.kept());
    SIGNET_CHECK(cms::decompress(content, settings_.decompress, *spool));
    layers_.push_back({LayerKind::Compressed, "zlib", ""});
    return read_inner(Spool::finish(spool));
  }

  Step<mime::Entity> verify_opaque(const Slice& content) {
    SIGNET_CHECK(only_once(LayerKind::Signed, Fault::AuthenticationFailed));
    const auto spool = std::make_shared<Spool>(settings_.spool.kept());
    SIGNET_TRY(cms::VerifiedSigner signer,
               cms::verify_opaque(content, settings_.signers, settings_.verify, *spool));
    return verified(std::move(signer), Spool::finish(spool));
  }

  Step<mime::Entity> verify_multipart(const mime::Entity& entity) {
    SIGNET_CHECK(only_once(LayerKind::Signed, Fault::AuthenticationFailed));
    SIGNET_TRY(const auto type, or_refuse(Fault::AuthenticationFailed, mime::content_type(entity.headers)));
    const auto boundary = type->parameter("boundary");
    if (!boundary)
      return refuse(Fault::AuthenticationFailed, ErrorKind::InvalidInput,
                    "multipart/signed has no boundary parameter");
    SIGNET_TRY(const Slice body, without_transfer_encoding(entity));
    SIGNET_TRY(const auto parts, or_refuse(Fault::AuthenticationFailed, mime::split_signed(body, *boundary)));
    // Octets behind the last boundary cannot be told from those that somebody appended to probe the padding.
    if (malleable_ && !parts.null_epilogue)
      return refuse(Fault::DecryptionFailed, ErrorKind::InvalidInput,
                    "octets behind the end of the encrypted multipart/signed");
    SIGNET_TRY(const Bytes signature, signature_octets(parts.signature));

    auto signer = cms::verify_detached(signature, parts.content, settings_.signers, settings_.verify);
    if (signer) return verified(*std::move(signer), parts.content);
    if (signer.error().fault != Fault::IntegrityCheckFailed) return tl::unexpected(std::move(signer).error());

    // Peers that declare 8bit sign the CRLF form and send what they have [RFC8551 3.1.1]. What is handed on
    // is then the form that was signed.
    SIGNET_TRY(const Slice canonical, canonical_form(parts.content));
    if (canonical.size() == parts.content.size()) return tl::unexpected(std::move(signer).error());
    SIGNET_TRY(cms::VerifiedSigner canonical_signer,
               cms::verify_detached(signature, canonical, settings_.signers, settings_.verify));
    return verified(std::move(canonical_signer), canonical);
  }

  Step<mime::Entity> verified(cms::VerifiedSigner signer, const Slice& content) {
    layers_.push_back({LayerKind::Signed, signer.algorithm_text(), signer.certificate().thumbprint_sha256()});
    opened_.signer = std::move(signer);
    opened_.signed_content = content;
    return read_inner(content);
  }

  Step<Bytes> signature_octets(const mime::Entity& part) const {
    SIGNET_TRY(const Slice octets,
               or_refuse(Fault::AuthenticationFailed, mime::decoded(part, settings_.spool)));
    return or_refuse(Fault::AuthenticationFailed, octets.to_bytes(kMaxSignatureSize));
  }

  Step<Slice> without_transfer_encoding(const mime::Entity& entity) const {
    return or_refuse(Fault::UnexpectedProcessingError, mime::decoded(entity, settings_.spool));
  }

  Step<Slice> canonical_form(const Slice& content) const {
    const auto spool = std::make_shared<Spool>(settings_.spool);
    SliceSource source(content);
    mime::CanonicalLineEnds canonical(source);
    SIGNET_CHECK(or_refuse(Fault::UnexpectedProcessingError, copy(canonical, *spool)));
    return Spool::finish(spool);
  }

  Step<mime::Entity> read_inner(const Slice& octets) const {
    return or_refuse(Fault::UnexpectedProcessingError, mime::read_entity(octets));
  }

  Step<> only_once(LayerKind kind, Fault fault) const {
    if (std::none_of(layers_.begin(), layers_.end(),
                     [kind](const Layer& layer) { return layer.kind == kind; }))
      return {};
    return refuse(fault, ErrorKind::InvalidInput,
                  fmt::format("{} twice; at most one such layer is allowed", word(kind)));
  }

  const OpenSettings& settings_;
  std::vector<Layer>& layers_;
  Opened opened_;
  bool malleable_ = false;  ///< what is being looked at came out of CBC: whoever sent it can have changed it
};

}  // namespace

std::string to_string(const std::vector<Layer>& layers) {
  std::string text;
  for (const Layer& layer : layers)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", word(layer.kind), layer.algorithm);
  return text.empty() ? "plain" : text;
}

bool Opened::has(LayerKind kind) const {
  return std::any_of(layers.begin(), layers.end(), [kind](const Layer& layer) { return layer.kind == kind; });
}

Step<Opened> open(const mime::Headers& head, const Slice& body, const OpenSettings& settings,
                  std::vector<Layer>& layers_met) {
  return Opening(settings, layers_met).run(mime::Entity{head, body, body});
}

Hash mic_hash(const Opened& opened, const ReceiptRequest& request, const std::vector<Hash>& allowed,
              Hash fallback) {
  if (opened.signer) return opened.signer->hash();
  for (const RequestedHash& wanted : request.hashes)
    if (std::find(allowed.begin(), allowed.end(), wanted.hash) != allowed.end()) return wanted.hash;
  return fallback;
}

Slice mic_content(const Opened& opened, CompressedMic rule) {
  if (opened.signer) return opened.signed_content;
  if (opened.has(LayerKind::Encrypted)) return opened.payload.whole;
  if (opened.has(LayerKind::Compressed) && rule == CompressedMic::WithHeaders) return opened.payload.whole;
  return opened.payload.body;
}

Result<Mic> compute_mic(const Opened& opened, Hash hash, CompressedMic rule) {
  SIGNET_TRY(Bytes value, digest(hash, mic_content(opened, rule)));
  return Mic{hash, std::move(value)};
}

Step<AcceptedContent> judge(const Opened& opened, const Requirements& requirements, const SpoolArea& area) {
  std::string missing;
  const auto demand = [&](bool demanded, LayerKind kind) {
    if (demanded && !opened.has(kind))
      missing += fmt::format("{}{}", missing.empty() ? "" : " and ", word(kind));
  };
  demand(requirements.signature, LayerKind::Signed);
  demand(requirements.encryption, LayerKind::Encrypted);
  demand(requirements.compression, LayerKind::Compressed);
  const bool could_be_anything = requirements.signature && !opened.signer && opened.malleable;
  if (!missing.empty())
    return refuse(could_be_anything ? Fault::DecryptionFailed : Fault::InsufficientMessageSecurity,
                  ErrorKind::InvalidInput,
                  fmt::format("the agreement demands a message that is {}; this one is {}", missing,
                              to_string(opened.layers)));

  AcceptedContent content;
  SIGNET_TRY(content.payload_,
             or_refuse(Fault::UnexpectedProcessingError, mime::decoded(opened.payload, area)));
  content.content_type_ = std::string(opened.payload.headers.value("Content-Type").value_or(""));
  content.file_name_ = mime::file_name(opened.payload.headers).value_or("");
  return content;
}

}  // namespace signet::as2
