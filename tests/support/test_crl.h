#pragma once

#include <vector>

#include "certstore/x509/crl.h"
#include "tests/support/test_certificates.h"

namespace signet::test {

/// An authority: a certificate that may issue others and sign lists.
certstore::PrivateCertificate make_authority(const std::string& common_name,
                                             const certstore::PrivateCertificate* issuer = nullptr,
                                             const std::string& crl_url = "");

struct CrlSpec {
  std::uint64_t number = 1;
  std::string this_update = "2026-11-20";
  std::string next_update = "2026-11-28";
  std::vector<certstore::Certificate> revoked;  ///< all for keyCompromise, on 2026-11-19
};

certstore::Crl make_list(const certstore::PrivateCertificate& authority, const CrlSpec& spec = {});

}  // namespace signet::test
