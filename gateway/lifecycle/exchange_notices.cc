#include "gateway/lifecycle/exchange_notices.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "certstore/x509/certificate.h"

namespace signet::gateway {
namespace {

constexpr std::chrono::seconds kLooksEvery{2};
constexpr std::chrono::minutes kTriesAgainAfter{1};

constexpr std::string_view kProposed = "proposed";
constexpr std::string_view kRejected = "rejected";
constexpr std::string_view kUnanswered = "unanswered";

/// What there is to be told of it; empty: nothing.
std::string due_notice(const CertificateExchangeRecord& record, Time now) {
  const bool waits = record.state == ExchangeState::Waiting;
  if (record.origin == ExchangeOrigin::Partner) return std::string(waits ? kProposed : "");
  if (record.state == ExchangeState::Rejected) return std::string(kRejected);
  return std::string(waits && record.respond_by && *record.respond_by < now ? kUnanswered : "");
}

std::string subject_of(const CertificateExchangeRecord& record, std::string_view what) {
  if (what == kProposed)
    return fmt::format("A certificate of the partner's in agreement {} waits for a decision",
                       record.agreement);
  if (what == kRejected)
    return fmt::format("The partner in agreement {} rejected our certificate {}", record.agreement,
                       record.terms.name);
  return fmt::format("The partner in agreement {} has not answered to our certificate {}", record.agreement,
                     record.terms.name);
}

std::string advice_for(const CertificateExchangeRecord& record, std::string_view what) {
  if (what == kProposed)
    return fmt::format(
        "The message that announced it is signed with the partner's present certificate. Compare the "
        "SHA-256 with him by another way, then:\n\n  signet cem accept {0}\n  signet cem reject {0} "
        "--reason \"...\"\n",
        record.id);
  if (what == kRejected)
    return "The rollover was called off: what was in use stays so. Ask him for the reason, and plan anew.\n";
  return fmt::format(
      "Until he does, our present certificate stays in use. Ask him; or give it to him by another way, "
      "and go on with\n\n  signet rollover advance {} {}\n",
      record.agreement, record.terms.name);
}

std::string text_of(const CertificateExchangeRecord& record, std::string_view what) {
  std::string text = subject_of(record, what) + ".\n\n";
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12} {}\n", name, value);
  };
  if (const auto certificate = certstore::Certificate::parse(record.certificate)) {
    line("subject", printable_line(certificate->subject(), 300));
    line("issuer", printable_line(certificate->issuer(), 300));
    line("valid", fmt::format("{} to {}", to_rfc3339(certificate->not_before()),
                              to_rfc3339(certificate->not_after())));
  }
  line("SHA-256", record.thumbprint);
  line("usages", record.usages);
  if (record.respond_by) line("respond by", to_rfc3339(*record.respond_by));
  if (!record.reason.empty()) line("reason", printable_line(record.reason, 300));
  return text + "\n" + advice_for(record, what);
}

std::string id_of(const CertificateExchangeRecord& record, std::string_view what) {
  return fmt::format("exchange.{}.{}", record.id, what);
}

/// A CloudEvent (version 1.0, JSON format).
std::string event_of(const CertificateExchangeRecord& record, std::string_view what, Time now) {
  const std::string_view type = what == kProposed   ? "Signet.CertificateProposed"
                                : what == kRejected ? "Signet.CertificateRejected"
                                                    : "Signet.CertificateUnanswered";
  const nlohmann::ordered_json event{{"specversion", "1.0"},
                                     {"id", id_of(record, what)},
                                     {"source", "/certificateExchanges"},
                                     {"type", type},
                                     {"subject", record.agreement},
                                     {"time", to_rfc3339(now)},
                                     {"datacontenttype", "application/json"},
                                     {"data",
                                      {{"id", record.id},
                                       {"agreement", record.agreement},
                                       {"certificate", record.terms.name},
                                       {"thumbprintSha256", record.thumbprint},
                                       {"usages", record.usages},
                                       {"reason", record.reason}}}};
  return event.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void ExchangeNotices::work() {
  const Time now = ports_.clock.now();
  if (now < next_round_ && next_round_ - now <= kTriesAgainAfter) return;
  next_round_ = now + kLooksEvery;
  if (const auto told = round(); !told) {
    log::warning("exchange-notice-delayed", {{"reason", told.error().detail}});
    next_round_ = ports_.clock.now() + kTriesAgainAfter;
  }
}

Result<> ExchangeNotices::round() {
  SIGNET_TRY(const std::vector<CertificateExchangeRecord> records, ports_.store.list());
  for (const CertificateExchangeRecord& record : records) {
    const std::string what = due_notice(record, ports_.clock.now());
    if (what.empty() || what == record.told) continue;
    SIGNET_CHECK(tell(record, what));
  }
  return {};
}

Result<> ExchangeNotices::tell(const CertificateExchangeRecord& record, const std::string& what) {
  if (std::exchange(logged_[record.id], what) != what)
    log::warning("certificate-" + what, {{"id", record.id},
                                         {"agreement", record.agreement},
                                         {"thumbprint", record.thumbprint},
                                         {"reason", record.reason}});
  const bool mails = ports_.ways.mail && !contacts_.empty();
  if (!mails && !ports_.ways.webhook) return {};  // and nothing is taken for told
  const Time now = ports_.clock.now();
  if (mails)
    SIGNET_CHECK(ports_.ways.mail(
        {contacts_, subject_of(record, what), text_of(record, what), id_of(record, what), record.created}));
  SIGNET_CHECK(post_notice(ports_.ways, now, id_of(record, what), event_of(record, what, now)));
  return ports_.store.tell(record.id, what);
}

}  // namespace signet::gateway
