#include "certstore/x509/issue.h"

#include <fmt/format.h>

#include "base/openssl.h"
#include "base/random.h"
#include "certstore/x509/extensions_internal.h"

namespace signet::certstore {
namespace {

using RequestPtr = Handle<X509_REQ, X509_REQ_free>;

constexpr std::size_t kSerialSize = 16;

Result<EvpPkeyPtr> read_public_key(ByteView der) {
  const unsigned char* at = der.data();
  EvpPkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size())
    return fail(take_openssl_error(ErrorKind::InvalidInput, "the public key cannot be read"));
  return key;
}

Result<const EVP_MD*> method_of(Hash hash) {
  if (hash == Hash::Sha256) return EVP_sha256();
  if (hash == Hash::Sha384) return EVP_sha384();
  if (hash == Hash::Sha512) return EVP_sha512();
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("certificates are signed with SHA-256, SHA-384 or SHA-512, not with {}", to_string(hash)));
}

bool set_time(ASN1_TIME* field, Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return ASN1_TIME_set(field, seconds) != nullptr;
}

/// Positive, and of full length [RFC5280 4.1.2.2].
bool set_serial(X509* certificate) {
  Bytes serial = random_bytes(kSerialSize);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7FU) | 0x40U);
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

Result<> check_dates(const CertificateProfile& profile) {
  const Time end_of_times = Time(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));
  if (profile.not_after > profile.not_before && profile.not_after <= end_of_times) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("a certificate cannot be valid from {} to {}", to_rfc3339(profile.not_before),
                          to_rfc3339(profile.not_after)));
}

bool fill(X509* certificate, EVP_PKEY* public_key, const CertificateProfile& profile,
          const STACK_OF(X509_EXTENSION) * extensions) {
  const X509_NAME* const name = profile.subject.native();
  if (X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
      !set_time(X509_getm_notBefore(certificate), profile.not_before) ||
      !set_time(X509_getm_notAfter(certificate), profile.not_after) ||
      X509_set_subject_name(certificate, name) != 1 || X509_set_issuer_name(certificate, name) != 1 ||
      X509_set_pubkey(certificate, public_key) != 1)
    return false;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i)
    if (X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1) != 1) return false;
  return true;
}

Error not_its_own(std::string_view what) {
  return take_openssl_error(
      ErrorKind::InvalidInput,
      fmt::format("the {} was not signed by the key that it is for: the public key is not the "
                  "signing key's",
                  what));
}

/// What i2d writes.
template <class T>
Result<Bytes> encode(const T* object, int (*write)(const T*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int size = write(object, &der);
  const OpensslMemory owner(der);
  if (size <= 0) return fail(take_openssl_error(ErrorKind::Internal, "encoding as DER"));
  return Bytes(der, der + size);
}

}  // namespace

Result<Certificate> make_self_signed(const SigningKey& key, const CertificateProfile& profile) {
  SIGNET_CHECK(check_dates(profile));
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile));
  if (profile.subject.empty())  // [RFC5280 4.1.2.4] every certificate has an issuer
    return fail(
        ErrorKind::InvalidInput,
        "a self-signed certificate needs a subject such as 'CN=as2.acme.example', which names its issuer "
        "as well; alternative names alone do for one that somebody else issues");
  SIGNET_TRY(const EvpPkeyPtr public_key, read_public_key(key.public_key));
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  SIGNET_CHECK(add_subject_key_identifier(extensions.get(), public_key.get()));
  const X509Ptr certificate(X509_new_ex(key.library, nullptr));
  if (!certificate || !fill(certificate.get(), public_key.get(), profile, extensions.get()))
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certificate"));
  if (X509_sign(certificate.get(), key.key.native(), method) <= 0)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a certificate"));
  if (X509_verify(certificate.get(), public_key.get()) != 1) return fail(not_its_own("certificate"));
  SIGNET_TRY(const Bytes der, encode<X509>(certificate.get(), i2d_X509));
  return Certificate::parse(der);
}

Result<Bytes> make_certification_request(const SigningKey& key, const CertificateProfile& profile) {
  SIGNET_TRY(const ExtensionsPtr extensions, extensions_of(profile));
  SIGNET_TRY(const EvpPkeyPtr public_key, read_public_key(key.public_key));
  SIGNET_TRY(const EVP_MD* const method, method_of(key.hash));
  const RequestPtr request(X509_REQ_new_ex(key.library, nullptr));
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), profile.subject.native()) != 1 ||
      X509_REQ_set_pubkey(request.get(), public_key.get()) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1)
    return fail(take_openssl_error(ErrorKind::InvalidInput, "making a certification request"));
  if (X509_REQ_sign(request.get(), key.key.native(), method) <= 0)
    return fail(take_openssl_error(ErrorKind::CryptoFailure, "signing a certification request"));
  if (X509_REQ_verify(request.get(), public_key.get()) != 1)
    return fail(not_its_own("certification request"));
  return encode<X509_REQ>(request.get(), i2d_X509_REQ);
}

}  // namespace signet::certstore
