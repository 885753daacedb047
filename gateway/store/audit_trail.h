#pragma once

#include <filesystem>
#include <utility>

#include "certstore/authority/audit_trail.h"

namespace signet::gateway {

/// The audit log's file as an Auditor reads it, line by line. A last line that is being written is left out.
class AuditFileTrail final : public authority::AuditTrail {
 public:
  explicit AuditFileTrail(std::filesystem::path path) : path_(std::move(path)) {}
  Result<authority::AuditPage> find(const authority::AuditQuery& query) override;

 private:
  const std::filesystem::path path_;
};

}  // namespace signet::gateway
