#include "certstore/authority/authority_internal.h"
#include "certstore/authority/ocsp_cache_internal.h"
#include "certstore/vault/provider.h"
#include "certstore/x509/ocsp.h"

/// The OCSP responder. Anybody may ask, as often as he likes, and an answer costs a signature and a record of
/// it: so there are only answers about what was issued, and each serves for hours (RFC 5019).

namespace signet::authority {
namespace {

certstore::OcspAnswer answer_about(const certstore::OcspCertificateId& id, const IssuedCertificate& issued) {
  if (!issued.revoked) return {id, certstore::CertificateStatus::Good, {}, {}};
  return {id, certstore::CertificateStatus::Revoked, issued.revoked->at, issued.reason};
}

PublishedOcsp signed_answer(Bytes der, Time made) {
  return {std::move(der), made, made + OcspCache::kLifetime};
}

PublishedOcsp refusal(certstore::OcspRefusal why) { return {certstore::make_ocsp_refusal(why), {}, {}}; }

/// The issuer that a question means; nothing where it is none of ours.
Result<std::optional<IssuerVersion>> issuer_meant(AuthorityStore& store,
                                                  const certstore::OcspCertificateId& id) {
  SIGNET_TRY(const auto groups, store.groups());
  for (const Group& group : groups) {
    SIGNET_TRY(const auto issuers, store.issuers(group.name));
    for (const IssuerVersion& issuer : issuers)
      if (id.is_of(issuer.certificate)) return std::optional(issuer);
  }
  return std::optional<IssuerVersion>();
}

/// An answer that was made before, of which half the time is left, where the certificate's state is the one
/// that it tells of.
Result<std::optional<PublishedOcsp>> known_answer(AuthorityStore& store, OcspCache& cache,
                                                  const certstore::OcspCertificateId& id, Time now) {
  auto known = cache.find(id.der, now);
  if (!known) return std::nullopt;
  SIGNET_TRY(const auto issued, store.issued(known->group, known->issuer_serial, id.serial));
  if (!issued || issued->revoked.has_value() != known->is_revoked) return std::nullopt;
  return signed_answer(std::move(known->der), known->made);
}

}  // namespace

Result<PublishedOcsp> Authority::answer_ocsp(ByteView request, std::string_view network) {
  const auto asked = certstore::OcspRequest::parse(request);
  if (!asked) return refusal(certstore::OcspRefusal::MalformedRequest);
  // [RFC5019 2.1.1] one question; [RFC5019 2.2.3] unauthorized, where nothing is known
  const PublishedOcsp nothing_known = refusal(certstore::OcspRefusal::Unauthorized);
  if (asked->wanted.size() != 1) return nothing_known;
  const certstore::OcspCertificateId& id = asked->wanted.front();
  const Time now = implementation_->now();
  SIGNET_TRY(auto known, known_answer(implementation_->store(), implementation_->ocsp_cache(), id, now));
  if (known) return *std::move(known);
  SIGNET_TRY(const auto issuer, issuer_meant(implementation_->store(), id));
  if (!issuer) return nothing_known;
  SIGNET_TRY(const auto issued,
             implementation_->store().issued(issuer->group, issuer->certificate.serial(), id.serial));
  if (!issued) return nothing_known;

  if (!implementation_->ocsp_cache().may_sign(network, Throttle::Moment::clock::now()))
    return refusal(certstore::OcspRefusal::TryLater);
  SIGNET_TRY(const Group group, implementation_->store().group(issuer->group));
  SIGNET_TRY(const auto key, implementation_->signing_key(issuer->key, group.issuer.hash));
  certstore::OcspContents contents;
  contents.answers = {answer_about(id, *issued)};
  contents.produced_at = contents.this_update = now;
  contents.next_update = now + OcspCache::kLifetime;
  SIGNET_TRY(Bytes der,
             with_vault_refusal(certstore::make_ocsp_response(key, issuer->certificate, contents)));
  implementation_->ocsp_cache().put(
      id.der, {issuer->group, issuer->certificate.serial(), issued->revoked.has_value(), now, der});
  return signed_answer(std::move(der), now);
}

}  // namespace signet::authority
