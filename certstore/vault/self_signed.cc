#include "certstore/vault/self_signed.h"

#include <fmt/format.h>

#include "base/openssl.h"
#include "base/random.h"
#include "certstore/vault/provider.h"
#include "certstore/vault/vault.h"

namespace signet::vault {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kSerialSize = 16;

Result<> check(const SelfSignedSettings& settings) {
  if (settings.common_name.empty() || settings.common_name.size() > kLongestName ||
      settings.organisation.size() > kLongestName || settings.dns_name.size() > 253)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a common name of 1 to {0} octets and an organisation of at most {0} are wanted",
                            kLongestName));
  if (settings.validity.count() < 1 || settings.validity.count() > 3650)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a validity of 1 to 3650 days is wanted, not {}", settings.validity.count()));
  if (settings.dns_name.find_first_of(",\r\n") != std::string::npos)
    return fail(ErrorKind::InvalidInput, fmt::format("'{}' is no DNS name", printable(settings.dns_name)));
  return {};
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return true;
  const ByteView octets = as_bytes(value);
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, octets.data(),
                                    static_cast<int>(octets.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  if (value.empty()) return true;
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_time(ASN1_TIME* field, Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return ASN1_TIME_set(field, seconds) != nullptr;
}

bool set_serial(X509* certificate) {
  Bytes serial = random_bytes(kSerialSize);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7FU) |
                                        0x40U);  // positive, and of full length [RFC5280 4.1.2.2]
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool fill(X509* certificate, EVP_PKEY* public_key, bool rsa, const SelfSignedSettings& settings) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string usage = rsa ? "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment"
                                : "critical,digitalSignature,nonRepudiation,keyAgreement";
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         set_time(X509_getm_notBefore(certificate), settings.not_before) &&
         set_time(X509_getm_notAfter(certificate), settings.not_before + settings.validity) &&
         add_name(name, "CN", settings.common_name) && add_name(name, "O", settings.organisation) &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, public_key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, usage) &&
         add_extension(certificate, NID_subject_alt_name,
                       settings.dns_name.empty() ? "" : "DNS:" + settings.dns_name);
}

}  // namespace

Result<certstore::Certificate> make_self_signed(KeyVault& vault, const Principal& principal, const KeyId& key,
                                                const SelfSignedSettings& settings) {
  SIGNET_CHECK(check(settings));
  SIGNET_TRY(const KeyInfo info, vault.get(principal, key));
  SIGNET_TRY(const certstore::KeyHandle handle, open_key(vault, principal, info.id));
  const unsigned char* cursor = info.public_key.data();
  const EvpPkeyPtr public_key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(info.public_key.size())));
  const X509Ptr certificate(X509_new());
  if (!public_key || !certificate || !fill(certificate.get(), public_key.get(), is_rsa(info.kind), settings))
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certificate"));
  if (X509_sign(certificate.get(), handle.native(), EVP_sha256()) <= 0) {
    Error error = take_openssl_error(ErrorKind::CryptoFailure, "signing a certificate");
    if (auto refused = take_vault_refusal()) return fail(*std::move(refused));
    return fail(std::move(error));
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  const OpensslMemory owner(der);
  if (size <= 0) return fail(take_openssl_error(ErrorKind::Internal, "encoding a certificate"));
  return certstore::Certificate::parse(ByteView(der, static_cast<std::size_t>(size)));
}

}  // namespace signet::vault
