#include <atomic>
#include <thread>

#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

constexpr KeyKind kKinds[] = {KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096,
                              KeyKind::EcP256,  KeyKind::EcP384,  KeyKind::EcP521};
constexpr SignatureAlgorithm kRsaSignatures[] = {SignatureAlgorithm::RS256, SignatureAlgorithm::RS384,
                                                 SignatureAlgorithm::RS512, SignatureAlgorithm::PS256,
                                                 SignatureAlgorithm::PS384, SignatureAlgorithm::PS512};
constexpr SignatureAlgorithm kEcSignatures[] = {SignatureAlgorithm::ES256, SignatureAlgorithm::ES384,
                                                SignatureAlgorithm::ES512};

class EmbeddedVaultTest : public EveryBackEnd {
 protected:
  EmbeddedVaultTest() { grant("decrypt,sign,get,list,verify,encrypt,wrapKey,unwrapKey"); }

  Result<Bytes> sign(const KeyId& id, SignatureAlgorithm algorithm = SignatureAlgorithm::RS256) {
    return vault_->sign(kGateway, id, algorithm, digest(hash_of(algorithm), as_bytes("text")));
  }
  Result<Bytes> sign_ec(const KeyId& id) { return sign(id, SignatureAlgorithm::ES256); }

  Result<KeyInfo> set(const KeyId& id, const KeyAttributes& attributes, std::optional<KeyOps> ops = {}) {
    return vault_->update(kOperator, id,
                          {{attributes.enabled, attributes.not_before, attributes.expires}, ops, {}});
  }
};

// --- keys
// ---------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, MakesEveryKindOfKey) {
  for (const KeyKind kind : kKinds) {
    const KeyInfo info = vault_->create_key(kOperator, "kv1", "key", kind, {}).value();
    EXPECT_EQ(info.kind, kind);
    EXPECT_EQ(info.id.version.size(), 32U);
    EXPECT_EQ(info.ops, default_key_ops(kind));
    EXPECT_EQ(info.created, clock_.now());
    EXPECT_THAT(info.public_key_pem(), testing::StartsWith("-----BEGIN PUBLIC KEY-----\nM"));
    EXPECT_EQ(vault_->get(kGateway, info.id).value().public_key, info.public_key);
  }
  EXPECT_EQ(vault_->versions(kGateway, "kv1", "key").value().size(), std::size(kKinds));
}

TEST_P(EmbeddedVaultTest, GivesTheNewestVersionWhereNoneIsNamed) {
  const KeyId first = create(KeyKind::EcP256);
  const KeyId second = create(KeyKind::EcP384);
  EXPECT_NE(first.version, second.version);
  EXPECT_EQ(vault_->get(kGateway, {"kv1", "as2-key", {}}).value().id, second);
  EXPECT_EQ(vault_->get(kGateway, first).value().kind, KeyKind::EcP256);
  const auto versions = vault_->versions(kGateway, "kv1", "as2-key").value();
  EXPECT_EQ(versions.front().id, second);
  EXPECT_EQ(versions.back().id, first);
}

TEST_P(EmbeddedVaultTest, ANewVersionCountsAtOnceForUsersOfTheCurrentOne) {
  create(KeyKind::EcP256);
  ASSERT_EQ(sign_ec({"kv1", "as2-key", {}}).value().size(), 64U);
  create(KeyKind::EcP384);
  EXPECT_EQ(sign_ec({"kv1", "as2-key", {}}).value().size(), 96U);
}

TEST_P(EmbeddedVaultTest, ListsTheCurrentVersionOfEveryKeyOfTheVault) {
  create(KeyKind::EcP256, "b");
  create(KeyKind::EcP256, "a");
  const KeyId newest = create(KeyKind::EcP256, "b");
  ASSERT_TRUE(vault_->create_key(kOperator, "kv2", "c", KeyKind::EcP256, {}).has_value());
  const auto keys = vault_->list(kGateway, "kv1").value();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].id.name, "a");
  EXPECT_EQ(keys[1].id, newest);
}

TEST_P(EmbeddedVaultTest, ComparesNamesWithoutRegardToCaseAndShowsThemAsFirstWritten) {
  const KeyId id = create(KeyKind::EcP256, "As2-Key");
  EXPECT_EQ(create(KeyKind::EcP256, "AS2-KEY").name, "As2-Key");
  EXPECT_EQ(vault_->get(kGateway, {"KV1", "as2-key", id.version}).value().id, id);
  EXPECT_TRUE(sign_ec({"KV1", "as2-KEY", id.version}).has_value());
}

TEST_P(EmbeddedVaultTest, RefusesNamesKindsAndSettingsThatDoNotFit) {
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv 1", "k", KeyKind::EcP256, {}),
                         ErrorKind::InvalidInput, "key vault"));
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "../k", KeyKind::EcP256, {}),
                         ErrorKind::InvalidInput, "a key"));
  KeySettings settings;
  settings.ops = KeyOps{KeyOp::Sign, KeyOp::Encrypt};
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "k", KeyKind::EcP256, settings),
                         ErrorKind::InvalidInput, "'encrypt'"));
  settings = {};
  settings.attributes.not_before = settings.attributes.expires = clock_.now();
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "k", KeyKind::EcP256, settings),
                         ErrorKind::InvalidInput, "expire"));
  EXPECT_TRUE(fails_with(vault_->get(kGateway, {"kv1", "none", {}}), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(fails_with(vault_->versions(kGateway, "kv1", "none"), ErrorKind::NotFound, "none"));
  EXPECT_TRUE(fails_with(sign({"kv1", "none", {}}), ErrorKind::NotFound, "none"));
}

// --- operations
// ---------------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, SignsAndVerifiesWithEveryAlgorithm) {
  for (const KeyKind kind : {KeyKind::Rsa2048, KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521}) {
    const KeyId id = create(kind);
    const auto check = [&](SignatureAlgorithm algorithm) {
      const Bytes right = digest(hash_of(algorithm), as_bytes("text"));
      const Bytes wrong = digest(hash_of(algorithm), as_bytes("Text"));
      Bytes signature = sign(id, algorithm).value();
      EXPECT_TRUE(vault_->verify(kGateway, id, algorithm, right, signature).value());
      EXPECT_FALSE(vault_->verify(kGateway, id, algorithm, wrong, signature).value());
      signature.back() ^= 1U;
      EXPECT_FALSE(vault_->verify(kGateway, id, algorithm, right, signature).value());
      EXPECT_FALSE(vault_->verify(kGateway, id, algorithm, right, {}).value());
    };
    if (is_rsa(kind))
      for (const SignatureAlgorithm algorithm : kRsaSignatures) check(algorithm);
    else
      for (const SignatureAlgorithm algorithm : kEcSignatures) check(algorithm);
  }
}

TEST_P(EmbeddedVaultTest, TakesNoSignatureWithoutItsLeadingZeroOctet) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes right = digest(Hash::Sha256, as_bytes("text"));
  Bytes signature;
  do {
    signature = sign(id, SignatureAlgorithm::PS256).value();  // with another salt each time
  } while (signature.front() != 0);
  EXPECT_TRUE(vault_->verify(kGateway, id, SignatureAlgorithm::PS256, right, signature).value());
  signature.erase(signature.begin());
  EXPECT_FALSE(vault_->verify(kGateway, id, SignatureAlgorithm::PS256, right, signature).value());
}

TEST_P(EmbeddedVaultTest, SignsNothingButADigestOfTheRightLengthWithAnAlgorithmOfTheKey) {
  const KeyId rsa = create(KeyKind::Rsa2048, "rsa");
  const KeyId ec = create(KeyKind::EcP256, "ec");
  EXPECT_TRUE(fails_with(vault_->sign(kGateway, rsa, SignatureAlgorithm::RS256, Bytes(20)),
                         ErrorKind::InvalidInput, "32 octets"));
  EXPECT_TRUE(fails_with(vault_->sign(kGateway, rsa, SignatureAlgorithm::RS256, Bytes(256)),
                         ErrorKind::InvalidInput, "32 octets"));
  EXPECT_TRUE(fails_with(sign(rsa, SignatureAlgorithm::ES256), ErrorKind::InvalidInput, "does not go with"));
  EXPECT_TRUE(fails_with(sign(ec, SignatureAlgorithm::RS256), ErrorKind::InvalidInput, "does not go with"));
}

TEST_P(EmbeddedVaultTest, EncryptsAndDecryptsAndWrapsAndUnwraps) {
  const KeyId id = create(KeyKind::Rsa2048);
  const EncryptionAlgorithm mixed{true, Hash::Sha256, Hash::Sha1};
  for (const EncryptionAlgorithm& algorithm : {kRsa15, kRsaOaep, kRsaOaep256, kRsaOaep512, mixed}) {
    const Bytes sent = vault_->encrypt(kGateway, id, algorithm, as_bytes("a content key")).value();
    EXPECT_EQ(as_text(vault_->decrypt(kGateway, id, algorithm, sent).value().view()), "a content key");
    const Bytes wrapped = vault_->wrap_key(kGateway, id, algorithm, as_bytes("a content key")).value();
    EXPECT_EQ(as_text(vault_->unwrap_key(kGateway, id, algorithm, wrapped).value().view()), "a content key");
  }
}

TEST_P(EmbeddedVaultTest, DecryptsNothingOfAnotherKeyPaddingOrLength) {
  const KeyId id = create(KeyKind::Rsa2048, "one");
  const KeyId other = create(KeyKind::Rsa2048, "other");
  const Bytes sent = vault_->encrypt(kGateway, id, kRsaOaep, as_bytes("a content key")).value();
  const auto refused = [&](const KeyId& key, const EncryptionAlgorithm& algorithm, ByteView text) {
    return fails_with(vault_->decrypt(kGateway, key, algorithm, text), ErrorKind::CryptoFailure,
                      "the ciphertext does not decrypt with this key");
  };
  EXPECT_TRUE(refused(other, kRsaOaep, sent));
  EXPECT_TRUE(refused(id, kRsaOaep256, sent));
  EXPECT_TRUE(refused(id, kRsa15, sent));
  EXPECT_TRUE(refused(id, kRsaOaep, ByteView(sent).first(255)));
  EXPECT_TRUE(refused(id, kRsaOaep, {}));
  EXPECT_TRUE(fails_with(vault_->encrypt(kGateway, id, kRsa15, Bytes(250)), ErrorKind::InvalidInput,
                         "encrypting failed"));
  const KeyId ec = create(KeyKind::EcP256, "ec");
  EXPECT_FALSE(vault_->decrypt(kGateway, ec, kRsaOaep, sent).has_value());
}

TEST_P(EmbeddedVaultTest, AgreesOnTheSameKeyFromBothSides) {
  for (const KeyKind kind : {KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521}) {
    const KeyInfo a = vault_->create_key(kOperator, "kv1", "a", kind, {}).value();
    const KeyInfo b = vault_->create_key(kOperator, "kv1", "b", kind, {}).value();
    // The point is the end of a SubjectPublicKeyInfo: 04 || x || y.
    const auto point = [&](const KeyInfo& info) {
      const std::size_t size = kind == KeyKind::EcP256 ? 65 : kind == KeyKind::EcP384 ? 97 : 133;
      return Bytes(info.public_key.end() - static_cast<std::ptrdiff_t>(size), info.public_key.end());
    };
    const SecretBytes one = vault_->derive(kGateway, a.id, point(b)).value();
    const SecretBytes two = vault_->derive(kGateway, b.id, point(a)).value();
    EXPECT_TRUE(equal_in_constant_time(one.view(), two.view()));
    Bytes off_curve = point(b);
    off_curve.back() ^= 1U;
    EXPECT_TRUE(fails_with(vault_->derive(kGateway, a.id, off_curve), ErrorKind::InvalidInput, "curve"));
    EXPECT_FALSE(vault_->derive(kGateway, a.id, Bytes{0}).has_value()) << "the point at infinity";
    EXPECT_FALSE(vault_->derive(kGateway, a.id, {}).has_value());
  }
  const KeyId rsa = create(KeyKind::Rsa2048);
  EXPECT_TRUE(fails_with(vault_->derive(kGateway, rsa, Bytes(65, 4)), ErrorKind::InvalidInput, "RSA"));
}

// --- who may
// ------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, DeniesEveryOperationThatNoPolicyGrants) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Principal stranger{"stranger"};
  const Bytes hash = digest(Hash::Sha256, as_bytes(""));
  const auto denied = [](const auto& result, std::string_view permission) {
    return fails_with(result, ErrorKind::PermissionDenied,
                      "lacks the key permission '" + std::string(permission) + "'");
  };
  EXPECT_TRUE(denied(vault_->create_key(stranger, "kv1", "k", KeyKind::EcP256, {}), "create"));
  EXPECT_TRUE(denied(vault_->import_key(stranger, "kv1", "k", KeyMaterial{}, {}), "import"));
  EXPECT_TRUE(denied(vault_->get(stranger, id), "get"));
  EXPECT_TRUE(denied(vault_->list(stranger, "kv1"), "list"));
  EXPECT_TRUE(denied(vault_->versions(stranger, "kv1", "as2-key"), "list"));
  EXPECT_TRUE(denied(vault_->update(stranger, id, {}), "update"));
  EXPECT_TRUE(denied(vault_->sign(stranger, id, SignatureAlgorithm::RS256, hash), "sign"));
  EXPECT_TRUE(denied(vault_->verify(stranger, id, SignatureAlgorithm::RS256, hash, hash), "verify"));
  EXPECT_TRUE(denied(vault_->encrypt(stranger, id, kRsaOaep, hash), "encrypt"));
  EXPECT_TRUE(denied(vault_->decrypt(stranger, id, kRsaOaep, hash), "decrypt"));
  EXPECT_TRUE(denied(vault_->wrap_key(stranger, id, kRsaOaep, hash), "wrapKey"));
  EXPECT_TRUE(denied(vault_->unwrap_key(stranger, id, kRsaOaep, hash), "unwrapKey"));
  EXPECT_TRUE(denied(vault_->derive(stranger, id, hash), "decrypt"));
  EXPECT_TRUE(denied(open_key(*vault_, stranger, id), "get"));
  EXPECT_TRUE(denied(vault_->sign(stranger, {"kv1", "none", {}}, SignatureAlgorithm::RS256, hash), "sign"))
      << "permission is decided before existence";
}

TEST_P(EmbeddedVaultTest, GrantsForOneVaultOnly) {
  const KeyId id = vault_->create_key(kOperator, "kv2", "k", KeyKind::EcP256, {}).value().id;
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::PermissionDenied, "on key vault 'kv2'"));
}

TEST_P(EmbeddedVaultTest, APolicyThatIsTakenAwayCountsAtOnce) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(sign_ec(id).has_value());
  grant("get");
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::PermissionDenied, "'sign'"));
  EXPECT_EQ(vault_->policies(kOperator, "kv1").value().size(), 1U);
  grant("");
  EXPECT_TRUE(vault_->policies(kOperator, "kv1").value().empty());
}

TEST_P(EmbeddedVaultTest, OnlyTheOperatorSetsAndSeesPolicies) {
  const AccessPolicy policy{"kv1", kGateway, parse_key_permissions("all").value()};
  EXPECT_TRUE(
      fails_with(vault_->set_policy(kGateway, policy), ErrorKind::PermissionDenied, "'gateway' may not"));
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_TRUE(
      fails_with(vault_->policies(kGateway, "kv1"), ErrorKind::PermissionDenied, "'gateway' may not"));
  EXPECT_FALSE(vault_->set_policy(kOperator, {"kv1", {""}, {}}).has_value());
  EXPECT_FALSE(vault_->set_policy(kOperator, {"kv1", {"a\nb"}, {}}).has_value());
  EXPECT_FALSE(vault_->set_policy(kOperator, {"", kGateway, {}}).has_value());
}

TEST_P(EmbeddedVaultTest, SeesWhatAnotherProcessChanged) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(sign_ec(id).has_value());
  ASSERT_TRUE(store_.put_policy({"kv1", kGateway, {KeyPermission::Get}}).has_value());
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::PermissionDenied, "'sign'"));
}

TEST_P(EmbeddedVaultTest, OpensAKeyOnceUntilSomethingChanges) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(sign_ec(id).has_value());
  const int loads = store_.loads;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sign_ec(id).has_value());
  EXPECT_EQ(store_.loads, loads);
}

TEST_P(EmbeddedVaultTest, SignsInSomeThreadsWhileKeysAndPoliciesChangeInAnother) {
  const KeyId id = create(KeyKind::EcP256);
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      while (!stop)
        if (!sign_ec(id)) ++failed;
    });
  for (int i = 0; i < 50; ++i) {
    grant(i % 2 == 0 ? "sign,get" : "sign,get,decrypt");
    EXPECT_TRUE(set(id, {true, {}, clock_.now() + std::chrono::hours(1 + i)}).has_value());
    create(KeyKind::EcP256, "another");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

// --- when and for what
// --------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, ADisabledKeyDoesNothing) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes sent = vault_->encrypt(kGateway, id, kRsaOaep, as_bytes("x")).value();
  ASSERT_TRUE(set(id, {false, {}, {}}).has_value());
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::Disabled, "disabled"));
  EXPECT_TRUE(fails_with(vault_->decrypt(kGateway, id, kRsaOaep, sent), ErrorKind::Disabled, "disabled"));
  EXPECT_TRUE(vault_->get(kGateway, id).has_value()) << "its public half may still be read";
  ASSERT_TRUE(set(id, {}).has_value());
  EXPECT_TRUE(sign(id).has_value());
}

TEST_P(EmbeddedVaultTest, WhatIsDisabledIsNotToldToThoseWhoMayNotUseIt) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(set(id, {false, {}, {}}).has_value());
  grant("get");
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::PermissionDenied, "lacks the key permission 'sign'"));
}

TEST_P(EmbeddedVaultTest, AChangeLeavesWhatItDoesNotMention) {
  KeySettings settings;
  settings.ops = KeyOps{KeyOp::Sign};
  settings.attributes = {true, clock_.now(), clock_.now() + std::chrono::hours(1)};
  settings.tags = {{"owner", "edi"}, {"stage", "test"}};
  const KeyInfo made = vault_->create_key(kOperator, "kv1", "key", KeyKind::EcP256, settings).value();
  clock_.set(clock_.now() + std::chrono::minutes(1));
  KeyInfo after = vault_->update(kOperator, {"kv1", "key", {}}, {}).value();
  EXPECT_EQ(after.ops, *settings.ops);
  EXPECT_EQ(after.attributes, settings.attributes);
  EXPECT_EQ(after.tags, settings.tags);
  EXPECT_EQ(after.created, made.created);
  EXPECT_EQ(after.updated, clock_.now());

  KeyUpdate update;
  update.attributes.not_before.emplace();  // no date any more
  update.tags = Tags{{"stage", "live"}};
  after = vault_->update(kOperator, made.id, update).value();
  EXPECT_EQ(after.attributes, (KeyAttributes{true, std::nullopt, settings.attributes.expires}));
  EXPECT_EQ(after.ops, *settings.ops);
  EXPECT_EQ(vault_->get(kGateway, made.id).value().tags, (Tags{{"stage", "live"}})) << "replaced as a whole";
  EXPECT_EQ(audit_.last().detail, "not_before=none tags=1");
}

TEST_P(EmbeddedVaultTest, TakesTagsWithinTheirLimits) {
  const auto with = [&](const Tags& tags) {
    KeySettings settings;
    settings.tags = tags;
    return vault_->create_key(kOperator, "kv1", "key", KeyKind::EcP256, settings);
  };
  Tags many;
  for (int i = 0; i < 15; ++i) many.emplace("tag" + std::to_string(i), "");
  EXPECT_TRUE(with(many).has_value());
  many.emplace("tag15", "");
  EXPECT_TRUE(fails_with(with(many), ErrorKind::InvalidInput, "up to 15 tags, this one 16"));
  std::string umlauts;
  for (int i = 0; i < 256; ++i) umlauts += "\u00FC";
  EXPECT_TRUE(with({{umlauts, umlauts}}).has_value()) << "characters count, not octets";
  EXPECT_TRUE(fails_with(with({{"a", umlauts + "x"}}), ErrorKind::InvalidInput, "up to 256"));
  EXPECT_TRUE(fails_with(with({{umlauts + "x", ""}}), ErrorKind::InvalidInput, "1 to 256"));
  EXPECT_TRUE(fails_with(with({{"", "x"}}), ErrorKind::InvalidInput, "1 to 256"));
  EXPECT_TRUE(fails_with(with({{"a", "\xFF"}}), ErrorKind::InvalidInput, "UTF-8"));
  const KeyId id = create(KeyKind::EcP256);
  EXPECT_TRUE(fails_with(vault_->update(kOperator, id, {{}, {}, Tags{{"", "x"}}}), ErrorKind::InvalidInput,
                         "cannot be a key's"));
}

TEST_P(EmbeddedVaultTest, AnExpiredKeyMakesNothingNewButReadsWhatWasSentToIt) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes sent = vault_->encrypt(kGateway, id, kRsaOaep, as_bytes("x")).value();
  const Bytes signature = sign(id).value();
  ASSERT_TRUE(set(id, {true, {}, clock_.now()}).has_value());
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::PermissionDenied, "it expired at 2026-11-21"));
  EXPECT_TRUE(fails_with(vault_->encrypt(kGateway, id, kRsaOaep, as_bytes("x")), ErrorKind::PermissionDenied,
                         "expired"));
  EXPECT_TRUE(fails_with(vault_->wrap_key(kGateway, id, kRsaOaep, as_bytes("x")), ErrorKind::PermissionDenied,
                         "expired"));
  EXPECT_TRUE(vault_->decrypt(kGateway, id, kRsaOaep, sent).has_value());
  EXPECT_TRUE(vault_->unwrap_key(kGateway, id, kRsaOaep, sent).has_value());
  EXPECT_TRUE(
      vault_
          ->verify(kGateway, id, SignatureAlgorithm::RS256, digest(Hash::Sha256, as_bytes("text")), signature)
          .value());
  clock_.set(clock_.now() - std::chrono::seconds(1));
  EXPECT_TRUE(sign(id).has_value());
}

TEST_P(EmbeddedVaultTest, AKeyMakesNothingBeforeItIsValid) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(set(id, {true, clock_.now() + std::chrono::seconds(1), {}}).has_value());
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::PermissionDenied, "not valid before"));
  clock_.set(clock_.now() + std::chrono::seconds(1));
  EXPECT_TRUE(sign_ec(id).has_value());
}

TEST_P(EmbeddedVaultTest, AKeyDoesOnlyWhatItIsMeantFor) {
  const KeyId id = create(KeyKind::Rsa2048);
  ASSERT_TRUE(set(id, {}, KeyOps{KeyOp::Decrypt}).has_value());
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::PermissionDenied, "its key_ops are 'decrypt', without 'sign'"));
  EXPECT_TRUE(fails_with(vault_->unwrap_key(kGateway, id, kRsaOaep, Bytes(256)), ErrorKind::PermissionDenied,
                         "unwrapKey"));
  const KeyId ec = create(KeyKind::EcP256, "ec");
  ASSERT_TRUE(set(ec, {}, KeyOps{KeyOp::Sign}).has_value());
  EXPECT_TRUE(
      fails_with(vault_->derive(kGateway, ec, Bytes(65)), ErrorKind::PermissionDenied, "without 'decrypt'"));
}

// --- at rest
// ------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, RefusesASealedKeyThatWasChangedAtAnyOffset) {
  const KeyId id = create(KeyKind::EcP256);
  const Bytes good = store_.sealed(id);
  for (std::size_t i = 0; i < good.size(); ++i) {
    store_.sealed(id)[i] ^= 0x80U;
    EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::Unavailable, "cannot be unsealed")) << i;
    store_.sealed(id) = good;
  }
  EXPECT_TRUE(sign_ec(id).has_value());
}

TEST_P(EmbeddedVaultTest, RefusesASealedKeyInThePlaceOfAnother) {
  const KeyId a = create(KeyKind::EcP256, "a");
  const KeyId b = create(KeyKind::EcP256, "b");
  const KeyId a_again = create(KeyKind::EcP256, "a");
  const Bytes sealed_a = store_.sealed(a);
  store_.sealed(b) = sealed_a;
  EXPECT_TRUE(fails_with(sign_ec(b), ErrorKind::Unavailable, "cannot be unsealed"));
  store_.sealed(a_again) = sealed_a;
  EXPECT_TRUE(fails_with(sign_ec(a_again), ErrorKind::Unavailable, "cannot be unsealed"))
      << "an older version brought back";
}

TEST_P(EmbeddedVaultTest, RefusesAPublicKeyThatIsNotTheKeysOwn) {
  const KeyId id = create(KeyKind::EcP256, "a");
  StoredKey forged = store_.load(id).value();
  forged.info.public_key = vault_->get(kGateway, create(KeyKind::EcP256, "b")).value().public_key;
  test::MemoryKeyStore other_store;
  ASSERT_TRUE(other_store.put_version(forged).has_value());
  ASSERT_TRUE(other_store.put_policy({"kv1", kGateway, gateway_key_permissions()}).has_value());
  const auto vault =
      EmbeddedVault::open(other_store, secrets_, certificates_, audit_,
                          MasterKey::load_file(directory_ / "master.key").value(), clock_, {&tokens_})
          .value();
  EXPECT_TRUE(
      fails_with(vault->sign(kGateway, id, SignatureAlgorithm::ES256, digest(Hash::Sha256, as_bytes(""))),
                 ErrorKind::Unavailable, "public key that is not its own"));
}

TEST_P(EmbeddedVaultTest, OpensWithItsMasterKeyAgainAndWithNoOther) {
  const KeyId id = create(KeyKind::EcP256);
  auto again = open_vault(MasterKey::load_file(directory_ / "master.key").value());
  EXPECT_TRUE(again.value()
                  ->sign(kGateway, id, SignatureAlgorithm::ES256, digest(Hash::Sha256, as_bytes("")))
                  .has_value());
  EXPECT_TRUE(fails_with(open_vault(MasterKey::create_file(directory_ / "other.key").value()),
                         ErrorKind::CryptoFailure, "wrong master key"));
}

TEST_P(EmbeddedVaultTest, StoresNothingOfThePrivateHalfInTheClear) {
  const certstore::PrivateCertificate certificate = test::make_certificate();
  const ImportedKey file =
      read_key_file(as_bytes(test::private_key_pem(certificate.key)), std::nullopt).value();
  const KeyId id = vault_->import_key(kOperator, "kv1", "k", file.key, {}).value().id;
  const std::string sealed(as_text(store_.sealed(id)));
  const std::string_view pkcs8 = as_text(file.key.pkcs8.view());
  for (std::size_t i = 0; i + 16 <= pkcs8.size(); ++i)
    ASSERT_EQ(sealed.find(pkcs8.substr(i, 16)), std::string::npos) << i;
}

TEST_P(EmbeddedVaultTest, FailsWhenTheStoreFails) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(sign_ec(id).has_value());
  store_.failure = Error{ErrorKind::IoFailure, "the disk is gone"};
  EXPECT_TRUE(fails_with(sign_ec(id), ErrorKind::IoFailure, "the disk is gone"))
      << "a policy may have changed unseen";
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "k", KeyKind::EcP256, {}), ErrorKind::IoFailure,
                         "disk"));
  store_.failure.reset();
  EXPECT_TRUE(sign_ec(id).has_value());
}

// --- audit
// --------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedVaultTest, RecordsWhoDidWhatWithWhichVersionForWhichMessage) {
  const KeyId id = create(KeyKind::EcP256);
  const AuditScope scope = message_scope("<1@partner>");
  ASSERT_TRUE(sign_ec({"kv1", "as2-key", {}}).has_value());
  const AuditRecord record = audit_.last();
  EXPECT_EQ(record.time, clock_.now());
  EXPECT_EQ(record.principal, "gateway");
  EXPECT_EQ(record.operation, "sign");
  EXPECT_EQ(record.key, id);
  EXPECT_EQ(record.message, "<1@partner>");
  EXPECT_EQ(record.result, AuditResult::Success);
  EXPECT_EQ(record.detail, "ES256");
}

TEST_P(EmbeddedVaultTest, RecordsWhatWasDeniedAndWhatFailed) {
  const KeyId id = create(KeyKind::Rsa2048);
  EXPECT_FALSE(vault_->decrypt(kGateway, id, kRsaOaep, Bytes(256)).has_value());
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
  EXPECT_FALSE(vault_->get({"mallory"}, id).has_value());
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_EQ(audit_.last().principal, "mallory");
  EXPECT_THAT(audit_.last().detail, testing::HasSubstr("lacks the key permission 'get'"));
}

TEST_P(EmbeddedVaultTest, RecordsEveryOperation) {
  const KeyId id = create(KeyKind::Rsa2048);
  const KeyId ec = create(KeyKind::EcP256, "ec");
  const std::size_t before = audit_.records().size();
  const Bytes hash = digest(Hash::Sha256, as_bytes(""));
  static_cast<void>(vault_->sign(kGateway, id, SignatureAlgorithm::RS256, hash));
  static_cast<void>(vault_->verify(kGateway, id, SignatureAlgorithm::RS256, hash, hash));
  static_cast<void>(vault_->encrypt(kGateway, id, kRsaOaep, hash));
  static_cast<void>(vault_->decrypt(kGateway, id, kRsaOaep, hash));
  static_cast<void>(vault_->wrap_key(kGateway, id, kRsaOaep, hash));
  static_cast<void>(vault_->unwrap_key(kGateway, id, kRsaOaep, hash));
  static_cast<void>(vault_->derive(kGateway, ec, hash));
  static_cast<void>(set(id, {}));
  static_cast<void>(vault_->set_policy(kOperator, {"kv1", {"x"}, {}}));
  std::vector<std::string> operations;
  const auto records = audit_.records();
  for (std::size_t i = before; i < records.size(); ++i) operations.push_back(records[i].operation);
  EXPECT_THAT(operations, testing::ElementsAre("sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey",
                                               "derive", "update", "setPolicy"));
}

TEST_P(EmbeddedVaultTest, DoesNothingThatItCannotRecord) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes sent = vault_->encrypt(kGateway, id, kRsaOaep, as_bytes("x")).value();
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  const auto withheld = [](const auto& result) {
    return fails_with(result, ErrorKind::IoFailure, "audit record cannot be written: no space left");
  };
  EXPECT_TRUE(withheld(sign(id)));
  EXPECT_TRUE(withheld(vault_->decrypt(kGateway, id, kRsaOaep, sent)));
  EXPECT_TRUE(withheld(vault_->create_key(kOperator, "kv1", "unrecorded", KeyKind::EcP256, {})));
  EXPECT_TRUE(withheld(set(id, {false, {}, {}})));
  EXPECT_TRUE(withheld(vault_->set_policy(kOperator, {"kv1", kGateway, {}})));
  audit_.failure.reset();
  EXPECT_FALSE(vault_->get(kGateway, {"kv1", "unrecorded", {}}).has_value());
  EXPECT_TRUE(sign(id).has_value()) << "neither disabled nor without policy";
}

TEST_P(EmbeddedVaultTest, RecordsAChangeThatTheStoreDidNotTake) {
  const KeyId id = create(KeyKind::EcP256);
  ASSERT_TRUE(vault_->set_policy(kOperator, {"kv1", {"x"}, {KeyPermission::Get}}).has_value());
  store_.failure = Error{ErrorKind::IoFailure, "the disk is gone"};
  EXPECT_FALSE(vault_->set_policy(kOperator, {"kv1", {"x"}, {}}).has_value());
  EXPECT_EQ(audit_.last().result, AuditResult::Failed);
  EXPECT_THAT(audit_.last().detail, testing::HasSubstr("the disk is gone"));
}

SIGNET_EVERY_BACK_END(EmbeddedVaultTest);

}  // namespace
}  // namespace signet::vault
