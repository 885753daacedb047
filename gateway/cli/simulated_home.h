#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "agreements/model.h"
#include "base/result.h"
#include "certstore/vault/key.h"
#include "gateway/cli/home.h"
#include "gateway/simulator/partner.h"

namespace signet::gateway {

/// How a simulated partner is made from an agreement of a gateway's.
struct SimulatedHomeSettings {
  std::string agreement;    ///< of the gateway's account
  std::string url;          ///< where the gateway reaches the partner
  std::string receipt_url;  ///< where it posts receipts to it
  std::string gateway_url;
  std::string gateway_receipt_url;  ///< empty: receipts in the answer
  vault::KeyKind kind = vault::KeyKind::Rsa2048;
};

/// The home of a simulated partner: a home as any other, with test keys in its vault and the agreement as the
/// partner sees it, and
///
///     <home>/simulator.json       what makes it a simulated one: which agreement, at which URLs
///     <home>/gateway-account.xml  the gateway's account with the partner in it, for `signet apply`
///
/// The simulator runs in no other home, so that it never misuses a key that is real.
class SimulatedHome {
 public:
  /// What was made, and what the gateway's account is to become.
  struct Made {
    std::string agreement;  ///< the new one's name
    agreements::Account gateway;
  };
  /// Makes one in a new or empty directory, with fresh keys. Leaves nothing behind when it fails.
  ///
  /// @error AlreadyExists  the directory is in use.  @error ...  as simulate_guest().
  static Result<Made> make(const std::filesystem::path& directory, const agreements::Account& gateway,
                           const SimulatedHomeSettings& settings);

  /// @error NotFound  no simulated partner's home.
  static Result<SimulatedHome> open(const std::filesystem::path& directory);

  [[nodiscard]] const std::string& agreement() const { return agreement_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& receipt_url() const { return receipt_url_; }

  /// What the partner stands on. The home outlives it.
  Result<simulator::PartnerPorts> ports();

 private:
  SimulatedHome() = default;

  std::unique_ptr<Home> home_;
  std::unique_ptr<HttpClient> client_;
  std::string agreement_;
  std::string url_;
  std::string receipt_url_;
};

}  // namespace signet::gateway
