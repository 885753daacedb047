#include <algorithm>

#include "certstore/authority/authority_internal.h"
#include "certstore/authority/leaf_internal.h"
#include "certstore/authority/limits_internal.h"

/// Certificates for the vaults of this installation: asked for by the gateway, approved by the service where
/// a group says so.

namespace signet::authority {
namespace {

Actor gateway() { return {vault::Principal::gateway().name, {Role::Writer}}; }
Actor service_as_approver() { return {vault::Principal::authority().name, {Role::Approver}}; }

/// Whether a request names its application and that one's hosts, and nobody else.
Result<bool> names_its_application_alone(const Application& application, const Request& request) {
  SIGNET_TRY(const auto hosts, domain_names_of(application, {}));
  const auto is_host = [&](const std::string& name) {
    return std::find(hosts.begin(), hosts.end(), name) != hosts.end();
  };
  SIGNET_TRY(const auto subject, certstore::DistinguishedName::parse(request.subject));
  const std::string common_name = subject.common_name();
  return std::all_of(request.domain_names.begin(), request.domain_names.end(), is_host) &&
         (is_host(to_lower(common_name)) || common_name == name_of(application.description));
}

}  // namespace

Result<Request> Authority::request_for_vault(const SigningOrder& order) {
  SIGNET_TRY(Request request, request_signing(gateway(), order));
  SIGNET_TRY(const Group group, implementation_->store().group(request.group));
  SIGNET_TRY(const Application application, implementation_->store().application(request.application));
  SIGNET_TRY(const bool is_plain, names_its_application_alone(application, request));
  if (!group.approves_vault_orders || !is_plain) return request;
  // Where that fails it waits, as any other one: an Approver sees it.
  const auto approved = approve_request(service_as_approver(), request.id);
  return approved ? *approved : request;
}

Result<FetchedCertificate> Authority::take_for_vault(std::string_view id) {
  SIGNET_TRY(Request request, implementation_->store().request(id));
  if (request.state == RequestState::Approved) {
    SIGNET_TRY(request, accept_request(gateway(), id));
  }
  if (request.state != RequestState::Accepted) return FetchedCertificate{std::move(request), {}, {}};
  return fetch(gateway(), id, request.application);
}

Result<> Authority::cancel_for_vault(std::string_view id) {
  SIGNET_TRY(const Request request, implementation_->store().request(id));
  if (request.state != RequestState::New) return {};
  const auto removed = remove_request(gateway(), id);
  return removed ? Result<>() : fail(removed.error());
}

Result<bool> Authority::revoke_for_vault(std::string_view group, const Certificate& certificate,
                                         RevocationReason reason) {
  SIGNET_TRY(const Group of, implementation_->store().group(group));
  SIGNET_TRY(const auto issuers, implementation_->store().issuers(of.name));
  for (const IssuerVersion& issuer : issuers) {
    SIGNET_TRY(const auto found,
               implementation_->store().issued(of.name, issuer.certificate.serial(), certificate.serial()));
    if (!found || !(found->certificate == certificate)) continue;
    if (found->revoked) return true;
    if (of.approves_vault_orders) {
      const auto revoked = revoke(service_as_approver(), found->request, reason);
      return revoked ? Result<bool>(true) : fail(revoked.error());
    }
    const auto asked = request_revocation(gateway(), found->request, reason);
    return asked ? Result<bool>(false) : fail(asked.error());
  }
  return fail(ErrorKind::NotFound,
              fmt::format("group '{}' did not issue the certificate {}", of.name, certificate.serial()));
}

}  // namespace signet::authority
