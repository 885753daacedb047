#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/endpoint/http_message.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/revocation_check.h"

/// Our public certificates for a partner who asks for them: a GET of the AS2 endpoint, with the AS2-From and
/// AS2-To of his messages.

namespace signet::gateway {

/// What is shown under an agreement: each certificate of ours that signs or decrypts now, or will, once; the
/// newest first.
///
/// @error NotFound, InvalidInput  of a certificate.
Result<std::vector<certstore::Certificate>> published_certificates(const agreements::Agreement& agreement,
                                                                   const AccountSnapshot& account, Time now);

/// The answer to a GET: a PKCS#7 file with nothing but certificates (RFC 8551 section 3.8), for whoever
/// proves what the agreement demands. Nothing where there is no such agreement, or where it demands no proof:
/// then he is told no more than anybody.
std::optional<HttpResponse> answer_with_certificates(HttpRequest& request, const CurrentAccount& account,
                                                     RevocationCheck& revocation);

}  // namespace signet::gateway
