#pragma once

#include <string>

#include "base/clock.h"
#include "certstore/x509/certificate.h"
#include "certstore/x509/key_handle.h"

/// Certificates and keys made for one test run, in memory; no private key of a test is ever a real one.

namespace signet::test {

struct CertificateSpec {
  std::string common_name = "Test Partner";
  std::string key = "rsa:2048";  ///< "rsa:<bits>" or "ec:<curve>", e.g. "ec:P-256"
  std::string not_before = "2020-01-01";
  std::string not_after = "2040-01-01";
  std::string
      key_usage;  ///< OpenSSL's words, e.g. "digitalSignature,keyEncipherment"; no extension when empty
  std::string subject_alternative_name;                   ///< e.g. "DNS:localhost,IP:127.0.0.1"
  bool subject_key_identifier = false;                    ///< by which a message may name the certificate
  std::string crl_url;                                    ///< cRLDistributionPoints; no extension when empty
  bool authority = false;                                 ///< may issue certificates
  const certstore::PrivateCertificate* issuer = nullptr;  ///< null: it issues itself
};

/// A certificate with its key, self-signed unless an issuer is given. RSA keys come from test_keys/, another
/// one for each `common_name` and size in the process, since making one costs more than most tests.
certstore::PrivateCertificate make_certificate(const CertificateSpec& spec = {});

/// The key as unencrypted PKCS#8 PEM.
std::string private_key_pem(const certstore::KeyHandle& key);

/// A key and a certificate read from PEM files.
certstore::PrivateCertificate load_certificate(const std::string& certificate_path,
                                               const std::string& key_path);

}  // namespace signet::test
