#include "gateway/cli/home_exchanges.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/version.h"
#include "gateway/cli/wiring.h"
#include "gateway/exchange/outbound.h"
#include "gateway/revocation/revocation_lists.h"

namespace signet::gateway {
namespace {

using agreements::CertificateRole;
using as2::cem::CertificateUsage;

constexpr std::chrono::hours kOverlap{24 * 30};
/// What was begun later is still in the hands of the call that began it.
constexpr std::chrono::seconds kOwnTime{5};

bool has(const std::vector<CertificateUsage>& usages, CertificateUsage usage) {
  return std::find(usages.begin(), usages.end(), usage) != usages.end();
}

/// Which of an agreement's roles a partner's certificate is for.
///
/// @error Unsupported  it is for TLS too.
Result<std::vector<CertificateRole>> roles_for(const CertificateExchangeRecord& record) {
  SIGNET_TRY(const auto usages, as2::cem::parse_usages(record.usages));
  if (has(usages, CertificateUsage::TlsClient) || has(usages, CertificateUsage::TlsServer))
    return fail(
        ErrorKind::Unsupported,
        fmt::format("the certificate is announced for {}, and TLS certificates have no dates in agreements: "
                    "reject it with that reason, and put it into x:tlsTrust or x:requireClientCertificate "
                    "by hand",
                    record.usages));
  std::vector<CertificateRole> roles;
  if (has(usages, CertificateUsage::DigitalSignature))
    roles = {CertificateRole::VerifyMessage, CertificateRole::VerifyMdn};
  if (has(usages, CertificateUsage::KeyEncipherment)) roles.push_back(CertificateRole::Encrypt);
  return roles;
}

/// Whether somebody has just announced or decided it, and does himself what follows.
bool is_in_hand(const CertificateExchangeRecord& record, Time now) {
  const bool is_answered = record.origin == ExchangeOrigin::Us && record.state != ExchangeState::Waiting;
  const Time begun = record.decided.value_or(record.created);
  return !is_answered && begun <= now && now < begun + kOwnTime;
}

/// What a certificate of ours is for in a rollover.
std::vector<CertificateUsage> usages_of(const Rollover& rollover) {
  std::vector<CertificateUsage> usages;
  for (const RoleRollover& role : rollover.roles) {
    if (!agreements::needs_private_key(role.role)) continue;
    const CertificateUsage usage = role.role == CertificateRole::Decrypt ? CertificateUsage::KeyEncipherment
                                                                         : CertificateUsage::DigitalSignature;
    if (!has(usages, usage)) usages.push_back(usage);
  }
  std::sort(usages.begin(), usages.end());
  return usages;
}

bool advertises(std::string_view features, std::string_view wanted) {
  while (!features.empty()) {
    const std::size_t comma = features.find(',');
    if (equal_ignoring_case(trim(features.substr(0, comma)), wanted)) return true;
    features = comma == std::string_view::npos ? std::string_view() : features.substr(comma + 1);
  }
  return false;
}

Result<const agreements::ResolvedAgreement*> taking_part(const AccountSnapshot& account,
                                                         std::string_view name) {
  const agreements::ResolvedAgreement* agreement = account.directory().by_name(name);
  if (agreement == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("the account has no agreement '{}'", printable(name)));
  if (!agreement->agreement.certificate_exchange.enabled)
    return fail(ErrorKind::Unsupported,
                fmt::format("agreement '{}' does not exchange certificates by messages: give it "
                            "<x:certificateExchange enabled=\"true\"/>",
                            printable(name)));
  return agreement;
}

/// The name of the certificate in the account: the one it has already, or one made of the partner's.
std::string name_for(const agreements::Account& account, const agreements::Agreement& agreement,
                     const CertificateExchangeRecord& record) {
  for (const agreements::CertificateEntry& entry : account.certificates)
    if (entry.public_certificate == record.certificate) return entry.name;
  constexpr std::size_t kLongestPartner = 60;
  return fmt::format("{}-{}", agreement.guest_partner.substr(0, kLongestPartner),
                     to_lower(record.thumbprint.substr(0, 8)));
}

Error as_error(const std::vector<agreements::Problem>& errors) {
  return {ErrorKind::InvalidInput, agreements::to_string(errors)};
}

/// A change of the account that has to be made; that there is nothing to change any more is as good.
Result<> made(const Result<api::RolloverOutcome>& outcome) {
  if (!outcome) return outcome.error().kind == ErrorKind::NotFound ? Result<>() : fail(outcome.error());
  if (!outcome->errors.empty()) return fail(as_error(outcome->errors));
  return {};
}

TakeOver take_over_of(const CertificateExchangeRecord& record, std::vector<CertificateRole> roles) {
  return {record.agreement, record.terms.name,     record.certificate,    std::move(roles),
          *record.decided,  record.terms.use_from, record.terms.retire_at};
}

}  // namespace

Result<std::vector<CertificateExchangeRecord>> HomeExchanges::list() { return home_.exchanges().list(); }

Result<CertificateExchangeRecord> HomeExchanges::show(std::string_view id) {
  return home_.exchanges().find(id);
}

Result<CertificateExchangeRecord> HomeExchanges::find_waiting(std::string_view id) {
  SIGNET_TRY(CertificateExchangeRecord record, home_.exchanges().find(id));
  if (record.origin == ExchangeOrigin::Us)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is our certificate: it is for the partner to accept or to reject",
                            record.terms.name));
  if (record.state != ExchangeState::Waiting)
    return fail(ErrorKind::AlreadyExists, fmt::format("the certificate was {} by {} before",
                                                      to_string(record.state), record.decided_by));
  return record;
}

Result<api::RolloverOutcome> HomeExchanges::accept(const vault::Principal& principal,
                                                   const api::ExchangeAcceptance& acceptance, bool dry_run) {
  SIGNET_TRY(CertificateExchangeRecord record, find_waiting(acceptance.id));
  SIGNET_TRY(const auto account, home_.current_account());
  SIGNET_TRY(const auto* agreement, taking_part(*account, record.agreement));
  SIGNET_TRY(const std::vector<CertificateRole> roles, roles_for(record));
  record.state = ExchangeState::Accepted;
  record.decided = whole_seconds(home_.clock().now());
  record.decided_by = principal.name;
  record.terms.name =
      acceptance.name.empty() ? name_for(account->account(), agreement->agreement, record) : acceptance.name;
  record.terms.use_from = std::max(acceptance.use_from.value_or(*record.decided), *record.decided);
  record.terms.retire_at = acceptance.retire_at.value_or(record.terms.use_from + kOverlap);
  record.response = random_id();
  record.settled = false;

  SIGNET_TRY(api::RolloverOutcome outcome,
             rollovers_.take_over(principal, take_over_of(record, roles), true));
  if (dry_run || !outcome.errors.empty()) return outcome;
  SIGNET_CHECK(audit(principal, "acceptCertificate", record));
  SIGNET_CHECK(home_.exchanges().decide(record));
  failpoint("exchange.decided");
  outcome.changed = true;
  if (const auto settled = settle(record); !settled)
    outcome.warnings.push_back(fmt::format(
        "it is decided, and the gateway that serves this home goes on with it: {}", settled.error().detail));
  return outcome;
}

Result<CertificateExchangeRecord> HomeExchanges::reject(const vault::Principal& principal,
                                                        std::string_view id, std::string_view reason) {
  constexpr std::size_t kLongestReason = 1000;
  SIGNET_TRY(CertificateExchangeRecord record, find_waiting(id));
  record.state = ExchangeState::Rejected;
  record.decided = whole_seconds(home_.clock().now());
  record.decided_by = principal.name;
  record.reason = printable_line(reason, kLongestReason);
  record.response = random_id();
  record.settled = false;
  SIGNET_CHECK(audit(principal, "rejectCertificate", record));
  SIGNET_CHECK(home_.exchanges().decide(record));
  failpoint("exchange.decided");
  SIGNET_CHECK(settle(record));
  return home_.exchanges().find(record.id);
}

Result<CertificateExchangeRecord> HomeExchanges::announce(const vault::Principal& principal,
                                                          std::string_view agreement,
                                                          std::string_view successor,
                                                          std::optional<Time> respond_by) {
  SIGNET_TRY(const auto account, home_.current_account());
  SIGNET_CHECK(taking_part(*account, agreement));
  SIGNET_TRY(const std::string features, home_.exchanges().features(agreement));
  if (!advertises(features, "CEM"))
    return fail(
        ErrorKind::Unsupported,
        fmt::format("the partner in agreement '{}' has not advertised CEM in a signed message or a receipt "
                    "so far: exchange a message first, or use 'signet rollover publish'",
                    printable(agreement)));
  SIGNET_TRY(const Rollover rollover, rollovers_.show(agreement, successor));
  const Time now = home_.clock().now();
  if (const auto from = rollover.accepted_from(); from && *from > now)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("'{}' is accepted from {} only, and the partner may encrypt for it as soon as he has "
                    "accepted it: plan it with an earlier --accept-from",
                    printable(successor), to_rfc3339(*from)));
  SIGNET_TRY(const certstore::Certificate certificate, account->certificate(std::string(successor)));
  SIGNET_TRY(const auto known, home_.exchanges().list());
  for (const CertificateExchangeRecord& one : known)
    if (one.origin == ExchangeOrigin::Us && one.state == ExchangeState::Waiting &&
        one.agreement == agreement && one.thumbprint == certificate.thumbprint_sha256())
      return fail(
          ErrorKind::AlreadyExists,
          fmt::format(
              "'{}' was announced before, and its answer is awaited; 'signet message resend {}' sends "
              "the same again",
              printable(successor), one.message));
  // What cannot be held is not announced.
  SIGNET_TRY(const auto held, rollovers_.hold(principal, agreement, successor, true));
  if (!held.errors.empty()) return fail(as_error(held.errors));

  CertificateExchangeRecord record;
  record.id = random_id();
  record.origin = ExchangeOrigin::Us;
  record.agreement = agreement;
  record.request_id = random_id();
  record.usages = as2::cem::to_string(usages_of(rollover));
  record.certificate = certificate.der();
  record.thumbprint = certificate.thumbprint_sha256();
  record.message = random_id();
  record.respond_by = respond_by ? respond_by : rollover.used_from();
  record.created = now;
  record.created_by = principal.name;
  record.terms.name = successor;
  record.settled = false;
  SIGNET_CHECK(audit(principal, "announceCertificate", record));
  SIGNET_CHECK(home_.exchanges().add(record));
  failpoint("exchange.announced");
  SIGNET_CHECK(settle(record));
  return home_.exchanges().find(record.id);
}

// ---- What follows

void HomeExchanges::settle() {
  const auto open = home_.exchanges().open();
  if (!open) return log::error("certificate-exchanges-not-settled", {{"reason", open.error().detail}});
  for (const CertificateExchangeRecord& record : *open) {
    if (is_in_hand(record, home_.clock().now())) continue;
    const auto settled = settle(record);
    const std::string reason = settled ? "" : settled.error().detail;
    if (std::exchange(failures_[record.id], reason) == reason) continue;
    if (settled) continue;
    log::error("certificate-exchange-not-settled",
               {{"id", record.id}, {"agreement", record.agreement}, {"reason", reason}});
  }
  if (open->empty()) failures_.clear();
}

/// Every step of it may have been done before, by another process or before a crash.
Result<> HomeExchanges::settle(const CertificateExchangeRecord& record) {
  SIGNET_CHECK(record.origin == ExchangeOrigin::Us ? settle_ours(record) : settle_theirs(record));
  return home_.exchanges().settle(record.id, record.state);
}

Result<> HomeExchanges::settle_theirs(const CertificateExchangeRecord& record) {
  if (record.state == ExchangeState::Accepted) {
    SIGNET_TRY(std::vector<CertificateRole> roles, roles_for(record));
    SIGNET_CHECK(
        made(rollovers_.take_over({record.decided_by}, take_over_of(record, std::move(roles)), false)));
    failpoint("exchange.taken-over");
  }
  SIGNET_TRY(const as2::cem::Composed response, response_to(record));
  return send(record, record.response, "Certificate exchange response", response);
}

Result<> HomeExchanges::settle_ours(const CertificateExchangeRecord& record) {
  switch (record.state) {
    case ExchangeState::Waiting:
      return announce_ours(record);
    case ExchangeState::Accepted:
      return made(rollovers_.release(vault::Principal::gateway(), record.agreement, record.terms.name));
    case ExchangeState::Rejected:
      return made(rollovers_.cancel(vault::Principal::gateway(), record.agreement, record.terms.name, false));
  }
  return {};
}

Result<> HomeExchanges::announce_ours(const CertificateExchangeRecord& record) {
  SIGNET_CHECK(made(rollovers_.hold({record.created_by}, record.agreement, record.terms.name, false)));
  SIGNET_TRY(const as2::cem::Composed request, request_of(record));
  return send(record, record.message, "Certificate exchange request", request);
}

Result<as2::cem::Composed> HomeExchanges::request_of(const CertificateExchangeRecord& record) {
  SIGNET_TRY(const auto account, home_.current_account());
  SIGNET_TRY(const auto* agreement, taking_part(*account, record.agreement));
  SIGNET_TRY(certstore::Certificate certificate, certstore::Certificate::parse(record.certificate));
  SIGNET_TRY(std::vector<CertificateUsage> usages, as2::cem::parse_usages(record.usages));
  SIGNET_TRY(const ServeSettings wanted, settings());
  // The draft wants one; answers come, as all messages do, to the URL that the partner has for us.
  std::string url =
      fmt::format("{}://{}{}", wanted.listen_tls.empty() ? "http" : "https", host_of(wanted), wanted.path);
  return as2::cem::compose(
      as2::cem::Request{record.request_id,
                        agreement->send_from,
                        record.created,
                        {{std::move(usages), record.respond_by, std::move(url), std::move(certificate)}}});
}

Result<as2::cem::Composed> HomeExchanges::response_to(const CertificateExchangeRecord& record) {
  SIGNET_TRY(const auto account, home_.current_account());
  SIGNET_TRY(const auto* agreement, taking_part(*account, record.agreement));
  SIGNET_TRY(const certstore::Certificate certificate, certstore::Certificate::parse(record.certificate));
  return as2::cem::compose(as2::cem::Response{
      record.request_id,
      agreement->send_from,
      *record.decided,
      {{record.state == ExchangeState::Accepted, record.reason, as2::cem::identifier_of(certificate)}}});
}

/// Into the outbox, under the id that was written down before: once, whoever does it.
Result<> HomeExchanges::send(const CertificateExchangeRecord& record, const std::string& message,
                             const std::string& subject, const as2::cem::Composed& content) {
  MessageStore& store = wiring::message_store(home_.store());
  const auto is_there = [&] { return store.find(message).has_value(); };
  if (is_there()) return {};
  SIGNET_TRY(const ServeSettings wanted, settings());
  RevocationLists revocation(home_.revocations());
  SIGNET_CHECK(revocation.reload());
  OutboundExchange exchange(
      {[&] { return home_.current_account(); }, store, home_.clock(),
       [](const HttpPost&) -> Result<HttpAnswer> {
         return fail(ErrorKind::Internal, "the outbox posts, and nobody else");
       },
       NoObserver::instance(), revocation},
      {std::string(kProduct), std::string(kAs2Product), host_of(wanted), home_.spool_area()});
  SendRequest request;
  request.agreement = record.agreement;
  request.payload = Slice::of(content.body);
  request.file_name = "certificate-exchange";  // for the agreement's fileNameTemplate
  request.content_type = content.content_type;
  request.subject = subject;
  request.id = message;
  if (const auto sent = exchange.submit(request, Custody::Gateway); !sent && !is_there())
    return fail(sent.error());
  return {};
}

Result<ServeSettings> HomeExchanges::settings() const {
  return read_serve_settings(given_, home_.directory() / "serve.toml");
}

Result<> HomeExchanges::audit(const vault::Principal& principal, std::string_view operation,
                              const CertificateExchangeRecord& one) {
  return record_call(home_,
                     {principal.name,
                      operation,
                      {{}, fmt::format("certificateExchanges/{}", one.id), {}},
                      fmt::format("agreement {}, certificate {}, SHA-256 {}, {}", one.agreement,
                                  one.terms.name, one.thumbprint, one.usages)},
                     vault::AuditResult::Success, one.reason);
}

}  // namespace signet::gateway
