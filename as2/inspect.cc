#include "as2/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "as2/cms/content_info.h"
#include "as2/cms/describe.h"
#include "as2/inspect_content.h"
#include "as2/inspect_header.h"
#include "as2/inspect_layer.h"
#include "as2/inspect_mic.h"
#include "as2/inspect_signature.h"
#include "as2/mime/content_type.h"
#include "as2/mime/transfer_encoding.h"

namespace signet::as2 {
namespace {

using mime::Entity;

constexpr std::size_t kMaxHeaderBlock = 64 * 1024;
constexpr std::size_t kPreambleSize = 1024;

/// The way in. A member function explains one kind of layer, and gives what is inside.
class Inspection {
 public:
  Inspection(const InspectMaterial& material, const InspectOptions& options)
      : material_(material), options_(options), mic_(options) {
    for (const NamedKey& each : material.decryption) keys_.push_back(each.own);
  }

  Explanation run(const Capture& capture) {
    form_ = capture.form;
    explanation_.layers = explain_header(capture);
    walk({capture.headers, capture.body, capture.body});
    mic_.explain(parse_receipt_request(capture.headers), explanation_);
    return std::move(explanation_);
  }

 private:
  // ---- The layer at hand

  ExplainedLayer& begin(std::string kind, std::string title) {
    explanation_.layers.push_back({std::move(kind), std::move(title), {}, {}, {}});
    return explanation_.layers.back();
  }
  ExplainedLayer& layer() { return explanation_.layers.back(); }
  void fact(std::string name, std::string value) { add_fact(layer(), std::move(name), std::move(value)); }
  void remark(std::string text) { layer().remarks.push_back(std::move(text)); }
  void check(CheckResult result, std::string text) { layer().checks.push_back({result, std::move(text)}); }
  void fail_check(std::string text) { add_failed_check(layer(), std::move(text)); }
  void header_fact(const mime::Headers& headers, std::string_view name) {
    add_header_fact(layer(), headers, name);
  }

  // ---- The walk

  void walk(Entity entity) {
    mic_.keep(Stage::Wire, entity);
    std::optional<Entity> next = std::move(entity);
    while (next) {
      if (explanation_.security.size() == options_.max_layers) {
        fail_check(
            fmt::format("more than {} layers of encryption, signature and compression; what is further in is "
                        "not looked at",
                        options_.max_layers));
        return;
      }
      next = explain_entity(*next);
    }
  }

  std::optional<Entity> explain_entity(const Entity& entity) {
    const auto type = mime::content_type(entity.headers);
    if (!type) {
      explain_payload(entity, std::nullopt);
      fail_check("the Content-Type cannot be read: " + type.error().detail);
      return std::nullopt;
    }
    if (!*type) {
      explain_payload(entity, std::nullopt);
      return std::nullopt;
    }
    if ((*type)->is("multipart/signed")) return explain_multipart_signed(entity, **type);
    for (const std::string_view cms : {"application/pkcs7-mime", "application/x-pkcs7-mime",
                                       "application/pkcs7-signature", "application/x-pkcs7-signature"})
      if ((*type)->is(cms)) return explain_cms(entity, **type);
    if ((*type)->is("multipart/report")) {
      explain_receipt(entity, **type);
      return std::nullopt;
    }
    explain_payload(entity, **type);
    return std::nullopt;
  }

  /// The entity without its transfer encoding; tells what is wrong with that otherwise.
  std::optional<Slice> decode(const Entity& entity) {
    auto plain = mime::decoded(entity, options_.spool);
    if (plain) return *std::move(plain);
    fail_check("its Content-Transfer-Encoding cannot be undone: " + plain.error().detail);
    return std::nullopt;
  }

  std::optional<Entity> inside(const Slice& content, Stage stage) {
    auto entity = mime::read_entity(content);
    if (!entity) {
      fail_check("what is inside begins with MIME header fields that cannot be read: " +
                 entity.error().detail);
      return std::nullopt;
    }
    if (entity->headers.empty())
      remark("what is inside has no MIME header (mendelson sends bare payloads so)");
    remark_on_header_lines(*entity);
    mic_.keep(stage, *entity);
    return *std::move(entity);
  }

  void remark_on_header_lines(const Entity& entity) {
    const Slice block = entity.whole.sub(0, entity.whole.size() - entity.body.size());
    const auto raw = block.to_bytes(kMaxHeaderBlock);
    if (!raw || raw->empty()) return;
    const std::string_view text = as_text(*raw);
    for (std::size_t lf = text.find('\n'); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) {
      if (lf > 0 && text[lf - 1] == '\r') continue;
      return remark(
          "MIME header lines inside end in LF alone, where S/MIME wants CRLF (RFC 8551 section 3.1.1): "
          "software that "
          "corrects them gets another MIC");
    }
  }

  // ---- CMS

  std::optional<Entity> explain_cms(const Entity& entity, const mime::ContentType& type) {
    begin("encrypted", "CMS");
    fact("content type", type.media_type());
    const auto said = type.parameter("smime-type");
    fact("smime-type", said ? printable(*said, 60) : "");
    header_fact(entity.headers, "Content-Transfer-Encoding");
    std::optional<Slice> content = decode(entity);
    if (!content) return std::nullopt;
    auto description = describe_cms(*content);
    if (!description) return std::nullopt;
    const bool mime_says_wrong = said && !equal_ignoring_case(*said, cms::to_string(description->type)) &&
                                 description->type != cms::CmsType::Other;
    if (mime_says_wrong)
      remark(fmt::format("smime-type says {}, but it is {}; receivers that believe the name fail",
                         printable(*said, 60), cms::to_string(description->type)));
    if (!said && form_ != CaptureForm::Cms)
      remark(
          fmt::format("no smime-type; the CMS itself says {}. Some receivers (OpenAS2) do not open it then",
                      cms::to_string(description->type)));
    switch (description->type) {
      case cms::CmsType::Enveloped:
      case cms::CmsType::AuthEnveloped:
        return explain_enveloped(*content, *description);
      case cms::CmsType::Signed:
        return explain_opaque(*content, *description);
      case cms::CmsType::Compressed:
        return explain_compressed(*content, *description);
      case cms::CmsType::Other:
        break;
    }
    layer().kind = "payload";
    fail_check("a CMS message that is neither signed, enveloped nor compressed data");
    return std::nullopt;
  }

  /// @param content  replaced when it turns out to be base64 that nothing announced.
  std::optional<cms::CmsDescription> describe_cms(Slice& content) {
    auto description = cms::describe(content);
    if (!description) {
      const Entity as_base64{base64_header(), content, content};
      const auto plain = mime::decoded(as_base64, options_.spool);
      auto second = plain ? cms::describe(*plain) : description;
      if (!second) {
        layer().kind = "payload";
        fail_check("it is no CMS message: " + description.error().detail);
        return std::nullopt;
      }
      fail_check(
          "it is in base64, and no Content-Transfer-Encoding says so: a receiver that takes it for binary "
          "cannot read it");
      content = *plain;
      description = std::move(second);
    }
    fact("size", octets_text(content.size()));
    if (!description->damage.empty()) fail_check("its structure is broken: " + description->damage);
    return *std::move(description);
  }

  static mime::Headers base64_header() {
    mime::Headers headers;
    headers.add("Content-Transfer-Encoding", "base64");
    return headers;
  }

  // ---- Encryption

  std::optional<Entity> explain_enveloped(const Slice& content, const cms::CmsDescription& description) {
    layer().kind = "encrypted";
    layer().title = fmt::format("encrypted: {}", cms::to_string(description.type));
    explanation_.security.push_back(LayerKind::Encrypted);
    if (explanation_.security.size() > 1)
      remark("encryption inside another layer: AS2 encrypts outermost, and Signet refuses anything else");
    fact("cipher", description.cipher);
    fact("encoding", description.indefinite_length ? "BER, indefinite lengths" : "definite lengths");
    fact("encrypted content", octets_text(description.content_size));
    for (const cms::RecipientDescription& each : description.recipients)
      layer().facts.push_back(recipient_fact(each));
    remark_on_encryption(description);
    if (keys_.empty()) {
      check(CheckResult::NotChecked, what_would_decrypt(description));
      return std::nullopt;
    }
    return decrypt(content, description);
  }

  Fact recipient_fact(const cms::RecipientDescription& recipient) const {
    Fact fact{"recipient", cms::to_string(recipient.party)};
    if (const std::string owner = owner_of(recipient.party); !owner.empty())
      fact.parts.push_back({"is", owner});
    fact.parts.push_back({"kind", recipient.kind});
    if (!recipient.key_transport.empty()) fact.parts.push_back({"key transport", recipient.key_transport});
    return fact;
  }

  [[nodiscard]] std::string owner_of(const cms::PartyName& party) const {
    for (const NamedKey& each : material_.decryption)
      if (cms::is_named(each.own.certificate, party)) return fmt::format("our certificate '{}'", each.name);
    for (const auto* list : {&material_.known, &material_.signers})
      for (const NamedCertificate& each : *list)
        if (cms::is_named(each.certificate, party))
          return fmt::format("the account's certificate '{}', with which nothing is decrypted here",
                             each.name);
    return "";
  }

  void remark_on_encryption(const cms::CmsDescription& description) {
    if (!description.known_cipher)
      remark(fmt::format("the cipher {} is one that Signet does not speak", description.cipher));
    else if (*description.known_cipher == cms::ContentCipher::Des3Cbc)
      remark("3DES is weak: accepted only by an exception in the agreement");
    if (description.tag_size && *description.tag_size != 16)
      remark(fmt::format("the GCM tag has {} octets instead of 16: it can be forged, and Signet refuses it",
                         *description.tag_size));
    if (description.icv_size && description.tag_size && *description.icv_size != *description.tag_size)
      remark(fmt::format("the parameters promise a GCM tag of {} octets, and it has {}",
                         *description.icv_size, *description.tag_size));
    if (description.nonce_size && *description.nonce_size != 12)
      remark(fmt::format("the GCM nonce has {} octets; only 12 are accepted", *description.nonce_size));
    if (description.recipient_count > cms::kMaxDescribed)
      remark(fmt::format("{} recipients, where {} are allowed; only the first are shown",
                         description.recipient_count, cms::kMaxDescribed));
    if (description.type == cms::CmsType::AuthEnveloped && description.known_cipher &&
        !cms::is_authenticated(*description.known_cipher))
      remark("authEnveloped-data with a cipher that authenticates nothing");
  }

  static std::string what_would_decrypt(const cms::CmsDescription& description) {
    std::string parties;
    for (const cms::RecipientDescription& each : description.recipients)
      parties += fmt::format("{}{}", parties.empty() ? "" : ", or of ", cms::to_string(each.party));
    return fmt::format(
        "decrypting it takes the private key of {}, that is, the recipient's gateway and its --home",
        parties.empty() ? "nobody (there is no recipient in it)" : parties);
  }

  std::optional<Entity> decrypt(const Slice& content, const cms::CmsDescription& description) {
    auto spool = std::make_shared<Spool>(options_.spool);
    auto decrypted = cms::decrypt(content, keys_, material_.decrypt, *spool);
    if (!decrypted && decrypted.error().fault == Fault::InsufficientMessageSecurity) {
      fail_check(decrypted.error().cause.detail +
                 " by the agreement; decrypted all the same, to see the rest");
      cms::DecryptPolicy every_cipher = material_.decrypt;
      every_cipher.allowed_ciphers.push_back(cms::ContentCipher::Des3Cbc);
      spool = std::make_shared<Spool>(options_.spool);
      decrypted = cms::decrypt(content, keys_, every_cipher, *spool);
    }
    if (!decrypted) {
      fail_check("not decrypted: " + decrypted.error().cause.detail);
      const bool ours =
          std::any_of(description.recipients.begin(), description.recipients.end(), [&](const auto& each) {
            return std::any_of(keys_.begin(), keys_.end(),
                               [&](const auto& key) { return cms::is_named(key.certificate, each.party); });
          });
      if (ours && decrypted.error().cause.kind == ErrorKind::CryptoFailure)
        remark(
            "it names a certificate of ours and still does not decrypt: it was damaged on its way, or the "
            "partner has another "
            "certificate with our issuer and serial number");
      return std::nullopt;
    }
    const Slice plain = Spool::finish(spool);
    std::string name;
    for (const NamedKey& each : material_.decryption)
      if (each.own.certificate == decrypted->recipient) name = each.name;
    check(CheckResult::Held,
          fmt::format("decrypted with our certificate '{}' ({})", name, decrypted->key_transport));
    fact("decrypted", octets_text(plain.size()));
    return inside(plain, Stage::Decrypted);
  }

  // ---- Compression

  std::optional<Entity> explain_compressed(const Slice& content, const cms::CmsDescription& description) {
    layer().kind = "compressed";
    layer().title = "compressed: compressed-data";
    if (std::count(explanation_.security.begin(), explanation_.security.end(), LayerKind::Compressed) > 0)
      fail_check("compressed twice; at most one such layer is allowed");
    explanation_.security.push_back(LayerKind::Compressed);
    fact("algorithm", description.compression);
    fact("encoding", description.indefinite_length ? "BER, indefinite lengths" : "definite lengths");
    fact("compressed content", octets_text(description.content_size));
    const auto spool = std::make_shared<Spool>(options_.spool);
    const auto done = cms::decompress(content, material_.decompress, *spool);
    if (!done) {
      fail_check("not decompressed: " + done.error().cause.detail);
      return std::nullopt;
    }
    const Slice plain = Spool::finish(spool);
    fact("decompressed", octets_text(plain.size()));
    if (description.content_size > 0)
      fact("ratio", fmt::format("{:.1f} : 1", static_cast<double>(plain.size()) /
                                                  static_cast<double>(description.content_size)));
    check(CheckResult::Held, "decompressed, and its checksum holds");
    return inside(plain, Stage::Decompressed);
  }

  // ---- Signatures

  void begin_signed(std::string title) {
    layer().kind = "signed";
    layer().title = std::move(title);
    if (std::count(explanation_.security.begin(), explanation_.security.end(), LayerKind::Signed) > 0)
      fail_check("signed twice; at most one such layer is allowed");
    explanation_.security.push_back(LayerKind::Signed);
  }

  std::optional<Entity> explain_opaque(const Slice& content, const cms::CmsDescription& description) {
    begin_signed(description.detached ? "signed: a signature alone"
                                      : "signed: signed-data with its content inside");
    describe_signature(description, material_, layer());
    if (description.detached) {
      check(CheckResult::NotChecked,
            "a detached signature, whose content is not here: give the whole multipart/signed");
      return std::nullopt;
    }
    const auto spool = std::make_shared<Spool>(options_.spool);
    if (auto extracted = cms::extract_unverified(content, *spool); !extracted) {
      fail_check("its content cannot be read: " + extracted.error().detail);
      return std::nullopt;
    }
    return check_and_enter(description, {content, false, Spool::finish(spool)});
  }

  std::optional<Entity> explain_multipart_signed(const Entity& entity, const mime::ContentType& type) {
    begin("signed", "");
    begin_signed("signed: multipart/signed");
    for (const std::string_view name : {"micalg", "protocol"})
      fact(std::string(name), printable(type.parameter(name).value_or(""), 60));
    header_fact(entity.headers, "Content-Transfer-Encoding");
    const auto boundary = type.parameter("boundary");
    if (!boundary) {
      fail_check("its Content-Type has no boundary parameter");
      return std::nullopt;
    }
    const std::optional<Slice> body = decode(entity);
    if (!body) return std::nullopt;
    remark_on_preamble(*body, *boundary);
    const auto parts = mime::split_signed(*body, *boundary);
    if (!parts) {
      fail_check("it cannot be cut in its two parts: " + parts.error().detail);
      return std::nullopt;
    }
    fact("signed part", octets_text(parts->content.size()));
    if (!parts->null_epilogue) remark("octets follow the closing boundary (RFC 4130 section 5.1 wants none)");
    return explain_signature_part(type, *parts);
  }

  std::optional<Entity> explain_signature_part(const mime::ContentType& type,
                                               const mime::SignedParts& parts) {
    const std::string part_type(parts.signature.headers.value("Content-Type").value_or("none"));
    const std::string encoding(
        parts.signature.headers.value("Content-Transfer-Encoding").value_or("not said, so binary"));
    fact("signature part", printable(fmt::format("{}; transfer encoding {}", part_type, encoding), 200));
    if (to_lower(part_type).find("pkcs7-signature") == std::string::npos)
      remark("the second part is not called application/pkcs7-signature");
    if (!equal_ignoring_case(type.parameter("protocol").value_or(""), "application/pkcs7-signature"))
      remark("the protocol parameter should be \"application/pkcs7-signature\" (RFC 1847)");
    std::optional<Slice> signature = decode(parts.signature);
    if (!signature) return std::nullopt;
    const auto description = describe_cms(*signature);
    if (!description) {
      layer().kind = "signed";
      return inside(parts.content, Stage::Signed);
    }
    if (description->type != cms::CmsType::Signed) {
      fail_check(fmt::format("the signature part holds {}, which is no signature",
                             cms::to_string(description->type)));
      return inside(parts.content, Stage::Signed);
    }
    describe_signature(*description, material_, layer());
    remark_on_micalg(type, *description);
    if (!description->detached)
      fail_check("a detached signature that carries a content of its own: which one was signed?");
    return check_and_enter(*description, {*signature, true, parts.content});
  }

  void remark_on_micalg(const mime::ContentType& type, const cms::CmsDescription& description) {
    const auto said = type.parameter("micalg");
    if (!said) return remark("no micalg parameter: some receivers need it to choose the hash");
    if (description.signers.empty() || !description.signers.front().hash) return;
    const auto named = parse_hash_name(*said);
    if (named != description.signers.front().hash)
      remark(
          fmt::format("micalg says {}, but the signature's digest is {}: a receiver that believes the name "
                      "computes another MIC",
                      printable(*said, 60), to_string(*description.signers.front().hash)));
  }

  void remark_on_preamble(const Slice& body, std::string_view boundary) {
    const auto front = body.sub(0, kPreambleSize).to_bytes(kPreambleSize);
    if (!front) return;
    const std::string_view text = as_text(*front);
    const std::string_view preamble = text.substr(0, text.find("--" + std::string(boundary)));
    if (trim(preamble).empty()) return;
    const bool repeats = to_lower(preamble.substr(0, 200)).find("content-type:") != std::string::npos;
    remark(repeats ? "the body begins with its Content-Type once more, before the first boundary (OpenAS2 "
                     "does so in receipts): it is "
                     "ignored"
                   : "text stands before the first boundary; it is ignored and not signed");
  }

  std::optional<Entity> check_and_enter(const cms::CmsDescription& description, const SignatureInput& input) {
    const SignatureFinding finding = check_signature(description, input, material_, options_.spool, layer());
    mic_.keep_hash(finding.hash);
    if (!finding.canonical) return inside(input.content, Stage::Signed);
    const auto canonical = canonical_octets(input.content, options_.spool);
    return inside(canonical ? *canonical : input.content, Stage::Signed);
  }

  // ---- The innermost

  void explain_receipt(const Entity& entity, const mime::ContentType& type) {
    begin("receipt", "receipt (MDN)");
    if (const auto boundary = type.parameter("boundary")) remark_on_preamble(entity.body, *boundary);
    if (!equal_ignoring_case(type.parameter("report-type").value_or(""), "disposition-notification"))
      remark("the report-type is not disposition-notification");
    auto content = parse_mdn(entity);
    if (!content) {
      fail_check("it is no receipt that can be read: " + content.error().detail);
      return;
    }
    explanation_.complete = true;
    fact("disposition", printable(content->disposition.text, 300));
    fact("means", explain(content->disposition));
    fact("original message id",
         content->original_message_id ? printable(content->original_message_id->text(), 998) : "");
    fact("original recipient", content->original_recipient ? content->original_recipient->text() : "");
    fact("final recipient", content->final_recipient ? content->final_recipient->text() : "");
    fact("mic", printable(content->mic_text, 300));
    fact("reporting ua", printable(content->reporting_ua, 200));
    for (const mime::Header& field : content->extension_fields)
      fact(to_lower(printable(field.name, 60)), printable(field.value, 300));
    fact("text", printable(trim(content->human_text), 600));
    if (!content->original_message_id)
      remark("no Original-Message-ID: it cannot be told which message this is for");
    if (content->mic_text.empty() && content->disposition.accepted())
      remark("no Received-Content-MIC: it does not say what was received");
    else if (!content->mic_text.empty() && !content->mic)
      remark("the MIC cannot be read: a digest in base64, a comma and a known algorithm's name");
    if (!std::count(explanation_.security.begin(), explanation_.security.end(), LayerKind::Signed))
      remark("not signed: it proves nothing (no non-repudiation of receipt)");
    explanation_.receipt = *std::move(content);
  }

  void explain_payload(const Entity& entity, const std::optional<mime::ContentType>& type) {
    const bool of_server = form_ == CaptureForm::HttpResponse && explanation_.security.empty();
    begin("payload", of_server ? "body of the answer: no receipt" : "payload");
    fact("content type", type ? printable(type->to_string(), 300) : "none");
    header_fact(entity.headers, "Content-Transfer-Encoding");
    header_fact(entity.headers, "Content-Disposition");
    if (const auto name = mime::file_name(entity.headers)) fact("file name", printable(*name, 200));
    fact("size", octets_text(entity.body.size()));
    const std::optional<Slice> plain = decode(entity);
    if (plain) look_at_content(entity, *plain);
    if (type && type->type == "multipart")
      for (Fact& part : explain_parts(entity, *type, layer().remarks))
        layer().facts.push_back(std::move(part));
    explanation_.complete = true;
    explanation_.payload = entity;
    if (plain && plain->size() != entity.body.size()) mic_.keep_decoded_payload(*plain);
  }

  void look_at_content(const Entity& entity, const Slice& plain) {
    TextLook look;
    if (!plain.copy_to(look)) return;
    fact("looks like", look.kind());
    fact("line ends", look.line_ends());
    if (plain.size() != entity.body.size()) fact("decoded", octets_text(plain.size()));
    if (plain.size() > 0 && cms::detect_type(plain))
      remark(
          "the body is a CMS message, but its Content-Type does not say so: a receiver takes it for the "
          "payload");
    if (entity.headers.has("Content-Transfer-Encoding") || explanation_.security.empty()) return;
    if (look.changes_when_canonical() || !look.is_7bit())
      remark(
          "no Content-Transfer-Encoding, which means binary in AS2 (RFC 4130 section 5.2.1): software that "
          "takes it for 7bit "
          "changes these line ends or octets, and gets another MIC");
  }

  const InspectMaterial& material_;
  const InspectOptions& options_;
  std::vector<certstore::PrivateCertificate> keys_;
  Explanation explanation_;
  CaptureForm form_ = CaptureForm::Body;
  MicSearch mic_;
};

}  // namespace

Explanation inspect(const Capture& capture, const InspectMaterial& material, const InspectOptions& options) {
  return Inspection(material, options).run(capture);
}

}  // namespace signet::as2
