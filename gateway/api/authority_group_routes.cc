#include <algorithm>

#include "base/bytes.h"
#include "gateway/api/authority_files.h"
#include "gateway/api/authority_json.h"
#include "gateway/api/authority_paging.h"
#include "gateway/api/authority_routes.h"
#include "gateway/api/json_body.h"

namespace signet::gateway::api {
namespace {

/// Of an issuer, in the place of a serial number: the one that issues now.
constexpr std::string_view kActive = "active";

template <class Items>
Answer whole_list(const Items& items) {
  Json value = Json::array();
  for (const auto& item : items) value.push_back(json_of(item));
  return Answer::of({{"value", std::move(value)}});
}

/// The issuer that a path names.
Result<authority::IssuerVersion> issuer_named(Services& services, const Call& call) {
  const std::string& serial = call.parameter("serial");
  SIGNET_TRY(const auto issuers,
             services.authority.service.issuers(actor_of(call.principal), call.parameter("name")));
  const auto found =
      std::find_if(issuers.begin(), issuers.end(), [&](const authority::IssuerVersion& issuer) {
        return equal_ignoring_case(serial, kActive)
                   ? issuer.active
                   : equal_ignoring_case(serial, issuer.certificate.serial());
      });
  if (found != issuers.end()) return *found;
  return fail(ErrorKind::NotFound, "this group has no such issuer");
}

Result<FileForm> form_in(const Call& call) {
  SIGNET_TRY(const auto form, call.target.parameter("format"));
  return parse_file_form(form.value_or(""));
}

}  // namespace

Result<Answer> list_groups(Services& services, const Call& call) {
  SIGNET_TRY(const auto groups, services.authority.service.groups(actor_of(call.principal)));
  return whole_list(groups);
}

Result<Answer> create_group(Services& services, const Call& call) {
  authority::Group group;
  SIGNET_TRY(group.name, required("name", text_member(call.body, "name")));
  const std::string& host = services.authority.publication_host;
  if (!host.empty()) set_default_urls(host, group);
  SIGNET_CHECK(take_group(call.body, host, group));
  group.revision = 0;
  SIGNET_TRY(const auto made, services.authority.service.create_group(actor_of(call.principal), group));
  return Answer{201, json_of(made), {}};
}

Result<Answer> get_group(Services& services, const Call& call) {
  SIGNET_TRY(const auto group,
             services.authority.service.group(actor_of(call.principal), call.parameter("name")));
  return Answer::of(json_of(group));
}

Result<Answer> change_group(Services& services, const Call& call) {
  const authority::Actor actor = actor_of(call.principal);
  SIGNET_TRY(authority::Group group, services.authority.service.group(actor, call.parameter("name")));
  const std::int64_t read = group.revision;
  SIGNET_CHECK(take_group(call.body, services.authority.publication_host, group));
  if (group.revision == 0) group.revision = read;  // what the body leaves out is as it was read
  SIGNET_TRY(const auto changed, services.authority.service.change_group(actor, group));
  return Answer::of(json_of(changed));
}

Result<Answer> get_trust_list(Services& services, const Call& call) {
  SIGNET_TRY(const auto list,
             services.authority.service.trust_list(actor_of(call.principal), call.parameter("name")));
  return Answer::of(json_of(list));
}

Result<Answer> list_issued(Services& services, const Call& call) {
  SIGNET_TRY(const auto from, time_parameter(call, "from"));
  SIGNET_TRY(const auto until, time_parameter(call, "until"));
  SIGNET_TRY(const auto group, call.target.parameter("group"));
  SIGNET_TRY(const auto issued, services.authority.service.issued_between(
                                    actor_of(call.principal), group.value_or(""), from.value_or(Time{}),
                                    until.value_or(services.clock.now() + std::chrono::seconds(1))));
  return whole_list(issued);
}

Result<Answer> revoke_group(Services& services, const Call& call) {
  SIGNET_TRY(const auto all, flag_member(call.body, "allIssuers"));
  SIGNET_TRY(const auto revoked, services.authority.service.revoke_group(
                                     actor_of(call.principal), call.parameter("name"), all.value_or(true)));
  return whole_list(revoked);
}

Result<Answer> list_group_issuers(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuers,
             services.authority.service.issuers(actor_of(call.principal), call.parameter("name")));
  return whole_list(issuers);
}

Result<Answer> create_group_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuer,
             services.authority.service.create_issuer(actor_of(call.principal), call.parameter("name")));
  return Answer{201, json_of(issuer), {}};
}

Result<Answer> request_group_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const auto request,
             services.authority.service.request_issuer(actor_of(call.principal), call.parameter("name")));
  return Answer{201, json_of(request), {}};
}

Result<Answer> get_issuer_request(Services& services, const Call& call) {
  SIGNET_TRY(const auto request,
             services.authority.service.issuer_request(actor_of(call.principal), call.parameter("name")));
  if (!request) return fail(ErrorKind::NotFound, "no issuer of this group waits for its certificate");
  return Answer::of(json_of(*request));
}

Result<Answer> install_group_issuer(Services& services, const Call& call) {
  SIGNET_TRY(const std::string text, required("certificates", text_member(call.body, "certificates")));
  SIGNET_TRY(const auto chain, read_certificates(text));
  SIGNET_TRY(const auto issuer, services.authority.service.install_issuer(actor_of(call.principal),
                                                                          call.parameter("name"), chain));
  return Answer{201, json_of(issuer), {}};
}

Result<Answer> get_issuer_certificate(Services& services, const Call& call) {
  SIGNET_TRY(const FileForm form, form_in(call));
  SIGNET_TRY(const auto issuer, issuer_named(services, call));
  return answer_of(certificate_file(issuer.certificate, form));
}

Result<Answer> get_issuer_crl(Services& services, const Call& call) {
  SIGNET_TRY(const FileForm form, form_in(call));
  SIGNET_TRY(const auto issuer, issuer_named(services, call));
  SIGNET_TRY(const auto crl,
             services.authority.service.published_crl(issuer.group, issuer.certificate.serial()));
  return answer_of(crl_file(crl, issuer.certificate, form));
}

Result<Answer> renew_issuer_crl(Services& services, const Call& call) {
  SIGNET_TRY(const auto issuer, issuer_named(services, call));
  SIGNET_TRY(const auto crl, services.authority.service.reissue_crl(actor_of(call.principal), issuer.group,
                                                                    issuer.certificate.serial()));
  return Answer::of(json_of(crl));
}

}  // namespace signet::gateway::api
