#include "gateway/simulator/wire_server.h"

#include <array>

#include "base/log.h"
#include "base/random.h"
#include "gateway/endpoint/http_wire.h"

namespace signet::gateway::simulator {
namespace {

/// As long as a gateway may keep a connection for its next message.
constexpr std::chrono::milliseconds kIdle{60'000};
constexpr std::size_t kMaxConnections = 256;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

// ---- Conversation

Result<std::size_t> Conversation::read_more(std::chrono::milliseconds patience) {
  std::array<std::uint8_t, 16 * 1024> octets;
  SIGNET_TRY(const std::size_t got, socket_.read(octets, patience));
  input_.insert(input_.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(got));
  return got;
}

bool Conversation::read_head(const std::string& peer_address) {
  HeadReader reader{HeadLimits{}};
  for (;;) {
    ByteView rest(input_);
    const GateVerdict reading = reader.read(rest);
    input_.erase(input_.begin(), input_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    if (reading == GateVerdict::Done) break;
    if (reading == GateVerdict::Refused) {
      static_cast<void>(answer(text_response(reader.refusal().status, reader.refusal().reason, random_id())));
      return false;
    }
    const auto got = read_more(reader.started() ? WireSocket::kPatience : kIdle);
    if (!got || *got == 0) return false;
  }
  gate_head_ = reader.take();
  head_.method = gate_head_.method;
  head_.target = gate_head_.target;
  head_.headers = gate_head_.headers;
  head_.request_id = random_id();
  head_.remote_address = peer_address;
  head_.received = clock_.now();
  return true;
}

Result<Slice> Conversation::read_body() {
  if (gate_head_.expect_continue) SIGNET_CHECK(socket_.write(as_bytes(kContinue)));
  const auto spool = std::make_shared<Spool>(spool_);
  BodyReader reader(gate_head_, spool_.size_limit);
  for (;;) {
    ByteView rest(input_);
    Bytes payload;
    const GateVerdict reading = reader.read(rest, payload);
    input_.erase(input_.begin(), input_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    SIGNET_CHECK(spool->write(payload));
    if (reading == GateVerdict::Done) break;
    if (reading == GateVerdict::Refused) return fail(ErrorKind::InvalidInput, reader.refusal().reason);
    SIGNET_TRY(const std::size_t got, read_more(WireSocket::kPatience));
    if (got == 0)
      return fail(ErrorKind::Unavailable, "the sender closed the connection in the middle of its request");
  }
  body_read_ = true;
  return Spool::finish(spool);
}

Result<> Conversation::read_beginning() {
  if (gate_head_.expect_continue) SIGNET_CHECK(socket_.write(as_bytes(kContinue)));
  if (input_.empty() && gate_head_.has_body()) SIGNET_CHECK(read_more(WireSocket::kPatience));
  return {};
}

Result<Bytes> Conversation::on_wire(const HttpResponse& response) const {
  const bool close = response.close || !gate_head_.keep_alive || !body_read_;
  Bytes octets = to_bytes(response_head(response, head_.request_id, close, clock_.now()));
  if (has_no_body(response.status) || head_.method == "HEAD") return octets;
  SIGNET_TRY(const Bytes body, response.body.to_bytes(SIZE_MAX));
  octets.insert(octets.end(), body.begin(), body.end());
  return octets;
}

Result<> Conversation::answer(const HttpResponse& response) {
  SIGNET_TRY(const Bytes octets, on_wire(response));
  SIGNET_CHECK(socket_.write(octets));
  keeps_connection_ = body_read_ && gate_head_.keep_alive && !response.close;
  return {};
}

Result<> Conversation::answer_in_drips(const HttpResponse& response, std::chrono::milliseconds time) {
  SIGNET_TRY(const Bytes octets, on_wire(response));
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto due =
        begin + time * static_cast<std::int64_t>(i + 1) / static_cast<std::int64_t>(octets.size());
    if (!pause(std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now())))
      return fail(ErrorKind::Unavailable, "stopped");
    SIGNET_CHECK(socket_.write({&octets[i], 1}));
  }
  return {};
}

Result<> Conversation::answer_half(const HttpResponse& response) {
  SIGNET_TRY(const Bytes octets, on_wire(response));
  SIGNET_CHECK(socket_.write(ByteView(octets).first(octets.size() / 2)));
  reset();
  return {};
}

Result<> Conversation::send_raw(ByteView octets) { return socket_.write(octets); }

void Conversation::reset() { socket_.reset(); }

// ---- WireServer

WireServer::WireServer(SpoolArea spool, const Clock& clock, Handler handler)
    : spool_(std::move(spool)), clock_(clock), handler_(std::move(handler)) {}

Result<std::unique_ptr<WireServer>> WireServer::start(const Listener& listener, SpoolArea spool,
                                                      const Clock& clock, Handler handler) {
  std::unique_ptr<WireServer> server(new WireServer(std::move(spool), clock, std::move(handler)));
  SIGNET_TRY(WireSocket listening, WireSocket::listen(listener.address, listener.port, server->stop_));
  server->port_ = listening.local_port();
  server->listening_ = std::make_unique<WireSocket>(std::move(listening));
  server->accepting_ = std::thread([raw = server.get()] { raw->accept_all(); });
  return server;
}

WireServer::~WireServer() { stop(); }

void WireServer::stop() {
  stop_.stop();
  if (accepting_.joinable()) accepting_.join();
  for (Line& line : lines_) line.thread.join();
  lines_.clear();
  listening_.reset();
}

void WireServer::accept_all() {
  for (;;) {
    std::string peer_address;
    auto accepted = listening_->accept(peer_address);
    if (!accepted) return;
    join_ended();
    if (lines_.size() >= kMaxConnections) continue;  // closes it
    Line& line = lines_.emplace_back();
    line.thread = std::thread([this, &line, peer_address, socket = *std::move(accepted)]() mutable {
      serve(std::move(socket), peer_address);
      const std::lock_guard lock(mutex_);
      line.ended = true;
    });
  }
}

void WireServer::serve(WireSocket socket, const std::string& peer_address) {
  try {
    Bytes input;
    for (;;) {
      Conversation conversation(socket, stop_, clock_, spool_, input);
      if (!conversation.read_head(peer_address)) return;
      handler_(conversation);
      if (!conversation.keeps_connection_) return;
    }
  } catch (const std::exception& thrown) {
    log::error("connection-dropped", {{"remote", peer_address}, {"reason", thrown.what()}});
  }
}

void WireServer::join_ended() {
  const std::lock_guard lock(mutex_);
  std::erase_if(lines_, [](Line& line) {
    if (line.ended) line.thread.join();
    return line.ended;
  });
}

}  // namespace signet::gateway::simulator
