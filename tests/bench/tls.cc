#include <fmt/format.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/openssl.h"
#include "tests/bench/bench.h"
#include "tests/bench/receiver.h"
#include "tests/bench/socket.h"
#include "tests/bench/timing.h"
#include "tests/bench/trade.h"
#include "tests/support/test_certificates.h"

/// Small messages over HTTPS, a new connection for each: how much of it is TLS, and nginx beside it.

namespace signet::bench {
namespace {

using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;
using SslPtr = Handle<SSL, SSL_free>;
using SessionPtr = Handle<SSL_SESSION, SSL_SESSION_free>;

constexpr const char* kNginx = "/usr/sbin/nginx";
constexpr std::size_t kStaticSize = 2'500;  // as a receipt
constexpr std::size_t kThreads = 8;

enum class Handshake { New, Resumed };

/// What is asked over each connection, and what the answer has to be.
struct Exchange {
  std::function<std::string()> request;
  std::function<Result<>(std::string_view answer)> check;
};

/// A client that makes one connection after the other.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port) : port_(port), context_(SSL_CTX_new(TLS_client_method())) {}

  Result<std::string> ask(const std::string& request, Handshake handshake) {
    SIGNET_TRY(const Socket socket, connect_to(port_));
    const SslPtr ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), socket.get());
    if (handshake == Handshake::Resumed && session_) SSL_set_session(ssl.get(), session_.get());
    std::size_t written = 0;
    if (SSL_connect(ssl.get()) != 1 || SSL_write_ex(ssl.get(), request.data(), request.size(), &written) != 1)
      return fail(take_openssl_error(ErrorKind::Unavailable, "connecting by TLS"));
    std::string answer;
    char part[16 * 1024];
    std::size_t got = 0;
    while (message_size(answer) == 0) {
      if (SSL_read_ex(ssl.get(), part, sizeof part, &got) != 1)
        return fail(
            take_openssl_error(ErrorKind::Unavailable, "the server closed the connection: " + answer));
      answer.append(part, got);
    }
    if (SSL_session_reused(ssl.get()) == 1) ++resumed_;
    session_.reset(SSL_get1_session(ssl.get()));  // TLS 1.3 sends it after the handshake
    SSL_shutdown(ssl.get());
    return answer;
  }

  [[nodiscard]] std::size_t resumed() const { return resumed_; }

 private:
  const std::uint16_t port_;
  SslCtxPtr context_;
  SessionPtr session_;
  std::size_t resumed_ = 0;
};

struct Connected {
  Repeated connections;
  double resumed_share = 0;
};

Result<Connected> connect_many(std::uint16_t port, const Exchange& exchange, Handshake handshake,
                               double seconds) {
  std::deque<TlsClient> clients;
  for (std::size_t i = 0; i < kThreads; ++i) clients.emplace_back(port);
  SIGNET_TRY(const Repeated connections,
             repeat_on_threads(kThreads, seconds, [&](std::size_t thread) -> Result<> {
               SIGNET_TRY(const std::string answer, clients[thread].ask(exchange.request(), handshake));
               return exchange.check(answer);
             }));
  std::size_t resumed = 0;
  for (const TlsClient& client : clients) resumed += client.resumed();
  return Connected{connections, static_cast<double>(resumed) / static_cast<double>(connections.count)};
}

/// nginx with the same certificate and key, serving one file. Null: it is not installed. Its workers keep our
/// user, who alone may look into the directory.
Result<std::unique_ptr<Running>> start_nginx(const std::filesystem::path& directory, std::uint16_t port,
                                             const certstore::PrivateCertificate& own) {
  if (::access(kNginx, X_OK) != 0) return nullptr;
  std::filesystem::create_directories(directory / "www");
  SIGNET_CHECK(write_file_durably(directory / "tls.cer", as_bytes(own.certificate.pem())));
  SIGNET_CHECK(write_file_durably(directory / "tls.key", as_bytes(test::private_key_pem(own.key))));
  SIGNET_CHECK(write_file_durably(directory / "www" / "receipt", Bytes(kStaticSize, 'r'), 0644));
  const std::string configuration = fmt::format(
      R"(user root;
daemon off;
worker_processes auto;
pid {0}/nginx.pid;
error_log {0}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{1} ssl;
    ssl_certificate {0}/tls.cer;
    ssl_certificate_key {0}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    root {0}/www;
  }}
}}
)",
      directory.string(), port);
  SIGNET_CHECK(write_file_durably(directory / "nginx.conf", as_bytes(configuration)));
  SIGNET_TRY(Running nginx,
             Running::start({kNginx, "-p", directory.string(), "-c", (directory / "nginx.conf").string()}, {},
                            directory / "nginx.out"));
  auto running = std::make_unique<Running>(std::move(nginx));
  for (int i = 0; i < 500 && running->alive(); ++i) {
    if (connect_to(port)) return running;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail(ErrorKind::Unavailable, "nginx did not start; see " + (directory / "nginx.log").string());
}

/// A port that was free a moment ago: nginx cannot choose one by itself.
std::uint16_t free_port() { return Receiver().port(); }

}  // namespace

Result<> measure_tls(Bench& bench) {
  say("small messages over new TLS connections");
  const auto own =
      test::make_certificate({.common_name = "localhost", .subject_alternative_name = "DNS:localhost"});
  SIGNET_TRY(const auto trade, Trade::make(bench, "tls"));
  Company& receiver = trade->receiver();
  SIGNET_CHECK(receiver.import_key("tls", own));
  SIGNET_CHECK(trade->agree());
  SIGNET_CHECK(receiver.serve({"--listen-tls", "127.0.0.1:0", "--tls-certificate", "tls"}));

  std::atomic<std::size_t> next = 0;
  const Exchange message{[&] { return request_text(trade->small()[next++ % trade->small().size()]); },
                         check_answer};
  const Exchange file{[] { return std::string("GET /receipt HTTP/1.1\r\nHost: localhost\r\n\r\n"); },
                      [](std::string_view answer) -> Result<> {
                        if (answer.starts_with("HTTP/1.1 200 ")) return {};
                        return fail(ErrorKind::InvalidInput, "nginx answered: " + std::string(answer));
                      }};
  const std::uint16_t nginx_port = free_port();
  SIGNET_TRY(const auto nginx, start_nginx(bench.directory / "nginx", nginx_port, own));
  bench.figures.section(fmt::format("10 KB inbound over HTTPS, a connection each ({})",
                                    nginx ? "floor: nginx, a file of 2.5 KB" : "nginx is not installed"));
  SIGNET_CHECK(trade->send_small(bench.options.connections, 0.3));  // it warms up
  for (const Handshake handshake : {Handshake::New, Handshake::Resumed}) {
    const auto seconds = bench.quick_or(1.5, 5.0);
    const std::string name = handshake == Handshake::New ? "new" : "resumed";
    const std::string label = handshake == Handshake::New ? "full handshakes" : "resumed sessions";
    const double cpu = receiver.gateway().cpu_seconds();
    SIGNET_TRY(const Connected ours, connect_many(receiver.port("as2-tls"), message, handshake, seconds));
    trade->count_sent(ours.connections.count);
    SIGNET_CHECK(trade->await_delivery());
    const double cpu_each =
        (receiver.gateway().cpu_seconds() - cpu) / static_cast<double>(ours.connections.count) * 1000;
    Connected theirs;
    if (nginx) {
      SIGNET_TRY(theirs, connect_many(nginx_port, file, handshake, seconds));
      bench.figures.row_with_floor("tls." + name + ".messages_per_second", label + ", per second",
                                   ours.connections.per_second(), "/s", theirs.connections.per_second(),
                                   ours.connections.per_second() / theirs.connections.per_second());
      bench.figures.keep("tls." + name + ".nginx_per_second", theirs.connections.per_second());
    } else {
      bench.figures.row("tls." + name + ".messages_per_second", label + ", per second",
                        ours.connections.per_second(), "/s");
    }
    bench.figures.row("tls." + name + ".cpu_ms_per_message", "  CPU of the gateway per message, all of it",
                      cpu_each, "ms");
    if (handshake == Handshake::Resumed)
      bench.figures.row("tls.resumed.share", "  share of the connections that were resumed",
                        ours.resumed_share, "");
  }
  return {};
}

}  // namespace signet::bench
