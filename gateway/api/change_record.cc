#include "gateway/api/change_record.h"

namespace signet::gateway::api {
namespace {

constexpr std::size_t kLongestDetail = 1000;

vault::AuditRecord record_of(const Call& call, Time now, std::string_view operation, const vault::KeyId& what,
                             std::string_view detail) {
  vault::AuditRecord record;
  record.time = now;
  record.principal = call.principal.name;
  record.operation = operation;
  record.object = vault::AuditObject::Call;
  record.key = what;
  record.message = vault::audited_message();
  record.result = vault::AuditResult::Success;
  record.detail = printable(detail, kLongestDetail);
  return record;
}

}  // namespace

Result<> record_change(const AccountServices& services, const Call& call, Time now,
                       std::string_view operation, const vault::KeyId& what, std::string_view detail) {
  return services.audit.append(record_of(call, now, operation, what, detail));
}

void record_failure(const AccountServices& services, const Call& call, Time now, std::string_view operation,
                    const vault::KeyId& what, const Error& error) {
  vault::AuditRecord record = record_of(call, now, operation, what, error.detail);
  record.result = vault::AuditResult::Failed;
  static_cast<void>(services.audit.append(record));  // the change's own record is there
}

}  // namespace signet::gateway::api
