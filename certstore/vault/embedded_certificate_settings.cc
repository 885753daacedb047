#include <algorithm>

#include "certstore/vault/embedded_certificates_internal.h"

namespace signet::vault {
namespace {

constexpr std::size_t kMostContacts = 100;
constexpr std::size_t kLongestText = 255;
constexpr std::size_t kMostAdministrators = 20;

Result<> check_text(std::string_view text, std::string_view what) {
  if (text.size() <= kLongestText && is_utf8(text) &&
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("'{}' cannot be {}: up to {} octets of UTF-8 without control "
                          "characters are needed",
                          printable(text), what, kLongestText));
}

Result<> check_contacts(const std::vector<CertificateContact>& contacts) {
  if (contacts.empty() || contacts.size() > kMostContacts)
    return fail(ErrorKind::InvalidInput,
                fmt::format("1 to {} contacts are wanted, got {}; to have none, delete them", kMostContacts,
                            contacts.size()));
  for (const CertificateContact& contact : contacts) {
    if (contact.email.find('@') == std::string::npos)
      return fail(ErrorKind::InvalidInput,
                  fmt::format("'{}' is no mail address of a contact", printable(contact.email)));
    SIGNET_CHECK(check_text(contact.email, "a contact's mail address"));
    SIGNET_CHECK(check_text(contact.name, "a contact's name"));
    SIGNET_CHECK(check_text(contact.phone, "a contact's telephone number"));
  }
  return {};
}

Result<> check_issuer(const CertificateIssuer& issuer) {
  if (issuer.provider.empty()) return fail(ErrorKind::InvalidInput, "an issuer needs a provider");
  SIGNET_CHECK(check_text(issuer.provider, "an issuer's provider"));
  SIGNET_CHECK(check_text(issuer.account, "an issuer's account"));
  SIGNET_CHECK(check_text(issuer.organisation, "an issuer's organisation"));
  SIGNET_CHECK(check_text(issuer.directory, "an issuer's directory"));
  if (!issuer.directory.empty() && !issuer.directory.starts_with("https://"))
    return fail(ErrorKind::InvalidInput,
                fmt::format("an issuer's directory is an https URL, not '{}'", printable(issuer.directory)));
  if (issuer.administrators.size() > kMostAdministrators)
    return fail(ErrorKind::LimitExceeded, fmt::format("an issuer has {} administrators at most, not {}",
                                                      kMostAdministrators, issuer.administrators.size()));
  for (const IssuerAdministrator& administrator : issuer.administrators)
    for (const std::string* text :
         {&administrator.first_name, &administrator.last_name, &administrator.email, &administrator.phone})
      SIGNET_CHECK(check_text(*text, "said of an issuer's administrator"));
  return {};
}

Result<> check_issuer_id(const KeyId& id) {
  for (const std::string_view own : {kSelfIssuer, kUnknownIssuer})
    if (equal_ignoring_case(id.name, own))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("no issuer can be named '{}': the word has a meaning of its own", own));
  return check_object_id(id, "certificate issuer");
}

void apply(const IssuerUpdate& update, CertificateIssuer& issuer) {
  issuer.provider = update.provider.value_or(issuer.provider);
  issuer.account = update.account.value_or(issuer.account);
  issuer.organisation = update.organisation.value_or(issuer.organisation);
  issuer.administrators = update.administrators.value_or(issuer.administrators);
  issuer.directory = update.directory.value_or(issuer.directory);
  issuer.authorities = update.authorities.value_or(issuer.authorities);
  issuer.enabled = update.enabled.value_or(issuer.enabled);
}

template <class State>
Result<> change_issuer(State& state, const IssuerUpdate& update, StoredIssuer& stored) {
  apply(update, stored.issuer);
  stored.issuer.updated = state.now();
  if (update.password) {
    SIGNET_TRY(const auto master_key, state.master_key());
    stored.sealed_password = master_key->seal(update.password->view(), context_of_issuer(stored.issuer.id));
  }
  return check_issuer(stored.issuer);
}

/// Whether two say the same of who we are there.
template <class State>
Result<bool> is_same_account(State& state, const StoredIssuer& one, const StoredIssuer& other) {
  if (directory_of(one.issuer) != directory_of(other.issuer) || one.issuer.account != other.issuer.account)
    return false;
  if (one.sealed_password.empty() || other.sealed_password.empty())
    return one.sealed_password.empty() == other.sealed_password.empty();
  const Bytes context = context_of_issuer(one.issuer.id);
  SIGNET_TRY(const auto master_key, state.master_key());
  SIGNET_TRY(const SecretBytes password, master_key->unseal(one.sealed_password, context));
  SIGNET_TRY(const SecretBytes other_password, master_key->unseal(other.sealed_password, context));
  return equal_in_constant_time(password.view(), other_password.view());
}

/// Our account at an issuer is bound to the credentials that it was registered with: with others a new one is
/// made, with a key of its own, when it is needed.
template <class State>
Result<> keep_account(State& state, const StoredIssuer& before, StoredIssuer& stored) {
  SIGNET_TRY(const bool same, is_same_account(state, before, stored));
  if (!same) return {};
  stored.sealed_account_key = before.sealed_account_key;
  stored.account_public_key = before.account_public_key;
  stored.account_url = before.account_url;
  return {};
}

std::string describe(const IssuerUpdate& update) {
  return fmt::format("{}{}{}", update.provider ? "provider '" + printable(*update.provider) + "'" : "",
                     update.directory ? " directory '" + printable(*update.directory) + "'" : "",
                     update.password ? " password" : "");
}

}  // namespace

Bytes context_of_issuer(const KeyId& id) {
  return sealing_context({"signet vault certificate issuer 1", to_lower(id.vault), to_lower(id.name)});
}

Bytes context_of_issuer_account(const KeyId& id) {
  return sealing_context(
      {"signet vault certificate issuer account 1", to_lower(id.vault), to_lower(id.name)});
}

Result<> check_enabled(const CertificateIssuer& issuer) {
  if (issuer.enabled) return {};
  return fail(
      ErrorKind::Disabled,
      fmt::format("the issuer '{}' is disabled: enable it (signet vault certificate issuer set {} --enable)",
                  to_string(issuer.id), issuer.id.name));
}

Result<> check_in_progress(const CertificateOperation& operation) {
  if (operation.status == OperationStatus::InProgress) return {};
  return fail(ErrorKind::AlreadyExists,
              fmt::format("the operation of certificate '{}' is {}, not in progress", to_string(operation.id),
                          to_string(operation.status)));
}

Result<CertificatePolicy> EmbeddedVault::certificate_policy(const Principal& principal,
                                                            std::string_view vault, std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_certificate_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_certificate_record(principal, "getCertificatePolicy", id),
                                      CertificatePermission::Get));
  SIGNET_TRY(StoredName known, CertificateSteps(*state_).known(id));
  return std::move(known.policy);
}

Result<CertificatePolicy> EmbeddedVault::update_certificate_policy(const Principal& principal,
                                                                   std::string_view vault,
                                                                   std::string_view name,
                                                                   const PolicyChange& change) {
  CertificateId id{std::string(vault), std::string(name), {}};
  StoredName changed;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Update));
    SIGNET_TRY(changed, CertificateSteps(*state_).known(id));
    id = changed.id;
    const Time created = changed.policy.created;
    SIGNET_TRY(changed.policy, change(std::move(changed.policy)));
    changed.policy.created = created;
    changed.policy.updated = state_->now();
    changed.policy_by = principal.name;
    changed.operation.reset();  // stays as it is
    SIGNET_CHECK(CertificateSteps(*state_).take_holder(id, changed.policy));
    return check_policy(changed.policy);
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "updateCertificatePolicy", id), id,
                              prepare, [&] { return state_->certificates().put_name(changed); }));
  return std::move(changed.policy);
}

Result<CertificateOperation> EmbeddedVault::certificate_operation(const Principal& principal,
                                                                  std::string_view vault,
                                                                  std::string_view name) {
  const CertificateId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_certificate_id(id));
  SIGNET_CHECK(state_->authorise_look(
      state_->new_certificate_record(principal, "getCertificateOperation", id), CertificatePermission::Get));
  SIGNET_TRY(StoredName known, CertificateSteps(*state_).with_operation(id));
  return std::move(known.operation->operation);
}

Result<CertificateOperation> EmbeddedVault::cancel_certificate_operation(const Principal& principal,
                                                                         std::string_view vault,
                                                                         std::string_view name) {
  CertificateId id{std::string(vault), std::string(name), {}};
  StoredName known;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Update));
    SIGNET_TRY(known, CertificateSteps(*state_).with_operation(id));
    id = known.id;
    SIGNET_CHECK(check_in_progress(known.operation->operation));
    known.operation->operation.cancellation_requested = true;
    if (is_ordered(known.operation->operation.issuer)) return {};  // the gateway calls the order off
    known.operation->operation.status = OperationStatus::Cancelled;
    known.operation->sealed.clear();
    return {};
  };
  SIGNET_CHECK(
      state_->change_with_keys(state_->new_certificate_record(principal, "cancelCertificateOperation", id),
                               id, prepare, [&] { return state_->certificates().put_name(known); }));
  return std::move(known.operation->operation);
}

Result<CertificateOperation> EmbeddedVault::delete_certificate_operation(const Principal& principal,
                                                                         std::string_view vault,
                                                                         std::string_view name) {
  CertificateId id{std::string(vault), std::string(name), {}};
  StoredName known;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_certificate_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, CertificatePermission::Update));
    SIGNET_TRY(known, CertificateSteps(*state_).with_operation(id));
    id = known.id;
    return {};
  };
  SIGNET_CHECK(state_->change_with_keys(
      state_->new_certificate_record(principal, "deleteCertificateOperation", id), id, prepare,
      [&] { return state_->certificates().remove_operation(vault, name); }));
  return std::move(known.operation->operation);
}

Result<std::vector<CertificateContact>> EmbeddedVault::certificate_contacts(const Principal& principal,
                                                                            std::string_view vault) {
  SIGNET_CHECK(state_->authorise_look(
      state_->new_certificate_record(principal, "getCertificateContacts", {std::string(vault), {}, {}}),
      CertificatePermission::ManageContacts));
  SIGNET_TRY(std::vector<CertificateContact> contacts, state_->certificates().contacts(vault));
  if (contacts.empty())
    return fail(ErrorKind::NotFound, fmt::format("key vault '{}' has no certificate contacts", vault));
  return contacts;
}

Result<> EmbeddedVault::set_certificate_contacts(const Principal& principal, std::string_view vault,
                                                 const std::vector<CertificateContact>& contacts) {
  KeyId id{std::string(vault), {}, {}};
  return state_->change(
      state_->new_certificate_record(principal, "setCertificateContacts", id,
                                     fmt::to_string(contacts.size())),
      id,
      [&]() -> Result<> {
        SIGNET_CHECK(check_vault_name(vault));
        SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::ManageContacts));
        return check_contacts(contacts);
      },
      [&] { return state_->certificates().put_contacts(vault, contacts); });
}

Result<std::vector<CertificateContact>> EmbeddedVault::delete_certificate_contacts(const Principal& principal,
                                                                                   std::string_view vault) {
  KeyId id{std::string(vault), {}, {}};
  std::vector<CertificateContact> before;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_vault_name(vault));
    SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::ManageContacts));
    SIGNET_TRY(before, state_->certificates().contacts(vault));
    if (before.empty())
      return fail(ErrorKind::NotFound, fmt::format("key vault '{}' has no certificate contacts", vault));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "deleteCertificateContacts", id), id,
                              prepare, [&] { return state_->certificates().put_contacts(vault, {}); }));
  return before;
}

Result<CertificateIssuer> EmbeddedVault::set_certificate_issuer(const Principal& principal,
                                                                std::string_view vault, std::string_view name,
                                                                const IssuerUpdate& issuer) {
  KeyId id{std::string(vault), std::string(name), {}};
  StoredIssuer stored;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_issuer_id(id));
    SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::SetIssuers));
    const auto before = state_->certificates().load_issuer(vault, name);
    if (!before && before.error().kind != ErrorKind::NotFound) return fail(before.error());
    if (before) id = before->issuer.id;
    stored.issuer.id = id;
    stored.issuer.created = before ? before->issuer.created : state_->now();
    SIGNET_CHECK(change_issuer(*state_, issuer, stored));
    if (before) return keep_account(*state_, *before, stored);
    return {};
  };
  SIGNET_CHECK(
      state_->change(state_->new_certificate_record(principal, "setCertificateIssuer", id, describe(issuer)),
                     id, prepare, [&] { return state_->certificates().put_issuer(stored); }));
  return std::move(stored.issuer);
}

Result<CertificateIssuer> EmbeddedVault::update_certificate_issuer(const Principal& principal,
                                                                   std::string_view vault,
                                                                   std::string_view name,
                                                                   const IssuerUpdate& update) {
  KeyId id{std::string(vault), std::string(name), {}};
  StoredIssuer stored;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_issuer_id(id));
    SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::SetIssuers));
    SIGNET_TRY(const StoredIssuer before, state_->certificates().load_issuer(vault, name));
    id = before.issuer.id;
    stored.issuer = before.issuer;
    stored.sealed_password = before.sealed_password;
    SIGNET_CHECK(change_issuer(*state_, update, stored));
    return keep_account(*state_, before, stored);
  };
  SIGNET_CHECK(state_->change(
      state_->new_certificate_record(principal, "updateCertificateIssuer", id, describe(update)), id, prepare,
      [&] { return state_->certificates().put_issuer(stored); }));
  return std::move(stored.issuer);
}

Result<CertificateIssuer> EmbeddedVault::certificate_issuer(const Principal& principal,
                                                            std::string_view vault, std::string_view name) {
  const KeyId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_issuer_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_certificate_record(principal, "getCertificateIssuer", id),
                                      CertificatePermission::GetIssuers));
  SIGNET_TRY(StoredIssuer stored, state_->certificates().load_issuer(vault, name));
  return std::move(stored.issuer);
}

Result<std::vector<CertificateIssuer>> EmbeddedVault::list_certificate_issuers(const Principal& principal,
                                                                               std::string_view vault) {
  SIGNET_CHECK(state_->authorise_look(
      state_->new_certificate_record(principal, "listCertificateIssuers", {std::string(vault), {}, {}}),
      CertificatePermission::ListIssuers));
  return state_->certificates().list_issuers(vault);
}

Result<CertificateIssuer> EmbeddedVault::delete_certificate_issuer(const Principal& principal,
                                                                   std::string_view vault,
                                                                   std::string_view name) {
  KeyId id{std::string(vault), std::string(name), {}};
  StoredIssuer stored;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_issuer_id(id));
    SIGNET_CHECK(state_->authorise(principal, vault, CertificatePermission::DeleteIssuers));
    SIGNET_TRY(stored, state_->certificates().load_issuer(vault, name));
    id = stored.issuer.id;
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_certificate_record(principal, "deleteCertificateIssuer", id), id,
                              prepare, [&] { return state_->certificates().remove_issuer(vault, name); }));
  return std::move(stored.issuer);
}

}  // namespace signet::vault
