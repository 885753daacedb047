#include "as2/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include "as2/cms/content_info.h"
#include "as2/cms/describe.h"
#include "as2/inspect_signature.h"
#include "as2/mime/content_type.h"
#include "as2/mime/transfer_encoding.h"

namespace signet::as2 {
namespace {

using mime::Entity;

constexpr std::size_t kMaxPartsShown = 100;
constexpr std::size_t kMaxPartDepth = 4;
constexpr std::size_t kMaxHeaderBlock = 64 * 1024;
constexpr std::size_t kPreambleSize = 1024;

/// What the octets of a content look like, in one reading.
class TextLook final : public Sink {
 public:
  Result<> write(ByteView bytes) override {
    for (const std::uint8_t octet : bytes) {
      if (front_.size() < kFront) front_.push_back(static_cast<char>(octet));
      if (octet == '\n') ++(after_cr_ ? crlf_ : lf_);
      if (after_cr_ && octet != '\n') ++cr_;
      after_cr_ = octet == '\r';
      high_ = high_ || octet > 0x7F;
      control_ = control_ || octet == 0;
    }
    return {};
  }

  [[nodiscard]] std::string line_ends() const {
    std::string text;
    for (const auto& [count, name] : {std::pair{crlf_, "CRLF"}, std::pair{lf_, "LF alone"},
                                      std::pair{cr_ + (after_cr_ ? 1 : 0), "CR alone"}})
      if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    return text.empty() ? "none" : text;
  }
  [[nodiscard]] bool changes_when_canonical() const { return lf_ + cr_ > 0; }
  [[nodiscard]] bool is_7bit() const { return !high_ && !control_; }

  /// By its first octets, for an operator who must not see more.
  [[nodiscard]] std::string kind() const {
    const std::string_view front = trim(front_);
    if (front.starts_with("UNA") || front.starts_with("UNB+")) return "EDIFACT";
    if (front.starts_with("ISA")) return "ANSI X12";
    if (front.starts_with("<?xml") || front.starts_with("\xEF\xBB\xBF<?xml")) return "XML";
    if (front.starts_with("%PDF")) return "PDF";
    if (front.starts_with("PK\x03\x04")) return "ZIP";
    return is_7bit() ? "text" : "octets";
  }

 private:
  static constexpr std::size_t kFront = 16;
  std::string front_;
  std::uint64_t crlf_ = 0;
  std::uint64_t lf_ = 0;
  std::uint64_t cr_ = 0;
  bool after_cr_ = false;
  bool high_ = false;
  bool control_ = false;
};

std::string octets(std::uint64_t size) { return fmt::format("{} octets", size); }

/// Where in the message an entity was found.
enum class Stage { Wire, Decrypted, Signed, Decompressed };

/// The way in. A member function explains one kind of layer, and gives what is inside.
class Inspection {
 public:
  Inspection(const InspectMaterial& material, const InspectOptions& options)
      : material_(material), options_(options) {
    for (const NamedKey& each : material.decryption) keys_.push_back(each.own);
  }

  Explanation run(const Capture& capture) {
    form_ = capture.form;
    explain_transport(capture);
    explain_as2_fields(capture);
    request_ = parse_receipt_request(capture.headers);
    walk({capture.headers, capture.body, capture.body});
    find_mic();
    return std::move(explanation_);
  }

 private:
  // ---- The layer at hand

  ExplainedLayer& begin(std::string kind, std::string title) {
    explanation_.layers.push_back({std::move(kind), std::move(title), {}, {}, {}});
    return explanation_.layers.back();
  }
  ExplainedLayer& layer() { return explanation_.layers.back(); }
  void fact(std::string name, std::string value) {
    if (!value.empty()) layer().facts.push_back({std::move(name), std::move(value)});
  }
  void remark(std::string text) { layer().remarks.push_back(std::move(text)); }
  void check(CheckResult result, std::string text) { layer().checks.push_back({result, std::move(text)}); }
  void fail_check(std::string text) { check(CheckResult::Failed, std::move(text)); }
  void header_fact(const mime::Headers& headers, std::string_view name) {
    if (const auto value = headers.value(name)) fact(to_lower(name), printable(*value, 998));
  }

  // ---- Outside

  void explain_transport(const Capture& capture) {
    begin("transport", std::string(to_string(capture.form)));
    fact("line", printable(capture.start_line, 300));
    fact("framing", capture.framing);
    fact("body", octets(capture.body.size()));
    for (const std::string_view name :
         {"Host", "User-Agent", "Server", "Date", "Expect", "Content-Transfer-Encoding"})
      header_fact(capture.headers, name);
    for (const std::string& text : capture.remarks) remark(text);
    if (capture.form == CaptureForm::HttpRequest && !capture.start_line.starts_with("POST "))
      remark("AS2 messages come by POST");
  }

  void explain_as2_fields(const Capture& capture) {
    const mime::Headers& headers = capture.headers;
    const bool any = std::any_of(headers.begin(), headers.end(), [](const mime::Header& field) {
      return to_lower(field.name).starts_with("as2-") || equal_ignoring_case(field.name, "Message-ID");
    });
    if (!any) {
      if (capture.form == CaptureForm::HttpRequest) remark("no AS2 header field: this is no AS2 message");
      if (capture.form == CaptureForm::HttpResponse)
        remark("no AS2 header field: an answer of the HTTP server, not of AS2");
      return;
    }
    begin("as2", "AS2 header");
    for (const std::string_view name :
         {"AS2-Version", "AS2-From", "AS2-To", "Message-ID", "Date", "Subject", "EDIINT-Features"})
      header_fact(headers, name);
    check_names(headers);
    check_message_id(headers);
    explain_receipt_request(headers);
  }

  void check_names(const mime::Headers& headers) {
    std::vector<As2Name> names;
    for (const std::string_view name : {"AS2-From", "AS2-To"}) {
      const auto value = headers.value(name);
      if (!value) {
        fail_check(fmt::format("{} is missing; without it no agreement can be found", name));
        continue;
      }
      auto parsed = As2Name::parse(*value);
      if (!parsed)
        fail_check(fmt::format("{} is no AS2 name: {}", name, parsed.error().detail));
      else
        names.push_back(*std::move(parsed));
    }
    if (names.size() == 2 && names[0] == names[1]) remark("AS2-From and AS2-To are the same name");
    if (!headers.has("AS2-Version")) remark("no AS2-Version: 1.0 is assumed (RFC 4130 section 6.1)");
  }

  void check_message_id(const mime::Headers& headers) {
    const auto value = headers.value("Message-ID");
    if (!value)
      return remark("no Message-ID: repeats of this cannot be recognised, and no receipt can name it");
    if (auto id = MessageId::parse(*value); !id) return fail_check("Message-ID: " + id.error().detail);
    if (!value->starts_with('<') || !value->ends_with('>'))
      remark(
          "the Message-ID has no angle brackets around it (seen from IBM Sterling); ids are compared without "
          "them");
    if (value->find('@') == std::string_view::npos) remark("the Message-ID has no '@' (seen from OpenAS2)");
    if (value->find(' ') != std::string_view::npos)
      remark("the Message-ID has a space in it (seen from OpenAS2)");
  }

  void explain_receipt_request(const mime::Headers& headers) {
    const ReceiptRequest request = parse_receipt_request(headers);
    if (!request.wanted) return;
    std::string hashes;
    for (const RequestedHash& each : request.hashes)
      hashes += (hashes.empty() ? "" : ", else ") + printable(each.spelling, 40);
    Fact wanted{"receipt wanted",
                fmt::format("{}, {}", request.signed_wanted ? "signed" : "unsigned",
                            request.async_url ? "asynchronous" : "synchronous (in the answer)")};
    if (request.async_url) wanted.parts.push_back({"to", printable(*request.async_url, 300)});
    if (!hashes.empty()) wanted.parts.push_back({"hash", hashes});
    wanted.parts.push_back({"notify", printable(request.notify_to, 200)});
    layer().facts.push_back(std::move(wanted));
    if (!request.protocol_supported)
      remark("a signed receipt is wanted in a protocol other than pkcs7-signature");
    for (const std::string& unknown : request.unknown_hashes)
      remark(fmt::format("the hash '{}' in signed-receipt-micalg is unknown", printable(unknown, 60)));
  }

  // ---- The walk

  void walk(Entity entity) {
    keep_stage(Stage::Wire, entity);
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
    keep_stage(stage, *entity);
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
    fact("size", octets(content.size()));
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
    fact("encrypted content", octets(description.content_size));
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
    fact("decrypted", octets(plain.size()));
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
    fact("compressed content", octets(description.content_size));
    const auto spool = std::make_shared<Spool>(options_.spool);
    const auto done = cms::decompress(content, material_.decompress, *spool);
    if (!done) {
      fail_check("not decompressed: " + done.error().cause.detail);
      return std::nullopt;
    }
    const Slice plain = Spool::finish(spool);
    fact("decompressed", octets(plain.size()));
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
    fact("signed part", octets(parts->content.size()));
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
    signature_hash_ = finding.hash;
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
    fact("size", octets(entity.body.size()));
    const std::optional<Slice> plain = decode(entity);
    if (plain) look_at_content(entity, *plain);
    if (type && type->type == "multipart") add_parts(entity, *type, 0, layer().facts);
    explanation_.complete = true;
    explanation_.payload = entity;
    if (plain && plain->size() != entity.body.size())
      bases_.push_back({"decoded-payload", "the payload without its transfer encoding",
                        "The MIC is taken before the transfer encoding is undone.", *plain});
  }

  void look_at_content(const Entity& entity, const Slice& plain) {
    TextLook look;
    if (!plain.copy_to(look)) return;
    fact("looks like", look.kind());
    fact("line ends", look.line_ends());
    if (plain.size() != entity.body.size()) fact("decoded", octets(plain.size()));
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

  /// The parts of a multipart, each with those in it.
  void add_parts(const Entity& entity, const mime::ContentType& type, std::size_t depth,
                 std::vector<Fact>& out) {
    const auto boundary = type.parameter("boundary");
    if (!boundary || depth == kMaxPartDepth || parts_left_ == 0) return;
    const auto parts = mime::split_multipart(entity.body, *boundary, kMaxPartsShown);
    if (!parts) return remark("its parts cannot be told apart: " + parts.error().detail);
    for (const Slice& slice : *parts) {
      if (parts_left_ == 0) return remark(fmt::format("only the first {} parts are shown", kMaxPartsShown));
      --parts_left_;
      const auto part = mime::read_entity(slice);
      const auto part_type =
          part ? mime::content_type(part->headers) : Result<std::optional<mime::ContentType>>(std::nullopt);
      const bool known = part && part_type && *part_type;
      Fact fact{"part",
                fmt::format("{}, {}", known ? printable((*part_type)->media_type(), 100) : "no Content-Type",
                            octets(slice.size()))};
      if (known && (*part_type)->type == "multipart") add_parts(*part, **part_type, depth + 1, fact.parts);
      out.push_back(std::move(fact));
    }
  }

  // ---- The MIC

  void keep_stage(Stage stage, const Entity& entity) {
    if (stage == Stage::Signed) signed_ = entity;
    last_ = entity;
    static constexpr std::array<std::string_view, 4> ids = {"http-body", "decrypted", "signed-content",
                                                            "decompressed"};
    static constexpr std::array<std::string_view, 4> what = {"the HTTP body", "what was decrypted",
                                                             "the signed part", "what was decompressed"};
    const auto index = static_cast<std::size_t>(stage);
    if (stage == Stage::Wire) {
      bases_.push_back({std::string(ids[index]), "the body as it came, no layer taken off", meaning_of_wire(),
                        entity.body});
      return;
    }
    bases_.push_back({std::string(ids[index]), fmt::format("{} with its MIME headers", what[index]),
                      meaning_of(stage, true), entity.whole});
    bases_.push_back({fmt::format("{}-body", ids[index]),
                      fmt::format("{} without its MIME headers", what[index]), meaning_of(stage, false),
                      entity.body});
  }

  static std::string meaning_of_wire() {
    return "The other side hashes the body before it takes any layer off, which is right only for a message "
           "that is neither "
           "signed nor encrypted (RFC 4130 section 7.3.1).";
  }

  static std::string meaning_of(Stage stage, bool with_headers) {
    std::string text;
    switch (stage) {
      case Stage::Wire:
        break;
      case Stage::Decrypted:
        text =
            "The other side hashes what it decrypted, whatever is inside; for a signed message it is what "
            "was signed that "
            "counts (RFC 4130 section 7.3.1).";
        break;
      case Stage::Signed:
        text = "The other side hashes what was signed, as RFC 4130 section 7.3.1 has it.";
        break;
      case Stage::Decompressed:
        text =
            "The other side hashes after decompressing; of a message compressed before signing, the "
            "compressed form that was "
            "signed counts (RFC 5402 section 4.1).";
        break;
    }
    if (!with_headers)
      text +=
          " It leaves the MIME headers out, which is right only for a message that is neither signed nor "
          "encrypted.";
    return text;
  }

  /// compute_mic()'s table, told.
  void find_mic() {
    if (explanation_.receipt) return;
    if (!signed_ && !explanation_.complete) return keep_bases(std::nullopt);
    const bool encrypted =
        std::count(explanation_.security.begin(), explanation_.security.end(), LayerKind::Encrypted) > 0;
    const bool compressed =
        std::count(explanation_.security.begin(), explanation_.security.end(), LayerKind::Compressed) > 0;
    const bool with_headers = options_.compressed_mic == CompressedMic::WithHeaders;
    MicBase rule{"by-rule", "the content without MIME headers", "", last_.body};
    explanation_.mic_rule =
        "neither signed nor encrypted, so over the content without MIME headers (RFC 4130 section 7.3.1)";
    if (signed_) {
      rule.octets = signed_->whole;
      rule.covers = "the signed part with its MIME headers";
      explanation_.mic_rule =
          "signed, so over the signed part with its MIME headers (RFC 4130 section 7.3.1)";
    } else if (encrypted || (compressed && with_headers)) {
      rule.octets = last_.whole;
      rule.covers = "the content with its MIME headers, decrypted and decompressed";
      explanation_.mic_rule = encrypted ? "encrypted and not signed, so over the decrypted and decompressed "
                                          "content with its MIME headers "
                                          "(RFC 4130 section 7.3.1, RFC 5402 section 4.2)"
                                        : "compressed only, so over the decompressed content with its MIME "
                                          "headers (RFC 5402 section 4.3)";
    } else if (compressed) {
      explanation_.mic_rule =
          "compressed only, so over the decompressed content without MIME headers (RFC 4130 section 7.3.1, "
          "as "
          "the agreement has it)";
    }
    const Hash hash = mic_hash();
    if (auto value = digest(hash, rule.octets)) explanation_.mic = Mic{hash, *std::move(value)};
    keep_bases(std::move(rule));
  }

  [[nodiscard]] Hash mic_hash() const {
    if (signed_ && signature_hash_) return *signature_hash_;
    for (const RequestedHash& wanted : request_.hashes)
      if (wanted.hash != Hash::Md5) return wanted.hash;
    return options_.default_mic_hash;
  }

  void keep_bases(std::optional<MicBase> by_rule) {
    if (by_rule) explanation_.mic_bases.push_back(*std::move(by_rule));
    explain_compressed_only();
    std::move(bases_.rbegin(), bases_.rend(), std::back_inserter(explanation_.mic_bases));
    explanation_.mic_bases.push_back(
        {"empty",
         "no octets at all",
         "The other side hashes an empty content: its software lost the message before hashing.",
         {}});
  }

  /// Where the standards contradict each other, neither side is wrong.
  void explain_compressed_only() {
    if (explanation_.security != std::vector<LayerKind>{LayerKind::Compressed}) return;
    for (MicBase& base : bases_)
      if (base.id.starts_with("decompressed"))
        base.meaning =
            "For a message that is compressed only, RFC 5402 section 4.3 takes the MIME headers in and RFC "
            "4130 section 7.3.1 leaves "
            "them out; peers differ, and the agreement's compressedUnsigned chooses.";
  }

  const InspectMaterial& material_;
  const InspectOptions& options_;
  std::vector<certstore::PrivateCertificate> keys_;
  Explanation explanation_;
  CaptureForm form_ = CaptureForm::Body;
  ReceiptRequest request_;
  std::vector<MicBase> bases_;
  std::optional<Entity> signed_;  ///< what was signed, in the form that was signed
  Entity last_;
  std::optional<Hash> signature_hash_;
  std::size_t parts_left_ = kMaxPartsShown;
};

}  // namespace

Explanation inspect(const Capture& capture, const InspectMaterial& material, const InspectOptions& options) {
  return Inspection(material, options).run(capture);
}

}  // namespace signet::as2
