#include "gateway/exchange/account_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "certstore/x509/host_name.h"
#include "certstore/x509/issuers.h"

namespace signet::gateway {

std::vector<certstore::Certificate> public_authorities(const agreements::Account& account) {
  std::vector<certstore::Certificate> authorities;
  for (const agreements::CertificateEntry& entry : account.certificates)
    if (!entry.key)
      if (auto parsed = certstore::Certificate::parse(entry.public_certificate);
          parsed && certstore::is_authority(*parsed))
        authorities.push_back(*std::move(parsed));
  return authorities;
}

AccountSnapshot::AccountSnapshot(std::shared_ptr<const agreements::AgreementDirectory> directory,
                                 OpenKey open_key, GetSecret get_secret, ServiceCertificates services)
    : directory_(std::move(directory)),
      entries_(directory_->account()),
      open_key_(std::move(open_key)),
      get_secret_(std::move(get_secret)),
      services_(std::move(services)) {
  for (const BoundCertificate& bound : services_.bound)
    if (bound.for_listeners_only)
      if (const auto own = certstore::Certificate::parse(bound.entry.public_certificate))
        keys_of_listeners_.emplace(certstore::key_thumbprint(own->public_key()), bound.entry.name);
}

Result<std::shared_ptr<const AccountSnapshot>> AccountSnapshot::build(agreements::Account account,
                                                                      OpenKey open_key, GetSecret get_secret,
                                                                      ServiceCertificates services) {
  SIGNET_TRY(auto directory,
             agreements::AgreementDirectory::build(with_service_certificates(std::move(account), services)));
  return std::shared_ptr<const AccountSnapshot>(new AccountSnapshot(
      std::move(directory), std::move(open_key), std::move(get_secret), std::move(services)));
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

std::optional<certstore::Certificate> AccountSnapshot::find_certificate(std::string_view thumbprint) const {
  const auto parse_if_it =
      [&](const agreements::CertificateEntry& entry) -> std::optional<certstore::Certificate> {
    if (hex_upper(digest(Hash::Sha256, entry.public_certificate)) != thumbprint) return std::nullopt;
    auto parsed = certstore::Certificate::parse(entry.public_certificate);
    return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
  };
  for (const agreements::CertificateEntry& entry : account().certificates)
    if (auto found = parse_if_it(entry)) return found;
  for (const BoundCertificate& bound : services_.bound)
    for (const agreements::CertificateEntry& entry : bound.earlier)
      if (auto found = parse_if_it(entry)) return found;
  return std::nullopt;
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
  if (const auto broken = services_.broken.find(name); broken != services_.broken.end())
    return fail(ErrorKind::NotFound,
                fmt::format("the binding of the service certificate '{}': {}", name, broken->second));
  if (entry == nullptr)
    return fail(ErrorKind::NotFound,
                fmt::format("the integration account has no certificate '{}', and no service certificate is "
                            "bound under this name",
                            name));
  auto parsed = certstore::Certificate::parse(entry->public_certificate);
  if (!parsed) return fail(std::move(parsed).error().within(fmt::format("certificate '{}'", name)));
  return parsed;
}

Result<> AccountSnapshot::check_for_messages(const std::string& name,
                                             const certstore::Certificate& certificate) const {
  if (keys_of_listeners_.empty()) return {};
  const auto found = keys_of_listeners_.find(certstore::key_thumbprint(certificate.public_key()));
  if (found == keys_of_listeners_.end()) return {};
  return fail(ErrorKind::PermissionDenied,
              fmt::format("certificate '{}' has the key of the service certificate '{}', which is elevated: "
                          "for listeners alone, and not for messages",
                          name, found->second));
}

Result<certstore::PrivateCertificate> AccountSnapshot::private_certificate(const std::string& name) const {
  SIGNET_TRY(const certstore::Certificate parsed, certificate(name));
  SIGNET_CHECK(check_for_messages(name, parsed));
  return listener_certificate(name);
}

const BoundCertificate* AccountSnapshot::bound(const std::string& name) const {
  const auto found = std::find_if(services_.bound.begin(), services_.bound.end(),
                                  [&](const BoundCertificate& one) { return one.entry.name == name; });
  return found == services_.bound.end() ? nullptr : &*found;
}

std::vector<Result<certstore::PrivateCertificate>> AccountSnapshot::decrypting_certificates(
    const std::string& name) const {
  std::vector<Result<certstore::PrivateCertificate>> all;
  all.push_back(private_certificate(name));
  if (const BoundCertificate* service = bound(name))
    for (const agreements::CertificateEntry& entry : service->earlier)
      all.push_back(open_earlier(name, entry));
  return all;
}

/// Its handle is kept under a name that no certificate can have.
Result<certstore::PrivateCertificate> AccountSnapshot::open_earlier(
    const std::string& name, const agreements::CertificateEntry& entry) const {
  SIGNET_TRY(certstore::Certificate parsed, certstore::Certificate::parse(entry.public_certificate));
  SIGNET_CHECK(check_for_messages(name, parsed));
  const std::string kept = "earlier:" + parsed.thumbprint_sha256();
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = opened_.find(kept); found != opened_.end())
      return certstore::PrivateCertificate{std::move(parsed), found->second};
  }
  auto handle = open_key_(*entry.key, parsed);
  if (!handle)
    return fail(std::move(handle).error().within(
        fmt::format("the key of what '{}' was bound to before ({})", name, parsed.thumbprint_sha256())));
  const std::lock_guard lock(mutex_);
  return certstore::PrivateCertificate{std::move(parsed),
                                       opened_.emplace(kept, *std::move(handle)).first->second};
}

Result<certstore::PrivateCertificate> AccountSnapshot::listener_certificate(const std::string& name) const {
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
  if (const BoundCertificate* service = bound(name)) known = service->chain;
  if (!subject.self_signed())  // the usual case needs no look at the others
    for (const agreements::CertificateEntry& entry : account().certificates)
      if (!entry.key)
        if (auto parsed = certstore::Certificate::parse(entry.public_certificate))
          known.push_back(*std::move(parsed));
  auto issuers = certstore::issuers_of(subject, known);
  const std::lock_guard lock(mutex_);
  return issuers_.emplace(name, std::move(issuers)).first->second;
}

const std::vector<certstore::Certificate>& AccountSnapshot::authorities() const {
  std::call_once(authorities_parsed_, [this] { authorities_ = public_authorities(account()); });
  return authorities_;
}

Result<SecretBytes> AccountSnapshot::password(const agreements::BasicAuthentication& credentials) const {
  auto secret = get_secret_(credentials.key_vault, credentials.secret_name);
  if (!secret)
    return fail(std::move(secret).error().within(
        fmt::format("the password of '{}'", printable(credentials.user_name))));
  return secret;
}

}  // namespace signet::gateway
