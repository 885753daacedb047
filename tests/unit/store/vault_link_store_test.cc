#include "gateway/store/vault_link_store.h"

#include <gmock/gmock.h>

#include "gateway/store/key_store.h"
#include "gateway/store/resource_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using testing::ElementsAre;

VaultLink link_of(const std::string& name) {
  VaultLink link;
  link.name = name;
  link.url = "https://vault.example";
  link.client_id = "me";
  link.client_secret_file = "/etc/signet/secret";
  link.authority = "https://login.example/t";
  link.authorities = "PEM";
  link.created = kNoon;
  return link;
}

vault::StoredKey key_in(const std::string& vault) {
  vault::StoredKey key;
  key.info.id = {vault, "k", std::string(32, 'a')};
  key.info.kind = vault::KeyKind::EcP256;
  return key;
}

vault::StoredSecret secret_in(const std::string& vault) {
  vault::StoredSecret secret;
  secret.info.id = {vault, "s", std::string(32, 'a')};
  return secret;
}

class VaultLinkStoreTest : public StoreTest {
 protected:
  const std::shared_ptr<Database> database_ = open()->database();
  SqliteVaultLinkStore links_{database_};
  SqliteKeyStore keys_{database_};
  SqliteSecretStore secrets_{database_};
  SqliteVaultCertificateStore certificates_{database_};
  SqliteResourceStore resources_{database_};
};

TEST_F(VaultLinkStoreTest, KeepsLinksAsTheyAre) {
  const std::uint64_t before = links_.link_generation().value();
  ASSERT_TRUE(links_.put_link(link_of("central")));
  EXPECT_NE(links_.link_generation().value(), before);
  VaultLink by_token;
  by_token.name = "another";
  by_token.url = "https://other.example:1";
  by_token.token_file = "/etc/token";
  ASSERT_TRUE(links_.put_link(by_token));
  EXPECT_THAT(links_.links().value(), ElementsAre(by_token, link_of("central")));
  EXPECT_EQ(links_.put_link(link_of("CENTRAL")).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(links_.remove_link("Central"));
  EXPECT_EQ(links_.remove_link("central").error().kind, ErrorKind::NotFound);
  EXPECT_THAT(links_.links().value(), ElementsAre(by_token));
}

TEST_F(VaultLinkStoreTest, NoVaultOfTheHomeBecomesALink) {
  ASSERT_TRUE(keys_.put_version(key_in("kv-keys")));
  ASSERT_TRUE(secrets_.put_version(secret_in("KV-secrets")));
  ASSERT_TRUE(keys_.put_policy({"kv-policies", {"app"}, vault::gateway_key_permissions(), {}, {}}));
  ASSERT_TRUE(keys_.put_settings("kv-settings", {7, true}));
  ASSERT_TRUE(certificates_.put_contacts("kv-contacts", {{"a@b.example", "", ""}}));
  ASSERT_TRUE(resources_.put(api::ResourceKind::Vault, "kv-resource", "{}", kNoon));
  ASSERT_TRUE(resources_.put(api::ResourceKind::DeletedVault, "kv-deleted", "{}", kNoon));
  const auto own = links_.own_vaults().value();
  EXPECT_THAT(own, ElementsAre("kv-contacts", "kv-deleted", "kv-keys", "kv-policies", "kv-resource",
                               "kv-secrets", "kv-settings"));
  for (const std::string& name : own)
    EXPECT_EQ(links_.put_link(link_of(name)).error().kind, ErrorKind::AlreadyExists) << name;
  EXPECT_TRUE(links_.put_link(link_of("kv-other")));
}

TEST_F(VaultLinkStoreTest, NothingIsWrittenUnderALinksName) {
  ASSERT_TRUE(links_.put_link(link_of("central")));
  const auto refuses = [](const auto& result) {
    EXPECT_FALSE(result);
    if (result) return;
    EXPECT_EQ(result.error().kind, ErrorKind::AlreadyExists);
    EXPECT_THAT(result.error().detail, testing::HasSubstr("https://vault.example"));
  };
  refuses(keys_.put_version(key_in("Central")));
  refuses(keys_.put_all({key_in("Central")}));
  refuses(secrets_.put_version(secret_in("Central")));
  refuses(keys_.put_policy({"Central", {"app"}, vault::gateway_key_permissions(), {}, {}}));
  refuses(keys_.put_settings("Central", {7, true}));
  refuses(certificates_.put_contacts("Central", {{"a@b.example", "", ""}}));
  vault::StoredIssuer issuer;
  issuer.issuer.id = {"Central", "issuer", {}};
  refuses(certificates_.put_issuer(issuer));
  refuses(resources_.put(api::ResourceKind::Vault, "Central", "{}", kNoon));
  EXPECT_THAT(links_.own_vaults().value(), testing::IsEmpty());
}

}  // namespace
}  // namespace signet::gateway
