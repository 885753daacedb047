#pragma once

#include <map>
#include <mutex>
#include <string>

#include "as2/cem/certificate_exchange.h"
#include "gateway/api/exchange_services.h"
#include "gateway/cli/home.h"
#include "gateway/cli/home_rollovers.h"
#include "gateway/cli/serve_settings.h"

namespace signet::gateway {

/// The certificates that a home's partners and it announce to each other by messages.
class HomeExchanges final : public api::CertificateExchangeAdministration {
 public:
  /// The home outlives this. `given` are the options that the gateway runs with; serve.toml has the others.
  explicit HomeExchanges(Home& home, GivenOptions given = {})
      : home_(home), given_(given), rollovers_(home, std::move(given)) {}

  Result<std::vector<CertificateExchangeRecord>> list() override;
  Result<CertificateExchangeRecord> show(std::string_view id) override;
  Result<api::RolloverOutcome> accept(const vault::Principal& principal,
                                      const api::ExchangeAcceptance& acceptance, bool dry_run) override;
  Result<CertificateExchangeRecord> reject(const vault::Principal& principal, std::string_view id,
                                           std::string_view reason) override;
  Result<CertificateExchangeRecord> announce(const vault::Principal& principal, std::string_view agreement,
                                             std::string_view successor,
                                             std::optional<Time> respond_by) override;

  /// Does what follows from everything that was announced, decided or answered: what a crash left, and what
  /// partners' messages brought. The log says what cannot be done now. Cheap where there is nothing.
  void settle();

 private:
  Result<CertificateExchangeRecord> find_waiting(std::string_view id);
  Result<> settle(const CertificateExchangeRecord& record);
  Result<> settle_theirs(const CertificateExchangeRecord& record);
  Result<> settle_ours(const CertificateExchangeRecord& record);
  Result<> announce_ours(const CertificateExchangeRecord& record);
  Result<> send(const CertificateExchangeRecord& record, const std::string& message,
                const std::string& subject, const as2::cem::Composed& content);
  Result<as2::cem::Composed> request_of(const CertificateExchangeRecord& record);
  Result<as2::cem::Composed> response_to(const CertificateExchangeRecord& record);
  Result<ServeSettings> settings() const;
  Result<> audit(const vault::Principal& principal, std::string_view operation,
                 const CertificateExchangeRecord& record);

  Home& home_;
  const GivenOptions given_;
  HomeRollovers rollovers_;
  std::map<std::string, std::string> failures_;  ///< of settle(), by the record's id
};

}  // namespace signet::gateway
