#include <set>

#include "certstore/x509/pem.h"
#include "gateway/api/authority_files.h"
#include "gateway/api/authority_json.h"
#include "gateway/api/authority_paging.h"
#include "gateway/api/authority_routes.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

/// One of those verbs that take a request's id alone.
using Verb = Result<authority::Request> (authority::Authority::*)(const authority::Actor&, std::string_view);

Result<Answer> carry_out(Services& services, const Call& call, Verb verb) {
  SIGNET_TRY(const auto request,
             (services.authority.service.*verb)(actor_of(call.principal), call.parameter("id")));
  return Answer::of(json_of(request));
}

Result<authority::RequestFilter> request_filter(const Call& call) {
  authority::RequestFilter filter;
  SIGNET_TRY(auto application, call.target.parameter("applicationId"));
  filter.application = std::move(application).value_or("");
  SIGNET_TRY(auto group, call.target.parameter("group"));
  filter.group = std::move(group).value_or("");
  SIGNET_TRY(const auto state, call.target.parameter("state"));
  if (state) {
    SIGNET_TRY(const auto wanted, authority::parse_request_state(*state));
    filter.states.insert(wanted);
  }
  SIGNET_TRY(const auto waits, call.target.parameter("revocationRequested"));
  filter.revocation_requested = waits && equal_ignoring_case(*waits, "true");
  return filter;
}

/// The reason of a revocation; without one it is unspecified.
Result<authority::RevocationReason> revocation_reason(const Call& call) {
  SIGNET_TRY(const auto reason, text_member(call.body, "reason"));
  if (!reason) return authority::RevocationReason::Unspecified;
  return authority::parse_revocation_reason(*reason);
}

/// Who takes something away says for which application, so that none is taken for another's.
Result<authority::FetchedCertificate> fetched(Services& services, const Call& call) {
  SIGNET_TRY(const auto application, call.target.parameter("applicationId"));
  if (!application)
    return fail(ErrorKind::InvalidInput,
                "the query lacks applicationId, the application that the request was made for");
  return services.authority.service.fetch(actor_of(call.principal), call.parameter("id"), *application);
}

/// DER in base64, or PEM with its lines.
Result<Bytes> signing_request_in(const Json& body) {
  SIGNET_TRY(const std::string text, required("certificateRequest", text_member(body, "certificateRequest")));
  auto request = certstore::pem_or_der_in(text);
  if (!request) return fail(std::move(request).error().within("certificateRequest"));
  return request;
}

}  // namespace

Result<Answer> list_requests(Services& services, const Call& call) {
  SIGNET_TRY(const auto filter, request_filter(call));
  SIGNET_TRY(const auto request, authority_page(call));
  SIGNET_TRY(const auto page, services.authority.service.requests(actor_of(call.principal), filter, request));
  return authority_page_answer(call, page.items, page.next);
}

Result<Answer> request_key_pair(Services& services, const Call& call) {
  authority::KeyPairOrder order;
  SIGNET_TRY(order.application, required("applicationId", text_member(call.body, "applicationId")));
  SIGNET_TRY(order.group, required("group", text_member(call.body, "group")));
  SIGNET_TRY(order.subject, required("subject", text_member(call.body, "subject")));
  SIGNET_TRY(auto names, words_member(call.body, "domainNames"));
  order.domain_names = std::move(names).value_or(std::vector<std::string>());
  SIGNET_TRY(const auto format, text_member(call.body, "privateKeyFormat"));
  SIGNET_TRY(order.format, authority::parse_key_format(format.value_or("PFX")));
  SIGNET_TRY(order.password, required("privateKeyPassword", secret_member(call.body, "privateKeyPassword")));
  SIGNET_TRY(const auto request,
             services.authority.service.request_key_pair(actor_of(call.principal), order));
  return Answer{201, json_of(request), {}};
}

Result<Answer> request_signing(Services& services, const Call& call) {
  authority::SigningOrder order;
  SIGNET_TRY(order.application, required("applicationId", text_member(call.body, "applicationId")));
  SIGNET_TRY(order.group, required("group", text_member(call.body, "group")));
  SIGNET_TRY(order.request, signing_request_in(call.body));
  SIGNET_TRY(const auto request, services.authority.service.request_signing(actor_of(call.principal), order));
  return Answer{201, json_of(request), {}};
}

Result<Answer> get_request(Services& services, const Call& call) {
  return carry_out(services, call, &authority::Authority::request);
}

Result<Answer> approve_request(Services& services, const Call& call) {
  return carry_out(services, call, &authority::Authority::approve_request);
}

Result<Answer> reject_request(Services& services, const Call& call) {
  SIGNET_TRY(const std::string reason, required("reason", text_member(call.body, "reason")));
  SIGNET_TRY(const auto request, services.authority.service.reject_request(actor_of(call.principal),
                                                                           call.parameter("id"), reason));
  return Answer::of(json_of(request));
}

Result<Answer> accept_request(Services& services, const Call& call) {
  return carry_out(services, call, &authority::Authority::accept_request);
}

Result<Answer> remove_request(Services& services, const Call& call) {
  return carry_out(services, call, &authority::Authority::remove_request);
}

Result<Answer> purge_request(Services& services, const Call& call) {
  SIGNET_CHECK(services.authority.service.purge_request(actor_of(call.principal), call.parameter("id")));
  return Answer::no_content();
}

Result<Answer> request_revocation(Services& services, const Call& call) {
  SIGNET_TRY(const auto reason, revocation_reason(call));
  SIGNET_TRY(const auto request, services.authority.service.request_revocation(actor_of(call.principal),
                                                                               call.parameter("id"), reason));
  return Answer::of(json_of(request));
}

Result<Answer> revoke_request(Services& services, const Call& call) {
  SIGNET_TRY(const auto reason, revocation_reason(call));
  SIGNET_TRY(const auto request,
             services.authority.service.revoke(actor_of(call.principal), call.parameter("id"), reason));
  return Answer::of(json_of(request));
}

Result<Answer> fetch_request(Services& services, const Call& call) {
  SIGNET_TRY(const auto got, fetched(services, call));
  return Answer::of(json_of(got));
}

Result<Answer> get_request_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const auto text, call.target.parameter("format"));
  SIGNET_TRY(const FileForm form, parse_file_form(text.value_or("")));
  SIGNET_TRY(const auto request,
             services.authority.service.request(actor_of(call.principal), call.parameter("id")));
  if (!request.certificate)
    return fail(ErrorKind::AlreadyExists,
                "this request is " + std::string(to_string(request.state)) + ", and has no certificate");
  return answer_of(certificate_file(*request.certificate, form));
}

Result<Answer> get_request_key(Services& services, const Call& call) {
  SIGNET_TRY(const auto got, fetched(services, call));
  SIGNET_TRY(NamedFile file, key_file(got));
  return answer_of(std::move(file));
}

}  // namespace signet::gateway::api
