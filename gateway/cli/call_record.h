#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "certstore/vault/audit_log.h"
#include "gateway/cli/home.h"

namespace signet::gateway {

/// What somebody does to a home and no store's own record tells of, as the audit log has it.
struct RecordedCall {
  std::string principal;         ///< who does it
  std::string_view operation{};  ///< "importRevocationList", "publishCertificate"...
  vault::KeyId object{};         ///< what it is done to, such as the name "certificates/acme-2027"
  std::string detail{};          ///< no secret; at most 1000 octets of it are kept
  vault::AuditObject kind = vault::AuditObject::Call;  ///< of what `object` is
};

/// Writes it into the audit log. @param why_not  why nothing comes of it; goes behind the detail.
Result<> record_call(Home& home, const RecordedCall& call, vault::AuditResult result,
                     std::string_view why_not = {});

/// Does something once its record is written, and not without it; another one follows where it fails.
template <class Work>
auto recorded(Home& home, const RecordedCall& call, Work work) -> decltype(work()) {
  SIGNET_CHECK(record_call(home, call, vault::AuditResult::Success));
  auto done = work();
  if (!done) static_cast<void>(record_call(home, call, vault::AuditResult::Failed, done.error().detail));
  return done;
}

}  // namespace signet::gateway
