#include "gateway/cli/vault_seal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "gateway/cli/call_record.h"

namespace signet::gateway {
namespace {

/// Beyond this a seal says that something is under way still.
constexpr std::chrono::seconds kPatience{5};
/// After wrong passphrases: doubles with each.
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};

}  // namespace

Result<> VaultSeal::seal() {
  const std::lock_guard lock(mutex_);
  const Result<> sealed = home_.vault().seal(vault::Principal::local_operator(), kPatience);
  log::warning("vault-sealed", {{"reason", sealed ? "as asked for" : sealed.error().detail}});
  return sealed;
}

Result<> VaultSeal::unseal(const SecretBytes& passphrase) {
  const std::lock_guard lock(mutex_);
  if (!home_.vault().is_sealed()) return {};
  SIGNET_TRY(vault::MasterKey master_key, open(passphrase));
  SIGNET_CHECK(home_.vault().unseal(vault::Principal::local_operator(), std::move(master_key)));
  log::info("vault-unsealed");
  return {};
}

Result<vault::MasterKey> VaultSeal::open(const SecretBytes& passphrase) {
  SIGNET_TRY(const MasterKeyFile file, home_.master_key_file());
  SIGNET_CHECK(check_pace());
  auto opened = open_master_key(file, &passphrase);
  if (opened) wrong_ = 0;
  if (!opened && opened.error().kind == ErrorKind::CryptoFailure)
    SIGNET_CHECK(note_wrong_passphrase(opened.error()));
  return opened;
}

/// A guess costs a tenth of a second and 32 MiB.
Result<> VaultSeal::check_pace() const {
  const auto wait = not_before_ - Steady::now();
  if (wait <= Steady::duration(0)) return {};
  return fail(ErrorKind::Unavailable,
              fmt::format("the passphrase was wrong: the next one is looked at in {} s",
                          std::chrono::ceil<std::chrono::seconds>(wait).count()));
}

Result<> VaultSeal::note_wrong_passphrase(const Error& error) {
  const auto pause = std::min(kFirstPause * (1U << std::min(wrong_++, 10U)), kLongestPause);
  not_before_ = Steady::now() + pause;
  log::error("vault-not-unsealed", {{"reason", error.detail}});
  return record_call(home_, {vault::Principal::local_operator().name, "unseal", {{}, "master-key", {}}},
                     vault::AuditResult::Denied, error.detail);
}

Result<> VaultSeal::change_master_key(MasterKeyKind kind, const SecretBytes& passphrase) {
  const std::lock_guard lock(mutex_);
  if (home_.vault().is_sealed()) return fail(ErrorKind::Unavailable, std::string(vault::kSealed));
  SIGNET_TRY(const auto check, home_.master_key_check());
  SIGNET_CHECK(settle_master_key(home_.directory(), check));
  SIGNET_TRY(const vault::MasterKey next, create_next_master_key(home_.directory(), kind, passphrase));
  SIGNET_CHECK(exchange(next));
  log::info("master-key-changed",
            {{"kept_in", kind == MasterKeyKind::KeyFile ? "master.key" : "master.scrypt"}});
  return {};
}

/// The store says whether it was changed, whatever became of the call; the files follow it.
Result<> VaultSeal::exchange(const vault::MasterKey& next) {
  const Result<> changed = home_.vault().change_master_key(vault::Principal::local_operator(), next);
  SIGNET_TRY(const auto check, home_.master_key_check());
  SIGNET_CHECK(settle_master_key(home_.directory(), check));
  return changed;
}

ControlChannel::Handler control_calls(VaultSeal& seal) {
  return [&seal](std::string_view word, const SecretBytes& secret) -> Result<> {
    if (word == kSealCall) return seal.seal();
    if (word == kUnsealCall) return seal.unseal(secret);
    if (word == kToKeyFileCall) return seal.change_master_key(MasterKeyKind::KeyFile, secret);
    if (word == kToPassphraseCall) return seal.change_master_key(MasterKeyKind::Passphrase, secret);
    return fail(ErrorKind::Unsupported,
                fmt::format("this gateway has no call '{}': is it older than the command?", printable(word)));
  };
}

}  // namespace signet::gateway
