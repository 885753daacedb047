#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "certstore/authority/application.h"
#include "certstore/authority/audit_trail.h"
#include "certstore/authority/authority_store.h"
#include "certstore/authority/group.h"
#include "certstore/authority/request.h"

/// The certificate service: groups with issuers of their own, applications, requests, approval by somebody
/// else, revocation lists.

namespace signet::vault {
class AuditLog;
class EmbeddedVault;
}  // namespace signet::vault

namespace signet::authority {

/// The certificate service. Thread-safe, and several processes may share one store. In memory are answers of
/// the OCSP responder alone.
///
/// Each verb asks first whether the actor's roles allow it, then whether what it is about is in a state in
/// which it can be done, then does it; its record is in the audit log before it takes effect. Denials are
/// recorded too. Issuers' keys are used in the name of the principal `authority` of their vaults.
///
/// Errors of every verb:
/// @error PermissionDenied  the actor's roles do not allow it; or it decides about what it submitted, or
///                          edited last, itself. Says which.
/// @error AlreadyExists     a state in which it cannot be done, or a name that is taken: says the state.
/// @error NotFound          no such group, application, request or issuer.
/// @error InvalidInput      says what was expected, what came and where.
/// @error Unavailable       the vault is sealed; or others change the same thing all the time.
/// @error Disabled, ...     what the vault, the store or the audit log says. Nothing was changed.
class Authority {
 public:
  /// All are borrowed, and must outlive the service. The four of them are those of one home.
  Authority(AuthorityStore& store, vault::EmbeddedVault& vault, vault::AuditLog& audit, AuditTrail& trail,
            const Clock& clock);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // ---- Groups.

  /// By name. Right: Look.
  Result<std::vector<Group>> groups(const Actor& actor);
  Result<Group> group(const Actor& actor, std::string_view name);
  /// Lets the service into the group's vault, where it is not in already. Stamps and revision are not looked
  /// at. Right: Administrate.
  Result<Group> create_group(const Actor& actor, const Group& group);
  /// Replaces what can change of the group of that name. Stamps are not looked at.
  ///
  /// @param group  of the revision that was read, or 0 for whatever is there
  /// @error AlreadyExists  the revision is not the one of now.
  Result<Group> change_group(const Actor& actor, const Group& group);

  // ---- Issuers. There is no way to delete one.

  /// A new key in the vault, a self-signed certificate, an empty revocation list; active at once. What was
  /// active before stays addressable, and its CRL is kept up. Right: Administrate.
  Result<IssuerVersion> create_issuer(const Actor& actor, std::string_view group);
  /// A new key in the vault and a request for it, for an authority elsewhere, in place of one that waited.
  /// Right: Administrate.
  Result<IssuerRequest> request_issuer(const Actor& actor, std::string_view group);
  /// Nothing where nothing waits. Right: Look.
  Result<std::optional<IssuerRequest>> issuer_request(const Actor& actor, std::string_view group);
  /// Takes that authority's answer: the certificate for the key that waits, then those above it, up to a
  /// self-signed one. Makes an empty revocation list, and the issuer active. Right: Administrate.
  Result<IssuerVersion> install_issuer(const Actor& actor, std::string_view group,
                                       const std::vector<Certificate>& chain);
  /// The newest first. Right: Look.
  Result<std::vector<IssuerVersion>> issuers(const Actor& actor, std::string_view group);
  /// Right: Look.
  Result<TrustList> trust_list(const Actor& actor, std::string_view group);

  // ---- Applications.

  /// Makes a new one, which waits for an approval. Right: Write.
  Result<Application> register_application(const Actor& actor, const ApplicationDescription& description);
  /// Replaces what is said of it, and makes the actor its last editor. Its kind never changes. What an
  /// approved one becomes has to be approved anew. Not once it is rejected or unregistered. Right: Write.
  ///
  /// @param revision  that was read, or 0 for whatever is there
  Result<Application> change_application(const Actor& actor, std::string_view id,
                                         const ApplicationDescription& description,
                                         std::int64_t revision = 0);
  /// By another than who registered it and who edited it last. Right: Administrate.
  Result<Application> approve_application(const Actor& actor, std::string_view id);
  Result<Application> reject_application(const Actor& actor, std::string_view id, std::string_view reason);
  /// Ends it: its requests that are not issued are removed; what was issued waits to be revoked, and its
  /// private keys are destroyed. Right: Write.
  Result<Application> unregister_application(const Actor& actor, std::string_view id);
  /// Removes the record of one that is unregistered. Right: Administrate.
  Result<> remove_application(const Actor& actor, std::string_view id);
  /// Right: Look.
  Result<Application> application(const Actor& actor, std::string_view id);
  /// @error InvalidInput  a pattern of the filter that is none.
  Result<Page<Application>> applications(const Actor& actor, const ApplicationFilter& filter,
                                         const PageRequest& page);

  // ---- Requests. The application has to be approved when one is made, and still when it is approved.

  /// The key is made when it is approved. Right: Write.
  Result<Request> request_key_pair(const Actor& actor, const KeyPairOrder& order);
  /// Signature, key and names of the request are looked at now, and again at the approval. Right: Write.
  Result<Request> request_signing(const Actor& actor, const SigningOrder& order);
  /// Issues the certificate. Where that cannot be done for a reason that stays, the request has Failed, which
  /// is no error of this call. By another than its requester and the application's last editor.
  /// Right: Approve.
  Result<Request> approve_request(const Actor& actor, std::string_view id);
  /// The same persons may. Right: Approve.
  Result<Request> reject_request(const Actor& actor, std::string_view id, std::string_view reason);
  /// The certificate has arrived: the private key is destroyed here. Right: Write.
  Result<Request> accept_request(const Actor& actor, std::string_view id);
  /// Removes one without a certificate, and all that it held. Right: Administrate, or Write for the actor's
  /// own.
  Result<Request> remove_request(const Actor& actor, std::string_view id);
  /// Removes the record of one that is Rejected, Failed, Removed or Revoked; what was issued stays known.
  /// Right: Administrate.
  Result<> purge_request(const Actor& actor, std::string_view id);
  /// Right: Look.
  Result<Request> request(const Actor& actor, std::string_view id);
  Result<Page<Request>> requests(const Actor& actor, const RequestFilter& filter, const PageRequest& page);
  /// Those for the same PKCS#10 request, DER, whatever became of them: the newest first, at most 100. Right:
  /// Look.
  Result<std::vector<Request>> requests_for(const Actor& actor, const SigningOrder& order);
  /// What was issued, for the application that the caller names. Right: Write.
  ///
  /// @error AlreadyExists  it is neither Approved nor Accepted.
  Result<FetchedCertificate> fetch(const Actor& actor, std::string_view id, std::string_view application);

  // ---- Revocation. A certificate is revoked when, and only when, the CRL of its issuer says so.

  /// Has the next batch revoke it, and destroys its private key here. Right: Write.
  Result<Request> request_revocation(const Actor& actor, std::string_view id, RevocationReason reason);
  /// Right: Approve.
  Result<Request> revoke(const Actor& actor, std::string_view id, RevocationReason reason);
  /// Revokes what waits for that in a group, with one new CRL for each issuer that is concerned, of all of
  /// the group's issuers or of the active one only. Right: Approve.
  ///
  /// @returns what was revoked.
  Result<std::vector<Request>> revoke_group(const Actor& actor, std::string_view group, bool all_issuers);
  /// A new CRL for an issuer, though nothing was revoked. Right: ReissueCrl.
  Result<PublishedCrl> reissue_crl(const Actor& actor, std::string_view group,
                                   std::string_view issuer_serial);
  /// Every certificate that a group issued in that time; of all groups when that is empty. Right: Look.
  Result<std::vector<IssuedCertificate>> issued_between(const Actor& actor, std::string_view group, Time from,
                                                        Time until);

  // ---- The audit log. Right: Audit.

  /// The query is recorded, too.
  Result<AuditPage> audit(const Actor& actor, const AuditQuery& query);

  // ---- What everybody may have, known or not: nothing of it is recorded.

  /// The issuer's certificate. @error NotFound
  Result<Certificate> published_issuer(std::string_view group, std::string_view issuer_serial);
  /// The current CRL. @error NotFound
  Result<PublishedCrl> published_crl(std::string_view group, std::string_view issuer_serial);
  /// The OCSP response (in the profile of RFC 5019) to a request, DER; signed by the issuer, without the
  /// request's nonce, since it serves for hours and for everybody. What is wrong with a request, or was never
  /// issued here, is said in an unsigned response, which is no error.
  ///
  /// @param network  of whoever asks: signatures for each are bounded, and for all together
  /// @error  of our own side alone: answer those with certstore::OcspRefusal::TryLater.
  Result<PublishedOcsp> answer_ocsp(ByteView request, std::string_view network);

  // ---- What the gateway does by itself, in its own name.

  /// A request of a vault of this installation, for a certificate of its own. Where its group says so, and it
  /// names nothing but its application and that one's hosts, the service approves it itself; else it waits
  /// for an Approver, who is not the one who ordered it. The same one a second time is the first one's
  /// request, while that is New or Approved.
  Result<Request> request_for_vault(const SigningOrder& order);
  /// That first one. Nothing where there is none.
  Result<std::optional<Request>> find_for_vault(const SigningOrder& order);
  /// How such a request is getting on; an approved one is taken, and Accepted.
  Result<FetchedCertificate> take_for_vault(std::string_view id);
  Result<> cancel_for_vault(std::string_view id);
  /// Revokes a certificate of a vault where its group says so; else asks an Approver to.
  ///
  /// @returns whether it is revoked now.
  Result<bool> revoke_for_vault(std::string_view group, const Certificate& certificate,
                                RevocationReason reason);

  /// Makes every CRL anew of which half the time is over, of issuers that are valid still, and destroys in
  /// the vaults what a request left behind that was cut short. To be called every few minutes. One that fails
  /// does not stop the others.
  ///
  /// @returns how many CRLs were made. @error  the first failure, after all were tried.
  Result<std::size_t> keep_up();

  class Implementation;  ///< of this module's own files

 private:
  const std::unique_ptr<Implementation> implementation_;
};

}  // namespace signet::authority
