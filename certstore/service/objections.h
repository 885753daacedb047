#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "certstore/service/definition.h"
#include "certstore/x509/certificate.h"

namespace signet::certstore {

/// Everything in a certificate that stands against a name being bound to it, each in words that go on from
/// "certificate X": a weak key, a time that is over or has not come; of one that listeners show, a host that
/// it is not for, a use of its key that is not a TLS server's, and that it is self-signed, unless
/// `self_signed_allowed`. What agreements alone use may be self-signed: their partners have that very
/// certificate.
std::vector<std::string> objections_to(const Certificate& certificate, const ServiceCertificate& name,
                                       bool self_signed_allowed, Time now);

}  // namespace signet::certstore
