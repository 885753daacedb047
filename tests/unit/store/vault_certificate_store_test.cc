#include "gateway/store/vault_certificate_store.h"

#include <gmock/gmock.h>

#include "gateway/store/key_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/token_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using vault::CertificateInfo;
using vault::NewVersion;
using vault::OperationStatus;
using vault::StoredName;
using vault::StoredOperation;

class VaultCertificateStoreTest : public StoreTest {
 protected:
  static StoredName name(std::string_view of = "tls") {
    StoredName made;
    made.id = {"Vault-1", std::string(of), {}};
    made.policy.subject = "CN=as2.acme.example";
    made.policy.kind = vault::KeyKind::EcP384;
    made.policy.exportable = false;
    made.policy.created = kNoon;
    made.policy.updated = kNoon + std::chrono::microseconds(1);
    return made;
  }
  static StoredOperation operation(OperationStatus status, std::string_view request_id) {
    StoredOperation begun;
    begun.operation = {{"Vault-1", "tls", {}}, "Unknown", {1, 2}, status, false, std::string(request_id)};
    begun.policy = name().policy;
    begun.settings = {false, {{"team", "edi"}}};
    begun.version = std::string(32, 'f');
    begun.public_key = {3};
    begun.sealed = {4, 0, 4};
    return begun;
  }
  NewVersion version(char digit, std::string_view of = "tls") {
    NewVersion made;
    made.name = name(of);
    const vault::KeyId id{"Vault-1", std::string(of), std::string(32, digit)};
    made.certificate = {{id, {certificate_, certificate_}, {true, {{"a", "b"}}}, kNoon, kNoon}, true};
    made.key.info.id = id;
    made.key.info.managed = true;
    made.key.info.public_key = {1};
    made.key.sealed = {1};
    made.secret.info = {id, {"application/x-pkcs12", {}, {}}, kNoon, kNoon, true};
    made.secret.sealed = {2};
    return made;
  }

  const certstore::Certificate certificate_ = test::make_certificate({.key = "ec:P-256"}).certificate;
  const std::shared_ptr<Database> database_ = open()->database();
  SqliteVaultCertificateStore store_{database_};
  SqliteKeyStore keys_{database_};
  SqliteSecretStore secrets_{database_};
};

// The key of what is pending was made before the vault's keys went into a token, or the other way round.
TEST_F(VaultCertificateStoreTest, KeepsNoPendingKeyThatIsInAnotherPlaceThanTheVaultsKeys) {
  SqliteTokenStore tokens(database_);
  ASSERT_TRUE(tokens.put_token("Vault-1", "pkcs11:token=acme?module-path=/m.so&pin-source=/p"));
  StoredName pending = name();
  pending.operation = operation(OperationStatus::InProgress, "1");
  const auto refused = store_.put_name(pending);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("Vault-1"));
  pending.operation->policy.in_token = true;
  EXPECT_TRUE(store_.put_name(pending));
}

TEST_F(VaultCertificateStoreTest, KeepsAVersionWithItsKeyAndItsSecret) {
  ASSERT_TRUE(store_.put_version(version('a')));
  const auto loaded = SqliteVaultCertificateStore(open()->database()).load({"vault-1", "TLS", {}});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->info.id, version('a').certificate.info.id);
  EXPECT_EQ(loaded->info.chain, version('a').certificate.info.chain);
  EXPECT_EQ(loaded->info.settings.tags, (vault::Tags{{"a", "b"}}));
  EXPECT_TRUE(loaded->exportable);
  EXPECT_TRUE(keys_.load(loaded->info.id)->info.managed);
  EXPECT_TRUE(secrets_.load(loaded->info.id)->info.managed);
  EXPECT_FALSE(store_.load({"vault-1", "other", {}}));
}

TEST_F(VaultCertificateStoreTest, AVersionIsKeptAsAWholeOrNotAtAll) {
  NewVersion taken = version('a');
  ASSERT_TRUE(secrets_.put_version(taken.secret));
  EXPECT_EQ(store_.put_version(taken).error().kind, ErrorKind::AlreadyExists);
  EXPECT_FALSE(store_.load_name("Vault-1", "tls"));
  EXPECT_FALSE(keys_.load(taken.key.info.id));
  EXPECT_TRUE(store_.versions("Vault-1", "tls")->empty());
}

TEST_F(VaultCertificateStoreTest, KeepsPolicyAndOperationOfAName) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  ASSERT_TRUE(store_.put_name(begun));
  const auto loaded = store_.load_name("vault-1", "TLS");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->policy.kind, vault::KeyKind::EcP384);
  EXPECT_FALSE(loaded->policy.exportable);
  EXPECT_EQ(loaded->policy.created, begun.policy.created);
  EXPECT_EQ(loaded->policy.updated, begun.policy.updated);
  ASSERT_TRUE(loaded->operation);
  EXPECT_EQ(loaded->operation->operation.request, (Bytes{1, 2}));
  EXPECT_EQ(loaded->operation->operation.request_id, "r1");
  EXPECT_EQ(loaded->operation->sealed, (Bytes{4, 0, 4}));
  EXPECT_EQ(loaded->operation->settings.tags, (vault::Tags{{"team", "edi"}}));
  EXPECT_EQ(store_.list_without_version("VAULT-1")->size(), 1U);
  EXPECT_TRUE(store_.list("VAULT-1")->empty());
}

TEST_F(VaultCertificateStoreTest, AnOperationInProgressIsReplacedByItselfAlone) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  ASSERT_TRUE(store_.put_name(begun));
  StoredName other = name();
  other.operation = operation(OperationStatus::InProgress, "r2");
  EXPECT_EQ(store_.put_name(other).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store_.put_version(version('a')).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(store_.put_name(name()));  // the policy alone
  EXPECT_EQ(store_.load_name("Vault-1", "tls")->operation->operation.request_id, "r1");
  begun.operation->operation.status = OperationStatus::Completed;
  NewVersion completed = version('a');
  completed.name = begun;
  ASSERT_TRUE(store_.put_version(completed));
  EXPECT_TRUE(store_.put_name(other));
}

TEST_F(VaultCertificateStoreTest, AnOperationThatIsCompletedStaysSo) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  ASSERT_TRUE(store_.put_name(begun));
  NewVersion completed = version('a');
  completed.name.operation = operation(OperationStatus::Completed, "r1");
  ASSERT_TRUE(store_.put_version(completed));
  begun.operation->operation.status = OperationStatus::Cancelled;
  EXPECT_EQ(store_.put_name(begun).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store_.load_name("Vault-1", "tls")->operation->operation.status, OperationStatus::Completed);
}

TEST_F(VaultCertificateStoreTest, ANameIsACertificatesOrAKeysAndASecretsOwn) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  vault::StoredKey key = version('a').key;
  key.info.managed = false;
  vault::StoredSecret secret = version('a').secret;
  secret.info.managed = false;

  ASSERT_TRUE(store_.put_name(begun)) << "which has no key yet";
  EXPECT_EQ(keys_.put_version(key).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(keys_.put_all({key}).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(secrets_.put_version(secret).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(secrets_.put_all({secret}).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(store_.remove_operation("Vault-1", "tls"));

  ASSERT_TRUE(keys_.put_version(key));
  EXPECT_EQ(store_.put_name(begun).error().kind, ErrorKind::AlreadyExists);
  EXPECT_EQ(store_.put_version(version('b')).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(keys_.soft_delete("Vault-1", "tls", {}));
  EXPECT_EQ(store_.put_name(begun).error().kind, ErrorKind::AlreadyExists) << "it may be recovered";
  ASSERT_TRUE(keys_.purge("Vault-1", "tls", {}));
  ASSERT_TRUE(secrets_.put_version(secret));
  EXPECT_EQ(store_.put_version(version('b')).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(VaultCertificateStoreTest, NothingIsWrittenOntoANameThatIsDeletedOrGone) {
  EXPECT_EQ(store_.put_name(name()).error().kind, ErrorKind::NotFound) << "a policy alone makes no name";
  ASSERT_TRUE(store_.put_version(version('a')));
  const vault::Deletion deletion{kNoon, kNoon + std::chrono::days(90)};
  ASSERT_TRUE(store_.soft_delete("Vault-1", "tls", deletion));
  StoredName begun = name();
  begun.operation = operation(OperationStatus::Cancelled, "r1");
  EXPECT_EQ(store_.put_name(begun).error().kind, ErrorKind::DeletedButRecoverable);
  EXPECT_EQ(store_.put_name(name()).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store_.put_version(version('b')).error().kind, ErrorKind::DeletedButRecoverable);
  ASSERT_TRUE(store_.purge("Vault-1", "tls", deletion));
  EXPECT_EQ(store_.put_name(name()).error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(keys_.put_version(version('c').key)) << "its name is free";
}

TEST_F(VaultCertificateStoreTest, IsLoadedWholeOrNotAtAll) {
  ASSERT_TRUE(store_.put_version(version('a')));
  vault::StoredKey odd = version('b').key;
  ASSERT_TRUE(keys_.put_version(odd));
  EXPECT_EQ(store_.load_all("Vault-1", "tls").error().kind, ErrorKind::IoFailure);
}

TEST_F(VaultCertificateStoreTest, ListsTheNewestVersionOfEachName) {
  for (const char digit : {'b', 'a'}) ASSERT_TRUE(store_.put_version(version(digit)));
  ASSERT_TRUE(store_.put_version(version('c', "another")));
  const auto list = store_.list("vault-1");
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].id.name, "another");
  EXPECT_EQ((*list)[1].id.version, std::string(32, 'a'));
  EXPECT_EQ(store_.versions("vault-1", "TLS")->back().id.version, std::string(32, 'b'));
}

TEST_F(VaultCertificateStoreTest, AnUpdateReachesKeyAndSecret) {
  ASSERT_TRUE(store_.put_version(version('a')));
  CertificateInfo info = store_.load({"Vault-1", "tls", {}})->info;
  info.settings = {false, {{"x", "y"}}};
  info.updated = kNoon + std::chrono::minutes(1);
  const auto before = keys_.generation();
  ASSERT_TRUE(store_.update(info.id, change_to(info)));
  EXPECT_NE(keys_.generation().value(), before.value());
  EXPECT_FALSE(store_.load(info.id)->info.settings.enabled);
  EXPECT_FALSE(keys_.load(info.id)->info.attributes.enabled);
  EXPECT_FALSE(secrets_.load(info.id)->info.settings.attributes.enabled);
  info.id.version = std::string(32, 'e');
  EXPECT_EQ(store_.update(info.id, change_to(info)).error().kind, ErrorKind::NotFound);
}

TEST_F(VaultCertificateStoreTest, AnOperationIsForgottenWithANameThatHasNoVersion) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  ASSERT_TRUE(store_.put_name(begun));
  ASSERT_TRUE(store_.remove_operation("vault-1", "tls"));
  EXPECT_FALSE(store_.load_name("Vault-1", "tls"));
  EXPECT_EQ(store_.remove_operation("vault-1", "tls").error().kind, ErrorKind::NotFound);
  begun.operation->operation.status = OperationStatus::Completed;
  NewVersion completed = version('a');
  completed.name = begun;
  ASSERT_TRUE(store_.put_version(completed));
  ASSERT_TRUE(store_.remove_operation("Vault-1", "tls"));
  EXPECT_FALSE(store_.load_name("Vault-1", "tls")->operation);
}

TEST_F(VaultCertificateStoreTest, IsDeletedRecoveredAndPurgedWithKeyAndSecret) {
  ASSERT_TRUE(store_.put_version(version('a')));
  const vault::Deletion deletion{kNoon, kNoon + std::chrono::days(90)};
  EXPECT_EQ(store_.recover("vault-1", "tls").error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(store_.soft_delete("vault-1", "TLS", deletion));
  EXPECT_EQ(store_.soft_delete("vault-1", "TLS", deletion).error().kind, ErrorKind::NotFound);
  EXPECT_FALSE(store_.load_name("vault-1", "tls"));
  EXPECT_FALSE(store_.load({"vault-1", "tls", {}}));
  EXPECT_TRUE(store_.list("vault-1")->empty());
  EXPECT_FALSE(keys_.load({"vault-1", "tls", {}}));
  EXPECT_EQ(store_.load_deleted("vault-1", "tls")->deletion.scheduled_purge, deletion.scheduled_purge);
  EXPECT_EQ(store_.load_deleted_name("vault-1", "tls")->policy.subject, name().policy.subject);
  EXPECT_EQ(store_.list_deleted("VAULT-1")->size(), 1U);
  EXPECT_TRUE(store_.overdue(deletion.scheduled_purge - std::chrono::seconds(1))->empty());
  EXPECT_EQ(store_.overdue(deletion.scheduled_purge)->size(), 1U);
  ASSERT_TRUE(store_.recover("vault-1", "tls"));
  EXPECT_TRUE(store_.load({"vault-1", "tls", {}}));
  EXPECT_TRUE(secrets_.load({"vault-1", "tls", {}}));
  EXPECT_EQ(store_.purge("vault-1", "tls", deletion).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(store_.soft_delete("vault-1", "tls", deletion));
  ASSERT_TRUE(store_.purge("vault-1", "tls", deletion));
  EXPECT_TRUE(store_.put_version(version('a')));
}

TEST_F(VaultCertificateStoreTest, PutsBackAllVersionsOfAName) {
  for (const char digit : {'a', 'b'}) ASSERT_TRUE(store_.put_version(version(digit)));
  const auto whole = store_.load_all("vault-1", "tls");
  ASSERT_TRUE(whole) << whole.error().detail;
  EXPECT_EQ(whole->versions.size(), 2U);
  EXPECT_EQ(store_.put_all(*whole).error().kind, ErrorKind::AlreadyExists);
  ASSERT_TRUE(store_.soft_delete("vault-1", "tls", {kNoon, kNoon}));
  ASSERT_TRUE(store_.purge("vault-1", "tls", {kNoon, kNoon}));
  ASSERT_TRUE(store_.put_all(*whole));
  EXPECT_EQ(store_.load({"vault-1", "tls", {}})->info.id.version, std::string(32, 'b'));
  EXPECT_EQ(keys_.versions("vault-1", "tls")->size(), 2U);
}

TEST_F(VaultCertificateStoreTest, KnowsWhatIsOrderedAtIssuersAndHowItGetsOn) {
  StoredName begun = name();
  begun.operation = operation(OperationStatus::InProgress, "r1");
  ASSERT_TRUE(store_.put_name(begun));
  EXPECT_TRUE(store_.in_progress()->empty()) << "that one is merged";
  begun.operation->operation.issuer = "ca";
  begun.operation->begun = kNoon;
  begun.operation->renewal = true;
  ASSERT_TRUE(store_.put_name(begun));
  begun.operation->order = "https://ca.example/order/1";
  begun.operation->operation.details = "it is looked at";
  begun.operation->operation.cancellation_requested = true;  // not for this call to change
  ASSERT_TRUE(store_.note_order(begun.id, *begun.operation));
  const auto ordered = store_.in_progress().value();
  ASSERT_EQ(ordered.size(), 1U);
  const StoredOperation& noted = *ordered[0].operation;
  EXPECT_EQ(noted.order, begun.operation->order);
  EXPECT_EQ(noted.operation.details, "it is looked at");
  EXPECT_FALSE(noted.operation.cancellation_requested);
  EXPECT_TRUE(noted.renewal);
  EXPECT_EQ(noted.begun, kNoon);
  StoredOperation other = *begun.operation;
  other.operation.request_id = "r2";
  EXPECT_EQ(store_.note_order(begun.id, other).error().kind, ErrorKind::NotFound);
  begun.operation->operation.status = OperationStatus::Failed;
  begun.operation->operation.failure = vault::OperationFailure{"Request rejected", "no"};
  ASSERT_TRUE(store_.put_name(begun));
  EXPECT_EQ(store_.load_name("Vault-1", "tls")->operation->operation.failure,
            begun.operation->operation.failure);
  EXPECT_EQ(store_.note_order(begun.id, *begun.operation).error().kind, ErrorKind::NotFound);
}

TEST_F(VaultCertificateStoreTest, QueuesNoticesWithTheChangeThatTheyTellOf) {
  NewVersion first = version('a');
  vault::CertificateNotice notice;
  notice.event = vault::CertificateNotice::Event::NotRenewed;
  notice.id = first.certificate.info.id;
  notice.time = kNoon;
  notice.expires = kNoon + std::chrono::days(3);
  notice.reason = "no";
  first.name.notices = {notice, notice};
  first.name.renewal = {std::string(32, 'a'), true, 3, kNoon};
  ASSERT_TRUE(store_.put_version(first));
  EXPECT_FALSE(store_.put_version(first)) << "and then nothing is queued";
  const auto queued = store_.notices().value();
  ASSERT_EQ(queued.size(), 2U);
  EXPECT_LT(queued[0].number, queued[1].number);
  EXPECT_EQ(queued[0].event, notice.event);
  EXPECT_EQ(queued[0].id, notice.id);
  EXPECT_EQ(queued[0].expires, notice.expires);
  EXPECT_EQ(queued[0].reason, "no");
  ASSERT_TRUE(store_.put_notice_mailed(queued[1].number));
  ASSERT_TRUE(store_.remove_notice(queued[0].number));
  ASSERT_EQ(store_.notices()->size(), 1U);
  EXPECT_TRUE(store_.notices()->at(0).mailed);
  const auto in_use = store_.in_use().value();
  ASSERT_EQ(in_use.size(), 1U);
  EXPECT_EQ(in_use[0].current.info.id, notice.id);
  EXPECT_EQ(in_use[0].name.renewal.version, std::string(32, 'a'));
  EXPECT_TRUE(in_use[0].name.renewal.noticed);
  EXPECT_EQ(in_use[0].name.renewal.failures, 3U);
  EXPECT_EQ(in_use[0].name.renewal.next, kNoon);
}

TEST_F(VaultCertificateStoreTest, KeepsContactsAndIssuersOfEachVault) {
  EXPECT_TRUE(store_.contacts("vault-1")->empty());
  const std::vector<vault::CertificateContact> contacts{{"a@acme.example", "Ä", "1"},
                                                        {"b@acme.example", "", ""}};
  ASSERT_TRUE(store_.put_contacts("Vault-1", contacts));
  EXPECT_EQ(store_.contacts("vault-1").value(), contacts);
  EXPECT_TRUE(store_.contacts("vault-2")->empty());
  vault::StoredIssuer issuer;
  const auto authority = test::make_certificate({.common_name = "CA", .key = "ec:P-256", .authority = true});
  issuer.issuer = {
      {"Vault-1", "i1", {}},   "Test", "4711", "Acme", {{"Ada", "L", "a@b", "1"}}, "https://ca.example/dir",
      {authority.certificate}, false,  kNoon,  kNoon};
  issuer.sealed_password = {0, 1};
  issuer.sealed_account_key = {2, 3};
  issuer.account_public_key = {4, 5};
  issuer.account_url = "https://ca.example/account/1";
  ASSERT_TRUE(store_.put_issuer(issuer));
  ASSERT_TRUE(store_.put_issuer(issuer));
  const auto loaded = store_.load_issuer("vault-1", "I1");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->sealed_password, issuer.sealed_password);
  EXPECT_EQ(loaded->issuer.administrators, issuer.issuer.administrators);
  EXPECT_EQ(loaded->issuer.account, "4711");
  EXPECT_EQ(loaded->issuer.directory, "https://ca.example/dir");
  EXPECT_EQ(loaded->issuer.authorities, issuer.issuer.authorities);
  EXPECT_EQ(loaded->sealed_account_key, issuer.sealed_account_key);
  EXPECT_EQ(loaded->account_public_key, issuer.account_public_key);
  EXPECT_EQ(loaded->account_url, issuer.account_url);
  EXPECT_FALSE(loaded->issuer.enabled);
  EXPECT_EQ(store_.list_issuers("Vault-1")->size(), 1U);
  ASSERT_TRUE(store_.remove_issuer("Vault-1", "i1"));
  EXPECT_EQ(store_.remove_issuer("Vault-1", "i1").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace signet::gateway
