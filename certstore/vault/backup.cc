#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "certstore/vault/backup_internal.h"
#include "certstore/vault/certificate_policy_json.h"

namespace signet::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kPurpose = "signet vault backup 1";

Bytes context_for(std::string_view what) { return sealing_context({kPurpose, what}); }

json to_json(const std::optional<Time>& time) {
  return time ? json(time->time_since_epoch().count()) : json();
}

Time time_of(const json& value) { return Time(std::chrono::microseconds(value.get<std::int64_t>())); }

std::optional<Time> optional_time_of(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(time_of(value));
}

/// What keys and secrets have alike.
json to_json(const KeyId& id, const KeyAttributes& attributes, const Tags& tags, Time created, Time updated,
             ByteView sealed) {
  return {{"vault", id.vault},
          {"name", id.name},
          {"version", id.version},
          {"enabled", attributes.enabled},
          {"notBefore", to_json(attributes.not_before)},
          {"expires", to_json(attributes.expires)},
          {"tags", tags},
          {"created", to_json(std::optional(created))},
          {"updated", to_json(std::optional(updated))},
          {"sealed", base64(sealed)}};
}

KeyId id_of(const json& value) { return {value.at("vault"), value.at("name"), value.at("version")}; }

KeyAttributes attributes_of(const json& value) {
  return {value.at("enabled").get<bool>(), optional_time_of(value.at("notBefore")),
          optional_time_of(value.at("expires"))};
}

json to_json(const StoredKey& key) {
  const KeyInfo& info = key.info;
  json value = to_json(info.id, info.attributes, info.tags, info.created, info.updated, key.sealed);
  value["kind"] = to_string(info.kind);
  value["ops"] = to_string(info.ops);
  value["publicKey"] = base64(info.public_key);
  return value;
}

Result<StoredKey> key_of(const json& value) {
  StoredKey key;
  KeyInfo& info = key.info;
  info.id = id_of(value);
  info.attributes = attributes_of(value);
  info.tags = value.at("tags").get<Tags>();
  info.created = time_of(value.at("created"));
  info.updated = time_of(value.at("updated"));
  SIGNET_TRY(info.kind, parse_key_kind(value.at("kind").get<std::string>()));
  SIGNET_TRY(info.ops, parse_key_ops(value.at("ops").get<std::string>()));
  SIGNET_TRY(info.public_key, parse_base64(value.at("publicKey").get<std::string>()));
  SIGNET_TRY(key.sealed, parse_base64(value.at("sealed").get<std::string>()));
  return key;
}

json to_json(const StoredSecret& secret) {
  const SecretSettings& settings = secret.info.settings;
  json value = to_json(secret.info.id, settings.attributes, settings.tags, secret.info.created,
                       secret.info.updated, secret.sealed);
  value["contentType"] = settings.content_type;
  return value;
}

Result<StoredSecret> secret_of(const json& value) {
  StoredSecret secret;
  secret.info = {id_of(value),
                 {value.at("contentType"), attributes_of(value), value.at("tags").get<Tags>()},
                 time_of(value.at("created")),
                 time_of(value.at("updated"))};
  SIGNET_TRY(secret.sealed, parse_base64(value.at("sealed").get<std::string>()));
  return secret;
}

json to_json(const StoredCertificate& certificate) {
  const CertificateInfo& info = certificate.info;
  json chain = json::array();
  for (const certstore::Certificate& one : info.chain) chain.push_back(base64(one.der()));
  return {{"version", info.id.version},
          {"chain", std::move(chain)},
          {"exportable", certificate.exportable},
          {"enabled", info.settings.enabled},
          {"tags", info.settings.tags},
          {"created", to_json(std::optional(info.created))},
          {"updated", to_json(std::optional(info.updated))}};
}

Result<StoredCertificate> certificate_of(const json& value, const CertificateId& name) {
  StoredCertificate certificate;
  CertificateInfo& info = certificate.info;
  info.id = {name.vault, name.name, value.at("version")};
  for (const json& one : value.at("chain")) {
    SIGNET_TRY(const Bytes der, parse_base64(one.get<std::string>()));
    SIGNET_TRY(certstore::Certificate parsed, certstore::Certificate::parse(der));
    info.chain.push_back(std::move(parsed));
  }
  certificate.exportable = value.at("exportable");
  info.settings = {value.at("enabled").get<bool>(), value.at("tags").get<Tags>()};
  info.created = time_of(value.at("created"));
  info.updated = time_of(value.at("updated"));
  return certificate;
}

json to_json(const WholeCertificate& whole) {
  json value{{"vault", whole.name.id.vault},
             {"name", whole.name.id.name},
             {"policy", json(to_stored_json(whole.name.policy))},
             {"policyCreated", to_json(std::optional(whole.name.policy.created))},
             {"policyUpdated", to_json(std::optional(whole.name.policy.updated))},
             {"versions", json::array()},
             {"keys", json::array()},
             {"secrets", json::array()}};
  for (const StoredCertificate& version : whole.versions) value["versions"].push_back(to_json(version));
  for (const StoredKey& key : whole.keys) value["keys"].push_back(to_json(key));
  for (const StoredSecret& secret : whole.secrets) value["secrets"].push_back(to_json(secret));
  return value;
}

Result<WholeCertificate> whole_of(const json& value) {
  WholeCertificate whole;
  whole.name.id = {value.at("vault"), value.at("name"), {}};
  SIGNET_TRY(whole.name.policy, apply_json({}, value.at("policy")));
  whole.name.policy.created = time_of(value.at("policyCreated"));
  whole.name.policy.updated = time_of(value.at("policyUpdated"));
  for (const json& one : value.at("versions")) {
    SIGNET_TRY(StoredCertificate version, certificate_of(one, whole.name.id));
    whole.versions.push_back(std::move(version));
  }
  for (const json& one : value.at("keys")) {
    SIGNET_TRY(StoredKey key, key_of(one));
    key.info.managed = true;
    whole.keys.push_back(std::move(key));
  }
  for (const json& one : value.at("secrets")) {
    SIGNET_TRY(StoredSecret secret, secret_of(one));
    secret.info.managed = true;
    whole.secrets.push_back(std::move(secret));
  }
  return whole;
}

template <class Stored>
Result<Bytes> write(const MasterKey& master_key, std::string_view what, const std::vector<Stored>& versions) {
  json all = json::array();
  for (const Stored& version : versions) all.push_back(to_json(version));
  Bytes blob = master_key.derived(kPurpose).seal(as_bytes(all.dump()), context_for(what));
  if (blob.size() <= kMaxBackupSize) return blob;
  return fail(
      ErrorKind::LimitExceeded,
      fmt::format("the backup of this {} would have {} octets, with all its versions, and {} is the most "
                  "that can be restored: back up the store as a whole",
                  what, blob.size(), kMaxBackupSize));
}

template <class Stored, class Read>
Result<std::vector<Stored>> read(const MasterKey& master_key, std::string_view what, ByteView blob,
                                 Read read_one) {
  const auto refuse = [what] {
    return fail(
        ErrorKind::InvalidInput,
        "this is no backup of a " + std::string(what) +
            " that was made by this installation: it was changed, is of something else, or was made under "
            "another master key");
  };
  const auto opened = master_key.derived(kPurpose).unseal(blob, context_for(what));
  if (!opened) return refuse();
  std::vector<Stored> versions;
  try {
    for (const json& value : json::parse(as_text(opened->view()))) {
      SIGNET_TRY(Stored version, read_one(value));
      versions.push_back(std::move(version));
    }
  } catch (const json::exception&) {
    return refuse();
  }
  if (versions.empty()) return refuse();
  return versions;
}

constexpr std::string_view kCertificate = "certificate";

}  // namespace

Result<Bytes> write_backup(const MasterKey& master_key, const WholeCertificate& certificate) {
  return write(master_key, kCertificate, std::vector<WholeCertificate>{certificate});
}

Result<WholeCertificate> read_certificate_backup(const MasterKey& master_key, ByteView blob) {
  SIGNET_TRY(std::vector<WholeCertificate> all,
             read<WholeCertificate>(master_key, kCertificate, blob, whole_of));
  return std::move(all.front());
}

Result<Bytes> write_backup(const MasterKey& master_key, const std::vector<StoredKey>& versions) {
  return write(master_key, "key", versions);
}
Result<Bytes> write_backup(const MasterKey& master_key, const std::vector<StoredSecret>& versions) {
  return write(master_key, "secret", versions);
}

Result<std::vector<StoredKey>> read_key_backup(const MasterKey& master_key, ByteView blob) {
  return read<StoredKey>(master_key, "key", blob, key_of);
}
Result<std::vector<StoredSecret>> read_secret_backup(const MasterKey& master_key, ByteView blob) {
  return read<StoredSecret>(master_key, "secret", blob, secret_of);
}

}  // namespace signet::vault
