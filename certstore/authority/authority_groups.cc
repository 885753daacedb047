#include "certstore/authority/authority_internal.h"
#include "certstore/x509/distinguished_name.h"

/// Groups.

namespace signet::authority {
namespace {

/// Lets the service into a vault of this installation, for good: its issuers' keys are there.
///
/// @error NotFound  there is no such vault.
Result<> let_service_in(Authority::Implementation& service, const Verb& verb, const std::string& vault) {
  const vault::Principal owner = vault::Principal::local_operator();
  SIGNET_TRY(const auto policies, service.vault().policies(owner, vault));
  if (policies.empty())
    return fail(ErrorKind::NotFound,
                fmt::format("there is no key vault '{0}' here: `signet vault create {0}` makes one",
                            printable(vault)));
  vault::AccessPolicy policy{vault, vault::Principal::authority()};
  for (const vault::AccessPolicy& one : policies)
    if (one.principal == policy.principal) policy = one;
  const vault::KeyPermissions keys = vault::authority_key_permissions();
  const vault::SecretPermissions secrets = vault::authority_secret_permissions();
  if (policy.keys.has_all(keys) && policy.secrets.has_all(secrets)) return {};
  policy.keys.add_all(keys);
  policy.secrets.add_all(secrets);
  const Verb letting_in{verb.actor, verb.right, "letAuthorityIn", "key vault " + vault};
  SIGNET_CHECK(
      service.record(letting_in, vault::AuditResult::Success,
                     fmt::format("keys {}, secrets {}", to_string(policy.keys), to_string(policy.secrets))));
  return service.vault().set_policy(owner, policy);
}

/// What an Administrator may want to see of a group years later.
std::string describe(const Group& group) {
  return fmt::format(
      "{} '{}' in vault {}, issues {} months {} bits {}, issuer {} months {} bits {}, CRL {} days",
      to_string(group.type), group.subject, group.key_vault, group.issued.lifetime_months,
      group.issued.key_bits, to_string(group.issued.hash), group.issuer.lifetime_months,
      group.issuer.key_bits, to_string(group.issuer.hash), group.crl_lifetime.count());
}

Result<> check_unchangeable(const Group& before, const Group& after) {
  if (before.type == after.type) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("group '{}' is for certificates of the type {}, for good: make another group",
                          before.name, to_string(before.type)));
}

}  // namespace

Result<std::vector<Group>> Authority::groups(const Actor& actor) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listGroups", "groups"}));
  return implementation_->store().groups();
}

Result<Group> Authority::group(const Actor& actor, std::string_view name) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "getGroup", object_name("group", name)}));
  return implementation_->store().group(name);
}

Result<Group> Authority::create_group(const Actor& actor, const Group& group) {
  const Verb verb{actor, Right::Administrate, "createGroup", object_name("group", group.name)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Group> {
    SIGNET_CHECK(check_group(group, step.now()));
    Group made = group;
    made.created = made.changed = step.stamp();
    made.revision = 0;
    if (const auto there = implementation_->store().group(group.name); there)
      return fail(ErrorKind::AlreadyExists, fmt::format("there is a group '{}' already", there->name));
    else if (there.error().kind != ErrorKind::NotFound)
      return fail(there.error());
    SIGNET_CHECK(let_service_in(*implementation_, verb, made.key_vault));
    SIGNET_CHECK(step.commit({.groups = {made}}, describe(made)));
    return implementation_->store().group(made.name);
  });
}

Result<Group> Authority::change_group(const Actor& actor, const Group& group) {
  const Verb verb{actor, Right::Administrate, "changeGroup", object_name("group", group.name)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Group> {
    SIGNET_TRY(const Group before, implementation_->store().group(group.name));
    if (group.revision != 0 && group.revision != before.revision)
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("group '{}' was changed since it was read: read it again", before.name));
    SIGNET_CHECK(check_unchangeable(before, group));
    Group after = group;
    after.name = before.name;
    after.created = before.created;
    after.revision = before.revision;
    after.changed = step.stamp();
    SIGNET_CHECK(check_group(after, step.now()));
    SIGNET_CHECK(let_service_in(*implementation_, verb, after.key_vault));
    SIGNET_CHECK(step.commit({.groups = {after}}, describe(before) + " -> " + describe(after)));
    return implementation_->store().group(after.name);
  });
}

}  // namespace signet::authority
