#include "gateway/simulator/partner.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "as2/disposition.h"
#include "as2/mdn.h"
#include "as2/open.h"
#include "as2/receipt.h"
#include "as2/receipt_request.h"
#include "base/network.h"
#include "base/random.h"
#include "certstore/vault/audit_log.h"
#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/outbound_request.h"
#include "gateway/simulator/simulated_account.h"

namespace signet::gateway::simulator {
namespace {

using agreements::ResolvedAgreement;

/// Message-IDs whose attempts are counted; then counting begins anew.
constexpr std::size_t kMaxCounted = 100'000;
constexpr std::string_view kHumanText = "The simulated partner has looked at the message.";

/// What the gateway has sent, as this partner understands it.
struct Incoming {
  std::shared_ptr<const AccountSnapshot> account;
  const ResolvedAgreement* agreement = nullptr;
  std::optional<as2::As2Name> from;
  std::optional<as2::As2Name> to;
  std::optional<as2::MessageId> message_id;
  as2::ReceiptRequest request;
  std::vector<as2::Layer> layers;
  std::optional<as2::Mic> mic;
  as2::Disposition disposition = as2::Disposition::processed();
  std::string refusal;  ///< why it is not accepted
  std::uint64_t size = 0;

  [[nodiscard]] bool accepted() const { return disposition.accepted(); }
  [[nodiscard]] bool posts_receipt() const { return request.wanted && request.async_url; }
};

/// Who sends what to whom, under which agreement.
Result<Incoming> identify(const HttpRequest& head, const CurrentAccount& current) {
  Incoming incoming;
  for (const auto& [field, name] :
       {std::pair{"AS2-From", &incoming.from}, std::pair{"AS2-To", &incoming.to}}) {
    auto parsed = as2::As2Name::parse(head.headers.value(field).value_or(""));
    if (!parsed) return fail(std::move(parsed).error().within(field));
    *name = *std::move(parsed);
  }
  SIGNET_TRY(incoming.message_id, as2::MessageId::parse(head.headers.value("Message-ID").value_or("")));
  incoming.request = as2::parse_receipt_request(head.headers);
  SIGNET_TRY(incoming.account, current());
  incoming.agreement = incoming.account->directory().find_inbound(incoming.from->text(), incoming.to->text());
  if (incoming.agreement == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("no agreement for messages from '{}' to '{}'",
                                                 incoming.from->text(), incoming.to->text()));
  return incoming;
}

/// Takes the layers off and judges what was found, as the gateway's own inbound journey does.
as2::Step<> open(const HttpRequest& head, const Slice& body, const SpoolArea& spool, Incoming& incoming) {
  SIGNET_TRY(const ReceiveSettings settings,
             as2::or_refuse(as2::Fault::UnexpectedProcessingError,
                            receive_settings(*incoming.agreement, *incoming.account, head.received, spool)));
  SIGNET_TRY(const as2::Opened opened, as2::open(head.headers, body, settings.open, incoming.layers));
  const Hash hash =
      as2::mic_hash(opened, incoming.request, settings.open.verify.allowed_hashes, settings.default_mic_hash);
  SIGNET_TRY(incoming.mic, as2::or_refuse(as2::Fault::UnexpectedProcessingError,
                                          as2::compute_mic(opened, hash, settings.compressed_mic)));
  SIGNET_TRY(const as2::AcceptedContent content, as2::judge(opened, settings.requirements, spool));
  incoming.size = content.payload().size();
  return {};
}

Hash receipt_hash(const as2::ReceiptRequest& request) {
  for (const as2::RequestedHash& wanted : request.hashes)
    for (const Hash hash : {Hash::Sha256, Hash::Sha384, Hash::Sha512})
      if (wanted.hash == hash) return hash;
  return Hash::Sha256;
}

as2::MdnContent honest_receipt(const Incoming& incoming, const std::string& product) {
  as2::MdnContent content;
  content.original_message_id = incoming.message_id;
  content.original_recipient = incoming.to;
  content.final_recipient = incoming.to;
  content.disposition = incoming.disposition;
  if (incoming.accepted()) content.mic = incoming.mic;
  for (const as2::RequestedHash& wanted : incoming.request.hashes)
    if (content.mic && wanted.hash == content.mic->hash) content.mic_spelling = wanted.spelling;
  content.reporting_ua = product;
  content.human_text = kHumanText;
  return content;
}

/// What is wrong already before the receipt is signed.
void spoil(as2::MdnContent& content, Flaw flaw, bool posted) {
  switch (flaw) {
    case Flaw::WrongMic:
      if (content.mic) content.mic->value.front() ^= 1;
      break;
    case Flaw::NoMic:
      content.mic.reset();
      break;
    case Flaw::WrongMessageId:
      content.original_message_id = as2::MessageId::generate(kSimulatorHost);
      break;
    case Flaw::Error:
      content.disposition = as2::Disposition::of(as2::Fault::UnexpectedProcessingError);
      break;
    case Flaw::Failed:
      content.disposition = as2::Disposition::of(as2::Fault::UnsupportedFormat);
      break;
    case Flaw::Warning:
      content.disposition = as2::Disposition::of(as2::Fault::DuplicateDocument);
      break;
    case Flaw::Contradictory:
      if (!posted) content.extension_fields.add("Error", "unexpected-processing-error");
      break;
    case Flaw::None:
    case Flaw::WrongSigner:
    case Flaw::Unsigned:
    case Flaw::Tampered:
    case Flaw::Garbage:
      break;
  }
}

/// Another spelling of one letter, behind the signature's back.
Result<> tamper(Bytes& body) {
  const auto found = std::search(body.begin(), body.end(), kHumanText.begin(), kHumanText.end());
  if (found == body.end())
    return fail(ErrorKind::Internal, "a receipt of ours has not the text that was put into it");
  *found ^= 'a' ^ 'A';
  return {};
}

as2::Receipt garbage() {
  as2::Receipt receipt;
  receipt.headers.add(
      "Content-Type",
      "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"noise\"");
  receipt.body = random_bytes(1000);
  return receipt;
}

HttpResponse empty_answer(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

}  // namespace

bool is_loopback(std::string_view address) {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return false;
  for (const std::string_view network : {"127.0.0.0/8", "::1"})
    if (IpNetwork::parse(network)->contains(*parsed)) return true;
  return false;
}

/// One message and what is made of it.
class SimulatedPartner::Turn {
 public:
  Turn(SimulatedPartner& partner, Conversation& conversation, Incoming incoming)
      : partner_(partner),
        conversation_(conversation),
        incoming_(std::move(incoming)),
        behaviour_(partner.script_.next()),
        attempt_(partner.count_attempt(incoming_.message_id->text())) {}

  void run() {
    if (auto done = take_and_answer(); !done)
      report("answer", {{"error", done.error().detail}}, "could not answer: " + done.error().detail);
  }

 private:
  Result<> take_and_answer() {
    if (behaviour_.manner == Manner::ResetMidBody) {
      SIGNET_CHECK(conversation_.read_beginning());
      reset("reset the connection while the message still came");
      return {};
    }
    SIGNET_TRY(const Slice body, conversation_.read_body());
    const vault::AuditScope audited = vault::message_scope(conversation_.head().request_id);
    if (auto opened = open(conversation_.head(), body, partner_.ports_.spool, incoming_); !opened) {
      incoming_.disposition = as2::Disposition::of(opened.error().fault);
      incoming_.refusal = opened.error().cause.detail;
    }
    report_message();
    return answer();
  }

  Result<> answer() {
    switch (behaviour_.manner) {
      case Manner::Status:
        return respond(empty_answer(behaviour_.status));
      case Manner::FirstUnavailable:
        if (attempt_ == 1) return respond(empty_answer(503));
        break;
      case Manner::Reset:
        reset("reset the connection");
        return {};
      case Manner::NotHttp:
        report("answer", {}, "answered with what is no HTTP");
        return conversation_.send_raw(as_bytes("220 mail.example ESMTP\r\n"));
      case Manner::Slow:
        if (!conversation_.pause(partner_.settings_.delay)) return fail(ErrorKind::Unavailable, "stopped");
        break;
      case Manner::AsAsked:
      case Manner::Late:
      case Manner::Early:
      case Manner::Twice:
      case Manner::Never:
      case Manner::Drip:
      case Manner::ResetMidBody:
      case Manner::ResetMidAnswer:
        break;
    }
    return incoming_.posts_receipt() ? post_receipts() : answer_with_receipt();
  }

  Result<> answer_with_receipt() {
    if (!incoming_.request.wanted || behaviour_.manner == Manner::Never) return respond(empty_answer(200));
    if (behaviour_.manner == Manner::Late && !conversation_.pause(partner_.settings_.delay))
      return fail(ErrorKind::Unavailable, "stopped");
    SIGNET_TRY(as2::Receipt receipt, make_receipt(behaviour_.flaw));
    HttpResponse response;
    response.headers = std::move(receipt.headers);
    response.body = Slice::of(std::move(receipt.body));
    return respond(response);
  }

  /// "Taken, and more is to come", and then the receipts by connections of their own [RFC4130 4.2].
  Result<> post_receipts() {
    std::vector<as2::Receipt> receipts;
    if (behaviour_.manner != Manner::Never) {
      SIGNET_TRY(as2::Receipt receipt, make_receipt(behaviour_.flaw));
      receipts.push_back(std::move(receipt));
    }
    if (behaviour_.manner == Manner::Twice) {
      SIGNET_TRY(as2::Receipt second, second_receipt(receipts.front()));
      receipts.push_back(std::move(second));
    }
    if (behaviour_.manner == Manner::Early) post_all(receipts);
    HttpResponse taken = empty_answer(204);
    taken.close = true;  // this thread has more to do than to wait for the next message
    SIGNET_CHECK(respond(taken));
    if (behaviour_.manner == Manner::Late && !conversation_.pause(partner_.settings_.delay)) return {};
    if (behaviour_.manner != Manner::Early) post_all(receipts);
    return {};
  }

  Result<as2::Receipt> second_receipt(const as2::Receipt& first) {
    if (behaviour_.flaw != Flaw::Contradictory) return first;
    return make_receipt(Flaw::Error);
  }

  /// A receipt with its AS2 headers. For a message that is not accepted it says so, and has no flaw.
  Result<as2::Receipt> make_receipt(Flaw flaw) {
    if (!incoming_.accepted()) flaw = Flaw::None;
    as2::MdnContent content = honest_receipt(incoming_, partner_.ports_.product);
    spoil(content, flaw, incoming_.posts_receipt());

    as2::ReceiptSettings settings;
    settings.spool = partner_.ports_.spool;
    if (incoming_.request.signed_wanted && flaw != Flaw::Unsigned) {
      SIGNET_TRY(settings,
                 receipt_settings(*incoming_.agreement, *incoming_.account, receipt_hash(incoming_.request),
                                  partner_.ports_.clock.now(), partner_.ports_.spool));
      if (flaw == Flaw::WrongSigner) settings.signer = partner_.ports_.stranger;
    }
    SIGNET_TRY(as2::Receipt receipt, as2::make_receipt(content, settings));
    if (flaw == Flaw::Tampered) SIGNET_CHECK(tamper(receipt.body));
    if (flaw == Flaw::Garbage) receipt = garbage();
    return with_as2_headers(std::move(receipt));
  }

  [[nodiscard]] as2::Receipt with_as2_headers(as2::Receipt receipt) const {
    as2::mime::Headers headers;
    headers.add("AS2-Version", "1.2");
    headers.add("AS2-From", incoming_.to->field_value());
    headers.add("AS2-To", incoming_.from->field_value());
    headers.add("Message-ID", as2::MessageId::generate(kSimulatorHost).text());
    headers.add("Date", to_rfc5322(partner_.ports_.clock.now()));
    headers.add("MIME-Version", "1.0");
    for (const as2::mime::Header& header : receipt.headers) headers.add(header.name, header.value);
    receipt.headers = std::move(headers);
    return receipt;
  }

  Result<> respond(const HttpResponse& response) {
    const std::string status = std::to_string(response.status);
    report("answer", {{"status", status}, {"octets", std::to_string(response.body.size())}},
           fmt::format("answered HTTP {}{}", status,
                       response.body.empty() ? ", without a receipt" : " with a receipt"));
    if (behaviour_.manner == Manner::Drip)
      return conversation_.answer_in_drips(response, partner_.settings_.delay);
    if (behaviour_.manner == Manner::ResetMidAnswer) return conversation_.answer_half(response);
    return conversation_.answer(response);
  }

  void reset(const std::string& text) {
    report("answer", {{"reset", "true"}}, text);
    conversation_.reset();
  }

  void post_all(const std::vector<as2::Receipt>& receipts) {
    for (const as2::Receipt& receipt : receipts) post(receipt);
  }

  void post(const as2::Receipt& receipt) {
    const std::string& url = *incoming_.request.async_url;
    const auto answer = [&]() -> Result<HttpAnswer> {
      SIGNET_TRY(
          HttpPost request,
          request_to(url, *incoming_.agreement, *incoming_.account,
                     incoming_.agreement->agreement.receive_agreement.acknowledgement_connection_settings));
      request.headers = receipt.headers;
      request.headers.add("User-Agent", partner_.ports_.product);
      request.body = Slice::of(receipt.body);
      if (!partner_.settings_.allow_remote) request.allows_address = is_loopback;
      return partner_.ports_.post(request);
    }();
    const std::string shown = url_for_people(url);
    if (answer)
      report("receipt", {{"url", shown}, {"status", std::to_string(answer->status)}},
             fmt::format("posted a receipt to {}: HTTP {}", shown, answer->status));
    else
      report("receipt", {{"url", shown}, {"error", answer.error().detail}},
             fmt::format("could not post a receipt to {}: {}", shown, answer.error().detail));
  }

  void report_message() {
    const std::string security = as2::to_string(incoming_.layers);
    std::string text =
        fmt::format("message {} from {}, attempt {}: {}", printable(incoming_.message_id->text(), 998),
                    printable(incoming_.from->text()), attempt_, security);
    if (incoming_.accepted())
      text += fmt::format("; {}, so the gateway must {}", behaviour_.word(), behaviour_.gateway_must);
    else
      text += "; not accepted, and the receipt says so: " + incoming_.refusal;
    report("message",
           {{"from", incoming_.from->text()},
            {"to", incoming_.to->text()},
            {"agreement", incoming_.agreement->agreement.name},
            {"attempt", std::to_string(attempt_)},
            {"behaviour", behaviour_.word()},
            {"security", security},
            {"payloadSize", std::to_string(incoming_.size)},
            {"mic", incoming_.mic ? as2::to_string(*incoming_.mic) : ""},
            {"receiptUrl", url_for_people(incoming_.request.async_url.value_or(""))},
            {"disposition", incoming_.disposition.text},
            {"reason", incoming_.refusal},
            {"gatewayMust", std::string(incoming_.accepted() ? behaviour_.gateway_must : "")}},
           std::move(text));
  }

  void report(std::string name, std::vector<std::pair<std::string, std::string>> facts,
              std::string text) const {
    facts.insert(facts.begin(), {"messageId", incoming_.message_id->text()});
    partner_.tell_({std::move(name), std::move(facts), std::move(text)});
  }

  SimulatedPartner& partner_;
  Conversation& conversation_;
  Incoming incoming_;
  const AnswerBehaviour behaviour_;
  const unsigned attempt_;
};

SimulatedPartner::SimulatedPartner(PartnerPorts ports, AnswerSettings settings, Script script, Tell tell)
    : ports_(std::move(ports)),
      settings_(std::move(settings)),
      script_(std::move(script)),
      tell_(std::move(tell)) {}

void SimulatedPartner::serve(Conversation& conversation) {
  const HttpRequest& head = conversation.head();
  const auto refuse = [&](int status, const std::string& reason) {
    tell_({"refused",
           {{"status", std::to_string(status)},
            {"target", head.target},
            {"remote", head.remote_address},
            {"reason", reason}},
           fmt::format("refused a request from {}: HTTP {}, {}", head.remote_address, status,
                       printable(reason))});
    static_cast<void>(conversation.answer(text_response(status, reason, head.request_id)));
  };
  const bool is_ours = head.method == "POST" && path_of(head.target) == settings_.path;
  auto incoming = is_ours ? identify(head, ports_.account) : Result<Incoming>(fail(ErrorKind::NotFound, ""));
  if (incoming) {
    Turn(*this, conversation, *std::move(incoming)).run();
    const std::lock_guard lock(mutex_);
    ++answered_;
    return;
  }
  if (const auto body = conversation.read_body(); !body) return refuse(400, body.error().detail);
  if (!is_ours) return refuse(404, "messages are posted to " + settings_.path);
  refuse(incoming.error().kind == ErrorKind::NotFound ? 403 : 400, incoming.error().detail);
}

unsigned SimulatedPartner::count_attempt(const std::string& message_id) {
  const std::lock_guard lock(mutex_);
  if (attempts_.size() >= kMaxCounted) attempts_.clear();
  return ++attempts_[message_id];
}

std::size_t SimulatedPartner::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

}  // namespace signet::gateway::simulator
