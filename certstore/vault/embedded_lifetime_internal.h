#pragma once

#include <string>

#include "certstore/vault/certificate_lifetime.h"
#include "certstore/vault/vault_certificate_store.h"

/// Internal to the embedded vault: what becomes of renewals.

namespace signet::vault {

CertificateNotice notice_of_renewed(const CertificateInfo& made);

/// Notes that the current version of a name was not renewed: its next try, and the notice.
void note_failure(StoredName& name, const CertificateInfo& current, const std::string& reason, Time now);

}  // namespace signet::vault
