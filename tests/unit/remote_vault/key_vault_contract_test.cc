#include <openssl/evp.h>

#include "certstore/vault/provider.h"
#include "certstore/vault/self_signed.h"
#include "tests/unit/remote_vault/second_signet.h"

/// What every KeyVault does alike: asked directly, and over REST from another Signet. Both are the same
/// vault, so that what one face makes, the other one sees.

namespace signet::gateway {
namespace {

using test::fails_with;
using test::kGateway;
using test::kOperator;
using vault::EncryptionAlgorithm;
using vault::KeyId;
using vault::KeyInfo;
using vault::KeyKind;
using vault::KeyOp;
using vault::SignatureAlgorithm;

enum class Face { Embedded, Remote };

class KeyVaultContract : public testing::TestWithParam<Face> {
 protected:
  KeyVaultContract() {
    if (GetParam() == Face::Remote)
      remote_ = std::make_unique<RemoteVault>(second_.link(), client_, audit_, clock_);
  }

  vault::KeyVault& vault() { return remote_ ? static_cast<vault::KeyVault&>(*remote_) : second_.vault(); }

  KeyId create(KeyKind kind, std::string_view name = "as2-key", const vault::KeySettings& settings = {}) {
    const auto made = second_.vault().create_key(kOperator, "kv1", name, kind, settings);
    return made.value().id;
  }
  Result<Bytes> sign(const KeyId& id, SignatureAlgorithm algorithm = SignatureAlgorithm::RS256) {
    return vault().sign(kGateway, id, algorithm, digest(vault::hash_of(algorithm), as_bytes("text")));
  }
  Result<Bytes> encrypt(const KeyId& id, const EncryptionAlgorithm& algorithm) {
    return second_.vault().encrypt(kGateway, id, algorithm, as_bytes("content key"));
  }

  test::SecondSignet second_;
  SystemClock clock_;
  test::MemoryAuditLog audit_;
  HttpClient client_;
  std::unique_ptr<RemoteVault> remote_;
};

INSTANTIATE_TEST_SUITE_P(Faces, KeyVaultContract, testing::Values(Face::Embedded, Face::Remote),
                         [](const auto& info) { return info.param == Face::Remote ? "Remote" : "Embedded"; });

TEST_P(KeyVaultContract, ShowsEveryKindOfKeyAsItIs) {
  for (const KeyKind kind :
       {KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521}) {
    vault::KeySettings settings;
    settings.attributes.expires = parse_time("2040-01-01T00:00:00Z").value();
    settings.tags = {{"team", "edi"}};
    const auto made = vault().create_key(kOperator, "kv1", "key", kind, settings);
    ASSERT_TRUE(made) << made.error().detail;
    const KeyInfo there = second_.vault().get(kGateway, {"kv1", "key", {}}).value();
    const KeyInfo seen = vault().get(kGateway, made->id).value();
    EXPECT_EQ(seen.id, there.id);
    EXPECT_EQ(seen.kind, kind);
    EXPECT_EQ(seen.public_key, there.public_key);
    EXPECT_EQ(seen.attributes, there.attributes);
    EXPECT_EQ(seen.tags, settings.tags);
    EXPECT_TRUE(seen.ops.has(KeyOp::Sign));
  }
  EXPECT_EQ(vault().versions(kGateway, "kv1", "key").value().size(), 5U);
}

TEST_P(KeyVaultContract, ListsTheNewestVersionFirstAndTheCurrentOneOfEveryKey) {
  const KeyId first = create(KeyKind::EcP256);
  const KeyId second = create(KeyKind::EcP384);
  create(KeyKind::Rsa2048, "another");
  EXPECT_EQ(vault().get(kGateway, {"kv1", "AS2-Key", {}}).value().id, second);
  const auto versions = vault().versions(kGateway, "kv1", "as2-key").value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].id, second);
  EXPECT_EQ(versions[1].id, first);
  const auto keys = vault().list(kGateway, "kv1").value();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].id.name, "another");
  EXPECT_EQ(keys[1].id, second);
}

TEST_P(KeyVaultContract, MoreKeysThanAPageHoldsAreAllListed) {
  for (int number = 0; number < 30; ++number) create(KeyKind::EcP256, "key-" + std::to_string(number));
  EXPECT_EQ(vault().list(kGateway, "kv1").value().size(), 30U);
}

TEST_P(KeyVaultContract, SignsWithEveryAlgorithm) {
  const KeyId rsa = create(KeyKind::Rsa2048, "rsa");
  for (const auto algorithm :
       {SignatureAlgorithm::RS256, SignatureAlgorithm::RS384, SignatureAlgorithm::RS512,
        SignatureAlgorithm::PS256, SignatureAlgorithm::PS384, SignatureAlgorithm::PS512}) {
    const auto signature = sign(rsa, algorithm);
    ASSERT_TRUE(signature) << signature.error().detail;
    const Bytes hashed = digest(vault::hash_of(algorithm), as_bytes("text"));
    EXPECT_TRUE(second_.vault().verify(kGateway, rsa, algorithm, hashed, *signature).value());
    EXPECT_TRUE(vault().verify(kGateway, rsa, algorithm, hashed, *signature).value());
    const Bytes other = digest(vault::hash_of(algorithm), as_bytes("another text"));
    EXPECT_FALSE(vault().verify(kGateway, rsa, algorithm, other, *signature).value());
  }
  const KeyId ec = create(KeyKind::EcP256, "ec");
  EXPECT_EQ(sign(ec, SignatureAlgorithm::ES256).value().size(), 64U);
  EXPECT_EQ(sign({"kv1", "ec", {}}, SignatureAlgorithm::ES256).value().size(), 64U) << "the current version";
}

TEST_P(KeyVaultContract, SignsNothingButADigestOfTheRightLength) {
  const KeyId id = create(KeyKind::Rsa2048);
  EXPECT_TRUE(fails_with(vault().sign(kGateway, id, SignatureAlgorithm::RS256, as_bytes("short")),
                         ErrorKind::InvalidInput, "32"));
}

TEST_P(KeyVaultContract, DecryptsAndUnwrapsWhatWasEncryptedForIt) {
  const KeyId id = create(KeyKind::Rsa2048);
  for (const EncryptionAlgorithm& algorithm :
       {vault::kRsa15, vault::kRsaOaep, vault::kRsaOaep256, vault::kRsaOaep512}) {
    const Bytes hidden = encrypt(id, algorithm).value();
    const auto opened = vault().decrypt(kGateway, id, algorithm, hidden);
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(as_text(opened->view()), "content key");
    EXPECT_EQ(as_text(vault().unwrap_key(kGateway, id, algorithm, hidden).value().view()), "content key");
    const Bytes again = vault().encrypt(kGateway, id, algorithm, as_bytes("1")).value();
    EXPECT_EQ(as_text(second_.vault().decrypt(kGateway, id, algorithm, again).value().view()), "1");
    const Bytes wrapped = vault().wrap_key(kGateway, id, algorithm, as_bytes("2")).value();
    EXPECT_EQ(as_text(second_.vault().unwrap_key(kGateway, id, algorithm, wrapped).value().view()), "2");
  }
}

TEST_P(KeyVaultContract, ACiphertextThatDoesNotDecryptIsThatAndNothingElse) {
  const KeyId id = create(KeyKind::Rsa2048);
  const KeyId other = create(KeyKind::Rsa2048, "other");
  const Bytes hidden = encrypt(other, vault::kRsaOaep).value();
  const auto opened = vault().decrypt(kGateway, id, vault::kRsaOaep, hidden);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::CryptoFailure);
}

TEST_P(KeyVaultContract, WhatNoPolicyGrantsIsDenied) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes hidden = encrypt(id, vault::kRsaOaep).value();
  second_.grant("get,list");
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::PermissionDenied, "'sign'"));
  EXPECT_TRUE(fails_with(vault().decrypt(kGateway, id, vault::kRsaOaep, hidden), ErrorKind::PermissionDenied,
                         "'decrypt'"));
  second_.grant("sign");
  EXPECT_TRUE(fails_with(vault().get(kGateway, id), ErrorKind::PermissionDenied, "'get'"));
  EXPECT_TRUE(
      fails_with(vault().versions(kGateway, "kv1", "as2-key"), ErrorKind::PermissionDenied, "'list'"));
}

TEST_P(KeyVaultContract, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(vault().get(kGateway, {"kv1", "absent", {}}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(vault().versions(kGateway, "kv1", "absent").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(sign({"kv1", "absent", std::string(32, '0')}).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(vault().get(kGateway, {"kv1", "../x", {}}).error().kind, ErrorKind::InvalidInput);
  EXPECT_EQ(sign({"kv1", "x/y", {}}).error().kind, ErrorKind::InvalidInput);
}

TEST_P(KeyVaultContract, ADisabledKeyDoesNothingAndAnExpiredOneNothingNew) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes hidden = encrypt(id, vault::kRsaOaep).value();
  ASSERT_TRUE(second_.vault().update(kOperator, id,
                                     {{std::nullopt, {}, {parse_time("2020-01-01").value()}}, {}, {}}));
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::PermissionDenied, "expired"));
  EXPECT_TRUE(vault().decrypt(kGateway, id, vault::kRsaOaep, hidden));
  ASSERT_TRUE(second_.vault().update(kOperator, id, {{false, {}, {}}, {}, {}}));
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::Disabled, "disabled"));
  EXPECT_TRUE(
      fails_with(vault().decrypt(kGateway, id, vault::kRsaOaep, hidden), ErrorKind::Disabled, "disabled"));
}

TEST_P(KeyVaultContract, ItsHandlesServeOpenssl) {
  const KeyId id = create(KeyKind::Rsa2048);
  const auto certificate = vault::make_self_signed(vault(), kGateway, id, {});
  ASSERT_FALSE(certificate) << "a name is missing";
  vault::SelfSignedSettings settings;
  settings.common_name = "Acme";
  settings.not_before = clock_.now();
  settings.validity = std::chrono::days(10);
  const auto named = vault::make_self_signed(vault(), kGateway, id, settings);
  ASSERT_TRUE(named) << named.error().detail;
  const auto handle = vault::open_key(vault(), kGateway, id).value();
  EXPECT_TRUE(named->has_public_key(handle.native()));
  second_.grant("get,list");
  EXPECT_TRUE(fails_with(vault::make_self_signed(vault(), kGateway, id, settings),
                         ErrorKind::PermissionDenied, "'sign'"));
}

TEST_P(KeyVaultContract, SignsInManyThreadsAtOnce) {
  const KeyId id = create(KeyKind::EcP256);
  std::atomic<int> signed_ones = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number)
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round)
        if (sign(id, SignatureAlgorithm::ES256)) ++signed_ones;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(signed_ones, 40);
}

// ---- What only a vault elsewhere does

class RemoteVaultTest : public KeyVaultContract {};
INSTANTIATE_TEST_SUITE_P(Alone, RemoteVaultTest, testing::Values(Face::Remote),
                         [](const auto&) { return std::string("Remote"); });

TEST_P(RemoteVaultTest, RecordsEachUseHereTooBeforeItsResultIsGiven) {
  const KeyId id = create(KeyKind::Rsa2048);
  const auto scope = vault::message_scope("message-7");
  ASSERT_TRUE(sign({"kv1", "as2-key", {}}));
  const vault::AuditRecord record = audit_.last();
  EXPECT_EQ(record.operation, "sign");
  EXPECT_EQ(record.principal, "gateway");
  EXPECT_EQ(record.key, id) << "with the version that was used";
  EXPECT_EQ(record.message, "message-7");
  EXPECT_EQ(record.result, vault::AuditResult::Success);
  EXPECT_THAT(record.detail, testing::StartsWith("RS256, at https://127.0.0.1:"));
  second_.grant("get");
  EXPECT_FALSE(sign(id));
  EXPECT_EQ(audit_.last().result, vault::AuditResult::Denied);
  second_.grant("all");
  audit_.failure = Error{ErrorKind::IoFailure, "no space left"};
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::IoFailure, "no space left"));
  const Bytes hidden = encrypt(id, vault::kRsaOaep).value();
  EXPECT_TRUE(fails_with(vault().decrypt(kGateway, id, vault::kRsaOaep, hidden), ErrorKind::IoFailure,
                         "no space left"));
}

TEST_P(RemoteVaultTest, IsForTheGatewayWhichUsesAndForTheOperatorWhoLooks) {
  const KeyId id = create(KeyKind::Rsa2048);
  const Bytes hashed = digest(Hash::Sha256, as_bytes("text"));
  EXPECT_TRUE(fails_with(vault().sign(kOperator, id, SignatureAlgorithm::RS256, hashed),
                         ErrorKind::PermissionDenied, "'operator'"));
  EXPECT_TRUE(vault().get(kOperator, id));
  EXPECT_TRUE(fails_with(vault().get({"somebody"}, id), ErrorKind::PermissionDenied, "'somebody'"));
  EXPECT_TRUE(fails_with(vault().create_key(kGateway, "kv1", "new", KeyKind::EcP256, {}),
                         ErrorKind::PermissionDenied, "'gateway'"));
  EXPECT_TRUE(fails_with(remote_->get_secret(kOperator, {"kv1", "s", {}}), ErrorKind::PermissionDenied,
                         "'operator'"));
}

TEST_P(RemoteVaultTest, GivesSecretsAndShowsTheirVersions) {
  const auto set = [&](std::string_view value) {
    return second_.vault()
        .set_secret(kOperator, "kv1", "password", SecretBytes::copy_of(value), {"password", {}, {}})
        .value();
  };
  set("first");
  const vault::SecretInfo second = set("zwei \xE2\x82\xAC");
  const vault::Secret secret = remote_->get_secret(kGateway, {"kv1", "password", {}}).value();
  EXPECT_EQ(as_text(secret.value.view()), "zwei \xE2\x82\xAC");
  EXPECT_EQ(secret.info.id, second.id);
  EXPECT_EQ(secret.info.settings.content_type, "password");
  EXPECT_EQ(audit_.last().object, vault::AuditObject::Secret);
  EXPECT_EQ(remote_->secret_versions(kOperator, "password").value().front().id, second.id);
  EXPECT_EQ(remote_->get_secret(kGateway, {"kv1", "absent", {}}).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(second_.vault().update_secret(kOperator, second.id, {{}, {false, {}, {}}, {}}));
  EXPECT_TRUE(fails_with(remote_->get_secret(kGateway, second.id), ErrorKind::Disabled, "disabled"));
}

TEST_P(RemoteVaultTest, SaysWhereToDoWhatItDoesNotDo) {
  const KeyId id = create(KeyKind::EcP256);
  EXPECT_TRUE(fails_with(vault().derive(kGateway, id, as_bytes("point")), ErrorKind::Unsupported,
                         "no word for key agreement"));
  EXPECT_TRUE(fails_with(vault().delete_key(kOperator, "kv1", "as2-key"), ErrorKind::Unsupported,
                         "at that vault itself"));
  const EncryptionAlgorithm mixed{true, Hash::Sha256, Hash::Sha1};
  const KeyId rsa = create(KeyKind::Rsa2048, "rsa");
  EXPECT_TRUE(fails_with(vault().decrypt(kGateway, rsa, mixed, as_bytes("x")), ErrorKind::Unsupported,
                         "has no word for"));
}

}  // namespace
}  // namespace signet::gateway
