#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/account_resource.h"
#include "gateway/api/services.h"

/// Agreements of types that Signet does not speak, X12 and Edifact: kept and given back as they came. No
/// message ever belongs to one.

namespace signet::gateway::api {

struct OtherAgreement {
  std::string name;
  Json properties;
  Time created{};
  Time changed{};

  [[nodiscard]] std::string type() const;
  [[nodiscard]] bool names_partner(std::string_view partner) const;
  [[nodiscard]] Result<Json> json(const AccountServices& services, const AccountResource& account) const;
};

/// Whether a request's body is one.
bool is_other_agreement(const Json& body);

/// All, by name.
Result<std::vector<OtherAgreement>> other_agreements(const AccountServices& services);
Result<std::optional<OtherAgreement>> find_other_agreement(const AccountServices& services,
                                                           std::string_view name);

/// Removes the one that the call names. @return whether there was one
Result<bool> remove_other_agreement(const AccountServices& services, const Call& call, Time now);

/// Keeps the one in the call's body. An AS2 agreement of that name has to be deleted first.
///
/// @error InvalidInput  a member that each agreement has is missing or of another type, or names no partner.
/// @error AlreadyExists an AS2 agreement has the name.
Result<Answer> put_other_agreement(Services& services, const Call& call, const AccountResource& account);

}  // namespace signet::gateway::api
