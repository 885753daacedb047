#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "base/file.h"
#include "certstore/vault/import.h"
#include "gateway/api/principals.h"
#include "gateway/cli/home.h"
#include "gateway/cli/serve_api.h"
#include "gateway/remote_vault/remote_vault.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/base/temporary_directory.h"

namespace signet::gateway::test {

using signet::test::MemoryAuditLog;

inline const vault::Principal kOperator = vault::Principal::local_operator();
inline const vault::Principal kGateway = vault::Principal::gateway();

/// Another Signet, in this process, that serves its vault `kv1` by REST over TLS.
class SecondSignet {
 public:
  SecondSignet() {
    EXPECT_TRUE(Home::initialise(directory_.path() / "home", {}));
    home_ = std::move(Home::open(directory_.path() / "home").value());
    const auto imported =
        vault::read_key_file(as_bytes(signet::test::private_key_pem(own_.key)), std::nullopt);
    EXPECT_TRUE(home_->vault().import_key(kOperator, kDefaultVault, "tls", imported.value().key, {}));
    auto account = home_->accounts().load().value();
    account.account.certificates.push_back(
        {"tls", own_.certificate.der(), agreements::KeyReference{std::string(kDefaultVault), "tls", ""}, {}});
    EXPECT_TRUE(home_->accounts().replace(account.account, account.generation));
    ServeSettings settings;
    settings.listen_vault = {"kv1=127.0.0.1:0"};
    settings.api_certificate = {"tls"};
    settings.api_calls_per_second = 100'000;
    auto served = ServeApi::listen(*home_, settings, {});
    EXPECT_TRUE(served) << (served ? "" : served.error().detail);
    api_ = *std::move(served);
    api_->accept();
    EXPECT_TRUE(home_->principals().add(kOperator, "client", {}));
    write_token(home_->principals()
                    .create_token(kOperator, "client", home_->clock().now() + std::chrono::hours(1))
                    .value()
                    .token);
    grant("all", "all");
  }
  ~SecondSignet() { api_->stop(std::chrono::milliseconds(0)); }
  SecondSignet(const SecondSignet&) = delete;
  SecondSignet& operator=(const SecondSignet&) = delete;

  /// To the principal whom the link's token names, and to the gateway, who asks the vault itself.
  void grant(std::string_view keys, std::string_view secrets = "") {
    for (const vault::Principal& principal : {vault::Principal{"client"}, kGateway})
      ASSERT_TRUE(
          home_->vault().set_policy(kOperator, {"kv1", principal, vault::parse_key_permissions(keys).value(),
                                                vault::parse_secret_permissions(secrets).value()}));
  }

  void write_token(const std::string& token) {
    ASSERT_TRUE(write_file_durably(token_file(), as_bytes(token)));
  }

  [[nodiscard]] std::filesystem::path token_file() const { return directory_.path() / "token"; }
  [[nodiscard]] VaultLink link() const {
    VaultLink link;
    link.name = "kv1";
    link.url = "https://127.0.0.1:" + std::to_string(api_->listeners().front().port);
    link.token_file = token_file();
    link.authorities = own_.certificate.pem();
    return checked_link(link).value();
  }
  [[nodiscard]] vault::EmbeddedVault& vault() { return home_->vault(); }

 private:
  TemporaryDirectory directory_;
  const certstore::PrivateCertificate own_ = signet::test::make_certificate(
      {.common_name = "vault", .subject_alternative_name = "IP:127.0.0.1,DNS:localhost"});
  std::unique_ptr<Home> home_;
  std::unique_ptr<ServeApi> api_;
};

template <class T>
testing::AssertionResult fails_with(const Result<T>& result, ErrorKind kind, std::string_view text) {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind == kind && result.error().detail.find(text) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.error().kind) << ": " << result.error().detail;
}

}  // namespace signet::gateway::test
