#include "gateway/endpoint/connection_internal.h"

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <utility>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/endpoint/http_wire.h"
#include "gateway/endpoint/tls_context_internal.h"

namespace signet::gateway {
namespace {

constexpr std::size_t kSmallInput = 8 * 1024;  ///< buffer of a connection that has no large body under way
constexpr std::size_t kLargeInput =
    64 * 1024;                             ///< buffer while a body arrives that is longer than a small one
constexpr std::size_t kPiece = 64 * 1024;  ///< of an answer's body, written in one go
constexpr unsigned kReadsInARow = 8;       ///< of a body, before other connections have their turn
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
/// The answer to a connection that there is no room for.
constexpr std::string_view kNoRoom =
    "HTTP/1.1 503 Service Unavailable\r\nServer: Signet\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

/// How many of one address may be told at once that there is no room.
constexpr std::size_t kTurnedAwayPerAddress = 16;

/// How long the log does not hear of what is counted.
constexpr std::chrono::seconds kTallyTime{1};

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

HeadLimits head_limits(const HttpLimits& limits) {
  return {limits.head_size, limits.field_count, limits.target_size, limits.encoded_slashes};
}

/// What counts as one address: an IPv4 address however it is written, or the network of an IPv6 address.
asio::ip::address counted_as(const asio::ip::address& address) {
  if (!address.is_v6()) return address;
  const asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
  auto octets = v6.to_bytes();
  std::fill(octets.begin() + 8, octets.end(), std::uint8_t{0});
  return asio::ip::address_v6(octets);
}

/// Made once, since under overload most answers are this one.
HttpResponse busy_response(HttpHandler& handler) {
  HttpResponse busy = handler.on_refusal(503, "too many requests wait: try again later", {});
  busy.headers.set("Retry-After", "2");
  return busy;
}

/// One request's way back: it leads to the connection once.
class RequestTarget final : public Responder::Target {
 public:
  explicit RequestTarget(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  void answer(HttpResponse response) override {
    if (!answered_.test_and_set()) connection_->answer(std::move(response));
  }
  void give_up() override {
    if (!answered_.test()) answer(connection_->not_served());
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::atomic_flag answered_ = ATOMIC_FLAG_INIT;
};

}  // namespace

bool ConnectionBook::admit(const asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  if (count_ >= limit_) return false;
  std::size_t& of_address = of_address_[counted_as(address)];
  if (of_address >= limit_per_address_) return false;
  ++of_address;
  ++count_;
  return true;
}

void ConnectionBook::release(const asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  const auto entry = of_address_.find(counted_as(address));
  if (--entry->second == 0) of_address_.erase(entry);
  if (--count_ == 0) empty_.notify_all();
}

std::size_t ConnectionBook::open() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void ConnectionBook::wait_until_empty(SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  empty_.wait_until(lock, deadline, [this] { return count_ == 0; });
}

bool MemoryBudget::take(std::size_t size) {
  std::size_t left = left_;
  while (left >= size)
    if (left_.compare_exchange_weak(left, left - size)) return true;
  return false;
}

void Tally::add(const std::string& listener, const std::string& remote) {
  if (total_ == reported_) {
    timer_.expires_after(kTallyTime);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) report();
    });
  }
  ++total_;
  listener_ = listener;
  remote_ = remote;
}

void Tally::report() {
  timer_.cancel();
  const std::uint64_t count = total_ - std::exchange(reported_, total_.load());
  if (count == 0) return;
  log::warning(event_, {{"listener", listener_},
                        {"remote", remote_},
                        {"count", std::to_string(count)},
                        {"reason", std::string(reason_)}});
}

Loop::Loop()
    : work_(asio::make_work_guard(io_)),
      connections_turned_away_(io_, "http-connections-refused", "too many are open"),
      requests_turned_away_(io_, "http-requests-refused", "too many requests wait for a worker"),
      thread_([this] { run(); }) {}

// One connection that cannot go on, because memory has run out, must not end all the others.
void Loop::run() {
  for (;;) try {
      io_.run();
      return;
    } catch (const std::exception& thrown) {
      log::error("connection-given-up", {{"reason", thrown.what()}});
    }
}

Loop::~Loop() { stop(); }

void Loop::post(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (!ended_) asio::post(io_, std::move(job));
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true))
      asio::post(io_, [this] {
        connections_turned_away_.report();
        requests_turned_away_.report();
      });
  }
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

FrontDoor::FrontDoor(const HttpServerConfig& config, HttpHandler& handler_in)
    : limits(config.limits),
      spool(config.spool),
      handler(handler_in),
      busy(busy_response(handler_in)),
      not_served(handler_in.on_refusal(500, "the request could not be served", {})),
      book(config.limits.connections, config.limits.connections_per_address),
      turned_away(kTurnedAway, kTurnedAwayPerAddress),
      memory(config.limits.memory_for_bodies),
      queue(handler_in, config.limits.queued_requests,
            config.workers > 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency())) {}

Connection::Connection(std::shared_ptr<FrontDoor> door, ConnectionBook& book, Loop& loop, Socket socket,
                       asio::ip::address address, std::string listener, asio::ssl::context* tls)
    : door_(std::move(door)),
      book_(book),
      loop_(loop),
      socket_(std::move(socket)),
      address_(std::move(address)),
      remote_address_(counted_as(address_).is_v4() ? counted_as(address_).to_string() : address_.to_string()),
      listener_(std::move(listener)),
      timer_(loop_.io()),
      input_(kSmallInput),
      head_reader_(head_limits(door_->limits)) {
  if (tls != nullptr) tls_.emplace(socket_, *tls);
}

void Connection::start() {
  loop_.connections.insert(this);
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  if (!tls_) {
    phase_ = Phase::Head;
    set_deadline(steady_now() + door_->limits.head_time);
    return read_more();
  }
  phase_ = Phase::Handshake;
  set_deadline(steady_now() + door_->limits.handshake_time);
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](
                                                            const boost::system::error_code& error) {
    if (self->phase_ == Phase::Closed) return;
    if (error) {
      log::warning("tls-handshake-failed", {{"remote", self->remote_address_}, {"reason", error.message()}});
      return self->close();
    }
    self->client_certificate_ = client_certificate(self->tls_->native_handle());
    self->phase_ = Phase::Head;
    self->set_deadline(steady_now() + self->door_->limits.head_time);
    self->read_more();
  });
}

void Connection::turn_away() {
  loop_.connections.insert(this);
  phase_ = Phase::Closing;
  set_deadline(steady_now() + door_->limits.linger_time);
  write(std::array{asio::buffer(kNoRoom)}, &Connection::linger);
}

void Connection::drain() {
  draining_ = true;
  if (phase_ == Phase::Handshake || phase_ == Phase::Idle ||
      (phase_ == Phase::Head && !head_reader_.started()))
    close();
}

void Connection::close() {
  if (phase_ == Phase::Closed) return;
  phase_ = Phase::Closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  release_spool();
  loop_.connections.erase(this);
  book_.release(address_);
}

// ---- Reading
// -------------------------------------------------------------------------------------------------------

void Connection::read_more() {
  const auto done = [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
    self->reads_in_a_row_ = 0;
    self->on_read(error, size);
  };
  const auto buffer = asio::buffer(input_.data(), input_.size());
  if (tls_) {
    tls_->async_read_some(buffer, done);
  } else {
    socket_.async_read_some(buffer, done);
  }
}

void Connection::on_read(const boost::system::error_code& error, std::size_t size) {
  if (phase_ == Phase::Closed) return;
  if (overdue_) return refuse(*overdue_);
  if (error) {
    if (phase_ == Phase::Body)
      log::warning("http-request-broken-off",
                   {{"request", request_id_}, {"remote", remote_address_}, {"reason", error.message()}});
    return close();
  }
  rest_ = ByteView(input_).first(size);
  advance();
}

/// Goes on with what has been read, or reads more.
void Connection::advance() {
  if (phase_ == Phase::Body) return read_body();
  if (phase_ == Phase::Skipping) return skip_body();
  if (rest_.empty()) return read_more();
  read_head();
}

void Connection::read_head() {
  switch (head_reader_.read(rest_)) {
    case GateVerdict::Refused:
      return refuse(head_reader_.refusal());
    case GateVerdict::Done:
      return begin_request();
    case GateVerdict::NeedMore:
      break;
  }
  if (phase_ == Phase::Idle) {
    phase_ = Phase::Head;
    set_deadline(steady_now() + door_->limits.head_time);
  }
  read_more();
}

void Connection::begin_request() {
  head_ = head_reader_.take();
  head_only_ = head_.method == "HEAD";
  if (door_->queue.full()) return turn_away_request();  // before anything is spent on it
  request_id_ = random_id();
  request_ = HttpRequest{};
  request_.method = std::move(head_.method);
  request_.target = std::move(head_.target);
  request_.headers = std::move(head_.headers);
  request_.request_id = request_id_;
  request_.remote_address = remote_address_;
  request_.listener = listener_;
  request_.tls = tls_.has_value();
  request_.client_certificate = client_certificate_;
  request_.received = SystemClock().now();

  HeadVerdict verdict;
  try {
    verdict = door_->handler.on_head(request_);
  } catch (const std::exception& exception) {
    log::error("http-handler-failed", {{"request", request_id_}, {"reason", exception.what()}});
    verdict = HeadVerdict::refuse(door_->not_served);
  }
  if (verdict.refusal) {
    log::warning("http-request-refused",
                 {{"request", request_id_},
                  {"remote", remote_address_},
                  {"status", std::to_string(verdict.refusal->status)},
                  {"reason", fmt::format("{} {}", request_.method, path_of(request_.target))}});
    // A body that is on its way would be read as the next request.
    if (head_.has_body()) verdict.refusal->close = true;
    return respond(std::move(*verdict.refusal));
  }
  if (!head_.has_body()) return hand_over();
  begin_body(std::min(verdict.body_limit, door_->spool.size_limit));
}

/// A body of moderate size is read all the same, so that the sender reads the answer whenever it looks for
/// one, and can try again on the same connection.
void Connection::turn_away_request() {
  if (!head_.has_body()) return respond_busy();
  if (head_.expect_continue || head_.content_length > door_->limits.linger_size) {
    head_.keep_alive = false;  // who is told before its body is read may send it, or not
    return respond_busy();
  }
  body_reader_.emplace(head_, door_->limits.linger_size);
  phase_ = Phase::Skipping;
  transfer_start_ = steady_now();
  set_deadline(transfer_deadline(0));
  skip_body();
}

void Connection::skip_body() {
  const GateVerdict reading = body_reader_->skip(rest_);
  if (reading == GateVerdict::NeedMore) return read_more_of_body();
  if (reading == GateVerdict::Refused) head_.keep_alive = false;
  respond_busy();
}

void Connection::begin_body(std::uint64_t limit) {
  if (head_.content_length > limit)
    return refuse({413, fmt::format("the body is longer than {} octets", limit)});
  const std::optional<SpoolArea> area = area_for_body();
  if (!area) return refuse({503, "there is no room for the body now"});
  body_reader_.emplace(head_, limit);
  spool_ = std::make_shared<Spool>(*area);
  phase_ = Phase::Body;
  transfer_start_ = steady_now();
  set_deadline(transfer_deadline(0));
  if (head_.expect_continue && rest_.empty())
    return write(std::array{asio::buffer(kContinue)}, &Connection::read_body);
  read_body();
}

/// A body lies in memory as long as it is small, and as long as not too many others do. Most large ones are
/// kept as they came. Nothing: there is no room.
std::optional<SpoolArea> Connection::area_for_body() {
  SpoolArea area = door_->spool.kept();
  if (!head_.chunked)
    area.memory_limit =
        static_cast<std::size_t>(std::min<std::uint64_t>(area.memory_limit, head_.content_length));
  if (!door_->memory.take(area.memory_limit)) {
    if (!door_->limits.bodies_in_files) return std::nullopt;
    area.memory_limit = 0;
  }
  in_memory_ = area.memory_limit;
  return area;
}

void Connection::read_body() { store(body_reader_->read(rest_, payload_)); }

/// What the disk's thread throws, because memory has run out, is this body's failure and nobody else's.
Result<> Connection::write_down(Spool& spool) const {
  try {
    return spool.write(payload_);
  } catch (const std::exception& thrown) {
    return fail(ErrorKind::Unavailable, thrown.what());
  }
}

/// Puts what has been read into the spool: at once while that is memory, by the disk's thread when it is a
/// file, and then as much in one go as the body may have in memory. (Of a chunked body a read may bring
/// little.)
void Connection::store(GateVerdict reading) {
  if (payload_.empty() || reading == GateVerdict::Refused) return on_stored(reading, {});
  if (spool_->size() + payload_.size() <= in_memory_) {
    const auto stored = spool_->write(payload_);
    payload_.clear();
    return on_stored(reading, stored);
  }
  const bool in_file = spool_->size() > in_memory_;
  if (in_file && reading == GateVerdict::NeedMore && payload_.size() < in_memory_)
    return on_stored(reading, {});
  door_->disk.post([self = shared_from_this(), spool = spool_, reading] {
    self->loop_.post([self, reading, stored = self->write_down(*spool)] {
      self->payload_.clear();
      self->on_stored(reading, stored);
    });
  });
}

void Connection::on_stored(GateVerdict reading, const Result<>& stored) {
  if (phase_ == Phase::Closed) return;
  if (overdue_) return refuse(*overdue_);
  if (!stored) {
    log::error("http-body-not-stored", {{"request", request_id_}, {"reason", stored.error().detail}});
    return refuse({503, "the body cannot be stored now"});
  }
  switch (reading) {
    case GateVerdict::Refused:
      return refuse(body_reader_->refusal());
    case GateVerdict::Done:
      return hand_over();
    case GateVerdict::NeedMore:
      return read_more_of_body();
  }
}

/// What has arrived is read at once, so that a small request has its place in the queue before the next head
/// is looked at. Else all heads that arrive together would find the same place free.
void Connection::read_more_of_body() {
  set_deadline(transfer_deadline(body_reader_->octets()));
  if (body_reader_->octets() >= kLargeInput) grow_input();
  if (tls_ || ++reads_in_a_row_ >= kReadsInARow) return read_more();
  boost::system::error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(input_.data(), input_.size()), error);
  if (error == asio::error::would_block) return read_more();
  on_read(error, size);
}

void Connection::grow_input() {
  if (input_.size() < kLargeInput) input_.resize(kLargeInput);  // rest_ is empty when more is to be read
}

/// The body has been answered, or nobody will read it. Removing a large file takes a while, so the disk's
/// thread does it. That thread may be writing to the spool just now, so the spool is not asked for its size.
void Connection::release_spool() {
  if (spool_ && body_reader_->octets() > in_memory_) door_->disk.post([spool = spool_] {});
  spool_.reset();
  door_->memory.give_back(std::exchange(in_memory_, 0));
}

void Connection::hand_over() {
  phase_ = Phase::Serving;
  set_deadline(SteadyTime::max());
  if (spool_) request_.body = Spool::finish(std::move(spool_));
  if (payload_.capacity() > kLargeInput) payload_ = Bytes();
  if (!door_->queue.offer(request_, std::make_shared<RequestTarget>(shared_from_this()))) respond_busy();
}

// ---- Answering
// -----------------------------------------------------------------------------------------------------

void Connection::answer(HttpResponse response) {
  loop_.post([self = shared_from_this(), response = std::move(response)]() mutable {
    self->respond(std::move(response));
  });
}

/// The gate's refusals: what follows on this connection can no longer be told apart, so it ends here.
void Connection::refuse(const Refusal& refusal) {
  if (request_id_.empty()) request_id_ = random_id();
  log::warning("http-request-refused", {{"request", request_id_},
                                        {"remote", remote_address_},
                                        {"status", std::to_string(refusal.status)},
                                        {"reason", refusal.reason}});
  if (refusal.status == 413) tell_too_large(refusal.reason);
  HttpResponse response = door_->handler.on_refusal(refusal.status, refusal.reason, request_id_);
  if (refusal.status == 503) response.headers.add("Retry-After", "30");
  response.close = true;
  overdue_.reset();
  respond(std::move(response));
}

void Connection::tell_too_large(const std::string& reason) {
  try {
    door_->handler.on_too_large(request_, reason);
  } catch (const std::exception& exception) {
    log::error("http-handler-failed", {{"request", request_id_}, {"reason", exception.what()}});
  }
}

void Connection::respond(HttpResponse response) {
  if (phase_ == Phase::Closed) return;
  if (response.status < 200 || response.status > 599) {
    log::error("http-answer-impossible",
               {{"request", request_id_}, {"status", std::to_string(response.status)}});
    response = door_->not_served;
  }
  response_ = std::move(response);
  log::debug(
      "http-request-answered",
      {{"request", request_id_}, {"remote", remote_address_}, {"status", std::to_string(response_.status)}});
  const bool close = response_.close || !head_.keep_alive || draining_;
  send(response_head(response_, request_id_, close, SystemClock().now()),
       head_only_ || has_no_body(response_.status) ? 0 : response_.body.size(), close);
}

void Connection::respond_busy() {
  loop_.requests_turned_away().add(listener_, remote_address_);
  if (request_id_.empty()) request_id_ = random_id();
  respond(door_->busy);
}

/// Sends an answer's head, and `body_size` octets of the body of response_.
void Connection::send(std::string head, std::uint64_t body_size, bool close) {
  release_spool();
  output_ = std::move(head);
  to_write_ = body_size;
  close_after_ = close;
  written_ = 0;
  phase_ = Phase::Writing;
  transfer_start_ = steady_now();
  write_piece();
}

void Connection::write_piece() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, to_write_ - written_));
  const Result<ByteView> piece = piece_of_body(size);
  if (!piece) {
    log::error("http-answer-broken-off", {{"request", request_id_}, {"reason", piece.error().detail}});
    return close();
  }
  written_ += size;
  set_deadline(transfer_deadline(written_));
  write(std::array{asio::buffer(std::as_const(output_)), asio::buffer(piece->data(), piece->size())},
        &Connection::on_written);
}

/// The next `size` octets of the answer's body: where they lie, or read from their file.
Result<ByteView> Connection::piece_of_body(std::size_t size) {
  if (size == 0) return ByteView();
  if (const auto memory = response_.body.in_memory())
    return memory->subspan(static_cast<std::size_t>(written_), size);
  body_piece_.resize(size);
  for (std::size_t filled = 0; filled < size;) {
    SIGNET_TRY(const std::size_t got,
               response_.body.read_at(written_ + filled, std::span(body_piece_).subspan(filled)));
    if (got == 0) return fail(ErrorKind::IoFailure, "an answer's body is shorter than its size");
    filled += got;
  }
  return ByteView(body_piece_);
}

template <class Buffers>
void Connection::write(const Buffers& buffers, void (Connection::*done)()) {
  const auto written = [self = shared_from_this(), done](const boost::system::error_code& error,
                                                         std::size_t) {
    if (self->phase_ == Phase::Closed) return;
    if (!error) return (self.get()->*done)();
    log::debug("http-answer-broken-off", {{"request", self->request_id_}, {"reason", error.message()}});
    self->close();
  };
  failpoint("answer.send");
  if (tls_) {
    asio::async_write(*tls_, buffers, written);
  } else {
    asio::async_write(socket_, buffers, written);
  }
}

void Connection::on_written() {
  output_.clear();
  if (written_ < to_write_) return write_piece();
  response_ = HttpResponse{};
  body_piece_ = Bytes();
  if (close_after_ || draining_) return linger();
  next_request();
}

void Connection::next_request() {
  request_ = HttpRequest{};
  request_id_.clear();
  head_only_ = false;
  body_reader_.reset();
  head_reader_ = HeadReader(head_limits(door_->limits));
  phase_ = Phase::Idle;
  set_deadline(steady_now() + door_->limits.idle_time);
  if (rest_.empty() && input_.size() > kSmallInput) input_ = Bytes(kSmallInput);
  advance();
}

/// Closing at once, with octets of the peer unread, would make TCP tell it "reset" before it has read our
/// answer [RFC9112 9.6].
void Connection::linger() {
  phase_ = Phase::Closing;
  set_deadline(steady_now() + door_->limits.linger_time);
  if (!tls_) return throw_away();
  tls_->async_shutdown([self = shared_from_this()](const boost::system::error_code&) {
    if (self->phase_ != Phase::Closed) self->throw_away();
  });
}

void Connection::throw_away() {
  boost::system::error_code ignored;
  if (thrown_away_ == 0) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  socket_.async_read_some(
      asio::buffer(input_.data(), input_.size()),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
        if (self->phase_ == Phase::Closed) return;
        self->thrown_away_ += size;
        if (error || self->thrown_away_ > self->door_->limits.linger_size) return self->close();
        self->throw_away();
      });
}

// ---- Deadlines
// -----------------------------------------------------------------------------------------------------

/// When `octets` of a body or an answer must have passed, at the latest.
SteadyTime Connection::transfer_deadline(std::uint64_t octets) const {
  const HttpLimits& limits = door_->limits;
  const std::chrono::milliseconds at_minimum_rate(octets / std::max<std::uint64_t>(1, limits.minimum_rate) *
                                                  1000);
  return transfer_start_ + std::min(limits.transfer_time, limits.transfer_grace + at_minimum_rate);
}

/// A deadline that moves back, as nearly all do, costs nothing: the timer finds out when it fires.
void Connection::set_deadline(SteadyTime deadline) {
  deadline_ = deadline;
  if (deadline_ < armed_) arm();
}

void Connection::arm() {
  armed_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->phase_ == Phase::Closed) return;
    self->armed_ = SteadyTime::max();
    if (steady_now() >= self->deadline_) return self->on_deadline();
    if (self->deadline_ != SteadyTime::max()) self->arm();
  });
}

void Connection::on_deadline() {
  deadline_ = SteadyTime::max();
  switch (phase_) {
    case Phase::Handshake:
      log::warning("tls-handshake-failed", {{"remote", remote_address_}, {"reason", "it took too long"}});
      return close();
    case Phase::Idle:
    case Phase::Closing:
      return close();
    case Phase::Head:
      if (!head_reader_.started()) return close();
      overdue_ = Refusal{408, "the head of the request took too long"};
      break;
    case Phase::Body:
    case Phase::Skipping:
      overdue_ = Refusal{408, "the body of the request came too slowly"};
      break;
    case Phase::Writing:
      log::warning(
          "http-answer-broken-off",
          {{"request", request_id_}, {"remote", remote_address_}, {"reason", "the peer reads too slowly"}});
      return close();
    case Phase::Serving:
    case Phase::Closed:
      return;
  }
  // Whatever is under way ends now, and its end sends the refusal.
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace signet::gateway
