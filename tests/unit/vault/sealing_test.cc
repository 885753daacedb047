#include "certstore/vault/provider_key_internal.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using testing::ElementsAre;

class SealedVault : public VaultFixture {
 protected:
  MasterKey master_key() { return MasterKey::load_file(directory_ / "master.key").value(); }
  Result<> seal() { return vault_->seal(kOperator, std::chrono::milliseconds(0)); }
  auto sign() {
    return vault_->sign(kGateway, key_, SignatureAlgorithm::ES256,
                        digest(Hash::Sha256, as_bytes("what is signed")));
  }
  /// What the last records say was done, and how it went.
  std::vector<std::pair<std::string, AuditResult>> last_records(std::size_t count) {
    std::vector<std::pair<std::string, AuditResult>> last;
    const auto records = audit_.records();
    for (std::size_t i = records.size() - count; i < records.size(); ++i)
      last.emplace_back(records[i].operation, records[i].result);
    return last;
  }

  const KeyId key_ = create(KeyKind::EcP256);
  const SecretId secret_ =
      vault_->set_secret(kOperator, "kv1", "s", SecretBytes::copy_of("value"), {}).value().id;
};

TEST_F(SealedVault, UsesNoKeyAndGivesNoSecretUntilItIsOpened) {
  ASSERT_TRUE(vault_->set_policy(kOperator, {"kv1", kGateway, parse_key_permissions("all").value(),
                                             parse_secret_permissions("all").value()}));
  ASSERT_TRUE(sign());
  ASSERT_TRUE(seal());
  EXPECT_TRUE(vault_->is_sealed());
  EXPECT_TRUE(fails_with(sign(), ErrorKind::Unavailable, kSealed));
  EXPECT_TRUE(fails_with(vault_->get_secret(kGateway, secret_), ErrorKind::Unavailable, kSealed));
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "n", KeyKind::EcP256, {}),
                         ErrorKind::Unavailable, kSealed));
  EXPECT_TRUE(fails_with(vault_->set_secret(kOperator, "kv1", "n", SecretBytes::copy_of("v"), {}),
                         ErrorKind::Unavailable, kSealed));
  EXPECT_TRUE(fails_with(vault_->backup_key(kGateway, "kv1", key_.name), ErrorKind::Unavailable, kSealed));
  EXPECT_TRUE(fails_with(vault_->mac_key("purpose"), ErrorKind::Unavailable, kSealed));
  EXPECT_EQ(vault_->get(kGateway, key_)->id, key_) << "what is no secret shows as before";
  ASSERT_TRUE(vault_->unseal(kOperator, master_key()));
  EXPECT_TRUE(sign());
  EXPECT_EQ(as_text(vault_->get_secret(kGateway, secret_)->value.view()), "value");
}

TEST_F(SealedVault, SaysSoWhileWorkThatBeganBeforeHasAKey) {
  IssuerUpdate issuer;
  issuer.provider = "ACME";
  issuer.directory = "https://ca.example/dir";
  ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", issuer));
  auto account = vault_->open_issuer_account("kv1", "ca");
  ASSERT_TRUE(account) << account.error().detail;
  EXPECT_TRUE(fails_with(seal(), ErrorKind::Unavailable, "is under way still"));
  EXPECT_TRUE(vault_->is_sealed()) << "for everybody else";
  EXPECT_THAT(last_records(1), ElementsAre(std::pair("seal", AuditResult::Failed)));
  EXPECT_TRUE((*account)->sign(digest(Hash::Sha256, as_bytes("what is signed")))) << "it ends first";
  account->reset();
  ASSERT_TRUE(vault_->unseal(kOperator, master_key()));
  EXPECT_TRUE(seal()) << "nothing has a key any more";
}

TEST_F(SealedVault, StaysSealedUnderAnotherMasterKey) {
  ASSERT_TRUE(seal());
  EXPECT_TRUE(fails_with(vault_->unseal(kOperator, MasterKey::create_file(directory_ / "other.key").value()),
                         ErrorKind::CryptoFailure, "wrong master key"));
  EXPECT_TRUE(vault_->is_sealed());
  EXPECT_THAT(last_records(2),
              ElementsAre(std::pair("seal", AuditResult::Success), std::pair("unseal", AuditResult::Failed)));
}

TEST_F(SealedVault, MayBeginWithoutItsMasterKey) {
  const auto again = EmbeddedVault::open_sealed(store_, secrets_, certificates_, audit_, clock_);
  EXPECT_TRUE(again->is_sealed());
  ASSERT_TRUE(again->unseal(kOperator, master_key()));
  EXPECT_FALSE(again->is_sealed());
}

TEST_F(SealedVault, IsSealedThoughItsRecordCannotBeWrittenAndNotOpenedThen) {
  audit_.failure = Error{ErrorKind::IoFailure, "the disk is full"};
  EXPECT_TRUE(fails_with(seal(), ErrorKind::IoFailure, "full"));
  EXPECT_TRUE(vault_->is_sealed());
  EXPECT_TRUE(fails_with(vault_->unseal(kOperator, master_key()), ErrorKind::IoFailure, "full"));
  EXPECT_TRUE(vault_->is_sealed());
}

TEST_F(SealedVault, SaysOfAHandleThatItIsSealed) {
  const certstore::KeyHandle opened = handle(key_);
  ASSERT_TRUE(seal());
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  ASSERT_EQ(
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, opened.native(), nullptr), 1);
  Bytes signature(256);
  std::size_t size = signature.size();
  const ByteView text = as_bytes("text");
  EXPECT_NE(EVP_DigestSign(context.get(), signature.data(), &size, text.data(), text.size()), 1);
  ERR_clear_error();
  const auto refusal = take_vault_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->detail, kSealed);
}

TEST_F(SealedVault, RefusesEachChangedOctetOfASealedSecretAndKey) {
  Bytes& key = store_.sealed(key_);
  Bytes& secret = secrets_.sealed(secret_);
  ASSERT_TRUE(vault_->set_policy(kOperator, {"kv1", kGateway, parse_key_permissions("sign").value(),
                                             parse_secret_permissions("get").value()}));
  for (Bytes* const blob : {&key, &secret})
    for (std::uint8_t& octet : *blob) {
      octet ^= 1U;
      vault_->forget();
      EXPECT_TRUE(blob == &key ? fails_with(sign(), ErrorKind::Unavailable, "cannot be unsealed")
                               : fails_with(vault_->get_secret(kGateway, secret_), ErrorKind::Unavailable,
                                            "cannot be unsealed"));
      octet ^= 1U;
    }
  vault_->forget();
  EXPECT_TRUE(sign());
}

TEST_F(SealedVault, RefusesAnEarlierVersionInANewersPlace) {
  const Bytes earlier = store_.sealed(key_);
  const KeyId newer = create(KeyKind::EcP256);
  store_.sealed(newer) = earlier;
  vault_->forget();
  EXPECT_TRUE(fails_with(
      vault_->sign(kGateway, newer, SignatureAlgorithm::ES256, digest(Hash::Sha256, as_bytes("text"))),
      ErrorKind::Unavailable, "cannot be unsealed"));
}

TEST(MasterKeyIds, TellWhichKeySealedAndOpenWhatWasSealedWithoutOne) {
  const TemporaryDirectory directory;
  const MasterKey key = MasterKey::create_file(directory / "a.key").value();
  const Bytes sealed = key.seal(as_bytes("text"), {});
  const ByteView id = sealed_under(sealed);
  EXPECT_TRUE(std::equal(id.begin(), id.end(), key.id().begin(), key.id().end()));
  // As homes have it that were made before keys had ids: 1 | nonce | ciphertext | tag.
  Bytes first_form{1};
  first_form.insert(first_form.end(), sealed.begin() + 1 + MasterKey::kIdSize, sealed.end());
  EXPECT_TRUE(is_sealed_without_id(first_form));
  EXPECT_EQ(as_text(key.unseal(first_form, {})->view()), "text");
}

TEST(MasterKeyIds, LetOneKeyStandInForAnother) {
  const TemporaryDirectory directory;
  const auto old = std::make_shared<const MasterKey>(MasterKey::create_file(directory / "a.key").value());
  MasterKey next = MasterKey::create_file(directory / "b.key").value();
  const Bytes sealed = old->seal(as_bytes("text"), {});
  EXPECT_FALSE(next.unseal(sealed, {}));
  const MasterKey retired = next.unseal_retired(next.seal_retired(*old)).value();
  EXPECT_EQ(retired.check_value(), old->check_value());
  next.also_open(old);
  EXPECT_EQ(as_text(next.unseal(sealed, {})->view()), "text");
}

}  // namespace
}  // namespace signet::vault
