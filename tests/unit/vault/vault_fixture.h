#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include "base/digest.h"
#include "certstore/vault/embedded_vault.h"
#include "certstore/vault/provider.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/memory_token_store.h"
#include "tests/support/memory_vault_certificate_store.h"
#include "tests/support/soft_token.h"
#include "tests/support/test_certificates.h"

namespace signet::vault {

/// A directory of a test's own.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = testing::TempDir() + "/vault-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline const Principal kGateway = Principal::gateway();
inline const Principal kOperator = Principal::local_operator();

/// A vault in memory, on 21 November 2026, in which the gateway may do what it needs.
class VaultFixture : public testing::Test {
 protected:
  VaultFixture() {
    vault_ = open_vault(MasterKey::create_file(directory_ / "master.key").value()).value();
    grant("decrypt,sign,get,list");
  }

  Result<std::unique_ptr<EmbeddedVault>> open_vault(MasterKey key) {
    return EmbeddedVault::open(store_, secrets_, certificates_, audit_, std::move(key), clock_, {&tokens_});
  }

  void grant(std::string_view permissions, const Principal& principal = kGateway) {
    ASSERT_TRUE(vault_->set_policy(kOperator, {"kv1", principal, parse_key_permissions(permissions).value()})
                    .has_value());
  }

  KeyId create(KeyKind kind, std::string_view name = "as2-key") {
    return vault_->create_key(kOperator, "kv1", name, kind, {}).value().id;
  }

  /// Brings the certificate's key into the vault.
  KeyId import(const certstore::PrivateCertificate& certificate, std::string_view name = "as2-key") {
    const std::string pem = test::private_key_pem(certificate.key);
    const ImportedKey file = read_key_file(as_bytes(pem), std::nullopt).value();
    return vault_->import_key(kOperator, "kv1", name, file.key, {}).value().id;
  }

  /// The gateway's handle.
  certstore::KeyHandle handle(const KeyId& id) { return open_key(*vault_, kGateway, id).value(); }

  TemporaryDirectory directory_;
  test::MemoryKeyStore store_;
  test::MemorySecretStore secrets_;
  test::MemoryVaultCertificateStore certificates_{store_, secrets_};
  test::MemoryTokenStore tokens_{store_, certificates_};
  test::MemoryAuditLog audit_;
  FixedClock clock_{parse_time("2026-11-21T00:00:00Z").value()};
  std::unique_ptr<EmbeddedVault> vault_;
};

/// Where the keys of a vault are, by which the tests are run that every back end has to pass.
enum class BackEnd { Embedded, Token };

inline std::string name_of(BackEnd back_end) { return back_end == BackEnd::Embedded ? "Embedded" : "Token"; }

/// The same vault, with its keys in itself or in a token of SoftHSM's.
class VaultWithBackEnd : public VaultFixture {
 protected:
  explicit VaultWithBackEnd(BackEnd back_end) : back_end_(back_end) {
    if (!in_token()) return;
    put_into_token("kv1");
    put_into_token("kv2");
  }
  [[nodiscard]] bool in_token() const { return back_end_ == BackEnd::Token; }

 private:
  void put_into_token(std::string_view vault) {
    const auto put = vault_->set_token(kOperator, vault, test::SoftToken("tests").uri());
    if (!put) throw std::runtime_error(put.error().detail);
  }
  const BackEnd back_end_;
};

class EveryBackEnd : public VaultWithBackEnd, public testing::WithParamInterface<BackEnd> {
 protected:
  EveryBackEnd() : VaultWithBackEnd(GetParam()) {}
};

/// Every case of a kind with every back end.
template <class Case>
class EveryBackEndFor : public VaultWithBackEnd,
                        public testing::WithParamInterface<std::tuple<Case, BackEnd>> {
 protected:
  EveryBackEndFor() : VaultWithBackEnd(std::get<1>(this->GetParam())) {}
  static const Case& what() {
    return std::get<0>(testing::WithParamInterface<std::tuple<Case, BackEnd>>::GetParam());
  }
};

#define SIGNET_BACK_ENDS testing::Values(BackEnd::Embedded, BackEnd::Token)
#define SIGNET_EVERY_BACK_END(suite)                  \
  INSTANTIATE_TEST_SUITE_P(, suite, SIGNET_BACK_ENDS, \
                           [](const auto& instance) { return name_of(instance.param); })
#define SIGNET_EVERY_BACK_END_FOR(suite, ...)                                                   \
  INSTANTIATE_TEST_SUITE_P(                                                                     \
      , suite, testing::Combine(__VA_ARGS__, SIGNET_BACK_ENDS), [](const auto& instance) {      \
        return std::get<0>(instance.param).name + ("_" + name_of(std::get<1>(instance.param))); \
      })

template <class T>
testing::AssertionResult fails_with(const Result<T>& result, ErrorKind kind, std::string_view text) {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind == kind && result.error().detail.find(text) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.error().kind) << ": " << result.error().detail;
}

}  // namespace signet::vault
