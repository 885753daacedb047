#include <algorithm>

#include "base/digest.h"
#include "base/random.h"
#include "certstore/authority/authority_internal.h"
#include "certstore/authority/leaf_internal.h"
#include "certstore/authority/limits_internal.h"

/// Requests, but for their approval: made, rejected, fetched, accepted, removed.

namespace signet::authority {
namespace {

constexpr std::size_t kShortestPassword = 12;
constexpr std::size_t kLongestPassword = 128;

Result<> check_password(const SecretBytes& password) {
  const std::string_view text = as_text(password.view());
  const bool has_controls = std::any_of(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (text.size() >= kShortestPassword && text.size() <= kLongestPassword && !has_controls && is_utf8(text))
    return {};
  return fail(
      ErrorKind::InvalidInput,
      fmt::format("a password for the private key is needed: {} to {} octets of UTF-8 without control "
                  "characters",
                  kShortestPassword, kLongestPassword));
}

/// What every new request stands on.
struct Ground {
  Group group;
  Application application;
};

Result<Ground> ground_of(AuthorityStore& store, const std::string& group, const std::string& application) {
  Ground ground;
  SIGNET_TRY(ground.group, store.group(group));
  SIGNET_TRY(ground.application, store.application(application));
  if (ground.application.state != ApplicationState::Approved)
    return fail(wrong_state(object_name("application", application), ground.application.state,
                            "given a certificate", "approved"));
  SIGNET_CHECK(check_type_fits(ground.group, ground.application));
  return ground;
}

Request new_request(const std::string& id, RequestKind kind, const Ground& ground, const Stamp& stamp) {
  Request request;
  request.id = id;
  request.kind = kind;
  request.application = ground.application.id;
  request.group = ground.group.name;
  request.submitted = stamp;
  return request;
}

std::string describe(const Request& request) {
  return fmt::format("{} '{}' for application {} in group {}", to_string(request.kind),
                     printable_name(request.subject), request.application, request.group);
}

/// Where a vault's order is whose it is, besides.
std::string whose(const Request& request) {
  return request.ordered_by.empty() ? "" : fmt::format(", ordered by {}", printable(request.ordered_by));
}

std::string transition(const Request& before, RequestState after) {
  return fmt::format("{} -> {}", to_string(before.state), to_string(after));
}

bool is_own(const Actor& actor, const Request& request) {
  return equal_ignoring_case(actor.principal, request.submitted.by);
}

}  // namespace

Result<> check_can_destroy(vault::EmbeddedVault& vault, const Group& group) {
  SIGNET_TRY(const vault::VaultSettings settings, vault.settings(group.key_vault));
  if (!settings.purge_protection) return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format("key vault '{}' of group '{}' has purge protection, so that private keys of requests could "
                  "not be destroyed in it: make the key yourself, and send a PKCS#10 request",
                  group.key_vault, group.name));
}

Result<Request> Authority::request_key_pair(const Actor& actor, const KeyPairOrder& order) {
  const std::string id = random_guid();
  const Verb verb{actor, Right::Write, "requestKeyPair", object_name("request", id)};
  std::optional<vault::SecretId> password;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_CHECK(check_password(order.password));
    SIGNET_TRY(const Ground ground, ground_of(implementation_->store(), order.group, order.application));
    SIGNET_CHECK(check_can_destroy(implementation_->vault(), ground.group));
    Request made = new_request(id, RequestKind::KeyPair, ground, step.stamp());
    made.subject = order.subject;
    made.key_format = order.format;
    SIGNET_TRY(made.domain_names, domain_names_of(ground.application, order.domain_names));
    const auto profile = leaf_profile(ground.group, ground.application, made, certstore::KeyType::Rsa);
    if (!profile) return fail(profile.error());
    if (!password) {
      SIGNET_TRY(password, implementation_->keep_secret(ground.group, password_name(id), order.password));
    }
    made.password = password;
    SIGNET_CHECK(
        step.commit({.requests = {made}, .relied_on_applications = {ground.application}}, describe(made)));
    return implementation_->store().request(id);
  });
  if (!result) implementation_->destroy(password);
  return result;
}

Result<Request> Authority::request_signing(const Actor& actor, const SigningOrder& order) {
  const std::string id = random_guid();
  const Verb verb{actor, Right::Write, "requestSigning", object_name("request", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_TRY(const Ground ground, ground_of(implementation_->store(), order.group, order.application));
    SIGNET_TRY(const auto asked, read_signing_request(ground.group, ground.application, order.request));
    Request made = new_request(id, RequestKind::Signing, ground, step.stamp());
    made.signing_request = asked.der;
    made.signing_request_sha256 = digest(Hash::Sha256, asked.der);
    made.ordered_by = order.ordered_by;
    made.subject = asked.profile.subject.text();
    made.domain_names = domain_names_of(asked);
    const auto profile = leaf_profile(ground.group, ground.application, made, asked.key_type);
    if (!profile) return fail(profile.error());
    SIGNET_CHECK(step.commit({.requests = {made}, .relied_on_applications = {ground.application}},
                             describe(made) + whose(made)));
    return implementation_->store().request(id);
  });
}

Result<Request> Authority::reject_request(const Actor& actor, std::string_view id, std::string_view reason) {
  const Verb verb{actor, Right::Approve, "rejectRequest", object_name("request", id)};
  std::optional<vault::SecretId> password;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_TRY(const Request before, implementation_->store().request(id));
    SIGNET_CHECK(check_did_not_ask(actor, before));
    if (before.state != RequestState::New)
      return fail(wrong_state(verb.object, before.state, "rejected", "New"));
    Request after = before;
    SIGNET_TRY(after.reason, checked_reason(reason));
    after.state = RequestState::Rejected;
    after.rejected = step.stamp();
    after.signing_request.clear();
    password = std::exchange(after.password, std::nullopt);
    SIGNET_CHECK(step.commit({.requests = {after}}, transition(before, after.state) + ": " + after.reason));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(password);
  return result;
}

Result<Request> Authority::accept_request(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Write, "acceptRequest", object_name("request", id)};
  std::optional<vault::SecretId> key_file;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_TRY(const Request before, implementation_->store().request(id));
    if (before.state != RequestState::Approved)
      return fail(wrong_state(verb.object, before.state, "accepted", "Approved"));
    Request after = before;
    after.state = RequestState::Accepted;
    after.accepted = step.stamp();
    key_file = std::exchange(after.key_file, std::nullopt);
    SIGNET_CHECK(step.commit({.requests = {after}}, transition(before, after.state)));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(key_file);
  return result;
}

Result<Request> Authority::remove_request(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Write, "removeRequest", object_name("request", id)};
  std::optional<vault::SecretId> password;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Request> {
    SIGNET_TRY(const Request before, implementation_->store().request(id));
    if (!is_own(actor, before)) SIGNET_CHECK(check_right(actor, Right::Administrate, verb.operation));
    if (before.state != RequestState::New && before.state != RequestState::Rejected &&
        before.state != RequestState::Failed)
      return fail(wrong_state(verb.object, before.state, "removed", "New, Rejected or Failure"));
    Request after = before;
    after.state = RequestState::Removed;
    after.removed = step.stamp();
    after.signing_request.clear();
    password = std::exchange(after.password, std::nullopt);
    SIGNET_CHECK(step.commit({.requests = {after}}, transition(before, after.state)));
    return implementation_->store().request(id);
  });
  if (result) implementation_->destroy(password);
  return result;
}

Result<> Authority::purge_request(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Administrate, "purgeRequest", object_name("request", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<> {
    SIGNET_TRY(const Request before, implementation_->store().request(id));
    const bool is_over = before.state == RequestState::Rejected || before.state == RequestState::Failed ||
                         before.state == RequestState::Removed || before.state == RequestState::Revoked;
    if (!is_over)
      return fail(wrong_state(verb.object, before.state, "purged", "Rejected, Failure, Removed or Revoked"));
    return step.commit({.removed_requests = {before}},
                       fmt::format("{}, {}", to_string(before.state), describe(before)));
  });
}

Result<Request> Authority::request(const Actor& actor, std::string_view id) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "getRequest", object_name("request", id)}));
  return implementation_->store().request(id);
}

Result<Page<Request>> Authority::requests(const Actor& actor, const RequestFilter& filter,
                                          const PageRequest& page) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listRequests", "requests"}));
  SIGNET_CHECK(check_page(page));
  return implementation_->store().requests(filter, page);
}

Result<std::vector<Request>> Authority::requests_for(const Actor& actor, const SigningOrder& order) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listRequests", "requests"}));
  return implementation_->store().requests_for(order.application, order.group,
                                               digest(Hash::Sha256, order.request));
}

Result<FetchedCertificate> Authority::fetch(const Actor& actor, std::string_view id,
                                            std::string_view application) {
  const Verb verb{actor, Right::Write, "fetchCertificate", object_name("request", id)};
  return implementation_->perform(verb, [&](Implementation::Step&) -> Result<FetchedCertificate> {
    FetchedCertificate fetched;
    SIGNET_TRY(fetched.request, implementation_->store().request(id));
    const Request& request = fetched.request;
    if (!equal_ignoring_case(request.application, application))
      return fail(ErrorKind::NotFound,
                  fmt::format("application '{}' has no {}", printable(application), verb.object));
    if (request.state != RequestState::Approved && request.state != RequestState::Accepted)
      return fail(wrong_state(verb.object, request.state, "fetched", "Approved or Accepted"));
    SIGNET_TRY(const IssuerVersion issuer, implementation_->issuer(request.group, request.issuer_serial));
    fetched.issuers = {issuer.certificate};
    fetched.issuers.insert(fetched.issuers.end(), issuer.chain.begin(), issuer.chain.end());
    if (request.key_file) {
      SIGNET_TRY(const SecretBytes kept, implementation_->secret(*request.key_file));
      SIGNET_TRY(fetched.key_file, parse_base64(as_text(kept.view())));
    }
    SIGNET_CHECK(
        implementation_->record(verb, vault::AuditResult::Success,
                                fetched.key_file ? "with its private key, encrypted" : "certificate alone"));
    return fetched;
  });
}

}  // namespace signet::authority
