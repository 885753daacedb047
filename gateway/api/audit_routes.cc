#include "gateway/api/audit_routes.h"

#include "gateway/api/authority_json.h"
#include "gateway/api/authority_paging.h"

namespace signet::gateway::api {
namespace {

Result<authority::AuditQuery> query_in(const Call& call) {
  authority::AuditQuery query;
  SIGNET_TRY(query.from, time_parameter(call, "from"));
  SIGNET_TRY(query.until, time_parameter(call, "until"));
  SIGNET_TRY(auto principal, call.target.parameter("principal"));
  query.principal = std::move(principal).value_or("");
  SIGNET_TRY(auto operation, call.target.parameter("operation"));
  query.operation = std::move(operation).value_or("");
  SIGNET_TRY(auto object, call.target.parameter("object"));
  query.object = std::move(object).value_or("");
  SIGNET_TRY(const PageRequest page, page_request(call, "$top", kLargestAuthorityPage));
  SIGNET_TRY(query.after, number_of<std::uint64_t>(page));
  query.size = page.size;
  return query;
}

}  // namespace

Result<Answer> list_audit_records(Services& services, const Call& call) {
  SIGNET_TRY(const authority::AuditQuery query, query_in(call));
  SIGNET_TRY(const auto page, services.authority.service.audit(actor_of(call.principal), query));
  return authority_page_answer(call, page.entries, page.next);
}

/// As it lies on the disk, so that 'signet audit verify' can check it elsewhere.
Result<Answer> export_audit_records(Services& services, const Call& /*call*/) {
  SIGNET_TRY(Slice log, services.authority.audit_log());
  return Answer::of_file(std::move(log), "application/x-ndjson", "audit.log");
}

}  // namespace signet::gateway::api
