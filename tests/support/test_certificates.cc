#include "tests/support/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>

#include "base/file.h"
#include "base/openssl.h"
#include "base/random.h"

namespace signet::test {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(take_openssl_error(ErrorKind::Internal, what).detail);
}

certstore::KeyHandle read_key(const std::string& path) {
  const Bytes text = read_file(path).value();
  const BioPtr bio = borrow_as_bio(text);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  require(key != nullptr, "reading a test key");
  return certstore::KeyHandle::adopt(key);
}

/// The next of the keys in test_keys/ that this process has not used yet, or a new one when there is none of
/// the size.
certstore::KeyHandle next_rsa_key(const std::string& bits) {
  static std::map<std::string, int> used;
  const std::string path = SIGNET_SOURCE_DIR "/tests/support/test_keys/test-rsa-" + bits + "-" +
                           std::to_string(++used[bits]) + ".pem";
  if (std::filesystem::exists(path)) return read_key(path);
  EVP_PKEY* fresh = EVP_RSA_gen(static_cast<unsigned>(std::stoi(bits)));
  require(fresh != nullptr, "making a test key");
  return certstore::KeyHandle::adopt(fresh);
}

certstore::KeyHandle make_key(const CertificateSpec& spec) {
  static std::mutex mutex;
  static std::map<std::string, certstore::KeyHandle> made;
  const std::lock_guard lock(mutex);
  auto& key = made[spec.key + "/" + spec.common_name];
  if (key) return key;
  const std::string size = spec.key.substr(spec.key.find(':') + 1);
  if (spec.key.starts_with("rsa")) {
    key = next_rsa_key(size);
  } else {
    // Not EVP_EC_gen(), whose macro casts a const away, which clang minds.
    EVP_PKEY* fresh = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", size.c_str());
    require(fresh != nullptr, "making a test key");
    key = certstore::KeyHandle::adopt(fresh);
  }
  return key;
}

void set_time(ASN1_TIME* field, const std::string& text) {
  const Time time = parse_time(text).value();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  require(ASN1_TIME_set(field, seconds) != nullptr, "setting a time");
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "making an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

certstore::PrivateCertificate make_certificate(const CertificateSpec& spec) {
  certstore::KeyHandle key = make_key(spec);
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  const Bytes serial = random_bytes(8);
  BignumPtr number(BN_bin2bn(serial.data(), 8, nullptr));
  BN_clear_bit(number.get(), 63);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  set_time(X509_getm_notBefore(certificate.get()), spec.not_before);
  set_time(X509_getm_notAfter(certificate.get()), spec.not_after);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const ByteView common_name = as_bytes(spec.common_name);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name.data(),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_issuer_name(certificate.get(),
                       spec.issuer ? X509_get_subject_name(spec.issuer->certificate.native()) : name);
  require(X509_set_pubkey(certificate.get(), key.native()) == 1, "setting the public key");
  add_extension(certificate.get(), NID_key_usage, spec.key_usage.empty() ? "" : "critical," + spec.key_usage);
  add_extension(certificate.get(), NID_subject_alt_name, spec.subject_alternative_name);
  add_extension(certificate.get(), NID_subject_key_identifier, spec.subject_key_identifier ? "hash" : "");
  add_extension(certificate.get(), NID_basic_constraints, spec.authority ? "critical,CA:TRUE" : "");
  add_extension(certificate.get(), NID_crl_distribution_points,
                spec.crl_url.empty() ? "" : "URI:" + spec.crl_url);
  const certstore::KeyHandle& signing_key = spec.issuer ? spec.issuer->key : key;
  require(X509_sign(certificate.get(), signing_key.native(), EVP_sha256()) > 0, "signing a test certificate");
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate.get(), &der);
  require(length > 0, "encoding a test certificate");
  const OpensslMemory owner(der);
  return {certstore::Certificate::parse(ByteView(der, static_cast<std::size_t>(length))).value(),
          std::move(key)};
}

std::string private_key_pem(const certstore::KeyHandle& key) {
  BioPtr out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PKCS8PrivateKey(out.get(), key.native(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "writing a key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

certstore::PrivateCertificate load_certificate(const std::string& certificate_path,
                                               const std::string& key_path) {
  const Bytes certificate = read_file(certificate_path).value();
  return {certstore::Certificate::parse(certificate).value(), read_key(key_path)};
}

}  // namespace signet::test
