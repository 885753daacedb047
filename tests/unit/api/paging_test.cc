#include "gateway/api/paging.h"

#include <gmock/gmock.h>

namespace signet::gateway::api {
namespace {

using Items = std::vector<std::string>;

const Principal kCaller{};

Result<Answer> page(const Items& items, std::string_view query, Order order = Order::Key) {
  const Target target = parse_target("/secrets?" + std::string(query));
  const Call call{kCaller, "v", "https://v.example", "/secrets", "7.5", target, {}, {}};
  return page_of(
      call, items, order, [](const std::string& item) { return item; },
      [](const std::string& item) { return item; });
}

/// All pages, each as one text.
Items pages(const Items& items, std::string query, Order order = Order::Key) {
  Items all;
  for (;;) {
    const Json body = *page(items, query, order)->body;
    std::string text;
    for (const Json& item : body["value"]) text += item.get<std::string>() + " ";
    all.push_back(text);
    if (body["nextLink"].is_null()) return all;
    const auto link = body["nextLink"].get<std::string>();
    query = link.substr(link.find('?') + 1);
  }
}

TEST(Paging, ShowsEveryItemOnce) {
  EXPECT_EQ(pages({"a", "b", "c"}, "maxresults=2&api-version=7.5"), (Items{"a b ", "c "}));
  EXPECT_EQ(pages({"a", "b"}, "maxresults=2"), (Items{"a b "}));
  EXPECT_EQ(pages({}, ""), (Items{""}));
  EXPECT_EQ(pages({"x", "a", "k"}, "maxresults=1", Order::Other), (Items{"x ", "a ", "k "}));
}

TEST(Paging, TheLinkKeepsWhatTheQueryHad) {
  const Json body = *page({"a", "b"}, "maxresults=1&api%2Dversion=7.5&includePending=true")->body;
  EXPECT_EQ(body["nextLink"],
            "https://v.example/secrets?maxresults=1&api-version=7.5&includePending=true&$skiptoken=YQ");
}

TEST(Paging, GoesOnWhereAnItemWasTakenAway) {
  EXPECT_EQ(pages({"a", "c"}, "maxresults=5&$skiptoken=" + base64url(as_bytes("b"))), (Items{"c "}));
  EXPECT_EQ(pages({"B", "c"}, "$skiptoken=" + base64url(as_bytes("b"))), (Items{"c "}));
  EXPECT_EQ(pages({"x", "a"}, "$skiptoken=" + base64url(as_bytes("gone")), Order::Other), (Items{""}));
}

TEST(Paging, SizesAndTokensThatAreNoneAreRefused) {
  for (const char* query :
       {"maxresults=0", "maxresults=26", "maxresults=", "maxresults=1x", "$skiptoken=", "$skiptoken=%"})
    EXPECT_FALSE(page({"a"}, query)) << query;
}

}  // namespace
}  // namespace signet::gateway::api
