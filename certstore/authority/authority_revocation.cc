#include <algorithm>
#include <map>

#include "certstore/authority/authority_internal.h"
#include "certstore/authority/limits_internal.h"
#include "certstore/vault/provider.h"

/// Revocation. The list that says so and the state that says so are one change.

namespace signet::authority {

Result<PublishedCrl> Authority::Implementation::make_crl(const Group& group, const IssuerVersion& issuer,
                                                         const std::optional<PublishedCrl>& before,
                                                         const std::vector<IssuedCertificate>& revoked_now,
                                                         Time now) {
  const std::string& serial = issuer.certificate.serial();
  std::vector<IssuedCertificate> revoked;
  if (before) {
    SIGNET_TRY(revoked, store_.revoked(group.name, serial));
    // What had ended when the list before was made was on that one after its end, and may go [RFC5280 3.3].
    std::erase_if(revoked, [&](const IssuedCertificate& one) {
      return one.certificate.not_after() < std::min(before->this_update, now);
    });
  }
  // What somebody else revokes at this moment is there once: whose list it is, the store decides.
  for (const IssuedCertificate& one : revoked_now) {
    const auto is_it = [&](const IssuedCertificate& other) {
      return other.certificate.serial() == one.certificate.serial();
    };
    if (std::none_of(revoked.begin(), revoked.end(), is_it)) revoked.push_back(one);
  }
  certstore::CrlContents contents;
  contents.number = before ? static_cast<std::uint64_t>(before->number) + 1 : 1;
  contents.this_update = now;
  contents.next_update = now + group.crl_lifetime;
  for (const IssuedCertificate& one : revoked)
    contents.entries.push_back({one.certificate.serial(), one.revoked->at, one.reason});
  SIGNET_TRY(const auto key, signing_key(issuer.key, group.issuer.hash));
  SIGNET_TRY(const auto crl, with_vault_refusal(certstore::make_crl(key, issuer.certificate, contents)));
  return PublishedCrl{
      group.name,        serial,   static_cast<std::int64_t>(contents.number), crl.this_update(),
      crl.next_update(), crl.der()};
}

namespace {

Result<> check_is_issued(const Request& request, std::string_view verb) {
  if (request.state == RequestState::Approved || request.state == RequestState::Accepted) return {};
  return fail(wrong_state(object_name("request", request.id), request.state, verb, "Approved or Accepted"));
}

/// The first reason stays, but for the gravest one.
Result<> check_may_ask_for(const Request& request, RevocationReason reason) {
  if (!request.revocation_requested) return {};
  const bool is_graver = reason == RevocationReason::KeyCompromise &&
                         request.revocation_reason != RevocationReason::KeyCompromise;
  if (is_graver) return {};
  return fail(
      ErrorKind::AlreadyExists,
      fmt::format("{} waits to be revoked already, asked for by {} with the reason {}: only "
                  "keyCompromise takes the place of another reason",
                  object_name("request", request.id), printable(request.revocation_requested->by),
                  certstore::to_string(request.revocation_reason.value_or(RevocationReason::Unspecified))));
}

/// Revokes requests of one issuer by one list.
Result<> revoke_by_one_list(Authority::Implementation& service, const Group& group,
                            const std::string& issuer_serial, const std::vector<Request>& requests,
                            const Stamp& stamp, Change& change) {
  std::vector<IssuedCertificate> revoked;
  for (Request request : requests) {
    const RevocationReason reason = request.revocation_reason.value_or(RevocationReason::Unspecified);
    revoked.push_back({group.name,
                       issuer_serial,
                       *request.certificate,
                       request.id,
                       request.application,
                       {},
                       stamp,
                       reason});
    request.state = RequestState::Revoked;
    request.revoked = stamp;
    request.revocation_reason = reason;
    request.key_file.reset();
    change.requests.push_back(std::move(request));
  }
  SIGNET_TRY(const IssuerVersion issuer, service.issuer(group.name, issuer_serial));
  SIGNET_TRY(const PublishedCrl before, service.store().crl(group.name, issuer_serial));
  SIGNET_TRY(PublishedCrl crl, service.make_crl(group, issuer, before, revoked, stamp.at));
  change.crls.push_back(std::move(crl));
  change.revoked.insert(change.revoked.end(), revoked.begin(), revoked.end());
  return {};
}

std::string describe_revocations(const Change& change) {
  std::string text;
  for (const PublishedCrl& crl : change.crls)
    text += fmt::format("{}CRL {} of issuer {}", text.empty() ? "" : ", ", crl.number, crl.issuer_serial);
  for (const IssuedCertificate& one : change.revoked)
    text += fmt::format(", certificate {} {}", one.certificate.serial(), certstore::to_string(one.reason));
  return text;
}

}  // namespace

Result<Request> Authority::request_revocation(const Actor& actor, std::string_view id,
                                              RevocationReason reason) {
  const Verb verb{actor, Right::Write, "requestRevocation", object_name("request", id)};
  std::optional<vault::SecretId> key_file;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_CHECK(check_revocation_reason(reason));
    SIGNET_TRY(const Request before, implementation_->store().request(id));
    SIGNET_CHECK(check_is_issued(before, "revoked"));
    SIGNET_CHECK(check_may_ask_for(before, reason));
    Request after = before;
    after.revocation_requested = step.stamp();
    after.revocation_reason = reason;
    key_file = std::exchange(after.key_file, std::nullopt);
    SIGNET_CHECK(step.commit({.requests = {after}}, std::string(certstore::to_string(reason))));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(key_file);
  return result;
}

Result<Request> Authority::revoke(const Actor& actor, std::string_view id, RevocationReason reason) {
  const Verb verb{actor, Right::Approve, "revokeRequest", object_name("request", id)};
  std::optional<vault::SecretId> key_file;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_CHECK(check_revocation_reason(reason));
    SIGNET_TRY(Request request, implementation_->store().request(id));
    SIGNET_CHECK(check_is_issued(request, "revoked"));
    SIGNET_TRY(const Group group, implementation_->store().group(request.group));
    key_file = request.key_file;
    request.revocation_reason = reason;
    Change change;
    SIGNET_CHECK(
        revoke_by_one_list(*implementation_, group, request.issuer_serial, {request}, step.stamp(), change));
    SIGNET_CHECK(step.commit(change, describe_revocations(change)));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(key_file);
  return result;
}

Result<std::vector<Request>> Authority::revoke_group(const Actor& actor, std::string_view group,
                                                     bool all_issuers) {
  const Verb verb{actor, Right::Approve, "revokeGroup", object_name("group", group)};
  std::vector<std::optional<vault::SecretId>> left_over;
  auto result =
      implementation_->perform(verb, [&](Implementation::Step& step) -> Result<std::vector<Request>> {
        left_over.clear();
        SIGNET_TRY(const Group of, implementation_->store().group(group));
        SIGNET_TRY(const IssuerVersion active, implementation_->active_issuer(of.name));
        RequestFilter waiting{.group = of.name, .states = {RequestState::Approved, RequestState::Accepted}};
        waiting.revocation_requested = true;
        SIGNET_TRY(const auto requests, all_requests(implementation_->store(), waiting));
        std::map<std::string, std::vector<Request>> by_issuer;
        for (const Request& request : requests)
          if (all_issuers || request.issuer_serial == active.certificate.serial()) {
            by_issuer[request.issuer_serial].push_back(request);
            left_over.push_back(request.key_file);
          }
        Change change;
        for (const auto& [issuer_serial, some] : by_issuer)
          SIGNET_CHECK(revoke_by_one_list(*implementation_, of, issuer_serial, some, step.stamp(), change));
        if (change.requests.empty()) return std::vector<Request>();
        SIGNET_CHECK(step.commit(change, describe_revocations(change)));
        return change.requests;
      });
  if (result)
    for (const auto& secret : left_over) implementation_->destroy(secret);
  return result;
}

Result<PublishedCrl> Authority::reissue_crl(const Actor& actor, std::string_view group,
                                            std::string_view issuer_serial) {
  const Verb verb{actor, Right::ReissueCrl, "reissueCrl", object_name("group", group)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<PublishedCrl> {
    SIGNET_TRY(const Group of, implementation_->store().group(group));
    SIGNET_TRY(const IssuerVersion issuer, implementation_->issuer(of.name, issuer_serial));
    SIGNET_TRY(const PublishedCrl before, implementation_->store().crl(of.name, issuer.certificate.serial()));
    Change change;
    SIGNET_TRY(PublishedCrl crl, implementation_->make_crl(of, issuer, before, {}, step.now()));
    change.crls = {crl};
    SIGNET_CHECK(step.commit(change, describe_revocations(change)));
    return crl;
  });
}

Result<std::vector<IssuedCertificate>> Authority::issued_between(const Actor& actor, std::string_view group,
                                                                 Time from, Time until) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listIssued", "issued certificates"}));
  return implementation_->store().issued_between(group, from, until);
}

}  // namespace signet::authority
