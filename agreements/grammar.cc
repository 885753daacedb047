#include "agreements/grammar.h"

#include <fmt/format.h>

namespace signet::agreements {

namespace {

// ---- How a member becomes a setting or an element
// --------------------------------------------------------------------

template <class Pointer>
struct MemberTraits;
template <class C, class T>
struct MemberTraits<T C::*> {
  using Class = C;
  using Value = T;
};
template <auto kMember>
using ClassOf = typename MemberTraits<decltype(kMember)>::Class;
template <auto kMember>
using ValueOf = typename MemberTraits<decltype(kMember)>::Value;

template <class T>
struct DefaultCodec : EnumCodec<T> {};
template <>
struct DefaultCodec<bool> : BooleanCodec {};
template <>
struct DefaultCodec<std::chrono::milliseconds> : DurationCodec {};
template <>
struct DefaultCodec<std::uint64_t> : SizeCodec {};
template <>
struct DefaultCodec<Bytes> : CertificateCodec {};
template <>
struct DefaultCodec<Time> : TimeCodec {};
template <>
struct DefaultCodec<std::optional<Time>> : OptionalTimeCodec {};

template <class Object, class Codec, class Access>
Setting setting_with(Access) {
  Setting setting;
  setting.type = Codec::type();
  setting.write = [](const void* object) {
    return Codec::write(Access{}(*static_cast<const Object*>(object)));
  };
  setting.show = setting.write;
  setting.read = [](void* object, std::string_view text, const ParseContext& context) {
    // The const is ours to take away: the object came in without it.
    auto& value = const_cast<typename Codec::Value&>(Access{}(*static_cast<Object*>(object)));
    return Codec::read(text, value, context);
  };
  const Object fresh{};
  setting.default_text = setting.write(&fresh);
  return setting;
}

template <auto kMember>
struct MemberAccess {
  template <class Object>
  const ValueOf<kMember>& operator()(const Object& object) const {
    return object.*kMember;
  }
};

template <auto kMember, class Codec>
Setting member_setting(Form form, Space space, std::string_view name, std::string_view doc) {
  Setting setting = setting_with<ClassOf<kMember>, Codec>(MemberAccess<kMember>{});
  setting.form = form;
  setting.space = space;
  setting.name = name;
  setting.doc = doc;
  return setting;
}

/// An element of Azure's with text in it.
template <auto kMember, class Codec = DefaultCodec<ValueOf<kMember>>>
Setting text(std::string_view name, std::string_view doc) {
  return member_setting<kMember, Codec>(Form::Element, Space::Account, name, doc);
}
template <auto kMember, class Codec = DefaultCodec<ValueOf<kMember>>>
Setting attribute(std::string_view name, std::string_view doc) {
  return member_setting<kMember, Codec>(Form::Attribute, Space::None, name, doc);
}
/// The text of the element itself.
template <auto kMember, class Codec = DefaultCodec<ValueOf<kMember>>>
Setting content(std::string_view doc) {
  return member_setting<kMember, Codec>(Form::Content, Space::Account, {}, doc);
}

Setting required(Setting setting) {
  setting.required = true;
  return setting;
}

/// One that Azure's JSON may leave out.
Setting optional_in_azure(Setting setting) {
  setting.optional_in_azure = true;
  return setting;
}

/// One that Azure's JSON must have, within `envelope`.
Element azure(std::string_view envelope, Element element) {
  element.optional_in_azure = false;
  element.envelope = envelope;
  return element;
}

/// An element whose settings belong to the object of the element around it.
Element container(std::string_view name, std::string_view doc, std::vector<Element> children) {
  Element element;
  element.name = name;
  element.doc = doc;
  element.children = std::move(children);
  element.enter = [](void* parent) { return parent; };
  element.count = [](const void*) { return std::size_t{1}; };
  element.at = [](const void* parent, std::size_t) { return parent; };
  return element;
}

/// An element for a member that is always there.
template <auto kMember>
Element block(Space space, std::string_view name, std::string_view doc, std::vector<Setting> settings,
              std::vector<Element> children = {}) {
  using Object = ClassOf<kMember>;
  Element element;
  element.name = name;
  element.space = space;
  element.doc = doc;
  element.settings = std::move(settings);
  element.children = std::move(children);
  element.enter = [](void* parent) -> void* { return &(static_cast<Object*>(parent)->*kMember); };
  element.count = [](const void*) { return std::size_t{1}; };
  element.at = [](const void* parent, std::size_t) -> const void* {
    return &(static_cast<const Object*>(parent)->*kMember);
  };
  return element;
}

/// An element for a member that may be absent.
template <auto kMember>
Element optional_block(Space space, std::string_view name, std::string_view doc,
                       std::vector<Setting> settings, std::vector<Element> children = {}) {
  using Object = ClassOf<kMember>;
  Element element;
  element.name = name;
  element.space = space;
  element.doc = doc;
  element.only_if_filled = false;
  element.settings = std::move(settings);
  element.children = std::move(children);
  element.enter = [](void* parent) -> void* { return &(static_cast<Object*>(parent)->*kMember).emplace(); };
  element.count = [](const void* parent) {
    return std::size_t{(static_cast<const Object*>(parent)->*kMember).has_value() ? 1U : 0U};
  };
  element.at = [](const void* parent, std::size_t) -> const void* {
    return &*(static_cast<const Object*>(parent)->*kMember);
  };
  return element;
}

/// An element for each entry of a list.
template <auto kMember>
Element entries(Space space, std::string_view name, std::string_view key, std::string_view doc,
                std::vector<Setting> settings, std::vector<Element> children = {}) {
  using Object = ClassOf<kMember>;
  Element element;
  element.name = name;
  element.space = space;
  element.key = key;
  element.doc = doc;
  element.repeats = true;
  element.only_if_filled = false;
  element.settings = std::move(settings);
  element.children = std::move(children);
  element.enter = [](void* parent) -> void* {
    return &(static_cast<Object*>(parent)->*kMember).emplace_back();
  };
  element.count = [](const void* parent) { return (static_cast<const Object*>(parent)->*kMember).size(); };
  element.at = [](const void* parent, std::size_t index) -> const void* {
    return &(static_cast<const Object*>(parent)->*kMember)[index];
  };
  return element;
}

// ---- Azure's vocabulary
// --------------------------------------------------------------------------------------------------

std::vector<Setting> identity_settings() {
  return {text<&BusinessIdentity::qualifier, WordsCodec>("qualifier",
                                                         "Which directory the value is from: `AS2Identity` "
                                                         "for AS2 names, or an EDI qualifier such as `ZZ`."),
          required(text<&BusinessIdentity::value, IdentityCodec>(
              "value", "The name itself. An AS2 name is compared to the letter, case included."))};
}

template <auto kMember>
Element metadata() {
  Element list =
      container("metadata", "Free notes, kept and given back. Nothing acts on them.",
                {entries<kMember>(
                    Space::Extension, "entry", "name", "One note.",
                    {required(attribute<&MetadataEntry::name, WordsCodec>("name", "What the note is about.")),
                     content<&MetadataEntry::value, TextCodec>("The note.")})});
  return list;
}

std::vector<Setting> connection_settings() {
  using S = ConnectionSettings;
  return {
      text<&S::ignore_certificate_name_mismatch>(
          "ignoreCertificateNameMismatch",
          "Accept a TLS server certificate made out for another host name. The chain is still checked."),
      text<&S::support_http_status_code_continue>(
          "supportHttpStatusCodeContinue",
          "Send `Expect: 100-continue` and wait for the 100 before the body."),
      text<&S::keep_http_connection_alive>("keepHttpConnectionAlive",
                                           "Use the connection again for the next request."),
      text<&S::unfold_http_headers>(
          "unfoldHttpHeaders", "Header fields on one line. `false` changes nothing: Signet never folds."),
  };
}

std::vector<Setting> mdn_settings() {
  using S = MdnSettings;
  return {
      text<&S::need_mdn>("needMDN", "In: send a receipt when one is requested. Out: request one."),
      text<&S::sign_mdn>("signMDN",
                         "In: sign the receipt when a signed one is requested. Out: request a signed one."),
      text<&S::send_mdn_asynchronously>(
          "sendMDNAsynchronously",
          "Out: have the receipt posted to `receiptDeliveryUrl` instead of in the HTTP "
          "answer. In: the request decides; with `overrideMessageProperties`, post it to "
          "`receiptDeliveryUrl`."),
      optional_in_azure(text<&S::receipt_delivery_url, UrlCodec>(
          "receiptDeliveryUrl",
          "Out: our URL for asynchronous receipts (`Receipt-Delivery-Option`). In: the guest's, allowed like "
          "an `x:allowUrl`.")),
      optional_in_azure(text<&S::disposition_notification_to, LineCodec>(
          "dispositionNotificationTo",
          "Out: value of `Disposition-Notification-To`, which receivers ignore. Empty: our AS2 name.")),
      text<&S::sign_outbound_mdn_if_optional>(
          "signOutboundMDNIfOptional",
          "In: sign the receipt also when the request calls that optional, as nearly every sender does."),
      optional_in_azure(text<&S::mdn_text, TextCodec>(
          "mdnText", "In: the receipt's text for people. Empty: a text that tells the outcome.")),
      text<&S::send_inbound_mdn_to_message_box>(
          "sendInboundMDNToMessageBox",
          "Out: hand each receipt that settles a message over, a good or a bad one, into the folder that the "
          "guest's documents go to: as `...-receipt.mdn`, header fields and body as they came, whose sidecar "
          "says what the receipt is worth (`provesDelivery`). The record is kept anyway. In: no effect."),
      text<&S::mic_hashing_algorithm>(
          "micHashingAlgorithm",
          "In: the MIC's hash where a message is unsigned and its request names none. Out: "
          "the first of `signed-receipt-micalg`."),
  };
}

std::vector<Setting> security_settings() {
  using S = SecuritySettings;
  return {
      text<&S::override_group_signing_certificate>(
          "overrideGroupSigningCertificate",
          "Azure's; kept and given back. An agreement's certificates are always its own here."),
      optional_in_azure(text<&S::signing_certificate_name, NameCodec>(
          "signingCertificateName",
          "In: the guest's public certificate that verifies its "
          "messages. Out: our private one that signs ours.")),
      optional_in_azure(text<&S::encryption_certificate_name, NameCodec>(
          "encryptionCertificateName",
          "In: our private certificate that decrypts. Out: the guest's public one that we encrypt for.")),
      text<&S::enable_nrr_for_inbound_encoded_messages>("enableNRRForInboundEncodedMessages",
                                                        "In: keep the message as it came over the wire."),
      text<&S::enable_nrr_for_inbound_decoded_messages>("enableNRRForInboundDecodedMessages",
                                                        "In: keep the content, decrypted and verified."),
      text<&S::enable_nrr_for_outbound_mdn>("enableNRRForOutboundMDN", "In: keep the receipts that we sent."),
      text<&S::enable_nrr_for_outbound_encoded_messages>("enableNRRForOutboundEncodedMessages",
                                                         "Out: keep the message as it went over the wire."),
      text<&S::enable_nrr_for_outbound_decoded_messages>("enableNRRForOutboundDecodedMessages",
                                                         "Out: keep the content before it was secured."),
      text<&S::enable_nrr_for_inbound_mdn>("enableNRRForInboundMDN", "Out: keep the receipts that we got."),
      optional_in_azure(text<&S::sha2_algorithm_format>(
          "sha2AlgorithmFormat",
          "How SHA-2 is spelt in what we write: `sha2`, `sha256`, `sha-256` or `sha2_256`. "
          "All spellings are read.")),
  };
}

std::vector<Setting> validation_settings() {
  using S = ValidationSettings;
  return {
      text<&S::override_message_properties>(
          "overrideMessageProperties",
          "In: where a message's headers and the agreement differ about the receipt, the agreement wins."),
      text<&S::encrypt_message>("encryptMessage", "In: refuse what is not encrypted. Out: encrypt."),
      text<&S::sign_message>("signMessage", "In: refuse what is not signed. Out: sign."),
      text<&S::compress_message>("compressMessage", "In: refuse what is not compressed. Out: compress."),
      text<&S::check_duplicate_message>(
          "checkDuplicateMessage",
          "In: recognise a Message-ID that came before and answer with the receipt of then."),
      text<&S::interchange_duplicates_validity_days, IntegerCodec<std::int32_t, 1, 3650>>(
          "interchangeDuplicatesValidityDays", "In: how many days back a repeat is recognised."),
      text<&S::check_certificate_revocation_list_on_send>(
          "checkCertificateRevocationListOnSend",
          "Out: look up in revocation lists the certificate that we encrypt for, ours that signs, the one "
          "that "
          "signs the guest's receipt, and the one that his server shows in TLS. `x:revocation` says what "
          "follows where there is no valid list."),
      text<&S::check_certificate_revocation_list_on_receive>(
          "checkCertificateRevocationListOnReceive",
          "In: look up the certificate that signs the guest's message, and the one of "
          "`x:requireClientCertificate` that he shows in TLS."),
      text<&S::encryption_algorithm>(
          "encryptionAlgorithm",
          "Out: the content cipher, in CBC mode unless `x:encryption` says otherwise; `NotSpecified` means "
          "`AES256`. In: the weakest cipher that is accepted, in CBC or GCM mode; `NotSpecified`, `None` and "
          "`RC2` say nothing, and every cipher that is not weak is accepted. Weaker ones only by "
          "`x:allowWeak`."),
      optional_in_azure(text<&S::signing_algorithm>(
          "signingAlgorithm",
          "Out: the hash of the message's signature. In: that of the receipt's, "
          "where the message asks for none. `Default` means `SHA2256`. Nothing is "
          "signed with `SHA1`, by no exception.")),
  };
}

std::vector<Setting> envelope_settings() {
  using S = EnvelopeSettings;
  return {
      text<&S::message_content_type, MediaTypeCodec>(
          "messageContentType", "Out: the payload's Content-Type, unless the document comes with its own."),
      text<&S::transmit_file_name_in_mime_header>(
          "transmitFileNameInMimeHeader", "Out: name the file in Content-Disposition, inside the signature."),
      text<&S::file_name_template, LineCodec>(
          "fileNameTemplate",
          "Out: the file's name for the guest, with `%SourceFileName%`, `%MessageID%` and `%datetime%` (UTC, "
          "2026-11-21T083000) in it. Empty: the document's own name."),
      text<&S::suspend_message_on_file_name_generation_error>(
          "suspendMessageOnFileNameGenerationError",
          "Out: refuse a document that the template makes no name for (it has none of its own), instead of "
          "sending it without a name."),
      text<&S::autogenerate_file_name>("autogenerateFileName",
                                       "Out: a random file name instead of the document's own."),
  };
}

std::vector<Setting> error_settings() {
  using S = ErrorSettings;
  return {
      text<&S::suspend_duplicate_message>("suspendDuplicateMessage",
                                          "In: hand a repeat to nobody. `false` hands it over again; its "
                                          "receipt then warns of a `duplicate-document`."),
      text<&S::resend_if_mdn_not_received>(
          "resendIfMDNNotReceived", "Out: send the same bytes again when the receipt does not come in time."),
  };
}

// ---- The extension's vocabulary
// --------------------------------------------------------------------------------------------

enum class Direction { Receive, Send };

template <class RoleCodec>
Element role_certificates() {
  using D = DatedCertificate;
  return entries<&OneWayAgreement::certificates>(
      Space::Extension, "certificates", "role",
      "Further certificates for one role, with the time of their use: rollover. The newest active one signs "
      "and "
      "encrypts; every active one verifies and decrypts.",
      {required(attribute<&RoleCertificates::role, RoleCodec>(
          "role", "In: `verifyMessage`, `decrypt`, `signMdn`. Out: `signMessage`, `encrypt`, `verifyMdn`."))},
      {entries<&RoleCertificates::certificates>(
          Space::Extension, "certificate", "name", "One of them.",
          {required(attribute<&D::name, NameCodec>("name", "Name of the certificate in the account.")),
           attribute<&D::active_from>("activeFrom", "When its use begins. Absent: always was."),
           attribute<&D::active_until>("activeUntil",
                                       "The first moment at which it is no longer used. Absent: for ever."),
           attribute<&D::awaits_acceptance>(
               "awaitsAcceptance",
               "Ours, and announced to the guest by CEM: until he has accepted it, it signs nothing, and "
               "those "
               "whose place it takes do not end. Written by `signet rollover announce`.")})});
}

Element allow_weak() {
  using S = WeakException;
  return entries<&OneWayAgreement::allow_weak>(
      Space::Extension, "allowWeak", "algorithm",
      "Lets a weak algorithm through in this direction, which is refused otherwise. There is no exception "
      "for MD5, RC2 "
      "and single DES.",
      {required(attribute<&S::algorithm>("algorithm", "Which.")),
       required(attribute<&S::reason, WordsCodec>("reason", "Why, for the auditor.")),
       required(attribute<&S::until>("until", "The first moment at which the exception is over."))});
}

Element signature() {
  using S = Signature;
  return block<&OneWayAgreement::signature>(
      Space::Extension, "signature",
      "How we sign. In: our receipts. Out: our messages. EC keys always use ECDSA.",
      {attribute<&S::scheme>("scheme", "The RSA signature scheme."),
       attribute<&S::transfer_encoding>("transferEncoding",
                                        "Content-Transfer-Encoding of the signature's part."),
       attribute<&S::include_certificate>(
           "includeCertificate",
           "Carry our certificate in the signature. Some peers need it; none may trust it."),
       attribute<&S::algorithm_protection>(
           "algorithmProtection",
           "Add the CMSAlgorithmProtection attribute (RFC 6211), which some older products refuse.")});
}

Element mic() {
  using S = Mic;
  return block<&OneWayAgreement::mic>(
      Space::Extension, "mic",
      "What the MIC of a message without signature and encryption covers. In: in our receipts. Out: what we "
      "expect of "
      "the guest's.",
      {attribute<&S::compressed_unsigned>("compressedUnsigned",
                                          "Of a compressed one: the uncompressed content with its MIME "
                                          "headers (RFC 5402 section 4.3) or without.")});
}

Element encryption() {
  using S = Encryption;
  return block<&OneWayAgreement::encryption>(
      Space::Extension, "encryption", "How we encrypt our messages.",
      {attribute<&S::content_cipher>(
           "contentCipher",
           "The content cipher. GCM makes AuthEnvelopedData (RFC 5083). `byEncryptionAlgorithm` is "
           "`encryptionAlgorithm` in CBC mode."),
       attribute<&S::key_transport>(
           "keyTransport",
           "How the content key is encrypted to an RSA certificate. EC certificates use ECDH.")});
}

Element packaging() {
  using S = Packaging;
  return block<&OneWayAgreement::packaging>(
      Space::Extension, "packaging", "The shape of our messages.",
      {attribute<&S::compression_order>("compressionOrder",
                                        "Whether what is compressed is the content or the signed entity."),
       attribute<&S::transfer_encoding>("transferEncoding",
                                        "Content-Transfer-Encoding of the payload's part."),
       attribute<&S::canonicalise_text>(
           "canonicaliseText", "Turn the line ends of `text/*` payloads into CRLF before they are signed."),
       attribute<&S::as2_version>("as2Version",
                                  "The AS2-Version to advertise. A compressed message says 1.1 at least.")});
}

Element expected_receipt() {
  using S = ExpectedReceipt;
  return block<&OneWayAgreement::expected_receipt>(
      Space::Extension, "expectedReceipt", "The receipt that we wait for.",
      {attribute<&S::require_signed_mdn>(
           "requireSignedMdn", "An unsigned receipt where a signed one was requested is a failure."),
       attribute<&S::timeout>("timeout", "How long an asynchronous receipt may take.")});
}

/// The only attribute of an entry that is nothing but a text.
template <class Codec>
Setting only_attribute(std::string_view name, std::string_view doc) {
  Setting setting =
      setting_with<std::string, Codec>([](const std::string& self) -> const std::string& { return self; });
  setting.form = Form::Attribute;
  setting.space = Space::None;
  setting.required = true;
  setting.name = name;
  setting.doc = doc;
  return setting;
}

Element receipt_policy() {
  using S = ReceiptPolicy;
  return block<&OneWayAgreement::receipt_policy>(
      Space::Extension, "receiptPolicy", "Which receipts we give, and where they may be posted.",
      {attribute<&S::receipt_for_unsigned_messages>(
          "receiptForUnsignedMessages",
          "For a message without signature, which anybody can have sent: the receipt it asks for, one "
          "without our signature, or "
          "none.")},
      {entries<&S::allowed_urls>(Space::Extension, "allowUrl", "url",
                                 "Where a message may have its receipt posted: this URL and what lies below "
                                 "its path. Without any, receipts go into the "
                                 "HTTP answer.",
                                 {only_attribute<UrlCodec>("url", "An http or https URL of the guest's.")}),
       entries<&S::allowed_networks>(
           Space::Extension, "allowNetwork", "network",
           "A network that such a URL's host name may stand for although it is not of the public internet.",
           {only_attribute<NetworkCodec>("network", "Such as 10.20.0.0/16 or fd12::/32.")})});
}

Element limits() {
  using S = Limits;
  return block<&OneWayAgreement::limits>(
      Space::Extension, "limits", "What we are ready to take.",
      {attribute<&S::max_message_size>("maxMessageSize", "Of the HTTP body."),
       attribute<&S::max_decompressed_size>("maxDecompressedSize",
                                            "Of what a compressed message expands to."),
       attribute<&S::max_compression_ratio, IntegerCodec<std::uint32_t, 2, 100'000>>(
           "maxCompressionRatio", "Expanded size over compressed size; looked at from 1 MiB on.")});
}

Element webhook() {
  using S = Webhook;
  return optional_block<&Delivery::webhook>(
      Space::Extension, "webhook",
      "Instead of a folder: a service of ours, to which each payload is posted, signed, until it is taken.",
      {required(attribute<&S::url, UrlCodec>(
           "url",
           "Where to: an https URL, or an http one on this machine. Any other http URL gets a "
           "warning, since payloads would be readable on the way.")),
       required(attribute<&S::key_vault, NameCodec>("keyVault", "Name of the key vault.")),
       required(attribute<&S::secret_name, NameCodec>(
           "secretName", "Name of the secret in it that the requests are signed with (HMAC-SHA-256).")),
       attribute<&S::timeout>("timeout", "For one request and its answer.")});
}

Element delivery() {
  return block<&OneWayAgreement::delivery>(
      Space::Extension, "delivery", "Where payloads are handed over.",
      {attribute<&Delivery::folder, LineCodec>(
          "folder",
          "A folder, absolute or below the gateway's delivery directory. Empty: "
          "one named like the agreement, below it.")},
      {webhook()});
}

Element pickup() {
  using S = Pickup;
  return optional_block<&OneWayAgreement::pickup>(
      Space::Extension, "pickup",
      "A folder whose files are sent. Without the element nothing is picked up; `<x:pickup/>` is enough.",
      {attribute<&S::folder, LineCodec>("folder",
                                        "A folder, absolute or below the gateway's pick-up directory. Empty: "
                                        "one named like the agreement, below it."),
       attribute<&S::stable_for>(
           "stableFor",
           "A file is taken once its size and its time have not changed for so long. Files "
           "whose names begin with a dot or end in .tmp or .part are never taken: write "
           "under such a name and rename, then `stableFor` may be short."),
       attribute<&S::keep_sent>(
           "keepSent", "Whether a file whose receipt proves delivery is kept, in `sent`, or removed.")});
}

/// The names of certificates, each an <x:certificate name="..."/>.
template <auto kMember>
Element certificate_names(std::string_view doc) {
  Setting name = setting_with<std::string, NameCodec>(
      [](const std::string& self) -> const std::string& { return self; });
  name.form = Form::Attribute;
  name.space = Space::None;
  name.required = true;
  name.name = "name";
  name.doc = "Name of a certificate in the account.";
  return entries<kMember>(Space::Extension, "certificate", "name", doc, {name});
}

Element tls_trust() {
  using S = TlsTrust;
  return block<&Connection::tls_trust>(
      Space::Extension, "tlsTrust", "Which TLS servers of the guest we believe.",
      {attribute<&S::mode>("mode",
                           "The operating system's authorities; only those given here; or exactly the server "
                           "certificates given here."),
       attribute<&S::ca_file, PathCodec>(
           "caFile",
           "PEM file of issuers, for `certificateAuthorities`. A relative path stands "
           "beside the XML.")},
      {certificate_names<&S::certificates>(
          "A certificate for `certificateAuthorities` (an issuer) or `pinned` (the server's).")});
}

std::vector<Setting> credentials(std::string_view user_name) {
  using S = BasicAuthentication;
  return {required(attribute<&S::user_name, WordsCodec>("userName", user_name)),
          required(attribute<&S::key_vault, NameCodec>("keyVault", "Name of the key vault.")),
          required(attribute<&S::secret_name, NameCodec>("secretName", "Name of the secret in it."))};
}

Element basic_authentication() {
  return optional_block<&Connection::basic_authentication>(
      Space::Extension, "basicAuthentication",
      "HTTP Basic for what we post, messages and receipts, over https and to the server of `url` alone (by "
      "scheme, host and port). The password is a secret in a key vault.",
      credentials("Our name at the guest's."));
}

Element require_basic_authentication() {
  return optional_block<&OneWayAgreement::required_basic_authentication>(
      Space::Extension, "requireBasicAuthentication",
      "HTTP Basic that the guest's messages must come with; others are answered 401. The password is a "
      "secret in a key vault. It does not replace the message's signature. Receipts that the guest posts "
      "prove themselves, and need none.",
      credentials("The guest's name here."));
}

Element require_client_certificate() {
  return optional_block<&OneWayAgreement::required_client_certificate>(
      Space::Extension, "requireClientCertificate",
      "The TLS client certificate that the guest's messages must come with; others are answered 403. It "
      "takes a listener that asks for one (`signet serve --tls-client-certificates wanted`), and does not "
      "replace the message's signature. Receipts that the guest posts prove themselves, and need none.",
      {},
      {certificate_names<&RequiredClientCertificate::certificates>(
          "A certificate of the guest's. One of those named, exactly, must be shown, whoever issued it.")});
}

Element connection() {
  using S = Connection;
  return block<&Agreement::connection>(
      Space::Extension, "connection",
      "Every HTTP request that we make to the guest: messages and asynchronous receipts.",
      {attribute<&S::url, UrlCodec>("url",
                                    "The guest's AS2 endpoint. Absent: we send this guest no messages."),
       attribute<&S::connect_timeout>("connectTimeout", "For TCP and TLS together."),
       attribute<&S::total_timeout>("totalTimeout", "From the first octet to the answer's last."),
       attribute<&S::client_certificate_name, NameCodec>(
           "clientCertificateName", "Our private certificate for TLS client authentication. Empty: none."),
       attribute<&S::min_tls_version>("minTlsVersion",
                                      "The oldest TLS that is spoken with the guest's servers.")},
      {tls_trust(), basic_authentication()});
}

Element retry() {
  using S = Retry;
  return block<&Agreement::retry>(
      Space::Extension, "retry",
      "What follows a transient failure (no connection, time-out, 408, 429, 5xx): the same bytes again, "
      "later and later.",
      {attribute<&S::attempts, IntegerCodec<std::uint32_t, 1, 100>>("attempts",
                                                                    "In all, the first included."),
       attribute<&S::first_interval>("firstInterval", "Between the first attempt and the second."),
       attribute<&S::factor, FactorCodec>("factor", "Each interval over the one before."),
       attribute<&S::max_duration>("maxDuration",
                                   "From the first attempt; after that the message has failed, or posting "
                                   "the receipt is given up.")});
}

Element retention() {
  return block<&Agreement::retention>(Space::Extension, "retention",
                                      "How long evidence is kept: the copies of messages and receipts.",
                                      {attribute<&Retention::days, IntegerCodec<std::uint32_t, 0, 36'500>>(
                                          "days", "Days after a message was settled. 0: for ever.")});
}

Element revocation() {
  return block<&Agreement::revocation>(
      Space::Extension, "revocation",
      "How the checks work that `checkCertificateRevocationListOnSend` and `...OnReceive` ask for. A "
      "certificate that a list has is refused in any case.",
      {attribute<&Revocation::policy>(
          "policy",
          "Where no valid list can be had: `hardFail` refuses the certificate (what is sent waits as long as "
          "`x:retry` says, what is received gets an error), `softFail` uses it and says so in the message's "
          "record, the log and a metric.")});
}

Element certificate_exchange() {
  return block<&Agreement::certificate_exchange>(
      Space::Extension, "certificateExchange",
      "Certificate Exchange Messaging (CEM): certificates announced by messages, and answered under "
      "approval.",
      {attribute<&CertificateExchange::enabled>(
          "enabled",
          "Takes the guest's announcements as proposals, lets ours be announced to him, and tells him so "
          "(`EDIINT-Features: CEM`, AS2-Version 1.2 or later). Otherwise such a message is refused.")});
}

// ---- The account
// ---------------------------------------------------------------------------------------------------------

std::vector<Element> direction_elements(Direction direction) {
  using O = OneWayAgreement;
  const bool in = direction == Direction::Receive;
  std::vector<Element> elements{
      azure({},
            optional_block<&O::sender_business_identity>(Space::Account, "senderBusinessIdentity",
                                                         "AS2-From in this direction. Absent: the sender's "
                                                         "identity as given or found for the agreement.",
                                                         identity_settings())),
      azure({},
            optional_block<&O::receiver_business_identity>(Space::Account, "receiverBusinessIdentity",
                                                           "AS2-To in this direction. Absent: the receiver's "
                                                           "identity as given or found for the agreement.",
                                                           identity_settings())),
      azure("protocolSettings",
            block<&O::message_connection_settings>(Space::Account, "messageConnectionSettings",
                                                   "Out: HTTP when we send messages. In: no effect.",
                                                   connection_settings())),
      azure("protocolSettings",
            block<&O::acknowledgement_connection_settings>(
                Space::Account, "acknowledgementConnectionSettings",
                "In: HTTP when we post asynchronous receipts. Out: no effect.", connection_settings())),
      azure("protocolSettings",
            block<&O::mdn_settings>(Space::Account, "mdnSettings", "Receipts.", mdn_settings())),
      azure("protocolSettings",
            block<&O::security_settings>(Space::Account, "securitySettings", "Certificates and evidence.",
                                         security_settings())),
      azure("protocolSettings",
            block<&O::validation_settings>(Space::Account, "validationSettings",
                                           "What a message must be, and repeats.", validation_settings())),
      azure("protocolSettings",
            block<&O::envelope_settings>(Space::Account, "envelopeSettings",
                                         "The payload's type and file name.", envelope_settings())),
      azure("protocolSettings",
            block<&O::error_settings>(Space::Account, "errorSettings", "What to do when things go wrong.",
                                      error_settings())),
      // The enum lists the roles of receiveAgreement first.
      in ? role_certificates<EnumCodec<CertificateRole, 0, 3>>()
         : role_certificates<EnumCodec<CertificateRole, 3, 3>>(),
      allow_weak(),
      signature(),
      mic(),
  };
  std::vector<Element> own =
      in ? std::vector<Element>{require_basic_authentication(), require_client_certificate(),
                                receipt_policy(), limits(), delivery()}
         : std::vector<Element>{encryption(), packaging(), expected_receipt(), pickup()};
  elements.insert(elements.end(), own.begin(), own.end());
  return elements;
}

Element partner() {
  using S = Partner;
  Element identities = container("businessIdentities", "The names it is known by.",
                                 {entries<&S::business_identities>(Space::Account, "businessIdentity", {},
                                                                   "One of them.", identity_settings())});
  identities.envelope = "content/b2b";
  return entries<&Account::partners>(
      Space::Account, "partner", "name", "A company: our own, or one that we trade with.",
      {required(attribute<&S::name, NameCodec>("name", "Its name in this account.")),
       text<&S::partner_type>("partnerType", "Azure's; kept and given back.")},
      {identities, metadata<&S::metadata>()});
}

Element certificate() {
  using S = CertificateEntry;
  Setting file = attribute<&S::public_certificate, CertificateFileCodec>(
      "file", "Instead of the text: a file, PEM or DER. A relative path stands beside the XML.");
  file.space = Space::Extension;
  file.replaces_content = true;
  Setting octets = required(content<&S::public_certificate>("The X.509 certificate."));
  octets.show = [](const void* entry) {
    return CertificateCodec::show(static_cast<const CertificateEntry*>(entry)->public_certificate);
  };
  Element public_certificate = container("publicCertificate", "The certificate itself.", {});
  public_certificate.settings = {octets, file};
  public_certificate.required = true;

  using K = KeyReference;
  Setting key_vault = required(text<&K::key_vault, NameCodec>("keyVault", "Name of the key vault."));
  key_vault.names_vault = true;
  return entries<&Account::certificates>(
      Space::Account, "certificate", "name",
      "A certificate. With `key` it is private (ours), without it public.",
      {required(attribute<&S::name, NameCodec>("name", "Its name in this account."))},
      {public_certificate,
       optional_block<&S::key>(
           Space::Account, "key", "Where the private key is. It is used there and never leaves.",
           {key_vault, required(text<&K::key_name, NameCodec>("keyName", "Name of the key in it.")),
            optional_in_azure(text<&K::key_version, NameCodec>(
                "keyVersion", "Version of the key. Absent: the one that the certificate was issued for."))}),
       metadata<&S::metadata>()});
}

Element agreement() {
  using S = Agreement;
  std::vector<Element> children{
      azure({}, optional_block<&S::host_identity>(
                    Space::Account, "hostIdentity",
                    "Our identity in this agreement. Absent: our only AS2Identity.", identity_settings())),
      azure({}, optional_block<&S::guest_identity>(
                    Space::Account, "guestIdentity",
                    "The guest's identity in this agreement. Absent: its only AS2Identity.",
                    identity_settings())),
      azure("content/aS2", block<&S::receive_agreement>(Space::Account, "receiveAgreement",
                                                        "Messages from the guest to us (\"In\").", {},
                                                        direction_elements(Direction::Receive))),
      azure("content/aS2", block<&S::send_agreement>(Space::Account, "sendAgreement",
                                                     "Messages from us to the guest (\"Out\").", {},
                                                     direction_elements(Direction::Send))),
      metadata<&S::metadata>(),
      connection(),
      retry(),
      retention(),
      revocation(),
      certificate_exchange()};
  return entries<&Account::agreements>(
      Space::Account, "agreement", "name",
      "How messages between two partners are secured, from our point of view.",
      {required(attribute<&S::name, NameCodec>("name", "Its name in this account.")),
       text<&S::agreement_type>("agreementType", "`AS2` is the one that Signet speaks."),
       required(text<&S::host_partner, NameCodec>("hostPartner", "Name of the partner that is us.")),
       required(
           text<&S::guest_partner, NameCodec>("guestPartner", "Name of the partner that we trade with."))},
      std::move(children));
}

Element make_root() {
  std::vector<Element> lists{container("partners", "The companies.", {partner()}),
                             container("certificates", "The certificates.", {certificate()}),
                             container("agreements", "The agreements.", {agreement()})};
  for (Element& list : lists) list.transparent = true;
  Element root =
      container("integrationAccount", "Everything of one organisation: the document.", std::move(lists));
  root.transparent = true;
  return root;
}

}  // namespace

const Element& root_element() {
  static const Element root = make_root();
  return root;
}

const Element& entry_element(EntryKind kind) {
  return root_element().children.at(static_cast<std::size_t>(kind)).children.front();
}

std::string qualified(Space space, std::string_view name) {
  return space == Space::Extension ? "x:" + std::string(name) : std::string(name);
}

std::string child_path(std::string_view parent, const Element& element, std::string_view key_or_number) {
  if (element.transparent) return std::string(parent);
  std::string path(parent);
  if (!path.empty()) path += '/';
  path += qualified(element.space, element.name);
  if (element.repeats) path += fmt::format("[{}]", key_or_number);
  return path;
}

}  // namespace signet::agreements
