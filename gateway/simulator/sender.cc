#include "gateway/simulator/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <initializer_list>
#include <mutex>
#include <utility>

#include "as2/compose.h"
#include "as2/receipt.h"
#include "base/random.h"
#include "certstore/vault/audit_log.h"
#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/outbound_request.h"
#include "gateway/simulator/simulated_account.h"
#include "gateway/simulator/wire_server.h"

namespace signet::gateway::simulator {
namespace {

using agreements::ResolvedAgreement;
using as2::Fault;

constexpr std::string_view kOtherContent = "This is not what was sent under this Message-ID before.\r\n";

/// A message as it is posted, and what its receipt would have to prove.
struct Outgoing {
  HttpPost post;
  as2::ReceiptExpectation expectation;
};

/// Takes the first receipt that is posted, and has somebody wait for it.
class ReceiptListener {
 public:
  Result<> start(const Listener& listener, const SpoolArea& spool, const Clock& clock) {
    SIGNET_TRY(server_, WireServer::start(listener, spool, clock,
                                          [this](Conversation& conversation) { take(conversation); }));
    return {};
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  /// @returns nothing when none comes in time.
  std::optional<HttpAnswer> wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, patience, [this] { return receipt_.has_value(); });
    return receipt_;
  }

 private:
  void take(Conversation& conversation) {
    const auto body = conversation.read_body();
    if (!body) return;
    static_cast<void>(conversation.answer({}));
    const std::lock_guard lock(mutex_);
    if (!receipt_) receipt_ = HttpAnswer{0, conversation.head().headers, *body};
    came_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<HttpAnswer> receipt_;
  std::unique_ptr<WireServer> server_;  ///< last: its threads use what is above
};

std::string quoted(const as2::Disposition& disposition) { return "'" + printable(disposition.text) + "'"; }

class Sender {
 public:
  Sender(const PartnerPorts& ports, const SendSettings& settings, const Slice& payload,
         const std::string& file_name, const StopSignal& stop)
      : ports_(ports), settings_(settings), payload_(payload), file_name_(file_name), stop_(stop) {}

  Result<> prepare() {
    SIGNET_TRY(account_, ports_.account());
    agreement_ = account_->directory().by_name(settings_.agreement);
    if (agreement_ == nullptr)
      return fail(ErrorKind::NotFound,
                  fmt::format("there is no agreement '{}'", printable(settings_.agreement)));
    url_ = settings_.url.empty() ? agreement_->agreement.connection.url : settings_.url;
    if (url_.empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("agreement '{}' has no URL to send to", settings_.agreement));
    SIGNET_TRY(compose_, compose_settings(*agreement_, *account_, as2::MessageId::generate(kSimulatorHost),
                                          ports_.clock.now(), ports_.spool));
    compose_->file_name = file_name_;
    compose_->subject = "Test message of a simulated partner";
    compose_->receipt.async_url.reset();
    verdict_.message_id = compose_->message_id.text();
    return {};
  }

  Result<SendVerdict> run(Sending sending) {
    const vault::AuditScope audited = vault::message_scope(random_id());
    SIGNET_CHECK(send(sending));
    return std::move(verdict_);
  }

 private:
  Result<> send(Sending sending) {
    switch (sending) {
      case Sending::Correct:
        return send_correct();
      case Sending::WrongSigner:
        return send_with_wrong_signer();
      case Sending::Tampered:
        return send_altered([](Bytes& body) { body[body.size() / 2] ^= 1; });
      case Sending::Truncated:
        return send_altered([](Bytes& body) { body.resize(body.size() / 2); });
      case Sending::Unsigned:
        return send_unsigned();
      case Sending::NotEncrypted:
        return send_not_encrypted();
      case Sending::WrongRecipient:
        return send_to_wrong_recipient();
      case Sending::UnknownSender:
        return send_as_unknown();
      case Sending::BadMessageId:
        return send_with_bad_message_id();
      case Sending::BadMicRequest:
        return send_with_options(
            "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, rot13",
            Fault::UnsupportedMicAlgorithms);
      case Sending::BadProtocolRequest:
        return send_with_options(
            "signed-receipt-protocol=required, pgp-signature; signed-receipt-micalg=required, sha-256",
            Fault::UnsupportedFormat);
      case Sending::Duplicate:
        return send_twice();
      case Sending::ChangedDuplicate:
        return send_other_content_again();
      case Sending::Slow:
        return send_slowly();
      case Sending::ResetMidBody:
        return send_after_reset();
      case Sending::Async:
        return send_for_posted_receipt();
      case Sending::AsyncElsewhere:
        return send_for_receipt_elsewhere();
    }
    return fail(ErrorKind::Internal, "a behaviour without code");
  }

  // ---- The behaviours

  Result<> send_correct() {
    SIGNET_TRY(const Outgoing message, make());
    return post_and_judge_accepted(message);
  }

  Result<> send_with_wrong_signer() {
    SIGNET_CHECK(demand(compose_->signer.has_value(), "signature"));
    compose_->signer = ports_.stranger;
    SIGNET_TRY(const Outgoing message, make());
    return post_and_judge_refused(message, {Fault::AuthenticationFailed});
  }

  template <class Alter>
  Result<> send_altered(const Alter& alter) {
    SIGNET_CHECK(demand(compose_->signer.has_value(), "signature"));
    SIGNET_TRY(Outgoing message, make());
    SIGNET_TRY(Bytes body, message.post.body.to_bytes(SIZE_MAX));
    alter(body);
    message.post.body = Slice::of(std::move(body));
    return post_and_judge_refused(
        message, {Fault::DecryptionFailed, Fault::AuthenticationFailed, Fault::IntegrityCheckFailed,
                  Fault::DecompressionFailed, Fault::UnexpectedProcessingError});
  }

  Result<> send_unsigned() {
    SIGNET_CHECK(demand(compose_->signer.has_value(), "signature"));
    compose_->signer.reset();
    SIGNET_TRY(const Outgoing message, make());
    return post_and_judge_refused(message, {Fault::InsufficientMessageSecurity, Fault::DecryptionFailed});
  }

  Result<> send_not_encrypted() {
    SIGNET_CHECK(demand(!compose_->recipients.empty(), "encryption"));
    compose_->recipients.clear();
    SIGNET_TRY(const Outgoing message, make());
    return post_and_judge_refused(message, {Fault::InsufficientMessageSecurity});
  }

  Result<> send_to_wrong_recipient() {
    SIGNET_CHECK(demand(!compose_->recipients.empty(), "encryption"));
    compose_->recipients = {ports_.stranger.certificate};
    SIGNET_TRY(const Outgoing message, make());
    return post_and_judge_refused(message, {Fault::DecryptionFailed});
  }

  Result<> send_as_unknown() {
    SIGNET_TRY(Outgoing message, make());
    SIGNET_TRY(const as2::As2Name nobody, as2::As2Name::of("simulated-stranger-" + random_id()));
    message.post.headers.set("AS2-From", nobody.field_value());
    SIGNET_CHECK(post_and_judge_refused(message, {Fault::UnknownTradingRelationship}));
    if (verdict_.receipt_signed) conclude(false, "signed an answer to somebody whom it does not know");
    return {};
  }

  Result<> send_with_bad_message_id() {
    SIGNET_TRY(Outgoing message, make());
    verdict_.message_id = "<" + std::string(1000, 'x') + "@" + std::string(kSimulatorHost) + ">";
    message.post.headers.set("Message-ID", verdict_.message_id);
    return post_and_judge_refused(message, {Fault::InvalidMessageId}, false);
  }

  Result<> send_with_options(std::string_view options, Fault fault) {
    SIGNET_CHECK(demand(compose_->receipt.signed_wanted, "signed receipts"));
    SIGNET_TRY(Outgoing message, make());
    message.post.headers.set("Disposition-Notification-Options", options);
    return post_and_judge_refused(message, {fault});
  }

  Result<> send_twice() {
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_TRY(const HttpAnswer first, post(message));
    judge_accepted(first, message);
    if (!verdict_.handled) return {};
    SIGNET_TRY(const HttpAnswer second, post(message));
    SIGNET_TRY(const Bytes first_body, first.body.to_bytes(SIZE_MAX));
    SIGNET_TRY(const Bytes second_body, second.body.to_bytes(SIZE_MAX));
    const auto content = look_at(second, message).content;
    if (first.status == second.status && first_body == second_body)
      conclude(true, "answered the second with the first one's receipt");
    else if (content && content->disposition.fault == Fault::DuplicateDocument)
      conclude(true, "answered the second with " + quoted(content->disposition));
    else
      conclude(false, "answered the second otherwise than the first, and does not call it a duplicate");
    return {};
  }

  Result<> send_other_content_again() {
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_CHECK(post_and_judge_accepted(message));
    if (!verdict_.handled) return {};
    SIGNET_TRY(const Outgoing other, make(Slice::of(kOtherContent)));
    SIGNET_TRY(const HttpAnswer answer, post(other));
    if (answer.status >= 500)
      conclude(false, fmt::format("answered HTTP {}, which asks for it again", answer.status));
    else if (look_at(answer, other).proves_delivery)
      conclude(false, "confirmed the other content as well, under a Message-ID that was taken");
    else
      conclude(true, "did not confirm the other content");
    return {};
  }

  Result<> send_slowly() {
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_TRY(const Bytes octets, on_wire(message));
    SIGNET_TRY(const WireSocket socket, connect());
    const std::size_t body_begin = octets.size() - message.post.body.size();
    SIGNET_CHECK(socket.write(ByteView(octets).first(body_begin)));
    const auto end = std::chrono::steady_clock::now() + settings_.patience;
    for (std::size_t i = body_begin; i < octets.size(); ++i) {
      if (socket.readable() || !socket.write({&octets[i], 1})) return judge_cut_off(socket);
      if (std::chrono::steady_clock::now() > end) {
        conclude(false,
                 fmt::format("still waits for the rest after {} s", settings_.patience.count() / 1000));
        return {};
      }
      if (!stop_.pause(settings_.delay)) return fail(ErrorKind::Unavailable, "stopped");
    }
    return fail(ErrorKind::InvalidInput,
                "the whole message was sent before anybody lost patience: use a longer delay, or a "
                "larger document");
  }

  Result<> send_after_reset() {
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_TRY(const Bytes octets, on_wire(message));
    SIGNET_TRY(WireSocket socket, connect());
    SIGNET_CHECK(socket.write(ByteView(octets).first(octets.size() - message.post.body.size() / 2)));
    socket.reset();
    return post_and_judge_accepted(message);
  }

  Result<> send_for_posted_receipt() {
    SIGNET_CHECK(demand(compose_->receipt.wanted, "receipts"));
    compose_->receipt.async_url = settings_.receipt_url.empty()
                                      ? agreement_->agreement.send_agreement.mdn_settings.receipt_delivery_url
                                      : settings_.receipt_url;
    if (compose_->receipt.async_url->empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("agreement '{}' has no receiptDeliveryUrl for receipts to come to",
                              settings_.agreement));
    ReceiptListener listener;
    SIGNET_CHECK(listener.start(settings_.receipt_listener, ports_.spool, ports_.clock));
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_TRY(const HttpAnswer answer, post(message));
    if (answer.status / 100 != 2) {
      conclude(false, fmt::format("answered HTTP {}", answer.status));
    } else if (as2::may_be_receipt(answer.headers)) {
      conclude(false, "put the receipt into its answer: its agreement does not allow " +
                          *compose_->receipt.async_url);
    } else if (auto receipt = listener.wait(settings_.patience)) {
      receipt->status = answer.status;
      judge_accepted(*receipt, message);
    } else {
      conclude(false, fmt::format("posted no receipt within {} s", settings_.patience.count() / 1000));
    }
    return {};
  }

  Result<> send_for_receipt_elsewhere() {
    SIGNET_CHECK(demand(compose_->receipt.wanted, "receipts"));
    ReceiptListener elsewhere;
    SIGNET_CHECK(elsewhere.start({"elsewhere", "127.0.0.1", 0, std::nullopt}, ports_.spool, ports_.clock));
    compose_->receipt.async_url = fmt::format("http://127.0.0.1:{}/elsewhere", elsewhere.port());
    SIGNET_TRY(const Outgoing message, make());
    SIGNET_TRY(const HttpAnswer answer, post(message));
    const bool settled = as2::may_be_receipt(answer.headers) || answer.status / 100 != 2;
    // After an answer that settles it nothing more is to come; after another one, it would take a while.
    if (elsewhere.wait(settled ? std::chrono::milliseconds(0) : settings_.patience)) {
      conclude(false, "posted the receipt to a URL that only the message names");
    } else if (answer.status >= 500) {
      conclude(false, fmt::format("answered HTTP {}, which asks for it again", answer.status));
    } else {
      static_cast<void>(look_at(answer, message));
      conclude(true, settled ? "put what it had to say into its answer, and connected to nobody"
                             : "posted no receipt");
    }
    return {};
  }

  // ---- Making and posting

  Result<> demand(bool demanded, std::string_view what) const {
    if (demanded) return {};
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("agreement '{}' demands no {}, so this would show nothing", settings_.agreement, what));
  }

  Result<Outgoing> make() { return make(payload_); }
  Result<Outgoing> make(const Slice& payload) {
    SIGNET_TRY(as2::Composed composed, as2::compose(payload, *compose_));
    SIGNET_TRY(as2::ReceiptExpectation expectation,
               receipt_expectation(*agreement_, *account_, compose_->message_id, composed.mic,
                                   ports_.clock.now(), ports_.spool));
    SIGNET_TRY(HttpPost post, request_to(url_, *agreement_, *account_,
                                         agreement_->agreement.send_agreement.message_connection_settings));
    post.headers = std::move(composed.headers);
    post.headers.add("User-Agent", ports_.product);
    post.body = std::move(composed.body);
    return Outgoing{std::move(post), std::move(expectation)};
  }

  Result<HttpAnswer> post(const Outgoing& message) {
    SIGNET_TRY(HttpAnswer answer, ports_.post(message.post));
    verdict_.http_status = answer.status;
    return answer;
  }

  Result<WireSocket> connect() const {
    SIGNET_TRY(const UrlParts url, parse_url(url_));
    if (url.scheme != "http")
      return fail(ErrorKind::Unsupported, "a connection can only be misused where it is http, not https");
    return WireSocket::connect(url.host, url.port, stop_);
  }

  Result<Bytes> on_wire(const Outgoing& message) const {
    SIGNET_TRY(const UrlParts url, parse_url(url_));
    Bytes octets =
        to_bytes(fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\n{}Content-Length: {}\r\n\r\n", url.path,
                             url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]",
                             url.port, message.post.headers.serialise(), message.post.body.size()));
    SIGNET_TRY(const Bytes body, message.post.body.to_bytes(SIZE_MAX));
    octets.insert(octets.end(), body.begin(), body.end());
    return octets;
  }

  // ---- Judging

  void conclude(bool handled, std::string sentence) {
    verdict_.handled = handled;
    verdict_.sentence = "the gateway " + std::move(sentence);
  }

  Result<> post_and_judge_accepted(const Outgoing& message) {
    SIGNET_TRY(const HttpAnswer answer, post(message));
    judge_accepted(answer, message);
    return {};
  }

  Result<> post_and_judge_refused(const Outgoing& message, std::initializer_list<Fault> faults,
                                  bool repeats_id = true) {
    SIGNET_TRY(const HttpAnswer answer, post(message));
    judge_refused(answer, message, faults, repeats_id);
    return {};
  }

  as2::ReceiptVerdict look_at(const HttpAnswer& answer, const Outgoing& message) {
    as2::ReceiptVerdict verdict = as2::check_receipt(answer.headers, answer.body, message.expectation);
    verdict_.disposition = verdict.content ? verdict.content->disposition.text : "";
    verdict_.receipt_signed = verdict.signer.has_value();
    return verdict;
  }

  void judge_accepted(const HttpAnswer& answer, const Outgoing& message) {
    if (answer.status / 100 != 2) return conclude(false, fmt::format("answered HTTP {}", answer.status));
    if (!compose_->receipt.wanted) return conclude(true, "accepted it");
    if (answer.body.empty()) return conclude(false, "gave no receipt");
    const as2::ReceiptVerdict verdict = look_at(answer, message);
    if (verdict.proves_delivery) return conclude(true, "accepted it, and its receipt proves that");
    conclude(false, "gave a receipt that proves nothing: " + verdict.reason);
  }

  /// @param repeats_id  whether a receipt can name the message
  void judge_refused(const HttpAnswer& answer, const Outgoing& message, std::initializer_list<Fault> faults,
                     bool repeats_id) {
    if (answer.status / 100 == 4)
      return conclude(true, fmt::format("refused it with HTTP {}", answer.status));
    if (answer.status / 100 != 2)
      return conclude(false, fmt::format("answered HTTP {}, which asks for it again", answer.status));
    if (answer.body.empty()) return conclude(false, "took it without a word");
    const as2::ReceiptVerdict verdict = look_at(answer, message);
    if (!verdict.content)
      return conclude(false, "gave a receipt that cannot be relied on: " + verdict.reason);
    const as2::Disposition& disposition = verdict.content->disposition;
    if (disposition.accepted()) return conclude(false, "accepted it: " + quoted(disposition));
    if (repeats_id && verdict.content->original_message_id != message.expectation.message_id)
      return conclude(false, "refused another message: " + verdict.reason);
    if (disposition.fault && std::find(faults.begin(), faults.end(), *disposition.fault) != faults.end())
      return conclude(true, "refused it: " + quoted(disposition));
    conclude(false, "refused it for another reason than there is: " + quoted(disposition));
  }

  /// The gateway has closed the connection, or has something to say.
  Result<> judge_cut_off(const WireSocket& socket) {
    std::array<std::uint8_t, 1024> octets;
    const auto got = socket.read(octets, settings_.patience);
    const std::string_view answer = as_text(ByteView(octets).first(got.value_or(0)));
    if (answer.empty()) {
      conclude(true, "broke the connection off");
      return {};
    }
    const bool is_http = answer.starts_with("HTTP/1.1 ") && answer.size() >= 12;
    verdict_.http_status = is_http ? std::atoi(std::string(answer.substr(9, 3)).c_str()) : 0;
    if (verdict_.http_status == 408)
      conclude(true, "answered HTTP 408");
    else
      conclude(false, fmt::format("answered '{}'", printable(answer.substr(0, answer.find('\r')))));
    return {};
  }

  const PartnerPorts& ports_;
  const SendSettings& settings_;
  const Slice& payload_;
  const std::string& file_name_;
  const StopSignal& stop_;
  std::shared_ptr<const AccountSnapshot> account_;
  const ResolvedAgreement* agreement_ = nullptr;
  std::string url_;
  std::optional<as2::ComposeSettings> compose_;
  SendVerdict verdict_;
};

}  // namespace

Result<SendVerdict> send(const PartnerPorts& ports, const SendSettings& settings,
                         const SendBehaviour& behaviour, const Slice& payload, const std::string& file_name,
                         const StopSignal& stop) {
  Sender sender(ports, settings, payload, file_name, stop);
  SIGNET_CHECK(sender.prepare());
  return sender.run(behaviour.sending);
}

}  // namespace signet::gateway::simulator
