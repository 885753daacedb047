#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/endpoint/http_server.h"

/// A handler that tests steer, a server around it, and a client that writes whatever octets it is told to.

namespace signet::gateway::test {

class TestHandler final : public HttpHandler {
 public:
  std::function<HeadVerdict(const HttpRequest&)> head = [](const HttpRequest&) {
    return HeadVerdict::accept(64 << 20);
  };
  std::function<void(HttpRequest, Responder)> request = [](HttpRequest complete, Responder responder) {
    HttpResponse response;
    response.headers.add("Content-Type", "text/plain");
    response.body =
        Slice::of(complete.method + " " + complete.target + " " + std::to_string(complete.body.size()));
    responder.respond(std::move(response));
  };

  HeadVerdict on_head(const HttpRequest& request_head) override {
    {
      const std::lock_guard lock(mutex_);
      targets_.push_back(request_head.target);
    }
    return head(request_head);
  }
  void on_request(HttpRequest complete, Responder responder) override {
    request(std::move(complete), std::move(responder));
  }

  /// Of every request whose head was shown to the handler, in their order.
  std::vector<std::string> targets() {
    const std::lock_guard lock(mutex_);
    return targets_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> targets_;
};

/// A directory that goes away with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = testing::TempDir() + "signet-endpoint-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A server on a free port of the loopback, as one test needs it. Set what is to be different, then start().
struct TestServer {
  TemporaryDirectory directory;
  TestHandler handler;
  HttpServerConfig config;
  std::unique_ptr<HttpServer> server;

  TestServer() {
    config.listeners.push_back({.name = "test", .address = "127.0.0.1", .port = 0, .tls = std::nullopt});
    config.spool.directory = directory.path();
    config.workers = 2;
  }
  void start() {
    auto started = HttpServer::start(config, handler);
    ASSERT_TRUE(started) << started.error().detail;
    server = *std::move(started);
  }
  [[nodiscard]] std::uint16_t port(std::size_t listener = 0) const { return server->ports().at(listener); }
  [[nodiscard]] std::string url(const std::string& target = "/as2",
                                const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port()) + target;
  }
};

/// One TCP connection. Reading gives up after 20 seconds, which no passing test comes near.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int descriptor() const { return socket_; }

  /// @returns false when the peer has closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  /// One answer with its body; what follows it is kept for the next call. Cut short where the connection
  /// ends.
  std::string answer(bool with_body = true) {
    while (buffer_.find("\r\n\r\n") == std::string::npos && fill()) {
    }
    const std::size_t head_end = buffer_.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::exchange(buffer_, {});
    std::size_t size = head_end + 4;
    const std::size_t length = buffer_.find("Content-Length: ");
    if (with_body && length < head_end) size += std::stoul(buffer_.substr(length + 16));
    while (buffer_.size() < size && fill()) {
    }
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, taken.size());
    return taken;
  }

  /// Everything until the peer closes; "RESET" at the end when it did not close properly.
  std::string until_end() {
    while (fill()) {
    }
    return std::exchange(buffer_, {}) + (reset_ ? "RESET" : "");
  }

 private:
  bool fill() {
    char octets[16 * 1024];
    const ssize_t got = ::recv(socket_, octets, sizeof octets, 0);
    reset_ = got < 0;
    if (got <= 0) return false;
    buffer_.append(octets, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool connected_ = false;
  bool reset_ = false;
  std::string buffer_;
};

inline int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.c_str() + 9) : 0;
}
inline std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

inline std::string post_head(const std::string& target, const std::string& framing) {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + framing + "\r\n\r\n";
}
inline std::string post_of(const std::string& target, const std::string& body) {
  return post_head(target, "Content-Length: " + std::to_string(body.size())) + body;
}
inline std::string get_of(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

}  // namespace signet::gateway::test
