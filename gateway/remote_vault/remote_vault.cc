#include "gateway/remote_vault/remote_vault.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_texts.h"
#include "base/random.h"
#include "certstore/vault/public_key.h"
#include "gateway/remote_vault/answer_json.h"

namespace signet::gateway {
namespace {

using vault::AuditObject;
using vault::AuditRecord;
using vault::AuditResult;
using vault::EncryptionAlgorithm;
using vault::KeyId;
using vault::KeyInfo;
using vault::Principal;

constexpr std::chrono::seconds kMemory{30};
constexpr std::chrono::seconds kStillThere{5};
constexpr std::size_t kMostKnown = 1000;

/// What is asked of the vault in somebody's name.
enum class Purpose { Look, Make, Use };

Result<> permit(const Principal& principal, const std::string& vault, Purpose purpose) {
  if (principal == Principal::gateway() && purpose != Purpose::Make) return {};
  if (principal == Principal::local_operator() && purpose != Purpose::Use) return {};
  return fail(
      ErrorKind::PermissionDenied,
      fmt::format("key vault '{}' is linked for the gateway, which uses its keys and secrets, and for the "
                  "operator, who looks at them; principal '{}' asks at that vault itself",
                  vault, printable(principal.name)));
}

std::string path_of(std::string_view collection, const KeyId& id) {
  return fmt::format("/{}/{}/{}", collection, id.name, id.version);
}

Result<std::string> name_of(const EncryptionAlgorithm& algorithm) {
  std::string name = vault::to_string(algorithm);
  if (const auto read = vault::parse_encryption_algorithm(name); read && *read == algorithm) return name;
  return fail(
      ErrorKind::Unsupported,
      fmt::format(
          "Key Vault's contract has no word for {}, so a vault elsewhere cannot do it: ask the partner "
          "for RSA-OAEP with one hash, or keep that key in a vault of this home",
          name));
}

/// What every vault of Azure's does (JsonWebKeyEncryptionAlgorithm); a second Signet does more.
bool is_of_the_contract(const EncryptionAlgorithm& algorithm) {
  return algorithm == vault::kRsa15 || algorithm == vault::kRsaOaep || algorithm == vault::kRsaOaep256;
}

json rsa_or_ec(vault::KeyKind kind) {
  switch (kind) {
    case vault::KeyKind::Rsa2048:
      return {{"kty", "RSA"}, {"key_size", 2048}};
    case vault::KeyKind::Rsa3072:
      return {{"kty", "RSA"}, {"key_size", 3072}};
    case vault::KeyKind::Rsa4096:
      return {{"kty", "RSA"}, {"key_size", 4096}};
    case vault::KeyKind::EcP256:
      return {{"kty", "EC"}, {"crv", "P-256"}};
    case vault::KeyKind::EcP384:
      return {{"kty", "EC"}, {"crv", "P-384"}};
    case vault::KeyKind::EcP521:
      return {{"kty", "EC"}, {"crv", "P-521"}};
  }
  return {};
}

std::int64_t seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

json request_of(vault::KeyKind kind, const vault::KeySettings& settings) {
  json body = rsa_or_ec(kind);
  if (settings.ops) {
    body["key_ops"] = json::array();
    for (const auto op : {vault::KeyOp::Sign, vault::KeyOp::Verify, vault::KeyOp::Encrypt,
                          vault::KeyOp::Decrypt, vault::KeyOp::WrapKey, vault::KeyOp::UnwrapKey})
      if (settings.ops->has(op)) body["key_ops"].push_back(vault::to_string(op));
  }
  body["attributes"] = {{"enabled", settings.attributes.enabled}};
  if (settings.attributes.not_before) body["attributes"]["nbf"] = seconds(*settings.attributes.not_before);
  if (settings.attributes.expires) body["attributes"]["exp"] = seconds(*settings.attributes.expires);
  if (!settings.tags.empty()) body["tags"] = settings.tags;
  return body;
}

/// In a record of ours as in the embedded vault's.
AuditResult result_for(const Error* error) {
  if (error == nullptr) return AuditResult::Success;
  const bool denied = error->kind == ErrorKind::PermissionDenied || error->kind == ErrorKind::Disabled;
  return denied ? AuditResult::Denied : AuditResult::Failed;
}

std::string memory_key(const KeyId& id) { return to_lower(id.name) + "/" + id.version; }

bool is_newer(const Time& a, const Time& b) { return a > b; }

}  // namespace

RemoteVault::RemoteVault(VaultLink link, HttpClient& client, vault::AuditLog& audit, const Clock& clock,
                         VaultClientLimits limits)
    : client_(std::move(link), client, limits), audit_(audit), clock_(clock) {}

/// Work whose result is withheld when its record cannot be written. It may complete the record.
template <class Work>
auto RemoteVault::audited(const Principal& principal, Use use, const KeyId& id, std::string detail, Work work)
    -> std::invoke_result_t<Work, AuditRecord&> {
  AuditRecord record{clock_.now(), principal.name,           std::string(use.operation), use.object,
                     id,           vault::audited_message(), AuditResult::Failed,        std::move(detail)};
  auto outcome = work(record);
  SIGNET_CHECK(append(std::move(record), outcome ? nullptr : &outcome.error()));
  return outcome;
}

Result<> RemoteVault::append(AuditRecord record, const Error* error) {
  record.result = result_for(error);
  record.detail += (record.detail.empty() ? "" : ", ") + at();
  if (error != nullptr) record.detail += ": " + error->detail;
  Result<> written = audit_.append(record);
  if (written) return {};
  return fail(
      std::move(written.error())
          .within(fmt::format("{} with {} '{}' was not done, because its audit record cannot be written",
                              record.operation, to_string(record.object), to_string(record.key))));
}

Error RemoteVault::not_offered(std::string_view operation) const {
  return client_.told(
      ErrorKind::Unsupported,
      fmt::format("{} is done at that vault itself, by its own tools: it is linked here for its "
                  "keys and secrets to be used",
                  operation));
}

Result<> RemoteVault::check() {
  {
    const std::lock_guard lock(mutex_);
    if (answered_ != Steady::time_point{} && Steady::now() < answered_ + kStillThere) return {};
  }
  SIGNET_TRY(const json page, client_.get("/keys?maxresults=1"));
  const std::lock_guard lock(mutex_);
  answered_ = Steady::now();
  return {};
}

// ---- Secrets

Result<vault::Secret> RemoteVault::get_secret(const Principal& principal, const vault::SecretId& id) {
  const auto work = [&](AuditRecord& record) -> Result<vault::Secret> {
    SIGNET_CHECK(vault::check_secret_id(id));
    SIGNET_CHECK(permit(principal, link().name, Purpose::Use));
    SIGNET_TRY(json bundle, client_.get(path_of("secrets", id)));
    auto info = read_secret_info(bundle, link().name);
    const auto value = bundle.find("value");
    const bool has_value = value != bundle.end() && value->is_string();
    vault::Secret secret;
    if (has_value) secret.value = SecretBytes::copy_of(value->get_ref<const std::string&>());
    wipe_texts(bundle);
    if (!info) return fail(client_.told(ErrorKind::Unavailable, "its answer: " + info.error().detail));
    if (!has_value)
      return fail(client_.told(ErrorKind::Unavailable, "its answer holds no value of the secret"));
    secret.info = *std::move(info);
    if (!equal_ignoring_case(secret.info.id.name, id.name) ||
        (!id.version.empty() && secret.info.id.version != id.version))
      return fail(client_.told(ErrorKind::Unavailable,
                               fmt::format("asked for secret {}/{} it gave {}", id.name, id.version,
                                           printable(to_string(secret.info.id)))));
    record.key = secret.info.id;
    SIGNET_CHECK(vault::check_enabled(secret.info));
    return secret;
  };
  return audited(principal, {"getSecret", AuditObject::Secret}, id, {}, work);
}

Result<std::vector<vault::SecretInfo>> RemoteVault::secret_versions(const Principal& principal,
                                                                    std::string_view name) {
  const vault::SecretId id{link().name, std::string(name), {}};
  SIGNET_CHECK(vault::check_secret_id(id));
  SIGNET_CHECK(permit(principal, link().name, Purpose::Look));
  SIGNET_TRY(const std::vector<json> items, client_.list(fmt::format("/secrets/{}/versions", name)));
  std::vector<vault::SecretInfo> all;
  for (const json& item : items) {
    auto info = read_secret_info(item, link().name);
    if (!info) return fail(client_.told(ErrorKind::Unavailable, "its answer: " + info.error().detail));
    all.push_back(*std::move(info));
  }
  if (all.empty()) return fail(client_.told(ErrorKind::NotFound, fmt::format("it has no secret '{}'", name)));
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return is_newer(a.created, b.created); });
  return all;
}

// ---- Looking at keys

Result<KeyInfo> RemoteVault::fetch(const KeyId& id) {
  const std::string key = memory_key(id);
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end() && Steady::now() < found->second.until) return found->second.info;
  }
  SIGNET_TRY(const json bundle, client_.get(path_of("keys", id)));
  auto info = read_key_bundle(bundle, link().name);
  if (!info)
    return fail(client_.told(
        info.error().kind == ErrorKind::Unsupported ? ErrorKind::Unsupported : ErrorKind::Unavailable,
        fmt::format("key '{}': {}", id.name, info.error().detail)));
  if (!equal_ignoring_case(info->id.name, id.name) || (!id.version.empty() && info->id.version != id.version))
    return fail(
        client_.told(ErrorKind::Unavailable, fmt::format("asked for key {}/{} it shows {}/{}", id.name,
                                                         id.version, info->id.name, info->id.version)));
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_.insert_or_assign(key, Known{*info, Steady::now() + kMemory});
  return info;
}

/// Lists have neither kinds nor public halves, so each is asked for.
Result<std::vector<KeyInfo>> RemoteVault::fetch_all(const std::string& target) {
  SIGNET_TRY(const std::vector<json> items, client_.list(target));
  std::vector<KeyInfo> all;
  for (const json& item : items) {
    auto listed = read_key_item(item, link().name);
    if (!listed) return fail(client_.told(ErrorKind::Unavailable, "its answer: " + listed.error().detail));
    auto info = fetch(listed->id);
    if (!info && info.error().kind == ErrorKind::Unsupported) continue;  // of a kind that is of no use here
    if (!info) return fail(std::move(info).error());
    info->attributes = listed->attributes;  // what was remembered may be older
    all.push_back(*std::move(info));
  }
  return all;
}

Result<KeyInfo> RemoteVault::get(const Principal& principal, const KeyId& id) {
  SIGNET_CHECK(vault::check_key_id(id));
  SIGNET_CHECK(permit(principal, link().name, Purpose::Look));
  return fetch(id);
}

Result<std::vector<KeyInfo>> RemoteVault::list(const Principal& principal, std::string_view) {
  SIGNET_CHECK(permit(principal, link().name, Purpose::Look));
  return fetch_all("/keys");
}

Result<std::vector<KeyInfo>> RemoteVault::versions(const Principal& principal, std::string_view,
                                                   std::string_view name) {
  SIGNET_CHECK(vault::check_key_id({link().name, std::string(name), {}}));
  SIGNET_CHECK(permit(principal, link().name, Purpose::Look));
  SIGNET_TRY(std::vector<KeyInfo> all, fetch_all(fmt::format("/keys/{}/versions", name)));
  if (all.empty())
    return fail(
        client_.told(ErrorKind::NotFound, fmt::format("it has no key '{}' that can be used here", name)));
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return is_newer(a.created, b.created); });
  return all;
}

// ---- Making keys

/// As with every change, the record comes first, and a failure behind it leaves a second one.
Result<KeyInfo> RemoteVault::make(const Principal& principal, Use use, const KeyId& id, std::string detail,
                                  const std::string& target, const json& body) {
  AuditRecord record{clock_.now(), principal.name,           std::string(use.operation), use.object,
                     id,           vault::audited_message(), AuditResult::Failed,        std::move(detail)};
  Result<> allowed = vault::check_key_id(id);
  if (allowed) allowed = permit(principal, link().name, Purpose::Make);
  SIGNET_CHECK(append(record, allowed ? nullptr : &allowed.error()));
  SIGNET_CHECK(allowed);
  const auto bundle = client_.post_once(target, body);
  auto info = bundle ? read_key_bundle(*bundle, link().name) : Result<KeyInfo>(fail(bundle.error()));
  {
    const std::lock_guard lock(mutex_);
    known_.clear();
  }
  if (!info) static_cast<void>(append(record, &info.error()));
  return info;
}

Result<KeyInfo> RemoteVault::create_key(const Principal& principal, std::string_view, std::string_view name,
                                        vault::KeyKind kind, const vault::KeySettings& settings) {
  return make(principal, {"create"}, {link().name, std::string(name), {}}, std::string(to_string(kind)),
              fmt::format("/keys/{}/create", name), request_of(kind, settings));
}

Result<KeyInfo> RemoteVault::rotate_key(const Principal& principal, std::string_view, std::string_view name) {
  return make(principal, {"rotate"}, {link().name, std::string(name), {}}, {},
              fmt::format("/keys/{}/rotate", name), json::object());
}

// ---- Using keys

/// @param word  of the contract, the last segment of the path
Result<json> RemoteVault::use_key(const KeyId& id, std::string_view word, const json& body,
                                  AuditRecord& record) {
  SIGNET_TRY(json answer, client_.post(path_of("keys", id) + "/" + std::string(word), body));
  const std::string kid = text_of(answer, "kid");
  if (kid.empty()) return answer;  // of verify, there is none
  const auto used = read_object_id(kid, "keys", link().name);
  if (!used || !equal_ignoring_case(used->name, id.name) ||
      (!id.version.empty() && used->version != id.version))
    return fail(
        client_.told(ErrorKind::Unavailable, fmt::format("asked for {} with key {}/{} it names the key {}",
                                                         word, id.name, id.version, printable(kid))));
  record.key = *used;
  return answer;
}

Result<Bytes> RemoteVault::sign(const Principal& principal, const KeyId& id,
                                vault::SignatureAlgorithm algorithm, ByteView digest) {
  const auto work = [&](AuditRecord& record) -> Result<Bytes> {
    SIGNET_CHECK(vault::check_key_id(id));
    SIGNET_CHECK(permit(principal, link().name, Purpose::Use));
    if (digest.size() != digest_size(vault::hash_of(algorithm)))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("{} signs digests of {} octets, not of {}", to_string(algorithm),
                              digest_size(vault::hash_of(algorithm)), digest.size()));
    const json body = {{"alg", to_string(algorithm)}, {"value", base64url(digest)}};
    const auto answer = use_key(id, "sign", body, record);
    if (!answer) {
      // What a vault does not sign is not the partner's doing.
      const ErrorKind kind = answer.error().kind;
      return fail(kind == ErrorKind::InvalidInput ? ErrorKind::Unavailable : kind, answer.error().detail);
    }
    auto signature = octets_of(*answer, "value");
    if (!signature || signature->empty())
      return fail(client_.told(ErrorKind::Unavailable, "its answer holds no signature"));
    return signature;
  };
  return audited(principal, {"sign"}, id, std::string(to_string(algorithm)), work);
}

Result<bool> RemoteVault::verify(const Principal& principal, const KeyId& id,
                                 vault::SignatureAlgorithm algorithm, ByteView digest, ByteView signature) {
  const auto work = [&](AuditRecord& record) -> Result<bool> {
    SIGNET_CHECK(vault::check_key_id(id));
    SIGNET_CHECK(permit(principal, link().name, Purpose::Use));
    const json body = {
        {"alg", to_string(algorithm)}, {"digest", base64url(digest)}, {"value", base64url(signature)}};
    SIGNET_TRY(const json answer, use_key(id, "verify", body, record));
    const auto holds = answer.find("value");
    if (holds == answer.end() || !holds->is_boolean())
      return fail(
          client_.told(ErrorKind::Unavailable, "its answer does not say whether the signature holds"));
    return holds->get<bool>();
  };
  return audited(principal, {"verify"}, id, std::string(to_string(algorithm)), work);
}

Result<Bytes> RemoteVault::hide(const Principal& principal, Use use, std::string_view word, const KeyId& id,
                                const EncryptionAlgorithm& algorithm, ByteView plaintext) {
  const auto work = [&](AuditRecord& record) -> Result<Bytes> {
    SIGNET_CHECK(vault::check_key_id(id));
    SIGNET_CHECK(permit(principal, link().name, Purpose::Use));
    SIGNET_TRY(const std::string name, name_of(algorithm));
    json body = {{"alg", name}, {"value", base64url(plaintext)}};
    const auto answer = use_key(id, word, body, record);
    wipe_texts(body);
    if (!answer) return fail(answer.error());
    auto hidden = octets_of(*answer, "value");
    if (!hidden) return fail(client_.told(ErrorKind::Unavailable, "its answer: " + hidden.error().detail));
    return hidden;
  };
  return audited(principal, use, id, vault::to_string(algorithm), work);
}

Result<SecretBytes> RemoteVault::open(const Principal& principal, Use use, std::string_view word,
                                      const KeyId& id, const EncryptionAlgorithm& algorithm,
                                      ByteView ciphertext) {
  const auto work = [&](AuditRecord& record) -> Result<SecretBytes> {
    SIGNET_CHECK(vault::check_key_id(id));
    SIGNET_CHECK(permit(principal, link().name, Purpose::Use));
    SIGNET_TRY(const std::string name, name_of(algorithm));
    auto answer = use_key(id, word, {{"alg", name}, {"value", base64url(ciphertext)}}, record);
    if (!answer) {
      // The contract's word for a ciphertext that does not decrypt. The key and this version of the contract
      // were found good when the key was looked up; and so is the algorithm, unless it is none of Azure's.
      const ErrorKind kind = answer.error().kind;
      if (kind == ErrorKind::InvalidInput && !is_of_the_contract(algorithm)) {
        SIGNET_TRY(const bool offered, offers(id, word, algorithm));
        if (!offered)
          return fail(client_.told(
              ErrorKind::Unsupported,
              fmt::format(
                  "it does not do {}: let the partner encrypt with RSA-OAEP-256, or link a vault that "
                  "does it",
                  name)));
      }
      return fail(kind == ErrorKind::InvalidInput ? ErrorKind::CryptoFailure : kind, answer.error().detail);
    }
    auto opened = secret_octets_of(*answer, "value");
    if (!opened) return fail(client_.told(ErrorKind::Unavailable, "its answer: " + opened.error().detail));
    return opened;
  };
  return audited(principal, use, id, vault::to_string(algorithm), work);
}

/// By something that is encrypted right: who cannot open that does not do the algorithm.
Result<bool> RemoteVault::offers(const KeyId& id, std::string_view word,
                                 const EncryptionAlgorithm& algorithm) {
  SIGNET_TRY(const std::string name, name_of(algorithm));
  {
    const std::lock_guard lock(mutex_);
    if (offered_.contains(name)) return true;
  }
  SIGNET_TRY(const KeyInfo info, fetch(id));
  SIGNET_TRY(const Bytes sample, vault::encrypt_for(info.public_key, algorithm, random_bytes(32)));
  auto answer = client_.post(path_of("keys", info.id) + "/" + std::string(word),
                             {{"alg", name}, {"value", base64url(sample)}});
  if (!answer && answer.error().kind == ErrorKind::InvalidInput) return false;
  if (!answer) return fail(std::move(answer).error());
  wipe_texts(*answer);
  const std::lock_guard lock(mutex_);
  offered_.insert(name);
  return true;
}

Result<Bytes> RemoteVault::encrypt(const Principal& principal, const KeyId& id,
                                   const EncryptionAlgorithm& algorithm, ByteView plaintext) {
  return hide(principal, {"encrypt"}, "encrypt", id, algorithm, plaintext);
}
Result<Bytes> RemoteVault::wrap_key(const Principal& principal, const KeyId& id,
                                    const EncryptionAlgorithm& algorithm, ByteView key) {
  return hide(principal, {"wrapKey"}, "wrapkey", id, algorithm, key);
}
Result<SecretBytes> RemoteVault::decrypt(const Principal& principal, const KeyId& id,
                                         const EncryptionAlgorithm& algorithm, ByteView ciphertext) {
  return open(principal, {"decrypt"}, "decrypt", id, algorithm, ciphertext);
}
Result<SecretBytes> RemoteVault::unwrap_key(const Principal& principal, const KeyId& id,
                                            const EncryptionAlgorithm& algorithm, ByteView wrapped) {
  return open(principal, {"unwrapKey"}, "unwrapkey", id, algorithm, wrapped);
}

Result<SecretBytes> RemoteVault::derive(const Principal& principal, const KeyId& id, ByteView) {
  return audited(principal, {"derive"}, id, "ECDH", [&](AuditRecord&) -> Result<SecretBytes> {
    return fail(client_.told(
        ErrorKind::Unsupported,
        fmt::format(
            "Key Vault's contract has no word for key agreement (ECDH), so the EC key '{}' can sign and "
            "not decrypt: let partners encrypt for an RSA certificate, or keep that key in a vault of "
            "this home",
            id.name)));
  });
}

// ---- What is done at that vault itself

Result<KeyInfo> RemoteVault::import_key(const Principal&, std::string_view, std::string_view,
                                        const vault::KeyMaterial&, const vault::KeySettings&) {
  return fail(not_offered("importing a key"));
}
Result<KeyInfo> RemoteVault::update(const Principal&, const KeyId&, const vault::KeyUpdate&) {
  return fail(not_offered("changing a key"));
}
Result<vault::DeletedKey> RemoteVault::delete_key(const Principal&, std::string_view, std::string_view) {
  return fail(not_offered("deleting a key"));
}
Result<std::vector<vault::DeletedKey>> RemoteVault::list_deleted_keys(const Principal&, std::string_view) {
  return fail(not_offered("looking at deleted keys"));
}
Result<vault::DeletedKey> RemoteVault::get_deleted_key(const Principal&, std::string_view, std::string_view) {
  return fail(not_offered("looking at a deleted key"));
}
Result<KeyInfo> RemoteVault::recover_key(const Principal&, std::string_view, std::string_view) {
  return fail(not_offered("recovering a key"));
}
Result<> RemoteVault::purge_key(const Principal&, std::string_view, std::string_view) {
  return fail(not_offered("purging a key"));
}
Result<Bytes> RemoteVault::backup_key(const Principal&, std::string_view, std::string_view) {
  return fail(not_offered("backing a key up"));
}
Result<KeyInfo> RemoteVault::restore_key(const Principal&, std::string_view, ByteView) {
  return fail(not_offered("restoring a key"));
}
Result<vault::RotationPolicy> RemoteVault::rotation_policy(const Principal&, std::string_view,
                                                           std::string_view) {
  return fail(not_offered("looking at a rotation policy"));
}
Result<vault::RotationPolicy> RemoteVault::set_rotation_policy(const Principal&, std::string_view,
                                                               std::string_view,
                                                               const vault::RotationPolicy&) {
  return fail(not_offered("setting a rotation policy"));
}

}  // namespace signet::gateway
