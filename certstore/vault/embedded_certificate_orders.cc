#include "certstore/vault/embedded_certificates_internal.h"
#include "certstore/vault/embedded_lifetime_internal.h"

/// What the gateway does with operations at issuers of their vaults.

namespace signet::vault {
namespace {

PendingOrder order_of(const StoredName& name) {
  const StoredOperation& stored = *name.operation;
  return {stored.operation,
          {stored.operation.request, stored.policy, stored.begun_by},
          stored.order,
          stored.begun};
}

}  // namespace

/// The account as the store has it, with its key open.
class EmbeddedVault::StoredIssuerAccount final : public IssuerAccount {
 public:
  StoredIssuerAccount(State& state, StoredIssuer stored, SecretBytes password,
                      std::shared_ptr<const PrivateKey> key)
      : state_(state),
        in_use_(state.key_in_use()),
        stored_(std::move(stored)),
        password_(std::move(password)),
        key_(std::move(key)) {}

  [[nodiscard]] const CertificateIssuer& issuer() const override { return stored_.issuer; }
  [[nodiscard]] const SecretBytes& password() const override { return password_; }
  [[nodiscard]] const Bytes& public_key() const override { return stored_.account_public_key; }
  Result<Bytes> sign(ByteView digest) override { return key_->sign(SignatureAlgorithm::ES256, digest); }
  [[nodiscard]] const std::string& url() const override { return stored_.account_url; }
  Result<> keep_url(std::string url) override {
    StoredIssuer now;
    KeyId id = stored_.issuer.id;
    const auto prepare = [&]() -> Result<> {
      SIGNET_TRY(now, state_.certificates().load_issuer(id.vault, id.name));
      if (now.account_public_key != stored_.account_public_key)
        return fail(ErrorKind::Unavailable,
                    fmt::format("the settings of issuer '{}' were changed meanwhile", to_string(id)));
      now.account_url = url;
      return {};
    };
    SIGNET_CHECK(state_.change(
        state_.new_certificate_record(Principal::gateway(), "registerAtIssuer", id, printable(url)), id,
        prepare, [&] { return state_.certificates().put_issuer(now); }));
    stored_.account_url = std::move(url);
    return {};
  }

 private:
  State& state_;
  const std::shared_ptr<const void> in_use_;
  StoredIssuer stored_;
  const SecretBytes password_;
  const std::shared_ptr<const PrivateKey> key_;
};

namespace {

/// The key of our account at an issuer, as it rests; made, and kept, where there is none.
template <class State>
Result<std::shared_ptr<const PrivateKey>> account_key(State& state, StoredIssuer& stored) {
  const Bytes context = context_of_issuer_account(stored.issuer.id);
  SIGNET_TRY(const auto master_key, state.master_key());
  if (!stored.sealed_account_key.empty()) {
    auto pkcs8 = master_key->unseal(stored.sealed_account_key, context);
    if (!pkcs8)
      return fail(ErrorKind::Unavailable, fmt::format("the key of the account at issuer '{}' {}",
                                                      to_string(stored.issuer.id), pkcs8.error().detail));
    SIGNET_TRY(std::shared_ptr<const PrivateKey> key, SoftwareKey::from_pkcs8(pkcs8->view()));
    return key;
  }
  SIGNET_TRY(std::shared_ptr<const PrivateKey> made, SoftwareKey::generate(KeyKind::EcP256));
  SIGNET_TRY(const SecretBytes pkcs8, made->to_pkcs8());
  stored.sealed_account_key = master_key->seal(pkcs8.view(), context);
  stored.account_public_key = made->public_key();
  stored.account_url.clear();
  KeyId id = stored.issuer.id;
  SIGNET_CHECK(state.change(
      state.new_certificate_record(Principal::gateway(), "createIssuerAccountKey", id), id,
      []() -> Result<> { return {}; }, [&] { return state.certificates().put_issuer(stored); }));
  return made;
}

/// The operation of an order as it is now. @error NotFound  it is over, or another one.
template <class Steps>
Result<StoredName> in_progress(Steps steps, const PendingOrder& order) {
  SIGNET_TRY(StoredName name, steps.with_operation(order.operation.id));
  const CertificateOperation& now = name.operation->operation;
  if (now.request_id == order.operation.request_id && now.status == OperationStatus::InProgress) return name;
  return fail(ErrorKind::NotFound, fmt::format("the operation {} of certificate '{}' is over",
                                               order.operation.request_id, to_string(order.operation.id)));
}

void end(StoredOperation& operation, OperationStatus status) {
  operation.operation.status = status;
  operation.operation.details.clear();
  operation.sealed.clear();
}

}  // namespace

Result<std::vector<PendingOrder>> EmbeddedVault::pending_orders() {
  SIGNET_TRY(const std::vector<StoredName> names, state_->certificates().in_progress());
  std::vector<PendingOrder> orders;
  for (const StoredName& name : names) orders.push_back(order_of(name));
  return orders;
}

Result<std::unique_ptr<IssuerAccount>> EmbeddedVault::open_issuer_account(std::string_view vault,
                                                                          std::string_view issuer) {
  SIGNET_TRY(StoredIssuer stored, state_->certificates().load_issuer(vault, issuer));
  SIGNET_CHECK(check_enabled(stored.issuer));
  const auto in_use = state_->key_in_use();
  SecretBytes password;
  if (!stored.sealed_password.empty()) {
    SIGNET_TRY(const auto master_key, state_->master_key());
    auto unsealed = master_key->unseal(stored.sealed_password, context_of_issuer(stored.issuer.id));
    if (!unsealed)
      return fail(ErrorKind::Unavailable, fmt::format("the password of issuer '{}' {}",
                                                      to_string(stored.issuer.id), unsealed.error().detail));
    password = *std::move(unsealed);
  }
  SIGNET_TRY(std::shared_ptr<const PrivateKey> key, account_key(*state_, stored));
  return std::unique_ptr<IssuerAccount>(
      new StoredIssuerAccount(*state_, std::move(stored), std::move(password), std::move(key)));
}

Result<> EmbeddedVault::note_order(const PendingOrder& order) {
  CertificateId id = order.operation.id;
  StoredOperation noted;
  noted.operation = order.operation;
  noted.order = order.order;
  return state_->change(
      state_->new_certificate_record(Principal::gateway(), "noteCertificateOrder", id,
                                     printable(order.order)),
      id,
      [&]() -> Result<> {
        SIGNET_CHECK(in_progress(CertificateSteps(*state_), order));
        return {};
      },
      [&] { return state_->certificates().note_order(id, noted); });
}

Result<VaultCertificate> EmbeddedVault::complete_order(const PendingOrder& order,
                                                       const std::vector<certstore::Certificate>& chain) {
  CertificateSteps steps(*state_);
  CertificateId id = order.operation.id;
  NewVersion version;
  const auto prepare = [&]() -> Result<> {
    SIGNET_TRY(StoredName name, in_progress(steps, order));
    id = {name.id.vault, name.id.name, name.operation->version};
    const CertificateSettings settings = name.operation->settings;
    const bool renewal = name.operation->renewal;
    SIGNET_TRY(version, steps.finish_version(std::move(name), settings, chain));
    if (renewal) version.name.notices.push_back(notice_of_renewed(version.certificate.info));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(Principal::gateway(), "completeCertificate", id,
                                                             "from issuer " + order.operation.issuer),
                              id, prepare, [&] { return state_->certificates().put_version(version); }));
  return steps.show(id);
}

Result<> EmbeddedVault::fail_order(const PendingOrder& order, const OperationFailure& failure) {
  CertificateSteps steps(*state_);
  CertificateId id = order.operation.id;
  StoredName name;
  const auto prepare = [&]() -> Result<> {
    SIGNET_TRY(name, in_progress(steps, order));
    end(*name.operation, OperationStatus::Failed);
    name.operation->operation.failure = failure;
    if (!name.operation->renewal) return {};
    SIGNET_TRY(const StoredCertificate current, state_->certificates().load(name.id));
    note_failure(name, current.info, failure.message, state_->now());
    return {};
  };
  return state_->change_with_keys(
      state_->new_certificate_record(Principal::gateway(), "failCertificate", id,
                                     failure.code + ": " + printable(failure.message, 500)),
      id, prepare, [&] { return state_->certificates().put_name(name); });
}

Result<> EmbeddedVault::cancel_order(const PendingOrder& order) {
  CertificateSteps steps(*state_);
  CertificateId id = order.operation.id;
  StoredName name;
  const auto prepare = [&]() -> Result<> {
    SIGNET_TRY(name, in_progress(steps, order));
    end(*name.operation, OperationStatus::Cancelled);
    return {};
  };
  return state_->change_with_keys(
      state_->new_certificate_record(Principal::gateway(), "cancelCertificate", id), id, prepare,
      [&] { return state_->certificates().put_name(name); });
}

Result<> EmbeddedVault::revoke_certificate(const Principal& principal, const CertificateId& id,
                                           RevocationReason reason, const Revoke& revoke) {
  CertificateId version = id;
  StoredCertificate stored;
  std::unique_ptr<IssuerAccount> account;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Update));
    SIGNET_TRY(stored, state_->certificates().load(id));
    version = stored.info.id;
    SIGNET_TRY(const StoredName name, CertificateSteps(*state_).known(id));
    if (!is_ordered(name.policy.issuer))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format(
              "certificate '{}' is of the issuer {}, which revokes nothing: disable it, and tell those "
              "who rely on it",
              to_string(version), name.policy.issuer));
    SIGNET_TRY(account, open_issuer_account(id.vault, name.policy.issuer));
    return {};
  };
  return state_->change(
      state_->new_certificate_record(principal, "revokeCertificate", version, std::string(to_string(reason))),
      version, prepare, [&] { return revoke(*account, stored.info.chain.front()); });
}

}  // namespace signet::vault
