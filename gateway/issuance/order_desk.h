#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "certstore/vault/certificate_orders.h"

/// Operations of vaults at their issuers, on their way to a certificate.

namespace signet::gateway {

struct OrderDeskPorts {
  vault::CertificateOrders& orders;
  /// By the issuer's provider; null for one that there is not.
  std::function<vault::CertificateProvider*(std::string_view provider)> provider_of;
  const Clock& clock;
};

/// Places orders, looks after them, and makes versions of what was issued. Everything that must outlive the
/// process is in the vault; in memory is only when to look after which order again. An issuer that cannot be
/// reached is tried again at growing intervals, and an order given up that is not fulfilled in a week. For
/// one thread.
class OrderDesk {
 public:
  /// Everything given by reference outlives this.
  explicit OrderDesk(OrderDeskPorts ports) : ports_(std::move(ports)) {}

  /// Does what is due now. One order that fails does not stop the others. @returns whether one has ended.
  bool work();

 private:
  struct Turn {
    Time due{};
    unsigned failures = 0;  ///< in a row
    bool is_final = false;  ///< its failure: this process placed it, or its issuer's orders do not lapse
  };

  void look_after(vault::PendingOrder order);
  Result<vault::OrderProgress> advance(vault::PendingOrder& order);
  Result<> call_off(const vault::PendingOrder& order);
  void settle(vault::PendingOrder& order, const Result<vault::OrderProgress>& progress);
  Result<> take(const vault::PendingOrder& order, const vault::Issued& issued);
  Result<> end(const vault::PendingOrder& order, const vault::OperationFailure& failure);
  Result<> place_again(vault::PendingOrder& order);
  void wait(vault::PendingOrder& order, std::chrono::seconds time, std::string details);
  void try_again(vault::PendingOrder& order, const Error& error);

  const OrderDeskPorts ports_;
  std::map<std::string, Turn, std::less<>> turns_;  ///< by request id
  bool ended_ = false;
};

}  // namespace signet::gateway
