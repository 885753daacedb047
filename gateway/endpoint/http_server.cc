#include "gateway/endpoint/http_server.h"

#include <fmt/format.h>

#include <sys/resource.h>

#include <boost/asio/ip/v6_only.hpp>

#include "base/log.h"
#include "gateway/endpoint/connection_internal.h"
#include "gateway/endpoint/tls_context_internal.h"

namespace signet::gateway {

Responder::Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}
Responder::Responder(Responder&& other) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (target_) target_->give_up();
    target_ = std::move(other.target_);
  }
  return *this;
}

Responder::~Responder() {
  if (target_) target_->give_up();
}

void Responder::respond(HttpResponse response) {
  if (target_) target_->answer(std::move(response));
}

namespace {

/// How long accepting rests when the process has no descriptors left.
constexpr std::chrono::milliseconds kAcceptPause{50};
/// How long the answers of a stop that drained too long may take.
constexpr std::chrono::milliseconds kLastAnswers{200};

/// Descriptors of the store, of hand-overs, of posts to partners, and of those who are told that there is no
/// room.
constexpr std::size_t kOtherFiles = 256 + kTurnedAway;
/// A socket, and perhaps a body in a file.
constexpr std::size_t kFilesOfConnection = 2;

/// Raises the process's limit of descriptors as far as is needed and permitted. @returns how many connections
/// there may be, so that the rest of the process never lacks one.
std::size_t make_room_for_connections(std::size_t wanted) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlim_t needed = wanted * kFilesOfConnection + kOtherFiles;
  if (files.rlim_cur < needed && files.rlim_cur < files.rlim_max) {
    rlimit raised = files;
    raised.rlim_cur = std::min(needed, files.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  if (files.rlim_cur >= needed) return wanted;
  const std::size_t room =
      files.rlim_cur > kOtherFiles ? (files.rlim_cur - kOtherFiles) / kFilesOfConnection : 0;
  const std::size_t possible = std::max(std::size_t{1}, room);
  log::warning(
      "http-connections-limited",
      {{"connections", std::to_string(possible)},
       {"reason", fmt::format("{} were wanted, for which the process would need {} file descriptors; "
                              "raise its limit (ulimit -n, LimitNOFILE)",
                              wanted, needed)}});
  return possible;
}

/// One open port. Lives on its loop's thread once it accepts.
class OpenPort : public std::enable_shared_from_this<OpenPort> {
 public:
  static Result<std::shared_ptr<OpenPort>> open(const std::shared_ptr<FrontDoor>& door,
                                                const Listener& listener);

  OpenPort(std::shared_ptr<FrontDoor> door, Loop& loop, const Listener& listener)
      : door_(std::move(door)),
        loop_(loop),
        name_(listener.name),
        client_certificates_(listener.client_certificates),
        tls_rules_(listener.tls_rules),
        acceptor_(loop_.io()),
        pause_(loop_.io()) {}

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_tls() const { return tls_.has_value(); }
  [[nodiscard]] Result<SslCtxPtr> context_for(const TlsIdentity& identity) const {
    return make_server_context(identity, client_certificates_, tls_rules_);
  }

  /// On the loop's thread. Connections hold what they were made with.
  void show(asio::ssl::context identity) { *tls_ = std::move(identity); }

  void accept() {
    acceptor_.async_accept(
        [self = shared_from_this()](const boost::system::error_code& error, Socket socket) {
          if (!self->acceptor_.is_open()) return;
          if (error) return self->rest(error);
          self->admit(std::move(socket));
          self->accept();
        });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  Result<> bind(const Listener& listener);

  void rest(const boost::system::error_code& error) {
    log::error("http-accept-failed", {{"listener", name_}, {"reason", error.message()}});
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
      if (self->acceptor_.is_open()) self->accept();
    });
  }

  void admit(Socket socket) {
    boost::system::error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (error) return;  // gone already
    if (!door_->book.admit(remote.address())) return turn_away(std::move(socket), remote.address());
    std::make_shared<Connection>(door_, door_->book, loop_, std::move(socket), remote.address(), name_,
                                 tls_ ? &*tls_ : nullptr)
        ->start();
  }

  /// A handshake is more than it is worth, so a TLS peer is told nothing; nor are others when too many are
  /// being told.
  void turn_away(Socket socket, const asio::ip::address& address) {
    loop_.connections_turned_away().add(name_, address.to_string());
    if (tls_ || !door_->turned_away.admit(address)) return;
    std::make_shared<Connection>(door_, door_->turned_away, loop_, std::move(socket), address, name_, nullptr)
        ->turn_away();
  }

  std::shared_ptr<FrontDoor> door_;
  Loop& loop_;
  const std::string name_;
  const ClientCertificates client_certificates_;
  const TlsRules tls_rules_;
  std::uint16_t port_ = 0;
  std::optional<asio::ssl::context> tls_;
  Acceptor acceptor_;
  Timer pause_;
};

Result<std::shared_ptr<OpenPort>> OpenPort::open(const std::shared_ptr<FrontDoor>& door,
                                                 const Listener& listener) {
  auto port = std::make_shared<OpenPort>(door, listener.tls ? door->tls : door->plain, listener);
  if (listener.tls) {
    SIGNET_TRY(SslCtxPtr context, port->context_for(*listener.tls));
    port->tls_.emplace(context.release());
  }
  SIGNET_CHECK(port->bind(listener));
  return port;
}

Result<> OpenPort::bind(const Listener& listener) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(listener.address, error);
  if (error)
    return fail(ErrorKind::InvalidInput,
                fmt::format("the address of listener '{}' must be a numeric IPv4 or IPv6 address, not '{}'",
                            name_, printable(listener.address)));
  const asio::ip::tcp::endpoint endpoint(address, listener.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(
        ErrorKind::Unavailable,
        fmt::format(
            "listener '{}' cannot have {} port {}: {}; end what listens there, or give it another address",
            name_, listener.address, listener.port, error.message()));
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerConfig& config, HttpHandler& handler)
      : door_(std::make_shared<FrontDoor>(config, handler)) {}
  ~Impl() { stop(std::chrono::milliseconds(0)); }

  Result<> open(const std::vector<Listener>& listeners) {
    for (const Listener& listener : listeners) {
      SIGNET_TRY(std::shared_ptr<OpenPort> port, OpenPort::open(door_, listener));
      ports_.push_back(std::move(port));
      loops_of_ports_.push_back(listener.tls ? &door_->tls : &door_->plain);
      port_numbers_.push_back(ports_.back()->port());
    }
    return {};
  }

  void accept() {
    for (std::size_t i = 0; i < ports_.size(); ++i)
      loops_of_ports_[i]->post([port = ports_[i]] { port->accept(); });
  }

  [[nodiscard]] std::vector<std::uint16_t> ports() const { return port_numbers_; }

  [[nodiscard]] HttpLoad load() const {
    return {door_->book.open(), door_->queue.waiting(),
            door_->plain.connections_turned_away().total() + door_->tls.connections_turned_away().total(),
            door_->plain.requests_turned_away().total() + door_->tls.requests_turned_away().total()};
  }

  Result<> renew_tls(std::string_view listener, const TlsIdentity& identity) {
    std::vector<std::pair<std::shared_ptr<OpenPort>, std::shared_ptr<asio::ssl::context>>> renewed;
    for (const auto& port : ports_) {
      if (!port->is_tls() || port->name() != listener) continue;
      SIGNET_TRY(SslCtxPtr context, port->context_for(identity));
      renewed.emplace_back(port, std::make_shared<asio::ssl::context>(context.release()));
    }
    if (renewed.empty())
      return fail(ErrorKind::NotFound, fmt::format("no TLS listener is called '{}'", printable(listener)));
    for (auto& [port, context] : renewed)
      door_->tls.post([port = port, context = context] { port->show(std::move(*context)); });
    return {};
  }

  void stop(std::chrono::milliseconds drain) {
    if (std::exchange(stopped_, true)) return;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      loops_of_ports_[i]->post([port = ports_[i]] { port->close(); });
    ports_.clear();
    for_all_connections([](Connection& connection) { connection.drain(); });
    door_->book.wait_until_empty(std::chrono::steady_clock::now() + drain);
    door_->queue.stop();
    if (drain.count() > 0) door_->book.wait_until_empty(std::chrono::steady_clock::now() + kLastAnswers);
    for_all_connections([](Connection& connection) { connection.close(); });
    door_->disk.stop();
    door_->plain.stop();
    door_->tls.stop();
  }

 private:
  void for_all_connections(void (*act)(Connection&)) {
    for (Loop* loop : {&door_->plain, &door_->tls}) {
      loop->post([loop, act] {
        // They take themselves out of the set.
        const std::vector<Connection*> open(loop->connections.begin(), loop->connections.end());
        for (Connection* connection : open) act(*connection->shared_from_this());
      });
    }
  }

  std::shared_ptr<FrontDoor> door_;
  std::vector<std::shared_ptr<OpenPort>> ports_;
  std::vector<Loop*> loops_of_ports_;
  std::vector<std::uint16_t> port_numbers_;
  bool stopped_ = false;
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(HttpServerConfig config, HttpHandler& handler) {
  config.limits.connections = make_room_for_connections(config.limits.connections);
  auto impl = std::make_unique<Impl>(config, handler);
  SIGNET_CHECK(impl->open(config.listeners));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerConfig config, HttpHandler& handler) {
  SIGNET_TRY(auto server, listen(std::move(config), handler));
  server->accept();
  return server;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

void HttpServer::accept() { impl_->accept(); }
std::vector<std::uint16_t> HttpServer::ports() const { return impl_->ports(); }
HttpLoad HttpServer::load() const { return impl_->load(); }
Result<> HttpServer::renew_tls(std::string_view listener, const TlsIdentity& identity) {
  return impl_->renew_tls(listener, identity);
}
void HttpServer::stop(std::chrono::milliseconds drain) { impl_->stop(drain); }

}  // namespace signet::gateway
