#include "gateway/api/agreement_identities.h"

#include <array>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::BusinessIdentity;
using Identity = std::optional<BusinessIdentity>;

Identity only_identity(const Account& account, std::string_view partner_name) {
  const agreements::Partner* partner = agreements::find_partner(account, partner_name);
  Identity only;
  if (partner == nullptr) return only;
  for (const BusinessIdentity& identity : partner->business_identities) {
    if (!equal_ignoring_case(identity.qualifier, agreements::kAs2Qualifier)) continue;
    if (only) return std::nullopt;
    only = identity;
  }
  return only;
}

/// Host, guest; then sender and receiver of what is received, and of what is sent.
std::array<Identity*, 6> identities_of(Agreement& agreement) {
  return {&agreement.host_identity,
          &agreement.guest_identity,
          &agreement.receive_agreement.sender_business_identity,
          &agreement.receive_agreement.receiver_business_identity,
          &agreement.send_agreement.sender_business_identity,
          &agreement.send_agreement.receiver_business_identity};
}

void fill_in(Identity& identity, const Identity& other) {
  if (!identity) identity = other;
}

}  // namespace

void fill_in_identities(const Account& account, Agreement& agreement) {
  fill_in(agreement.host_identity, only_identity(account, agreement.host_partner));
  fill_in(agreement.guest_identity, only_identity(account, agreement.guest_partner));
  fill_in(agreement.receive_agreement.sender_business_identity, agreement.guest_identity);
  fill_in(agreement.receive_agreement.receiver_business_identity, agreement.host_identity);
  fill_in(agreement.send_agreement.sender_business_identity, agreement.host_identity);
  fill_in(agreement.send_agreement.receiver_business_identity, agreement.guest_identity);
}

void leave_out_identities(const Account& account, const Agreement& before, Agreement& agreement) {
  Agreement said = before;
  Agreement shown = before;
  fill_in_identities(account, shown);
  const auto said_then = identities_of(said);
  const auto shown_then = identities_of(shown);
  const auto now = identities_of(agreement);
  for (std::size_t i = 0; i < now.size(); ++i)
    if (!*said_then.at(i) && *shown_then.at(i) == *now.at(i)) now.at(i)->reset();
}

}  // namespace signet::gateway::api
