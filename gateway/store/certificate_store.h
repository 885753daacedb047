#pragma once

#include <memory>
#include <utility>

#include "certstore/account/certificate_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// The integration account's certificates, one by one. They are the same rows that SqliteAccountStore reads
/// and writes as a part of the whole account, and every change here counts as a change of the account.
class SqliteCertificateStore final : public certstore::CertificateStore {
 public:
  explicit SqliteCertificateStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  Result<> put(const certstore::StoredCertificate& certificate) override;
  Result<std::optional<certstore::StoredCertificate>> get(std::string_view name) override;
  Result<std::vector<certstore::StoredCertificate>> list() override;
  Result<bool> remove(std::string_view name) override;

 private:
  const std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
