#include "gateway/api/principals.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/random.h"

namespace signet::gateway::api {
namespace {

constexpr std::string_view kTokenPrefix = "sgt_";  ///< by which scanners for leaked secrets know it
constexpr std::size_t kTokenOctets = 32;

std::string describe(const Principal& principal) {
  return fmt::format("roles='{}' enabled={} jwt_subject='{}'", to_string(principal.roles), principal.enabled,
                     principal.jwt_subject);
}

}  // namespace

Bytes token_hash(std::string_view token) { return digest(Hash::Sha256, as_bytes(token)); }

template <class Change>
Result<> Principals::recorded(const vault::Principal& by, std::string_view operation, std::string_view name,
                              std::string detail, Change change) {
  vault::AuditRecord record;
  record.time = clock_.now();
  record.principal = by.name;
  record.operation = operation;
  record.object = vault::AuditObject::Principal;
  record.key.name = name;
  record.message = vault::audited_message();
  record.result = vault::AuditResult::Success;
  record.detail = std::move(detail);
  SIGNET_CHECK(audit_.append(record));
  const Result<> changed = change();
  if (changed) return {};
  record.result = vault::AuditResult::Failed;
  record.detail = changed.error().detail;
  static_cast<void>(audit_.append(record));  // the change's own record is there
  return changed;
}

Result<Principal> Principals::add(const vault::Principal& by, std::string_view name, Roles roles,
                                  std::string_view jwt_subject) {
  SIGNET_CHECK(check_principal_name(name));
  SIGNET_CHECK(check_jwt_subject(jwt_subject));
  Principal principal{random_guid(), std::string(name), roles, true, clock_.now(), std::string(jwt_subject)};
  SIGNET_CHECK(
      recorded(by, "addPrincipal", name, describe(principal), [&] { return store_.add(principal); }));
  return principal;
}

Result<Principal> Principals::change(const vault::Principal& by, std::string_view name,
                                     const PrincipalChange& change) {
  SIGNET_TRY(Principal principal, store_.find(name));
  principal.roles = change.roles.value_or(principal.roles);
  principal.enabled = change.enabled.value_or(principal.enabled);
  principal.jwt_subject = change.jwt_subject.value_or(principal.jwt_subject);
  SIGNET_CHECK(check_jwt_subject(principal.jwt_subject));
  SIGNET_CHECK(recorded(by, "changePrincipal", principal.name, describe(principal),
                        [&] { return store_.update(principal); }));
  return principal;
}

Result<> Principals::remove(const vault::Principal& by, std::string_view name) {
  SIGNET_TRY(const Principal principal, store_.find(name));
  return recorded(by, "removePrincipal", principal.name, {}, [&] { return store_.remove(principal.name); });
}

Result<NewToken> Principals::create_token(const vault::Principal& by, std::string_view principal,
                                          Time expires) {
  const Time now = clock_.now();
  if (expires <= now || expires - now > kLongestTokenLife)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a token lasts for up to {} days from now on, and {} is not within them",
                            kLongestTokenLife.count(), to_rfc3339(expires)));
  SIGNET_TRY(const Principal holder, store_.find(principal));
  NewToken made{{random_id(), holder.name, now, expires},
                std::string(kTokenPrefix) + base64url(random_bytes(kTokenOctets))};
  SIGNET_CHECK(recorded(by, "createToken", holder.name,
                        fmt::format("token={} expires={}", made.info.id, to_rfc3339(expires)), [&] {
                          return store_.add_token({made.info, token_hash(made.token)});
                        }));
  return made;
}

Result<> Principals::revoke_token(const vault::Principal& by, std::string_view id) {
  SIGNET_TRY(const auto all, store_.tokens({}));
  const auto token =
      std::find_if(all.begin(), all.end(), [&](const TokenInfo& known) { return known.id == id; });
  return recorded(by, "revokeToken", token == all.end() ? std::string() : token->principal,
                  fmt::format("token={}", printable(id)), [&] { return store_.remove_token(id); });
}

Result<ManagementCertificate> Principals::add_certificate(const vault::Principal& by,
                                                          std::string_view principal,
                                                          const certstore::Certificate& certificate) {
  SIGNET_TRY(const Principal holder, store_.find(principal));
  SIGNET_CHECK(certstore::check_key_strength(certificate));
  const Time now = clock_.now();
  if (!certificate.valid_at(now))
    return fail(ErrorKind::InvalidInput,
                fmt::format("the certificate of {} is valid from {} to {}, which is not now",
                            printable(certificate.subject()), to_rfc3339(certificate.not_before()),
                            to_rfc3339(certificate.not_after())));
  SIGNET_TRY(const auto known, store_.certificates({}));
  if (known.size() >= kMostCertificates)
    return fail(ErrorKind::InvalidInput,
                fmt::format("there are {} management certificates already, which is as many as there may be: "
                            "remove those that are not used any more",
                            known.size()));
  ManagementCertificate added{certificate.thumbprint_sha256(), holder.name,
                              certificate.subject(),           now,
                              certificate.not_before(),        certificate.not_after()};
  SIGNET_CHECK(recorded(by, "addCertificate", holder.name, "thumbprint=" + added.thumbprint,
                        [&] { return store_.add_certificate(added); }));
  return added;
}

Result<> Principals::remove_certificate(const vault::Principal& by, std::string_view thumbprint) {
  std::string digits;
  for (const char c : thumbprint)
    if (c != ' ' && c != ':') digits += c;
  SIGNET_TRY(const Bytes octets, parse_hex(digits));
  const std::string written = hex_upper(octets);
  SIGNET_TRY(const auto holder, store_.holder_of_certificate(written));
  return recorded(by, "removeCertificate", holder ? holder->name : std::string(), "thumbprint=" + written,
                  [&] { return store_.remove_certificate(written); });
}

}  // namespace signet::gateway::api
