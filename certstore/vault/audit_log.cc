#include "certstore/vault/audit_log.h"

#include <utility>

namespace signet::vault {
namespace {

std::string& current_message() {
  thread_local std::string message;
  return message;
}

}  // namespace

std::string_view to_string(AuditResult result) {
  switch (result) {
    case AuditResult::Success:
      return "success";
    case AuditResult::Denied:
      return "denied";
    case AuditResult::Failed:
      return "failed";
  }
  return "?";
}

std::string_view to_string(AuditObject object) {
  switch (object) {
    case AuditObject::Key:
      return "key";
    case AuditObject::Secret:
      return "secret";
    case AuditObject::Certificate:
      return "certificate";
    case AuditObject::Principal:
      return "subject";
    case AuditObject::Call:
      return "object";
  }
  return "?";
}

AuditScope::AuditScope(std::string message_id)
    : outer_(std::exchange(current_message(), std::move(message_id))) {}
AuditScope::~AuditScope() { current_message() = std::move(outer_); }

const std::string& audited_message() { return current_message(); }

}  // namespace signet::vault
