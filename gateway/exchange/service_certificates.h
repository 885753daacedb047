#pragma once

#include <map>
#include <string>
#include <vector>

#include "agreements/model.h"
#include "certstore/x509/certificate.h"

/// Service certificates as an account has them: a name that is bound is a certificate of the account of that
/// name, for agreements and for listeners, whatever else the account has under it.

namespace signet::gateway {

/// What a name stands for at a moment.
struct BoundCertificate {
  agreements::CertificateEntry entry;  ///< under the name; without a key where it is an intermediate one
  std::vector<certstore::Certificate> chain;  ///< of its issuers, as far as they came with it
  /// What the name stood for before and is still there, the newest first, and at last the account's own
  /// certificate of the name: what was encrypted for that is opened.
  std::vector<agreements::CertificateEntry> earlier = {};
  bool for_listeners_only = false;  ///< no message is signed or opened with its key
};

struct ServiceCertificates {
  std::vector<BoundCertificate> bound;
  /// Names whose bindings hold no more, such as of a certificate that is gone, and why. They stand for
  /// nothing, so that nothing else takes their place unnoticed.
  std::map<std::string, std::string, std::less<>> broken;
};

/// The account with them in it: each in the place of the certificate of its name, or after all others.
agreements::Account with_service_certificates(agreements::Account account,
                                              const ServiceCertificates& services);

}  // namespace signet::gateway
