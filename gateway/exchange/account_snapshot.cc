#include "gateway/exchange/account_snapshot.h"

#include <fmt/format.h>

#include <utility>

#include "certstore/x509/issuers.h"

namespace signet::gateway {

AccountSnapshot::AccountSnapshot(std::shared_ptr<const agreements::AgreementDirectory> directory,
                                 OpenKey open_key, GetSecret get_secret)
    : directory_(std::move(directory)),
      entries_(directory_->account()),
      open_key_(std::move(open_key)),
      get_secret_(std::move(get_secret)) {}

Result<std::shared_ptr<const AccountSnapshot>> AccountSnapshot::build(agreements::Account account,
                                                                      OpenKey open_key,
                                                                      GetSecret get_secret) {
  SIGNET_TRY(auto directory, agreements::AgreementDirectory::build(std::move(account)));
  return std::shared_ptr<const AccountSnapshot>(
      new AccountSnapshot(std::move(directory), std::move(open_key), std::move(get_secret)));
}

Result<certstore::Certificate> AccountSnapshot::certificate(const std::string& name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = parsed_.find(name); found != parsed_.end()) return found->second;
  }
  SIGNET_TRY(certstore::Certificate parsed, parse(name));
  const std::lock_guard lock(mutex_);
  return parsed_.emplace(name, std::move(parsed)).first->second;
}

Result<Time> AccountSnapshot::not_after(const std::string& name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = ends_.find(name); found != ends_.end()) return found->second;
  }
  SIGNET_TRY(const certstore::Certificate parsed, parse(name));
  const std::lock_guard lock(mutex_);
  return ends_.emplace(name, parsed.not_after()).first->second;
}

Result<certstore::Certificate> AccountSnapshot::parse(const std::string& name) const {
  const agreements::CertificateEntry* entry = entries_.find_certificate(name);
  if (entry == nullptr)
    return fail(ErrorKind::NotFound, fmt::format("the integration account has no certificate '{}'", name));
  auto parsed = certstore::Certificate::parse(entry->public_certificate);
  if (!parsed) return fail(std::move(parsed).error().within(fmt::format("certificate '{}'", name)));
  return parsed;
}

Result<certstore::PrivateCertificate> AccountSnapshot::private_certificate(const std::string& name) const {
  SIGNET_TRY(certstore::Certificate parsed, certificate(name));
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = opened_.find(name); found != opened_.end())
      return certstore::PrivateCertificate{std::move(parsed), found->second};
  }
  const auto& key = entries_.find_certificate(name)->key;
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

Result<std::vector<certstore::Certificate>> AccountSnapshot::issuers_of(const std::string& name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = issuers_.find(name); found != issuers_.end()) return found->second;
  }
  SIGNET_TRY(const certstore::Certificate subject, certificate(name));
  std::vector<certstore::Certificate> known;
  if (!subject.self_signed())  // the usual case needs no look at the others
    for (const agreements::CertificateEntry& entry : account().certificates)
      if (!entry.key)
        if (auto parsed = certstore::Certificate::parse(entry.public_certificate))
          known.push_back(*std::move(parsed));
  auto issuers = certstore::issuers_of(subject, known);
  const std::lock_guard lock(mutex_);
  return issuers_.emplace(name, std::move(issuers)).first->second;
}

Result<SecretBytes> AccountSnapshot::password(const agreements::BasicAuthentication& credentials) const {
  auto secret = get_secret_(credentials.key_vault, credentials.secret_name);
  if (!secret)
    return fail(std::move(secret).error().within(
        fmt::format("the password of '{}'", printable(credentials.user_name))));
  return secret;
}

}  // namespace signet::gateway
