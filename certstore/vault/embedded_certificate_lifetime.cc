#include "base/backoff.h"
#include "certstore/vault/embedded_certificates_internal.h"
#include "certstore/vault/embedded_lifetime_internal.h"

#include <algorithm>

/// What is due of certificates by their policies' lifetime actions.

namespace signet::vault {
namespace {

using Event = CertificateNotice::Event;

constexpr std::chrono::hours kFirstRetry{1};
constexpr std::chrono::hours kLongestRetry{24};

CertificateNotice notice_of(Event event, const CertificateInfo& info, Time now) {
  CertificateNotice notice;
  notice.event = event;
  notice.id = info.id;
  notice.time = now;
  notice.expires = info.chain.front().not_after();
  return notice;
}

/// What was done for the current version.
StoredRenewal renewal_of(const StoredName& name, const CertificateInfo& current) {
  if (name.renewal.version == current.id.version) return name.renewal;
  StoredRenewal fresh;
  fresh.version = current.id.version;
  return fresh;
}

bool is_in_progress(const StoredName& name) {
  return name.operation && name.operation->operation.status == OperationStatus::InProgress;
}

void keep_earlier(std::optional<Time>& next, Time time) { next = next ? std::min(*next, time) : time; }

}  // namespace

CertificateNotice notice_of_renewed(const CertificateInfo& made) {
  return notice_of(Event::Renewed, made, made.created);
}

void note_failure(StoredName& name, const CertificateInfo& current, const std::string& reason, Time now) {
  name.renewal = renewal_of(name, current);
  ++name.renewal.failures;
  name.renewal.next = now + doubled(kFirstRetry, kLongestRetry, name.renewal.failures);
  CertificateNotice notice = notice_of(Event::NotRenewed, current, now);
  notice.reason = reason;
  name.notices.push_back(std::move(notice));
}

/// One round over the certificates in use.
class EmbeddedVault::LifetimeRound {
 public:
  explicit LifetimeRound(State& state) : state_(state), steps_(state) {}

  void visit(const CurrentCertificate& certificate) {
    const CertificateInfo& current = certificate.current.info;
    const std::vector<LifetimeAction> actions = lifetime_actions_of(certificate.name.policy);
    if (actions.empty() || !current.settings.enabled) return;
    const Time due = due_time(actions.front(), current.chain.front());
    if (state_.now() < due) return keep_earlier(round_.next, due);
    if (actions.front().type == LifetimeActionType::EmailContacts)
      give_notice(certificate.name, current);
    else
      renew(certificate.name, current);
  }

  Round result() && { return std::move(round_); }

 private:
  void give_notice(StoredName name, const CertificateInfo& current) {
    name.renewal = renewal_of(name, current);
    if (name.renewal.noticed) return;
    name.renewal.noticed = true;
    name.operation.reset();  // stays as it is
    name.notices = {notice_of(Event::NearExpiry, current, state_.now())};
    CertificateId id = current.id;
    const auto given = state_.change(
        state_.new_certificate_record(Principal::gateway(), "notifyCertificateContacts", id), id,
        []() -> Result<> { return {}; }, [&] { return state_.certificates().put_name(name); });
    if (given) round_.events.push_back(name.notices.front());
  }

  void renew(StoredName name, const CertificateInfo& current) {
    const StoredRenewal renewal = renewal_of(name, current);
    if (is_in_progress(name)) return;
    if (state_.now() < renewal.next) return keep_earlier(round_.next, renewal.next);
    const auto begun = begin(name.id, current, renewal);
    if (begun) {
      round_.events.push_back(*begun);
      return;
    }
    name.operation.reset();
    name.notices.clear();
    note_failure(name, current, begun.error().detail, state_.now());
    keep_earlier(round_.next, name.renewal.next);
    static_cast<void>(state_.certificates().put_name(name));
    round_.events.push_back(name.notices.front());
  }

  /// @returns what is to be told of it.
  Result<CertificateNotice> begin(CertificateId id, const CertificateInfo& current,
                                  const StoredRenewal& renewal) {
    BegunVersion begun;
    CertificateNotice notice;
    const auto prepare = [&]() -> Result<> {
      SIGNET_CHECK(steps_.begin_version(id, std::nullopt, current.settings, begun));
      StoredName& name = begun.version ? begun.version->name : begun.name;
      name.operation->renewal = true;
      name.operation->begun_by = name.policy_by;
      name.renewal = renewal;
      notice = begun.version ? notice_of_renewed(begun.version->certificate.info)
                             : notice_of(Event::RenewalBegins, current, state_.now());
      name.notices = {notice};
      return {};
    };
    Result<> changed = state_.change(state_.new_certificate_record(Principal::gateway(), "renewCertificate",
                                                                   id, "by its policy's lifetime action"),
                                     id, prepare, [&] { return steps_.put(begun); });
    SIGNET_CHECK(state_.settled(id.vault, begun.key.get(), std::move(changed)));
    return notice;
  }

  State& state_;
  CertificateSteps steps_;
  Round round_;
};

Result<CertificateLifetimes::Round> EmbeddedVault::renew_due() {
  SIGNET_TRY(const std::vector<CurrentCertificate> all, state_->certificates().in_use());
  LifetimeRound round(*state_);
  for (const CurrentCertificate& certificate : all) round.visit(certificate);
  return std::move(round).result();
}

Result<std::vector<CertificateNotice>> EmbeddedVault::notices() { return state_->certificates().notices(); }

Result<> EmbeddedVault::put_notice_mailed(const CertificateNotice& notice) {
  return state_->certificates().put_notice_mailed(notice.number);
}

Result<> EmbeddedVault::remove_notice(const CertificateNotice& notice) {
  return state_->certificates().remove_notice(notice.number);
}

Result<std::vector<CertificateContact>> EmbeddedVault::contacts_to_tell(std::string_view vault) {
  return state_->certificates().contacts(vault);
}

}  // namespace signet::vault
