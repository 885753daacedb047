#include "certstore/authority/authority.h"

#include "base/log.h"
#include "certstore/authority/authority_internal.h"
#include "certstore/authority/limits_internal.h"
#include "certstore/vault/provider.h"

namespace signet::authority {

Authority::Authority(AuthorityStore& store, vault::EmbeddedVault& vault, vault::AuditLog& audit,
                     AuditTrail& trail, const Clock& clock)
    : implementation_(std::make_unique<Implementation>(store, vault, audit, trail, clock)) {}
Authority::~Authority() = default;

Result<AuditPage> Authority::audit(const Actor& actor, const AuditQuery& query) {
  const Verb verb{actor, Right::Audit, "readAudit", "audit log"};
  SIGNET_CHECK(implementation_->admit(verb));
  SIGNET_CHECK(check_page({.size = query.size}));
  SIGNET_TRY(AuditPage page, implementation_->trail().find(query));
  SIGNET_CHECK(
      implementation_->record(verb, vault::AuditResult::Success,
                              fmt::format("{} records after line {}", page.entries.size(), query.after)));
  return page;
}

// ---- What all verbs have in common.

Result<> Authority::Implementation::Step::commit(const Change& change, const std::string& detail) {
  SIGNET_CHECK(service_.record(verb_, vault::AuditResult::Success, detail));
  SIGNET_TRY(const bool is_done, service_.store_.commit(change));
  if (is_done) return {};
  was_overtaken_ = true;
  return fail(ErrorKind::Unavailable, "somebody else changed it meanwhile");
}

Result<> Authority::Implementation::admit(const Verb& verb) {
  auto allowed = check_right(verb.actor, verb.right, verb.operation);
  if (!allowed) SIGNET_CHECK(record(verb, vault::AuditResult::Denied, allowed.error().detail));
  return allowed;
}

Result<> Authority::Implementation::record(const Verb& verb, vault::AuditResult result,
                                           const std::string& detail) {
  vault::AuditRecord record;
  record.time = clock_.now();
  record.principal = verb.actor.principal;
  record.operation = verb.operation;
  record.object = vault::AuditObject::Call;
  record.key.name = verb.object;
  record.message = vault::audited_message();
  record.result = result;
  record.detail = detail;
  Result<> written = audit_.append(record);
  if (written) return {};
  return fail(std::move(written.error())
                  .within(fmt::format("{} of {} was not done, because its audit record cannot be written",
                                      verb.operation, verb.object)));
}

vault::AuditResult Authority::Implementation::result_of(const Error& error) {
  const bool denied = error.kind == ErrorKind::PermissionDenied || error.kind == ErrorKind::Disabled;
  return denied ? vault::AuditResult::Denied : vault::AuditResult::Failed;
}

// ---- Issuers.

Result<IssuerVersion> Authority::Implementation::active_issuer(const std::string& group) {
  SIGNET_TRY(const auto issuers, store_.issuers(group));
  for (const IssuerVersion& version : issuers)
    if (version.active) return version;
  return fail(ErrorKind::AlreadyExists,
              fmt::format("group '{}' has no issuer yet: make one, which takes an Administrator", group));
}

Result<IssuerVersion> Authority::Implementation::issuer(std::string_view group, std::string_view serial) {
  SIGNET_TRY(const auto issuers, store_.issuers(group));
  for (const IssuerVersion& version : issuers)
    if (equal_ignoring_case(version.certificate.serial(), serial)) return version;
  return fail(ErrorKind::NotFound,
              fmt::format("group '{}' has no issuer whose certificate has the number '{}'", printable(group),
                          printable(serial)));
}

Result<certstore::SigningKey> Authority::Implementation::signing_key(const vault::KeyId& key, Hash hash) {
  const vault::Principal self = vault::Principal::authority();
  SIGNET_TRY(const vault::KeyInfo info, vault_.get(self, key));
  certstore::SigningKey signing;
  SIGNET_TRY(signing.key, vault::open_key(vault_, self, info.id));
  signing.public_key = info.public_key;
  signing.hash = hash;
  return signing;
}

// ---- What lies in the vault for a request.

Result<vault::SecretId> Authority::Implementation::keep_secret(const Group& group, const std::string& name,
                                                               const SecretBytes& value) {
  vault::SecretSettings settings;
  settings.content_type = kRequestSecret;
  SIGNET_TRY(const vault::SecretInfo info,
             vault_.set_secret(vault::Principal::authority(), group.key_vault, name, value, settings));
  return info.id;
}

Result<SecretBytes> Authority::Implementation::secret(const vault::SecretId& id) {
  SIGNET_TRY(vault::Secret secret, vault_.get_secret(vault::Principal::authority(), id));
  return std::move(secret.value);
}

void Authority::Implementation::destroy(const std::optional<vault::SecretId>& id) {
  if (!id) return;
  const vault::Principal self = vault::Principal::authority();
  if (const auto deleted = vault_.delete_secret(self, id->vault, id->name); !deleted) {
    log::warning("request-secret-not-deleted",
                 {{"secret", to_string(*id)}, {"reason", deleted.error().detail}});
    return;
  }
  if (const auto purged = vault_.purge_secret(self, id->vault, id->name); !purged)
    log::warning("request-secret-not-purged",
                 {{"secret", to_string(*id)}, {"reason", purged.error().detail}});
}

// ---- Words.

vault::KeyKind key_kind(int bits) {
  if (bits == 2048) return vault::KeyKind::Rsa2048;
  return bits == 3072 ? vault::KeyKind::Rsa3072 : vault::KeyKind::Rsa4096;
}

Result<> check_is_another(const Actor& actor, const Stamp& one, std::string_view did) {
  if (!equal_ignoring_case(actor.principal, one.by)) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("principal '{}' {} itself: somebody else has to decide about it", actor.principal, did));
}

Result<> check_did_not_ask(const Actor& actor, const Request& request) {
  SIGNET_CHECK(check_is_another(actor, request.submitted, "made this request"));
  if (request.ordered_by.empty()) return {};
  return check_is_another(actor, {request.ordered_by, {}}, "ordered this certificate for a vault");
}

std::string object_name(std::string_view kind, std::string_view id) {
  return fmt::format("{} {}", kind, printable(id, 64));
}

Result<std::string> checked_reason(std::string_view reason) {
  constexpr std::size_t kLongestReason = 500;
  const std::string_view text = trim(reason);
  if (!text.empty() && text.size() <= kLongestReason && printable_name(text, kLongestReason) == text)
    return std::string(text);
  return fail(ErrorKind::InvalidInput, fmt::format("a reason of 1 to {} printable octets is wanted, not '{}'",
                                                   kLongestReason, printable_name(text)));
}

}  // namespace signet::authority
