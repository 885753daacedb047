#include "gateway/cli/call_record.h"

#include "gateway/cli/command.h"
#include "gateway/cli/wiring.h"
#include "gateway/store/audit_file.h"

namespace signet::gateway {

Result<> record_call(Home& home, std::string_view operation, const std::string& object,
                     std::string_view detail, vault::AuditResult result) {
  constexpr std::size_t kLongestDetail = 1000;
  vault::AuditRecord record;
  record.time = home.clock().now();
  record.principal = caller().name;
  record.operation = operation;
  record.object = vault::AuditObject::Call;
  record.key = {{}, object, {}};
  record.message = vault::audited_message();
  record.result = result;
  record.detail = printable(detail, kLongestDetail);
  return wiring::audit_log(home.audit()).append(record);
}

}  // namespace signet::gateway
