#include "gateway/exchange/agreement_settings.h"

#include <fmt/format.h>

#include <utility>

#include "agreements/certificate_roles.h"

namespace signet::gateway {
namespace {

using agreements::CertificateRole;
using agreements::OneWayAgreement;
using agreements::ResolvedAgreement;
using agreements::WeakAlgorithm;

as2::Sha2Format to_format(agreements::Sha2AlgorithmFormat format) {
  switch (format) {
    case agreements::Sha2AlgorithmFormat::Sha2:
      return as2::Sha2Format::Sha2;
    case agreements::Sha2AlgorithmFormat::ShaHashSize:
      return as2::Sha2Format::ShaHashSize;
    case agreements::Sha2AlgorithmFormat::ShaHyphenHashSize:
      return as2::Sha2Format::ShaHyphenHashSize;
    case agreements::Sha2AlgorithmFormat::Sha2UnderscoreHashSize:
      return as2::Sha2Format::Sha2UnderscoreHashSize;
  }
  return as2::Sha2Format::ShaHyphenHashSize;
}

as2::CompressedMic to_rule(agreements::MicCoverage coverage) {
  return coverage == agreements::MicCoverage::ContentOnly ? as2::CompressedMic::ContentOnly
                                                          : as2::CompressedMic::WithHeaders;
}

as2::mime::TransferEncoding to_encoding(agreements::TransferEncoding encoding) {
  return encoding == agreements::TransferEncoding::Base64 ? as2::mime::TransferEncoding::Base64
                                                          : as2::mime::TransferEncoding::Binary;
}

as2::cms::ContentCipher to_cipher(agreements::Cipher cipher) {
  using as2::cms::ContentCipher;
  switch (cipher) {
    case agreements::Cipher::Des3Cbc:
      return ContentCipher::Des3Cbc;
    case agreements::Cipher::Aes128Cbc:
      return ContentCipher::Aes128Cbc;
    case agreements::Cipher::Aes192Cbc:
      return ContentCipher::Aes192Cbc;
    case agreements::Cipher::Aes256Cbc:
      return ContentCipher::Aes256Cbc;
    case agreements::Cipher::Aes128Gcm:
      return ContentCipher::Aes128Gcm;
    case agreements::Cipher::Aes192Gcm:
      return ContentCipher::Aes192Gcm;
    case agreements::Cipher::Aes256Gcm:
      return ContentCipher::Aes256Gcm;
  }
  return ContentCipher::Aes256Cbc;
}

as2::cms::KeyTransport to_transport(agreements::KeyTransport transport) {
  switch (transport) {
    case agreements::KeyTransport::Rsa15:
      return as2::cms::KeyTransport::Rsa15;
    case agreements::KeyTransport::RsaOaep:
      return as2::cms::KeyTransport::OaepSha1;
    case agreements::KeyTransport::RsaOaep256:
      return as2::cms::KeyTransport::OaepSha256;
    case agreements::KeyTransport::RsaOaep512:
      return as2::cms::KeyTransport::OaepSha512;
  }
  return as2::cms::KeyTransport::Rsa15;
}

as2::cms::SignOptions sign_options(const agreements::Signature& signature, Hash hash, Time now) {
  as2::cms::SignOptions options;
  options.hash = hash;
  options.scheme = signature.scheme == agreements::SignatureScheme::Pss ? as2::cms::SignatureScheme::RsaPss
                                                                        : as2::cms::SignatureScheme::RsaPkcs1;
  options.include_certificate = signature.include_certificate;
  options.algorithm_protection = signature.algorithm_protection;
  options.signing_time = now;
  return options;
}

as2::cms::VerifyPolicy verify_policy(const OneWayAgreement& direction, Time now) {
  as2::cms::VerifyPolicy policy;
  if (agreements::allows_weak(direction, WeakAlgorithm::SHA1, now))
    policy.allowed_hashes.push_back(Hash::Sha1);
  return policy;
}

unsigned key_bits(as2::cms::ContentCipher cipher) {
  using as2::cms::ContentCipher;
  switch (cipher) {
    case ContentCipher::Des3Cbc:
      return 112;  // what its 168 are worth
    case ContentCipher::Aes128Cbc:
    case ContentCipher::Aes128Gcm:
      return 128;
    case ContentCipher::Aes192Cbc:
    case ContentCipher::Aes192Gcm:
      return 192;
    case ContentCipher::Aes256Cbc:
    case ContentCipher::Aes256Gcm:
      return 256;
  }
  return 0;
}

/// The least that messages under such an agreement are encrypted with.
unsigned least_key_bits(agreements::EncryptionAlgorithm agreed) {
  switch (agreed) {
    case agreements::EncryptionAlgorithm::NotSpecified:
    case agreements::EncryptionAlgorithm::None:
    case agreements::EncryptionAlgorithm::DES3:
    case agreements::EncryptionAlgorithm::RC2:
      return 0;  // what is not weak is stronger
    case agreements::EncryptionAlgorithm::AES128:
      return 128;
    case agreements::EncryptionAlgorithm::AES192:
      return 192;
    case agreements::EncryptionAlgorithm::AES256:
      return 256;
  }
  return 0;
}

as2::cms::DecryptPolicy decrypt_policy(const OneWayAgreement& direction, Time now) {
  as2::cms::DecryptPolicy policy;
  const unsigned least = least_key_bits(direction.validation_settings.encryption_algorithm);
  std::erase_if(policy.allowed_ciphers, [&](auto cipher) { return key_bits(cipher) < least; });
  if (agreements::allows_weak(direction, WeakAlgorithm::DES3, now))
    policy.allowed_ciphers.push_back(as2::cms::ContentCipher::Des3Cbc);
  return policy;
}

Error none_active(const ResolvedAgreement& agreement, CertificateRole role, Time now) {
  const auto choices = agreements::certificates_for(agreement.agreement, role);
  const agreements::DatedCertificate* next = nullptr;
  for (const auto& choice : choices)
    if (choice.active_from && *choice.active_from > now &&
        (!next || *choice.active_from < *next->active_from))
      next = &choice;
  const std::string outlook =
      next ? fmt::format("next becomes active '{}' at {}", next->name, to_rfc3339(*next->active_from))
           : "name one";
  return Error{ErrorKind::NotFound,
               fmt::format("agreement '{}' has no certificate for '{}' that is active at {}; {}",
                           agreement.agreement.name, to_string(role), to_rfc3339(now), outlook)};
}

/// The guest's certificates of a role, all that are active.
Result<std::vector<certstore::Certificate>> guest_certificates(const ResolvedAgreement& agreement,
                                                               const AccountSnapshot& account,
                                                               CertificateRole role, Time now) {
  std::vector<certstore::Certificate> certificates;
  for (const std::string& name : agreements::active_certificates(agreement.agreement, role, now)) {
    SIGNET_TRY(certstore::Certificate certificate, account.certificate(name));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

/// An exception may have ended since the agreement was applied, so it is asked for at each message.
Result<> check_not_weak(const ResolvedAgreement& agreement, WeakAlgorithm algorithm, Time now) {
  if (agreements::allows_weak(agreement.agreement.send_agreement, algorithm, now)) return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format(
          "agreement '{}' sends with {}, which is weak, and has no exception for it that is in force: use a "
          "stronger algorithm, or state the exception with its reason and end",
          agreement.agreement.name, to_string(algorithm)));
}

Error out_of_date(const std::string& name, const certstore::Certificate& certificate, Time now) {
  return Error{ErrorKind::CryptoFailure,
               fmt::format("certificate '{}' is valid from {} to {}, not at {}: replace it", name,
                           to_rfc3339(certificate.not_before()), to_rfc3339(certificate.not_after()),
                           to_rfc3339(now))};
}

/// The newest active certificate of ours in a role, valid and with its key.
Result<certstore::PrivateCertificate> own_certificate(const ResolvedAgreement& agreement,
                                                      const AccountSnapshot& account, CertificateRole role,
                                                      Time now) {
  const auto names = agreements::active_certificates(agreement.agreement, role, now);
  if (names.empty()) return fail(none_active(agreement, role, now));
  SIGNET_TRY(certstore::PrivateCertificate own, account.private_certificate(names.front()));
  if (!own.certificate.valid_at(now)) return fail(out_of_date(names.front(), own.certificate, now));
  return own;
}

}  // namespace

std::string features_of(const agreements::Agreement& agreement) {
  return agreement.certificate_exchange.enabled ? "CEM" : "";
}

std::string spoken_version(const agreements::Agreement& agreement, std::string_view agreed) {
  const bool is_older = agreed == "1.0" || agreed == "1.1";
  return std::string(is_older && !features_of(agreement).empty() ? "1.2" : agreed);
}

Hash to_hash(agreements::HashingAlgorithm algorithm) {
  switch (algorithm) {
    case agreements::HashingAlgorithm::NotSpecified:
    case agreements::HashingAlgorithm::None:
    case agreements::HashingAlgorithm::SHA2256:
      return Hash::Sha256;
    case agreements::HashingAlgorithm::MD5:
      return Hash::Md5;
    case agreements::HashingAlgorithm::SHA1:
      return Hash::Sha1;
    case agreements::HashingAlgorithm::SHA2384:
      return Hash::Sha384;
    case agreements::HashingAlgorithm::SHA2512:
      return Hash::Sha512;
  }
  return Hash::Sha256;
}

Hash to_hash(agreements::SigningAlgorithm algorithm) {
  switch (algorithm) {
    case agreements::SigningAlgorithm::NotSpecified:
    case agreements::SigningAlgorithm::Default:
    case agreements::SigningAlgorithm::SHA2256:
      return Hash::Sha256;
    case agreements::SigningAlgorithm::SHA1:
      return Hash::Sha1;
    case agreements::SigningAlgorithm::SHA2384:
      return Hash::Sha384;
    case agreements::SigningAlgorithm::SHA2512:
      return Hash::Sha512;
  }
  return Hash::Sha256;
}

Result<ReceiveSettings> receive_settings(const ResolvedAgreement& agreement, const AccountSnapshot& account,
                                         Time now, const SpoolArea& spool) {
  const OneWayAgreement& direction = agreement.agreement.receive_agreement;
  ReceiveSettings settings;
  settings.requirements = {direction.validation_settings.sign_message,
                           direction.validation_settings.encrypt_message,
                           direction.validation_settings.compress_message};
  settings.compressed_mic = to_rule(direction.mic.compressed_unsigned);
  settings.default_mic_hash = to_hash(direction.mdn_settings.mic_hashing_algorithm);
  if (settings.default_mic_hash == Hash::Sha1 &&
      !agreements::allows_weak(direction, WeakAlgorithm::SHA1, now))
    settings.default_mic_hash = Hash::Sha256;
  settings.sha2_format = to_format(direction.security_settings.sha2_algorithm_format);

  as2::OpenSettings& open = settings.open;
  SIGNET_TRY(open.signers, guest_certificates(agreement, account, CertificateRole::VerifyMessage, now));
  for (const std::string& name :
       agreements::active_certificates(agreement.agreement, CertificateRole::Decrypt, now)) {
    for (auto& own : account.decrypting_certificates(name)) {
      if (own)
        open.decryption.push_back(*std::move(own));
      else
        settings.unusable.push_back(std::move(own).error());
    }
  }
  open.verify = verify_policy(direction, now);
  open.decrypt = decrypt_policy(direction, now);
  open.decompress.max_size = direction.limits.max_decompressed_size;
  open.decompress.max_ratio = direction.limits.max_compression_ratio;
  open.bare_content_allowed = !settings.requirements.signature;
  open.spool = spool;
  return settings;
}

Result<as2::ReceiptSettings> receipt_settings(const ResolvedAgreement& agreement,
                                              const AccountSnapshot& account, Hash hash, Time now,
                                              const SpoolArea& spool) {
  const OneWayAgreement& direction = agreement.agreement.receive_agreement;
  as2::ReceiptSettings settings;
  SIGNET_TRY(settings.signer, own_certificate(agreement, account, CertificateRole::SignMdn, now));
  settings.sign = sign_options(direction.signature, hash, now);
  settings.signature_encoding = to_encoding(direction.signature.transfer_encoding);
  settings.sha2_format = to_format(direction.security_settings.sha2_algorithm_format);
  settings.spool = spool;
  return settings;
}

Result<as2::ComposeSettings> compose_settings(const ResolvedAgreement& agreement,
                                              const AccountSnapshot& account,
                                              const as2::MessageId& message_id, Time now,
                                              const SpoolArea& spool) {
  const OneWayAgreement& direction = agreement.agreement.send_agreement;
  SIGNET_TRY(as2::As2Name from, as2::As2Name::of(agreement.send_from));
  SIGNET_TRY(as2::As2Name to, as2::As2Name::of(agreement.send_to));
  as2::ComposeSettings settings{std::move(from), std::move(to), message_id};
  settings.date = now;
  settings.content_type = direction.envelope_settings.message_content_type;
  settings.payload_encoding = to_encoding(direction.packaging.transfer_encoding);
  settings.canonicalise_text = direction.packaging.canonicalise_text;
  settings.signature_encoding = to_encoding(direction.signature.transfer_encoding);
  settings.sha2_format = to_format(direction.security_settings.sha2_algorithm_format);
  settings.compress = direction.validation_settings.compress_message;
  settings.compression_order =
      direction.packaging.compression_order == agreements::CompressionOrder::AfterSigning
          ? as2::CompressionOrder::AfterSigning
          : as2::CompressionOrder::BeforeSigning;
  settings.compressed_mic = to_rule(direction.mic.compressed_unsigned);
  settings.as2_version = to_string(direction.packaging.as2_version);
  if (settings.compress && settings.as2_version == "1.0") settings.as2_version = "1.1";  // [RFC5402 3]
  settings.features = features_of(agreement.agreement);
  settings.as2_version = spoken_version(agreement.agreement, settings.as2_version);
  settings.spool = spool;

  const Hash hash = to_hash(direction.validation_settings.signing_algorithm);
  if (direction.validation_settings.sign_message) {
    if (hash == Hash::Sha1)
      return fail(ErrorKind::Unsupported, fmt::format("agreement '{}' signs with SHA1, which the vault does "
                                                      "for nobody, not even by exception: let its "
                                                      "signingAlgorithm be SHA2256 or stronger",
                                                      agreement.agreement.name));
    SIGNET_TRY(settings.signer, own_certificate(agreement, account, CertificateRole::SignMessage, now));
    settings.sign = sign_options(direction.signature, hash, now);
  }
  if (direction.validation_settings.encrypt_message) {
    const auto names = agreements::active_certificates(agreement.agreement, CertificateRole::Encrypt, now);
    if (names.empty()) return fail(none_active(agreement, CertificateRole::Encrypt, now));
    SIGNET_TRY(certstore::Certificate recipient, account.certificate(names.front()));
    if (!recipient.valid_at(now)) return fail(out_of_date(names.front(), recipient, now));
    settings.recipients.push_back(std::move(recipient));
    const auto cipher = agreements::content_cipher(direction);
    if (!cipher)
      return fail(
          ErrorKind::InvalidInput,
          fmt::format(
              "agreement '{}' wants encryption, but its encryptionAlgorithm names no cipher to encrypt with",
              agreement.agreement.name));
    if (*cipher == agreements::Cipher::Des3Cbc)
      SIGNET_CHECK(check_not_weak(agreement, WeakAlgorithm::DES3, now));
    settings.encrypt.cipher = to_cipher(*cipher);
    settings.encrypt.key_transport = to_transport(direction.encryption.key_transport);
  }

  const Hash mic_hash = to_hash(direction.mdn_settings.mic_hashing_algorithm);
  if (mic_hash == Hash::Sha1 && !settings.signer)
    SIGNET_CHECK(check_not_weak(agreement, WeakAlgorithm::SHA1, now));
  settings.unsigned_mic_hash = mic_hash;
  as2::ReceiptRequest& receipt = settings.receipt;
  receipt.wanted = direction.mdn_settings.need_mdn;
  receipt.signed_wanted = receipt.wanted && direction.mdn_settings.sign_mdn;
  receipt.notify_to = direction.mdn_settings.disposition_notification_to.empty()
                          ? settings.from.field_value()
                          : direction.mdn_settings.disposition_notification_to;
  // A signed message's MIC uses its signature's hash; asking for another one first would only confuse peers.
  const Hash first = settings.signer ? hash : mic_hash;
  receipt.hashes.push_back({first, as2::hash_name(first, settings.sha2_format)});
  if (receipt.wanted && direction.mdn_settings.send_mdn_asynchronously) {
    if (direction.mdn_settings.receipt_delivery_url.empty())
      return fail(ErrorKind::InvalidInput, fmt::format("agreement '{}' asks for asynchronous receipts and "
                                                       "has no receiptDeliveryUrl that they could come to",
                                                       agreement.agreement.name));
    receipt.async_url = direction.mdn_settings.receipt_delivery_url;
  }
  return settings;
}

Result<as2::ReceiptExpectation> receipt_expectation(const ResolvedAgreement& agreement,
                                                    const AccountSnapshot& account,
                                                    const as2::MessageId& message_id, const as2::Mic& mic,
                                                    Time now, const SpoolArea& spool) {
  const OneWayAgreement& direction = agreement.agreement.send_agreement;
  as2::ReceiptExpectation expectation{message_id, mic};
  expectation.must_be_signed =
      direction.mdn_settings.sign_mdn && direction.expected_receipt.require_signed_mdn;
  SIGNET_TRY(expectation.signers, guest_certificates(agreement, account, CertificateRole::VerifyMdn, now));
  expectation.verify = verify_policy(direction, now);
  expectation.now = now;
  expectation.spool = spool;
  return expectation;
}

bool hands_receipt_over(const ResolvedAgreement& agreement, const as2::ReceiptVerdict& receipt) {
  return agreement.agreement.send_agreement.mdn_settings.send_inbound_mdn_to_message_box &&
         receipt.content.has_value();
}

}  // namespace signet::gateway
