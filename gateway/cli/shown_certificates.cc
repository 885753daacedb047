#include "gateway/cli/shown_certificates.h"

#include <fmt/format.h>

#include "base/log.h"
#include "gateway/cli/service_bindings.h"

namespace signet::gateway {
namespace {

/// How soon a change by another process is seen. Looking costs next to nothing: see Database::generations().
constexpr std::chrono::milliseconds kInterval{250};
constexpr std::chrono::milliseconds kIntervalInTrouble{5'000};

Result<TlsIdentity> identity_of(const AccountSnapshot& account, const std::string& name) {
  SIGNET_TRY(certstore::PrivateCertificate own, account.listener_certificate(name));
  SIGNET_TRY(auto intermediates, account.issuers_of(name));
  return TlsIdentity{std::move(own), std::move(intermediates)};
}

std::string to_text(const certstore::ServiceBinding& binding) {
  return certstore::to_string(binding.thumbprint);
}

}  // namespace

Result<TlsIdentity> identity_of(const AccountSnapshot& account, const std::vector<std::string>& names,
                                std::string_view setting) {
  if (names.empty())
    return fail(ErrorKind::InvalidInput,
                fmt::format("HTTPS listeners need --{}, the name of a service certificate or of a private "
                            "certificate of the account",
                            setting));
  SIGNET_TRY(TlsIdentity identity, identity_of(account, names.front()));
  for (auto name = names.begin() + 1; name != names.end(); ++name) {
    SIGNET_TRY(TlsIdentity other, identity_of(account, *name));
    identity.for_other_hosts.push_back(std::move(other));
  }
  return identity;
}

std::string ShownCertificates::thumbprints_of(const TlsIdentity& identity) {
  std::string text = identity.own.certificate.thumbprint_sha256();
  for (const certstore::Certificate& issuer : identity.chain) text += " " + issuer.thumbprint_sha256();
  for (const TlsIdentity& other : identity.for_other_hosts) text += ", " + thumbprints_of(other);
  return text;
}

std::string shown_by(const std::vector<Listener>& listeners) {
  for (const Listener& listener : listeners)
    if (listener.tls) return ShownCertificates::thumbprints_of(*listener.tls);
  return "";
}

ShownCertificates::ShownCertificates(Home& home, const ServeSettings& settings, std::vector<Shown> shown)
    : home_(home), shown_(std::move(shown)), settings_(settings) {
  thread_ = std::thread([this] { watch(); });
}

ShownCertificates::~ShownCertificates() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

/// What is shown already, and would be refused as a new binding: a certificate may have expired since, or the
/// definition may be another one. Nobody is cut off for it.
void ShownCertificates::warn_of_objections() {
  if (settings_.self_signed_certificates == "allowed")
    log::warning("self-signed-certificates-allowed",
                 {{"reason", "listeners may show certificates that nobody can check: for development only"}});
  const auto views = HomeServiceCertificates(home_).list();
  if (!views) return log::error("bindings-not-read", {{"reason", views.error().detail}});
  for (const api::ServiceCertificateView& view : *views)
    for (const std::string& objection : view.objections)
      log::warning("service-certificate-doubtful",
                   {{"name", view.definition.name}, {"reason", "the certificate " + objection}});
}

void ShownCertificates::watch() {
  std::unique_lock lock(mutex_);
  warn_of_objections();
  std::string last_trouble;
  while (!is_over_) {
    const auto looked = look();
    if (!looked && looked.error().detail != last_trouble)
      log::error("certificates-not-taken-up",
                 {{"reason", looked.error().detail + "; listeners go on with what they show"}});
    last_trouble = looked ? "" : looked.error().detail;
    ended_.wait_for(lock, looked ? kInterval : kIntervalInTrouble, [this] { return is_over_; });
  }
}

Result<> ShownCertificates::look() {
  SIGNET_TRY(const std::uint64_t generation, home_.store().generation());
  if (generation == generation_) return {};
  SIGNET_CHECK(tell_of_bindings());
  SIGNET_TRY(const auto account, home_.current_account());
  SIGNET_CHECK(renew_changed(*account));
  generation_ = generation;
  return {};
}

/// Everything is looked up before anything is shown.
Result<> ShownCertificates::renew_changed(const AccountSnapshot& account) {
  std::vector<TlsIdentity> identities;
  for (const Shown& shown : shown_) {
    SIGNET_TRY(TlsIdentity identity, identity_of(account, settings_.*shown.names, shown.setting));
    identities.push_back(std::move(identity));
  }
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    std::string thumbprints = thumbprints_of(identities[i]);
    if (thumbprints == shown_[i].thumbprints) continue;
    SIGNET_CHECK(shown_[i].renew(identities[i]));
    log::info("certificate-shown",
              {{"setting", std::string(shown_[i].setting)}, {"thumbprints", thumbprints}});
    shown_[i].thumbprints = std::move(thumbprints);
  }
  return {};
}

Result<> ShownCertificates::tell_of_bindings() {
  SIGNET_TRY(const auto bindings, home_.service_bindings().bindings());
  std::map<std::string, std::string, std::less<>> bound;
  for (const certstore::ServiceBinding& binding : bindings) bound.emplace(binding.name, to_text(binding));
  const auto is_first = generation_ == 0;
  for (const certstore::ServiceBinding& binding : bindings) {
    const auto before = bound_.find(binding.name);
    if (is_first || (before != bound_.end() && before->second == to_text(binding))) continue;
    log::info("service-certificate-bound", {{"name", binding.name},
                                            {"before", before == bound_.end() ? "nothing" : before->second},
                                            {"now", to_text(binding)},
                                            {"principal", binding.changed_by}});
  }
  for (const auto& [name, thumbprint] : bound_)
    if (!bound.contains(name))
      log::info("service-certificate-unbound", {{"name", name}, {"before", thumbprint}});
  bound_ = std::move(bound);
  return {};
}

Result<> ShownCertificates::take_up(const ServeSettings& settings) {
  const std::lock_guard lock(mutex_);
  const certstore::ServiceDefinitions definitions = service_definitions_of(settings);
  SIGNET_TRY(const auto account, home_.account_with(definitions));
  ServeSettings before = std::exchange(settings_, settings);
  if (auto renewed = renew_changed(*account); !renewed) {
    settings_ = std::move(before);
    return renewed;
  }
  home_.define_service_certificates(definitions);
  warn_of_objections();
  return {};
}

}  // namespace signet::gateway
