#include "gateway/operations/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace signet::gateway {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::HasSubstr;
using testing::Not;

const Time kNow = *parse_time("2026-11-21T08:30:00Z");

HomeStatus example() {
  HomeStatus status;
  status.now = kNow;
  status.version = "Signet/1";
  status.openssl = "OpenSSL 3";
  status.home = "/srv/signet";
  status.messages = {
      {Direction::Inbound, MessageState::Delivered, "trade", 7, kNow - hours(50), {}},
      {Direction::Outbound, MessageState::Queued, "trade", 2, kNow - hours(3), kNow - hours(1)}};
  status.failures = {{Direction::Inbound, MessageState::Refused, "", 4, kNow - hours(2), {}}};
  status.failures_since = kNow - hours(24);
  MessageRecord trouble;
  trouble.id = "3f9a2c71aaaaaaaaaaaaaaaaaaaaaaaa";
  trouble.created = kNow - hours(2);
  trouble.reason = "no agreement\nfor it";
  status.troubles = {trouble};
  ReceiptPost post;
  post.id = "5e0b7d21aaaaaaaaaaaaaaaaaaaaaaaa";
  post.agreement = "trade";
  post.url = "https://user:secret@globex.example/mdn";
  post.attempts = 7;
  post.given_up = kNow - hours(1);
  post.reason = "HTTP 503";
  status.receipts_given_up = {post};
  status.queues = queues_of(status.messages);
  status.certificates = {
      {"theirs", false, kNow + hours(24 * 10 + 1), {{"trade", "encrypt"}, {"trade", "verifyMdn"}}},
      {"ours", true, kNow - hours(1), {}}};
  status.volumes = {{"/srv/signet", 300 << 20, std::uint64_t{1} << 30}};
  return status;
}

TEST(HomeStatus, HasAQueueForEachStateThatWaits) {
  const std::vector<MessageCount> counts = {
      {Direction::Inbound, MessageState::Received, "a", 1, kNow - hours(2), {}},
      {Direction::Inbound, MessageState::Received, "b", 3, kNow - hours(5), {}},
      {Direction::Outbound, MessageState::AwaitingReceipt, "a", 2, kNow - hours(5), kNow + hours(1)},
      {Direction::Outbound, MessageState::Failed, "a", 9, kNow, {}},
  };
  std::map<std::string, QueueStatus> queues;
  for (const QueueStatus& queue : queues_of(counts)) queues[queue.name] = queue;
  EXPECT_EQ(queues.size(), 4);
  EXPECT_EQ(queues["to-be-opened"].waiting, 4);
  EXPECT_EQ(queues["to-be-opened"].next_due, kNow - hours(5)) << "due since it came";
  EXPECT_EQ(queues["awaiting-receipt"].waiting, 2);
  EXPECT_EQ(queues["awaiting-receipt"].next_due, kNow + hours(1));
  EXPECT_EQ(queues["outbox"].waiting, 0);
  EXPECT_EQ(queues["outbox"].next_due, std::nullopt);
}

TEST(HomeStatus, IsJsonForPrograms) {
  HomeStatus status = example();
  json shown = to_json(status);
  EXPECT_EQ(shown.at("gateway"), json({{"running", false}}));
  EXPECT_EQ(shown.at("messages").at(0), json({{"direction", "inbound"},
                                              {"state", "delivered"},
                                              {"agreement", "trade"},
                                              {"count", 7},
                                              {"oldest", "2026-11-19T06:30:00.000Z"}}));
  EXPECT_EQ(shown.at("failures").at("messages").at(0).at("count"), 4);
  EXPECT_EQ(shown.at("troubles").at(0), json({{"id", "3f9a2c71aaaaaaaaaaaaaaaaaaaaaaaa"},
                                              {"created", "2026-11-21T06:30:00.000Z"},
                                              {"direction", "inbound"},
                                              {"state", "refused"},
                                              {"agreement", ""},
                                              {"reason", "no agreement\nfor it"}}));
  json receipt = shown.at("receiptsNotPosted").at(0);
  EXPECT_THAT(receipt.at("url").get<std::string>(), Not(HasSubstr("secret")));
  receipt.erase("url");
  EXPECT_EQ(receipt, json({{"id", "5e0b7d21aaaaaaaaaaaaaaaaaaaaaaaa"},
                           {"agreement", "trade"},
                           {"attempts", 7},
                           {"givenUp", "2026-11-21T07:30:00.000Z"},
                           {"reason", "HTTP 503"}}));
  EXPECT_EQ(shown.at("failures").at("since"), "2026-11-20T08:30:00.000Z");
  EXPECT_EQ(shown.at("certificates").at(0), json({{"name", "theirs"},
                                                  {"owner", "partner"},
                                                  {"notAfter", "2026-12-01T09:30:00.000Z"},
                                                  {"daysUntilExpiry", 10},
                                                  {"uses",
                                                   {{{"agreement", "trade"}, {"role", "encrypt"}},
                                                    {{"agreement", "trade"}, {"role", "verifyMdn"}}}}}));
  EXPECT_EQ(shown.at("certificates").at(1).at("daysUntilExpiry"), -1);
  EXPECT_EQ(shown.at("volumes").at(0),
            json({{"path", "/srv/signet"}, {"freeBytes", 300 << 20}, {"sizeBytes", 1 << 30}}));
  for (const json& queue : shown.at("queues")) {
    if (queue.at("name") != "outbox") continue;
    EXPECT_EQ(queue, json({{"name", "outbox"}, {"waiting", 2}, {"nextDue", "2026-11-21T07:30:00.000Z"}}));
  }

  status.gateway = HomeStatus::Process{42, kNow - hours(1)};
  EXPECT_EQ(json(to_json(status)).at("gateway"),
            json({{"running", true}, {"process", 42}, {"since", "2026-11-21T07:30:00.000Z"}}));
}

TEST(HomeStatus, IsTextForPeople) {
  HomeStatus status = example();
  EXPECT_THAT(to_text(status), HasSubstr("not served"));
  EXPECT_THAT(to_text(status), HasSubstr("(no agreement)"));
  EXPECT_THAT(to_text(status),
              HasSubstr("2026-11-21T06:30:00.000Z  3f9a2c71  refused   (no agreement): no agreement"));
  EXPECT_THAT(to_text(status), Not(HasSubstr("agreement\nfor it"))) << "a line stays one";
  EXPECT_THAT(to_text(status), HasSubstr("2026-11-21T07:30:00.000Z  5e0b7d21  trade: HTTP 503"));
  EXPECT_THAT(to_text(status), HasSubstr("300 MiB free of 1024 MiB at /srv/signet"));
  EXPECT_THAT(to_text(status), HasSubstr("trade (encrypt, verifyMdn)"));
  status.gateway = HomeStatus::Process{42, kNow};
  EXPECT_THAT(to_text(status), HasSubstr("served by process 42"));
  EXPECT_THAT(to_text(HomeStatus()), HasSubstr("messages\n  none\n"));
  EXPECT_THAT(to_text(HomeStatus()), HasSubstr("message show`\n  none\n"));
  EXPECT_THAT(to_text(HomeStatus()), HasSubstr("message resend`\n  none\n"));
}

}  // namespace
}  // namespace signet::gateway
