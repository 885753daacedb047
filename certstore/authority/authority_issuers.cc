#include <algorithm>

#include "certstore/authority/authority_internal.h"
#include "certstore/vault/calendar_period.h"
#include "certstore/x509/host_name.h"
#include "certstore/x509/issuers.h"
#include "certstore/x509/path.h"

/// Issuers: made here, or certified by an authority elsewhere; and what those need who rely on them.

namespace signet::authority {
namespace {

using certstore::KeyUse;

/// A new version of the group's key.
Result<vault::KeyInfo> make_key(Authority::Implementation& service, const Group& group) {
  vault::KeySettings settings;
  settings.ops = vault::KeyOps{vault::KeyOp::Sign, vault::KeyOp::Verify};
  return service.vault().create_key(vault::Principal::authority(), group.key_vault,
                                    issuer_key_name(group.name), key_kind(group.issuer.key_bits), settings);
}

/// RFC 5280 section 4.2: an authority that issues to no other one.
Result<certstore::CertificateProfile> issuer_profile(const Group& group, Time now) {
  certstore::CertificateProfile profile;
  SIGNET_TRY(profile.subject, certstore::DistinguishedName::parse(group.subject));
  profile.basic_constraints = {true, 0};
  profile.key_uses = {KeyUse::DigitalSignature, KeyUse::KeyCertSign, KeyUse::CrlSign};
  profile.not_before = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);
  profile.not_after = profile.not_before + vault::CalendarPeriod{.months = group.issuer.lifetime_months};
  return profile;
}

/// What makes an issuer the active one of its group: itself, and its empty list, at once.
Result<IssuerVersion> take_up(Authority::Implementation& service, Authority::Implementation::Step& step,
                              const Group& group, IssuerVersion issuer, Change change) {
  issuer.active = true;
  issuer.created = step.stamp();
  SIGNET_TRY(PublishedCrl crl, service.make_crl(group, issuer, std::nullopt, {}, step.now()));
  change.relied_on_groups = {group};
  change.new_issuer = issuer;
  change.crls = {std::move(crl)};
  SIGNET_CHECK(step.commit(
      change, fmt::format("issuer {} '{}', {} to {}, key {}", issuer.certificate.serial(),
                          issuer.certificate.subject(), to_rfc3339(issuer.certificate.not_before()),
                          to_rfc3339(issuer.certificate.not_after()), to_string(issuer.key))));
  return issuer;
}

/// Whether those who trust the chain's end will trust what its beginning issues (RFC 5280 section 6). Lists
/// of those above are theirs to publish, and to be looked at by whoever relies on them.
Result<> check_path_of(const std::vector<Certificate>& chain, const std::vector<Certificate>& between,
                       Time now) {
  certstore::PathQuestion question;
  question.anchors = {chain.back()};
  question.intermediates = between;
  question.time = now;
  question.revocation = certstore::RevocationCheck::None;
  SIGNET_TRY(const certstore::PathVerdict verdict, certstore::check_path(chain.front(), question));
  if (!verdict.trusted())
    return fail(ErrorKind::InvalidInput, "the chain is not to be trusted: " + verdict.text);
  // The path ends at the issuer, and what it issues is one longer.
  for (std::size_t below = 1; below < chain.size(); ++below) {
    const auto constraints = certstore::profile_of(chain[below]).basic_constraints;
    if (constraints.path_length && std::cmp_less(*constraints.path_length, below))
      return fail(
          ErrorKind::InvalidInput,
          fmt::format("the chain is too long: '{}' allows {} authorities below itself, and {} are there",
                      chain[below].subject(), *constraints.path_length, below));
  }
  return {};
}

/// Whether an answer of an authority elsewhere makes an issuer of this group.
Result<> check_chain(const Group& group, const std::vector<Certificate>& chain, const vault::KeyInfo& key,
                     Time now) {
  const auto refused = [](const std::string& why) {
    return fail(ErrorKind::InvalidInput, "the chain " + why);
  };
  if (chain.empty()) return refused("has no certificate: the issuer's own comes first, then those above it");
  const Certificate& own = chain.front();
  if (certstore::key_thumbprint(own.public_key()) != hex_upper(digest(Hash::Sha256, key.public_key)))
    return refused(fmt::format("begins with '{}', which is not for the key that waits", own.subject()));
  SIGNET_TRY(const auto wanted, certstore::DistinguishedName::parse(group.subject));
  if (!(certstore::profile_of(own).subject == wanted))
    return refused(fmt::format("is for '{}', and the group's subject is '{}'", own.subject(), group.subject));
  if (!certstore::is_authority(own) || (own.key_usage().present && !own.key_usage().key_cert_sign))
    return refused("begins with a certificate that is no authority's (basic constraints, keyCertSign)");
  const std::vector<Certificate> above = certstore::issuers_of(own, chain);
  const bool ends_in_root = chain.size() == 1 ? own.self_signed() : chain.back().self_signed();
  // issuers_of() follows the signatures, and leaves the root out
  const std::vector<Certificate> between(chain.begin() + 1, chain.size() > 1 ? chain.end() - 1 : chain.end());
  const Certificate& last = between.empty() ? own : between.back();
  if (above != between || !ends_in_root || !certstore::is_issued_by(last, chain.back()))
    return refused("is to have each certificate's issuer behind it, up to a self-signed one");
  SIGNET_CHECK(check_path_of(chain, between, now));
  return check_key_for(own.key_bits(), own.not_after(), true, "the issuer");
}

}  // namespace

Result<IssuerVersion> Authority::create_issuer(const Actor& actor, std::string_view group) {
  const Verb verb{actor, Right::Administrate, "createIssuer", object_name("group", group)};
  std::optional<vault::KeyInfo> key;  // one, however often the step is tried
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<IssuerVersion> {
    SIGNET_TRY(const Group of, implementation_->store().group(group));
    SIGNET_CHECK(check_group(of, step.now()));
    SIGNET_TRY(const auto profile, issuer_profile(of, step.now()));
    if (!key) {
      SIGNET_TRY(key, make_key(*implementation_, of));
    }
    SIGNET_TRY(const auto signing, implementation_->signing_key(key->id, of.issuer.hash));
    SIGNET_TRY(Certificate certificate,
               with_vault_refusal(certstore::make_self_signed_authority(signing, profile)));
    return take_up(*implementation_, step, of, {of.name, std::move(certificate), {}, key->id}, {});
  });
}

Result<IssuerRequest> Authority::request_issuer(const Actor& actor, std::string_view group) {
  const Verb verb{actor, Right::Administrate, "requestIssuer", object_name("group", group)};
  std::optional<vault::KeyInfo> key;
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<IssuerRequest> {
    SIGNET_TRY(const Group of, implementation_->store().group(group));
    SIGNET_CHECK(check_group(of, step.now()));
    SIGNET_TRY(const auto profile, issuer_profile(of, step.now()));
    if (!key) {
      SIGNET_TRY(key, make_key(*implementation_, of));
    }
    SIGNET_TRY(const auto signing, implementation_->signing_key(key->id, of.issuer.hash));
    SIGNET_TRY(Bytes request, with_vault_refusal(certstore::make_certification_request(signing, profile)));
    const IssuerRequest waiting{of.name, key->id, std::move(request), step.stamp()};
    Change change;
    change.relied_on_groups = {of};
    change.issuer_request = waiting;
    SIGNET_CHECK(step.commit(change, fmt::format("'{}', key {}", of.subject, to_string(key->id))));
    return waiting;
  });
}

Result<std::optional<IssuerRequest>> Authority::issuer_request(const Actor& actor, std::string_view group) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "getIssuerRequest", object_name("group", group)}));
  SIGNET_TRY(const Group of, implementation_->store().group(group));
  return implementation_->store().issuer_request(of.name);
}

Result<IssuerVersion> Authority::install_issuer(const Actor& actor, std::string_view group,
                                                const std::vector<Certificate>& chain) {
  const Verb verb{actor, Right::Administrate, "installIssuer", object_name("group", group)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<IssuerVersion> {
    SIGNET_TRY(const Group of, implementation_->store().group(group));
    SIGNET_TRY(const auto waiting, implementation_->store().issuer_request(of.name));
    if (!waiting)
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("no key of group '{}' waits for a certificate: make an issuer's request first",
                              of.name));
    SIGNET_TRY(const auto key, implementation_->vault().get(vault::Principal::authority(), waiting->key));
    SIGNET_CHECK(check_chain(of, chain, key, step.now()));
    Change change;
    change.settled_issuer_request = waiting;
    return take_up(*implementation_, step, of,
                   {of.name, chain.front(), {chain.begin() + 1, chain.end()}, waiting->key},
                   std::move(change));
  });
}

Result<std::vector<IssuerVersion>> Authority::issuers(const Actor& actor, std::string_view group) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listIssuers", object_name("group", group)}));
  SIGNET_TRY(const Group of, implementation_->store().group(group));
  return implementation_->store().issuers(of.name);
}

Result<TrustList> Authority::trust_list(const Actor& actor, std::string_view group) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "getTrustList", object_name("group", group)}));
  SIGNET_TRY(const Group of, implementation_->store().group(group));
  SIGNET_TRY(auto issuers, implementation_->store().issuers(of.name));
  std::stable_partition(issuers.begin(), issuers.end(),
                        [](const IssuerVersion& issuer) { return issuer.active; });
  TrustList list;
  list.group = of.name;
  for (const IssuerVersion& issuer : issuers) {
    if (issuer.certificate.not_after() < implementation_->now()) continue;
    SIGNET_TRY(PublishedCrl crl, implementation_->store().crl(of.name, issuer.certificate.serial()));
    list.trusted.push_back(issuer.certificate);
    list.crls.push_back(std::move(crl));
    for (const Certificate& above : issuer.chain)
      if (std::find(list.issuers.begin(), list.issuers.end(), above) == list.issuers.end())
        list.issuers.push_back(above);
  }
  return list;
}

Result<Certificate> Authority::published_issuer(std::string_view group, std::string_view issuer_serial) {
  SIGNET_TRY(const IssuerVersion issuer, implementation_->issuer(group, issuer_serial));
  return issuer.certificate;
}

Result<PublishedCrl> Authority::published_crl(std::string_view group, std::string_view issuer_serial) {
  return implementation_->store().crl(group, issuer_serial);
}

}  // namespace signet::authority
