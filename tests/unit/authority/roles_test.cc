#include <fmt/format.h>

#include <array>
#include <fstream>
#include <tuple>

#include "tests/unit/authority/authority_fixture.h"

/// Who may do what, and the separation of those who ask from those who decide.

namespace signet::authority {
namespace {

constexpr std::array kRoles = {Role::Reader, Role::Writer, Role::Approver, Role::Administrator,
                               Role::Auditor};

class RolesOfTheService : public AuthorityTest {
 protected:
  /// Whether the roles of `actor` let it come so far that something else than a right is looked at.
  template <class T>
  static bool is_let(const Result<T>& result) {
    return result || result.error().kind != ErrorKind::PermissionDenied ||
           result.error().detail.find("takes one of the roles") == std::string::npos;
  }
};

TEST_F(RolesOfTheService, EachAllowsItsVerbsAndNoOthers) {
  using Call = std::function<bool(const Actor&)>;
  const std::string none = "00000000-0000-4000-8000-000000000000";
  const std::vector<std::tuple<std::string, Roles, Call>> verbs = {
      {"groups",
       {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor},
       [&](const Actor& actor) { return is_let(service_.groups(actor)); }},
      {"requests",
       {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor},
       [&](const Actor& actor) { return is_let(service_.requests(actor, {}, {})); }},
      {"requests_for",
       {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor},
       [&](const Actor& actor) {
         return is_let(service_.requests_for(actor, {"x", "x", {}}));
       }},
      {"applications",
       {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor},
       [&](const Actor& actor) { return is_let(service_.applications(actor, {}, {})); }},
      {"trust_list",
       {Role::Reader, Role::Writer, Role::Approver, Role::Administrator, Role::Auditor},
       [&](const Actor& actor) { return is_let(service_.trust_list(actor, "x")); }},
      {"create_group",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.create_group(actor, {})); }},
      {"change_group",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.change_group(actor, {})); }},
      {"create_issuer",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.create_issuer(actor, "x")); }},
      {"request_issuer",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.request_issuer(actor, "x")); }},
      {"install_issuer",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.install_issuer(actor, "x", {})); }},
      {"register_application",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.register_application(actor, As2Station())); }},
      {"change_application",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.change_application(actor, none, As2Station())); }},
      {"approve_application",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.approve_application(actor, none)); }},
      {"reject_application",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.reject_application(actor, none, "no")); }},
      {"unregister_application",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.unregister_application(actor, none)); }},
      {"remove_application",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.remove_application(actor, none)); }},
      {"request_key_pair",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.request_key_pair(actor, {})); }},
      {"request_signing",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.request_signing(actor, {})); }},
      {"approve_request",
       {Role::Approver},
       [&](const Actor& actor) { return is_let(service_.approve_request(actor, none)); }},
      {"reject_request",
       {Role::Approver},
       [&](const Actor& actor) { return is_let(service_.reject_request(actor, none, "no")); }},
      {"accept_request",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.accept_request(actor, none)); }},
      {"remove_request",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.remove_request(actor, none)); }},
      {"purge_request",
       {Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.purge_request(actor, none)); }},
      {"fetch",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.fetch(actor, none, none)); }},
      {"request_revocation",
       {Role::Writer, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.request_revocation(actor, none, {})); }},
      {"revoke",
       {Role::Approver},
       [&](const Actor& actor) { return is_let(service_.revoke(actor, none, {})); }},
      {"revoke_group",
       {Role::Approver},
       [&](const Actor& actor) { return is_let(service_.revoke_group(actor, "x", true)); }},
      {"reissue_crl",
       {Role::Approver, Role::Administrator},
       [&](const Actor& actor) { return is_let(service_.reissue_crl(actor, "x", "01")); }},
      {"audit", {Role::Auditor}, [&](const Actor& actor) { return is_let(service_.audit(actor, {})); }},
  };
  for (const auto& [name, holders, call] : verbs) {
    for (const Role role : kRoles)
      EXPECT_EQ(call({"somebody", {role}}), holders.has(role)) << name << " as " << to_string(role);
    EXPECT_FALSE(call({"somebody", {}})) << name << " without a role";
  }
}

TEST_F(RolesOfTheService, ADenialIsRecorded) {
  EXPECT_TRUE(fails_with(service_.approve_request(kWriter, "x"), ErrorKind::PermissionDenied, "Approver"));
  EXPECT_EQ(audit_.of("approveRequest").size(), 1U);
  EXPECT_EQ(audit_.log.last().result, vault::AuditResult::Denied);
  EXPECT_EQ(audit_.log.last().principal, "walter");
}

// Whoever asks and whoever decides are two, whatever roles the two have.
TEST_F(RolesOfTheService, ForEachPairOfThemAskingAndDecidingAreSeparate) {
  found_group();
  const Application application = approved();
  const SigningOrder order{application.id, "Plant7", signing_request()};
  for (const Role first : kRoles)
    for (const Role second : kRoles) {
      const std::string pair = fmt::format("{} and {}", to_string(first), to_string(second));
      const Actor one{"one", {first}};
      const Actor other{"other", {second}};
      const bool asks = first == Role::Writer || first == Role::Administrator;
      const auto request = service_.request_signing(one, order);
      ASSERT_EQ(request.has_value(), asks) << pair;
      if (request)
        EXPECT_EQ(service_.approve_request(other, request->id).has_value(), second == Role::Approver) << pair;

      // One person with both roles decides about nothing of his own.
      const Actor both{"both", {first, second}};
      const auto own = service_.request_signing(both, order);
      if (own)
        EXPECT_TRUE(fails_with(service_.approve_request(both, own->id), ErrorKind::PermissionDenied)) << pair;
      const auto registered = service_.register_application(both, line2());
      if (registered)
        EXPECT_TRUE(
            fails_with(service_.approve_application(both, registered->id), ErrorKind::PermissionDenied))
            << pair;
      if (registered)
        EXPECT_EQ(service_.approve_application(other, registered->id).has_value(),
                  second == Role::Administrator)
            << pair;
    }
}

TEST_F(RolesOfTheService, AWriterRemovesOnlyWhatIsHis) {
  found_group();
  const Request request = requested(approved());
  EXPECT_TRUE(fails_with(service_.remove_request({"wanda", {Role::Writer}}, request.id),
                         ErrorKind::PermissionDenied));
  EXPECT_EQ(valued(service_.remove_request(kWriter, request.id)).state, RequestState::Removed);
}

TEST_F(RolesOfTheService, AnAuditorReadsTheLogAndThatIsRecorded) {
  std::ofstream(directory_.path() / "audit.log")
      << R"({"time":"2026-11-18T00:00:00.000Z","principal":"anna","operation":"approveRequest","object":"request 1","previous":""})"
         "\n"
      << R"({"time":"2026-11-19T00:00:00.000Z","principal":"walter","operation":"sign","key":"as2","previous":""})"
         "\n"
      << R"({"time":"2026-11-20T00:00:00.000Z","principal":"ANNA","operation":"revokeRequest","object":"request 1","previous":""})"
         "\n"
      << R"({"time":"2026-11-20T00:0)";
  AuditQuery query;
  query.principal = "anna";
  query.size = 1;
  const AuditPage first = valued(service_.audit(kAuditor, query));
  ASSERT_EQ(first.entries.size(), 1U);
  EXPECT_EQ(first.entries.front().line, 1U);
  query.after = first.next.value();
  const AuditPage second = valued(service_.audit(kAuditor, query));
  ASSERT_EQ(second.entries.size(), 1U);
  EXPECT_EQ(second.entries.front().line, 3U);
  EXPECT_FALSE(second.next);
  AuditQuery by_time;
  by_time.from = valued(parse_time("2026-11-19"));
  by_time.until = valued(parse_time("2026-11-20"));
  EXPECT_EQ(valued(service_.audit(kAuditor, by_time)).entries.front().line, 2U);
  EXPECT_EQ(valued(service_.audit(kAuditor, {})).entries.size(), 3U);  // the last line is being written
  EXPECT_EQ(audit_.of("readAudit").size(), 4U);
}

}  // namespace
}  // namespace signet::authority
