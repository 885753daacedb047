#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

constexpr std::chrono::days kRetention{90};
const Principal kStranger{"stranger"};

/// A key and a secret, both named "one" and of two versions, in "kv1".
class DeletionTest : public EveryBackEnd {
 protected:
  DeletionTest() {
    AccessPolicy policy{"kv1", kGateway};
    policy.keys = parse_key_permissions("decrypt,sign,get,list").value();
    policy.secrets = parse_secret_permissions("get,list").value();
    EXPECT_TRUE(vault_->set_policy(kOperator, policy).has_value());
    first_key_ = create(KeyKind::EcP256, "one");
    key_ = create(KeyKind::EcP256, "One");
    first_secret_ = set("one").value().id;
    secret_ = set("one").value().id;
  }

  Result<SecretInfo> set(std::string_view name) {
    return vault_->set_secret(kOperator, "kv1", name, SecretBytes::copy_of("value"), {});
  }
  Result<KeyInfo> create_again(std::string_view name = "one") {
    return vault_->create_key(kOperator, "kv1", name, KeyKind::EcP256, {});
  }
  Result<Bytes> sign(const KeyId& id) {
    return vault_->sign(kGateway, id, SignatureAlgorithm::ES256, digest(Hash::Sha256, as_bytes("text")));
  }
  void delete_both() {
    ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "ONE").has_value());
    ASSERT_TRUE(vault_->delete_secret(kOperator, "KV1", "One").has_value());
  }
  void protect(int retention_days = kLongestRetention) {
    ASSERT_TRUE(vault_->set_settings(kOperator, "kv1", {retention_days, true}).has_value());
  }

  KeyId first_key_, key_, first_secret_, secret_;
};

TEST_P(DeletionTest, WhatIsDeletedIsOutOfUseInAllVersionsAndShownAsDeleted) {
  ASSERT_TRUE(sign(key_).has_value()) << "and held in memory from then on";
  const DeletedKey key = vault_->delete_key(kOperator, "kv1", "ONE").value();
  EXPECT_EQ(key.info.id, key_);
  EXPECT_EQ(key.deletion.deleted, clock_.now());
  EXPECT_EQ(key.deletion.scheduled_purge, clock_.now() + kRetention);
  for (const KeyId& id : {key_, first_key_, KeyId{"kv1", "one", {}}}) {
    EXPECT_TRUE(fails_with(sign(id), ErrorKind::NotFound, "one"));
    EXPECT_TRUE(fails_with(vault_->get(kGateway, id), ErrorKind::NotFound, "one"));
    EXPECT_TRUE(fails_with(vault_->update(kOperator, id, {}), ErrorKind::NotFound, "one"));
  }
  EXPECT_TRUE(fails_with(vault_->versions(kGateway, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(vault_->list(kGateway, "kv1").value().empty());
  EXPECT_TRUE(vault_->get_secret(kGateway, secret_).has_value()) << "a secret of that name is something else";

  ASSERT_TRUE(vault_->delete_secret(kOperator, "KV1", "One").has_value());
  for (const SecretId& id : {secret_, first_secret_, SecretId{"kv1", "one", {}}}) {
    EXPECT_TRUE(fails_with(vault_->get_secret(kGateway, id), ErrorKind::NotFound, "one"));
    EXPECT_TRUE(fails_with(vault_->update_secret(kOperator, id, {}), ErrorKind::NotFound, "one"));
  }
  EXPECT_TRUE(fails_with(vault_->secret_versions(kGateway, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(vault_->list_secrets(kGateway, "kv1").value().empty());

  EXPECT_EQ(vault_->get_deleted_key(kGateway, "kv1", "one").value().info.id, key_);
  EXPECT_EQ(vault_->get_deleted_secret(kGateway, "kv1", "one").value().info.id, secret_);
  ASSERT_EQ(vault_->list_deleted_keys(kGateway, "kv1").value().size(), 1U) << "one for all versions";
  ASSERT_EQ(vault_->list_deleted_secrets(kGateway, "kv1").value().size(), 1U);
  EXPECT_TRUE(vault_->list_deleted_keys(kOperator, "kv2").value().empty());
}

TEST_P(DeletionTest, WhatIsNotThereIsNeitherDeletedNorRecoveredNorPurged) {
  EXPECT_TRUE(fails_with(vault_->delete_key(kOperator, "kv1", "none"), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(fails_with(vault_->delete_secret(kOperator, "kv1", "none"), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(fails_with(vault_->recover_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"))
      << "in use";
  EXPECT_TRUE(fails_with(vault_->recover_secret(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->purge_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->purge_secret(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->get_deleted_key(kGateway, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->get_deleted_secret(kGateway, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(
      fails_with(vault_->delete_key(kOperator, "kv1", "../x"), ErrorKind::InvalidInput, "cannot name a key"));
  EXPECT_TRUE(fails_with(vault_->purge_secret(kOperator, "kv1", "../x"), ErrorKind::InvalidInput,
                         "cannot name a secret"));
  delete_both();
  EXPECT_TRUE(fails_with(vault_->delete_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"))
      << "deleted already";
  EXPECT_TRUE(fails_with(vault_->delete_secret(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(sign({"kv1", "one", {}}).error().kind == ErrorKind::NotFound);
}

TEST_P(DeletionTest, WhatIsRecoveredIsAsItWas) {
  delete_both();
  EXPECT_EQ(vault_->recover_key(kOperator, "kv1", "One").value().id, key_);
  EXPECT_EQ(vault_->recover_secret(kOperator, "kv1", "One").value().id, secret_);
  EXPECT_TRUE(sign(key_).has_value());
  EXPECT_TRUE(sign(first_key_).has_value());
  EXPECT_TRUE(vault_->get_secret(kGateway, first_secret_).has_value());
  EXPECT_EQ(vault_->versions(kGateway, "kv1", "one").value().size(), 2U);
  EXPECT_TRUE(vault_->list_deleted_keys(kGateway, "kv1").value().empty());
  EXPECT_TRUE(create_again().has_value());
}

TEST_P(DeletionTest, TheNameOfWhatIsDeletedStaysTakenAndIsNoOrdinaryConflict) {
  delete_both();
  EXPECT_TRUE(fails_with(create_again(), ErrorKind::DeletedButRecoverable, "signet vault key recover one"));
  EXPECT_TRUE(fails_with(create_again("ONE"), ErrorKind::DeletedButRecoverable, "until 2027-02-19"));
  EXPECT_TRUE(fails_with(set("one"), ErrorKind::DeletedButRecoverable, "signet vault secret recover one"));
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
  EXPECT_TRUE(create_again("another").has_value());
  EXPECT_TRUE(fails_with(vault_->create_key(kStranger, "kv1", "one", KeyKind::EcP256, {}),
                         ErrorKind::PermissionDenied, "'create'"))
      << "a stranger does not learn what there was";
}

TEST_P(DeletionTest, WhatIsPurgedIsGoneAndItsNameIsFree) {
  delete_both();
  ASSERT_TRUE(vault_->purge_key(kOperator, "kv1", "ONE").has_value());
  ASSERT_TRUE(vault_->purge_secret(kOperator, "kv1", "ONE").has_value());
  EXPECT_TRUE(fails_with(vault_->recover_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(fails_with(vault_->recover_secret(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_NE(create_again().value().id.version, key_.version);
  EXPECT_TRUE(set("one").has_value());
  EXPECT_EQ(vault_->versions(kGateway, "kv1", "one").value().size(), 1U);
  EXPECT_TRUE(fails_with(sign(key_), ErrorKind::NotFound, "one"));
}

TEST_P(DeletionTest, WhoseTimeIsOverIsGoneBeforeAnybodyAsks) {
  delete_both();
  clock_.set(clock_.now() + kRetention - std::chrono::microseconds(1));
  ASSERT_TRUE(vault_->purge_overdue().has_value());
  ASSERT_EQ(vault_->list_deleted_keys(kGateway, "kv1").value().size(), 1U) << "not yet";
  clock_.set(clock_.now() + std::chrono::microseconds(1));
  EXPECT_TRUE(fails_with(vault_->recover_key(kOperator, "kv1", "one"), ErrorKind::NotFound, "one"));
  EXPECT_TRUE(vault_->list_deleted_secrets(kGateway, "kv1").value().empty());
  EXPECT_TRUE(create_again().has_value());
  EXPECT_TRUE(set("one").has_value());
  std::vector<std::string> purges;
  for (const AuditRecord& record : audit_.records())
    if (record.operation.starts_with("purge"))
      purges.push_back(record.principal + " " + record.operation + ": " + record.detail);
  EXPECT_THAT(purges, testing::ElementsAre(
                          "gateway purge: its retention was over at 2027-02-19T00:00:00.000Z",
                          "gateway purgeSecret: its retention was over at 2027-02-19T00:00:00.000Z"));
}

TEST_P(DeletionTest, AVaultsRetentionCountsForWhatIsDeletedLater) {
  EXPECT_EQ(vault_->settings("kv1").value(), VaultSettings());
  delete_both();
  ASSERT_TRUE(vault_->set_settings(kOperator, "KV1", {7, false}).has_value());
  EXPECT_EQ(vault_->settings("kv1").value().retention_days, 7);
  EXPECT_EQ(vault_->settings("kv2").value().retention_days, 90);
  EXPECT_EQ(vault_->get_deleted_key(kGateway, "kv1", "one").value().deletion.scheduled_purge,
            clock_.now() + kRetention);
  create(KeyKind::EcP256, "two");
  EXPECT_EQ(vault_->delete_key(kOperator, "kv1", "two").value().deletion.scheduled_purge,
            clock_.now() + std::chrono::days(7));
  for (const int days : {6, 91, 0, -1})
    EXPECT_TRUE(fails_with(vault_->set_settings(kOperator, "kv1", {days, false}), ErrorKind::InvalidInput,
                           "7 to 90"));
  EXPECT_TRUE(fails_with(vault_->set_settings(kGateway, "kv1", {90, false}), ErrorKind::PermissionDenied,
                         "'gateway'"));
  EXPECT_TRUE(fails_with(vault_->settings("k"), ErrorKind::InvalidInput, "key vault"));
}

TEST_P(DeletionTest, UnderPurgeProtectionOnlyTimePurges) {
  protect(30);
  delete_both();
  EXPECT_TRUE(fails_with(vault_->purge_key(kOperator, "kv1", "one"), ErrorKind::PermissionDenied,
                         "purge protection"));
  EXPECT_TRUE(fails_with(vault_->purge_secret(kOperator, "kv1", "one"), ErrorKind::PermissionDenied,
                         "2026-12-21T00:00:00"));
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_TRUE(fails_with(vault_->purge_key(kOperator, "kv1", "none"), ErrorKind::NotFound, "none"));
  clock_.set(clock_.now() + std::chrono::days(30));
  ASSERT_TRUE(vault_->purge_overdue().has_value());
  EXPECT_TRUE(vault_->list_deleted_keys(kGateway, "kv1").value().empty());
}

TEST_P(DeletionTest, PurgeProtectionIsNotWeakened) {
  protect(30);
  EXPECT_TRUE(
      fails_with(vault_->set_settings(kOperator, "kv1", {30, false}), ErrorKind::AlreadyExists, "never"));
  EXPECT_TRUE(
      fails_with(vault_->set_settings(kOperator, "kv1", {29, true}), ErrorKind::AlreadyExists, "30 days"));
  EXPECT_TRUE(vault_->set_settings(kOperator, "kv1", {31, true}).has_value());
  EXPECT_EQ(vault_->settings("kv1").value(), (VaultSettings{31, true}));
}

TEST_P(DeletionTest, AKeyThatSomethingLinksToStaysAndTheRefusalNamesIt) {
  store_.users = {"certificate 'acme'", "certificate 'acme-tls'"};
  EXPECT_TRUE(fails_with(vault_->delete_key(kOperator, "kv1", "one"), ErrorKind::AlreadyExists,
                         "certificate 'acme', certificate 'acme-tls' links to it"));
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
  EXPECT_TRUE(sign(key_).has_value());
  EXPECT_TRUE(
      fails_with(vault_->delete_key(kStranger, "kv1", "one"), ErrorKind::PermissionDenied, "'delete'"))
      << "a stranger does not learn who uses it";
  EXPECT_TRUE(vault_->delete_secret(kOperator, "kv1", "one").has_value()) << "which is something else";
  store_.users.clear();
  EXPECT_TRUE(vault_->delete_key(kOperator, "kv1", "one").has_value());
}

TEST_P(DeletionTest, DeniesEveryOperationThatNoPolicyGrants) {
  delete_both();
  create(KeyKind::EcP256, "here");
  ASSERT_TRUE(set("here").has_value());
  const auto denied = [](const auto& result, std::string_view permission) {
    return fails_with(result, ErrorKind::PermissionDenied, "permission '" + std::string(permission) + "'");
  };
  for (const char* name : {"one", "here", "none"}) {
    EXPECT_TRUE(denied(vault_->delete_key(kStranger, "kv1", name), "delete"));
    EXPECT_TRUE(denied(vault_->get_deleted_key(kStranger, "kv1", name), "get"));
    EXPECT_TRUE(denied(vault_->recover_key(kStranger, "kv1", name), "recover"));
    EXPECT_TRUE(denied(vault_->purge_key(kStranger, "kv1", name), "purge"));
    EXPECT_TRUE(denied(vault_->delete_secret(kStranger, "kv1", name), "delete"));
    EXPECT_TRUE(denied(vault_->get_deleted_secret(kStranger, "kv1", name), "get"));
    EXPECT_TRUE(denied(vault_->recover_secret(kStranger, "kv1", name), "recover"));
    EXPECT_TRUE(denied(vault_->purge_secret(kStranger, "kv1", name), "purge"));
  }
  EXPECT_TRUE(denied(vault_->list_deleted_keys(kStranger, "kv1"), "list"));
  EXPECT_TRUE(denied(vault_->list_deleted_secrets(kStranger, "kv1"), "list"));
  EXPECT_TRUE(vault_->recover_key(kOperator, "kv1", "one").has_value());
  EXPECT_TRUE(vault_->recover_secret(kOperator, "kv1", "one").has_value());
}

TEST_P(DeletionTest, RecordsEveryChangeOnceAndBeforeItHappens) {
  const std::size_t before = audit_.records().size();
  delete_both();
  static_cast<void>(vault_->recover_key(kOperator, "kv1", "one"));
  static_cast<void>(vault_->recover_secret(kOperator, "kv1", "one"));
  delete_both();
  static_cast<void>(vault_->purge_key(kOperator, "kv1", "one"));
  static_cast<void>(vault_->purge_secret(kOperator, "kv1", "one"));
  static_cast<void>(vault_->set_settings(kOperator, "kv1", {7, false}));
  std::vector<std::string> operations;
  const auto records = audit_.records();
  for (std::size_t i = before; i < records.size(); ++i) operations.push_back(records[i].operation);
  EXPECT_THAT(operations, testing::ElementsAre("delete", "deleteSecret", "recover", "recoverSecret", "delete",
                                               "deleteSecret", "purge", "purgeSecret", "setVaultSettings"));
}

TEST_P(DeletionTest, DoesNothingThatItCannotRecord) {
  const auto withheld = [](const auto& result) {
    return fails_with(result, ErrorKind::IoFailure, "audit record cannot be written: no space left");
  };
  const Error full{ErrorKind::IoFailure, "no space left"};
  audit_.failure = full;
  EXPECT_TRUE(withheld(vault_->delete_key(kOperator, "kv1", "one")));
  EXPECT_TRUE(withheld(vault_->delete_secret(kOperator, "kv1", "one")));
  audit_.failure.reset();
  EXPECT_TRUE(sign(key_).has_value());
  delete_both();
  audit_.failure = full;
  EXPECT_TRUE(withheld(vault_->recover_key(kOperator, "kv1", "one")));
  EXPECT_TRUE(withheld(vault_->purge_secret(kOperator, "kv1", "one")));
  EXPECT_TRUE(withheld(vault_->set_settings(kOperator, "kv1", {7, false})));
  clock_.set(clock_.now() + kRetention);
  EXPECT_TRUE(withheld(vault_->purge_overdue()));
  clock_.set(clock_.now() - kRetention);
  audit_.failure.reset();
  EXPECT_EQ(vault_->settings("kv1").value(), VaultSettings());
  EXPECT_TRUE(vault_->recover_key(kOperator, "kv1", "one").has_value());
  EXPECT_TRUE(vault_->recover_secret(kOperator, "kv1", "one").has_value());
}

SIGNET_EVERY_BACK_END(DeletionTest);

}  // namespace
}  // namespace signet::vault
