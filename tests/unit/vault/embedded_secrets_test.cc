#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

constexpr std::string_view kValue = "correct horse battery staple";
const Principal kStranger{"stranger"};

class EmbeddedSecretsTest : public VaultFixture {
 protected:
  EmbeddedSecretsTest() { grant_secrets("get,list"); }

  void grant_secrets(std::string_view permissions, const Principal& principal = kGateway) {
    AccessPolicy policy{"kv1", principal};
    policy.secrets = parse_secret_permissions(permissions).value();
    ASSERT_TRUE(vault_->set_policy(kOperator, policy).has_value());
  }

  Result<SecretInfo> set(std::string_view name, std::string_view value = kValue,
                         const SecretSettings& settings = {}) {
    return vault_->set_secret(kOperator, "kv1", name, SecretBytes::copy_of(value), settings);
  }

  /// What the gateway gets.
  Result<std::string> value_of(const SecretId& id) {
    SIGNET_TRY(const Secret secret, vault_->get_secret(kGateway, id));
    return std::string(as_text(secret.value.view()));
  }
};

TEST_F(EmbeddedSecretsTest, GivesBackWhatWasSet) {
  SecretSettings settings{"password", {}, {}};
  settings.attributes.expires = clock_.now() + std::chrono::hours(1);
  const SecretInfo info = set("partner", kValue, settings).value();
  EXPECT_EQ(info.id.version.size(), 32U);
  EXPECT_EQ(info.created, clock_.now());
  const Secret secret = vault_->get_secret(kGateway, info.id).value();
  EXPECT_EQ(as_text(secret.value.view()), kValue);
  EXPECT_EQ(secret.info.id, info.id);
  EXPECT_EQ(secret.info.settings.content_type, "password");
  EXPECT_EQ(secret.info.settings.attributes, settings.attributes);
}

TEST_F(EmbeddedSecretsTest, GivesTheNewestVersionWhereNoneIsNamed) {
  const SecretId first = set("partner", "old").value().id;
  const SecretId second = set("PARTNER", "new").value().id;
  EXPECT_EQ(second.name, "partner") << "as first written";
  EXPECT_EQ(value_of({"kv1", "partner", {}}).value(), "new");
  EXPECT_EQ(value_of({"KV1", "Partner", first.version}).value(), "old");
  const auto versions = vault_->secret_versions(kGateway, "kv1", "partner").value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions.front().id, second);
}

TEST_F(EmbeddedSecretsTest, ListsTheCurrentVersionOfEverySecretOfTheVault) {
  ASSERT_TRUE(set("b").has_value());
  ASSERT_TRUE(set("a").has_value());
  const SecretId newest = set("b").value().id;
  ASSERT_TRUE(vault_->set_secret(kOperator, "kv2", "c", SecretBytes::copy_of(kValue), {}).has_value());
  create(KeyKind::EcP256, "a-key-is-no-secret");
  const auto secrets = vault_->list_secrets(kGateway, "kv1").value();
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].id.name, "a");
  EXPECT_EQ(secrets[1].id, newest);
}

TEST_F(EmbeddedSecretsTest, TakesValuesUpToTheirLimitOctetByOctet) {
  const std::string octets("\0\n\xFF", 3);
  ASSERT_TRUE(set("octets", octets).has_value());
  EXPECT_EQ(value_of({"kv1", "octets", {}}).value(), octets);
  EXPECT_TRUE(set("long", std::string(kMaxSecretSize, 'x')).has_value());
  EXPECT_TRUE(
      fails_with(set("long", std::string(kMaxSecretSize + 1, 'x')), ErrorKind::InvalidInput, "25600"));
  EXPECT_TRUE(fails_with(set("empty", ""), ErrorKind::InvalidInput, "this one 0"));
}

TEST_F(EmbeddedSecretsTest, RefusesNamesAndSettingsThatDoNotFit) {
  EXPECT_TRUE(fails_with(set("../x"), ErrorKind::InvalidInput, "cannot name a secret"));
  EXPECT_TRUE(fails_with(vault_->set_secret(kOperator, "kv 1", "x", SecretBytes::copy_of(kValue), {}),
                         ErrorKind::InvalidInput, "cannot name a key vault"));
  EXPECT_TRUE(fails_with(set("x", kValue, {"a\nb", {}, {}}), ErrorKind::InvalidInput, "content type"));
  EXPECT_TRUE(fails_with(set("x", kValue, {std::string(256, 'a'), {}, {}}), ErrorKind::InvalidInput, "255"));
  SecretSettings no_time;
  no_time.attributes.not_before = no_time.attributes.expires = clock_.now();
  EXPECT_TRUE(fails_with(set("x", kValue, no_time), ErrorKind::InvalidInput, "the secret would expire"));
  EXPECT_TRUE(fails_with(value_of({"kv1", "x", {}}), ErrorKind::NotFound, "x")) << "none of them was kept";
  EXPECT_TRUE(fails_with(value_of({"kv1", "x", "1"}), ErrorKind::InvalidInput, "no version of secret"));
}

TEST_F(EmbeddedSecretsTest, GivesNothingOutWhileDisabled) {
  const SecretId id = set("partner").value().id;
  ASSERT_TRUE(vault_->update_secret(kOperator, id, {{}, {false, {}, {}}, {}}).has_value());
  EXPECT_TRUE(fails_with(value_of(id), ErrorKind::Disabled, "it is disabled"));
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_TRUE(fails_with(vault_->get_secret(kStranger, id), ErrorKind::PermissionDenied, "lacks"))
      << "a stranger does not learn it";
  ASSERT_TRUE(vault_->update_secret(kOperator, id, {{}, {true, {}, {}}, {}}).has_value());
  EXPECT_EQ(value_of(id).value(), kValue);
}

TEST_F(EmbeddedSecretsTest, DatesSayWhenAValueMayBeUsedAndKeepNobodyFromGettingIt) {
  const SecretId id = set("partner").value().id;
  const auto usable = [&](const DateChange& not_before, const DateChange& expires) {
    EXPECT_TRUE(vault_->update_secret(kOperator, id, {{}, {{}, not_before, expires}, {}}).has_value());
    EXPECT_EQ(value_of(id).value(), kValue);
    return check_usable(vault_->get_secret(kGateway, id).value().info, clock_.now());
  };
  const auto in = [&](auto duration) { return std::optional<Time>(clock_.now() + duration); };
  EXPECT_TRUE(
      fails_with(usable(in(std::chrono::hours(1)), {}), ErrorKind::PermissionDenied, "not valid before"));
  EXPECT_TRUE(fails_with(usable(std::optional<Time>(), in(std::chrono::hours(0))),
                         ErrorKind::PermissionDenied, "it expired at 2026-11-21T00:00:00"));
  EXPECT_TRUE(usable(in(std::chrono::hours(0)), in(std::chrono::microseconds(1))).has_value());
}

TEST_F(EmbeddedSecretsTest, AChangeLeavesWhatItDoesNotMention) {
  SecretSettings settings{"password", {true, {}, clock_.now() + std::chrono::hours(1)}, {{"owner", "edi"}}};
  const SecretId id = set("partner", kValue, settings).value().id;
  SecretSettings after = vault_->update_secret(kOperator, {"kv1", "partner", {}}, {}).value().settings;
  EXPECT_EQ(after.content_type, "password");
  EXPECT_EQ(after.attributes, settings.attributes);
  EXPECT_EQ(after.tags, settings.tags);
  after = vault_->update_secret(kOperator, id, {"token", {}, Tags{}}).value().settings;
  EXPECT_EQ(after.content_type, "token");
  EXPECT_EQ(after.attributes, settings.attributes);
  EXPECT_TRUE(after.tags.empty());
  EXPECT_EQ(audit_.last().detail, "content_type='token' tags=0");
  EXPECT_TRUE(
      fails_with(vault_->update_secret(kOperator, id, {"a\nb", {}, {}}), ErrorKind::InvalidInput, "type"));
  EXPECT_TRUE(fails_with(vault_->update_secret(kOperator, id, {{}, {}, Tags{{"", ""}}}),
                         ErrorKind::InvalidInput, "cannot be a secret's"));
}

TEST_F(EmbeddedSecretsTest, DeniesEveryOperationThatNoPolicyGrants) {
  const SecretId id = set("partner").value().id;
  const auto denied = [](const auto& result, std::string_view permission) {
    return fails_with(result, ErrorKind::PermissionDenied,
                      "lacks the secret permission '" + std::string(permission) + "' on key vault 'kv1'");
  };
  EXPECT_TRUE(denied(vault_->set_secret(kStranger, "kv1", "s", SecretBytes::copy_of(kValue), {}), "set"));
  EXPECT_TRUE(denied(vault_->get_secret(kStranger, id), "get"));
  EXPECT_TRUE(denied(vault_->get_secret(kStranger, {"kv1", "none", {}}), "get")) << "before existence";
  EXPECT_TRUE(denied(vault_->list_secrets(kStranger, "kv1"), "list"));
  EXPECT_TRUE(denied(vault_->secret_versions(kStranger, "kv1", "partner"), "list"));
  EXPECT_TRUE(denied(vault_->update_secret(kStranger, id, {}), "set"));
  EXPECT_TRUE(denied(vault_->delete_secret(kStranger, "kv1", "partner"), "delete"));
  EXPECT_TRUE(denied(vault_->get_secret(kOperator, id), "get")) << "the operator looks after secrets only";
  EXPECT_TRUE(value_of(id).has_value()) << "still there";
}

TEST_F(EmbeddedSecretsTest, PermissionsForKeysAreNoneForSecrets) {
  const SecretId id = set("partner").value().id;
  grant("all");
  EXPECT_TRUE(fails_with(value_of(id), ErrorKind::PermissionDenied,
                         "signet vault policy set --vault kv1 --principal gateway --secret-permissions get"));
  const KeyId key = create(KeyKind::EcP256);
  grant_secrets("all");
  EXPECT_TRUE(fails_with(vault_->get(kGateway, key), ErrorKind::PermissionDenied, "key permission 'get'"));
  EXPECT_TRUE(value_of(id).has_value());
}

TEST_F(EmbeddedSecretsTest, APolicyForSecretsAloneIsKeptAndOneForNothingIsNot) {
  grant_secrets("get", kStranger);
  ASSERT_EQ(vault_->policies(kOperator, "kv1").value().size(), 2U);
  grant_secrets("", kStranger);
  EXPECT_EQ(vault_->policies(kOperator, "kv1").value().size(), 1U);
}

TEST_F(EmbeddedSecretsTest, NothingOfAValueLiesInTheStoreOrTheAuditLog) {
  const SecretId id = set("partner").value().id;
  ASSERT_TRUE(value_of(id).has_value());
  const std::string sealed(as_text(secrets_.sealed(id)));
  for (std::size_t i = 0; i + 4 <= kValue.size(); ++i)
    EXPECT_EQ(sealed.find(kValue.substr(i, 4)), std::string::npos) << i;
  for (const AuditRecord& record : audit_.records())
    EXPECT_EQ(record.detail.find("horse"), std::string::npos) << record.detail;
}

TEST_F(EmbeddedSecretsTest, RefusesASealedValueInAnotherPlace) {
  const SecretId a = set("a", "value of a").value().id;
  const SecretId a_again = set("a", "another").value().id;
  const SecretId b = set("b", "value of b").value().id;
  const KeyId key = create(KeyKind::EcP256, "a");
  const auto refused = [&](const SecretId& id) {
    return fails_with(value_of(id), ErrorKind::Unavailable, "cannot be unsealed");
  };
  const Bytes sealed_a = secrets_.sealed(a);
  secrets_.sealed(b) = sealed_a;
  EXPECT_TRUE(refused(b)) << "of another name";
  secrets_.sealed(a_again) = sealed_a;
  EXPECT_TRUE(refused(a_again)) << "of an older version";
  secrets_.sealed(b) = store_.sealed(key);
  EXPECT_TRUE(refused(b)) << "a key's private half";
  secrets_.sealed(a).back() ^= 1U;
  EXPECT_TRUE(refused(a)) << "changed";
  secrets_.sealed(a) = sealed_a;
  EXPECT_TRUE(value_of(a).has_value());
}

TEST_F(EmbeddedSecretsTest, RecordsEachUseAndEachRefusal) {
  const SecretId id = set("partner").value().id;
  {
    const AuditScope scope = message_scope("<1@partner>");
    ASSERT_TRUE(value_of({"kv1", "partner", {}}).has_value());
  }
  const AuditRecord record = audit_.last();
  EXPECT_EQ(record.principal, "gateway");
  EXPECT_EQ(record.operation, "getSecret");
  EXPECT_EQ(record.object, AuditObject::Secret);
  EXPECT_EQ(record.key, id);
  EXPECT_EQ(record.message, "<1@partner>");
  EXPECT_EQ(record.result, AuditResult::Success);
  EXPECT_FALSE(vault_->get_secret(kStranger, id).has_value());
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_FALSE(value_of({"kv1", "none", {}}).has_value());
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
}

TEST_F(EmbeddedSecretsTest, RecordsEveryOperationOnce) {
  const SecretId id = set("partner").value().id;
  const std::size_t before = audit_.records().size();
  static_cast<void>(value_of(id));
  static_cast<void>(vault_->update_secret(kOperator, id, {}));
  static_cast<void>(vault_->delete_secret(kOperator, "kv1", "partner"));
  static_cast<void>(vault_->list_secrets(kStranger, "kv1"));
  std::vector<std::string> operations;
  const auto records = audit_.records();
  for (std::size_t i = before; i < records.size(); ++i) {
    operations.push_back(records[i].operation);
    EXPECT_EQ(records[i].object, AuditObject::Secret);
  }
  EXPECT_THAT(operations, testing::ElementsAre("getSecret", "updateSecret", "deleteSecret", "listSecrets"));
}

TEST_F(EmbeddedSecretsTest, DoesNothingThatItCannotRecord) {
  const SecretId id = set("partner").value().id;
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  const auto withheld = [](const auto& result) {
    return fails_with(result, ErrorKind::IoFailure, "audit record cannot be written: no space left");
  };
  EXPECT_TRUE(withheld(value_of(id)));
  EXPECT_TRUE(withheld(set("unrecorded")));
  EXPECT_TRUE(withheld(vault_->update_secret(kOperator, id, {"", {false, {}, {}}, {}})));
  EXPECT_TRUE(withheld(vault_->delete_secret(kOperator, "kv1", "partner")));
  audit_.failure.reset();
  EXPECT_EQ(vault_->list_secrets(kGateway, "kv1").value().size(), 1U);
  EXPECT_TRUE(value_of(id).has_value());
}

TEST_F(EmbeddedSecretsTest, FailsWhenTheStoreFailsAndSaysSoInTheRecord) {
  const SecretId id = set("partner").value().id;
  secrets_.failure = Error{ErrorKind::IoFailure, "the disk is gone"};
  EXPECT_TRUE(fails_with(value_of(id), ErrorKind::IoFailure, "the disk is gone"));
  EXPECT_TRUE(fails_with(set("partner"), ErrorKind::IoFailure, "the disk is gone"));
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
}

}  // namespace
}  // namespace signet::vault
