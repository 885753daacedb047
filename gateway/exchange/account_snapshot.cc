#include "gateway/exchange/account_snapshot.h"

#include <fmt/format.h>

#include <utility>

namespace signet::gateway {

AccountSnapshot::AccountSnapshot(agreements::Account account, OpenKey open_key, GetSecret get_secret)
    : account_(std::move(account)), open_key_(std::move(open_key)), get_secret_(std::move(get_secret)) {
  for (const auto& entry : account_.certificates) entries_.emplace(entry.name, &entry);
}

Result<std::shared_ptr<const AccountSnapshot>> AccountSnapshot::build(agreements::Account account,
                                                                      OpenKey open_key,
                                                                      GetSecret get_secret) {
  std::shared_ptr<AccountSnapshot> snapshot(
      new AccountSnapshot(std::move(account), std::move(open_key), std::move(get_secret)));
  SIGNET_TRY(snapshot->directory_, agreements::AgreementDirectory::build(snapshot->account_));
  return snapshot;
}

Result<certstore::Certificate> AccountSnapshot::certificate(const std::string& name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = parsed_.find(name); found != parsed_.end()) return found->second;
  }
  const auto entry = entries_.find(name);
  if (entry == entries_.end())
    return fail(ErrorKind::NotFound, fmt::format("the integration account has no certificate '{}'", name));
  auto parsed = certstore::Certificate::parse(entry->second->public_certificate);
  if (!parsed) return fail(std::move(parsed).error().within(fmt::format("certificate '{}'", name)));
  const std::lock_guard lock(mutex_);
  return parsed_.emplace(name, *std::move(parsed)).first->second;
}

Result<certstore::PrivateCertificate> AccountSnapshot::private_certificate(const std::string& name) const {
  SIGNET_TRY(certstore::Certificate parsed, certificate(name));
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = opened_.find(name); found != opened_.end())
      return certstore::PrivateCertificate{std::move(parsed), found->second};
  }
  const auto& key = entries_.find(name)->second->key;
  if (!key)
    return fail(
        ErrorKind::NotFound,
        fmt::format("certificate '{}' has no key in a vault, so it can neither sign nor decrypt", name));
  auto handle = open_key_(*key, parsed);
  if (!handle)
    return fail(std::move(handle).error().within(fmt::format("the key of certificate '{}'", name)));
  const std::lock_guard lock(mutex_);
  return certstore::PrivateCertificate{std::move(parsed),
                                       opened_.emplace(name, *std::move(handle)).first->second};
}

Result<SecretBytes> AccountSnapshot::password(const agreements::BasicAuthentication& credentials) const {
  auto secret = get_secret_(credentials.key_vault, credentials.secret_name);
  if (!secret)
    return fail(std::move(secret).error().within(
        fmt::format("the password of '{}'", printable(credentials.user_name))));
  return secret;
}

}  // namespace signet::gateway
