#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "agreements/certificate_roles.h"
#include "agreements/file_name_template.h"
#include "agreements/lint_internal.h"
#include "agreements/resolution.h"
#include "base/network.h"

namespace signet::agreements {
namespace {

constexpr std::string_view kReceive = "receiveAgreement";
constexpr std::string_view kSend = "sendAgreement";

std::string_view direction_name(CertificateRole role) { return is_receiving(role) ? kReceive : kSend; }

CertificatePurpose purpose_of(CertificateRole role) {
  switch (role) {
    case CertificateRole::VerifyMessage:
    case CertificateRole::VerifyMdn:
      return CertificatePurpose::Verify;
    case CertificateRole::Decrypt:
      return CertificatePurpose::Decrypt;
    case CertificateRole::SignMdn:
    case CertificateRole::SignMessage:
      return CertificatePurpose::Sign;
    case CertificateRole::Encrypt:
      return CertificatePurpose::Encrypt;
  }
  return CertificatePurpose::Verify;
}

/// Of a URL as UrlCodec takes them: its host in lower case, with the brackets of an IPv6 address and without
/// a port.
std::string url_host(std::string_view url) {
  const std::size_t begin = url.find("//") + 2;
  const std::string_view authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  const std::size_t port = authority.find_last_of(":]");
  return to_lower(port != std::string_view::npos && authority[port] == ':' ? authority.substr(0, port)
                                                                           : authority);
}

bool is_this_machine(std::string_view host) {
  const auto address = IpAddress::parse(host);
  return host == "localhost" || (address && address->is_loopback());
}

/// "to verify the guest's messages": completes "a certificate ...".
std::string_view task_of(CertificateRole role) {
  switch (role) {
    case CertificateRole::VerifyMessage:
      return "to verify the guest's messages";
    case CertificateRole::Decrypt:
      return "to decrypt the guest's messages";
    case CertificateRole::SignMdn:
      return "to sign our receipts";
    case CertificateRole::SignMessage:
      return "to sign our messages";
    case CertificateRole::Encrypt:
      return "to encrypt our messages";
    case CertificateRole::VerifyMdn:
      return "to verify the guest's receipts";
  }
  return "";
}

std::string_view task_of(LookedUpUse use) {
  switch (use) {
    case LookedUpUse::VerifyMessage:
      return task_of(CertificateRole::VerifyMessage);
    case LookedUpUse::SignMessage:
      return task_of(CertificateRole::SignMessage);
    case LookedUpUse::Encrypt:
      return task_of(CertificateRole::Encrypt);
    case LookedUpUse::VerifyMdn:
      return task_of(CertificateRole::VerifyMdn);
    case LookedUpUse::TlsClient:
      return "to know the guest by in TLS";
    case LookedUpUse::TlsServer:
      return "to know the guest's server by";
  }
  return "";
}

/// Where one would write a role's certificate.
std::string role_path(CertificateRole role) {
  const std::string_view direction = direction_name(role);
  switch (role) {
    case CertificateRole::VerifyMessage:
    case CertificateRole::SignMessage:
      return fmt::format("{}/securitySettings/signingCertificateName", direction);
    case CertificateRole::Decrypt:
    case CertificateRole::Encrypt:
      return fmt::format("{}/securitySettings/encryptionCertificateName", direction);
    case CertificateRole::SignMdn:
    case CertificateRole::VerifyMdn:
      break;
  }
  return fmt::format("{}/x:certificates[{}]", direction, to_string(role));
}

bool wants_signed_receipts(const OneWayAgreement& direction) {
  return direction.mdn_settings.need_mdn && direction.mdn_settings.sign_mdn;
}

bool sends(const Agreement& agreement) { return !agreement.connection.url.empty(); }

/// Whether messages under the agreement come to the point where the role is needed.
bool is_needed(const Agreement& agreement, CertificateRole role) {
  const OneWayAgreement& in = agreement.receive_agreement;
  const OneWayAgreement& out = agreement.send_agreement;
  switch (role) {
    case CertificateRole::VerifyMessage:
      return in.validation_settings.sign_message;
    case CertificateRole::Decrypt:
      return in.validation_settings.encrypt_message;
    case CertificateRole::SignMdn:
      return wants_signed_receipts(in);
    case CertificateRole::SignMessage:
      return sends(agreement) && out.validation_settings.sign_message;
    case CertificateRole::Encrypt:
      return sends(agreement) && out.validation_settings.encrypt_message;
    case CertificateRole::VerifyMdn:
      return sends(agreement) && wants_signed_receipts(out);
  }
  return false;
}

/// Lints one agreement.
class AgreementLint {
 public:
  AgreementLint(const LintScope& scope, const Agreement& agreement)
      : index_(scope.index),
        facts_(scope.facts),
        vaults_(scope.vaults),
        now_(scope.now),
        report_(scope.report),
        agreement_(agreement),
        in_(agreement.receive_agreement),
        out_(agreement.send_agreement),
        base_(fmt::format("agreement[{}]/", agreement.name)) {}

  void run() {
    type();
    identities();
    names_of_certificates();
    for (const CertificateRole role : kAllRoles) role_is_filled(role);
    receipts();
    security();
    weak_algorithms();
    exceptions(in_, kReceive);
    exceptions(out_, kSend);
    compression();
    file_name();
    limits_and_delivery();
    who_posts();
    connection();
    retry();
    revocation();
    certificate_exchange();
  }

 private:
  void type() {
    if (agreement_.name.find_first_not_of('.') == std::string::npos)
      error("", "a name with more than dots in it, since folders are named after it",
            in_quotes(agreement_.name), "Give the agreement another name.");
    if (agreement_.agreement_type != AgreementType::AS2)
      error("agreementType", "AS2", std::string(to_string(agreement_.agreement_type)),
            "Signet secures AS2 messages; take this agreement out.");
  }

  /// Where both directions have an identity of their own, the agreement's is read by nobody.
  void identities() {
    identity("hostIdentity", agreement_.host_identity, in_.receiver_business_identity,
             out_.sender_business_identity);
    identity("guestIdentity", agreement_.guest_identity, in_.sender_business_identity,
             out_.receiver_business_identity);
  }

  void identity(std::string_view element, const std::optional<BusinessIdentity>& agreed,
                const std::optional<BusinessIdentity>& in, const std::optional<BusinessIdentity>& out) {
    if (!agreed || !in || !out || same_identity(*agreed, *in) || same_identity(*agreed, *out)) return;
    const std::string theirs = same_identity(*in, *out) ? "" : " or " + in_quotes(out->value);
    error(element, fmt::format("what the directions name, {}{}", in_quotes(in->value), theirs),
          in_quotes(agreed->value),
          "The directions' own identities count, and this one contradicts them: make them agree.");
  }

  // -- certificates

  /// Every name where it is written: that it resolves, and to the right kind.
  void names_of_certificates() {
    for (const CertificateRole role : kAllRoles) {
      const std::string* named = azure_name_of(agreement_, role);
      if (named != nullptr && !named->empty()) check_name(role_path(role), *named, needs_private_key(role));
    }
    for (const OneWayAgreement* direction : {&in_, &out_})
      for (const RoleCertificates& list : direction->certificates) check_list(list);
  }

  void check_list(const RoleCertificates& list) {
    const std::string path =
        fmt::format("{}/x:certificates[{}]", direction_name(list.role), to_string(list.role));
    if (list.certificates.empty())
      error(path, "at least one <x:certificate>", "none", "Add one, or remove the list.");
    for (const DatedCertificate& certificate : list.certificates) {
      const std::string here = fmt::format("{}/x:certificate[{}]", path, certificate.name);
      check_name(here, certificate.name, needs_private_key(list.role));
      if (certificate.active_from && certificate.active_until &&
          *certificate.active_until <= *certificate.active_from)
        error(here, "an activeUntil after activeFrom",
              fmt::format("{} after {}", day(*certificate.active_until), day(*certificate.active_from)),
              "Exchange or correct the dates.");
      if (certificate.awaits_acceptance && !needs_private_key(list.role))
        error(here + "/@awaitsAcceptance", "a certificate of ours, which the guest accepts",
              fmt::format("one {}", task_of(list.role)), "Remove awaitsAcceptance.");
    }
  }

  void check_name(const std::string& path, std::string_view name, bool with_key) {
    const CertificateEntry* entry = index_.find_certificate(name);
    if (entry == nullptr)
      return error(path, "the name of a certificate of this account", in_quotes(name),
                   "Add <certificate name=\"...\"> or correct the name.");
    if (with_key && !entry->key)
      error(path, "a private certificate of ours", in_quotes(name) + ", which has no key",
            "Name one with <key>, or add the key to this one: the public half alone cannot sign or decrypt.");
    if (!with_key && entry->key)
      warning(path, "a certificate of the guest's", in_quotes(name) + ", whose private key is ours",
              "Name the certificate that the partner gave you.");
  }

  void role_is_filled(CertificateRole role) {
    if (!is_needed(agreement_, role)) return;
    const std::vector<DatedCertificate> all = certificates_for(agreement_, role);
    const std::vector<std::string> active = active_certificates(agreement_, role, now_);
    if (all.empty())
      return error(role_path(role), fmt::format("a certificate {}", task_of(role)), "none",
                   "Name one, or switch off what needs it.");
    if (active.empty())
      return error(role_path(role), fmt::format("a certificate {} that is active now", task_of(role)),
                   fmt::format("{} whose time has not come or is over", all.size()),
                   "Correct activeFrom or activeUntil.");
    certificates_serve(role, active);
  }

  /// The active ones: the first must be valid when it is used to send; of those for receiving, one must be.
  void certificates_serve(CertificateRole role, const std::vector<std::string>& active) {
    bool one_valid = false;
    bool all_known = true;
    for (const std::string& name : active) {
      const CertificateEntry* entry = index_.find_certificate(name);
      std::string why_not;
      const std::optional<CertificateFact> fact = entry ? facts_.find(*entry, why_not) : std::nullopt;
      all_known = all_known && fact.has_value();
      if (!fact) continue;  // told where it is named, or at the certificate itself
      one_valid = one_valid || (fact->not_before <= now_ && now_ <= fact->not_after);
      const std::string objection = facts_.objection(*entry, purpose_of(role));
      if (!objection.empty())
        warning(role_path(role), fmt::format("a certificate made {}", task_of(role)),
                fmt::format("{}: {}", in_quotes(name), objection),
                "Partners may refuse it; have one made with the right key usage.");
    }
    if (!one_valid && all_known)
      expired(role, active.front());
    else if (one_valid && uses_newest_only(role))
      newest_is_valid(role, active.front());
  }

  static bool uses_newest_only(CertificateRole role) {
    return purpose_of(role) == CertificatePurpose::Sign || purpose_of(role) == CertificatePurpose::Encrypt;
  }

  void newest_is_valid(CertificateRole role, const std::string& name) {
    std::string why_not;
    const CertificateEntry* entry = index_.find_certificate(name);
    const std::optional<CertificateFact> fact = entry ? facts_.find(*entry, why_not) : std::nullopt;
    if (fact && (fact->not_after < now_ || fact->not_before > now_)) expired(role, name);
  }

  void expired(CertificateRole role, const std::string& name) {
    std::string why_not;
    const std::optional<CertificateFact> fact = facts_.find(*index_.find_certificate(name), why_not);
    if (!fact) return;
    const bool over = fact->not_after < now_;
    error(role_path(role), fmt::format("a valid certificate {}", task_of(role)),
          fmt::format("{}, {} {}", in_quotes(name), over ? "which expired on" : "which is not valid before",
                      day(over ? fact->not_after : fact->not_before)),
          "Get the next certificate, and name it here or in <x:certificates>.");
  }

  // -- receipts

  void receipts() {
    const MdnSettings& wanted = out_.mdn_settings;
    const MdnSettings& given = in_.mdn_settings;
    if (!wanted.need_mdn && !given.need_mdn)
      warning("sendAgreement/mdnSettings/needMDN", "a receipt in one direction at least", "none in either",
              "Without receipts nobody can tell, or prove, that a message arrived.");
    signed_but_not_needed(in_, kReceive);
    signed_but_not_needed(out_, kSend);
    if (wanted.need_mdn && !wanted.sign_mdn)
      warning("sendAgreement/mdnSettings/signMDN", "true", "false",
              "An unsigned receipt proves nothing: anybody can have sent it.");
    if (wanted.need_mdn && wanted.send_mdn_asynchronously && wanted.receipt_delivery_url.empty())
      error("sendAgreement/mdnSettings/receiptDeliveryUrl", "our URL for asynchronous receipts", "none",
            "Add it, or set sendMDNAsynchronously to false.");
    if (in_.validation_settings.override_message_properties && given.need_mdn &&
        given.send_mdn_asynchronously && given.receipt_delivery_url.empty())
      error("receiveAgreement/mdnSettings/receiptDeliveryUrl",
            "the guest's URL for asynchronous receipts, since overrideMessageProperties is true", "none",
            "Add it, or set sendMDNAsynchronously to false; then receipts are in the HTTP answer.");
    if (!wanted.send_mdn_asynchronously && !wanted.receipt_delivery_url.empty())
      warning("sendAgreement/mdnSettings/receiptDeliveryUrl",
              "none, since receipts are asked for in the HTTP answer", in_quotes(wanted.receipt_delivery_url),
              "Set sendMDNAsynchronously to true, or remove the URL.");
    if (wanted.send_inbound_mdn_to_message_box && !wanted.need_mdn)
      warning("sendAgreement/mdnSettings/needMDN", "true, since sendInboundMDNToMessageBox is", "false",
              "Set needMDN to true, or sendInboundMDNToMessageBox to false as well.");
    if (given.send_inbound_mdn_to_message_box)
      warning("receiveAgreement/mdnSettings/sendInboundMDNToMessageBox",
              "false or absent, since receipts come for what is sent", "true", "Set it in sendAgreement.");
  }

  void signed_but_not_needed(const OneWayAgreement& direction, std::string_view name) {
    if (direction.mdn_settings.sign_mdn && !direction.mdn_settings.need_mdn)
      warning(fmt::format("{}/mdnSettings/needMDN", name), "true, since signMDN is", "false",
              "Set needMDN to true, or signMDN to false as well.");
  }

  // -- what is secured at all

  void security() {
    if (!in_.validation_settings.sign_message)
      warning("receiveAgreement/validationSettings/signMessage", "true", "false",
              "Unsigned messages are taken from anybody who knows the two AS2 names.");
    const ValidationSettings& sent = out_.validation_settings;
    if (!sends(agreement_)) return;
    if (!sent.sign_message && !sent.encrypt_message)
      warning("sendAgreement/validationSettings", "messages that are signed or encrypted", "neither",
              "Set signMessage and encryptMessage to true.");
    else if (!sent.encrypt_message && is_plain_http())
      warning("sendAgreement/validationSettings/encryptMessage", "encryption, by TLS or of the message",
              "neither", "Everybody on the way can read these messages: use https, or encrypt.");
  }

  // -- algorithms

  void weak_algorithms() {
    const ValidationSettings& sent = out_.validation_settings;
    if (sends(agreement_) && sent.encrypt_message) cipher(sent.encryption_algorithm);
    if (sends(agreement_) && sent.sign_message) signing(out_, kSend);
    if (wants_signed_receipts(in_)) signing(in_, kReceive);
    if (in_.mdn_settings.need_mdn) mic(in_, kReceive);
    if (sends(agreement_) && out_.mdn_settings.need_mdn) mic(out_, kSend);
    hash_spelling(in_, kReceive);
    hash_spelling(out_, kSend);
  }

  void cipher(EncryptionAlgorithm algorithm) {
    constexpr std::string_view kPath = "sendAgreement/validationSettings/encryptionAlgorithm";
    if (out_.encryption.content_cipher != ContentCipher::ByEncryptionAlgorithm) return;
    if (!content_cipher(out_))
      error(std::string(kPath), "an algorithm to encrypt with, since encryptMessage is true",
            std::string(to_string(algorithm)), "Write AES256, or set encryptMessage to false.");
    if (algorithm == EncryptionAlgorithm::DES3)
      weak(out_, kSend, std::string(kPath), WeakAlgorithm::DES3, "AES256");
  }

  void signing(const OneWayAgreement& direction, std::string_view name) {
    const std::string path = fmt::format("{}/validationSettings/signingAlgorithm", name);
    const SigningAlgorithm algorithm = direction.validation_settings.signing_algorithm;
    if (algorithm == SigningAlgorithm::NotSpecified)
      error(path, "a hash to sign with", "NotSpecified", "Write SHA2256, or leave it out.");
    if (algorithm == SigningAlgorithm::SHA1)
      error(path, "a hash that the vault signs with", "SHA1",
            "Write SHA2256: no exception makes the vault sign with SHA-1. What the partner signs with it is "
            "taken by <x:allowWeak algorithm=\"SHA1\"> in receiveAgreement, his receipts by that in "
            "sendAgreement.");
  }

  void mic(const OneWayAgreement& direction, std::string_view name) {
    const std::string path = fmt::format("{}/mdnSettings/micHashingAlgorithm", name);
    const HashingAlgorithm algorithm = direction.mdn_settings.mic_hashing_algorithm;
    const std::string text(to_string(algorithm));
    if (algorithm == HashingAlgorithm::MD5)
      error(path, "a hash that is not broken", text, "Write SHA2256. There is no exception for MD5.");
    if (algorithm == HashingAlgorithm::None || algorithm == HashingAlgorithm::NotSpecified)
      error(path, "a hash for the receipt's MIC", text, "Write SHA2256, or leave it out.");
    if (algorithm == HashingAlgorithm::SHA1) weak(direction, name, path, WeakAlgorithm::SHA1, "SHA2256");
  }

  void weak(const OneWayAgreement& direction, std::string_view name, const std::string& path,
            WeakAlgorithm algorithm, std::string_view better) {
    if (allows_weak(direction, algorithm, now_)) return;
    error(path, "an algorithm that is not weak, or an exception in force",
          fmt::format("{} without one", to_string(algorithm)),
          fmt::format("Write {}; or, if the partner has nothing better, add <x:allowWeak algorithm=\"{}\" "
                      "reason=\"...\" "
                      "until=\"...\"/> to {}.",
                      better, to_string(algorithm), name));
  }

  void hash_spelling(const OneWayAgreement& direction, std::string_view name) {
    const bool long_hash = direction.validation_settings.signing_algorithm == SigningAlgorithm::SHA2384 ||
                           direction.validation_settings.signing_algorithm == SigningAlgorithm::SHA2512 ||
                           direction.mdn_settings.mic_hashing_algorithm == HashingAlgorithm::SHA2384 ||
                           direction.mdn_settings.mic_hashing_algorithm == HashingAlgorithm::SHA2512;
    if (long_hash && direction.security_settings.sha2_algorithm_format == Sha2AlgorithmFormat::Sha2)
      error(fmt::format("{}/securitySettings/sha2AlgorithmFormat", name),
            "a spelling that tells the hash's size", "Sha2",
            "\"sha2\" can only mean SHA-256: write ShaHyphenHashSize.");
  }

  void exceptions(const OneWayAgreement& direction, std::string_view name) {
    for (const WeakException& exception : direction.allow_weak) {
      const std::string path = fmt::format("{}/x:allowWeak[{}]", name, to_string(exception.algorithm));
      if (exception.until <= now_)
        warning(path, "an exception that is still in force", "one that ended on " + day(exception.until),
                "Remove it; or, if the partner needs it longer, agree on a new end.");
      if (trim(exception.reason).empty())
        error(path, "a reason", "none", "Say who needs the weak algorithm and why.");
    }
  }

  // -- compression

  void compression() {
    const bool compresses = out_.validation_settings.compress_message;
    const Packaging& packaging = out_.packaging;
    if (compresses && packaging.as2_version == As2Version::V1_0)
      error("sendAgreement/x:packaging/@as2Version", "1.1 or later, since compressMessage is true", "1.0",
            "AS2 1.0 knows no compression: write 1.1, or set compressMessage to false.");
    if (!compresses && packaging.compression_order != CompressionOrder::BeforeSigning)
      warning("sendAgreement/x:packaging/@compressionOrder", "compressMessage to be true", "false",
              "Nothing is compressed: set compressMessage to true, or remove compressionOrder.");
    if (compresses && packaging.compression_order == CompressionOrder::AfterSigning &&
        !out_.validation_settings.sign_message)
      warning("sendAgreement/x:packaging/@compressionOrder", "signMessage to be true", "false",
              "Nothing is signed, so there is no order: remove compressionOrder.");
  }

  // -- the file's name

  void file_name() {
    const std::string& named = out_.envelope_settings.file_name_template;
    const FileNameFacts facts{"order.edi", "id@host.example", now_};
    if (const auto filled = fill_file_name(named, facts); !filled)
      error("sendAgreement/envelopeSettings/fileNameTemplate",
            "a file's name, with %SourceFileName%, %MessageID% and %datetime% in it", filled.error().detail,
            "Correct it, or leave it out to send documents under their own names.");
  }

  // -- limits, delivery, repeats

  void limits_and_delivery() {
    if (in_.limits.max_decompressed_size < in_.limits.max_message_size)
      warning("receiveAgreement/x:limits/@maxDecompressedSize", "no less than maxMessageSize",
              std::to_string(in_.limits.max_decompressed_size) + " octets",
              "A compressed message could not expand to what a plain one may have.");
    folder("receiveAgreement/x:delivery/@folder", in_.delivery.folder, "delivery");
    if (in_.delivery.webhook) webhook(*in_.delivery.webhook);
    if (out_.pickup) pickup(*out_.pickup);
    if (!in_.validation_settings.check_duplicate_message)
      warning("receiveAgreement/validationSettings/checkDuplicateMessage", "true", "false",
              "A message whose receipt got lost comes again, and will be handed over again.");
  }

  void folder(std::string_view path, const std::filesystem::path& named, std::string_view directory) {
    if (std::find(named.begin(), named.end(), "..") != named.end())
      error(path, "a folder without \"..\"", in_quotes(named.native()),
            fmt::format("Write it absolute, or below the gateway's {} directory.", directory));
  }

  void webhook(const Webhook& webhook) {
    constexpr std::string_view kPath = "receiveAgreement/x:delivery/x:webhook/@url";
    if (!in_.delivery.folder.empty())
      error("receiveAgreement/x:delivery/@folder", "none beside <x:webhook>", in_quotes(in_.delivery.folder),
            "A payload is handed over once: remove one of the two.");
    if (is_plain_http(webhook.url) && !is_this_machine(url_host(webhook.url)))
      warning(kPath, "https, or this machine", in_quotes(webhook.url),
              "Payloads would be readable on the way: write an https URL.");
    secret("receiveAgreement/x:delivery/x:webhook/@secretName", webhook.key_vault, webhook.secret_name);
  }

  void pickup(const Pickup& pickup) {
    folder("sendAgreement/x:pickup/@folder", pickup.folder, "pick-up");
    if (agreement_.connection.url.empty())
      error("sendAgreement/x:pickup", "<x:connection url=\"...\">", "none",
            "What is picked up could not be sent: write the guest's URL, or remove x:pickup.");
  }

  // -- who may post to us

  void who_posts() {
    if (const auto& basic = in_.required_basic_authentication)
      credentials("receiveAgreement/x:requireBasicAuthentication", *basic);
    const auto& required = in_.required_client_certificate;
    if (!required) return;
    const std::string path = "receiveAgreement/x:requireClientCertificate";
    if (required->certificates.empty())
      error(path, "at least one <x:certificate>", "none, so that every request would be refused",
            "Add the guest's, or remove the element.");
    for (const std::string& name : required->certificates)
      check_name(fmt::format("{}/x:certificate[{}]", path, name), name, false);
  }

  void credentials(const std::string& path, const BasicAuthentication& basic) {
    if (basic.user_name.find(':') != std::string::npos)
      error(path + "/@userName", "a name without \":\", which ends it in HTTP Basic",
            in_quotes(basic.user_name), "Agree on another name with the partner.");
    secret(path + "/@secretName", basic.key_vault, basic.secret_name);
  }

  void secret(const std::string& path, const std::string& key_vault, const std::string& name) {
    if (vaults_ == nullptr) return;
    const SecretFact fact = vaults_->secret(key_vault, name);
    if (!fact.missing.empty())
      error(path, "a secret in the vault", fact.missing,
            fmt::format("Set it: signet vault secret set --vault {} {}; or correct the names here.",
                        key_vault, name));
    else if (!fact.unusable.empty())
      warning(path, "a secret that is given out now", fact.unusable,
              "Set a new version, or change its dates.");
  }

  // -- the way to the guest

  [[nodiscard]] bool is_plain_http() const { return is_plain_http(agreement_.connection.url); }
  static bool is_plain_http(std::string_view url) { return to_lower(url).starts_with("http://"); }

  void connection() {
    const Connection& connection = agreement_.connection;
    if (connection.connect_timeout > connection.total_timeout)
      error("x:connection/@connectTimeout", "no more than totalTimeout", "more", "Correct one of the two.");
    if (!connection.client_certificate_name.empty())
      check_client_certificate(connection.client_certificate_name);
    if (is_plain_http() && connection.basic_authentication)
      error("x:connection/x:basicAuthentication", "https", "http",
            "The password would be readable on the way: write an https URL.");
    if (connection.basic_authentication)
      credentials("x:connection/x:basicAuthentication", *connection.basic_authentication);
    if (is_plain_http() && !connection.client_certificate_name.empty())
      warning("x:connection/@clientCertificateName", "https", "http", "Without TLS it is not used.");
    if (out_.message_connection_settings.ignore_certificate_name_mismatch)
      warning("sendAgreement/messageConnectionSettings/ignoreCertificateNameMismatch", "false", "true",
              "Whoever has any certificate of the same authority can pose as the partner's server; pin it in "
              "<x:tlsTrust>.");
    tls_trust(connection.tls_trust);
  }

  void check_client_certificate(const std::string& name) {
    constexpr std::string_view kPath = "x:connection/@clientCertificateName";
    check_name(std::string(kPath), name, true);
    const CertificateEntry* entry = index_.find_certificate(name);
    const std::string objection =
        entry ? facts_.objection(*entry, CertificatePurpose::TlsClient) : std::string();
    if (!objection.empty())
      warning(std::string(kPath), "a certificate made for TLS clients",
              fmt::format("{}: {}", in_quotes(name), objection),
              "Have one made with extended key usage clientAuth.");
  }

  void tls_trust(const TlsTrust& trust) {
    for (const std::string& name : trust.certificates) {
      const std::string path = fmt::format("x:connection/x:tlsTrust/x:certificate[{}]", name);
      if (index_.find_certificate(name) == nullptr)
        error(path, "the name of a certificate of this account", in_quotes(name),
              "Add <certificate name=\"...\"> or correct the name.");
    }
    const std::string mode(to_string(trust.mode));
    const bool has_any = !trust.certificates.empty() || !trust.ca_file.empty();
    if (trust.mode == TlsTrustMode::System && has_any)
      error("x:connection/x:tlsTrust",
            "mode=\"certificateAuthorities\" or \"pinned\", since certificates are given", mode,
            "Say which; the system's authorities need none here.");
    if (trust.mode == TlsTrustMode::CertificateAuthorities && !has_any)
      error("x:connection/x:tlsTrust", "<x:certificate> or caFile", "neither",
            "Say which authorities to believe.");
    if (trust.mode == TlsTrustMode::Pinned && trust.certificates.empty())
      error("x:connection/x:tlsTrust", "<x:certificate>", "none", "Say which server certificate to believe.");
    if (trust.mode == TlsTrustMode::Pinned && !trust.ca_file.empty())
      error("x:connection/x:tlsTrust/@caFile", "none, since mode is pinned", in_quotes(trust.ca_file),
            "Remove it.");
  }

  void retry() {
    const Retry& retry = agreement_.retry;
    if (retry.attempts > 1 && retry.first_interval > retry.max_duration)
      error("x:retry/@firstInterval", "no more than maxDuration", "more",
            "There would never be a second attempt: correct one of the two.");
  }

  // -- certificates exchanged by messages

  /// What announces a certificate is believed for its signature alone.
  void certificate_exchange() {
    if (!agreement_.certificate_exchange.enabled) return;
    for (const auto& [direction, name] : {std::pair(&in_, kReceive), std::pair(&out_, kSend)})
      if (!direction->validation_settings.sign_message)
        error(fmt::format("{}/validationSettings/signMessage", name),
              "true, since x:certificateExchange is enabled", "false",
              "Have messages signed, or remove x:certificateExchange.");
  }

  // -- revocation lists

  /// What is asked for and can never be answered.
  void revocation() {
    for (const LookedUp& one : certificates_looked_up(agreement_))
      for (const DatedCertificate& certificate : one.certificates)
        if (const CertificateEntry* entry = index_.find_certificate(certificate.name))
          look_up(one.use, *entry);
  }

  void look_up(LookedUpUse use, const CertificateEntry& entry) {
    const RevocationFact fact = facts_.revocation_of(entry);
    const bool receiving = use == LookedUpUse::VerifyMessage || use == LookedUpUse::TlsClient;
    const std::string path =
        receiving ? "receiveAgreement/validationSettings/checkCertificateRevocationListOnReceive"
                  : "sendAgreement/validationSettings/checkCertificateRevocationListOnSend";
    if (fact.self_signed)
      return warning(path, fmt::format("an authority's certificate {}", task_of(use)),
                     in_quotes(entry.name) + ", which is self-signed, so that no list can have it",
                     "It is used without a look; to end its use, take it out of the agreement.");
    if (fact.never.empty()) return;
    const bool hard = agreement_.revocation.policy == RevocationPolicy::HardFail;
    warning(path, fmt::format("a revocation list for the certificate {}", task_of(use)),
            fmt::format("{}: {}", in_quotes(entry.name), fact.never),
            fmt::format("{} As it is, {}.", fact.advice,
                        hard ? "the certificate is refused, since x:revocation says hardFail"
                             : "the certificate is used unchecked, since x:revocation says softFail"));
  }

  void error(std::string_view path, std::string expected, std::string found, std::string advice) {
    report_.error(base_ + std::string(path), std::move(expected), std::move(found), std::move(advice));
  }
  void warning(std::string_view path, std::string expected, std::string found, std::string advice) {
    report_.warning(base_ + std::string(path), std::move(expected), std::move(found), std::move(advice));
  }

  const AccountIndex& index_;
  const CertificateFacts& facts_;
  const VaultFacts* const vaults_;
  const Time now_;
  LintReport& report_;
  const Agreement& agreement_;
  const OneWayAgreement& in_;
  const OneWayAgreement& out_;
  const std::string base_;
};

}  // namespace

void lint_agreement(const LintScope& scope, const Agreement& agreement) {
  AgreementLint(scope, agreement).run();
}

}  // namespace signet::agreements
