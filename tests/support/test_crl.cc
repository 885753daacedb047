#include "tests/support/test_crl.h"

#include <stdexcept>

#include "base/openssl.h"

namespace signet::test {

certstore::PrivateCertificate make_authority(const std::string& common_name,
                                             const certstore::PrivateCertificate* issuer,
                                             const std::string& crl_url) {
  return make_certificate({.common_name = common_name,
                           .key = "ec:P-256",
                           .key_usage = "keyCertSign,cRLSign",
                           .subject_key_identifier = true,
                           .crl_url = crl_url,
                           .authority = true,
                           .issuer = issuer});
}

certstore::Crl make_list(const certstore::PrivateCertificate& authority, const CrlSpec& spec) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(authority.certificate.public_key(), &der);
  if (length <= 0) throw std::runtime_error("encoding a public key");
  const OpensslMemory owner(der);
  certstore::CrlContents contents;
  contents.number = spec.number;
  contents.this_update = parse_time(spec.this_update).value();
  contents.next_update = parse_time(spec.next_update).value();
  for (const certstore::Certificate& one : spec.revoked)
    contents.entries.push_back(
        {one.serial(), parse_time("2026-11-19").value(), certstore::RevocationReason::KeyCompromise});
  auto list = certstore::make_crl({authority.key, Bytes(der, der + length)}, authority.certificate, contents);
  if (!list) throw std::runtime_error(list.error().detail);
  return *list;
}

}  // namespace signet::test
