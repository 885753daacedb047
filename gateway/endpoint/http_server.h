#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "certstore/x509/key_handle.h"
#include "gateway/endpoint/http_message.h"
#include "gateway/endpoint/tls_rules.h"

/// The front door: HTTP/1.1 over TCP and TLS for every listener of the gateway.
///
/// Few threads whatever the number of connections: one that waits on all plain connections, one for all TLS
/// connections (so that a handshake's arithmetic never delays a plain one), one that writes large bodies to
/// disk, and the workers. A request reaches a worker only when it is complete, so a slow peer costs a socket
/// and a few kilobytes, never a thread.

namespace signet::gateway {

/// The way back to one request's sender. Movable, callable from any thread, at any time, also after the
/// server has stopped (then nothing is sent). Until it is called the connection is parked and costs no
/// thread.
class Responder {
 public:
  /// Where answers go. The server has its own; a test of a handler may have another.
  class Target {
   public:
    virtual ~Target() = default;
    virtual void answer(HttpResponse response) = 0;  ///< heeds its first call only
    virtual void give_up() = 0;  ///< the responder is gone; nothing unless it never answered
  };

  Responder() = default;
  explicit Responder(std::shared_ptr<Target> target);
  Responder(Responder&& other) noexcept;
  Responder& operator=(Responder&& other) noexcept;
  /// A request that nobody answered is answered by 500.
  ~Responder();

  /// Sends the answer. The first call counts; later ones do nothing.
  void respond(HttpResponse response);

 private:
  std::shared_ptr<Target> target_;
};

/// What on_head() decides about a request before its body is read.
struct HeadVerdict {
  std::uint64_t body_limit = 0;  ///< octets; a longer body is answered by 413
  std::optional<HttpResponse>
      refusal;  ///< answered at once when set, and the connection closed if a body was coming

  static HeadVerdict accept(std::uint64_t limit) { return {limit, std::nullopt}; }
  static HeadVerdict refuse(HttpResponse response) { return {0, std::move(response)}; }
};

/// Whoever serves the requests. All members are called from several threads at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  /// After the head and before the body, on a thread that all connections share: it must not wait for
  /// anything. The method is one of those that HttpRequest::method lists; whether it makes sense at this
  /// target is decided here (405).
  virtual HeadVerdict on_head(const HttpRequest& head) = 0;

  /// A request whose body is longer than on_head() allowed (`reason` says how long that is): it is answered
  /// 413 and never complete. On the shared thread, too. Nothing needs to be done.
  virtual void on_too_large(const HttpRequest& head, const std::string& reason) {
    static_cast<void>(head);
    static_cast<void>(reason);
  }

  /// The answer to a request that the server itself turns away, be it for its form or for want of room. Plain
  /// text, unless the handler's peers need another form. At any time, also before there is a request, and
  /// without waiting for anything.
  ///
  /// @param request_id  empty where many are answered the same
  virtual HttpResponse on_refusal(int status, const std::string& reason, const std::string& request_id) {
    return text_response(status, reason, request_id);
  }

  /// The complete request, on a worker. It may keep the responder and return; the worker is then free for
  /// other requests.
  virtual void on_request(HttpRequest request, Responder responder) = 0;
};

/// Our certificate and key for a TLS listener; the key may be one that only the vault can use.
struct TlsIdentity {
  certstore::PrivateCertificate own;
  std::vector<certstore::Certificate> chain;  ///< intermediates, in sending order, without the root
  /// Shown in its place to who asks for a host (server_name, RFC 6066 section 3) that the first of these is
  /// for and it is not. They have none themselves.
  std::vector<TlsIdentity> for_other_hosts = {};
};

/// Whether a TLS listener asks its clients for a certificate. Whichever they show is taken, if they prove to
/// have its key: see HttpRequest::client_certificate.
enum class ClientCertificates {
  NotAsked,
  Wanted,    ///< who has none is served all the same
  Required,  ///< who has none gets no further than the handshake
};

struct Listener {
  std::string name = "as2";
  std::string address = "0.0.0.0";  ///< numeric IPv4 or IPv6
  std::uint16_t port = 0;           ///< 0 takes any free one; HttpServer::ports() tells which
  std::optional<TlsIdentity> tls;
  ClientCertificates client_certificates = ClientCertificates::NotAsked;
  TlsRules tls_rules;
};

/// What a peer may take of us. Deadlines are absolute: a drip of single octets does not move them.
struct HttpLimits {
  std::size_t head_size = 32 * 1024;   ///< octets of request line and fields together: 431
  std::size_t field_count = 100;       ///< fields of a head: 431
  std::size_t target_size = 8 * 1024;  ///< octets of the request target: 414
  /// Whether "%2F" may stand in a path, which some would resolve as a slash: for handlers alone that look
  /// nothing up by what is behind it.
  bool encoded_slashes = false;

  std::chrono::milliseconds handshake_time{10'000};  ///< for the whole TLS handshake
  std::chrono::milliseconds head_time{
      10'000};  ///< from the first octet (of a first request: from accept) to the head's end: 408
  std::chrono::milliseconds idle_time{60'000};  ///< between an answer and the next request's first octet
  std::chrono::milliseconds transfer_grace{
      20'000};  ///< what a body or an answer may take however small it is
  std::uint64_t minimum_rate =
      2048;  ///< octets a second that a body or an answer must keep beyond its grace: 408
  std::chrono::milliseconds transfer_time{4 * 3'600'000};  ///< for one body or answer, however fast it is
  std::chrono::milliseconds linger_time{
      2'000};  ///< how long a closing connection is read on, so that the peer sees our answer
  /// Octets thrown away meanwhile, at most. The body of a request that is turned away because too many wait
  /// is read up to this size, so that its connection can stay.
  std::uint64_t linger_size = 4 * 1024 * 1024;

  /// Open at once, over all listeners; more are answered 503 and closed. Fewer where the process may not open
  /// the descriptors for them.
  std::size_t connections = 4096;
  std::size_t connections_per_address = 512;  ///< of those, from one address
  std::size_t queued_requests =
      1024;  ///< complete requests that wait for a worker: 503 with Retry-After beyond
  /// Octets of all bodies that lie in memory, until they are answered. What would go beyond lies in files
  /// from its first octet on, however small it is.
  std::size_t memory_for_bodies = 64 * 1024 * 1024;
  /// Whether it may lie there; else such a request is answered 503. (What is no larger than the spool's
  /// memory limit comes into no file either way, as long as there is room.)
  bool bodies_in_files = true;
};

struct HttpServerConfig {
  std::vector<Listener> listeners;
  HttpLimits limits;
  SpoolArea spool;       ///< where bodies are kept while they arrive
  unsigned workers = 0;  ///< for small requests, and as many for large ones; 0: as many as there are cores
};

/// What a server has in hand at a moment, and what it had no room for since it began.
struct HttpLoad {
  std::size_t connections = 0;      ///< open ones
  std::size_t queued_requests = 0;  ///< complete ones that wait for a worker
  std::uint64_t connections_turned_away = 0;
  std::uint64_t requests_turned_away = 0;
};

class HttpServer {
 public:
  /// Opens every listener. Peers can connect from now on, and wait until accept(). `handler` must outlive the
  /// server.
  ///
  /// @error InvalidInput  an address that is not numeric, or a TLS identity whose key does not fit its
  /// certificate.
  /// @error Unavailable   an address or port that cannot be taken; the text names it.
  static Result<std::unique_ptr<HttpServer>> listen(HttpServerConfig config, HttpHandler& handler);
  /// Begins to serve. Once.
  void accept();
  /// listen() and accept(), for who has nothing to do in between.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerConfig config, HttpHandler& handler);

  /// As stop() with no time to drain.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The ports taken, in the order of the listeners.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;

  [[nodiscard]] HttpLoad load() const;

  /// From now on the TLS listeners of this name show another identity to whoever connects; open connections
  /// keep what they have. No session of before is resumed: who comes back sees the new identity. Not while
  /// stop() runs.
  ///
  /// @error InvalidInput  the key does not fit its certificate: nothing has changed.  @error NotFound  no TLS
  /// listener has the name.
  Result<> renew_tls(std::string_view listener, const TlsIdentity& identity);

  /// Stops accepting at once, lets requests that are being read or served finish for at most `drain`, then
  /// cuts the rest off. The handler is not called any more once this returns. Calling it again does nothing.
  void stop(std::chrono::milliseconds drain);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::gateway
