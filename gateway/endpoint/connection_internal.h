#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "gateway/endpoint/http_gate.h"
#include "gateway/endpoint/http_server.h"
#include "gateway/endpoint/request_queue.h"

/// One connection's life, and what all connections share. Internal to the module: the only header that shows
/// Boost.Asio.

namespace signet::gateway {

namespace asio = boost::asio;
// Asio's own types with the executor named, which spares an indirect call for every operation.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// How many connections may be told at once that there is no room; the others are closed without a word.
inline constexpr std::size_t kTurnedAway = 64;

/// How many connections are open, in all and from each address. Thread-safe.
class ConnectionBook {
 public:
  ConnectionBook(std::size_t limit, std::size_t limit_per_address)
      : limit_(limit), limit_per_address_(limit_per_address) {}

  /// Counts one more from `address` (for IPv6 its network of 64 bits counts) unless that is too many.
  bool admit(const asio::ip::address& address);
  void release(const asio::ip::address& address);
  [[nodiscard]] std::size_t open() const;
  /// Waits until none is open, at most until `deadline`.
  void wait_until_empty(SteadyTime deadline);

 private:
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t count_ = 0;
  std::map<asio::ip::address, std::size_t> of_address_;
  const std::size_t limit_;
  const std::size_t limit_per_address_;
};

/// How much memory bodies may take together. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t size) : left_(size) {}

  /// @returns whether there was so much left; then it is the caller's until give_back().
  bool take(std::size_t size);
  void give_back(std::size_t size) { left_ += size; }

 private:
  std::atomic<std::size_t> left_;
};

/// What comes by the thousand once it comes at all: it is counted, and the log hears of it once a second. On
/// its loop's thread, but for total().
class Tally {
 public:
  Tally(asio::io_context& io, std::string_view event, std::string_view reason)
      : event_(event), reason_(reason), timer_(io) {}

  /// One more, at `listener`, from `remote`.
  void add(const std::string& listener, const std::string& remote);
  /// Tells the log what it has not heard of yet.
  void report();
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  const std::string_view event_;
  const std::string_view reason_;
  Timer timer_;
  std::atomic<std::uint64_t> total_{0};
  std::uint64_t reported_ = 0;
  std::string listener_;  ///< of the newest
  std::string remote_;
};

class Connection;

/// A thread that waits on many connections. Everything of a connection happens on its loop's thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] asio::io_context& io() { return io_; }
  /// Has the loop's thread call `job`; drops it once the loop has ended. Thread-safe.
  void post(std::function<void()> job);
  /// Ends the thread once nothing waits any more: every connection and acceptor must have been closed, or be
  /// about to be.
  void stop();

  /// Both are of the loop's thread.
  [[nodiscard]] Tally& connections_turned_away() { return connections_turned_away_; }
  [[nodiscard]] Tally& requests_turned_away() { return requests_turned_away_; }

  std::unordered_set<Connection*> connections;  ///< open ones; touched by the loop's thread only

 private:
  void run();

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  Tally connections_turned_away_;
  Tally requests_turned_away_;
  std::mutex mutex_;
  bool ended_ = false;
  std::thread thread_;
};

/// What all connections of a server share. A connection that is parked may outlive the server, so it is held
/// by all of them.
struct FrontDoor {
  FrontDoor(const HttpServerConfig& config, HttpHandler& handler_in);

  const HttpLimits limits;
  const SpoolArea spool;
  HttpHandler& handler;
  const HttpResponse busy;        ///< to every request that no worker has time for
  const HttpResponse not_served;  ///< to every one that the handler fails at
  ConnectionBook book;
  ConnectionBook turned_away;  ///< those that only stay until they have read that there is no room
  MemoryBudget memory;
  Loop plain;  ///< for listeners without TLS
  Loop tls;    ///< for the others: a handshake's arithmetic never delays a plain connection
  SideThread disk;
  RequestQueue queue;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  /// `tls` is borrowed and only looked at here. `book`, one of the door's, has counted the connection; it is
  /// released when it closes.
  Connection(std::shared_ptr<FrontDoor> door, ConnectionBook& book, Loop& loop, Socket socket,
             asio::ip::address address, std::string listener, asio::ssl::context* tls);

  void start();
  /// In the place of start(), without TLS: says that there is no room, and closes.
  void turn_away();
  /// Finishes the request that is being read or served, if there is one, and then closes.
  void drain();
  void close();
  /// The answer to the request that is parked, from any thread.
  void answer(HttpResponse response);
  [[nodiscard]] const HttpResponse& not_served() const { return door_->not_served; }

 private:
  enum class Phase {
    Handshake,
    Idle,  ///< nothing of a next request has come
    Head,
    Body,
    Skipping,  ///< as Body, of a request that is turned away: it is thrown away
    Serving,   ///< the request is with a worker, or parked
    Writing,
    Closing,  ///< our answer is out; what the peer still sends is thrown away, so that it reads the answer
              ///< and no reset
    Closed,
  };
  // Reading
  void read_more();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void advance();
  void read_head();
  void begin_request();
  void turn_away_request();
  void skip_body();
  void begin_body(std::uint64_t limit);
  std::optional<SpoolArea> area_for_body();
  void release_spool();
  void read_body();
  void store(GateVerdict reading);
  Result<> write_down(Spool& spool) const;
  void on_stored(GateVerdict reading, const Result<>& stored);
  void read_more_of_body();
  void hand_over();

  // Answering
  void refuse(const Refusal& refusal);
  void tell_too_large(const std::string& reason);
  void respond(HttpResponse response);
  void respond_busy();
  void send(std::string head, std::uint64_t body_size, bool close);
  void write_piece();
  Result<ByteView> piece_of_body(std::size_t size);
  void on_written();
  void next_request();
  void linger();
  void throw_away();

  // Deadlines
  [[nodiscard]] SteadyTime transfer_deadline(std::uint64_t octets) const;
  void set_deadline(SteadyTime deadline);
  void arm();
  void on_deadline();

  /// Writes all of `buffers`, then calls `done`; closes when they cannot be written.
  template <class Buffers>
  void write(const Buffers& buffers, void (Connection::*done)());
  void grow_input();

  std::shared_ptr<FrontDoor> door_;
  ConnectionBook& book_;
  Loop& loop_;
  Socket socket_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
  const asio::ip::address address_;
  const std::string remote_address_;
  const std::string listener_;
  std::optional<certstore::Certificate> client_certificate_;

  Phase phase_ = Phase::Handshake;
  bool draining_ = false;
  std::optional<Refusal> overdue_;  ///< a deadline passed while a read or a disk write was out
  Timer timer_;
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime armed_ = SteadyTime::max();
  SteadyTime transfer_start_{};

  Bytes input_;
  ByteView rest_;                ///< of input_: read, and not yet understood
  unsigned reads_in_a_row_ = 0;  ///< without other connections having had their turn
  HeadReader head_reader_;
  RequestHead head_;
  HttpRequest request_;
  std::string request_id_;  ///< empty between requests
  bool head_only_ = false;  ///< the method is HEAD
  std::optional<BodyReader> body_reader_;
  std::shared_ptr<Spool> spool_;
  std::size_t in_memory_ = 0;  ///< of the budget: as much of the body as may lie in memory
  Bytes payload_;              ///< taken out of input_, on its way into the spool

  HttpResponse response_;
  std::string output_;         ///< the answer's head
  Bytes body_piece_;           ///< of an answer's body that does not lie in memory
  std::uint64_t written_ = 0;  ///< of the answer's body
  std::uint64_t to_write_ = 0;
  bool close_after_ = false;
  std::uint64_t thrown_away_ = 0;
};

}  // namespace signet::gateway
