#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

/// An integration account as values: partners, certificates by name, and the agreements that say how messages
/// between two partners are secured. Names of structs and fields are Azure's (Microsoft.Logic 2019-05-01) in
/// our spelling; what Azure has no word for is marked [ext] and stands in the extension namespace of the XML.
/// Every field has a default, so that an agreement says only what is special about it. docs/agreements.md has
/// all of it as one table.

namespace signet::agreements {

/// A free note, kept and given back; nothing acts on it.
struct MetadataEntry {
  std::string name;
  std::string value;

  friend bool operator==(const MetadataEntry&, const MetadataEntry&) = default;
};
using Metadata = std::vector<MetadataEntry>;  ///< names are unique

// ---- Partners
// ------------------------------------------------------------------------------------------------------

/// The qualifier of a name that is used as AS2-From and AS2-To. Compared ignoring case.
inline constexpr std::string_view kAs2Qualifier = "AS2Identity";

/// A name that a company is known by, and in which directory of names.
struct BusinessIdentity {
  std::string qualifier{kAs2Qualifier};  ///< "AS2Identity", or an EDI qualifier such as "ZZ" or "14"
  std::string value;  ///< for AS2Identity: 1 to 128 printable ASCII characters, case matters

  friend bool operator==(const BusinessIdentity&, const BusinessIdentity&) = default;
};

enum class PartnerType { NotSpecified, B2B };

struct Partner {
  std::string name;
  PartnerType partner_type = PartnerType::B2B;
  std::vector<BusinessIdentity> business_identities;
  Metadata metadata;

  friend bool operator==(const Partner&, const Partner&) = default;
};

// ---- Certificates
// --------------------------------------------------------------------------------------------------

/// Where a private certificate's key is: in a key vault, which uses it for us and never gives it out.
struct KeyReference {
  std::string key_vault;
  std::string key_name;
  std::string key_version;  ///< empty: the newest enabled version

  friend bool operator==(const KeyReference&, const KeyReference&) = default;
};

/// A certificate under its name. With a key it is private (ours), without it is public (a partner's).
struct CertificateEntry {
  std::string name;
  Bytes public_certificate;  ///< DER of exactly one certificate, whatever form the XML gave it in
  std::optional<KeyReference> key;
  Metadata metadata;

  friend bool operator==(const CertificateEntry&, const CertificateEntry&) = default;
};

// ---- The seven blocks of Azure's AS2 protocol settings
// -------------------------------------------------------------- The same blocks stand in receiveAgreement
// and in sendAgreement. "In" below tells what a field does in receiveAgreement (messages that the guest sends
// us, and our receipts for them), "Out" what it does in sendAgreement (messages that we send, and the
// receipts that we want for them).

enum class HashingAlgorithm { NotSpecified, None, MD5, SHA1, SHA2256, SHA2384, SHA2512 };
enum class EncryptionAlgorithm { NotSpecified, None, DES3, RC2, AES128, AES192, AES256 };
enum class SigningAlgorithm { NotSpecified, Default, SHA1, SHA2256, SHA2384, SHA2512 };
/// How the SHA-2 functions are spelt in micalg, signed-receipt-micalg and Received-Content-MIC.
enum class Sha2AlgorithmFormat {
  Sha2,                   ///< "sha2": SHA-256 only, names no size
  ShaHashSize,            ///< "sha256"
  ShaHyphenHashSize,      ///< "sha-256", RFC 5751's
  Sha2UnderscoreHashSize  ///< "sha2_256"
};

/// HTTP behaviour; one for messages and one for asynchronous receipts, as Azure has it.
struct ConnectionSettings {
  /// Out: accept a TLS server certificate for another host name. Weakens TLS; the chain is still checked.
  bool ignore_certificate_name_mismatch = false;
  /// Out: send "Expect: 100-continue" and wait for the 100 before the body.
  bool support_http_status_code_continue = false;
  /// Out: use the connection again for the next request.
  bool keep_http_connection_alive = true;
  /// Out: header fields on one line. False is accepted and does nothing: we never fold.
  bool unfold_http_headers = true;

  friend bool operator==(const ConnectionSettings&, const ConnectionSettings&) = default;
};

struct MdnSettings {
  /// In: send a receipt when one is requested. Out: request one.
  bool need_mdn = true;
  /// In: sign the receipt when a signed one is requested. Out: request a signed one.
  bool sign_mdn = true;
  /// Out: ask for the receipt by a connection of its own, to receipt_delivery_url, instead of in the HTTP
  /// answer. In: the request decides; with override_message_properties, post it to receipt_delivery_url.
  bool send_mdn_asynchronously = false;
  /// Out: where the guest posts asynchronous receipts (Receipt-Delivery-Option); an http or https URL of
  /// ours. In: the guest's URL for them, allowed like those of ReceiptPolicy.
  std::string receipt_delivery_url;
  /// Out: value of Disposition-Notification-To, which receivers ignore. Empty: our AS2 name.
  std::string disposition_notification_to;
  /// In: sign the receipt also when the request calls the signature "optional", as nearly every sender does.
  bool sign_outbound_mdn_if_optional = true;
  /// In: the receipt's text for people. Empty: one that tells the outcome.
  std::string mdn_text;
  /// Out: hand the receipts that we get to the business, beside the record that is kept anyway.
  bool send_inbound_mdn_to_message_box = false;
  /// In: the MIC's hash when a message is unsigned and its request names none. Out: the first of
  /// signed-receipt-micalg.
  HashingAlgorithm mic_hashing_algorithm = HashingAlgorithm::SHA2256;

  friend bool operator==(const MdnSettings&, const MdnSettings&) = default;
};

struct SecuritySettings {
  /// Azure's; kept and given back. An agreement's certificates are always its own here.
  bool override_group_signing_certificate = false;
  /// In: the guest's public certificate that its signatures are verified with. Out: our private one that
  /// signs. Empty: see certificate_roles.h for where the certificate then comes from.
  std::string signing_certificate_name;
  /// In: our private certificate that decrypts. Out: the guest's public one that we encrypt for.
  std::string encryption_certificate_name;
  /// In: keep the message as it came over the wire, as evidence.
  bool enable_nrr_for_inbound_encoded_messages = true;
  /// In: keep the message's content, decrypted and verified.
  bool enable_nrr_for_inbound_decoded_messages = true;
  /// In: keep the receipts that we sent.
  bool enable_nrr_for_outbound_mdn = true;
  /// Out: keep the message as it went over the wire.
  bool enable_nrr_for_outbound_encoded_messages = true;
  /// Out: keep the message's content before it was secured.
  bool enable_nrr_for_outbound_decoded_messages = true;
  /// Out: keep the receipts that we got.
  bool enable_nrr_for_inbound_mdn = true;
  /// In and out: the spelling of SHA-2 in what we write. All spellings are read.
  Sha2AlgorithmFormat sha2_algorithm_format = Sha2AlgorithmFormat::ShaHyphenHashSize;

  friend bool operator==(const SecuritySettings&, const SecuritySettings&) = default;
};

struct ValidationSettings {
  /// In: where a message's headers and this agreement differ about the receipt, the agreement wins.
  bool override_message_properties = false;
  /// In: refuse what is not encrypted. Out: encrypt.
  bool encrypt_message = true;
  /// In: refuse what is not signed. Out: sign.
  bool sign_message = true;
  /// In: refuse what is not compressed. Out: compress.
  bool compress_message = false;
  /// In: recognise a Message-ID that came before and answer with the receipt of then.
  bool check_duplicate_message = true;
  /// In: how many days back a repeat is recognised; 1 to 3650.
  std::int32_t interchange_duplicates_validity_days = 30;
  /// Out: look up in revocation lists the certificate that we encrypt for, ours that signs, and the one that
  /// signs the guest's receipt. See Revocation for what follows.
  bool check_certificate_revocation_list_on_send = false;
  /// In: the same for the certificate that signs the guest's message.
  bool check_certificate_revocation_list_on_receive = false;
  /// Out: the content cipher, in CBC mode unless Encryption::content_cipher says otherwise; NotSpecified
  /// means AES256. In: the weakest that is accepted, in either mode; NotSpecified, None and RC2 say nothing,
  /// and every cipher that is not weak is accepted. Weaker ones are by exception.
  EncryptionAlgorithm encryption_algorithm = EncryptionAlgorithm::NotSpecified;
  /// Out: the hash of the message's signature. In: the hash of the receipt's signature. Default means
  /// SHA2256.
  SigningAlgorithm signing_algorithm = SigningAlgorithm::SHA2256;

  friend bool operator==(const ValidationSettings&, const ValidationSettings&) = default;
};

struct EnvelopeSettings {
  /// Out: the payload's Content-Type, unless the document comes with its own.
  std::string message_content_type = "application/edi-consent";
  /// Out: name the file in Content-Disposition, inside the signature.
  bool transmit_file_name_in_mime_header = true;
  /// Out: the file's name for the guest, with macros: file_name_template.h. Empty: the document's own name.
  std::string file_name_template;
  /// Out: refuse a document that the template makes no name for, instead of sending it without.
  bool suspend_message_on_file_name_generation_error = true;
  /// Out: a random name instead of the document's own.
  bool autogenerate_file_name = false;

  friend bool operator==(const EnvelopeSettings&, const EnvelopeSettings&) = default;
};

struct ErrorSettings {
  /// In: hand a repeat to nobody. False hands it over again, which is seldom what one wants.
  bool suspend_duplicate_message = true;
  /// Out: send the same bytes again when the receipt does not come in time.
  bool resend_if_mdn_not_received = true;

  friend bool operator==(const ErrorSettings&, const ErrorSettings&) = default;
};

// ---- [ext] What one direction adds
// -----------------------------------------------------------------------------------

/// What a certificate is used for in an agreement. The first three belong to receiveAgreement, the others to
/// sendAgreement. certificate_roles.h says which certificates a role has.
enum class CertificateRole {
  VerifyMessage,  ///< the guest's: verifies its messages
  Decrypt,        ///< ours, with key: decrypts them
  SignMdn,        ///< ours, with key: signs our receipts
  SignMessage,    ///< ours, with key: signs our messages
  Encrypt,        ///< the guest's: encrypts them
  VerifyMdn,      ///< the guest's: verifies its receipts
};

/// A certificate and when it is in use.
struct DatedCertificate {
  std::string name;
  std::optional<Time> active_from;   ///< absent: always was
  std::optional<Time> active_until;  ///< the first moment at which it no longer is; absent: for ever
  /// Ours, and announced to the guest, who has not accepted it yet: see active_certificates().
  bool awaits_acceptance = false;

  [[nodiscard]] bool active_at(Time time) const {
    return (!active_from || *active_from <= time) && (!active_until || time < *active_until);
  }
  friend bool operator==(const DatedCertificate&, const DatedCertificate&) = default;
};

/// Further certificates for one role: rollover.
struct RoleCertificates {
  CertificateRole role = CertificateRole::VerifyMessage;
  std::vector<DatedCertificate> certificates;

  friend bool operator==(const RoleCertificates&, const RoleCertificates&) = default;
};

/// What is refused everywhere unless an agreement makes an exception. For MD5, RC2 and single DES there is
/// none.
enum class WeakAlgorithm { SHA1, DES3 };

/// Lets a weak algorithm through in one direction, for a stated reason, until a stated day.
struct WeakException {
  WeakAlgorithm algorithm = WeakAlgorithm::SHA1;
  std::string reason;  ///< for the auditor; must not be empty
  Time until{};        ///< the first moment at which the exception is over

  friend bool operator==(const WeakException&, const WeakException&) = default;
};

enum class SignatureScheme { Pkcs1, Pss };
enum class TransferEncoding { Binary, Base64 };

/// How we sign: messages (Out) or receipts (In). EC keys sign with ECDSA whatever the scheme.
struct Signature {
  SignatureScheme scheme = SignatureScheme::Pkcs1;
  TransferEncoding transfer_encoding = TransferEncoding::Base64;  ///< of the signature's MIME part
  bool include_certificate =
      true;  ///< carry our certificate in the SignedData; some peers need it, none may trust it
  bool algorithm_protection =
      false;  ///< the CMSAlgorithmProtection attribute (RFC 6211), which old stacks refuse

  friend bool operator==(const Signature&, const Signature&) = default;
};

enum class MicCoverage { WithHeaders, ContentOnly };

/// What the MIC of a compressed message without signature and encryption covers. RFC 4130 section 7.3.1 and
/// RFC 5402 section 4.3 differ, and so do products. In: for the receipt that we make. Out: what we expect in
/// the guest's.
struct Mic {
  MicCoverage compressed_unsigned = MicCoverage::WithHeaders;  ///< compressed: RFC 5402 section 4.3

  friend bool operator==(const Mic&, const Mic&) = default;
};

enum class ContentCipher {
  ByEncryptionAlgorithm,  ///< validationSettings.encryptionAlgorithm, in CBC mode
  AES128CBC,
  AES192CBC,
  AES256CBC,
  AES128GCM,
  AES192GCM,
  AES256GCM
};
enum class KeyTransport { Rsa15, RsaOaep, RsaOaep256, RsaOaep512 };

/// Out: how we encrypt. GCM makes AuthEnvelopedData (RFC 5083); EC certificates use ECDH whatever the key
/// transport.
struct Encryption {
  ContentCipher content_cipher = ContentCipher::ByEncryptionAlgorithm;
  KeyTransport key_transport = KeyTransport::Rsa15;  ///< what every peer reads; RSA-OAEP where the peer can

  friend bool operator==(const Encryption&, const Encryption&) = default;
};

enum class CompressionOrder { BeforeSigning, AfterSigning };
enum class As2Version { V1_0, V1_1, V1_2, V1_3 };

/// Out: the shape of our messages.
struct Packaging {
  CompressionOrder compression_order = CompressionOrder::BeforeSigning;
  TransferEncoding transfer_encoding = TransferEncoding::Binary;  ///< of the payload's MIME part
  bool canonicalise_text = false;  ///< turn the line ends of text/* payloads into CRLF before they are signed
  As2Version as2_version =
      As2Version::V1_1;  ///< AS2-Version to advertise; a compressed message says 1.1 at least

  friend bool operator==(const Packaging&, const Packaging&) = default;
};

/// Out: the receipt that we wait for.
struct ExpectedReceipt {
  bool require_signed_mdn = true;  ///< an unsigned receipt where a signed one was requested is a failure
  std::chrono::milliseconds timeout = std::chrono::hours(1);  ///< how long an asynchronous receipt may take

  friend bool operator==(const ExpectedReceipt&, const ExpectedReceipt&) = default;
};

/// In: the receipt for a message that carries no signature, so that anybody can have sent it.
enum class ReceiptForUnsigned {
  AsRequested,  ///< signed if it asks for that
  Unsigned,     ///< our signature for nobody unproven
  None,
};

/// Which receipts we give, and where asynchronous ones may be posted: a message only asks.
struct ReceiptPolicy {
  ReceiptForUnsigned receipt_for_unsigned_messages = ReceiptForUnsigned::AsRequested;
  /// Where a message may have its receipt posted (Receipt-Delivery-Option): these http or https URLs, and
  /// what lies below their paths. None: receipts go into the HTTP answer, whatever the message asks for.
  std::vector<std::string> allowed_urls;
  /// Networks such as "10.0.0.0/8" that an allowed URL's host name may stand for although they are not of the
  /// public internet.
  std::vector<std::string> allowed_networks;

  friend bool operator==(const ReceiptPolicy&, const ReceiptPolicy&) = default;
};

/// HTTP Basic; the password is a secret in a key vault, never in the XML.
struct BasicAuthentication {
  std::string user_name;
  std::string key_vault;
  std::string secret_name;

  friend bool operator==(const BasicAuthentication&, const BasicAuthentication&) = default;
};

/// In: the TLS client certificate that a request must come with.
struct RequiredClientCertificate {
  std::vector<std::string>
      certificates;  ///< names in the account; one of them, octet by octet, whoever issued it

  friend bool operator==(const RequiredClientCertificate&, const RequiredClientCertificate&) = default;
};

/// In: what we are ready to take, in octets.
struct Limits {
  std::uint64_t max_message_size = std::uint64_t{2} << 30;        ///< of the HTTP body
  std::uint64_t max_decompressed_size = std::uint64_t{10} << 30;  ///< of what comes out of a CompressedData
  std::uint32_t max_compression_ratio = 200;  ///< decompressed over compressed, from 1 MiB on

  friend bool operator==(const Limits&, const Limits&) = default;
};

/// A service of ours that takes payloads as signed HTTP requests.
struct Webhook {
  std::string url;  ///< http or https
  std::string key_vault;
  std::string secret_name;  ///< of the secret that requests are signed with
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< for one request and its answer

  friend bool operator==(const Webhook&, const Webhook&) = default;
};

/// In: where payloads are handed over.
struct Delivery {
  std::string
      folder;  ///< absolute, or below the gateway's delivery directory. Empty: the agreement's name, below it
  std::optional<Webhook> webhook;  ///< instead of the folder

  friend bool operator==(const Delivery&, const Delivery&) = default;
};

/// Out: a folder of ours whose files are sent under the agreement.
struct Pickup {
  std::string
      folder;  ///< absolute, or below the gateway's pick-up directory. Empty: the agreement's name, below it
  std::chrono::milliseconds stable_for =
      std::chrono::seconds(5);  ///< a file is whole once it is unchanged so long
  bool keep_sent = false;       ///< keep what was sent, in `sent`, instead of removing it

  friend bool operator==(const Pickup&, const Pickup&) = default;
};

// ---- One direction
// ----------------------------------------------------------------------------------------------------

/// One direction of an agreement. Blocks marked In only or Out only keep their defaults in the other
/// direction, where the XML does not have them.
struct OneWayAgreement {
  std::optional<BusinessIdentity>
      sender_business_identity;  ///< absent: In the guest's, Out the host's identity
  std::optional<BusinessIdentity>
      receiver_business_identity;  ///< absent: In the host's, Out the guest's identity
  ConnectionSettings message_connection_settings;
  ConnectionSettings acknowledgement_connection_settings;  ///< for posting asynchronous receipts
  MdnSettings mdn_settings;
  SecuritySettings security_settings;
  ValidationSettings validation_settings;
  EnvelopeSettings envelope_settings;
  ErrorSettings error_settings;

  std::vector<RoleCertificates> certificates;                            ///< [ext]
  std::vector<WeakException> allow_weak;                                 ///< [ext]
  Signature signature;                                                   ///< [ext]
  Mic mic;                                                               ///< [ext]
  Encryption encryption;                                                 ///< [ext] Out only
  Packaging packaging;                                                   ///< [ext] Out only
  ExpectedReceipt expected_receipt;                                      ///< [ext] Out only
  std::optional<BasicAuthentication> required_basic_authentication;      ///< [ext] In only
  std::optional<RequiredClientCertificate> required_client_certificate;  ///< [ext] In only
  ReceiptPolicy receipt_policy;                                          ///< [ext] In only
  Limits limits;                                                         ///< [ext] In only
  Delivery delivery;                                                     ///< [ext] In only
  std::optional<Pickup> pickup;  ///< [ext] Out only; absent: nothing is picked up

  friend bool operator==(const OneWayAgreement&, const OneWayAgreement&) = default;
};

// ---- [ext] What holds for both directions
// ------------------------------------------------------------------------------

enum class TlsVersion {
  Tls12,
  Tls13,
};

enum class TlsTrustMode {
  System,                  ///< the operating system's certificate authorities
  CertificateAuthorities,  ///< only the certificates named, or those in ca_file, as issuers
  Pinned,                  ///< the server shows exactly one of the certificates named
};

/// Which TLS servers of the guest we believe.
struct TlsTrust {
  TlsTrustMode mode = TlsTrustMode::System;
  std::string ca_file;                    ///< absolute path of a PEM bundle; CertificateAuthorities only
  std::vector<std::string> certificates;  ///< names in the account; CertificateAuthorities or Pinned

  friend bool operator==(const TlsTrust&, const TlsTrust&) = default;
};

/// Every HTTP request that we make to the guest: messages and asynchronous receipts.
struct Connection {
  std::string url;  ///< the guest's AS2 endpoint, http or https. Empty: we send this guest no messages
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);  ///< TCP and TLS together
  std::chrono::milliseconds total_timeout =
      std::chrono::minutes(10);         ///< from the first octet to the answer's last
  std::string client_certificate_name;  ///< private certificate for TLS client authentication. Empty: none
  TlsVersion min_tls_version = TlsVersion::Tls12;  ///< of the guest's server
  TlsTrust tls_trust;
  std::optional<BasicAuthentication> basic_authentication;  ///< sent to the server of `url` alone

  friend bool operator==(const Connection&, const Connection&) = default;
};

/// What follows a transient failure (no connection, time-out, 408, 429, 5xx): the same bytes again, later and
/// later.
struct Retry {
  std::uint32_t attempts = 10;  ///< in all, the first included; 1 to 100
  std::chrono::milliseconds first_interval = std::chrono::minutes(1);
  double factor = 2.0;  ///< each interval over the one before; 1 to 10
  std::chrono::milliseconds max_duration =
      std::chrono::hours(24);  ///< from the first attempt; then it has failed

  friend bool operator==(const Retry&, const Retry&) = default;
};

/// How long evidence is kept: the copies of messages, receipts among them. See docs/evidence.md.
struct Retention {
  std::uint32_t days = 0;  ///< after a message was settled; 0: for ever

  friend bool operator==(const Retention&, const Retention&) = default;
};

/// What follows where no valid revocation list can be had for a certificate that is to be looked up in one. A
/// certificate that a list has is refused in any case.
enum class RevocationPolicy {
  HardFail,  ///< it is refused: what is sent waits, what is received gets an error
  SoftFail,  ///< it is used, and the message's record, the log and a metric say so
};

/// How the checks work that validationSettings' checkCertificateRevocationListOn... ask for.
struct Revocation {
  RevocationPolicy policy = RevocationPolicy::HardFail;

  friend bool operator==(const Revocation&, const Revocation&) = default;
};

/// Whether certificates are exchanged with the guest by messages (CEM, draft-meadors-certificate-exchange).
struct CertificateExchange {
  bool enabled = false;

  friend bool operator==(const CertificateExchange&, const CertificateExchange&) = default;
};

// ---- Agreement and account
// -----------------------------------------------------------------------------------------------

enum class AgreementType { NotSpecified, AS2, X12, Edifact };

/// What two partners agreed on, from the host's (our) point of view.
struct Agreement {
  std::string name;
  AgreementType agreement_type = AgreementType::AS2;  ///< AS2 is the one that Signet speaks
  std::string host_partner;                           ///< us: name of a Partner
  std::string guest_partner;                          ///< them: name of a Partner
  std::optional<BusinessIdentity> host_identity;      ///< absent: the host partner's only AS2Identity
  std::optional<BusinessIdentity> guest_identity;     ///< absent: the guest partner's only AS2Identity
  OneWayAgreement receive_agreement;                  ///< guest to host
  OneWayAgreement send_agreement;                     ///< host to guest
  Metadata metadata;
  Connection connection;                     ///< [ext]
  Retry retry;                               ///< [ext]
  Retention retention;                       ///< [ext]
  Revocation revocation;                     ///< [ext]
  CertificateExchange certificate_exchange;  ///< [ext]

  friend bool operator==(const Agreement&, const Agreement&) = default;
};

/// Everything of one organisation. Names are unique within each list; order carries no meaning and is kept.
struct Account {
  std::vector<Partner> partners;
  std::vector<CertificateEntry> certificates;
  std::vector<Agreement> agreements;

  friend bool operator==(const Account&, const Account&) = default;
};

const Partner* find_partner(const Account& account, std::string_view name);
const CertificateEntry* find_certificate(const Account& account, std::string_view name);
const Agreement* find_agreement(const Account& account, std::string_view name);

/// The exact content cipher of our messages: Encryption::content_cipher, or what encryptionAlgorithm says, in
/// CBC mode.
enum class Cipher { Des3Cbc, Aes128Cbc, Aes192Cbc, Aes256Cbc, Aes128Gcm, Aes192Gcm, Aes256Gcm };
/// @return  nothing where encryptionAlgorithm is None or RC2, which nobody encrypts with.
std::optional<Cipher> content_cipher(const OneWayAgreement& direction);

/// Whether an exception for the algorithm is in force.
bool allows_weak(const OneWayAgreement& direction, WeakAlgorithm algorithm, Time now);

/// An enum value as it stands in the XML and in messages for people: "SHA2256", "RSA-OAEP", "beforeSigning".
std::string_view to_string(PartnerType);
std::string_view to_string(HashingAlgorithm);
std::string_view to_string(EncryptionAlgorithm);
std::string_view to_string(SigningAlgorithm);
std::string_view to_string(Sha2AlgorithmFormat);
std::string_view to_string(CertificateRole);
std::string_view to_string(WeakAlgorithm);
std::string_view to_string(SignatureScheme);
std::string_view to_string(TransferEncoding);
std::string_view to_string(MicCoverage);
std::string_view to_string(ContentCipher);
std::string_view to_string(KeyTransport);
std::string_view to_string(CompressionOrder);
std::string_view to_string(As2Version);
std::string_view to_string(ReceiptForUnsigned);
std::string_view to_string(TlsVersion);
std::string_view to_string(TlsTrustMode);
std::string_view to_string(AgreementType);
std::string_view to_string(RevocationPolicy);

}  // namespace signet::agreements
