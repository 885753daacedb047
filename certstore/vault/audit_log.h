#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/key.h"

/// The record of who used which key, secret or certificate for which message.

namespace signet::vault {

enum class AuditResult { Success, Denied, Failed };

/// "success", "denied", "failed".
std::string_view to_string(AuditResult result);

enum class AuditObject {
  Key,
  Secret,
  Certificate,
  Principal,  ///< of the REST services: `key` has its name
  Call,       ///< of the REST services, as a whole: `key` has what it was about
};

/// What its name is called in a record: "key", "secret", "certificate", "subject", "object".
std::string_view to_string(AuditObject object);

struct AuditRecord {
  Time time{};
  std::string principal;
  std::string operation;  ///< "sign", "decrypt", "unwrapKey", "derive", "create", "getSecret",
                          ///< "setPolicy"...; of a call, its method and route
  AuditObject object = AuditObject::Key;  ///< what `key` names
  KeyId key;            ///< with the version that was used; without a version or a name where there was none
  std::string message;  ///< the AS2 message, or the request of the REST services, that it was done for, from
                        ///< message_scope(); empty outside of one
  AuditResult result = AuditResult::Failed;
  std::string detail;  ///< the algorithm, and why it was denied or failed; never a secret
};

/// Where audit records go. The vault refuses an operation whose record could not be written, so append()
/// returns only when the record is as safe as the installation wants it. Thread-safe.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual Result<> append(const AuditRecord& record) = 0;
};

/// Says, for as long as it lives, which AS2 message this thread's operations are for. Scopes nest.
class AuditScope {
 public:
  explicit AuditScope(std::string message_id);
  ~AuditScope();
  AuditScope(const AuditScope&) = delete;
  AuditScope& operator=(const AuditScope&) = delete;

 private:
  std::string outer_;
};

/// const AuditScope scope = message_scope(message.id);
[[nodiscard]] inline AuditScope message_scope(std::string message_id) {
  return AuditScope(std::move(message_id));
}

/// The message of the innermost scope of this thread; empty when there is none.
const std::string& audited_message();

}  // namespace signet::vault
