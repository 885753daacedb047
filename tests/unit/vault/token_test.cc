#include <dlfcn.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "certstore/vault/token_internal.h"
#include "certstore/vault/token_key_internal.h"
#include "tests/support/breaking_module.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr EncryptionAlgorithm kOaeps[] = {
    kRsaOaep, kRsaOaep256, kRsaOaep512, {true, Hash::Sha256, Hash::Sha1}};

/// The module in front of SoftHSM, and what it breaks.
test::Break& breaking() {
  static void* const module = dlopen(SIGNET_BREAKING_MODULE, RTLD_NOW | RTLD_LOCAL);
  return *static_cast<test::Break*>(dlsym(module, "signet_break"));
}

void break_next(const char* function, CK_RV value, unsigned times) {
  std::memcpy(breaking().function, function, std::strlen(function) + 1);
  breaking().value = value;
  breaking().times = times;
}

Bytes text_digest() { return digest(Hash::Sha256, as_bytes("text")); }

/// The vault "hsm" with its keys in a token of its own, beside "kv1", which has none.
class TokenVault : public VaultFixture {
 protected:
  TokenVault() : TokenVault(test::SoftToken::module()) {}
  explicit TokenVault(const std::filesystem::path& module) {
    const auto put = vault_->set_token(kOperator, "hsm", token_.uri(module));
    if (!put) throw std::runtime_error(put.error().detail);
    AccessPolicy policy{"hsm", kGateway};
    policy.keys = parse_key_permissions("all").value();
    policy.secrets = parse_secret_permissions("get").value();
    EXPECT_TRUE(vault_->set_policy(kOperator, policy));
    before_ = token_.keys();
  }
  ~TokenVault() override {
    if (token_.is_away()) token_.put_back();
  }

  Result<KeyInfo> create_in_token(KeyKind kind = KeyKind::EcP256, std::string_view name = "key") {
    return vault_->create_key(kOperator, "hsm", name, kind, {});
  }
  Result<Bytes> sign(const KeyId& id, SignatureAlgorithm algorithm = SignatureAlgorithm::ES256) {
    return vault_->sign(kGateway, id, algorithm, text_digest());
  }
  Result<CertificateOperation> create_certificate(std::string_view issuer = kSelfIssuer,
                                                  bool exportable = false, KeyKind kind = KeyKind::EcP256) {
    CertificatePolicy policy;
    policy.kind = kind;
    policy.subject = "CN=as2.acme.example";
    policy.issuer = issuer;
    policy.exportable = exportable;
    return vault_->create_certificate(kOperator, "hsm", "c1", policy, {});
  }
  std::string secret() {
    return std::string(as_text(vault_->get_secret(kGateway, {"hsm", "c1", {}}).value().value.view()));
  }
  /// How many keys have come into the token.
  [[nodiscard]] std::size_t keys() const { return token_.keys() - before_; }

  test::SoftToken token_{"hsm"};
  std::size_t before_ = 0;
};

// --- where a token is

TEST(TokenUri, IsWrittenAndReadAsRfc7512Says) {
  const TokenUri uri = TokenUri::of("/usr/lib/a module.so", "acme's", "/etc/signet/acme.pin").value();
  EXPECT_EQ(uri.name(), "acme's");
  EXPECT_EQ(TokenUri::parse(uri.text()).value(), uri);
  EXPECT_EQ(TokenUri::parse(uri.text()).value().module(), "/usr/lib/a module.so");
  EXPECT_EQ(uri.pin_file(), "/etc/signet/acme.pin");
  EXPECT_THAT(uri.text(), testing::StartsWith("pkcs11:token="));
  const TokenUri by_serial = TokenUri::parse("pkcs11:serial=42?module-path=/m.so&pin-source=/p").value();
  EXPECT_EQ(by_serial.name(), "pkcs11:serial=42");
}

TEST(TokenUri, IsNothingElse) {
  for (const char* const text :
       {"", "token=acme", "pkcs11:token=acme", "pkcs11:token=acme?module-path=/m.so",
        "pkcs11:?module-path=/m.so&pin-source=/p", "pkcs11:token=a?module-path=m.so&pin-source=/p",
        "pkcs11:token=a?module-path=/m.so&pin-source=p",
        "pkcs11:token=a;object=k?module-path=/m.so&pin-source=/p"})
    EXPECT_TRUE(fails_with(TokenUri::parse(text), ErrorKind::InvalidInput, "expected 'pkcs11:token="))
        << text;
  const auto with_pin = TokenUri::parse("pkcs11:token=a?module-path=/m.so&pin-source=/p&pin-value=4711");
  EXPECT_TRUE(fails_with(with_pin, ErrorKind::InvalidInput, "a file of its own"));
  EXPECT_THAT(with_pin.error().detail, Not(HasSubstr("4711")));
  EXPECT_TRUE(fails_with(TokenUri::of("/m.so", std::string(33, 'a'), "/p"), ErrorKind::InvalidInput, "32"));
}

TEST(TokenErrors, AreNamed) {
  EXPECT_EQ(signet::vault::name_of(CKR_PIN_INCORRECT), "CKR_PIN_INCORRECT");
  EXPECT_EQ(signet::vault::name_of(0x80000005UL), "CKR 0x80000005 (the vendor's own)");
}

TEST_F(TokenVault, IsTakenOnlyByAVaultWithoutKeys) {
  create(KeyKind::EcP256);
  EXPECT_TRUE(fails_with(vault_->set_token(kOperator, "kv1", token_.uri()), ErrorKind::AlreadyExists,
                         "keys already"));
  EXPECT_TRUE(
      fails_with(vault_->set_token(kGateway, "kv9", token_.uri()), ErrorKind::PermissionDenied, "kv9"));
}

TEST_F(TokenVault, StaysWithItsTokenWhichMayMove) {
  ASSERT_TRUE(create_in_token());
  EXPECT_TRUE(fails_with(vault_->set_token(kOperator, "hsm", test::SoftToken("tests").uri()),
                         ErrorKind::AlreadyExists, "stay there"));
  const std::filesystem::path moved = directory_ / "pin";
  std::filesystem::copy(token_.pin_file(), moved);
  ASSERT_TRUE(
      vault_->set_token(kOperator, "HSM", TokenUri::of(test::SoftToken::module(), "hsm", moved).value()));
  EXPECT_EQ(vault_->token("hsm").value()->pin_file(), moved);
  EXPECT_TRUE(sign({"hsm", "key", {}}));
}

TEST_F(TokenVault, IsNamedWhenItIsNotThere) {
  const auto refused = [&](const TokenUri& uri) { return vault_->set_token(kOperator, "kv9", uri); };
  EXPECT_TRUE(fails_with(refused(TokenUri::of("/none.so", "hsm", token_.pin_file()).value()),
                         ErrorKind::Unavailable, "/none.so cannot be loaded"));
  EXPECT_TRUE(fails_with(refused(TokenUri::of(test::SoftToken::module(), "other", token_.pin_file()).value()),
                         ErrorKind::Unavailable, "token 'other' is not there"));
  EXPECT_FALSE(vault_->token("kv9").value());
}

TEST_F(TokenVault, ReadsAPinFileThatItsOwnerAloneCanRead) {
  const std::filesystem::path pin_file = directory_ / "pin";
  std::filesystem::copy(token_.pin_file(), pin_file);
  std::filesystem::permissions(pin_file, std::filesystem::perms(0640));
  const TokenUri uri = TokenUri::of(test::SoftToken::module(), "hsm", pin_file).value();
  const auto refused = vault_->set_token(kOperator, "kv9", uri);
  EXPECT_TRUE(fails_with(refused, ErrorKind::Unavailable, "chmod 600"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("1234567")));
}

// --- keys

TEST_F(TokenVault, HoldsKeysThatItMadeAndTookIn) {
  const KeyInfo made = create_in_token().value();
  EXPECT_TRUE(made.in_token);
  EXPECT_TRUE(vault_->get(kOperator, made.id).value().in_token);
  EXPECT_FALSE(vault_->get(kOperator, create(KeyKind::EcP256)).value().in_token);
  const auto own = test::make_certificate();
  const ImportedKey file = read_key_file(as_bytes(test::private_key_pem(own.key)), std::nullopt).value();
  const KeyInfo taken = vault_->import_key(kOperator, "hsm", "taken", file.key, {}).value();
  EXPECT_TRUE(taken.in_token);
  EXPECT_EQ(keys(), 2U);
  EXPECT_TRUE(sign(made.id));
  EXPECT_TRUE(sign(taken.id, SignatureAlgorithm::PS256));
}

TEST_F(TokenVault, IsWantedInVain) {
  KeySettings settings;
  settings.in_token = true;
  EXPECT_TRUE(fails_with(vault_->create_key(kOperator, "kv1", "k", KeyKind::EcP256, settings),
                         ErrorKind::Unsupported, "in no token"));
  EXPECT_TRUE(vault_->create_key(kOperator, "hsm", "k", KeyKind::EcP256, settings));
}

TEST_F(TokenVault, DecryptsWithEveryPaddingWhetherSoftHsmHasItOrNot) {
  const KeyId id = create_in_token(KeyKind::Rsa2048).value().id;
  for (const EncryptionAlgorithm& algorithm : kOaeps) {
    Bytes ciphertext = vault_->encrypt(kGateway, id, algorithm, as_bytes("text")).value();
    const auto decrypted = vault_->decrypt(kGateway, id, algorithm, ciphertext);
    ASSERT_TRUE(decrypted) << to_string(algorithm) << decrypted.error().detail;
    EXPECT_EQ(as_text(decrypted->view()), "text");
    ciphertext.back() ^= 1U;
    EXPECT_TRUE(fails_with(vault_->decrypt(kGateway, id, algorithm, ciphertext), ErrorKind::CryptoFailure,
                           "does not decrypt with this key"));
  }
}

TEST_F(TokenVault, TakesCiphertextsWithoutTheirLeadingZerosAsOpensslDoes) {
  const KeyId id = create_in_token(KeyKind::Rsa2048).value().id;
  Bytes ciphertext;
  do {
    ciphertext = vault_->encrypt(kGateway, id, kRsa15, as_bytes("text")).value();
  } while (ciphertext.front() != 0);
  ciphertext.erase(ciphertext.begin());
  EXPECT_EQ(as_text(vault_->decrypt(kGateway, id, kRsa15, ciphertext).value().view()), "text");
}

TEST_F(TokenVault, GivesNothingToBackUpAndTakesNoBackup) {
  ASSERT_TRUE(create_in_token());
  EXPECT_TRUE(fails_with(vault_->backup_key(kOperator, "hsm", "key"), ErrorKind::Unsupported, "in a token"));
  create(KeyKind::EcP256, "other");
  const Bytes blob = vault_->backup_key(kOperator, "kv1", "other").value();
  EXPECT_TRUE(fails_with(vault_->restore_key(kOperator, "hsm", blob), ErrorKind::Unsupported, "in a token"));
}

// --- certificates

TEST_F(TokenVault, MakesCertificatesWhoseKeysDoNotComeOut) {
  EXPECT_TRUE(fails_with(create_certificate(kSelfIssuer, true), ErrorKind::InvalidInput, "exportable"));
  for (const KeyKind kind : {KeyKind::EcP384, KeyKind::Rsa2048}) {
    const auto made = create_certificate(kSelfIssuer, false, kind);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_TRUE(vault_->certificate_policy(kOperator, "hsm", "c1").value().in_token);
  }
  EXPECT_EQ(keys(), 2U);
  EXPECT_THAT(secret(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_TRUE(sign({"hsm", "c1", {}}, SignatureAlgorithm::RS256));
  EXPECT_TRUE(
      fails_with(vault_->backup_certificate(kOperator, "hsm", "c1"), ErrorKind::Unsupported, "in a token"));
}

TEST_F(TokenVault, KeepsTheKeyOfARequestUntilItIsCancelled) {
  const auto begun = create_certificate(kUnknownIssuer);
  ASSERT_TRUE(begun) << begun.error().detail;
  EXPECT_EQ(keys(), 1U);
  ASSERT_TRUE(vault_->settle_tokens());
  EXPECT_EQ(keys(), 1U);
  ASSERT_TRUE(vault_->cancel_certificate_operation(kOperator, "hsm", "c1"));
  EXPECT_EQ(keys(), 0U);
}

TEST_F(TokenVault, TakesAPfxInWithoutGivingItOutAgain) {
  const auto own = test::make_certificate({.key = "ec:P-256"});
  const std::string pem = test::private_key_pem(own.key) + own.certificate.pem();
  const CertificateFile file = read_certificate_file(as_bytes(pem), std::nullopt).value();
  const auto taken = vault_->import_certificate(kOperator, "hsm", "c1", file, {}, {});
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_FALSE(taken->policy.exportable);
  EXPECT_THAT(secret(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_TRUE(sign({"hsm", "c1", {}}));
  const PolicyChange exportable = [](CertificatePolicy policy) -> Result<CertificatePolicy> {
    policy.exportable = true;
    return policy;
  };
  EXPECT_TRUE(fails_with(vault_->import_certificate(kOperator, "hsm", "c2", file, exportable, {}),
                         ErrorKind::InvalidInput, "exportable"));
  EXPECT_EQ(keys(), 1U);
}

TEST_F(TokenVault, GivesANewVersionTheSameKeyWhereThePolicySaysSo) {
  ASSERT_TRUE(create_certificate());
  const auto reusing = vault_->update_certificate_policy(
      kOperator, "hsm", "c1", [](CertificatePolicy policy) -> Result<CertificatePolicy> {
        policy.reuse_key = true;
        return policy;
      });
  ASSERT_TRUE(reusing);
  const auto again = vault_->create_certificate(kOperator, "hsm", "c1", std::nullopt, {});
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(keys(), 1U);
  EXPECT_TRUE(sign({"hsm", "c1", {}}));
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "hsm", "c1"));
  EXPECT_EQ(keys(), 1U);
  ASSERT_TRUE(vault_->purge_certificate(kOperator, "hsm", "c1"));
  EXPECT_EQ(keys(), 0U);
}

// --- nothing is left behind

TEST_F(TokenVault, IsRidOfWhatIsPurgedAndOfNothingElse) {
  ASSERT_TRUE(create_in_token());
  ASSERT_TRUE(create_in_token());
  const KeyId other = create_in_token(KeyKind::EcP256, "other").value().id;
  ASSERT_TRUE(vault_->delete_key(kOperator, "hsm", "key"));
  EXPECT_EQ(keys(), 3U);
  ASSERT_TRUE(vault_->purge_key(kOperator, "hsm", "key"));
  EXPECT_EQ(keys(), 1U);
  EXPECT_TRUE(sign(other));
}

TEST_F(TokenVault, IsRidOfAKeyThatTheStoreDidNotTake) {
  audit_.failure = Error{ErrorKind::IoFailure, "the disk is gone"};
  EXPECT_TRUE(fails_with(create_in_token(), ErrorKind::IoFailure, "the disk is gone"));
  EXPECT_TRUE(fails_with(create_certificate(), ErrorKind::IoFailure, "the disk is gone"));
  audit_.failure.reset();
  certificates_.failure = Error{ErrorKind::IoFailure, "the disk is gone"};
  EXPECT_TRUE(fails_with(create_certificate(kUnknownIssuer), ErrorKind::IoFailure, "the disk is gone"));
  EXPECT_EQ(keys(), 0U);
  EXPECT_TRUE(tokens_.noted_objects(clock_.now()).value().empty());
}

// --- a token that fails

class BreakingToken : public TokenVault {
 protected:
  BreakingToken() : TokenVault(SIGNET_BREAKING_MODULE) {}
  ~BreakingToken() override { breaking().times = 0; }
};

TEST_F(BreakingToken, IsOpenedAnewWhenTheSessionIsLost) {
  const KeyId id = create_in_token().value().id;
  for (const CK_RV value : {CKR_SESSION_HANDLE_INVALID, CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR,
                            CKR_TOKEN_NOT_PRESENT, CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN}) {
    break_next("C_SignInit", value, 1);
    const auto signed_text = sign(id);
    EXPECT_TRUE(signed_text) << signed_text.error().detail;
    EXPECT_EQ(breaking().times, 0U);
  }
}

TEST_F(BreakingToken, IsNamedWithWhatItSays) {
  const KeyId id = create_in_token().value().id;
  break_next("C_SignInit", CKR_DEVICE_REMOVED, 100);
  EXPECT_TRUE(
      fails_with(sign(id), ErrorKind::Unavailable, "token 'hsm': C_SignInit gave CKR_DEVICE_REMOVED"));
  break_next("C_OpenSession", CKR_SLOT_ID_INVALID, 100);
  EXPECT_TRUE(fails_with(sign(id), ErrorKind::Unavailable, "C_OpenSession gave CKR_SLOT_ID_INVALID"));
  EXPECT_TRUE(fails_with(vault_->check_token("hsm"), ErrorKind::Unavailable, "C_OpenSession"));
  breaking().times = 0;
  EXPECT_TRUE(sign(id));
}

TEST_F(BreakingToken, TellsCiphertextsThatDoNotDecryptFromItsOwnTrouble) {
  const KeyId id = create_in_token(KeyKind::Rsa2048).value().id;
  const Bytes ciphertext = vault_->encrypt(kGateway, id, kRsa15, as_bytes("text")).value();
  for (const CK_RV value : {CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_DATA_INVALID,
                            CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED}) {
    break_next("C_Decrypt", value, 1);
    const auto failed = vault_->decrypt(kGateway, id, kRsa15, ciphertext);
    EXPECT_EQ(failed.error().detail, "the ciphertext does not decrypt with this key");
    EXPECT_EQ(failed.error().kind, ErrorKind::CryptoFailure);
  }
  break_next("C_Decrypt", CKR_DEVICE_REMOVED, 2);
  EXPECT_TRUE(
      fails_with(vault_->decrypt(kGateway, id, kRsa15, ciphertext), ErrorKind::Unavailable, "CKR_DEVICE"));
  EXPECT_TRUE(vault_->decrypt(kGateway, id, kRsa15, ciphertext));
}

TEST_F(BreakingToken, IsRidLaterOfWhatItDidNotLetGo) {
  ASSERT_TRUE(create_in_token());
  ASSERT_TRUE(vault_->delete_key(kOperator, "hsm", "key"));
  break_next("C_DestroyObject", CKR_FUNCTION_FAILED, 100);
  EXPECT_TRUE(vault_->purge_key(kOperator, "hsm", "key")) << "it is purged here";
  EXPECT_EQ(keys(), 1U);
  clock_.set(clock_.now() + std::chrono::hours(2));
  EXPECT_TRUE(fails_with(vault_->settle_tokens(), ErrorKind::Unavailable, "C_DestroyObject"));
  breaking().times = 0;
  EXPECT_TRUE(vault_->settle_tokens());
  EXPECT_EQ(keys(), 0U);
}

// Many tokens have fewer sessions than we would take.
TEST_F(BreakingToken, OfFewSessionsHasOthersWaitForOneThatIsLent) {
  ASSERT_TRUE(create_in_token());
  Token token(token_.uri(SIGNET_BREAKING_MODULE));
  ASSERT_TRUE(token.check());
  const volatile unsigned& times = breaking().times;
  std::uint64_t before = 0;
  Result<> other;
  std::thread somebody_else;
  ASSERT_TRUE(token.use([&](TokenSession& session) -> Result<> {
    before = session.connection();
    break_next("C_OpenSession", CKR_SESSION_COUNT, 1);
    somebody_else = std::thread([&] { other = token.check(); });
    while (times != 0) std::this_thread::yield();
    return session.check_alive();
  }));
  somebody_else.join();
  EXPECT_TRUE(other) << other.error().detail;
  std::uint64_t after = 0;
  ASSERT_TRUE(token.use([&](TokenSession& session) -> Result<> {
    after = session.connection();
    return {};
  }));
  EXPECT_EQ(after, before) << "nobody had to log in again";
}

TEST_F(BreakingToken, WithoutAnySessionLeftSaysSo) {
  Token token(token_.uri(SIGNET_BREAKING_MODULE));
  break_next("C_OpenSession", CKR_SESSION_COUNT, 100);
  EXPECT_TRUE(fails_with(token.check(), ErrorKind::Unavailable, "C_OpenSession gave CKR_SESSION_COUNT"));
}

// What was noted and never made, or is gone already.
TEST_F(BreakingToken, StaysConnectedWhereAKeyIsGoneAlready) {
  const KeyId id = create_in_token().value().id;
  Token token(token_.uri(SIGNET_BREAKING_MODULE));
  ASSERT_TRUE(token.check());
  const auto connection = [&] {
    std::uint64_t now = 0;
    EXPECT_TRUE(token.use([&](TokenSession& session) -> Result<> {
      now = session.connection();
      return {};
    }));
    return now;
  };
  const std::uint64_t before = connection();
  EXPECT_TRUE(TokenKey::destroy(token, Bytes(16, 7)));
  EXPECT_EQ(connection(), before);
  EXPECT_TRUE(sign(id));
}

TEST_F(BreakingToken, TakesNoOtherPinForThatOneLogInLasts) {
  const KeyId id = create_in_token().value().id;
  const std::filesystem::path pin_file = directory_ / "pin";
  std::ofstream(pin_file) << "1111111\n";
  std::filesystem::permissions(pin_file, std::filesystem::perms(0600));
  Token token(TokenUri::of(SIGNET_BREAKING_MODULE, "hsm", pin_file).value());
  const auto refused = token.check();
  EXPECT_TRUE(fails_with(refused, ErrorKind::Unavailable, "not the one that this process is logged in with"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("1111111")));
  std::ofstream(pin_file) << "1234567\n";
  EXPECT_TRUE(token.check());
  EXPECT_TRUE(sign(id));
}

TEST_F(BreakingToken, TriesAWrongPinOnce) {
  ASSERT_TRUE(create_in_token());
  const std::filesystem::path pin_file = directory_ / "pin";
  const auto write_pin = [&](std::string_view pin) {
    std::ofstream(pin_file) << pin << "\n";
    std::filesystem::permissions(pin_file, std::filesystem::perms(0600));
  };
  write_pin("1111111");
  Token token(TokenUri::of(SIGNET_BREAKING_MODULE, "hsm", pin_file).value());
  vault_.reset();  // whoever is logged in is so for the whole process
  EXPECT_TRUE(fails_with(token.check(), ErrorKind::Unavailable, "C_Login gave CKR_PIN_INCORRECT"));
  const unsigned tries = breaking().log_ins;
  const auto refused = token.check();
  EXPECT_TRUE(fails_with(refused, ErrorKind::Unavailable, "not tried again"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("1111111")));
  EXPECT_EQ(breaking().log_ins, tries);
  write_pin("1234567");
  EXPECT_TRUE(token.check());
}

TEST_F(TokenVault, ComesBack) {
  const KeyId id = create_in_token().value().id;
  const Bytes signature = sign(id).value();
  const KeyId elsewhere = create(KeyKind::EcP256);
  token_.take_away();
  EXPECT_EQ(sign(id).error().kind, ErrorKind::Unavailable);
  EXPECT_THAT(sign(id).error().detail, HasSubstr("token 'hsm'"));
  EXPECT_EQ(create_in_token().error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(vault_->check_token("hsm").error().kind, ErrorKind::Unavailable);
  EXPECT_TRUE(vault_->verify(kGateway, id, SignatureAlgorithm::ES256, text_digest(), signature).value())
      << "takes no private half";
  EXPECT_TRUE(vault_->sign(kGateway, elsewhere, SignatureAlgorithm::ES256, text_digest()));
  token_.put_back();
  const auto again = sign(id);
  EXPECT_TRUE(again) << again.error().detail;
  EXPECT_TRUE(vault_->check_token("hsm"));
}

}  // namespace
}  // namespace signet::vault
