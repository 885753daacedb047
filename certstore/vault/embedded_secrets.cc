#include <algorithm>

#include "certstore/vault/embedded_vault_internal.h"

namespace signet::vault {
namespace {

constexpr std::size_t kLongestContentType = 255;

std::string date(const std::optional<Time>& time) { return time ? to_rfc3339(*time) : "none"; }

/// As an audit record has it.
std::string describe(const SecretSettings& settings) {
  return fmt::format("content_type='{}' enabled={} not_before={} expires={}", settings.content_type,
                     settings.attributes.enabled, date(settings.attributes.not_before),
                     date(settings.attributes.expires));
}

Result<> check_value(const SecretBytes& value) {
  if (!value.empty() && value.size() <= kMaxSecretSize) return {};
  return fail(ErrorKind::InvalidInput,
              fmt::format("a secret has 1 to {} octets, this one {}", kMaxSecretSize, value.size()));
}

std::string describe(const SecretUpdate& update) {
  std::string text = to_string(update.attributes);
  const auto add = [&text](std::string_view words) { text.append(text.empty() ? "" : " ").append(words); };
  if (update.content_type) add(fmt::format("content_type='{}'", printable(*update.content_type)));
  if (update.tags) add(fmt::format("tags={}", update.tags->size()));
  return text;
}

Result<> check_settings(const SecretSettings& settings) {
  const std::string& type = settings.content_type;
  if (type.size() > kLongestContentType || printable(type, kLongestContentType) != type)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' cannot be a secret's content type: up to {} printable ASCII characters are "
                            "needed",
                            printable(type), kLongestContentType));
  SIGNET_CHECK(check_dates(settings.attributes, "secret"));
  return check_tags(settings.tags, "secret");
}

}  // namespace

Bytes context_of_secret(const SecretId& id) {
  return sealing_context({"signet vault secret 1", to_lower(id.vault), to_lower(id.name), id.version});
}

Result<SecretInfo> EmbeddedVault::set_secret(const Principal& principal, std::string_view vault,
                                             std::string_view name, const SecretBytes& value,
                                             const SecretSettings& settings) {
  SecretId id{std::string(vault), std::string(name), {}};
  StoredSecret stored;
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_secret_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, SecretPermission::Set));
    SIGNET_CHECK(state_->check_is_no_certificates(id, "secret"));
    SIGNET_CHECK(check_value(value));
    SIGNET_CHECK(check_settings(settings));
    SIGNET_CHECK(check_not_deleted<Secrets>(*state_, id));
    SIGNET_CHECK(adopt_spelling(state_->secrets(), id));
    SIGNET_TRY(const auto master_key, state_->master_key());
    id.version = random_id();
    const Time now = state_->now();
    stored.info = {id, settings, now, now};
    stored.sealed = master_key->seal(value.view(), context_of_secret(id));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_secret_record(principal, "setSecret", id, describe(settings)), id,
                              prepare, [&] { return state_->secrets().put_version(stored); }));
  return std::move(stored.info);
}

Result<Secret> EmbeddedVault::get_secret(const Principal& principal, const SecretId& id) {
  return state_->audited(
      state_->new_secret_record(principal, "getSecret", id), [&](AuditRecord& record) -> Result<Secret> {
        SIGNET_CHECK(check_secret_id(id));
        SIGNET_CHECK(state_->authorise(principal, id.vault, SecretPermission::Get));
        SIGNET_TRY(StoredSecret stored, state_->secrets().load(id));
        record.key = stored.info.id;
        SIGNET_CHECK(check_enabled(stored.info));
        SIGNET_TRY(const auto master_key, state_->master_key());
        auto value = master_key->unseal(stored.sealed, context_of_secret(stored.info.id));
        if (!value)
          return fail(ErrorKind::Unavailable,
                      fmt::format("secret '{}' {}", to_string(stored.info.id), value.error().detail));
        return Secret{std::move(stored.info), *std::move(value)};
      });
}

Result<std::vector<SecretInfo>> EmbeddedVault::list_secrets(const Principal& principal,
                                                            std::string_view vault) {
  SIGNET_CHECK(state_->authorise_look(
      state_->new_secret_record(principal, "listSecrets", {std::string(vault), {}, {}}),
      SecretPermission::List));
  return state_->secrets().list(vault);
}

Result<std::vector<SecretInfo>> EmbeddedVault::secret_versions(const Principal& principal,
                                                               std::string_view vault,
                                                               std::string_view name) {
  const SecretId id{std::string(vault), std::string(name), {}};
  SIGNET_CHECK(check_secret_id(id));
  SIGNET_CHECK(state_->authorise_look(state_->new_secret_record(principal, "listSecrets", id),
                                      SecretPermission::List));
  SIGNET_TRY(std::vector<SecretInfo> versions, state_->secrets().versions(vault, name));
  if (versions.empty())
    return fail(ErrorKind::NotFound, fmt::format("there is no secret '{}' in key vault '{}'", name, vault));
  return versions;
}

Result<SecretInfo> EmbeddedVault::update_secret(const Principal& principal, const SecretId& id,
                                                const SecretUpdate& update) {
  SecretInfo info;
  SecretId secret = id;
  const SecretChange change = [&](SecretInfo& now) -> Result<> {
    now.settings.content_type = update.content_type.value_or(now.settings.content_type);
    update.attributes.apply_to(now.settings.attributes);
    now.settings.tags = update.tags.value_or(now.settings.tags);
    now.updated = state_->now();
    return check_settings(now.settings);
  };
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_secret_id(id));
    SIGNET_CHECK(state_->authorise(principal, id.vault, SecretPermission::Set));
    SIGNET_CHECK(state_->check_is_no_certificates(id, "secret"));
    SIGNET_TRY(StoredSecret stored, state_->secrets().load(id));
    secret = stored.info.id;
    return change(stored.info);
  };
  const auto commit = [&]() -> Result<> {
    SIGNET_TRY(info, state_->secrets().update(secret, change));
    return {};
  };
  SIGNET_CHECK(state_->change(state_->new_secret_record(principal, "updateSecret", id, describe(update)),
                              secret, prepare, commit));
  return info;
}

}  // namespace signet::vault
