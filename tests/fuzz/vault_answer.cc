#include "gateway/endpoint/http_client.h"
#include "gateway/remote_vault/answer_json.h"
#include "gateway/remote_vault/challenge.h"
#include "gateway/remote_vault/vault_link.h"
#include "tests/fuzz/fuzz_target.h"

/// What a vault elsewhere answers, and the challenge it makes: a key that was read is a whole one of a kind
/// that is used here, under a name that fits into a path; a token is asked for over TLS alone, for nobody
/// else's resource.

using namespace signet;
using namespace signet::gateway;
using fuzz::require;

namespace {

constexpr std::string_view kVault = "https://kv.vault.example";

void require_fits(const vault::KeyId& id) {
  require(id.vault == "kv1" && vault::check_key_id(id).has_value(), "an id is one");
}

void try_challenge(std::string_view field) {
  const auto challenge = read_challenge(field, kVault);
  if (!challenge) return;
  require(challenge->authority.starts_with("https://"), "an authority is asked over TLS");
  require(https_url(challenge->authority, "it").value_or("") == challenge->authority,
          "an authority is in its one form");
  const auto resource = parse_url(challenge->scope);
  require(resource.has_value(), "a scope is a URL");
  require(resource->host == "kv.vault.example" ||
              std::string_view("kv.vault.example").ends_with("." + resource->host),
          "the vault is part of the resource");
}

}  // namespace

SIGNET_FUZZ_TARGET(vault_answer) {
  try_challenge(as_text(input));
  auto answer = read_object(Slice::of(Bytes(input.begin(), input.end())));
  if (!answer) return;
  if (const auto key = read_key_bundle(*answer, "kv1")) {
    require_fits(key->id);
    require(!key->id.version.empty() && !key->public_key.empty(), "a key is whole");
    require(key->public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----"), "a public key is one");
  }
  if (const auto item = read_key_item(*answer, "kv1")) require_fits(item->id);
  if (const auto secret = read_secret_info(*answer, "kv1")) require_fits(secret->id);
  static_cast<void>(secret_octets_of(*answer, "value"));
  static_cast<void>(text_of(*answer, "error"));
}
