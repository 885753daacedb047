#include "gateway/api/route.h"

#include <gmock/gmock.h>

#include <set>

namespace signet::gateway::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Result<Answer> nothing(Services&, const Call&) { return Answer{}; }

constexpr std::array kTable = {
    Route{Plane::Vault, "GET", "/keys", vault::KeyPermission::List, nothing},
    Route{Plane::Vault, "GET", "/keys/{name}/versions", vault::KeyPermission::List, nothing},
    Route{Plane::Vault, "GET", "/keys/{name}/{version?}", vault::KeyPermission::Get, nothing},
    Route{Plane::Vault, "POST", "/keys/{name}/{version?}/sign", vault::KeyPermission::Sign, nothing},
    Route{Plane::Management, "GET", "/Subscriptions/{id}", Role::Reader, nothing},
};

Match find(Plane plane, std::string_view method, std::string_view path) {
  static std::vector<std::string> segments;
  segments = parse_target(path).segments;
  return find_route(kTable, plane, method, segments);
}

std::string_view found(std::string_view method, std::string_view path) {
  const Match match = find(Plane::Vault, method, path);
  return match.route == nullptr ? "" : match.route->pattern;
}

TEST(Route, AnEmptyVersionIsTheCurrentOne) {
  EXPECT_EQ(found("POST", "/keys/n//sign"), "/keys/{name}/{version?}/sign");
  EXPECT_EQ(find(Plane::Vault, "POST", "/keys/n//sign").parameters.at("version"), "");
  EXPECT_EQ(found("GET", "/keys/n/"), "/keys/{name}/{version?}");
  EXPECT_EQ(found("GET", "/keys/n"), "/keys/{name}/{version?}");
  EXPECT_EQ(find(Plane::Vault, "GET", "/keys/n/abc").parameters.at("version"), "abc");
}

TEST(Route, NoWordOfAPathIsTakenForAVersionOrAName) {
  EXPECT_EQ(found("GET", "/keys/n/versions"), "/keys/{name}/versions");
  EXPECT_EQ(found("POST", "/keys/n/sign"), "");
  for (const char* path :
       {"/", "/keys/", "/keys//", "/keys//x", "/KEYS", "/keys/n/v/sign/more", "/keys/n//sign/", "/other"})
    EXPECT_EQ(found("GET", path), "") << path;
}

TEST(Route, AnotherMethodIsToldApartFromAnotherPath) {
  EXPECT_THAT(find(Plane::Vault, "DELETE", "/keys/n").methods, ElementsAre("GET"));
  EXPECT_THAT(find(Plane::Vault, "DELETE", "/nowhere").methods, IsEmpty());
}

TEST(Route, PlanesAreApart) {
  EXPECT_EQ(find(Plane::Management, "GET", "/keys").route, nullptr);
  EXPECT_EQ(find(Plane::Vault, "GET", "/subscriptions/x").route, nullptr);
}

TEST(Route, TheManagementPlaneDoesNotLookAtCase) {
  EXPECT_NE(find(Plane::Management, "GET", "/subscriptions/x").route, nullptr);
  EXPECT_NE(find(Plane::Management, "GET", "/SUBSCRIPTIONS/x").route, nullptr);
}

TEST(Routes, EachIsThereOnceAndCanBeReached) {
  std::set<std::tuple<Plane, std::string_view, std::string_view>> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.emplace(route.plane, route.method, route.pattern).second) << route.pattern;
    std::string path(route.pattern);
    std::erase(path, '?');  // would begin a query
    const Match match = find_route(routes(), route.plane, route.method, parse_target(path).segments);
    ASSERT_NE(match.route, nullptr) << route.pattern;
    EXPECT_EQ(match.route->pattern, route.pattern);
  }
}

}  // namespace
}  // namespace signet::gateway::api
