#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agreements/model.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/endpoint/http_message.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/revocation_check.h"

/// Who sent a request, as far as HTTP and TLS can tell. It keeps strangers out where an agreement asks for
/// it; what a message proves is its signature's matter alone.

namespace signet::gateway {

/// What a request brought along for itself.
struct SenderProof {
  std::optional<certstore::Certificate> client_certificate;  ///< that TLS has shown it to have the key of
  std::optional<std::string> authorization;                  ///< value of its Authorization field
};

/// Takes it off the request, so that no copy of the message that is kept has the password in it.
SenderProof take_proof(HttpRequest& request);

/// The WWW-Authenticate field of an answer with 401 [RFC7617 2, 2.1].
inline constexpr const char* kBasicChallenge = R"(Basic realm="AS2", charset="UTF-8")";

/// Why a sender is turned away.
struct Unproven {
  int http_status = 403;   ///< or 401, with kBasicChallenge
  std::string reason;      ///< for the operator
  std::string for_sender;  ///< tells nothing of what was expected
};

/// Whether a request proves what the agreement demands, at the time `now`; nothing when it does, or when
/// nothing is demanded.
///
/// @error  of the vault that is to say what the password is: our own trouble.
Result<std::optional<Unproven>> check_sender(const SenderProof& proof,
                                             const agreements::OneWayAgreement& agreed,
                                             const AccountSnapshot& account, Time now);

/// Whether the TLS client certificate of a sender who proved himself by it may still be used, where the
/// agreement demands one and has what is received looked up in revocation lists (OnReceive).
///
/// @param unchecked  gets what was not checked, by softFail; untouched otherwise
/// @param message    the id of its record, for the log
/// @error Unavailable  a list is being fetched, and x:revocation says hardFail: it may come again.
Result<std::optional<Unproven>> check_not_revoked(const SenderProof& proof,
                                                  const agreements::Agreement& agreement,
                                                  RevocationCheck& revocation,
                                                  const std::shared_ptr<const AccountSnapshot>& account,
                                                  Time now, std::string& unchecked,
                                                  const std::string& message);

}  // namespace signet::gateway
