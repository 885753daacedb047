#include "gateway/api/exchange_routes.h"

#include "certstore/x509/certificate.h"
#include "gateway/api/exchange_json.h"
#include "gateway/api/json_body.h"
#include "gateway/api/lifecycle_routes.h"

namespace signet::gateway::api {
namespace {

Json json_of_time(const std::optional<Time>& time) { return time ? Json(to_rfc3339(*time)) : Json(nullptr); }

/// A time or a day, to the second; nothing where there is none.
Result<std::optional<Time>> optional_date(const Json& body, std::string_view name) {
  SIGNET_TRY(const auto text, text_member(body, name));
  if (!text) return std::nullopt;
  auto time = parse_time(*text);
  if (!time) return fail(std::move(time).error().within("the member '" + std::string(name) + "'"));
  return std::optional<Time>(std::chrono::floor<std::chrono::seconds>(*time));
}

}  // namespace

Json json_of(const CertificateExchangeRecord& record) {
  Json value{{"id", record.id},
             {"origin", to_string(record.origin)},
             {"agreement", record.agreement},
             {"state", to_string(record.state)},
             {"certificate", record.terms.name.empty() ? Json(nullptr) : Json(record.terms.name)},
             {"usages", record.usages},
             {"thumbprintSha256", record.thumbprint},
             {"requestId", record.request_id},
             {"respondBy", json_of_time(record.respond_by)},
             {"created", to_rfc3339(record.created)},
             {"createdBy", record.created_by},
             {"decided", json_of_time(record.decided)},
             {"decidedBy", record.decided_by},
             {"reason", record.reason},
             {"message", record.message},
             {"response", record.response},
             {"settled", record.settled}};
  if (const auto certificate = certstore::Certificate::parse(record.certificate)) {
    value["subject"] = certificate->subject();
    value["issuer"] = certificate->issuer();
    value["serial"] = certificate->serial();
    value["notBefore"] = to_rfc3339(certificate->not_before());
    value["notAfter"] = to_rfc3339(certificate->not_after());
  }
  return value;
}

Result<Answer> list_certificate_exchanges(Services& services, const Call& /*call*/) {
  SIGNET_TRY(const auto records, services.exchanges.list());
  Json value = Json::array();
  for (const CertificateExchangeRecord& record : records) value.push_back(json_of(record));
  return Answer::of({{"value", std::move(value)}});
}

Result<Answer> get_certificate_exchange(Services& services, const Call& call) {
  SIGNET_TRY(const CertificateExchangeRecord record, services.exchanges.show(call.parameter("exchange")));
  return Answer::of(json_of(record));
}

Result<Answer> accept_certificate_exchange(Services& services, const Call& call) {
  ExchangeAcceptance acceptance;
  acceptance.id = call.parameter("exchange");
  SIGNET_TRY(const auto name, text_member(call.body, "certificate"));
  acceptance.name = name.value_or("");
  SIGNET_TRY(acceptance.use_from, optional_date(call.body, "useFrom"));
  SIGNET_TRY(acceptance.retire_at, optional_date(call.body, "retireAt"));
  SIGNET_TRY(const auto dry_run, flag_member(call.body, "dryRun"));
  return answer_with(services.exchanges.accept(call.vault_principal(), acceptance, dry_run.value_or(false)));
}

Result<Answer> reject_certificate_exchange(Services& services, const Call& call) {
  SIGNET_TRY(const std::string reason, required("reason", text_member(call.body, "reason")));
  SIGNET_TRY(const CertificateExchangeRecord record,
             services.exchanges.reject(call.vault_principal(), call.parameter("exchange"), reason));
  return Answer::of(json_of(record));
}

Result<Answer> announce_rollover(Services& services, const Call& call) {
  SIGNET_TRY(const auto respond_by, optional_date(call.body, "respondBy"));
  SIGNET_TRY(const CertificateExchangeRecord record,
             services.exchanges.announce(call.vault_principal(), call.parameter("agreement"),
                                         call.parameter("certificate"), respond_by));
  return Answer::of(json_of(record));
}

}  // namespace signet::gateway::api
