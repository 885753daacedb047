#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

TEST(KeyNames, FollowKeyVaultsRules) {
  EXPECT_TRUE(check_key_id({"kv1", "as2-key", {}}).has_value());
  EXPECT_TRUE(check_key_id({"Vault-of-24-characters-x", "K", std::string(32, 'a')}).has_value());
}

TEST(KeyNames, RefuseEverythingElse) {
  for (const char* const vault :
       {"", "kv", "1kv", "kv-", "k--v", "kv_1", "kv/1", "a-vault-name-of-25-chars-x"})
    EXPECT_TRUE(fails_with(check_vault_name(vault), ErrorKind::InvalidInput, "cannot name a key vault"))
        << vault;
  for (const std::string name : {"", "a_b", "../x", "a b"})
    EXPECT_TRUE(fails_with(check_key_id({"kv1", name, {}}), ErrorKind::InvalidInput, "cannot name a key"))
        << name;
  EXPECT_FALSE(check_key_id({"kv1", std::string(128, 'a'), {}}).has_value());
  for (const std::string version : {"1", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB"})
    EXPECT_TRUE(fails_with(check_key_id({"kv1", "k", version}), ErrorKind::InvalidInput, "32 lower-case"));
}

TEST(KeyWords, ReadWhatTheyWrite) {
  for (const KeyKind kind : {KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096, KeyKind::EcP256,
                             KeyKind::EcP384, KeyKind::EcP521})
    EXPECT_EQ(parse_key_kind(to_string(kind)).value(), kind);
  EXPECT_EQ(parse_key_kind("p-384").value(), KeyKind::EcP384);
  EXPECT_EQ(to_string(parse_key_ops("unwrapkey, SIGN").value()), "sign,unwrapKey");
  EXPECT_EQ(to_string(parse_key_permissions("sign,Decrypt").value()), "decrypt,sign");
  EXPECT_TRUE(parse_key_permissions("all").value().has(KeyPermission::Purge));
  EXPECT_TRUE(parse_key_permissions("").value().empty());
  EXPECT_EQ(to_string(parse_secret_permissions("Set,list , GET").value()), "get,list,set");
  EXPECT_TRUE(parse_secret_permissions("all").value().has(SecretPermission::Purge));
  EXPECT_EQ(parse_signature_algorithm("ps384").value(), SignatureAlgorithm::PS384);
  EXPECT_EQ(parse_encryption_algorithm("RSA-OAEP-256").value(), kRsaOaep256);
  EXPECT_EQ(to_string(EncryptionAlgorithm{true, Hash::Sha256, Hash::Sha1}),
            "RSA-OAEP with sha-256 and MGF1 sha1");
}

TEST(KeyWords, SayWhichWordIsWrongAndWhichThereAre) {
  EXPECT_TRUE(fails_with(parse_key_kind("RSA-1024"), ErrorKind::InvalidInput, "RSA-2048"));
  EXPECT_TRUE(fails_with(parse_key_ops("sign,decode"), ErrorKind::InvalidInput, "'decode'"));
  EXPECT_TRUE(fails_with(parse_key_permissions("sign,,get"), ErrorKind::InvalidInput, "''"));
  EXPECT_TRUE(fails_with(parse_secret_permissions("get,sign"), ErrorKind::InvalidInput,
                         "'sign' is no secret permission; there are: get, list, set, delete"));
  EXPECT_TRUE(fails_with(parse_signature_algorithm("RS1"), ErrorKind::InvalidInput, "RS256"));
  EXPECT_TRUE(fails_with(parse_encryption_algorithm("RSA"), ErrorKind::Unsupported, "RSA1_5"));
}

TEST(AccessPolicy, DeniesWithThePermissionTheVaultAndTheCommand) {
  const Result<> denied = check_permission(kGateway, "kv1", {KeyPermission::Get}, KeyPermission::Decrypt);
  EXPECT_TRUE(fails_with(denied, ErrorKind::PermissionDenied,
                         "'gateway' lacks the key permission 'decrypt' on key vault 'kv1'"));
  EXPECT_TRUE(fails_with(
      denied, ErrorKind::PermissionDenied,
      "signet vault policy set --vault kv1 --principal gateway --key-permissions decrypt,sign,get,list"));
}

TEST(AccessPolicy, NamesInTheCommandWhatIsGrantedAlready) {
  EXPECT_TRUE(fails_with(check_permission({"alice"}, "kv1", {KeyPermission::Get}, KeyPermission::Verify),
                         ErrorKind::PermissionDenied, "--key-permissions get,verify"));
}

TEST(AccessPolicy, LetsTheOperatorLookAfterKeysButNotUseThem) {
  EXPECT_TRUE(check_permission(kOperator, "kv1", {}, KeyPermission::Import).has_value());
  EXPECT_FALSE(check_permission(kOperator, "kv1", {}, KeyPermission::Sign).has_value());
  EXPECT_FALSE(check_permission(kOperator, "kv1", {}, KeyPermission::Decrypt).has_value());
}

TEST(AuditScope, NestsAndEnds) {
  EXPECT_EQ(audited_message(), "");
  {
    const AuditScope outer = message_scope("<1@a>");
    {
      const AuditScope inner = message_scope("<2@a>");
      EXPECT_EQ(audited_message(), "<2@a>");
    }
    EXPECT_EQ(audited_message(), "<1@a>");
  }
  EXPECT_EQ(audited_message(), "");
}

}  // namespace
}  // namespace signet::vault
