#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/stream.h"
#include "gateway/endpoint/http_gate.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/simulator/wire.h"

/// An HTTP server for partners that misbehave: what a handler does happens on the wire in that order,
/// well-formed or not. A thread for each connection, no TLS: for tests, not for strangers. Requests are read
/// by the gateway's own gate.

namespace signet::gateway::simulator {

/// One request and the way back to its sender, on the connection's own thread. A handler that returns without
/// having answered closes the connection.
class Conversation {
 public:
  /// Everything but the body.
  [[nodiscard]] const HttpRequest& head() const { return head_; }

  /// @error Unavailable  the sender has gone away.  @error LimitExceeded, InvalidInput  the body, or its
  /// framing.
  Result<Slice> read_body();
  /// Waits for the body's first octets only.
  Result<> read_beginning();

  /// One answer, whole. @error Unavailable  the sender has gone away; so for all below.
  Result<> answer(const HttpResponse& response);
  /// Octet by octet, taking `time` for all of it.
  Result<> answer_in_drips(const HttpResponse& response, std::chrono::milliseconds time);
  /// The first half of it, and then a reset.
  Result<> answer_half(const HttpResponse& response);
  /// Octets that need be no HTTP; the connection is closed behind them.
  Result<> send_raw(ByteView octets);
  void reset();

  /// @returns false when the server is being stopped.
  [[nodiscard]] bool pause(std::chrono::milliseconds time) const { return stop_.pause(time); }

 private:
  friend class WireServer;
  Conversation(WireSocket& socket, const StopSignal& stop, const Clock& clock, const SpoolArea& spool,
               Bytes& input)
      : socket_(socket), stop_(stop), clock_(clock), spool_(spool), input_(input) {}

  /// @returns whether there is a request; not when the sender is done, or sends what is none.
  bool read_head(const std::string& peer_address);
  Result<std::size_t> read_more(std::chrono::milliseconds patience);
  Result<Bytes> on_wire(const HttpResponse& response) const;

  WireSocket& socket_;
  const StopSignal& stop_;
  const Clock& clock_;
  const SpoolArea& spool_;
  Bytes& input_;  ///< read, and not yet understood; what is left belongs to the next request
  RequestHead gate_head_;
  HttpRequest head_;
  bool body_read_ = false;
  bool keeps_connection_ = false;
};

class WireServer {
 public:
  using Handler = std::function<void(Conversation&)>;

  /// Listens at once; port 0 takes any free one. Everything given by reference outlives the server.
  ///
  /// @error InvalidInput  an address that is not numeric.  @error Unavailable  one that cannot be taken.
  static Result<std::unique_ptr<WireServer>> start(const Listener& listener, SpoolArea spool,
                                                   const Clock& clock, Handler handler);
  /// As stop().
  ~WireServer();
  WireServer(const WireServer&) = delete;
  WireServer& operator=(const WireServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Cuts every connection off, and waits for the handlers. Idempotent.
  void stop();

 private:
  struct Line {
    std::thread thread;
    bool ended = false;  ///< guarded by mutex_
  };

  WireServer(SpoolArea spool, const Clock& clock, Handler handler);
  void accept_all();
  void serve(WireSocket socket, const std::string& peer_address);
  void join_ended();

  StopSignal stop_;
  const SpoolArea spool_;
  const Clock& clock_;
  const Handler handler_;
  std::unique_ptr<WireSocket> listening_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::list<Line> lines_;  ///< touched by the accepting thread only, but for `ended`
  std::thread accepting_;
};

}  // namespace signet::gateway::simulator
