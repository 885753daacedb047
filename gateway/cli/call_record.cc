#include "gateway/cli/call_record.h"

#include "gateway/cli/wiring.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {

Result<> record_call(Home& home, const RecordedCall& call, vault::AuditResult result,
                     std::string_view why_not) {
  constexpr std::size_t kLongestDetail = 1000;
  std::string detail = call.detail;
  if (!detail.empty() && !why_not.empty()) detail += ": ";
  detail += why_not;
  vault::AuditRecord record;
  record.time = home.clock().now();
  record.principal = call.principal;
  record.operation = call.operation;
  record.object = call.kind;
  record.key = call.object;
  record.message = vault::audited_message();
  record.result = result;
  record.detail = printable(detail, kLongestDetail);
  return wiring::audit_log(home.audit()).append(record);
}

}  // namespace signet::gateway
