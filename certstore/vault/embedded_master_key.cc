#include <thread>

#include "certstore/vault/embedded_certificates_internal.h"

/// The master key of a vault that is open: taken away, brought back, exchanged.

namespace signet::vault {
namespace {

/// What was read from the store just before everything was sealed anew is opened within this.
constexpr std::chrono::milliseconds kOverlap{1000};
/// How often it is looked whether what was under way has ended.
constexpr std::chrono::milliseconds kLook{5};

/// What these records are about.
KeyId master_key_id() { return {{}, "master-key", {}}; }

template <class State>
AuditRecord master_key_record(State& state, const Principal& principal, std::string_view operation) {
  AuditRecord record = state.new_record(principal, operation, master_key_id());
  record.object = AuditObject::Call;
  return record;
}

class MasterKeyResealer final : public Resealer {
 public:
  MasterKeyResealer(const MasterKey& before, const MasterKey& after) : before_(before), after_(after) {}

  Result<Bytes> key(const KeyId& id, KeyKind kind, ByteView sealed) override {
    return reseal(fmt::format("key '{}'", to_string(id)), sealed, context_of(id, kind));
  }
  Result<Bytes> secret(const KeyId& id, ByteView sealed) override {
    return reseal(fmt::format("secret '{}'", to_string(id)), sealed, context_of_secret(id));
  }
  Result<Bytes> issuer_password(const KeyId& issuer, ByteView sealed) override {
    return reseal(fmt::format("the password of issuer '{}'", to_string(issuer)), sealed,
                  context_of_issuer(issuer));
  }
  Result<Bytes> issuer_account_key(const KeyId& issuer, ByteView sealed) override {
    return reseal(fmt::format("the key of the account at issuer '{}'", to_string(issuer)), sealed,
                  context_of_issuer_account(issuer));
  }
  Result<Bytes> retired_master_key(ByteView sealed) override {
    SIGNET_TRY(const MasterKey retired, before_.unseal_retired(sealed));
    return after_.seal_retired(retired);
  }

 private:
  Result<Bytes> reseal(std::string_view what, ByteView sealed, ByteView context) {
    const auto opened = before_.unseal(sealed, context);
    if (opened) return after_.seal(opened->view(), context);
    return fail(ErrorKind::Unavailable,
                fmt::format("{} {}; the master key was not changed", what, opened.error().detail));
  }

  const MasterKey& before_;
  const MasterKey& after_;
};

/// A key that opens as well what is sealed under another.
std::shared_ptr<const MasterKey> opening_both(const MasterKey& key, std::shared_ptr<const MasterKey> other) {
  MasterKey both = key.copy();
  both.also_open(std::move(other));
  return std::make_shared<const MasterKey>(std::move(both));
}

}  // namespace

bool EmbeddedVault::is_sealed() const { return state_->is_sealed(); }

Result<> EmbeddedVault::seal(const Principal& principal, std::chrono::milliseconds patience) {
  const std::lock_guard lock(state_->master_key_changes());
  std::weak_ptr<const MasterKey> master_key = state_->put_master_key(nullptr);
  state_->forget();
  state_->holders().log_out();
  const auto in_use = [&] { return !master_key.expired() || state_->has_keys_in_use(); };
  const auto end = std::chrono::steady_clock::now() + patience;
  while (in_use() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kLook);
  // To be sealed needs no record: a full disk must not keep the vault open.
  return state_->audited(master_key_record(*state_, principal, "seal"), [&](AuditRecord&) -> Result<> {
    if (!in_use()) return {};
    return fail(ErrorKind::Unavailable,
                "the vault is sealed, but work that began before is under way still: the keys that it uses "
                "are wiped when it ends");
  });
}

Result<> EmbeddedVault::unseal(const Principal& principal, MasterKey master_key) {
  const std::lock_guard lock(state_->master_key_changes());
  KeyId id = master_key_id();
  return state_->change(
      master_key_record(*state_, principal, "unseal"), id, [&] { return state_->confirm(master_key); },
      [&]() -> Result<> {
        state_->put_master_key(std::make_shared<const MasterKey>(std::move(master_key)));
        return {};
      });
}

Result<> EmbeddedVault::change_master_key(const Principal& principal, const MasterKey& next) {
  const std::lock_guard lock(state_->master_key_changes());
  SIGNET_TRY(const std::shared_ptr<const MasterKey> before, state_->master_key());
  const auto after = std::make_shared<const MasterKey>(next.copy());
  MasterKeyResealer reseal(*before, *after);
  KeyId id = master_key_id();
  const auto commit = [&]() -> Result<> {
    // From the moment of the commit on the store has what the new key has sealed.
    state_->put_master_key(opening_both(*before, after));
    return state_->store().change_master_key(
        {before->check_value(), after->check_value(), after->seal_retired(*before), state_->now()}, reseal);
  };
  Result<> changed = state_->change(
      master_key_record(*state_, principal, "changeMasterKey"), id, []() -> Result<> { return {}; }, commit);
  if (!changed) {
    // A disk that fails may have taken the change all the same. Where that cannot be seen, either opens.
    SIGNET_TRY(const auto check, state_->store().master_key_check());
    if (check != after->check_value()) {
      state_->put_master_key(before);
      return changed;
    }
  }
  state_->put_master_key(opening_both(*after, before));
  std::this_thread::sleep_for(kOverlap);
  state_->put_master_key(after);
  return {};
}

Result<SecretBytes> EmbeddedVault::mac_key(std::string_view purpose) const {
  SIGNET_TRY(const auto master_key, state_->master_key());
  return master_key->mac_key(purpose);
}

}  // namespace signet::vault
