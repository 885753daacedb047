#pragma once

#include "agreements/model.h"
#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// Keys and secrets that entries of the account name: the gateway uses them in its own name. So who has it
/// use another one, or show a password to another server, must be allowed to get what is named, or be an
/// administrator, who may set the policies. Asked before anything is said of what there is in a vault.

namespace signet::gateway::api {

/// @param before  the stored agreement; nothing where it is new
/// @error PermissionDenied  names the permission and the command that grants it.
Result<> check_secrets(Services& services, const Call& call, const agreements::Agreement& agreement,
                       const agreements::Agreement* before);
/// The same of every agreement of the account that shows its password to whatever server has the certificate
/// (x:tlsTrust): another one under its name is another server.
///
/// @param before  the stored certificate; nothing where it is new
Result<> check_trust(Services& services, const Call& call, const agreements::Account& account,
                     const agreements::CertificateEntry& certificate,
                     const agreements::CertificateEntry* before);
/// The same of a certificate's key.
Result<> check_key(Services& services, const Call& call, const agreements::CertificateEntry& certificate,
                   const agreements::CertificateEntry* before);

}  // namespace signet::gateway::api
