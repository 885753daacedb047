#include "agreements/model.h"

#include <algorithm>

#include "agreements/enum_names.h"

namespace signet::agreements {

namespace {

template <class Entry>
const Entry* find_by_name(const std::vector<Entry>& entries, std::string_view name) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<Cipher> cbc(EncryptionAlgorithm algorithm) {
  switch (algorithm) {
    case EncryptionAlgorithm::DES3:
      return Cipher::Des3Cbc;
    case EncryptionAlgorithm::AES128:
      return Cipher::Aes128Cbc;
    case EncryptionAlgorithm::AES192:
      return Cipher::Aes192Cbc;
    case EncryptionAlgorithm::NotSpecified:
    case EncryptionAlgorithm::AES256:
      return Cipher::Aes256Cbc;
    case EncryptionAlgorithm::None:
    case EncryptionAlgorithm::RC2:
      break;
  }
  return std::nullopt;
}

}  // namespace

const Partner* find_partner(const Account& account, std::string_view name) {
  return find_by_name(account.partners, name);
}

const CertificateEntry* find_certificate(const Account& account, std::string_view name) {
  return find_by_name(account.certificates, name);
}

const Agreement* find_agreement(const Account& account, std::string_view name) {
  return find_by_name(account.agreements, name);
}

std::optional<Cipher> content_cipher(const OneWayAgreement& direction) {
  switch (direction.encryption.content_cipher) {
    case ContentCipher::ByEncryptionAlgorithm:
      break;
    case ContentCipher::AES128CBC:
      return Cipher::Aes128Cbc;
    case ContentCipher::AES192CBC:
      return Cipher::Aes192Cbc;
    case ContentCipher::AES256CBC:
      return Cipher::Aes256Cbc;
    case ContentCipher::AES128GCM:
      return Cipher::Aes128Gcm;
    case ContentCipher::AES192GCM:
      return Cipher::Aes192Gcm;
    case ContentCipher::AES256GCM:
      return Cipher::Aes256Gcm;
  }
  return cbc(direction.validation_settings.encryption_algorithm);
}

bool allows_weak(const OneWayAgreement& direction, WeakAlgorithm algorithm, Time now) {
  return std::any_of(
      direction.allow_weak.begin(), direction.allow_weak.end(), [&](const WeakException& exception) {
        return exception.algorithm == algorithm && now < exception.until && !exception.reason.empty();
      });
}

std::string_view to_string(PartnerType value) { return enum_name(value); }
std::string_view to_string(HashingAlgorithm value) { return enum_name(value); }
std::string_view to_string(EncryptionAlgorithm value) { return enum_name(value); }
std::string_view to_string(SigningAlgorithm value) { return enum_name(value); }
std::string_view to_string(Sha2AlgorithmFormat value) { return enum_name(value); }
std::string_view to_string(CertificateRole value) { return enum_name(value); }
std::string_view to_string(WeakAlgorithm value) { return enum_name(value); }
std::string_view to_string(SignatureScheme value) { return enum_name(value); }
std::string_view to_string(TransferEncoding value) { return enum_name(value); }
std::string_view to_string(MicCoverage value) { return enum_name(value); }
std::string_view to_string(ContentCipher value) { return enum_name(value); }
std::string_view to_string(KeyTransport value) { return enum_name(value); }
std::string_view to_string(CompressionOrder value) { return enum_name(value); }
std::string_view to_string(As2Version value) { return enum_name(value); }
std::string_view to_string(ReceiptForUnsigned value) { return enum_name(value); }
std::string_view to_string(TlsVersion value) { return enum_name(value); }
std::string_view to_string(TlsTrustMode value) { return enum_name(value); }
std::string_view to_string(AgreementType value) { return enum_name(value); }
std::string_view to_string(RevocationPolicy value) { return enum_name(value); }

}  // namespace signet::agreements
