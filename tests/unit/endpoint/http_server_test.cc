#include "gateway/endpoint/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/endpoint/endpoint_support.h"

namespace signet::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::filesystem::path kVectors = std::filesystem::path(SIGNET_SOURCE_DIR) / "tests/vectors/http";

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  TestServer server;
  server.start();
  RawClient client(server.port());
  client.send(post_of("/as2", "abc"));
  const std::string first = client.answer();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(first, HasSubstr(" GMT\r\nServer: Signet\r\nX-Request-Id: "));
  EXPECT_THAT(first, Not(HasSubstr("Connection:")));
  EXPECT_EQ(body_of(first), "POST /as2 3");
  client.send(get_of("/health"));
  EXPECT_EQ(body_of(client.answer()), "GET /health 0");
  client.send("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\nTE: trailers\r\n\r\n");
  const std::string last = client.until_end();
  EXPECT_EQ(body_of(last), "GET /last 0");
  EXPECT_THAT(last, HasSubstr("\r\nConnection: close\r\n"));
}

TEST(HttpServer, TellsTheHandlerWhoAsksForWhat) {
  TestServer server;
  std::promise<HttpRequest> seen;
  server.handler.request = [&](HttpRequest request, Responder responder) {
    seen.set_value(std::move(request));
    responder.respond({});
  };
  server.start();
  RawClient client(server.port());
  client.send(post_head("/as2?x=1", "Content-Type: text/plain;\r\n charset=utf-8\r\nContent-Length: 2") +
              "ab");
  const std::string answer = client.answer();
  const HttpRequest request = seen.get_future().get();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/as2?x=1");
  EXPECT_EQ(request.headers.value("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(request.remote_address, "127.0.0.1");
  EXPECT_EQ(request.listener, "test");
  EXPECT_FALSE(request.tls);
  EXPECT_EQ(request.request_id.size(), 32U);
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: " + request.request_id));
  EXPECT_EQ(as_text(request.body.to_bytes(10).value()), "ab");
}

TEST(HttpServer, UnderstandsARequestCutIntoTwoAnywhere) {
  TestServer server;
  server.start();
  RawClient client(server.port());
  const std::string request =
      post_head("/as2", "Transfer-Encoding: chunked") + "3\r\nabc\r\n2 \r\nde\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    client.send(request.substr(0, cut));
    client.send(request.substr(cut));
    ASSERT_EQ(body_of(client.answer()), "POST /as2 5") << cut;
  }
  for (const char octet : request) client.send({&octet, 1});
  EXPECT_EQ(body_of(client.answer()), "POST /as2 5");
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  TestServer server;
  server.start();
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += post_of("/" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(body_of(client.answer()), "POST /" + number + " " + number);
  }
}

TEST(HttpServer, NeverExecutesASmuggledRequest) {
  TestServer server;
  server.start();
  for (const auto& entry : std::filesystem::directory_iterator(kVectors)) {
    const std::string name = entry.path().stem();
    if (!name.starts_with("raw-")) continue;
    RawClient client(server.port());
    client.send(as_text(read_file(entry.path()).value()));
    const std::string answer = client.answer();
    const bool good = name == "raw-expect-100" || name == "raw-obs-fold";
    if (good) {
      EXPECT_EQ(status_of(answer), 200) << name << answer;
      continue;
    }
    EXPECT_GE(status_of(answer), 400) << name << answer;
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << name;
    EXPECT_THAT(body_of(answer), HasSubstr("Request-Id: ")) << name;
    client.end_sending();
    EXPECT_EQ(client.until_end(), "") << name;
  }
  EXPECT_THAT(server.handler.targets(), Not(Contains("/smuggled")));
  RawClient client(server.port());
  client.send(get_of("/alive"));
  EXPECT_EQ(status_of(client.answer()), 200);
}

TEST(HttpServer, LetsTheRefusedPeerReadItsAnswer) {
  TestServer server;
  server.start();
  RawClient client(server.port());
  // Everything behind the bad head is on its way before the answer is read: closing at once would reset the
  // connection.
  client.send("POST /as2 HTTP/1.1\r\nHost : x\r\n\r\n" + std::string(1 << 20, 'x'));
  client.end_sending();
  const std::string answer = client.until_end();
  EXPECT_EQ(status_of(answer), 400);
  EXPECT_THAT(answer, Not(HasSubstr("RESET")));
}

TEST(HttpServer, SaysContinueOnlyToWhomItWillListen) {
  TestServer server;
  server.handler.head = [](const HttpRequest& head) {
    if (head.target == "/no") return HeadVerdict::refuse(text_response(403, "not here", head.request_id));
    return HeadVerdict::accept(10);
  };
  server.start();
  RawClient good(server.port());
  good.send(post_head("/as2", "Expect: 100-continue\r\nContent-Length: 3"));
  EXPECT_EQ(good.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  good.send("abc");
  EXPECT_EQ(body_of(good.answer()), "POST /as2 3");

  RawClient refused(server.port());
  refused.send(post_head("/no", "Expect: 100-continue\r\nContent-Length: 3"));
  EXPECT_EQ(status_of(refused.answer()), 403);
  RawClient large(server.port());
  large.send(post_head("/as2", "Expect: 100-continue\r\nContent-Length: 11"));
  EXPECT_EQ(status_of(large.answer()), 413);
}

TEST(HttpServer, ParksAConnectionUntilSomebodyElseAnswers) {
  TestServer server;
  server.config.workers = 1;
  std::mutex mutex;
  std::vector<Responder> parked;
  std::promise<void> all_parked;
  server.handler.request = [&](HttpRequest, Responder responder) {
    const std::lock_guard lock(mutex);
    parked.push_back(std::move(responder));
    if (parked.size() == 20) all_parked.set_value();
  };
  server.start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(get_of("/parked"));
  }
  all_parked.get_future().wait();  // one worker has let go of all of them
  std::thread committer([&] {
    for (Responder& responder : parked) {
      HttpResponse response;
      response.status = 202;
      responder.respond(std::move(response));
      responder.respond({});  // heard by nobody
    }
  });
  committer.join();
  for (const auto& client : clients) EXPECT_EQ(status_of(client->answer()), 202);
  clients.front()->send(get_of("/next"));  // the second answer did not become this one's
  clients.front()->end_sending();
  server.server->stop(0ms);
  EXPECT_THAT(clients.front()->until_end(), Not(HasSubstr("200 OK")));
}

TEST(HttpServer, Answers500ForAHandlerThatDoesNotAnswer) {
  TestServer server;
  server.handler.head = [](const HttpRequest& head) {
    if (head.target == "/throw-early") throw std::runtime_error("planted");
    return HeadVerdict::accept(10);
  };
  server.handler.request = [](HttpRequest request, Responder) {
    if (request.target == "/throw") throw std::runtime_error("planted");
  };
  server.start();
  RawClient client(server.port());
  for (const char* target : {"/forget", "/throw", "/throw-early"}) {
    client.send(get_of(target));
    const std::string answer = client.answer();
    EXPECT_EQ(status_of(answer), 500) << target;
    EXPECT_THAT(answer, Not(HasSubstr("planted")));
  }
}

TEST(HttpServer, SendsNoBodyWhereThereCanBeNone) {
  TestServer server;
  server.handler.request = [](HttpRequest request, Responder responder) {
    HttpResponse response;
    response.status = request.target == "/204" ? 204 : 200;
    response.headers.add("Content-Length", "99");
    response.headers.add("X-Note", "one\r\nX-Injected: two");
    response.body = Slice::of("hello");
    responder.respond(std::move(response));
  };
  server.start();
  RawClient client(server.port());
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = client.answer(false);
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length: 99")));
  EXPECT_THAT(head, Not(HasSubstr("\r\nX-Injected")));
  client.send(get_of("/204"));
  EXPECT_THAT(client.answer(), Not(HasSubstr("Content-Length")));
  client.send(get_of("/200"));
  EXPECT_EQ(body_of(client.answer()), "hello");
}

TEST(HttpServer, SpeaksWithOldClientsOnce) {
  TestServer server;
  server.start();
  RawClient client(server.port());
  client.send("POST /as2 HTTP/1.0\r\nContent-Length: 2\r\n\r\nab");
  const std::string answer = client.until_end();
  EXPECT_EQ(body_of(answer), "POST /as2 2");
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

TEST(HttpServer, StreamsALargeAnswerFromItsFile) {
  TestServer server;
  const Bytes octets(5'000'000, 'y');
  SpoolArea area{server.directory.path()};
  const auto spool = std::make_shared<Spool>(area);
  ASSERT_TRUE(spool->write(octets));
  const Slice slice = Spool::finish(spool);
  server.handler.request = [&](HttpRequest, Responder responder) {
    HttpResponse response;
    response.body = slice;
    responder.respond(std::move(response));
  };
  server.start();
  RawClient client(server.port());
  client.send(get_of("/large"));
  EXPECT_EQ(body_of(client.answer()), as_text(octets));
}

TEST(HttpServer, FinishesWhatItHasBegunWhenItStops) {
  TestServer server;
  std::promise<Responder> parked;
  server.handler.request = [&](HttpRequest, Responder responder) { parked.set_value(std::move(responder)); };
  server.start();
  const std::uint16_t port = server.port();
  RawClient busy(port);
  RawClient idle(port);
  busy.send(get_of("/"));
  Responder responder = parked.get_future().get();
  std::thread stopping([&] { server.server->stop(20s); });
  EXPECT_EQ(idle.until_end(), "");
  responder.respond({});
  const std::string answer = busy.until_end();
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  ::shutdown(busy.descriptor(), SHUT_RDWR);
  stopping.join();
  EXPECT_FALSE(RawClient(port).connected());
}

TEST(HttpServer, StopsWhileALargeBodyIsOnItsWayToTheDisk) {
  TestServer server;
  server.config.spool.memory_limit = 1024;
  std::atomic<bool> served = false;
  server.handler.request = [&](HttpRequest, Responder) { served = true; };
  server.start();
  RawClient client(server.port());
  std::promise<void> under_way;
  std::thread sender([&] {
    client.send(post_head("/as2", "Content-Length: 50000000"));
    const std::string piece(64 * 1024, 'x');
    for (int sent = 0; client.send(piece); ++sent)
      if (sent == 60) under_way.set_value();  // more than the sockets' buffers hold
  });
  under_way.get_future().wait();
  server.server->stop(0ms);
  sender.join();
  EXPECT_FALSE(served);
}

TEST(HttpServer, IsOutlivedByAParkedRequestWithoutHarm) {
  std::promise<Responder> parked;
  Responder responder;
  {
    TestServer server;
    server.handler.request = [&](HttpRequest, Responder given) { parked.set_value(std::move(given)); };
    server.start();
    RawClient client(server.port());
    client.send(get_of("/"));
    responder = parked.get_future().get();
    server.server->stop(0ms);
    EXPECT_EQ(client.until_end(), "");
  }
  responder.respond({});
}

TEST(HttpServer, SaysWhyItCannotStart) {
  TestHandler handler;
  HttpServerConfig config;
  config.listeners.push_back({.name = "odd", .address = "localhost", .port = 0, .tls = std::nullopt});
  auto started = HttpServer::start(config, handler);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::InvalidInput);
  EXPECT_THAT(started.error().detail, HasSubstr("localhost"));

  TestServer other;
  other.start();
  config.listeners[0] = {.name = "taken", .address = "127.0.0.1", .port = other.port(), .tls = std::nullopt};
  started = HttpServer::start(config, handler);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::Unavailable);
  EXPECT_THAT(started.error().detail, HasSubstr(std::to_string(other.port())));

  auto identity = signet::test::make_certificate({.common_name = "One"});
  identity.key = signet::test::make_certificate({.common_name = "Another"}).key;
  config.listeners[0] = {.name = "tls", .address = "127.0.0.1", .port = 0, .tls = TlsIdentity{identity, {}}};
  started = HttpServer::start(config, handler);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::InvalidInput);
}

}  // namespace
}  // namespace signet::gateway::test
