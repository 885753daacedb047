#include "gateway/api/principal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "certstore/vault/access_policy.h"
#include "certstore/vault/word_list.h"

namespace signet::gateway::api {
namespace {

constexpr std::array<vault::Word<Role>, 6> kRoles{{{Role::Reader, "Reader"},
                                                   {Role::Writer, "Writer"},
                                                   {Role::Approver, "Approver"},
                                                   {Role::Administrator, "Administrator"},
                                                   {Role::CertificateBinder, "CertificateBinder"},
                                                   {Role::Auditor, "Auditor"}}};

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestSubject = 255;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '@';
}

}  // namespace

std::string_view to_string(Role role) { return vault::word_of(kRoles, role); }
std::string to_string(Roles roles) { return vault::join_words(kRoles, roles); }
Result<Roles> parse_roles(std::string_view words) { return vault::split_words(kRoles, words, "role"); }

Result<> check_principal_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || !std::all_of(name.begin(), name.end(), is_name_character))
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' cannot name a principal: 1 to {} letters, digits and - _ . @ are needed",
                            printable(name), kLongestName));
  for (const vault::Principal& ours :
       {vault::Principal::gateway(), vault::Principal::authority(), vault::Principal::local_operator()})
    if (equal_ignoring_case(name, ours.name))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("'{}' cannot name a principal: by it the vault knows one of this machine, whose "
                      "permissions nobody may have over the network",
                      name));
  return {};
}

Result<> check_jwt_subject(std::string_view subject) {
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (subject.size() <= kLongestSubject && std::all_of(subject.begin(), subject.end(), is_printable))
    return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("'{}' cannot be the subject of a token: 1 to {} printable ASCII characters are needed",
                  printable(subject), kLongestSubject));
}

}  // namespace signet::gateway::api
