#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agreements/directory.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/account_snapshot.h"
#include "gateway/exchange/revocation_check.h"

namespace signet::gateway {

/// A request to the guest's server, without headers and body: time-outs, whom to trust, who we are.
///
/// The agreed credentials go to the server of the agreement's own URL alone, not to another that receipts are
/// posted to, and only over https.
///
/// @error NotFound, InvalidInput, PermissionDenied, ...  a certificate, key or secret that the agreement
/// names cannot be used.
Result<HttpPost> request_to(const std::string& url, const agreements::ResolvedAgreement& agreement,
                            const AccountSnapshot& account, const agreements::ConnectionSettings& settings);

/// Has the certificate of the server that a request goes to looked up in revocation lists, where the
/// agreement wants that (OnSend): one that is revoked gets nothing, and where nobody can say, x:revocation
/// does.
struct ServerLook {
  RevocationCheck& check;
  const agreements::Agreement& agreement;
  std::shared_ptr<const AccountSnapshot> account;
  const Clock& clock;
  std::string message;                                   ///< the id of its record, for the log
  std::function<void(std::string text)> unchecked = {};  ///< told what was not checked, by softFail
};
/// `look` and what it names outlive the request.
void look_up_server(HttpPost& request, ServerLook look);

/// What the agreement names and our vault or account does not give, gone, switched off or not permitted, as
/// trouble of our own: whoever keeps them mends that, and the next attempt does. Other errors stay as they
/// are.
Error as_our_trouble(Error error);

}  // namespace signet::gateway
