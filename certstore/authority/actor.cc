#include "certstore/authority/actor.h"

#include "certstore/vault/word_list.h"

namespace signet::authority {
namespace {

constexpr std::array<vault::Word<Role>, 5> kRoles = {{{Role::Reader, "Reader"},
                                                      {Role::Writer, "Writer"},
                                                      {Role::Approver, "Approver"},
                                                      {Role::Administrator, "Administrator"},
                                                      {Role::Auditor, "Auditor"}}};

/// The roles that have a right, each by itself.
Roles holders_of(Right right) {
  switch (right) {
    case Right::Look:
      return {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor};
    case Right::Write:
      return {Role::Writer, Role::Administrator};
    case Right::Approve:
      return {Role::Approver};
    case Right::Administrate:
      return {Role::Administrator};
    case Right::ReissueCrl:
      return {Role::Approver, Role::Administrator};
    case Right::Audit:
      return {Role::Auditor};
  }
  return {};
}

}  // namespace

std::string_view to_string(Role role) { return vault::word_of(kRoles, role); }

std::string to_string(Roles roles) { return vault::join_words(kRoles, roles); }

Result<> check_right(const Actor& actor, Right right, std::string_view operation) {
  const Roles holders = holders_of(right);
  for (const auto& [role, word] : kRoles)
    if (holders.has(role) && actor.roles.has(role)) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("principal '{}' may not {}: that takes one of the roles {}, and it has {}", actor.principal,
                  operation, to_string(holders), actor.roles.empty() ? "none" : to_string(actor.roles)));
}

}  // namespace signet::authority
