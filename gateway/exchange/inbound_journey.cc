#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "as2/mdn.h"
#include "as2/receipt_request.h"
#include "base/log.h"
#include "base/random.h"
#include "certstore/vault/provider.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/exchange/even_answers.h"
#include "gateway/exchange/inbound_journey_internal.h"

namespace signet::gateway {

using as2::Fault;
using as2::Refusal;
using as2::Step;

namespace {

/// What our vault says of our key, or our account of its certificates, whatever it is, is no fault of the
/// message: also that the key is gone.
Error ours(Error error) {
  if (!is_our_trouble(error)) error.kind = ErrorKind::Unavailable;
  return error;
}

/// Where a message was handed over that is for the gateway itself.
constexpr std::string_view kTakenIn = "certificate exchange";

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

}  // namespace

std::string message_key(const MessageRecord& record, const as2::MessageId* id) {
  return fmt::format("{}\n{}\n{}", record.as2_from, record.as2_to,
                     id ? id->bare() : std::string_view(record.id));
}

Journey::Journey(InboundPorts& ports, const InboundOptions& options, DecryptionThrottle& failures,
                 InboundRequest request)
    : ports_(ports), options_(options), failures_(failures), request_(std::move(request)) {
  record_.id = random_id();
  record_.keeps = KeptCopies::none();  // until there is an agreement that says otherwise
  record_.direction = Direction::Inbound;
  record_.created = request_.received;
  record_.request_id = request_.request_id;
  record_.remote_address = request_.remote_address;
}

Journey::Journey(InboundPorts& ports, const InboundOptions& options, DecryptionThrottle& failures,
                 InboundRequest request, MessageRecord record)
    : ports_(ports),
      options_(options),
      failures_(failures),
      request_(std::move(request)),
      was_received_(true),
      record_(std::move(record)) {}

std::optional<Outcome> Journey::identify() {
  auto claims = read_claims(request_.headers);
  if (!claims) return turn_away(claims.error());
  claims_ = *std::move(claims);
  record_.as2_from = claims_.from->text();
  record_.as2_to = claims_.to->text();
  record_.message_id =
      claims_.message_id ? claims_.message_id->text() : printable(field(request_.headers, "Message-ID"), 998);
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
    return turn_away(
        {413, fmt::format("the message has {} octets; {} are agreed at most", request_.body.size(), limit)});
  if (auto foreign = foreign_body(request_.headers, request_.body.size())) return turn_away(*foreign);
  terms_.emplace(agreement_->agreement.receive_agreement, claims_.receipt, request_.received);
  choose_receipts_way();
  return std::nullopt;
}

Outcome Journey::turn_away_unread(const std::string& reason) {
  auto ended = identify();
  return ended && ended->commit ? *std::move(ended) : turn_away({413, reason});
}

std::string Journey::key() const {
  return message_key(record_, claims_.message_id ? &*claims_.message_id : nullptr);
}

std::optional<Outcome> Journey::admit() {
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

std::optional<std::chrono::seconds> Journey::held_back_for() const {
  return failures_.wait(record_.remote_address, record_.agreement, Throttle::Moment::clock::now());
}

StoredReceipt Journey::try_again_in(std::chrono::seconds wait) const {
  log::debug("message-held-back", {{"request", record_.request_id},
                                   {"agreement", record_.agreement},
                                   {"from", record_.as2_from},
                                   {"message_id", record_.message_id},
                                   {"remote", record_.remote_address}});
  ports_.observer.message(MessageEvent::HeldBack, record_);
  StoredReceipt answer =
      plain_answer(429, "too many messages from here could not be decrypted; please send it again later",
                   record_.request_id);
  answer.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return answer;
}

std::chrono::nanoseconds Journey::pause_before_outcome() const {
  if (!key_was_in_vain_) return {};
  return until_even(std::chrono::steady_clock::now() - began_, request_.body.size());
}

void Journey::note_failure(const Refusal& refusal) {
  if (refusal.fault != Fault::DecryptionFailed) return;
  if (refusal.cause.kind == ErrorKind::NotFound) return;  // it is for none of our keys, so none was used
  key_was_in_vain_ = true;
  const auto wait =
      failures_.failed(record_.remote_address, record_.agreement, Throttle::Moment::clock::now());
  if (!wait) return;
  log::warning(
      "decryption-failures",
      {{"agreement", record_.agreement},
       {"remote", record_.remote_address},
       {"retry_after", std::to_string(wait->count())},
       {"reason", fmt::format("more messages from there than {} in an hour did not decrypt: further ones are "
                              "answered 429 for a while; see decryption-failures in serve.toml",
                              options_.decryption_failures)}});
}

bool Journey::is_in_work() const {
  if (!answers_first() || !suspends_repeats()) return false;
  const auto found = ports_.store.find_earlier(record_.as2_from, record_.as2_to, record_.message_id, Time());
  return found && *found && (*found)->state == MessageState::Received;
}

MessageRecord Journey::received() const {
  MessageRecord record = record_;
  record.state = MessageState::Received;
  record.due = request_.received;
  return record;
}

WireCopy Journey::wire() const {
  WireCopy copy;
  for (const as2::mime::Header& header : request_.headers)
    copy.headers.emplace_back(header.name, header.value);
  copy.body = request_.body;
  return copy;
}

StoredReceipt Journey::answer_again(const EarlierMessage& earlier) const {
  if (earlier.receipt) return *earlier.receipt;
  log::warning("repeat-without-receipt", {{"request", record_.request_id}, {"id", earlier.id}});
  return plain_answer(200, "this message was taken before, and its receipt is not kept any more",
                      record_.request_id);
}

Outcome Journey::take() {
  const vault::AuditScope audited = vault::message_scope(record_.id);
  auto content = accept();
  if (!content && is_ours(content.error())) return not_now(content.error().cause);
  auto receipt = make_answer(content);
  if (!receipt) return unavailable(receipt.error());
  return conclude(content, *std::move(receipt));
}

void Journey::committed() const {
  report();
  const bool accepted = record_.state != MessageState::Refused;
  ports_.observer.message(accepted       ? MessageEvent::Accepted
                          : ours_failed_ ? MessageEvent::NotTaken
                                         : MessageEvent::Refused,
                          record_);
  if (has_receipt_) ports_.observer.receipt_sent(record_);
  if (accepted && is_exchange_) ports_.observer.message(MessageEvent::Delivered, record_);
  if (record_.state == MessageState::Accepted) ports_.accepted(record_.id, record_.agreement);
  if (!record_.receipt_url.empty()) ports_.receipt_stored(record_.id, record_.agreement);
}

Outcome Journey::try_again_later() const {
  StoredReceipt answer = plain_answer(
      503, "the message could not be taken at the moment; please send it again later", record_.request_id);
  answer.headers.emplace_back("Retry-After", "60");
  return {std::move(answer), {}};
}

Outcome Journey::unavailable(const Error& error) const {
  log::error("message-not-taken", {{"request", record_.request_id},
                                   {"agreement", record_.agreement},
                                   {"from", record_.as2_from},
                                   {"message_id", record_.message_id},
                                   {"reason", error.detail}});
  if (!was_received_) ports_.observer.message(MessageEvent::NotTaken, record_);
  return try_again_later();
}

std::optional<Outcome> Journey::authenticate() {
  if (was_received_) return std::nullopt;
  const vault::AuditScope audited = vault::message_scope(record_.id);
  auto unproven =
      check_sender(request_.proof, agreement_->agreement.receive_agreement, *account_, request_.received);
  if (unproven && !*unproven)
    unproven = check_not_revoked(request_.proof, agreement_->agreement, ports_.revocation, account_,
                                 ports_.clock.now(), record_.revocation_unchecked, record_.id);
  if (!unproven) return not_now(unproven.error());
  if (!*unproven) return std::nullopt;
  const Unproven& refusal = **unproven;
  StoredReceipt answer = plain_answer(refusal.http_status, refusal.for_sender, record_.request_id);
  if (refusal.http_status == 401) answer.headers.emplace_back("WWW-Authenticate", kBasicChallenge);
  return commit_refusal(refusal.reason, std::move(answer));
}

Step<as2::AcceptedContent> Journey::accept() {
  SIGNET_CHECK(check_request());
  auto settings = receive_settings(*agreement_, *account_, request_.received, options_.spool);
  if (!settings) return as2::refuse(Fault::UnexpectedProcessingError, ours(std::move(settings).error()));
  settings_ = *std::move(settings);
  SIGNET_TRY(const as2::Opened opened, open());
  SIGNET_CHECK(compute_mic(opened));
  take_evidence(opened);
  SIGNET_CHECK(check_signer(opened));
  SIGNET_CHECK(check_revocation(opened));
  auto content = as2::judge(opened, settings_.requirements, options_.spool);
  if (!content) {
    note_failure(content.error());
    return content;
  }
  SIGNET_CHECK(check_not_receipt(opened));
  record_.content_type = content->content_type();
  record_.file_name = content->file_name();
  record_.payload_size = content->payload().size();
  SIGNET_CHECK(take_exchange(opened, *content));
  return content;
}

void Journey::choose_receipts_way() {
  record_.receipt_url.clear();
  if (as2::is_mdn(request_.headers)) return;
  record_.receipt_url = terms_->url();
  const std::optional<std::string> refused = terms_->refused_url();
  if (!refused) return;
  log::warning(
      "receipt-url-not-allowed",
      {{"request", record_.request_id},
       {"agreement", record_.agreement},
       {"url", url_for_people(*refused)},
       {"reason",
        "the receipt goes into the HTTP answer; to have it posted, allow the URL in x:receiptPolicy"}});
}

Step<> Journey::check_request() const {
  if (!claims_.message_id)
    return as2::refuse(Fault::InvalidMessageId, ErrorKind::InvalidInput,
                       fmt::format("the Message-ID is not one: {}", record_.message_id));
  return terms_->check();
}

Step<as2::Opened> Journey::open() {
  std::vector<as2::Layer> layers;
  auto opened = as2::open(request_.headers, request_.body, settings_.open, layers);
  record_.security = as2::to_string(layers);
  if (opened) return opened;
  Refusal refusal = std::move(opened).error();
  // A vault that says no is our operator's matter; the partner's message may be perfectly good.
  if (auto denied = vault::take_vault_refusal())
    return as2::refuse(Fault::UnexpectedProcessingError, ours(*std::move(denied)));
  note_failure(refusal);
  // It may be for a key that cannot be used now. One for a key that can, and does not open, is damaged.
  const bool is_for_none =
      refusal.fault == Fault::DecryptionFailed && refusal.cause.kind == ErrorKind::NotFound;
  if (is_for_none && !settings_.unusable.empty())
    return as2::refuse(Fault::UnexpectedProcessingError, ours(std::move(settings_.unusable.front())));
  return tl::unexpected(std::move(refusal));
}

Step<> Journey::compute_mic(const as2::Opened& opened) {
  const Hash hash =
      as2::mic_hash(opened, claims_.receipt, terms_->allowed_hashes(), settings_.default_mic_hash);
  SIGNET_TRY(mic_, as2::or_refuse(Fault::UnexpectedProcessingError,
                                  as2::compute_mic(opened, hash, settings_.compressed_mic)));
  record_.mic = base64(mic_->value);
  record_.mic_algorithm = to_string(hash);
  if (opened.signer) record_.signer_thumbprint = opened.signer->certificate().thumbprint_sha256();
  return {};
}

void Journey::take_evidence(const as2::Opened& opened) {
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

Step<> Journey::check_signer(const as2::Opened& opened) const {
  if (!opened.signer || opened.signer->certificate().valid_at(request_.received)) return {};
  const certstore::Certificate& certificate = opened.signer->certificate();
  return as2::refuse(
      Fault::AuthenticationFailed, ErrorKind::CryptoFailure,
      fmt::format(
          "the signer's certificate {} ({}) is valid from {} to {} only: ask the partner for a new one",
          certificate.thumbprint_sha1(), certificate.subject(), to_rfc3339(certificate.not_before()),
          to_rfc3339(certificate.not_after())));
}

Step<> Journey::check_revocation(const as2::Opened& opened) {
  if (!validation().check_certificate_revocation_list_on_receive || !opened.signer) return {};
  RevocationVerdict verdict =
      judge_revocation(ports_.revocation, agreement_->agreement, agreements::LookedUpUse::VerifyMessage,
                       opened.signer->certificate(), account_, ports_.clock.now(), record_.id);
  switch (verdict.outcome) {
    case RevocationOutcome::Usable:
      return {};
    case RevocationOutcome::Unchecked:
      record_.revocation_unchecked = std::move(verdict.text);
      return {};
    case RevocationOutcome::Revoked:
    case RevocationOutcome::NoList:
      return as2::refuse(Fault::AuthenticationFailed, ErrorKind::CryptoFailure, std::move(verdict.text));
    case RevocationOutcome::NotYet:
      break;
  }
  return as2::refuse(Fault::UnexpectedProcessingError, ErrorKind::Unavailable, std::move(verdict.text));
}

Step<> Journey::check_not_receipt(const as2::Opened& opened) {
  is_receipt_ = as2::is_mdn(opened.payload.headers);
  if (!is_receipt_) return {};
  return as2::refuse(
      Fault::UnsupportedFormat, ErrorKind::Unsupported,
      "a receipt was posted like a message: let the partner post it to the URL that our message asked for, "
      "or give it in the HTTP answer");
}

Step<> Journey::take_exchange(const as2::Opened& opened, const as2::AcceptedContent& content) {
  if (!as2::cem::is_exchange(content.content_type())) return {};
  if (!agreement_->agreement.certificate_exchange.enabled || ports_.exchanges == nullptr)
    return as2::refuse(
        Fault::UnsupportedFormat, ErrorKind::Unsupported,
        "a certificate exchange message, and the agreement does not have x:certificateExchange: "
        "enable that, or take the partner's certificate by another way");
  if (!opened.signer)
    return as2::refuse(Fault::InsufficientMessageSecurity, ErrorKind::InvalidInput,
                       "a certificate exchange message that is not signed, whatever the agreement demands");
  is_exchange_ = true;
  SIGNET_TRY(const as2::cem::Exchange exchange,
             as2::or_refuse(Fault::UnexpectedProcessingError,
                            as2::cem::parse(content.content_type(), content.payload(), options_.spool)));
  if (const auto* request = std::get_if<as2::cem::Request>(&exchange)) return take_request(*request);
  return take_response(std::get<as2::cem::Response>(exchange));
}

namespace {

Step<> check_sender(const std::string& named, const MessageRecord& record) {
  if (named == record.as2_from) return {};
  return as2::refuse(
      Fault::UnexpectedProcessingError, ErrorKind::InvalidInput,
      fmt::format("certificate exchange: the Name is '{}', expected the message's AS2-From '{}'",
                  printable(named, 128), record.as2_from));
}

}  // namespace

/// A request that comes again, under whatever Message-ID, changes nothing; another one has another id.
Step<> Journey::take_request(const as2::cem::Request& request) {
  SIGNET_CHECK(check_sender(request.sender, record_));
  SIGNET_TRY(const auto known,
             as2::or_refuse(Fault::UnexpectedProcessingError,
                            ports_.exchanges->of_request(ExchangeOrigin::Partner, record_.agreement,
                                                         request.request_id)));
  for (const as2::cem::TrustRequest& one : request.certificates) {
    const std::string& thumbprint = one.certificate.thumbprint_sha256();
    const bool is_known = std::any_of(
        known.begin(), known.end(),
        [&](const CertificateExchangeRecord& earlier) { return earlier.thumbprint == thumbprint; });
    if (is_known) continue;
    if (!known.empty())
      return as2::refuse(
          Fault::UnexpectedProcessingError, ErrorKind::InvalidInput,
          fmt::format("certificate exchange: the request '{}' came before, with other certificates",
                      printable(request.request_id, 200)));
    CertificateExchangeRecord record;
    record.id = random_id();
    record.origin = ExchangeOrigin::Partner;
    record.agreement = record_.agreement;
    record.request_id = request.request_id;
    record.usages = as2::cem::to_string(one.usages);
    record.certificate = one.certificate.der();
    record.thumbprint = thumbprint;
    record.message = record_.id;
    record.respond_by = one.respond_by;
    record.created = request_.received;
    announced_.push_back(std::move(record));
  }
  return {};
}

/// Of what we announced, in this agreement and under this id; whatever was answered before stays so.
Step<> Journey::take_response(const as2::cem::Response& response) {
  SIGNET_CHECK(check_sender(response.sender, record_));
  SIGNET_TRY(const auto ours,
             as2::or_refuse(
                 Fault::UnexpectedProcessingError,
                 ports_.exchanges->of_request(ExchangeOrigin::Us, record_.agreement, response.request_id)));
  for (const as2::cem::TrustResponse& one : response.certificates) {
    const auto found = std::find_if(ours.begin(), ours.end(), [&](const CertificateExchangeRecord& record) {
      const auto certificate = certstore::Certificate::parse(record.certificate);
      return certificate && as2::cem::identifier_of(*certificate).serial == one.certificate.serial;
    });
    if (found == ours.end())
      return as2::refuse(
          Fault::UnexpectedProcessingError, ErrorKind::InvalidInput,
          fmt::format("certificate exchange: an answer about the certificate {} of the request '{}', "
                      "which was not announced under this agreement",
                      one.certificate.serial, printable(response.request_id, 200)));
    answers_.push_back({found->id, one.accepted ? ExchangeState::Accepted : ExchangeState::Rejected,
                        printable(one.reason, 1000), record_.id, request_.received});
  }
  return {};
}

Result<StoredReceipt> Journey::make_answer(const Step<as2::AcceptedContent>& content) {
  const as2::Disposition disposition = disposition_of(content);
  record_.disposition = disposition.text;
  if (!content) record_.reason = content.error().cause.detail;
  if (!wants_receipt()) {
    if (content) return StoredReceipt{200, {}, {}};
    const bool ours = content.error().fault == Fault::UnexpectedProcessingError;
    return plain_answer(ours ? 500 : 400, disposition.text, record_.request_id);
  }
  return make_receipt(disposition, terms_->is_signed(proven()));
}

as2::Disposition Journey::disposition_of(const Step<as2::AcceptedContent>& content) const {
  if (!content) return as2::Disposition::of(content.error().fault);
  const bool repeated = record_.disposition == as2::disposition_for(Fault::DuplicateDocument);
  return repeated ? as2::Disposition::of(Fault::DuplicateDocument) : as2::Disposition::processed();
}

Result<StoredReceipt> Journey::make_receipt(const as2::Disposition& disposition, bool sign) {
  as2::MdnContent content;
  content.original_message_id = claims_.message_id;
  content.original_recipient = claims_.to;
  content.final_recipient = claims_.to;
  content.disposition = disposition;
  // The digest of what nobody has signed would let anybody test guesses at a recorded message's content.
  if (disposition.accepted() || proven()) content.mic = mic_;
  if (content.mic)
    content.mic_spelling =
        terms_->spelling_of(mic_->hash).value_or(as2::hash_name(mic_->hash, settings_.sha2_format));
  content.reporting_ua = options_.product;
  content.human_text = text_for_people(
      disposition, agreement_ ? agreement_->agreement.receive_agreement.mdn_settings.mdn_text : "");

  as2::ReceiptSettings settings;
  settings.spool = options_.spool;
  if (sign) {
    SIGNET_TRY(settings, receipt_settings(*agreement_, *account_, terms_->signature_hash(), request_.received,
                                          options_.spool));
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

StoredReceipt Journey::as_http(as2::Receipt receipt) const {
  StoredReceipt answer;
  answer.headers = {{"AS2-Version", as2_version()},
                    {"AS2-From", claims_.to->field_value()},
                    {"AS2-To", claims_.from->field_value()},
                    {"Message-ID", as2::MessageId::generate(options_.host).text()},
                    {"Date", to_rfc5322(ports_.clock.now())},
                    {"MIME-Version", "1.0"}};
  if (const std::string features = agreement_ ? features_of(agreement_->agreement) : ""; !features.empty())
    answer.headers.emplace_back("EDIINT-Features", features);
  for (const as2::mime::Header& header : receipt.headers)
    answer.headers.emplace_back(header.name, header.value);
  answer.body = std::move(receipt.body);
  return answer;
}

std::string Journey::as2_version() const {
  if (agreement_ == nullptr) return std::string(to_string(agreements::Packaging().as2_version));
  const agreements::Agreement& agreement = agreement_->agreement;
  return spoken_version(agreement, to_string(agreement.send_agreement.packaging.as2_version));
}

Outcome Journey::conclude(const Step<as2::AcceptedContent>& content, StoredReceipt answer) {
  record_.state = content ? MessageState::Accepted : MessageState::Refused;
  if (content && is_exchange_) {
    record_.state = MessageState::Delivered;
    record_.delivered_to = kTakenIn;
    if (!record_.keeps.payload) evidence_.proof.reset();
  }
  if (record_.state != MessageState::Accepted) record_.settled = ports_.clock.now();
  if (answer.body.empty()) record_.receipt_url.clear();  // none is wanted after all
  Outcome outcome = committing(std::move(answer), content && suspends_repeats());
  if (content && (!is_exchange_ || record_.keeps.payload)) outcome.commit->payload = content->payload();
  if (!content) evidence_.proof.reset();
  if (content) {
    outcome.commit->announced = std::move(announced_);
    outcome.commit->answers = std::move(answers_);
    if (proven()) outcome.commit->features = printable(field(request_.headers, "EDIINT-Features"), 1000);
  }
  outcome.commit->evidence = std::move(evidence_);
  if (record_.keeps.wire && !was_received_) outcome.commit->wire = wire();
  return outcome;
}

Outcome Journey::committing(StoredReceipt answer, bool unique) {
  InboundCommit commit{record_, Slice(), answer, unique, std::nullopt, {}, ports_.clock.now()};
  return {std::move(answer), std::move(commit)};
}

void Journey::report() const {
  const auto [level, event] = [this]() -> std::pair<log::Level, std::string_view> {
    if (record_.state != MessageState::Refused && !ours_failed_)
      return {log::Level::Info, "message-accepted"};
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

std::string Journey::certificate_shown() const {
  const auto& shown = request_.proof.client_certificate;
  return shown ? shown->thumbprint_sha256() : std::string();
}

bool Journey::is_ours(const Refusal& refusal) {
  return refusal.fault == Fault::UnexpectedProcessingError && is_our_trouble(refusal.cause);
}

Outcome Journey::not_now(const Error& cause) {
  Outcome later = try_again_later();
  waits_for_ = cause.detail;
  if (was_received_) return later;  // the partner has his answer: it is tried again here
  ours_failed_ = true;
  return commit_refusal(cause.detail, std::move(later.answer));
}

Outcome Journey::turn_away(const NotForUs& why) {
  record_.as2_from = printable(field(request_.headers, "AS2-From"), 128);
  record_.as2_to = printable(field(request_.headers, "AS2-To"), 128);
  record_.message_id = printable(field(request_.headers, "Message-ID"), 998);
  return commit_refusal(why.reason, plain_answer(why.http_status, why.reason, record_.request_id));
}

Outcome Journey::answer_stranger() {
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

Outcome Journey::commit_refusal(std::string reason, StoredReceipt answer) {
  record_.state = MessageState::Refused;
  record_.receipt_url.clear();
  record_.reason = std::move(reason);
  record_.settled = ports_.clock.now();
  return committing(std::move(answer), false);
}

const agreements::ValidationSettings& Journey::validation() const {
  return agreement_->agreement.receive_agreement.validation_settings;
}

bool Journey::recognises_repeats() const {
  return claims_.message_id && validation().check_duplicate_message;
}

bool Journey::suspends_repeats() const {
  return recognises_repeats() &&
         agreement_->agreement.receive_agreement.error_settings.suspend_duplicate_message;
}

bool Journey::wants_receipt() const {
  // Never a receipt for a receipt [RFC8098 2.1].
  return !is_receipt_ && !as2::is_mdn(request_.headers) && terms_->wanted(proven());
}

}  // namespace signet::gateway
