#include "certstore/vault/key_numbers.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <functional>

#include "base/openssl.h"
#include "certstore/vault/private_key_internal.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

/// A number of a key, big-endian and padded to `width`.
SecretBytes number(const EVP_PKEY* key, const char* name, int width = 0) {
  BIGNUM* raw = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &raw), 1) << name;
  const BignumPtr value(raw);
  SecretBytes octets(static_cast<std::size_t>(width == 0 ? BN_num_bytes(value.get()) : width));
  EXPECT_EQ(BN_bn2binpad(value.get(), octets.writable().data(), static_cast<int>(octets.size())),
            static_cast<int>(octets.size()));
  return octets;
}

RsaNumbers numbers_of(const EVP_PKEY* key) {
  return {number(key, OSSL_PKEY_PARAM_RSA_N),         number(key, OSSL_PKEY_PARAM_RSA_E),
          number(key, OSSL_PKEY_PARAM_RSA_D),         number(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
          number(key, OSSL_PKEY_PARAM_RSA_FACTOR2),   number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
          number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2), number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)};
}

SecretBytes octets(std::initializer_list<std::uint8_t> values) {
  return SecretBytes::copy_of(ByteView(values.begin(), values.size()));
}

class RsaNumbersTest : public testing::Test {
 protected:
  RsaNumbers numbers() { return numbers_of(made_.key.native()); }

  /// What becomes of the key with something changed.
  Result<KeyMaterial> changed(const std::function<void(RsaNumbers&)>& change) {
    RsaNumbers all = numbers();
    change(all);
    return read_rsa_key(all);
  }

  const certstore::PrivateCertificate made_ = test::make_certificate();
};

TEST_F(RsaNumbersTest, MakeTheKeyThatTheyAreOf) {
  const KeyMaterial key = read_rsa_key(numbers()).value();
  EXPECT_EQ(key.kind, KeyKind::Rsa2048);
  const std::string pem = test::private_key_pem(made_.key);
  EXPECT_TRUE(equal_in_constant_time(key.pkcs8.view(), read_key_file(as_bytes(pem), {})->key.pkcs8.view()));
}

TEST_F(RsaNumbersTest, MayHaveLeadingZeros) {
  EXPECT_TRUE(changed([](RsaNumbers& all) {
                SecretBytes longer(all.n.size() + 1);
                std::copy(all.n.view().begin(), all.n.view().end(), longer.writable().begin() + 1);
                all.n = std::move(longer);
              }).has_value());
}

TEST_F(RsaNumbersTest, AreRefusedInOtherLengths) {
  const auto refused = [&](std::string_view name, const std::function<void(RsaNumbers&)>& change) {
    return fails_with(changed(change), ErrorKind::InvalidInput, name);
  };
  EXPECT_TRUE(refused("'n'", [](RsaNumbers& all) { all.n = SecretBytes(); }));
  EXPECT_TRUE(refused("'n'", [](RsaNumbers& all) { all.n = octets({3}); }));
  EXPECT_TRUE(refused("'n'", [](RsaNumbers& all) { all.n = SecretBytes::copy_of(std::string(513, 'x')); }));
  EXPECT_TRUE(refused("'e'", [](RsaNumbers& all) { all.e = octets({0, 0}); }));
  EXPECT_TRUE(refused("'e'", [](RsaNumbers& all) { all.e = SecretBytes::copy_of(all.n.view()); }));
  EXPECT_TRUE(refused("'d'", [](RsaNumbers& all) { all.d = SecretBytes::copy_of(std::string(257, 'x')); }));
  EXPECT_TRUE(refused("'p'", [](RsaNumbers& all) { all.p = octets({3}); }));
  EXPECT_TRUE(refused("'q'", [](RsaNumbers& all) { all.q = SecretBytes::copy_of(all.n.view()); }));
  EXPECT_TRUE(refused("'dp'", [](RsaNumbers& all) { all.dp = SecretBytes(); }));
  EXPECT_TRUE(refused("'dq'", [](RsaNumbers& all) { all.dq = SecretBytes::copy_of(all.n.view()); }));
  EXPECT_TRUE(refused("'qi'", [](RsaNumbers& all) { all.qi = SecretBytes(); }));
}

TEST_F(RsaNumbersTest, AreRefusedWhenTheyContradictOneAnother) {
  const auto refused = [&](const std::function<void(RsaNumbers&)>& change) {
    return fails_with(changed(change), ErrorKind::InvalidInput, "");
  };
  const auto flip = [](SecretBytes& number) { number.writable().back() ^= 2U; };
  EXPECT_TRUE(refused([&](RsaNumbers& all) { flip(all.n); }));
  EXPECT_TRUE(refused([](RsaNumbers& all) { all.n.writable().back() ^= 1U; })) << "even";
  EXPECT_TRUE(refused([](RsaNumbers& all) { all.e = octets({1}); }));
  EXPECT_TRUE(refused([](RsaNumbers& all) { all.e = octets({2}); }));
  EXPECT_TRUE(refused([](RsaNumbers& all) { all.e = octets({3}); }));
  EXPECT_TRUE(refused([&](RsaNumbers& all) { flip(all.d); }));
  EXPECT_TRUE(refused([&](RsaNumbers& all) { flip(all.p); }));
  EXPECT_TRUE(refused([](RsaNumbers& all) { all.q = SecretBytes::copy_of(all.p.view()); }));
  EXPECT_TRUE(refused([&](RsaNumbers& all) { flip(all.dp); }));
  EXPECT_TRUE(refused([](RsaNumbers& all) { std::swap(all.dp, all.dq); }));
  EXPECT_TRUE(refused([&](RsaNumbers& all) { flip(all.qi); }));
}

/// Else whoever may import a key keeps a core busy for days.
TEST_F(RsaNumbersTest, NoPrimeIsLookedAtThatIsAsLongAsTheModulus) {
  OSSL_PARAM* parameters = nullptr;
  ASSERT_EQ(EVP_PKEY_todata(made_.key.native(), EVP_PKEY_KEYPAIR, &parameters), 1);
  Bytes huge(100'000, 0xFF);
  for (OSSL_PARAM* one = parameters; one->key != nullptr; ++one)
    if (std::string_view(one->key) == OSSL_PKEY_PARAM_RSA_FACTOR1) {
      one->data = huge.data();
      one->data_size = huge.size();
    }
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* broken = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(context.get(), &broken, EVP_PKEY_KEYPAIR, parameters), 1);
  OSSL_PARAM_free(parameters);
  const std::string pem = test::private_key_pem(certstore::KeyHandle::adopt(broken));
  EXPECT_TRUE(
      fails_with(read_key_file(as_bytes(pem), {}), ErrorKind::InvalidInput, "as long as its modulus"));
}

class EcNumbersTest : public testing::TestWithParam<KeyKind> {
 protected:
  EcNumbers numbers() {
    const certstore::KeyHandle key = made_->handle().value();
    const int width = GetParam() == KeyKind::EcP256 ? 32 : GetParam() == KeyKind::EcP384 ? 48 : 66;
    return {GetParam(), number(key.native(), OSSL_PKEY_PARAM_EC_PUB_X, width),
            number(key.native(), OSSL_PKEY_PARAM_EC_PUB_Y, width),
            number(key.native(), OSSL_PKEY_PARAM_PRIV_KEY, width)};
  }

  const std::unique_ptr<PrivateKey> made_ = SoftwareKey::generate(GetParam()).value();
};

TEST_P(EcNumbersTest, MakeTheKeyThatTheyAreOf) {
  const KeyMaterial key = read_ec_key(numbers()).value();
  EXPECT_EQ(key.kind, GetParam());
  EXPECT_EQ(SoftwareKey::from_pkcs8(key.pkcs8.view()).value()->public_key(), made_->public_key());
}

TEST_P(EcNumbersTest, AreRefusedWhenTheyAreNoKey) {
  const auto refused = [&](const std::function<void(EcNumbers&)>& change) {
    EcNumbers all = numbers();
    change(all);
    return fails_with(read_ec_key(all), ErrorKind::InvalidInput, "");
  };
  EXPECT_TRUE(refused([](EcNumbers& all) { all.x.writable().back() ^= 1U; })) << "not on the curve";
  EXPECT_TRUE(refused([](EcNumbers& all) { all.d.writable().back() ^= 1U; })) << "of another point";
  EXPECT_TRUE(refused([](EcNumbers& all) { all.d = SecretBytes(all.d.size()); })) << "zero";
  EXPECT_TRUE(refused([](EcNumbers& all) { all.y = SecretBytes::copy_of(all.y.view().subspan(1)); }));
  EXPECT_TRUE(refused([](EcNumbers& all) { all.d = SecretBytes(); }));
  EXPECT_TRUE(refused(
      [](EcNumbers& all) { all.curve = all.curve == KeyKind::EcP256 ? KeyKind::EcP384 : KeyKind::EcP256; }));
}

INSTANTIATE_TEST_SUITE_P(OfEachCurve, EcNumbersTest,
                         testing::Values(KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521),
                         [](const auto& instance) {
                           std::string name(to_string(instance.param));
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace signet::vault
