#pragma once

#include <string>
#include <string_view>

#include "agreements/model.h"
#include "base/result.h"

/// From an agreement of the gateway's, a partner to try it with: one that is agreed with just so, and whose
/// keys are test keys.

namespace signet::gateway::simulator {

/// The metadata that marks what a simulation has put into the gateway's account; its value names the
/// agreement that it stands for.
inline constexpr std::string_view kSimulatedMark = "simulated-for";

/// The right side of the simulator's Message-IDs: nobody's (RFC 2606 section 2).
inline constexpr std::string_view kSimulatorHost = "simulator.invalid";

struct SimulationSettings {
  std::string agreement;            ///< of the gateway's account
  std::string partner_url;          ///< where the gateway posts messages to the simulated partner
  std::string receipt_url;          ///< where it posts receipts to it
  std::string gateway_url;          ///< where the partner posts messages to the gateway
  std::string gateway_receipt_url;  ///< where it posts receipts; empty: the gateway is to ask for receipts in
                                    ///< the answer
  agreements::CertificateEntry
      certificate;  ///< of the simulated partner, with its key in the partner's vault
};

/// Two accounts that fit each other.
struct Simulation {
  std::string agreement;        ///< the new agreement's name, in both
  agreements::Account gateway;  ///< the gateway's, with a partner, a certificate and an agreement more
  agreements::Account partner;  ///< the simulated partner's own
};

/// The new agreement has the algorithms, demands, receipts and retries of the one that it stands for, and
/// host certificates as it has them. It differs in the guest: another name, test certificates, another URL;
/// its payloads go to a folder of their own, nothing is picked up for it, and it need not authenticate
/// itself. What an earlier simulation of the same agreement has left is replaced; nothing else of the account
/// is changed.
///
/// @error NotFound       no such agreement.
/// @error AlreadyExists  the account has something real of the same name.
/// @error InvalidInput   the agreement is a simulated one itself, or does not resolve.
Result<Simulation> simulate_guest(const agreements::Account& account, const SimulationSettings& settings);

/// The account without anything that a simulation has put into it.
agreements::Account without_simulations(agreements::Account account);

}  // namespace signet::gateway::simulator
