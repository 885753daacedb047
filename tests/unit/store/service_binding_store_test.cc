#include "gateway/store/service_binding_store.h"

#include <gmock/gmock.h>

#include "gateway/store/certificate_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/store/store_fixture.h"

namespace signet::gateway {
namespace {

using certstore::BindingChange;
using certstore::Certificate;
using certstore::Thumbprint;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ServiceBindingStoreTest : public StoreTest {
 protected:
  void put(const Certificate& certificate, char digit, std::string_view of = "www") {
    vault::NewVersion made;
    made.name.id = {"Vault-1", std::string(of), {}};
    const vault::KeyId id{"Vault-1", std::string(of), std::string(32, digit)};
    made.certificate = {{id, {certificate}, {}, kNoon, kNoon}, true};
    made.key.info.id = id;
    made.key.info.managed = true;
    made.key.info.public_key = {1};
    made.key.sealed = {1};
    made.secret.info = {id, {"application/x-pkcs12", {}, {}}, kNoon, kNoon, true};
    made.secret.sealed = {2};
    ASSERT_TRUE(certificates_.put_version(made));
  }
  static Certificate make(const std::string& name) {
    return test::make_certificate({.common_name = name, .key = "ec:P-256"}).certificate;
  }
  static Thumbprint of(const Certificate& certificate) {
    return {certstore::ThumbprintAlgorithm::Sha256, certificate.thumbprint_sha256()};
  }
  Result<> bind(const std::vector<BindingChange>& changes) {
    return store_.change(changes, "deployer", kNoon);
  }

  const Certificate first_ = make("first");
  const Certificate second_ = make("second");
  const std::shared_ptr<Database> database_ = open()->database();
  SqliteVaultCertificateStore certificates_{database_};
  SqliteServiceBindingStore store_{database_};
};

TEST_F(ServiceBindingStoreTest, KeepsWhatANameStandsForAndStoodForBefore) {
  put(first_, 'a');
  put(second_, 'b');
  EXPECT_THAT(*store_.bindings(), IsEmpty());
  ASSERT_TRUE(bind({{"www", std::nullopt, of(first_)}}));
  ASSERT_TRUE(bind({{"www", of(first_), of(second_)}}));
  const auto bindings = *SqliteServiceBindingStore(open()->database()).bindings();
  ASSERT_EQ(bindings.size(), 1U);
  EXPECT_EQ(bindings[0].name, "www");
  EXPECT_EQ(bindings[0].thumbprint, of(second_));
  EXPECT_EQ(bindings[0].changed_by, "deployer");
  EXPECT_EQ(bindings[0].changed, kNoon);
  EXPECT_THAT(bindings[0].earlier, ElementsAre(of(first_)));

  ASSERT_TRUE(bind({{"www", of(second_), of(first_)}})) << "back to the old one";
  EXPECT_THAT(store_.bindings()->front().earlier, ElementsAre(of(second_)));
  ASSERT_TRUE(bind({{"www", of(first_), std::nullopt}}));
  EXPECT_THAT(*store_.bindings(), IsEmpty());
}

TEST_F(ServiceBindingStoreTest, ChangesAllOrNothing) {
  put(first_, 'a');
  ASSERT_TRUE(bind({{"www", std::nullopt, of(first_)}}));
  EXPECT_EQ(bind({{"api", std::nullopt, of(first_)}, {"www", std::nullopt, of(first_)}}).error().kind,
            ErrorKind::AlreadyExists)
      << "somebody was faster";
  EXPECT_EQ(bind({{"api", std::nullopt, of(first_)}, {"www", of(first_), of(second_)}}).error().kind,
            ErrorKind::NotFound)
      << "there is no such certificate";
  ASSERT_EQ(store_.bindings()->size(), 1U);
  EXPECT_EQ(store_.bindings()->front().thumbprint, of(first_));
}

TEST_F(ServiceBindingStoreTest, LetsNothingBeDeletedThatANameStandsFor) {
  put(first_, 'a');
  put(second_, 'b');
  const vault::Deletion deletion{kNoon, kNoon + std::chrono::hours(24)};
  ASSERT_TRUE(bind({{"www", std::nullopt, of(first_)}}));
  const auto refused = certificates_.soft_delete("vault-1", "WWW", deletion);
  ASSERT_FALSE(refused) << "an earlier version is bound";
  EXPECT_EQ(refused.error().kind, ErrorKind::AlreadyExists);
  EXPECT_THAT(refused.error().detail, HasSubstr("'www'"));
  EXPECT_EQ(certificates_.versions("Vault-1", "www")->size(), 2U);
  ASSERT_TRUE(bind({{"www", of(first_), std::nullopt}}));
  EXPECT_TRUE(certificates_.soft_delete("Vault-1", "www", deletion));
  EXPECT_FALSE(bind({{"www", std::nullopt, of(first_)}})) << "what is deleted is in no store";
}

TEST_F(ServiceBindingStoreTest, HasEveryVersionThatIsInUse) {
  put(first_, 'a');
  put(second_, 'b');
  const auto in_vault = *store_.candidates("vault-1");
  ASSERT_EQ(in_vault.size(), 2U);
  EXPECT_EQ(in_vault[0].chain.front(), second_) << "the newest first";
  EXPECT_EQ(in_vault[0].key, (certstore::KeyReference{"Vault-1", "www", std::string(32, 'b')}));
  EXPECT_TRUE(in_vault[0].enabled);
  EXPECT_THAT(*store_.candidates("other"), IsEmpty());
  EXPECT_EQ(store_.candidates("")->size(), 2U);
}

TEST_F(ServiceBindingStoreTest, BindsAnIntermediateOfTheAccount) {
  SqliteCertificateStore account(database_);
  ASSERT_TRUE(account.put({"ca", first_, std::nullopt, kNoon, kNoon}));
  EXPECT_TRUE(bind({{"issuing", std::nullopt, of(first_)}}));
}

}  // namespace
}  // namespace signet::gateway
