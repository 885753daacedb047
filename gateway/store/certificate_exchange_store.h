#pragma once

#include <memory>

#include "gateway/exchange/certificate_exchange_store.h"
#include "gateway/store/database.h"

namespace signet::gateway {

/// Certificates that are exchanged by messages, in SQLite. What comes in is written with the message that
/// brings it: store_inbound.cc.
class SqliteCertificateExchangeStore final : public CertificateExchangeStore {
 public:
  explicit SqliteCertificateExchangeStore(std::shared_ptr<Database> database)
      : database_(std::move(database)) {}

  Result<std::vector<CertificateExchangeRecord>> list() override;
  Result<CertificateExchangeRecord> find(std::string_view id) override;
  Result<std::vector<CertificateExchangeRecord>> of_request(ExchangeOrigin origin, std::string_view agreement,
                                                            std::string_view request_id) override;
  Result<std::vector<CertificateExchangeRecord>> open() override;
  Result<> add(const CertificateExchangeRecord& record) override;
  Result<> decide(const CertificateExchangeRecord& record) override;
  Result<> settle(std::string_view id, ExchangeState state) override;
  Result<> tell(std::string_view id, std::string_view told) override;
  Result<std::string> features(std::string_view agreement) override;

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace signet::gateway
