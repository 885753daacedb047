#include "certstore/x509/certificate.h"

#include "tests/fuzz/fuzz_target.h"

/// A certificate is its DER: it is equal once read again from its DER or its PEM.

using namespace signet;
using namespace signet::certstore;
using fuzz::require;

SIGNET_FUZZ_TARGET(certificate) {
  const auto all = parse_certificates(input);
  if (const auto one = Certificate::parse(input))
    require(all && all->size() == 1 && all->front() == *one, "one certificate is a list of one");
  if (!all) return;
  require(!all->empty() && all->size() <= 100,
          "a list holds one certificate at least, and a hundred at most");
  for (const Certificate& certificate : *all) {
    const auto from_der = Certificate::parse(certificate.der());
    require(from_der && *from_der == certificate, "a certificate is its DER");
    const auto from_pem = Certificate::parse(as_bytes(certificate.pem()));
    require(from_pem && *from_pem == certificate, "a certificate is its PEM");
    require(certificate.thumbprint_sha1().size() == 40 && certificate.thumbprint_sha256().size() == 64,
            "thumbprints are of their hashes' lengths");
    require(is_utf8(certificate.subject()) && is_utf8(certificate.issuer()), "names are UTF-8");
    require(certificate.public_key() == nullptr || certificate.has_public_key(certificate.public_key()),
            "a certificate has its own key");
    static_cast<void>(check_key_strength(certificate));
  }
}
