#include "certstore/authority/authority_internal.h"
#include "certstore/authority/leaf_internal.h"
#include "certstore/vault/key_pair.h"
#include "certstore/vault/provider.h"

/// The approval of a request: its certificate is issued, or it has failed.

namespace signet::authority {
namespace {

/// What an approval stands on, read once.
struct Case {
  Request request;
  Application application;
  Group group;
};

/// What is to be signed.
struct Plan {
  certstore::CertificateProfile profile;
  Bytes public_key;
};

/// What came of it.
struct Outcome {
  Certificate certificate;
  std::optional<vault::SecretId> key_file;
};

/// @error AlreadyExists  the group has another subject than its issuer.
Result<> check_issuer_is_the_groups(const Group& group, const IssuerVersion& issuer) {
  SIGNET_TRY(const auto wanted, certstore::DistinguishedName::parse(group.subject));
  if (certstore::profile_of(issuer.certificate).subject == wanted) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("the subject of group '{}' was changed to '{}', and its issuer is '{}' still: an "
                          "Administrator has to renew the issuer first",
                          group.name, group.subject, issuer.certificate.subject()));
}

Result<> check_approver(const Actor& actor, const Case& it) {
  SIGNET_CHECK(check_did_not_ask(actor, it.request));
  return check_is_another(actor, it.application.changed, "edited this application last");
}

Result<Case> case_of(Authority::Implementation& service, std::string_view id) {
  Case it;
  SIGNET_TRY(it.request, service.store().request(id));
  SIGNET_TRY(it.application, service.store().application(it.request.application));
  SIGNET_TRY(it.group, service.store().group(it.request.group));
  return it;
}

/// The issuer that signs it. @error AlreadyExists  nothing can be issued now: says why.
Result<IssuerVersion> issuer_for(Authority::Implementation& service, const Case& it) {
  if (it.application.state != ApplicationState::Approved)
    return fail(wrong_state(object_name("application", it.application.id), it.application.state,
                            "given a certificate", "approved"));
  SIGNET_TRY(IssuerVersion issuer, service.active_issuer(it.group.name));
  SIGNET_CHECK(check_issuer_is_the_groups(it.group, issuer));
  return issuer;
}

/// Whether a failure stays: the request can never be issued as it is.
bool is_for_good(const Error& error) {
  return error.kind == ErrorKind::InvalidInput || error.kind == ErrorKind::Unsupported ||
         error.kind == ErrorKind::AlreadyExists || error.kind == ErrorKind::CryptoFailure;
}

Result<Plan> plan_for(const Case& it) {
  Plan plan;
  certstore::KeyType key_type = certstore::KeyType::Rsa;
  if (it.request.kind == RequestKind::Signing) {
    SIGNET_TRY(auto asked, read_signing_request(it.group, it.application, it.request.signing_request));
    key_type = asked.key_type;
    plan.public_key = std::move(asked.public_key);
  }
  SIGNET_TRY(plan.profile, leaf_profile(it.group, it.application, it.request, key_type));
  return plan;
}

Result<> set_dates(Plan& plan, const Case& it, const IssuerVersion& issuer, Time now) {
  SIGNET_CHECK(set_leaf_dates(plan.profile, it.group, issuer.certificate, now));
  return check_key_for(it.group.issued.key_bits, plan.profile.not_after, false, "the certificate");
}

Result<Certificate> sign(Authority::Implementation& service, const Case& it, const IssuerVersion& issuer,
                         const Plan& plan) {
  SIGNET_TRY(const auto key, service.signing_key(issuer.key, it.group.issued.hash));
  certstore::IssuingTerms terms;
  terms.publication = publication_for(it.group, issuer.certificate.serial());
  terms.extended_key_usages_critical = it.group.type == CertificateType::OpcUaApplication;
  return with_vault_refusal(
      certstore::issue_certificate(key, issuer.certificate, plan.public_key, plan.profile, terms));
}

/// The file that the requester gets, in the vault until then. Encrypted under the request's password, which
/// nobody needs any more then.
Result<vault::SecretId> keep_key_file(Authority::Implementation& service, const Case& it,
                                      const IssuerVersion& issuer, const vault::KeyPair& key,
                                      const Certificate& certificate) {
  if (!it.request.password)
    return fail(ErrorKind::Internal, fmt::format("request {} has no password", it.request.id));
  SIGNET_TRY(const SecretBytes password, service.secret(*it.request.password));
  std::vector<Certificate> chain{certificate, issuer.certificate};
  chain.insert(chain.end(), issuer.chain.begin(), issuer.chain.end());
  SIGNET_TRY(const SecretBytes file, it.request.key_format == KeyFormat::Pfx ? key.to_pfx(chain, password)
                                                                             : key.to_pem(chain, password));
  return service.keep_secret(it.group, key_file_name(it.request.id),
                             SecretBytes::copy_of(base64(file.view())));
}

Result<Outcome> issue(Authority::Implementation& service, const Case& it, const IssuerVersion& issuer,
                      Plan plan) {
  if (it.request.kind == RequestKind::Signing) {
    SIGNET_TRY(Certificate certificate, sign(service, it, issuer, plan));
    return Outcome{std::move(certificate), std::nullopt};
  }
  SIGNET_TRY(const auto key, vault::KeyPair::generate(key_kind(it.group.issued.key_bits)));
  plan.public_key = key.public_key();
  SIGNET_TRY(Certificate certificate, sign(service, it, issuer, plan));
  SIGNET_TRY(vault::SecretId file, keep_key_file(service, it, issuer, key, certificate));
  return Outcome{std::move(certificate), std::move(file)};
}

Request with(const Request& before, RequestState state, const Stamp& stamp) {
  Request after = before;
  after.state = state;
  after.approved = stamp;
  after.password.reset();
  return after;
}

}  // namespace

Result<Request> Authority::approve_request(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Approve, "approveRequest", object_name("request", id)};
  std::optional<vault::SecretId> password;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_TRY(const Case it, case_of(*implementation_, id));
    SIGNET_CHECK(check_approver(actor, it));
    if (it.request.state != RequestState::New)
      return fail(wrong_state(verb.object, it.request.state, "approved", "New"));
    SIGNET_TRY(const IssuerVersion issuer, issuer_for(*implementation_, it));
    if (it.request.kind == RequestKind::KeyPair)
      SIGNET_CHECK(check_can_destroy(implementation_->vault(), it.group));
    password = it.request.password;

    Change change;
    change.relied_on_applications = {it.application};
    change.relied_on_groups = {it.group};
    auto plan = plan_for(it);
    if (!plan && !is_for_good(plan.error())) return fail(std::move(plan.error()));
    if (!plan) {
      Request failed = with(it.request, RequestState::Failed, step.stamp());
      failed.reason = plan.error().detail;
      change.requests = {failed};
      SIGNET_CHECK(step.commit(change, "New -> Failure: " + failed.reason));
      return implementation_->store().request(id);
    }
    SIGNET_CHECK(set_dates(*plan, it, issuer, step.now()));
    SIGNET_TRY(Outcome outcome, issue(*implementation_, it, issuer, *std::move(plan)));

    Request issued = with(it.request, RequestState::Approved, step.stamp());
    issued.certificate = outcome.certificate;
    issued.issuer_serial = issuer.certificate.serial();
    issued.key_file = outcome.key_file;
    change.requests = {issued};
    change.issued = {{it.group.name, issued.issuer_serial, outcome.certificate, issued.id, issued.application,
                      step.stamp()}};
    SIGNET_CHECK(step.commit(change, fmt::format("New -> Approved: certificate {} of issuer {}, {} to {}",
                                                 outcome.certificate.serial(), issued.issuer_serial,
                                                 to_rfc3339(outcome.certificate.not_before()),
                                                 to_rfc3339(outcome.certificate.not_after()))));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(password);
  return result;
}

}  // namespace signet::authority
