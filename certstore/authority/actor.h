#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/vault/flag_set.h"

/// Who asks the certificate service for something, and what the roles of the service allow.

namespace signet::authority {

/// The service's own roles; the REST services map theirs onto these. Every one of them may look.
enum class Role {
  Reader,         ///< looks: groups, applications, requests, certificates, trust lists
  Writer,         ///< registers applications, requests certificates, fetches and accepts them
  Approver,       ///< decides about requests of others, and revokes; contains no other role
  Administrator,  ///< groups, issuers, applications of others; contains Writer, and not Approver
  Auditor,        ///< reads the audit records; contains no other role
};
using Roles = vault::FlagSet<Role>;

/// "Reader"...
std::string_view to_string(Role role);
/// "Reader,Writer".
std::string to_string(Roles roles);

/// Whoever is behind a call, as those found out who let them in. The service trusts both members.
struct Actor {
  std::string principal;  ///< a name; compared without regard to ASCII case
  Roles roles;
};

/// Who did something, and when.
struct Stamp {
  std::string by;
  Time at{};

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

/// What is done with the service, as roles allow it.
enum class Right {
  Look,          ///< anybody who has a role
  Write,         ///< Writer, Administrator
  Approve,       ///< Approver
  Administrate,  ///< Administrator
  ReissueCrl,    ///< Approver, Administrator
  Audit,         ///< Auditor
};

/// @error PermissionDenied  names the principal, what was asked for and the roles that may.
Result<> check_right(const Actor& actor, Right right, std::string_view operation);

}  // namespace signet::authority
