#include "gateway/issuance/authority_provider.h"

#include <fmt/format.h>

namespace signet::gateway {
namespace {

/// An Approver takes hours; the gateway asks its own store.
constexpr std::chrono::seconds kAskAgain{10};

/// The numbers of both are the standard's [RFC5280 5.3.1], and the vault has some of them.
certstore::RevocationReason reason_of(vault::RevocationReason reason) {
  return static_cast<certstore::RevocationReason>(reason);
}

/// To the vault's operation there is nothing between an order that goes on and one that is over.
Error as_refusal(Error error) {
  const bool is_refusal = error.kind == ErrorKind::NotFound || error.kind == ErrorKind::AlreadyExists ||
                          error.kind == ErrorKind::InvalidInput;
  if (is_refusal) error.kind = ErrorKind::PermissionDenied;
  return error;
}

vault::OperationFailure rejected(const authority::Request& request) {
  return {
      std::string(vault::kRequestRejected),
      fmt::format("the request {} of group '{}' is in the state {}{}{}", request.id, request.group,
                  authority::to_string(request.state), request.reason.empty() ? "" : ": ", request.reason)};
}

}  // namespace

Result<std::string> AuthorityProvider::order(vault::IssuerAccount& account,
                                             const vault::OrderedCertificate& wanted) {
  const vault::CertificateIssuer& issuer = account.issuer();
  auto made =
      authority_.request_for_vault({issuer.account, issuer.organisation, wanted.request, wanted.begun_by});
  if (!made) return fail(as_refusal(std::move(made.error())));
  return made->id;
}

Result<std::string> AuthorityProvider::find(vault::IssuerAccount& account,
                                            const vault::OrderedCertificate& wanted) {
  const vault::CertificateIssuer& issuer = account.issuer();
  SIGNET_TRY(const auto placed, authority_.find_for_vault(
                                    {issuer.account, issuer.organisation, wanted.request, wanted.begun_by}));
  return placed ? placed->id : std::string();
}

Result<vault::OrderProgress> AuthorityProvider::poll(vault::IssuerAccount&, const std::string& order,
                                                     const vault::OrderedCertificate&) {
  auto taken = authority_.take_for_vault(order);
  if (!taken) return fail(as_refusal(std::move(taken.error())));
  const authority::Request& request = taken->request;
  switch (request.state) {
    case authority::RequestState::New:
      return vault::StillOrdering{
          kAskAgain, fmt::format("request {} waits for an Approver of the certificate service", request.id)};
    case authority::RequestState::Approved:
    case authority::RequestState::Accepted: {
      vault::Issued issued{{*request.certificate}};
      issued.chain.insert(issued.chain.end(), taken->issuers.begin(), taken->issuers.end());
      return issued;
    }
    case authority::RequestState::Rejected:
    case authority::RequestState::Failed:
    case authority::RequestState::Revoked:
    case authority::RequestState::Removed:
      break;
  }
  return rejected(request);
}

Result<> AuthorityProvider::cancel(vault::IssuerAccount&, const std::string& order) {
  return authority_.cancel_for_vault(order);
}

Result<> AuthorityProvider::revoke(vault::IssuerAccount& account, const certstore::Certificate& certificate,
                                   vault::RevocationReason reason) {
  SIGNET_TRY(const bool is_revoked,
             authority_.revoke_for_vault(account.issuer().organisation, certificate, reason_of(reason)));
  if (is_revoked) return {};
  return fail(
      ErrorKind::Unavailable,
      fmt::format("an Approver of the certificate service was asked to revoke it: it is not revoked yet, "
                  "and will be with the next batch of group '{}'",
                  account.issuer().organisation));
}

}  // namespace signet::gateway
