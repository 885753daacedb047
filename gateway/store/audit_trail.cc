#include "gateway/store/audit_trail.h"

#include <fstream>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "gateway/store/hash_chain.h"

namespace signet::gateway {
namespace {

Result<bool> is_wanted(const authority::AuditQuery& query, std::string_view line) {
  if (!query.operation.empty() && chain_field(line, "operation") != query.operation) return false;
  if (!query.principal.empty() && !equal_ignoring_case(chain_field(line, "principal"), query.principal))
    return false;
  if (!query.object.empty()) {
    bool names_it = false;
    for (const char* const member : {"object", "key", "secret", "certificate", "subject"})
      names_it = names_it || chain_field(line, member).find(query.object) != std::string::npos;
    if (!names_it) return false;
  }
  if (!query.from && !query.until) return true;
  SIGNET_TRY(const Time time, parse_time(chain_field(line, "time")));
  return (!query.from || time >= *query.from) && (!query.until || time < *query.until);
}

}  // namespace

Result<authority::AuditPage> AuditFileTrail::find(const authority::AuditQuery& query) {
  std::ifstream file(path_, std::ios::binary);
  // Whoever asks can do nothing about it: it is our own trouble, whatever the reason.
  if (!file) return fail(ErrorKind::IoFailure, errno_error("opening the audit log " + path_.string()).detail);
  authority::AuditPage page;
  std::string line;
  for (std::uint64_t number = 1; std::getline(file, line) && !file.eof(); ++number) {
    if (number <= query.after) continue;
    const auto wanted = is_wanted(query, line);
    if (!wanted || !*wanted) continue;  // a line without a time is none of a time that is asked for
    if (page.entries.size() == query.size) {
      page.next = page.entries.back().line;
      return page;
    }
    page.entries.push_back({number, line});
  }
  if (file.bad()) return fail(ErrorKind::IoFailure, "reading the audit log " + path_.string() + " failed");
  return page;
}

}  // namespace signet::gateway
