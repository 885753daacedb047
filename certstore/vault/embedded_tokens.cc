#include "certstore/vault/embedded_tokens_internal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/random.h"
#include "certstore/vault/embedded_vault_internal.h"
#include "certstore/vault/key_library_internal.h"
#include "certstore/vault/token_key_internal.h"

/// Vaults whose keys are in a token.

namespace signet::vault {
namespace {

constexpr std::size_t kObjectIdSize = 16;

TokenKey::Name new_name(const KeyId& id) {
  return {random_bytes(kObjectIdSize), fmt::format("signet {}", to_string(id))};
}

/// What a private half was sealed for. Its kind is not beside it everywhere, and its public half is.
Result<Bytes> context_of_row(const KeyAtRest& row) {
  const unsigned char* at = row.public_key.data();
  const EvpPkeyPtr key(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(row.public_key.size()), key_library(), nullptr));
  if (!key) return fail(ErrorQueueMark::newest(ErrorKind::Unavailable, "the public half of a key at rest"));
  SIGNET_TRY(const KeyKind kind, kind_of(key.get()));
  return context_of(row.id, kind);
}

bool is_same(ByteView id, ByteView other) {
  return std::equal(id.begin(), id.end(), other.begin(), other.end());
}

Result<Bytes> object_of_row(const MasterKey& master_key, const KeyAtRest& row) {
  const ErrorQueueMark mark;
  SIGNET_TRY(const Bytes context, context_of_row(row));
  SIGNET_TRY(const SecretBytes at_rest, master_key.unseal(row.sealed, context));
  return TokenKey::object_of(at_rest.view());
}

}  // namespace

Result<std::shared_ptr<Token>> KeyHolders::token_of(std::string_view vault) {
  if (store_ == nullptr) return nullptr;
  SIGNET_TRY(const std::optional<std::string> text, store_->token(vault));
  if (!text) return nullptr;
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Token>& token = tokens_[*text];
  if (!token) {
    SIGNET_TRY(TokenUri uri, TokenUri::parse(*text));
    token = std::make_shared<Token>(std::move(uri));
  }
  return token;
}

void KeyHolders::log_out() {
  const std::lock_guard lock(mutex_);
  for (const auto& [uri, token] : tokens_) token->log_out();
}

Result<> KeyHolders::check_offers(std::string_view vault, bool in_token) {
  if (!in_token) return {};
  SIGNET_TRY(const std::shared_ptr<Token> token, token_of(vault));
  if (token) return {};
  return fail(
      ErrorKind::Unsupported,
      fmt::format("a key in hardware is wanted (RSA-HSM, EC-HSM), and the keys of key vault '{}' are in "
                  "no token: RSA and EC are there",
                  vault));
}

Result<std::unique_ptr<PrivateKey>> KeyHolders::generate(const KeyId& id, KeyKind kind) {
  SIGNET_TRY(std::shared_ptr<Token> token, token_of(id.vault));
  if (!token) return SoftwareKey::generate(kind);
  const TokenKey::Name name = new_name(id);
  SIGNET_CHECK(store_->note_objects(id.vault, {name.id}, clock_.now()));
  auto made = TokenKey::generate(std::move(token), kind, name);
  failpoint("token.made");
  return made;
}

Result<std::unique_ptr<PrivateKey>> KeyHolders::import(const KeyId& id, ByteView pkcs8) {
  SIGNET_TRY(std::shared_ptr<Token> token, token_of(id.vault));
  if (!token) return SoftwareKey::from_pkcs8(pkcs8);
  const TokenKey::Name name = new_name(id);
  SIGNET_CHECK(store_->note_objects(id.vault, {name.id}, clock_.now()));
  auto taken = TokenKey::import(std::move(token), pkcs8, name);
  failpoint("token.made");
  return taken;
}

Result<std::unique_ptr<PrivateKey>> KeyHolders::open(const KeyInfo& info, ByteView at_rest) {
  if (!info.in_token) return SoftwareKey::from_pkcs8(at_rest);
  SIGNET_TRY(std::shared_ptr<Token> token, token_of(info.id.vault));
  if (token) return TokenKey::open(std::move(token), at_rest, info.public_key);
  return fail(
      ErrorKind::Unavailable,
      fmt::format("it is in a token, and nothing says in which: name it again (signet vault create {})",
                  info.id.vault));
}

Result<std::vector<Bytes>> KeyHolders::objects_of(const KeyId& id, Damaged damaged) {
  // In this order, as everywhere: what was read before the master key changed opens for a moment longer.
  SIGNET_TRY(const std::vector<KeyAtRest> rows, store_->keys_at_rest(id.vault));
  SIGNET_TRY(const auto master_key, master_key_());
  std::vector<Bytes> objects;
  for (const KeyAtRest& row : rows) {
    if (!id.name.empty() && !equal_ignoring_case(row.id.name, id.name)) continue;
    auto object = object_of_row(*master_key, row);
    if (object) {
      objects.push_back(*std::move(object));
    } else if (damaged == Damaged::Refused || !is_same(sealed_under(row.sealed), master_key->id())) {
      return fail(ErrorKind::Unavailable,
                  fmt::format("key '{}' {}", to_string(row.id), object.error().detail));
    }
  }
  return objects;
}

Result<std::vector<Bytes>> KeyHolders::note(const KeyId& id) {
  SIGNET_TRY(const std::shared_ptr<Token> token, token_of(id.vault));
  if (!token) return std::vector<Bytes>();
  SIGNET_TRY(std::vector<Bytes> objects, objects_of(id, Damaged::LeftOut));
  if (!objects.empty()) SIGNET_CHECK(store_->note_objects(id.vault, objects, clock_.now()));
  return objects;
}

Result<> KeyHolders::settle(std::string_view vault, const std::vector<Bytes>& objects) {
  if (objects.empty()) return {};
  SIGNET_TRY(const std::shared_ptr<Token> token, token_of(vault));
  if (!token) return {};
  SIGNET_TRY(const std::vector<Bytes> named, objects_of({std::string(vault), {}, {}}, Damaged::Refused));
  for (const Bytes& object : objects)
    if (std::find(named.begin(), named.end(), object) == named.end())
      SIGNET_CHECK(TokenKey::destroy(*token, object));
  return store_->forget_objects(vault, objects);
}

Result<> KeyHolders::settle_all() {
  if (store_ == nullptr) return {};
  SIGNET_TRY(const std::vector<NotedObject> noted, store_->noted_objects(clock_.now() - kSettleAfter));
  std::map<std::string, std::vector<Bytes>> by_vault;
  for (const NotedObject& object : noted) by_vault[object.vault].push_back(object.id);
  Result<> outcome;
  for (const auto& [vault, objects] : by_vault)
    if (auto settled = settle(vault, objects); !settled && outcome) outcome = std::move(settled);
  return outcome;
}

Result<> EmbeddedVault::set_token(const Principal& principal, std::string_view vault, const TokenUri& token) {
  KeyId id{std::string(vault), {}, {}};
  const auto prepare = [&]() -> Result<> {
    SIGNET_CHECK(check_vault_name(vault));
    SIGNET_CHECK(check_is_operator(principal, vault));
    if (state_->holders().store() == nullptr)
      return fail(ErrorKind::Unsupported, "this vault keeps its keys itself");
    SIGNET_TRY(const auto now, this->token(vault));
    if (now && now->token() != token.token())
      return fail(ErrorKind::AlreadyExists,
                  fmt::format("the keys of key vault '{}' are in token '{}', and stay there: module and PIN "
                              "file can be named anew, the token cannot",
                              vault, now->name()));
    return Token(token).check();
  };
  return state_->change(state_->new_record(principal, "setVaultToken", id, token.text()), id, prepare,
                        [&] { return state_->holders().store()->put_token(vault, token.text()); });
}

Result<std::optional<TokenUri>> EmbeddedVault::token(std::string_view vault) {
  SIGNET_CHECK(check_vault_name(vault));
  SIGNET_TRY(const std::shared_ptr<Token> token, state_->holders().token_of(vault));
  return token ? std::optional(token->uri()) : std::nullopt;
}

Result<> EmbeddedVault::check_token(std::string_view vault) {
  SIGNET_TRY(const std::shared_ptr<Token> token, state_->holders().token_of(vault));
  return token ? token->check() : Result<>();
}

Result<> EmbeddedVault::settle_tokens() { return state_->holders().settle_all(); }

}  // namespace signet::vault
