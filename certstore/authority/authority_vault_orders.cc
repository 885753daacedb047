#include <algorithm>

#include "base/digest.h"
#include "certstore/authority/authority_internal.h"
#include "certstore/authority/leaf_internal.h"
#include "certstore/authority/limits_internal.h"

/// Certificates for the vaults of this installation: asked for by the gateway, approved by the service where
/// a group says so.

namespace signet::authority {
namespace {

Actor gateway() { return {vault::Principal::gateway().name, {Role::Writer}}; }
Actor service_as_approver() { return {vault::Principal::authority().name, {Role::Approver}}; }

/// Whether a request names its application and that one's hosts, and nobody else. A subject of more than its
/// common name says something that nobody has looked at; one that is a host's is checked as a name of it.
Result<bool> names_its_application_alone(const Application& application, const Request& request) {
  SIGNET_TRY(const auto hosts, domain_names_of(application, {}));
  const auto is_host = [&](const std::string& name) {
    return std::find(hosts.begin(), hosts.end(), name) != hosts.end();
  };
  if (!std::all_of(request.domain_names.begin(), request.domain_names.end(), is_host)) return false;
  SIGNET_TRY(const auto subject, certstore::DistinguishedName::parse(request.subject));
  const std::string common_name = subject.common_name();
  SIGNET_TRY(const auto common_name_alone,
             certstore::DistinguishedName::parse("CN=" + certstore::escape_name_value(common_name)));
  if (common_name.empty() || !(subject == common_name_alone)) return false;
  if (is_host(to_lower(common_name))) return !request.domain_names.empty();
  return common_name == name_of(application.description);
}

/// The request of an order that is placed again, since the gateway was stopped before it had noted the first
/// one's id.
Result<std::optional<Request>> placed_before(AuthorityStore& store, const SigningOrder& order) {
  using Found = std::optional<Request>;
  const std::set<RequestState> states{RequestState::New, RequestState::Approved};
  SIGNET_TRY(auto requests,
             store.requests_for(order.application, order.group, digest(Hash::Sha256, order.request)));
  std::reverse(requests.begin(), requests.end());  // the first one's
  // Others may have submitted the same one so often that ours is none of those.
  if (requests.size() >= AuthorityStore::kMostRequestsFor) {
    SIGNET_TRY(
        requests,
        all_requests(store, {.application = order.application, .group = order.group, .states = states}));
  }
  for (const Request& request : requests)
    if (states.contains(request.state) && request.signing_request == order.request &&
        request.ordered_by == order.ordered_by && !request.revocation_requested &&
        equal_ignoring_case(request.submitted.by, gateway().principal))
      return Found(request);
  return Found();
}

/// Revokes what the gateway has, or asks an Approver to, as its group says.
///
/// @returns whether it is revoked
Result<bool> revoke_own(Authority& service, const Group& group, const std::string& request,
                        RevocationReason reason) {
  if (group.approves_vault_orders) {
    const auto revoked = service.revoke(service_as_approver(), request, reason);
    return revoked ? Result<bool>(true) : fail(revoked.error());
  }
  const auto asked = service.request_revocation(gateway(), request, reason);
  return asked ? Result<bool>(false) : fail(asked.error());
}

}  // namespace

Result<Request> Authority::request_for_vault(const SigningOrder& order) {
  SIGNET_TRY(const auto before, placed_before(implementation_->store(), order));
  SIGNET_TRY(Request request, before ? Result<Request>(*before) : request_signing(gateway(), order));
  if (request.state != RequestState::New) return request;
  SIGNET_TRY(const Group group, implementation_->store().group(request.group));
  SIGNET_TRY(const Application application, implementation_->store().application(request.application));
  SIGNET_TRY(const bool is_plain, names_its_application_alone(application, request));
  if (!group.approves_vault_orders || !is_plain) return request;
  // Where that fails it waits, as any other one: an Approver sees it.
  const auto approved = approve_request(service_as_approver(), request.id);
  return approved ? *approved : request;
}

Result<std::optional<Request>> Authority::find_for_vault(const SigningOrder& order) {
  return placed_before(implementation_->store(), order);
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
  if (request.state == RequestState::New) {
    const auto removed = remove_request(gateway(), id);
    return removed ? Result<>() : fail(removed.error());
  }
  const bool is_valid = request.state == RequestState::Approved || request.state == RequestState::Accepted;
  if (!is_valid || request.revocation_requested) return {};
  // No vault will have it: nobody is to use what nobody sees.
  SIGNET_TRY(const Group group, implementation_->store().group(request.group));
  const auto revoked = revoke_own(*this, group, request.id, RevocationReason::CessationOfOperation);
  return revoked ? Result<>() : fail(revoked.error());
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
    return revoke_own(*this, of, found->request, reason);
  }
  return fail(ErrorKind::NotFound,
              fmt::format("group '{}' did not issue the certificate {}", of.name, certificate.serial()));
}

}  // namespace signet::authority
