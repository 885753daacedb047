#pragma once

#include <string>

#include "certstore/vault/certificate_lifetime.h"

/// What is told of a certificate, in words for people and for programs.

namespace signet::gateway {

/// One line.
std::string notice_subject(const vault::CertificateNotice& notice);
/// What happened, and what is to be done.
std::string notice_text(const vault::CertificateNotice& notice);

/// A name of its own for each.
std::string notice_id(const vault::CertificateNotice& notice);
/// A CloudEvent (version 1.0, JSON format). Where Azure Key Vault has an event for it, type and data are that
/// one's.
std::string notice_event(const vault::CertificateNotice& notice);

}  // namespace signet::gateway
