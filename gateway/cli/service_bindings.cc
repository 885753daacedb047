#include "gateway/cli/service_bindings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "agreements/certificate_roles.h"
#include "certstore/service/objections.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/provider.h"
#include "certstore/x509/validity.h"
#include "gateway/cli/call_record.h"
#include "gateway/cli/service_resolution_internal.h"

namespace signet::gateway {
namespace {

using certstore::ServiceBinding;
using certstore::ServiceCandidate;
using certstore::ServiceCertificate;
using certstore::ServiceDefinitions;
using certstore::ServiceUse;
using certstore::Thumbprint;

constexpr std::string_view kBind = "bindServiceCertificate";
constexpr std::string_view kUnbind = "unbindServiceCertificate";

/// What is judged by, of one moment.
struct Judge {
  Home& home;
  const ServiceDefinitions& definitions;
  const agreements::Account& account;  ///< as it is stored
  Candidates& candidates;
  Time now;
};

std::string not_in_vault(const Judge& judge, const ServiceCertificate& definition,
                         const Thumbprint& thumbprint) {
  if (public_certificate(judge.account, thumbprint) != nullptr)
    return fmt::format(
        "has no private key: it is a public certificate of the account, and none of key vault '{}'",
        definition.store);
  if (const auto own = judge.home.own_vault(definition.store); !own)
    return fmt::format("cannot be taken from there: {}; a service certificate is of a key vault of this home",
                       own.error().detail);
  return fmt::format("is not in key vault '{}': 'signet vault certificate import' takes it in",
                     definition.store);
}

/// Why the gateway cannot use its key; empty: it can.
std::string objection_to_key(const Judge& judge, const ServiceCandidate& candidate) {
  if (!candidate.enabled)
    return fmt::format(
        "is disabled in its key vault: 'signet vault certificate update {} --enable' enables it",
        candidate.key.key_name);
  const vault::KeyId id{candidate.key.key_vault, candidate.key.key_name, candidate.key.key_version};
  const auto key = vault::open_key(judge.home.vault(), vault::Principal::gateway(), id);
  if (!key) return fmt::format("has a key that the gateway cannot use: {}", key.error().detail);
  if (!candidate.chain.front().has_public_key(key->native()))
    return "was not issued for the key that its key vault has with it";
  const auto may_sign =
      judge.home.vault().check_access(vault::Principal::gateway(), "sign", id, vault::KeyPermission::Sign);
  if (!may_sign) return fmt::format("has a key that the gateway cannot use: {}", may_sign.error().detail);
  return "";
}

/// What there is of a thumbprint behind a definition, and everything that stands against it.
struct Judged {
  std::optional<certstore::Certificate> certificate;
  std::vector<std::string> objections;  ///< each goes on from "the certificate"
};

Result<Judged> judge_binding(const Judge& judge, const ServiceCertificate& definition,
                             const Thumbprint& thumbprint) {
  Judged judged;
  if (definition.use == ServiceUse::Intermediate) {
    const auto* entry = public_certificate(judge.account, thumbprint);
    if (entry == nullptr)
      return Judged{std::nullopt,
                    {"is no public certificate of the account: 'signet certificate add' takes it in"}};
    SIGNET_TRY(judged.certificate, certstore::Certificate::parse(entry->public_certificate));
  } else {
    SIGNET_TRY(const auto found, judge.candidates.find(definition.store, thumbprint));
    if (!found) return Judged{std::nullopt, {not_in_vault(judge, definition, thumbprint)}};
    judged.certificate = found->chain.front();
    if (std::string objection = objection_to_key(judge, *found); !objection.empty())
      judged.objections.push_back(std::move(objection));
  }
  for (std::string& objection : certstore::objections_to(*judged.certificate, definition,
                                                         judge.definitions.self_signed_allowed, judge.now))
    judged.objections.push_back(std::move(objection));
  return judged;
}

/// What a binding would let messages do with a key that is for listeners alone.
///
/// @param services  as they would be
std::vector<api::BindingRefusal> elevated_conflicts(const Judge& judge, const ServiceCertificates& services,
                                                    const std::vector<certstore::BindingChange>& changes) {
  std::vector<api::BindingRefusal> refusals;
  const KeysOfListeners keys = keys_of_listeners(services);
  const auto is_changed = [&](std::string_view name) {
    return std::any_of(changes.begin(), changes.end(),
                       [&](const auto& change) { return change.name == name; });
  };
  for (const BoundCertificate& bound : services.bound) {
    if (bound.for_listeners_only || !bound.entry.key) continue;
    const auto listener = listener_with_key_of(bound.entry, keys);
    if (listener && (is_changed(bound.entry.name) || is_changed(*listener)))
      refusals.push_back(
          {bound.entry.name,
           fmt::format("has the key of '{}', which is elevated: for listeners alone", *listener)});
  }
  const agreements::Account account = with_service_certificates(judge.account, services);
  for (const agreements::Agreement& agreement : account.agreements)
    for (const std::string& name : names_of_private_keys(agreement)) {
      const agreements::CertificateEntry* entry = agreements::find_certificate(account, name);
      const auto listener = entry != nullptr ? listener_with_key_of(*entry, keys) : std::nullopt;
      if (listener && is_changed(*listener))
        refusals.push_back(
            {*listener, fmt::format("is elevated, for listeners alone, and agreement '{}' signs "
                                    "or opens messages with this key (certificate '{}')",
                                    agreement.name, name)});
    }
  return refusals;
}

const ServiceBinding* find_binding(const std::vector<ServiceBinding>& bindings, std::string_view name) {
  const auto found = std::find_if(bindings.begin(), bindings.end(),
                                  [&](const ServiceBinding& binding) { return binding.name == name; });
  return found == bindings.end() ? nullptr : &*found;
}

std::string names_of(const ServiceDefinitions& definitions) {
  std::vector<std::string> names;
  for (const ServiceCertificate& one : definitions.certificates) names.push_back(one.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> users_of(const agreements::Account& account, const ServeSettings& settings,
                                  const std::string& name) {
  std::vector<std::string> users;
  for (const agreements::Agreement& agreement : account.agreements) {
    const auto names = agreements::certificates_named(agreement);
    if (std::find(names.begin(), names.end(), name) != names.end())
      users.push_back(fmt::format("agreement '{}'", agreement.name));
  }
  const auto shows = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (shows(settings.tls_certificate)) users.emplace_back("tls-certificate");
  if (shows(settings.api_certificate)) users.emplace_back("api-certificate");
  return users;
}

void warn_of(const Judged& judged, const ServiceCertificate& definition, const Thumbprint& thumbprint,
             Time now, std::vector<std::string>& warnings) {
  if (thumbprint.algorithm == certstore::ThumbprintAlgorithm::Sha1)
    warnings.push_back(fmt::format("'{}' is bound by a SHA-1 thumbprint; name certificates by SHA-256: {}",
                                   definition.name, judged.certificate->thumbprint_sha256()));
  if (definition.for_listeners() && judged.certificate->self_signed())
    warnings.push_back(fmt::format(
        "'{}' is bound to a self-signed certificate, which serve.toml allows: for development only",
        definition.name));
  if (judged.certificate->not_after() < now + certstore::kExpiryNotice)
    warnings.push_back(fmt::format("the certificate that '{}' is bound to expires at {}", definition.name,
                                   to_rfc3339(judged.certificate->not_after())));
}

/// The bindings as they are after changes.
std::vector<ServiceBinding> with_changes(std::vector<ServiceBinding> bindings,
                                         const std::vector<certstore::BindingChange>& changes) {
  for (const certstore::BindingChange& change : changes) {
    std::erase_if(bindings, [&](const ServiceBinding& binding) { return binding.name == change.name; });
    if (change.after) bindings.push_back({change.name, *change.after, {}, {}});
  }
  return bindings;
}

std::string text_of(const std::optional<Thumbprint>& thumbprint) {
  return thumbprint ? to_string(*thumbprint) : "nothing";
}

std::string text_of(const std::vector<api::BindingRefusal>& refusals) {
  std::string text;
  for (const api::BindingRefusal& one : refusals)
    text += fmt::format("{}{} {}", text.empty() ? "refused: " : "; ", one.name, one.reason);
  return text;
}

/// What a request asks for.
struct Wanted {
  const ServiceCertificate& definition;
  Thumbprint thumbprint;
};

/// @error  a reason for a refusal.
Result<Wanted> read_request(const ServiceDefinitions& definitions, const api::BindingRequest& request) {
  const ServiceCertificate* definition = definitions.find(request.name);
  if (definition == nullptr)
    return fail(ErrorKind::InvalidInput,
                fmt::format("is not defined (service-certificate in serve.toml); defined: {}",
                            names_of(definitions)));
  std::optional<certstore::ThumbprintAlgorithm> algorithm;
  if (!request.algorithm.empty()) {
    SIGNET_TRY(algorithm, certstore::parse_thumbprint_algorithm(request.algorithm));
  }
  SIGNET_TRY(Thumbprint thumbprint, certstore::parse_thumbprint(request.thumbprint, algorithm));
  return Wanted{*definition, std::move(thumbprint)};
}

/// Adds the change, and what stands against it.
Result<> judge_request(const Judge& judge, const std::vector<ServiceBinding>& bindings,
                       const api::BindingRequest& request, api::BindingOutcome& outcome) {
  const auto refuse = [&](std::string reason) {
    outcome.refusals.push_back({printable(request.name), std::move(reason)});
  };
  if (std::any_of(outcome.changes.begin(), outcome.changes.end(),
                  [&](const auto& change) { return change.name == request.name; })) {
    refuse("stands there twice");
    return {};
  }
  const auto wanted = read_request(judge.definitions, request);
  if (!wanted) {
    refuse(wanted.error().detail);
    return {};
  }
  const Thumbprint& thumbprint = wanted->thumbprint;
  SIGNET_TRY(const Judged judged, judge_binding(judge, wanted->definition, thumbprint));
  for (const std::string& objection : judged.objections)
    refuse(fmt::format("cannot be bound: the certificate {} {}", to_string(thumbprint), objection));
  if (judged.certificate) warn_of(judged, wanted->definition, thumbprint, judge.now, outcome.warnings);
  const ServiceBinding* before = find_binding(bindings, request.name);
  outcome.changes.push_back(
      {request.name, before != nullptr ? std::optional(before->thumbprint) : std::nullopt, thumbprint});
  return {};
}

}  // namespace

Result<std::vector<api::ServiceCertificateView>> HomeServiceCertificates::list() {
  SIGNET_TRY(const ServiceDefinitions definitions, home_.service_definitions());
  SIGNET_TRY(const ServeSettings settings, read_serve_settings(given_, home_.directory() / "serve.toml"));
  SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
  SIGNET_TRY(const auto bindings, home_.service_bindings().bindings());
  Candidates candidates(home_.service_bindings());
  const Judge judge{home_, definitions, stored.account, candidates, home_.clock().now()};
  std::vector<api::ServiceCertificateView> views;
  for (const ServiceCertificate& definition : definitions.certificates) {
    api::ServiceCertificateView view{definition, std::nullopt, std::nullopt, {}, {}};
    view.users = users_of(stored.account, settings, definition.name);
    if (const ServiceBinding* binding = find_binding(bindings, definition.name)) {
      view.binding = *binding;
      SIGNET_TRY(Judged judged, judge_binding(judge, definition, binding->thumbprint));
      view.certificate = std::move(judged.certificate);
      view.objections = std::move(judged.objections);
    }
    views.push_back(std::move(view));
  }
  for (const ServiceBinding& binding : bindings)
    if (definitions.find(binding.name) == nullptr)
      views.push_back({{binding.name},
                       binding,
                       std::nullopt,
                       users_of(stored.account, settings, binding.name),
                       {"stands behind a name that is not defined (any more)"}});
  std::sort(views.begin(), views.end(),
            [](const auto& one, const auto& other) { return one.definition.name < other.definition.name; });
  return views;
}

Result<api::ServiceCertificateView> HomeServiceCertificates::show(std::string_view name) {
  SIGNET_TRY(std::vector<api::ServiceCertificateView> all, list());
  for (api::ServiceCertificateView& view : all)
    if (view.definition.name == name) return std::move(view);
  SIGNET_TRY(const ServiceDefinitions definitions, home_.service_definitions());
  return fail(
      ErrorKind::NotFound,
      fmt::format("there is no service certificate '{}'; defined (service-certificate in serve.toml): {}",
                  printable(name), names_of(definitions)));
}

Result<api::BindingOutcome> HomeServiceCertificates::bind(const vault::Principal& principal,
                                                          const std::vector<api::BindingRequest>& requests,
                                                          bool dry_run) {
  SIGNET_TRY(const ServiceDefinitions definitions, home_.service_definitions());
  SIGNET_TRY(const agreements::StoredAccount stored, home_.accounts().load());
  SIGNET_TRY(const auto bindings, home_.service_bindings().bindings());
  Candidates candidates(home_.service_bindings());
  const Judge judge{home_, definitions, stored.account, candidates, home_.clock().now()};
  api::BindingOutcome outcome;
  for (const api::BindingRequest& request : requests)
    SIGNET_CHECK(judge_request(judge, bindings, request, outcome));
  SIGNET_TRY(const ServiceCertificates services,
             resolve_all(definitions, with_changes(bindings, outcome.changes), stored.account, candidates));
  for (api::BindingRefusal& refusal : elevated_conflicts(judge, services, outcome.changes))
    outcome.refusals.push_back(std::move(refusal));
  std::erase_if(outcome.changes, [](const auto& change) { return change.before == change.after; });
  if (dry_run) return outcome;

  if (!outcome.refusals.empty()) {
    SIGNET_CHECK(record_refusal(principal, outcome));
    return outcome;
  }
  if (outcome.changes.empty()) return outcome;
  std::vector<RecordedChange> recorded;
  for (const certstore::BindingChange& change : outcome.changes)
    recorded.push_back({change, definitions.find(change.name)->store});
  SIGNET_CHECK(change(principal, recorded, judge.now));
  outcome.changed = true;
  return outcome;
}

Result<> HomeServiceCertificates::unbind(const vault::Principal& principal, std::string_view name) {
  SIGNET_TRY(const api::ServiceCertificateView view, show(name));
  if (!view.binding)
    return fail(ErrorKind::NotFound,
                fmt::format("the service certificate '{}' is not bound", printable(name)));
  if (!view.users.empty())
    return fail(ErrorKind::AlreadyExists,
                fmt::format("the service certificate '{}' is named by {}: take it out there first",
                            printable(name), fmt::join(view.users, ", ")));
  const certstore::BindingChange change{std::string(name), view.binding->thumbprint, std::nullopt};
  return this->change(principal, {{change, view.definition.store}}, home_.clock().now());
}

/// The records come before the change, and where nothing comes of it, others behind them say so.
Result<> HomeServiceCertificates::change(const vault::Principal& principal,
                                         const std::vector<RecordedChange>& wanted, Time now) {
  std::vector<certstore::BindingChange> changes;
  const auto make = [&]() -> Result<> {
    for (const RecordedChange& one : wanted) {
      SIGNET_CHECK(record(principal, one, vault::AuditResult::Success, ""));
      changes.push_back(one.change);
    }
    return home_.service_bindings().change(changes, principal.name, now);
  };
  Result<> made = make();
  if (made) return made;
  for (std::size_t i = 0; i < changes.size(); ++i)
    static_cast<void>(record(principal, wanted[i], vault::AuditResult::Failed, made.error().detail));
  return made;
}

/// Who, when, which name, from what to what.
Result<> HomeServiceCertificates::record(const vault::Principal& principal, const RecordedChange& recorded,
                                         vault::AuditResult result, std::string_view why_not) {
  const certstore::BindingChange& change = recorded.change;
  return record_call(home_,
                     {principal.name,
                      change.after ? kBind : kUnbind,
                      {recorded.store, change.name, {}},
                      fmt::format("{} -> {}", text_of(change.before), text_of(change.after)),
                      vault::AuditObject::Certificate},
                     result, why_not);
}

Result<> HomeServiceCertificates::record_refusal(const vault::Principal& principal,
                                                 const api::BindingOutcome& outcome) {
  return record_call(
      home_,
      {principal.name, kBind, {{}, outcome.refusals.front().name, {}}, {}, vault::AuditObject::Certificate},
      vault::AuditResult::Failed, text_of(outcome.refusals));
}

}  // namespace signet::gateway
