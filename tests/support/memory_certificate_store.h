#pragma once

#include <map>
#include <mutex>

#include "certstore/account/certificate_store.h"

namespace signet::test {

/// A CertificateStore without a disk. Set `broken` to make every call fail as a disk would.
class MemoryCertificateStore final : public certstore::CertificateStore {
 public:
  Result<> put(const certstore::StoredCertificate& certificate) override {
    const std::lock_guard lock(mutex_);
    if (broken) return fail(ErrorKind::IoFailure, "the disk is full");
    all_.insert_or_assign(certificate.name, certificate);
    return {};
  }
  Result<std::optional<certstore::StoredCertificate>> get(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    if (broken) return fail(ErrorKind::IoFailure, "the disk is full");
    const auto found = all_.find(name);
    if (found == all_.end()) return std::optional<certstore::StoredCertificate>();
    return std::optional(found->second);
  }
  Result<std::vector<certstore::StoredCertificate>> list() override {
    const std::lock_guard lock(mutex_);
    if (broken) return fail(ErrorKind::IoFailure, "the disk is full");
    std::vector<certstore::StoredCertificate> all;
    for (const auto& [name, certificate] : all_) all.push_back(certificate);
    return all;
  }
  Result<bool> remove(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    if (broken) return fail(ErrorKind::IoFailure, "the disk is full");
    const auto found = all_.find(name);
    if (found == all_.end()) return false;
    all_.erase(found);
    return true;
  }

  bool broken = false;

 private:
  std::mutex mutex_;
  std::map<std::string, certstore::StoredCertificate, std::less<>> all_;
};

}  // namespace signet::test
