#include "gateway/exchange/inbound.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "as2/disposition.h"
#include "as2/mdn.h"
#include "as2/message_id.h"
#include "as2/name.h"
#include "as2/open.h"
#include "as2/receipt.h"
#include "as2/receipt_request.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/provider.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/agreement_settings.h"
#include "gateway/exchange/in_flight.h"
#include "gateway/exchange/lanes.h"
#include "gateway/exchange/receipt_url.h"

namespace signet::gateway {
namespace {

using agreements::ResolvedAgreement;
using as2::Fault;
using as2::Refusal;
using as2::Step;

/// A request that is no AS2 message, or that nobody can be found for: it gets an HTTP answer and no receipt.
struct NotForUs {
  int http_status = 400;
  std::string reason;  ///< for the sender and for the operator
};

/// How a message's way ends: what its sender hears, and what has to be durable before he does.
struct Outcome {
  StoredReceipt answer;
  std::optional<InboundCommit> commit;
};

/// What the headers say. Claims, all of it.
struct Claims {
  std::optional<as2::As2Name> from;
  std::optional<as2::As2Name> to;
  std::optional<as2::MessageId> message_id;  ///< absent when what stands there is not one
  std::string subject;
  as2::ReceiptRequest receipt;
};

std::string field(const as2::mime::Headers& headers, std::string_view name) {
  return std::string(headers.value(name).value_or(""));
}

tl::expected<Claims, NotForUs> read_claims(const as2::mime::Headers& headers) {
  for (const std::string_view name : {"AS2-From", "AS2-To", "Message-ID", "Content-Type"})
    if (!headers.has(name))
      return tl::unexpected(
          NotForUs{400, fmt::format("not an AS2 message: the header field {} is missing", name)});
  Claims claims;
  for (const auto& [name, claimed] : {std::pair{"AS2-From", &claims.from}, std::pair{"AS2-To", &claims.to}}) {
    auto parsed = as2::As2Name::parse(field(headers, name));
    if (!parsed)
      return tl::unexpected(
          NotForUs{400, fmt::format("{} is not an AS2 name: {}", name, parsed.error().detail)});
    *claimed = *std::move(parsed);
  }
  if (auto id = as2::MessageId::parse(field(headers, "Message-ID"))) claims.message_id = *std::move(id);
  claims.subject = field(headers, "Subject");
  claims.receipt = as2::parse_receipt_request(headers);
  return claims;
}

std::string text_for_people(const as2::Disposition& disposition, const std::string& agreed_text) {
  if (!disposition.accepted())
    return fmt::format("The message was not accepted: {}.\n{}\nNothing of it was handed over.",
                       disposition.modifier,
                       disposition.fault ? as2::explanation_of(*disposition.fault) : std::string_view());
  std::string text = agreed_text.empty()
                         ? "The message was received, and its security was checked and found as agreed. This "
                           "says nothing about whether its content can be processed."
                         : agreed_text;
  if (disposition.fault != Fault::DuplicateDocument) return text;
  return fmt::format("{}\n{} This one was handed over as well.", text,
                     as2::explanation_of(Fault::DuplicateDocument));
}

/// The key under which repeats of a message wait for each other; `id` is null when its Message-ID is none.
std::string message_key(const MessageRecord& record, const as2::MessageId* id) {
  return fmt::format("{}\n{}\n{}", record.as2_from, record.as2_to,
                     id ? id->bare() : std::string_view(record.id));
}

/// One message on its way in. Each public member function is a step; InboundExchange has their order.
class Journey {
 public:
  /// A message that has just come.
  Journey(InboundPorts& ports, const InboundOptions& options, InboundRequest request)
      : ports_(ports), options_(options), request_(std::move(request)) {
    record_.id = random_id();
    record_.keeps = KeptCopies::none();  // until there is an agreement that says otherwise
    record_.direction = Direction::Inbound;
    record_.created = request_.received;
    record_.request_id = request_.request_id;
    record_.remote_address = request_.remote_address;
  }
  /// A message that was taken, and answered, before.
  Journey(InboundPorts& ports, const InboundOptions& options, InboundRequest request, MessageRecord record)
      : ports_(ports),
        options_(options),
        request_(std::move(request)),
        was_received_(true),
        record_(std::move(record)) {}

  /// Headers to agreement. @returns an outcome when the way ends here.
  std::optional<Outcome> identify() {
    auto claims = read_claims(request_.headers);
    if (!claims) return turn_away(claims.error());
    claims_ = *std::move(claims);
    record_.as2_from = claims_.from->text();
    record_.as2_to = claims_.to->text();
    record_.message_id = claims_.message_id ? claims_.message_id->text()
                                            : printable(field(request_.headers, "Message-ID"), 998);
    record_.subject = claims_.subject;

    auto account = ports_.account();
    if (!account) return unavailable(account.error());
    account_ = *std::move(account);
    agreement_ = account_->directory().find_inbound(record_.as2_from, record_.as2_to);
    if (agreement_ == nullptr) return answer_stranger();
    record_.agreement = agreement_->agreement.name;
    if (auto refused = authenticate()) return refused;
    const auto& switches = agreement_->agreement.receive_agreement.security_settings;
    record_.keeps = {switches.enable_nrr_for_inbound_encoded_messages,
                     switches.enable_nrr_for_inbound_decoded_messages, switches.enable_nrr_for_outbound_mdn};
    const std::uint64_t limit = agreement_->agreement.receive_agreement.limits.max_message_size;
    if (request_.body.size() > limit)
      return turn_away({413, fmt::format("the message has {} octets; {} are agreed at most",
                                         request_.body.size(), limit)});
    choose_receipts_way();
    return std::nullopt;
  }

  /// As identify(), for a message whose body nobody has read: its way ends here in any case, with a record.
  Outcome turn_away_unread(const std::string& reason) {
    auto ended = identify();
    return ended && ended->commit ? *std::move(ended) : turn_away({413, reason});
  }

  /// The key under which repeats of this message wait for each other.
  [[nodiscard]] std::string key() const {
    return message_key(record_, claims_.message_id ? &*claims_.message_id : nullptr);
  }
  [[nodiscard]] const std::string& id() const { return record_.id; }
  [[nodiscard]] const std::string& agreement() const { return record_.agreement; }
  /// Whether the receipt goes out by itself, so that the answer need not wait for it.
  [[nodiscard]] bool answers_first() const { return !record_.receipt_url.empty(); }

  /// A repeat gets the stored receipt again, or, where the agreement hands it over again, one that warns of
  /// that.
  /// @returns an outcome when the way ends here.
  std::optional<Outcome> admit() {
    if (!recognises_repeats()) return std::nullopt;
    const auto days = std::chrono::hours(24) * validation().interchange_duplicates_validity_days;
    auto found = ports_.store.find_earlier(record_.as2_from, record_.as2_to, record_.message_id,
                                           request_.received - days);
    if (!found) return unavailable(found.error());
    if (!*found || (*found)->id == record_.id) return std::nullopt;
    const EarlierMessage& earlier = **found;
    log::info("message-repeated", {{"request", record_.request_id},
                                   {"id", earlier.id},
                                   {"agreement", record_.agreement},
                                   {"message_id", record_.message_id}});
    if (!suspends_repeats()) {
      record_.disposition = as2::disposition_for(Fault::DuplicateDocument);
      return std::nullopt;
    }
    ports_.observer.message(MessageEvent::Repeated, record_);
    // The earlier one may have been stored by a process that ended before it could hand it over.
    if (earlier.state == MessageState::Accepted) ports_.accepted(earlier.id, record_.agreement);
    if (!answers_first())
      return earlier.state == MessageState::Received ? try_again_later() : Outcome{answer_again(earlier), {}};
    // Its receipt goes out once it is there; one that is there goes out again.
    if (earlier.state != MessageState::Received) ports_.receipt_wanted_again(earlier.id);
    return Outcome{taken_answer(), {}};
  }

  /// Whether an earlier request brought this message, and it is safe and in work: a repeat need not wait for
  /// that.
  [[nodiscard]] bool is_in_work() const {
    if (!answers_first() || !suspends_repeats()) return false;
    const auto found =
        ports_.store.find_earlier(record_.as2_from, record_.as2_to, record_.message_id, Time());
    return found && *found && (*found)->state == MessageState::Received;
  }

  /// The message as it came, to be made durable before it is opened.
  [[nodiscard]] MessageRecord received() const {
    MessageRecord record = record_;
    record.state = MessageState::Received;
    record.due = request_.received;
    return record;
  }
  [[nodiscard]] WireCopy wire() const {
    WireCopy copy;
    for (const as2::mime::Header& header : request_.headers)
      copy.headers.emplace_back(header.name, header.value);
    copy.body = request_.body;
    return copy;
  }
  /// The answer that the first of the repeats got, if the agreement's days were not lengthened since it went.
  [[nodiscard]] StoredReceipt answer_again(const EarlierMessage& earlier) const {
    if (earlier.receipt) return *earlier.receipt;
    log::warning("repeat-without-receipt", {{"request", record_.request_id}, {"id", earlier.id}});
    return plain_answer(200, "this message was taken before, and its receipt is not kept any more",
                        record_.request_id);
  }
  /// "Taken, and more is to come": the answer to a message whose receipt is posted [RFC4130 4.2].
  static StoredReceipt taken_answer() { return {204, {}, {}}; }

  /// Open, judge, and make the receipt: how it ends, once that is on disk.
  Outcome take() {
    const vault::AuditScope audited = vault::message_scope(record_.id);
    auto content = accept();
    if (!content && is_ours(content.error())) return not_now(content.error().cause);
    auto receipt = make_answer(content);
    if (!receipt) return unavailable(receipt.error());
    return conclude(content, *std::move(receipt));
  }

  /// What happens once the outcome is durable.
  void committed() const {
    report();
    const bool accepted = record_.state == MessageState::Accepted;
    ports_.observer.message(accepted       ? MessageEvent::Accepted
                            : ours_failed_ ? MessageEvent::NotTaken
                                           : MessageEvent::Refused,
                            record_);
    if (has_receipt_) ports_.observer.receipt_sent(record_);
    if (accepted) ports_.accepted(record_.id, record_.agreement);
    if (!record_.receipt_url.empty()) ports_.receipt_stored(record_.id, record_.agreement);
  }

  /// Whether the names are claimed by another message: another process was first, or the earlier one lies
  /// before the look-back, after which an id may be used again.
  [[nodiscard]] bool claims_names() const { return suspends_repeats(); }

  [[nodiscard]] Outcome try_again_later() const {
    StoredReceipt answer = plain_answer(
        503, "the message could not be taken at the moment; please send it again later", record_.request_id);
    answer.headers.emplace_back("Retry-After", "60");
    return {std::move(answer), {}};
  }

  /// Nothing was taken on: the partner may, and should, try again.
  [[nodiscard]] Outcome unavailable(const Error& error) const {
    log::error("message-not-taken", {{"request", record_.request_id},
                                     {"agreement", record_.agreement},
                                     {"from", record_.as2_from},
                                     {"message_id", record_.message_id},
                                     {"reason", error.detail}});
    if (!was_received_) ports_.observer.message(MessageEvent::NotTaken, record_);
    return try_again_later();
  }

 private:
  /// Whether the request proves what the agreement demands of it. A message that was taken before had done so
  /// then.
  std::optional<Outcome> authenticate() {
    if (was_received_) return std::nullopt;
    const vault::AuditScope audited = vault::message_scope(record_.id);
    auto unproven =
        check_sender(request_.proof, agreement_->agreement.receive_agreement, *account_, request_.received);
    if (!unproven) return not_now(unproven.error());
    if (!*unproven) return std::nullopt;
    const Unproven& refusal = **unproven;
    StoredReceipt answer = plain_answer(refusal.http_status, refusal.for_sender, record_.request_id);
    if (refusal.http_status == 401)
      answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"AS2\", charset=\"UTF-8\"");
    return commit_refusal(refusal.reason, std::move(answer));
  }

  /// The verdict over the message, with the record filled in on the way.
  Step<as2::AcceptedContent> accept() {
    SIGNET_CHECK(check_receipt_request());
    SIGNET_TRY(settings_,
               as2::or_refuse(Fault::UnexpectedProcessingError,
                              receive_settings(*agreement_, *account_, request_.received, options_.spool)));
    SIGNET_TRY(const as2::Opened opened, open());
    SIGNET_CHECK(compute_mic(opened));
    take_evidence(opened);
    SIGNET_CHECK(check_signer(opened));
    SIGNET_TRY(as2::AcceptedContent content, as2::judge(opened, settings_.requirements, options_.spool));
    SIGNET_CHECK(check_not_receipt(opened));
    record_.content_type = content.content_type();
    record_.file_name = content.file_name();
    record_.payload_size = content.payload().size();
    return content;
  }

  /// Posted to a URL, when the message asks for that or the agreement overrides it, and the agreement allows
  /// the URL. Otherwise the receipt goes into the answer: no URL is connected to that only a message names.
  void choose_receipts_way() {
    record_.receipt_url.clear();
    if (!mdn_settings().need_mdn || as2::is_mdn(request_.headers)) return;
    const agreements::OneWayAgreement& agreed = agreement_->agreement.receive_agreement;
    if (validation().override_message_properties) {
      if (mdn_settings().send_mdn_asynchronously) record_.receipt_url = mdn_settings().receipt_delivery_url;
      return;
    }
    if (!claims_.receipt.wanted || !claims_.receipt.async_url) return;
    if (allows_receipt_url(agreed, *claims_.receipt.async_url)) {
      record_.receipt_url = *claims_.receipt.async_url;
      return;
    }
    log::warning(
        "receipt-url-not-allowed",
        {{"request", record_.request_id},
         {"agreement", record_.agreement},
         {"url", url_for_people(*claims_.receipt.async_url)},
         {"reason",
          "the receipt goes into the HTTP answer; to have it posted, allow the URL in x:receiptPolicy"}});
  }

  /// A receipt that we could not make as asked ends the exchange before any work is done for it
  /// [RFC4130 7.5.3].
  Step<> check_receipt_request() const {
    if (!claims_.message_id)
      return as2::refuse(Fault::InvalidMessageId, ErrorKind::InvalidInput,
                         fmt::format("the Message-ID is not one: {}", record_.message_id));
    const as2::ReceiptRequest& wanted = claims_.receipt;
    if (wanted.wanted && wanted.signed_wanted && !wanted.protocol_supported)
      return as2::refuse(Fault::UnsupportedFormat, ErrorKind::Unsupported,
                         "a signed receipt is asked for in a protocol other than pkcs7-signature");
    if (wanted.wanted && wanted.signed_wanted && !wanted.hashes.empty() && !first_allowed_hash())
      return as2::refuse(Fault::UnsupportedMicAlgorithms, ErrorKind::Unsupported,
                         "a signed receipt is asked for with none but hash algorithms that are weak: let the "
                         "partner ask for "
                         "sha-256, or state an exception in the agreement");
    if (wanted.wanted && wanted.signed_wanted && wanted.only_unknown_hashes())
      return as2::refuse(
          Fault::UnsupportedMicAlgorithms, ErrorKind::Unsupported,
          fmt::format(
              "a signed receipt is asked for with none but unknown hash algorithms, the first is '{}'",
              printable(wanted.unknown_hashes.front())));
    return {};
  }

  Step<as2::Opened> open() {
    std::vector<as2::Layer> layers;
    auto opened = as2::open(request_.headers, request_.body, settings_.open, layers);
    record_.security = as2::to_string(layers);
    if (opened) return opened;
    Refusal refusal = std::move(opened).error();
    // A vault that says no is our operator's matter; the partner's message may be perfectly good.
    if (auto denied = vault::take_vault_refusal())
      return as2::refuse(Fault::UnexpectedProcessingError, *std::move(denied));
    if (refusal.fault == Fault::DecryptionFailed && !settings_.unusable.empty())
      return as2::refuse(Fault::UnexpectedProcessingError, std::move(settings_.unusable.front()));
    return tl::unexpected(std::move(refusal));
  }

  Step<> compute_mic(const as2::Opened& opened) {
    const Hash hash = as2::mic_hash(opened, claims_.receipt, allowed_hashes(), settings_.default_mic_hash);
    SIGNET_TRY(mic_, as2::or_refuse(Fault::UnexpectedProcessingError,
                                    as2::compute_mic(opened, hash, settings_.compressed_mic)));
    record_.mic = base64(mic_->value);
    record_.mic_algorithm = to_string(hash);
    if (opened.signer) record_.signer_thumbprint = opened.signer->certificate().thumbprint_sha256();
    return {};
  }

  /// What shows later, without any key of ours, what was signed and by whom.
  void take_evidence(const as2::Opened& opened) {
    evidence_.proof = Proof{as2::mic_content(opened, settings_.compressed_mic), {}};
    if (opened.signer) {
      evidence_.proof->signature = opened.signer->signature();
      evidence_.certificates.push_back(opened.signer->certificate().der());
    }
    for (const as2::Layer& layer : opened.layers)
      if (layer.kind == as2::LayerKind::Encrypted) record_.recipient_thumbprint = layer.thumbprint;
    for (const certstore::PrivateCertificate& own : settings_.open.decryption)
      if (own.certificate.thumbprint_sha256() == record_.recipient_thumbprint)
        evidence_.certificates.push_back(own.certificate.der());
  }

  /// An expired certificate proves nothing any more, whoever has its key by now.
  Step<> check_signer(const as2::Opened& opened) const {
    if (!opened.signer || opened.signer->certificate().valid_at(request_.received)) return {};
    const certstore::Certificate& certificate = opened.signer->certificate();
    return as2::refuse(
        Fault::AuthenticationFailed, ErrorKind::CryptoFailure,
        fmt::format(
            "the signer's certificate {} ({}) is valid from {} to {} only: ask the partner for a new one",
            certificate.thumbprint_sha1(), certificate.subject(), to_rfc3339(certificate.not_before()),
            to_rfc3339(certificate.not_after())));
  }

  /// A receipt that comes as a request of its own is nobody's payload. After judge(), so that it tells
  /// nothing to whoever probes ciphertexts.
  Step<> check_not_receipt(const as2::Opened& opened) {
    is_receipt_ = as2::is_mdn(opened.payload.headers);
    if (!is_receipt_) return {};
    return as2::refuse(
        Fault::UnsupportedFormat, ErrorKind::Unsupported,
        "a receipt was posted like a message: let the partner post it to the URL that our message asked for, "
        "or give it in the HTTP answer");
  }

  /// The answer that goes out once it is stored: a receipt, or what stands for it where none is wanted.
  Result<StoredReceipt> make_answer(const Step<as2::AcceptedContent>& content) {
    const as2::Disposition disposition = disposition_of(content);
    record_.disposition = disposition.text;
    if (!content) record_.reason = content.error().cause.detail;
    if (!wants_receipt()) {
      if (content) return StoredReceipt{200, {}, {}};
      const bool ours = content.error().fault == Fault::UnexpectedProcessingError;
      return plain_answer(ours ? 500 : 400, disposition.text, record_.request_id);
    }
    return make_receipt(disposition, signs_receipt());
  }

  [[nodiscard]] as2::Disposition disposition_of(const Step<as2::AcceptedContent>& content) const {
    if (!content) return as2::Disposition::of(content.error().fault);
    const bool repeated = record_.disposition == as2::disposition_for(Fault::DuplicateDocument);
    return repeated ? as2::Disposition::of(Fault::DuplicateDocument) : as2::Disposition::processed();
  }

  Result<StoredReceipt> make_receipt(const as2::Disposition& disposition, bool sign) {
    as2::MdnContent content;
    content.original_message_id = claims_.message_id;
    content.original_recipient = claims_.to;
    content.final_recipient = claims_.to;
    content.disposition = disposition;
    // The digest of what nobody has signed would let anybody test guesses at a recorded message's content.
    if (disposition.accepted() || proven()) content.mic = mic_;
    if (content.mic) content.mic_spelling = spelling_of(mic_->hash);
    content.reporting_ua = options_.product;
    content.human_text = text_for_people(
        disposition, agreement_ ? agreement_->agreement.receive_agreement.mdn_settings.mdn_text : "");

    as2::ReceiptSettings settings;
    settings.spool = options_.spool;
    if (sign) {
      SIGNET_TRY(settings,
                 receipt_settings(*agreement_, *account_, receipt_hash(), request_.received, options_.spool));
    }
    auto receipt = as2::make_receipt(content, settings);
    if (!receipt) {
      if (auto denied = vault::take_vault_refusal()) return fail(*std::move(denied));
      return fail(std::move(receipt).error().within("making the receipt"));
    }
    has_receipt_ = true;
    StoredReceipt answer = as_http(*std::move(receipt));
    if (settings.signer) {
      answer.signer = settings.signer->certificate.der();
      record_.receipt_signer_thumbprint = settings.signer->certificate.thumbprint_sha256();
    }
    return answer;
  }

  [[nodiscard]] StoredReceipt as_http(as2::Receipt receipt) const {
    StoredReceipt answer;
    answer.headers = {{"AS2-Version", std::string(as2_version())},
                      {"AS2-From", claims_.to->field_value()},
                      {"AS2-To", claims_.from->field_value()},
                      {"Message-ID", as2::MessageId::generate(options_.host).text()},
                      {"Date", to_rfc5322(ports_.clock.now())},
                      {"MIME-Version", "1.0"}};
    for (const as2::mime::Header& header : receipt.headers)
      answer.headers.emplace_back(header.name, header.value);
    answer.body = std::move(receipt.body);
    return answer;
  }

  /// The version that the agreement has us speak.
  [[nodiscard]] std::string_view as2_version() const {
    return to_string(agreement_ ? agreement_->agreement.send_agreement.packaging.as2_version
                                : agreements::Packaging().as2_version);
  }

  Outcome conclude(const Step<as2::AcceptedContent>& content, StoredReceipt answer) {
    record_.state = content ? MessageState::Accepted : MessageState::Refused;
    if (!content) record_.settled = ports_.clock.now();
    if (answer.body.empty()) record_.receipt_url.clear();  // none is wanted after all
    Outcome outcome = committing(std::move(answer), content && suspends_repeats());
    if (content) outcome.commit->payload = content->payload();
    if (!content) evidence_.proof.reset();
    outcome.commit->evidence = std::move(evidence_);
    if (record_.keeps.wire && !was_received_) outcome.commit->wire = wire();
    return outcome;
  }

  Outcome committing(StoredReceipt answer, bool unique) {
    InboundCommit commit{record_, Slice(), answer, unique, std::nullopt, {}};
    return {std::move(answer), std::move(commit)};
  }

  void report() const {
    const auto [level, event] = [this]() -> std::pair<log::Level, std::string_view> {
      if (record_.state == MessageState::Accepted) return {log::Level::Info, "message-accepted"};
      if (ours_failed_) return {log::Level::Error, "message-not-taken"};
      return {log::Level::Warning, "message-refused"};
    }();
    log::write(level, event,
               {{"request", record_.request_id},
                {"id", record_.id},
                {"agreement", record_.agreement},
                {"from", record_.as2_from},
                {"to", record_.as2_to},
                {"message_id", record_.message_id},
                {"remote", record_.remote_address},
                {"client_certificate", certificate_shown()},
                {"security", record_.security},
                {"signer", record_.signer_thumbprint},
                {"mic", record_.mic.empty() ? "" : record_.mic + ", " + record_.mic_algorithm},
                {"disposition", record_.disposition},
                {"reason", record_.reason}});
  }

  /// SHA-256 of the TLS client certificate; empty for none.
  [[nodiscard]] std::string certificate_shown() const {
    const auto& shown = request_.proof.client_certificate;
    return shown ? shown->thumbprint_sha256() : std::string();
  }

  /// Whether it is our disk or our vault that failed, and not the message. A receipt would be final, and
  /// blame the partner.
  static bool is_ours(const Refusal& refusal) {
    if (refusal.fault != Fault::UnexpectedProcessingError) return false;
    const ErrorKind kind = refusal.cause.kind;
    return kind == ErrorKind::IoFailure || kind == ErrorKind::Unavailable ||
           kind == ErrorKind::PermissionDenied || kind == ErrorKind::Disabled;
  }

  Outcome not_now(const Error& cause) {
    Outcome later = try_again_later();
    if (was_received_) return later;  // the partner has his answer: it is tried again here
    ours_failed_ = true;
    return commit_refusal(cause.detail, std::move(later.answer));
  }

  Outcome turn_away(const NotForUs& why) {
    record_.as2_from = printable(field(request_.headers, "AS2-From"), 128);
    record_.as2_to = printable(field(request_.headers, "AS2-To"), 128);
    record_.message_id = printable(field(request_.headers, "Message-ID"), 998);
    return commit_refusal(why.reason, plain_answer(why.http_status, why.reason, record_.request_id));
  }

  Outcome answer_stranger() {
    const bool to_itself = record_.as2_from == record_.as2_to;
    const as2::Disposition disposition =
        as2::Disposition::of(to_itself ? Fault::SenderEqualsReceiver : Fault::UnknownTradingRelationship);
    record_.disposition = disposition.text;
    const std::string reason =
        fmt::format("no agreement for messages from '{}' to '{}'", record_.as2_from, record_.as2_to);
    if (options_.stranger_answer == StrangerAnswer::UnsignedMdn && claims_.receipt.wanted)
      if (auto receipt = make_receipt(disposition, false)) return commit_refusal(reason, *std::move(receipt));
    return commit_refusal(reason, plain_answer(403, disposition.text, record_.request_id));
  }

  Outcome commit_refusal(std::string reason, StoredReceipt answer) {
    record_.state = MessageState::Refused;
    record_.receipt_url.clear();
    record_.reason = std::move(reason);
    record_.settled = ports_.clock.now();
    return committing(std::move(answer), false);
  }

  [[nodiscard]] const agreements::ValidationSettings& validation() const {
    return agreement_->agreement.receive_agreement.validation_settings;
  }
  [[nodiscard]] const agreements::MdnSettings& mdn_settings() const {
    return agreement_->agreement.receive_agreement.mdn_settings;
  }

  [[nodiscard]] bool recognises_repeats() const {
    return claims_.message_id && validation().check_duplicate_message;
  }
  [[nodiscard]] bool suspends_repeats() const {
    return recognises_repeats() &&
           agreement_->agreement.receive_agreement.error_settings.suspend_duplicate_message;
  }

  [[nodiscard]] agreements::ReceiptForUnsigned receipt_for_unsigned() const {
    return agreement_->agreement.receive_agreement.receipt_policy.receipt_for_unsigned_messages;
  }
  /// Whether a signature of the partner's has proved who sent this.
  [[nodiscard]] bool proven() const { return !record_.signer_thumbprint.empty(); }

  [[nodiscard]] bool wants_receipt() const {
    if (is_receipt_ || as2::is_mdn(request_.headers))
      return false;  // never a receipt for a receipt [RFC8098 2.1]
    if (!proven() && receipt_for_unsigned() == agreements::ReceiptForUnsigned::None) return false;
    return mdn_settings().need_mdn && (validation().override_message_properties || claims_.receipt.wanted);
  }

  /// Whether the receipt is signed: when asked for, or when the agreement overrides the headers.
  [[nodiscard]] bool signs_receipt() const {
    if (!mdn_settings().sign_mdn) return false;
    if (!proven() && receipt_for_unsigned() == agreements::ReceiptForUnsigned::Unsigned) return false;
    if (validation().override_message_properties) return true;
    if (!claims_.receipt.signature_required && !mdn_settings().sign_outbound_mdn_if_optional) return false;
    return claims_.receipt.signed_wanted && claims_.receipt.protocol_supported;
  }

  [[nodiscard]] std::vector<Hash> allowed_hashes() const {
    std::vector<Hash> allowed = {Hash::Sha256, Hash::Sha384, Hash::Sha512};
    if (agreements::allows_weak(agreement_->agreement.receive_agreement, agreements::WeakAlgorithm::SHA1,
                                request_.received))
      allowed.push_back(Hash::Sha1);
    return allowed;
  }

  /// The first hash of the partner's list that we may use [RFC4130 7.3: in the order of preference].
  [[nodiscard]] std::optional<Hash> first_allowed_hash() const {
    const auto allowed = allowed_hashes();
    for (const as2::RequestedHash& wanted : claims_.receipt.hashes)
      for (const Hash hash : allowed)
        if (wanted.hash == hash) return hash;
    return std::nullopt;
  }

  /// What a signed receipt is signed with: the first hash of the partner's list that the vault signs, which
  /// is never SHA-1, whatever exception there is; else the agreement's.
  [[nodiscard]] Hash receipt_hash() const {
    for (const as2::RequestedHash& wanted : claims_.receipt.hashes)
      for (const Hash hash : {Hash::Sha256, Hash::Sha384, Hash::Sha512})
        if (wanted.hash == hash) return hash;
    const Hash agreed =
        to_hash(agreement_->agreement.receive_agreement.validation_settings.signing_algorithm);
    return agreed == Hash::Sha1 ? Hash::Sha256 : agreed;
  }

  [[nodiscard]] std::string spelling_of(Hash hash) const {
    for (const as2::RequestedHash& wanted : claims_.receipt.hashes)
      if (wanted.hash == hash) return wanted.spelling;
    return as2::hash_name(hash, settings_.sha2_format);
  }

  InboundPorts& ports_;
  const InboundOptions& options_;
  const InboundRequest request_;
  const bool was_received_ = false;  ///< and answered, before: what is left is to open it
  Claims claims_;
  std::shared_ptr<const AccountSnapshot> account_;
  const ResolvedAgreement* agreement_ = nullptr;
  ReceiveSettings settings_;
  std::optional<as2::Mic> mic_;
  Evidence evidence_;
  bool is_receipt_ = false;   ///< what came
  bool has_receipt_ = false;  ///< what goes out
  bool ours_failed_ = false;  ///< a disk or a vault of ours, so that the answer is 503
  MessageRecord record_;
};

}  // namespace

// ---- The order of the steps

class InboundExchange::Impl {
 public:
  Impl(InboundPorts ports, InboundOptions options)
      : ports_(std::move(ports)),
        options_(std::move(options)),
        pool_(threads(options_)),
        in_flight_([this](InFlight::Waiter waiter) { boost::asio::post(pool_, std::move(waiter)); }),
        opening_("open", {.threads = threads(options_), .window = threads(options_)},
                 [this](const Lanes::Turn& turn) { return open(turn.job.id); }) {}

  ~Impl() {
    opening_.stop();
    opening_.join();
    wait_for_commits();
    pool_.join();
  }

  Result<std::size_t> recover() {
    SIGNET_TRY(const auto works, ports_.store.waiting(MessageState::Received));
    for (const WaitingWork& work : works) {
      SIGNET_TRY(const MessageRecord record, ports_.store.find(work.id));
      take_on(record.id, record.agreement, in_flight_.claim(key_of(record), [] {}));
    }
    return works.size();
  }

  void stop() { opening_.stop(); }
  [[nodiscard]] std::size_t to_open() const { return opening_.waiting(); }

  // The whole of receiving, in order. The first step that has an outcome ends the way.
  void receive(const InboundRequest& request, const Reply& reply) {
    try {
      const auto journey = std::make_shared<Journey>(ports_, options_, request);
      if (auto outcome = journey->identify()) return finish(journey, *std::move(outcome), reply, nullptr);
      if (journey->is_in_work()) return reply(Journey::taken_answer());

      auto claim = in_flight_.claim(journey->key(), [this, request, reply] { receive(request, reply); });
      if (!claim) return;
      if (auto outcome = journey->admit())
        return finish(journey, *std::move(outcome), reply, std::move(claim));
      if (journey->answers_first()) return answer_first(journey, reply, std::move(claim));
      finish(journey, journey->take(), reply, std::move(claim));
    } catch (const std::exception& thrown) {
      // Memory has run out, or a mistake of ours: the message was not taken, and the partner may try again.
      log::error("message-not-taken", {{"request", request.request_id}, {"reason", thrown.what()}});
      ports_.observer.message(MessageEvent::NotTaken, {});
      reply(plain_answer(503, "the message could not be taken at the moment; please send it again later",
                         request.request_id));
    }
  }

  void refuse_unread(InboundRequest request, std::string reason) {
    commit_begins();
    boost::asio::post(pool_, [this, request = std::move(request), reason = std::move(reason)] {
      try {
        const auto journey = std::make_shared<Journey>(ports_, options_, request);
        commit(*journey->turn_away_unread(reason).commit, [journey](const Result<>& stored) {
          if (stored) return journey->committed();
          static_cast<void>(journey->unavailable(stored.error()));
        });
      } catch (const std::exception& thrown) {
        log::error("message-not-taken", {{"request", request.request_id}, {"reason", thrown.what()}});
      }
      commit_ended();
    });
  }

  [[nodiscard]] std::uint64_t body_limit(const as2::mime::Headers& head) const {
    constexpr std::uint64_t kForStrangers = 256 * 1024;
    const auto claims = read_claims(head);
    const auto account = ports_.account();
    if (!claims || !account) return kForStrangers;
    const auto* agreement = (*account)->directory().find_inbound(claims->from->text(), claims->to->text());
    return agreement ? agreement->agreement.receive_agreement.limits.max_message_size : kForStrangers;
  }

 private:
  using Claim = std::shared_ptr<InFlight::Claim>;
  using JourneyPtr = std::shared_ptr<Journey>;

  /// When the disk or the vault said no to a message that is ours to open.
  static constexpr std::chrono::seconds kOwnTroublePause{5};

  static unsigned threads(const InboundOptions& options) {
    return options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  }

  static std::string key_of(const MessageRecord& record) {
    const auto id = as2::MessageId::parse(record.message_id);
    return message_key(record, id ? &*id : nullptr);
  }

  /// The answer leaves when the outcome is on disk, and not before.
  void finish(const JourneyPtr& journey, Outcome outcome, const Reply& reply, Claim claim) {
    if (!outcome.commit) return reply(std::move(outcome.answer));
    auto ended = std::make_shared<Outcome>(std::move(outcome));
    commit(*ended->commit, [this, journey, ended, reply, claim = std::move(claim)](const Result<>& stored) {
      if (stored) {
        journey->committed();
        return reply(ended->answer);
      }
      if (stored.error().kind != ErrorKind::AlreadyExists)
        return reply(journey->unavailable(stored.error()).answer);
      boost::asio::post(
          pool_, [this, journey, ended, reply, claim] { finish_repeat(journey, *ended, reply, claim); });
    });
  }

  /// The names turned out to be claimed: by another process that was first, or by a message from before the
  /// look-back, after which an id may be used again.
  void finish_repeat(const JourneyPtr& journey, Outcome outcome, const Reply& reply, const Claim& claim) {
    if (auto earlier = journey->admit()) return finish(journey, *std::move(earlier), reply, claim);
    outcome.commit->unique = false;
    finish(journey, std::move(outcome), reply, claim);
  }

  /// A message whose receipt is posted: it is answered when it is on disk as it came, however long opening it
  /// takes [RFC4130 4.2].
  void answer_first(const JourneyPtr& journey, const Reply& reply, Claim claim, bool unique = true) {
    commit_begins();
    ports_.store.commit_received(journey->received(), journey->wire(), unique && journey->claims_names(),
                                 [this, journey, reply, claim = std::move(claim)](const Result<>& stored) {
                                   if (stored) {
                                     take_on(journey->id(), journey->agreement(), claim);
                                     reply(Journey::taken_answer());
                                   } else if (stored.error().kind == ErrorKind::AlreadyExists) {
                                     boost::asio::post(pool_, [this, journey, reply, claim] {
                                       if (auto earlier = journey->admit())
                                         return finish(journey, *std::move(earlier), reply, claim);
                                       answer_first(journey, reply, claim, false);
                                     });
                                   } else {
                                     reply(journey->unavailable(stored.error()).answer);
                                   }
                                   commit_ended();
                                 });
  }

  /// Queues a received message for opening; repeats of it wait.
  void take_on(const std::string& id, const std::string& agreement, Claim claim) {
    {
      const std::lock_guard lock(claims_mutex_);
      claims_[id] = std::move(claim);
    }
    opening_.add(id, agreement);
  }

  LaneRunner::Finish open(const std::string& id) {
    const auto done = [&]() -> Result<bool> {
      SIGNET_TRY(MessageRecord record, ports_.store.find(id));
      if (record.state != MessageState::Received) return true;
      SIGNET_TRY(WireCopy wire, ports_.store.wire(id));
      InboundRequest request{
          {}, std::move(wire.body), record.request_id, record.remote_address, record.created};
      for (auto& [name, value] : wire.headers) request.headers.add(name, value);
      const auto journey = std::make_shared<Journey>(ports_, options_, std::move(request), std::move(record));
      auto outcome = journey->identify();
      if (!outcome) outcome = journey->take();
      if (!outcome->commit) return false;  // our own trouble, which is in the log
      commit(*std::move(outcome->commit), [this, id, journey](const Result<>& stored) {
        if (stored) journey->committed();
        if (stored || stored.error().kind == ErrorKind::AlreadyExists) return let_go(id);
        static_cast<void>(journey->unavailable(stored.error()));
        opening_.add(id, journey->agreement(), kOwnTroublePause);
      });
      return true;
    }();
    if (done && *done) return {};
    if (!done) log::error("message-not-opened", {{"id", id}, {"reason", done.error().detail}});
    return {Lanes::Outcome::NotTried, kOwnTroublePause};
  }

  void let_go(const std::string& id) {
    Claim released;  // outside of the lock: repeats are let in
    const std::lock_guard lock(claims_mutex_);
    if (const auto entry = claims_.find(id); entry != claims_.end())
      released = std::move(claims_.extract(entry).mapped());
  }

  void commit(InboundCommit what, MessageStore::Done done) {
    commit_begins();
    ports_.store.commit_inbound(std::move(what), [this, done = std::move(done)](Result<> stored) {
      done(std::move(stored));
      commit_ended();
    });
  }

  void commit_begins() {
    const std::lock_guard lock(commits_mutex_);
    ++commits_;
  }

  void commit_ended() {
    const std::lock_guard lock(commits_mutex_);
    --commits_;
    commits_ended_.notify_all();
  }

  void wait_for_commits() {
    std::unique_lock lock(commits_mutex_);
    commits_ended_.wait(lock, [this] { return commits_ == 0; });
  }

  InboundPorts ports_;
  const InboundOptions options_;
  boost::asio::thread_pool pool_;  ///< for what must not run on the store's committer
  InFlight in_flight_;

  std::mutex claims_mutex_;
  std::map<std::string, Claim> claims_;  ///< of the messages that were answered and are still to be opened

  std::mutex commits_mutex_;
  std::condition_variable commits_ended_;
  std::size_t commits_ = 0;  ///< under way, and calling back

  LaneRunner opening_;  ///< last: its threads use everything above
};

InboundExchange::InboundExchange(InboundPorts ports, InboundOptions options)
    : impl_(std::make_unique<Impl>(std::move(ports), std::move(options))) {}
InboundExchange::~InboundExchange() = default;

void InboundExchange::receive(const InboundRequest& request, const Reply& reply) {
  impl_->receive(request, reply);
}
Result<std::size_t> InboundExchange::recover() { return impl_->recover(); }
void InboundExchange::stop() { impl_->stop(); }
std::size_t InboundExchange::to_open() const { return impl_->to_open(); }

void InboundExchange::refuse_unread(InboundRequest request, std::string reason) {
  impl_->refuse_unread(std::move(request), std::move(reason));
}

std::uint64_t InboundExchange::body_limit(const as2::mime::Headers& head) const {
  return impl_->body_limit(head);
}

}  // namespace signet::gateway
