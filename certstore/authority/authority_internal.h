#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "certstore/authority/authority.h"
#include "certstore/authority/ocsp_cache_internal.h"
#include "certstore/vault/audit_log.h"
#include "certstore/vault/embedded_vault.h"
#include "certstore/vault/provider.h"
#include "certstore/x509/issue.h"

/// Internal: what all verbs of the certificate service have in common. The verbs themselves are in
/// authority_*.cc, by what they are about.

namespace signet::authority {

/// Who asks for what, as the audit log has it.
struct Verb {
  const Actor& actor;
  Right right = Right::Look;
  std::string_view operation;  ///< "approveRequest"
  std::string object;          ///< "request 3f1c..."
};

class Authority::Implementation {
 public:
  Implementation(AuthorityStore& store, vault::EmbeddedVault& vault, vault::AuditLog& audit,
                 AuditTrail& trail, const Clock& clock)
      : store_(store), vault_(vault), audit_(audit), trail_(trail), clock_(clock) {}

  /// One attempt at a verb: everything that it decides, it decides by what it read since the attempt began.
  class Step {
   public:
    Step(Implementation& service, const Verb& verb)
        : service_(service), verb_(verb), now_(service.clock_.now()) {}
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] const Actor& actor() const { return verb_.actor; }
    [[nodiscard]] Stamp stamp() const { return {verb_.actor.principal, now_}; }
    /// Records what is changed, then changes it. Once in a step.
    ///
    /// @param detail  what was and what will be; never a secret
    Result<> commit(const Change& change, const std::string& detail);
    [[nodiscard]] bool was_overtaken() const { return was_overtaken_; }

   private:
    Implementation& service_;
    const Verb& verb_;
    Time now_;
    bool was_overtaken_ = false;
  };

  /// A verb that changes something. Where somebody else was faster, `work` reads and decides anew.
  template <class Work>
  std::invoke_result_t<Work, Step&> perform(const Verb& verb, Work work) {
    SIGNET_CHECK(admit(verb));
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
      Step step(*this, verb);
      auto result = work(step);
      if (!result) SIGNET_CHECK(record(verb, result_of(result.error()), result.error().detail));
      if (result || !step.was_overtaken()) return result;
    }
    return fail(ErrorKind::Unavailable,
                fmt::format("{} is changed by others all the time: try again", verb.object));
  }

  /// Whether the actor may do it. A denial is recorded.
  Result<> admit(const Verb& verb);
  Result<> record(const Verb& verb, vault::AuditResult result, const std::string& detail);

  // ---- Issuers.

  /// @error AlreadyExists  the group has none.
  Result<IssuerVersion> active_issuer(const std::string& group);
  /// @error NotFound
  Result<IssuerVersion> issuer(std::string_view group, std::string_view serial);
  /// The issuer's key in the vault, in the name of the service.
  Result<certstore::SigningKey> signing_key(const vault::KeyId& key, Hash hash);
  /// A list for an issuer, to come after `before`, with all that was revoked so far and what is revoked now.
  Result<PublishedCrl> make_crl(const Group& group, const IssuerVersion& issuer,
                                const std::optional<PublishedCrl>& before,
                                const std::vector<IssuedCertificate>& revoked_now, Time now);

  // ---- What lies in the vault for a request.

  Result<vault::SecretId> keep_secret(const Group& group, const std::string& name, const SecretBytes& value);
  Result<SecretBytes> secret(const vault::SecretId& id);
  /// Destroys it for good. What cannot be destroyed now is destroyed later: keep_up() finds it.
  void destroy(const std::optional<vault::SecretId>& id);

  AuthorityStore& store() { return store_; }
  vault::EmbeddedVault& vault() { return vault_; }
  AuditTrail& trail() { return trail_; }
  OcspCache& ocsp_cache() { return ocsp_cache_; }
  [[nodiscard]] Time now() const { return clock_.now(); }

 private:
  static constexpr int kMostAttempts = 8;
  static vault::AuditResult result_of(const Error& error);

  AuthorityStore& store_;
  vault::EmbeddedVault& vault_;
  vault::AuditLog& audit_;
  AuditTrail& trail_;
  const Clock& clock_;
  OcspCache ocsp_cache_;
};

/// What was made by a key of the vault; else why the vault refused, where it did.
template <class T>
Result<T> with_vault_refusal(Result<T> made) {
  auto refused = vault::take_vault_refusal();
  if (made || !refused) return made;
  return fail(*std::move(refused));
}

/// The content type of what lies in vaults for requests, by which it is known.
inline constexpr std::string_view kRequestSecret = "certificate request";
inline std::string password_name(const std::string& request) { return "request-" + request + "-password"; }
inline std::string key_file_name(const std::string& request) { return "request-" + request + "-key"; }
/// The key of a group's issuers in its vault.
inline std::string issuer_key_name(const std::string& group) {
  return std::string(vault::kIssuerKeyPrefix) + group;
}

/// An RSA key of 2048, 3072 or 4096 bits.
vault::KeyKind key_kind(int bits);

/// @error PermissionDenied  the actor is one of those whose work it decides about.
Result<> check_is_another(const Actor& actor, const Stamp& one, std::string_view did);
/// The same for whoever wanted a certificate: who submitted the request, and who had it submitted for a
/// vault.
Result<> check_did_not_ask(const Actor& actor, const Request& request);
/// What is there still could not be destroyed where the vault keeps all that is deleted.
///
/// @error Unsupported
Result<> check_can_destroy(vault::EmbeddedVault& vault, const Group& group);
/// "request 3f1c...", "application 3f1c...", "group Plant7", with what came from a stranger made fit to be
/// read.
std::string object_name(std::string_view kind, std::string_view id);
/// @error InvalidInput  1 to 500 octets of printable text are wanted.
Result<std::string> checked_reason(std::string_view reason);
/// @error AlreadyExists  says the state, and those in which `verb` can be done.
template <class State>
Error wrong_state(std::string_view object, State state, std::string_view verb, std::string_view wanted) {
  return Error{ErrorKind::AlreadyExists, fmt::format("{} is in the state {}: only one that is {} can be {}",
                                                     object, to_string(state), wanted, verb)};
}

}  // namespace signet::authority
