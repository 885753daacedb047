#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <optional>
#include <sstream>
#include <thread>

#include "base/digest.h"
#include "base/log.h"
#include "gateway/endpoint/http_server.h"
#include "tests/unit/endpoint/endpoint_support.h"

/// What peers may take of the server: memory, files, descriptors, time, its workers.

namespace signet::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(HttpServer, KeepsALargeBodyOutsideMemory) {
  TestServer server;
  std::promise<Slice> seen;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    seen.set_value(request.body);
    responder.respond({});
  };
  server.start();
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i);
  std::string chunks;
  for (std::size_t i = 0; i < body.size(); i += 0x1000) {
    const std::string chunk = body.substr(i, 0x1000);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    chunks += size + chunk + "\r\n";
  }
  RawClient client(server.port());
  client.send(post_head("/as2", "Transfer-Encoding: chunked") + chunks + "0\r\n\r\n");
  EXPECT_EQ(status_of(client.answer()), 200);
  const Slice arrived = seen.get_future().get();
  EXPECT_FALSE(arrived.in_memory());
  EXPECT_EQ(digest(Hash::Sha256, arrived).value(), digest(Hash::Sha256, as_bytes(body)));
}

TEST(HttpServer, KeepsNoMoreBodiesInMemoryThanItsBudget) {
  TestServer server;
  server.config.limits.memory_for_bodies = 1000;
  std::mutex mutex;
  std::vector<std::pair<HttpRequest, Responder>> parked;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    const bool in_memory = request.body.in_memory().has_value();
    if (request.target == "/keep") {
      const std::lock_guard lock(mutex);
      parked.emplace_back(std::move(request), std::move(responder));
      return;
    }
    HttpResponse response;
    response.body = Slice::of(in_memory ? "memory" : "file");
    responder.respond(std::move(response));
  };
  server.start();
  RawClient client(server.port());
  const std::string body(800, 'x');
  client.send(post_of("/", body));
  EXPECT_EQ(body_of(client.answer()), "memory");
  client.send(post_of("/", body));
  EXPECT_EQ(body_of(client.answer()), "memory");

  RawClient patient(server.port());
  patient.send(post_of("/keep", body));
  for (bool kept = false; !kept;) {
    const std::lock_guard lock(mutex);
    kept = !parked.empty();
  }
  client.send(post_of("/", body));
  EXPECT_EQ(body_of(client.answer()), "file");
  client.send(post_of("/", body.substr(0, 100)));
  EXPECT_EQ(body_of(client.answer()), "memory");
  client.send(post_head("/", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(client.answer()), "file") << "nobody knows how long it will be";

  parked.front().second.respond({});
  EXPECT_EQ(status_of(patient.answer()), 200);
  client.send(post_of("/", body));
  EXPECT_EQ(body_of(client.answer()), "memory");
}

/// In a process of its own, since a limit that was lowered cannot be raised again.
void serve_with_few_descriptors(rlim_t files) {
  const rlimit few{files, files};
  if (::setrlimit(RLIMIT_NOFILE, &few) != 0) std::exit(2);
  int served = 0;
  {
    TestServer server;  // gone before the exit, at which its threads would still write to the log
    server.start();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<RawClient>(server.port()));
      clients.back()->send(get_of("/"));
      if (status_of(clients.back()->answer()) == 200) ++served;
    }
  }
  std::exit(served == 10 ? 0 : 1);
}

TEST(HttpServer, LeavesDescriptorsToTheRestOfTheProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  // Two for each connection, and 320 for the others: room for ten.
  EXPECT_EXIT(serve_with_few_descriptors(340), testing::ExitedWithCode(0), "http-connections-limited");
}

TEST(HttpServer, RaisesTheLimitOfDescriptorsToWhatItNeeds) {
  const auto serve = [] {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &files);
    TestServer server;
    server.config.limits.connections = 100;
    server.start();
    ::getrlimit(RLIMIT_NOFILE, &files);
    std::exit(files.rlim_cur == 520 ? 0 : 1);
  };
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(serve(), testing::ExitedWithCode(0), "");
}

TEST(HttpServer, RefusesABodyOverTheLimitAtOnce) {
  TestServer server;
  std::atomic<int> served = 0;
  server.handler.head = [](const HttpRequest&) { return HeadVerdict::accept(1000); };
  server.handler.request = [&](HttpRequest, Responder responder) {
    ++served;
    responder.respond({});
  };
  server.start();
  RawClient announced(server.port());
  announced.send(post_head("/as2", "Content-Length: 10000000000"));
  EXPECT_EQ(status_of(announced.answer()), 413);
  RawClient streamed(server.port());
  streamed.send(post_head("/as2", "Transfer-Encoding: chunked") + "200\r\n" + std::string(512, 'x') +
                "\r\n200\r\nx");
  EXPECT_EQ(status_of(streamed.answer()), 413);
  EXPECT_EQ(served, 0);
  RawClient fits(server.port());
  fits.send(post_of("/as2", std::string(1000, 'x')));
  EXPECT_EQ(status_of(fits.answer()), 200);
}

TEST(HttpServer, Answers503WhenTheDiskRefuses) {
  TestServer server;
  server.config.spool.directory = server.directory.path() / "absent";
  server.config.spool.memory_limit = 100;
  server.start();
  RawClient client(server.port());
  client.send(post_of("/as2", std::string(1000, 'x')));
  const std::string answer = client.answer();
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: "));
  EXPECT_THAT(answer, Not(HasSubstr("absent"))) << "our paths are nobody's business";
}

TEST(HttpServer, Answers503WhereABodyWouldHaveToLieInAFile) {
  TestServer server;
  server.config.limits.memory_for_bodies = 1000;
  server.config.limits.bodies_in_files = false;
  server.start();
  RawClient fits(server.port());
  fits.send(post_of("/as2", std::string(1000, 'x')));
  EXPECT_EQ(status_of(fits.answer()), 200);
  RawClient larger(server.port());
  larger.send(post_of("/as2", std::string(1001, 'x')));
  const std::string answer = larger.answer();
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: "));
}

TEST(HttpServer, CutsOffAHeadThatDrips) {
  TestServer server;
  server.config.limits.head_time = 200ms;
  server.start();
  RawClient client(server.port());
  RawClient silent(server.port());
  client.send("POST /as2 HTTP/1.1\r\nX: ");
  std::thread dripping([&] {
    while (client.send("x")) {
    }
  });
  const std::string answer = client.answer();
  ::shutdown(client.descriptor(), SHUT_RDWR);
  dripping.join();
  // A drip as fast as this one may fill the head before its time is over.
  EXPECT_THAT(status_of(answer), testing::AnyOf(408, 431));
  EXPECT_EQ(silent.until_end(), "");

  RawClient halting(server.port());
  halting.send("POST /as2 HTTP/1.1\r\nX: ");
  EXPECT_EQ(status_of(halting.until_end()), 408);
}

TEST(HttpServer, CutsOffABodyThatFallsBehindTheMinimumRate) {
  TestServer server;
  server.config.limits.transfer_grace = 200ms;
  server.start();
  RawClient client(server.port());
  client.send(post_head("/as2", "Content-Length: 1000000") + "some, and then no more");
  EXPECT_EQ(status_of(client.until_end()), 408);
}

TEST(HttpServer, ClosesAnIdleConnectionWithoutAWord) {
  TestServer server;
  server.config.limits.idle_time = 200ms;
  server.start();
  RawClient client(server.port());
  client.send(get_of("/"));
  EXPECT_EQ(status_of(client.answer()), 200);
  EXPECT_EQ(client.until_end(), "");
}

TEST(HttpServer, CutsOffAPeerThatDoesNotReadItsAnswer) {
  TestServer server;
  server.config.limits.transfer_grace = 200ms;
  server.config.limits.minimum_rate = std::uint64_t{1} << 40;
  server.config.limits.connections = 1;
  server.handler.request = [](HttpRequest, Responder responder) {
    HttpResponse response;
    response.body = Slice::of(Bytes(64 << 20));
    responder.respond(std::move(response));
  };
  server.start();
  RawClient greedy(server.port());
  greedy.send(get_of("/"));
  // There is room for one connection: that another gets in shows that the first one is out.
  for (bool admitted = false; !admitted;) {
    RawClient other(server.port());
    other.send("BAD\r\n");
    admitted = status_of(other.answer()) == 400;
  }
  EXPECT_LT(greedy.until_end().size(), std::size_t{64} << 20);
}

TEST(HttpServer, ServesAGoodClientAmongTwoHundredSlowOnes) {
  TestServer server;
  server.start();
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<RawClient>(server.port()));
    slow.back()->send(i % 2 == 0 ? "POST /slow HTTP/1.1\r\nX: x"
                                 : post_head("/slow", "Content-Length: 1000") + "x");
  }
  for (int i = 0; i < 20; ++i) {
    RawClient good(server.port());
    good.send(post_of("/good", "abc"));
    ASSERT_EQ(status_of(good.answer()), 200);
    for (const auto& client : slow) ASSERT_TRUE(client->send("x"));
  }
}

TEST(HttpServer, TurnsAwayConnectionsBeyondTheCapOfAnAddress) {
  TestServer server;
  server.config.limits.connections_per_address = 2;
  server.start();
  RawClient first(server.port());
  auto second = std::make_unique<RawClient>(server.port());
  first.send(get_of("/"));
  second->send(get_of("/"));
  EXPECT_EQ(status_of(first.answer()), 200);
  EXPECT_EQ(status_of(second->answer()), 200);
  RawClient third(server.port());
  EXPECT_EQ(status_of(third.until_end()), 503);
  second.reset();
  for (bool admitted = false; !admitted;) {
    RawClient again(server.port());
    again.send(get_of("/"));
    admitted = status_of(again.answer()) == 200;
  }
}

/// Has sent its request before it is turned away: closing at once would reset the connection.
TEST(HttpServer, LetsAPeerReadThatThereIsNoRoomForItsConnection) {
  TestServer server;
  server.config.limits.connections_per_address = 1;
  server.start();
  RawClient first(server.port());
  first.send(get_of("/"));
  EXPECT_EQ(status_of(first.answer()), 200);
  for (int i = 0; i < 10; ++i) {
    RawClient refused(server.port());
    refused.send(post_of("/", std::string(100'000, 'x')));
    const std::string answer = refused.until_end();
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_THAT(answer, AllOf(HasSubstr("\r\nRetry-After: "), HasSubstr("\r\nConnection: close\r\n"),
                              Not(HasSubstr("RESET"))));
  }
  EXPECT_EQ(server.server->load().connections_turned_away, 10U);
  EXPECT_EQ(server.server->load().connections, 1U);
  EXPECT_THAT(server.handler.targets(), ElementsAre("/"));
}

TEST(HttpServer, HasNoTimeToTellMoreThanAFewThatThereIsNoRoom) {
  constexpr int kTold = 16;
  TestServer server;
  server.config.limits.connections_per_address = 1;
  server.config.limits.linger_time = 60s;
  server.start();
  RawClient first(server.port());
  first.send(get_of("/"));
  EXPECT_EQ(status_of(first.answer()), 200);
  std::vector<std::unique_ptr<RawClient>> told;
  for (int i = 0; i < kTold; ++i) {
    told.push_back(std::make_unique<RawClient>(server.port()));
    EXPECT_EQ(status_of(told.back()->answer()), 503);
  }
  EXPECT_EQ(status_of(RawClient(server.port()).until_end()), 0);
  told.pop_back();
  while (status_of(RawClient(server.port()).until_end()) != 503) {
  }
  const auto start = std::chrono::steady_clock::now();
  server.server->stop(0ms);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

/// A server whose only worker is busy and whose queue is full, until release().
struct FullServer : TestServer {
  FullServer() {
    config.workers = 1;
    config.limits.queued_requests = 1;
    handler.request = [this, first = true](const HttpRequest& request, Responder responder) mutable {
      if (std::exchange(first, false)) {
        begun_.set_value();
        released_.get_future().wait();
      }
      HttpResponse response;
      response.body = Slice::of(request.target + " " + std::to_string(request.body.size()));
      responder.respond(std::move(response));
    };
  }
  ~FullServer() { release(); }

  void fill() {
    start();
    served_.emplace(port());
    served_->send(get_of("/served"));
    begun_.get_future().wait();
    waits_.emplace(port());
    waits_->send(get_of("/waits"));
    while (server->load().queued_requests == 0) std::this_thread::yield();
  }
  void release() {
    if (!waits_ || std::exchange(is_released_, true)) return;
    released_.set_value();
    EXPECT_EQ(body_of(served_->answer()), "/served 0");
    EXPECT_EQ(body_of(waits_->answer()), "/waits 0");
  }

 private:
  std::promise<void> begun_;
  std::promise<void> released_;
  bool is_released_ = false;
  std::optional<RawClient> served_;
  std::optional<RawClient> waits_;
};

TEST(HttpServer, ReadsWhatItTurnsAwayAndKeepsTheConnection) {
  FullServer server;
  server.fill();
  const std::string body(100'000, 'x');
  RawClient client(server.port());
  for (const std::string& request :
       {post_of("/counted", body), post_of("/empty", ""),
        post_head("/chunked", "Transfer-Encoding: chunked") + "186a0\r\n" + body + "\r\n0\r\n\r\n",
        std::string("HEAD /head HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
    client.send(request);
    const std::string answer = client.answer(!request.starts_with("HEAD"));
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_THAT(answer, AllOf(HasSubstr("\r\nRetry-After: "), Not(HasSubstr("\r\nConnection: close\r\n"))));
  }
  EXPECT_EQ(server.server->load().requests_turned_away, 4U);
  EXPECT_THAT(server.handler.targets(), ElementsAre("/served", "/waits"))
      << "the handler has nothing to do with it";
  server.release();
  client.send(post_of("/again", body));
  EXPECT_EQ(body_of(client.answer()), "/again 100000");
}

TEST(HttpServer, ClosesWhereItDoesNotReadWhatItTurnsAway) {
  FullServer server;
  server.config.limits.linger_size = 1000;
  server.fill();
  const std::string body(1001, 'x');
  for (const std::string& request :
       {post_of("/large", body),
        post_head("/large-chunks", "Transfer-Encoding: chunked") + "3e9\r\n" + body + "\r\n0\r\n\r\n",
        post_head("/broken-chunks", "Transfer-Encoding: chunked") + "one\r\n" + get_of("/smuggled"),
        post_head("/asks", "Content-Length: 3\r\nExpect: 100-continue"),
        std::string("POST /old HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")}) {
    RawClient client(server.port());
    client.send(request);
    const std::string answer = client.until_end();
    EXPECT_EQ(status_of(answer), 503) << request;
    EXPECT_THAT(answer, AllOf(HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("RESET")))) << request;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << request;
  }
}

TEST(HttpServer, CutsOffABodyThatItOnlyThrowsAwayToo) {
  FullServer server;
  server.config.limits.transfer_grace = 300ms;
  server.fill();
  RawClient client(server.port());
  client.send(post_head("/slow", "Content-Length: 100000") + "a");
  EXPECT_EQ(status_of(client.until_end()), 408);
}

TEST(HttpServer, HasOneLineInTheLogForAllThatItTurnsAway) {
  testing::internal::CaptureStderr();
  {
    FullServer server;
    server.fill();
    RawClient client(server.port());
    for (int i = 0; i < 5; ++i) {
      client.send(post_of("/", "abc"));
      EXPECT_EQ(status_of(client.answer()), 503);
    }
    server.release();
    server.server->stop(0ms);
  }
  log::flush();
  const std::string told = testing::internal::GetCapturedStderr();
  int lines = 0;
  int requests = 0;
  std::istringstream stream(told);
  for (std::string line; std::getline(stream, line);) {
    if (line.find("\"http-requests-refused\"") == std::string::npos) continue;
    ++lines;
    const std::size_t count = line.find("\"count\":\"");
    ASSERT_NE(count, std::string::npos) << line;
    requests += std::atoi(line.c_str() + count + 9);
    EXPECT_THAT(line, AllOf(HasSubstr("\"remote\":\"127.0.0.1\""), HasSubstr("\"listener\":\"test\"")));
  }
  EXPECT_EQ(requests, 5) << told;
  EXPECT_LT(lines, 5) << "once a second, and at the end";
}

TEST(HttpServer, Answers503WhenTooManyRequestsWait) {
  TestServer server;
  server.config.workers = 1;
  server.config.limits.queued_requests = 1;
  std::promise<void> begun;
  std::promise<void> released;
  std::shared_future<void> release = released.get_future().share();
  server.handler.request = [&](HttpRequest request, Responder responder) {
    if (request.target == "/first") begun.set_value();
    release.wait();
    responder.respond({});
  };
  server.start();
  RawClient first(server.port());
  first.send(get_of("/first"));
  begun.get_future().wait();  // the worker is busy
  std::vector<std::unique_ptr<RawClient>> others;
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_unique<RawClient>(server.port()));
    others.back()->send(get_of("/other"));
  }
  // One of the three waits in the queue; the other two are told so at once, and may try again on the same
  // connection.
  std::vector<RawClient*> told;
  while (told.size() < 2) {
    for (const auto& client : others) {
      char octet = 0;
      if (std::find(told.begin(), told.end(), client.get()) == told.end() &&
          ::recv(client->descriptor(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
        told.push_back(client.get());
    }
  }
  for (RawClient* client : told) {
    const std::string answer = client->answer();
    refused += status_of(answer) == 503 && answer.find("\r\nRetry-After: ") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(refused, 2);
  released.set_value();
  EXPECT_EQ(status_of(first.answer()), 200);
  for (const auto& client : others) {
    if (std::find(told.begin(), told.end(), client.get()) != told.end()) continue;
    EXPECT_EQ(status_of(client->answer()), 200);
  }
  for (RawClient* client : told) {
    client->send(get_of("/again"));
    EXPECT_EQ(status_of(client->answer()), 200);
  }
}

TEST(HttpServer, TellsWhatItHasInHand) {
  TestServer server;
  server.config.workers = 1;
  std::promise<void> begun;
  std::promise<void> may_end;
  server.handler.request = [&, first = true](HttpRequest, Responder responder) mutable {
    if (std::exchange(first, false)) {
      begun.set_value();
      may_end.get_future().wait();
    }
    responder.respond({});
  };
  server.start();
  EXPECT_EQ(server.server->load().connections, 0);
  RawClient first(server.port());
  first.send(get_of("/"));
  begun.get_future().wait();
  RawClient second(server.port());
  second.send(get_of("/"));
  while (server.server->load().queued_requests == 0) std::this_thread::yield();
  EXPECT_EQ(server.server->load().connections, 2);
  EXPECT_EQ(server.server->load().queued_requests, 1);
  may_end.set_value();
  EXPECT_EQ(status_of(first.answer()), 200);
  EXPECT_EQ(status_of(second.answer()), 200);
  EXPECT_EQ(server.server->load().queued_requests, 0);
}

TEST(HttpServer, ServesSmallRequestsWhileLargeOnesHoldEveryWorkerOfTheirs) {
  TestServer server;
  server.config.workers = 1;
  std::promise<void> begun;
  std::promise<void> released;
  std::shared_future<void> release = released.get_future().share();
  server.handler.request = [&](HttpRequest request, Responder responder) {
    if (request.target == "/large") {
      begun.set_value();
      release.wait();
    }
    responder.respond({});
  };
  server.start();
  RawClient large(server.port());
  large.send(post_of("/large", std::string(1024 * 1024 + 1, 'x')));
  begun.get_future().wait();
  RawClient waits(server.port());
  waits.send(post_of("/large-too", std::string(1024 * 1024 + 1, 'x')));
  while (server.server->load().queued_requests == 0) std::this_thread::yield();
  RawClient small(server.port());
  small.send(post_of("/small", std::string(1024 * 1024, 'x')));
  EXPECT_EQ(status_of(small.answer()), 200);
  EXPECT_EQ(server.server->load().queued_requests, 1U);
  released.set_value();
  EXPECT_EQ(status_of(large.answer()), 200);
  EXPECT_EQ(status_of(waits.answer()), 200);
}

}  // namespace
}  // namespace signet::gateway::test
