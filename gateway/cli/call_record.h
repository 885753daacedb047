#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "certstore/vault/audit_log.h"
#include "gateway/cli/home.h"

namespace signet::gateway {

/// Writes into the audit log what somebody at the command line does and no store's own record tells of.
///
/// @param operation  "importRevocationList", "publishCertificate"...
/// @param object     what it is done to, such as "certificates/acme-2027"
/// @param detail     no secret; at most 1000 octets of it are kept
Result<> record_call(Home& home, std::string_view operation, const std::string& object,
                     std::string_view detail, vault::AuditResult result);

/// Does something once its record is written, and not without it; another one follows where it fails.
template <class Work>
auto recorded(Home& home, std::string_view operation, const std::string& object, const std::string& detail,
              Work work) -> decltype(work()) {
  SIGNET_CHECK(record_call(home, operation, object, detail, vault::AuditResult::Success));
  auto done = work();
  if (!done)
    static_cast<void>(record_call(home, operation, object, detail + ": " + done.error().detail,
                                  vault::AuditResult::Failed));
  return done;
}

}  // namespace signet::gateway
