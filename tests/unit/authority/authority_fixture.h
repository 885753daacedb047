#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "certstore/authority/authority.h"
#include "certstore/vault/embedded_vault.h"
#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/issue.h"
#include "gateway/store/audit_trail.h"
#include "gateway/store/authority_store.h"
#include "gateway/store/key_store.h"
#include "gateway/store/secret_store.h"
#include "gateway/store/token_store.h"
#include "gateway/store/vault_certificate_store.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/store/store_fixture.h"

/// The certificate service on the vault and the store that it has in a gateway.

namespace signet::authority {

inline const Actor kReader{"rita", {Role::Reader}};
inline const Actor kWriter{"walter", {Role::Writer}};
inline const Actor kApprover{"anna", {Role::Approver}};
inline const Actor kAdministrator{"adam", {Role::Administrator}};
inline const Actor kSecondAdministrator{"agnes", {Role::Administrator}};
inline const Actor kAuditor{"otto", {Role::Auditor}};

inline constexpr std::string_view kPassword = "correct horse battery";

template <class T>
testing::AssertionResult fails_with(const Result<T>& result, ErrorKind kind, std::string_view text = "") {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind == kind && result.error().detail.find(text) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.error().kind) << ": " << result.error().detail;
}

template <class T>
T valued(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// An audit log that can fail, and lets something happen before it writes.
class TestAudit final : public vault::AuditLog {
 public:
  Result<> append(const vault::AuditRecord& record) override {
    if (const auto work = std::exchange(before_next, {})) work();
    if (failure) return fail(*failure);
    return log.append(record);
  }
  [[nodiscard]] std::vector<std::string> of(std::string_view operation) const {
    std::vector<std::string> found;
    for (const vault::AuditRecord& record : log.records())
      if (record.operation == operation)
        found.push_back(record.principal + " " + std::string(to_string(record.result)) + " " + record.detail);
    return found;
  }
  test::MemoryAuditLog log;
  std::function<void()> before_next;
  std::optional<Error> failure;
};

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() { let_in("signet"); }

  /// As `signet vault create` does.
  void let_in(const std::string& vault) {
    valued(vault_->set_policy(vault::Principal::local_operator(),
                              {vault, vault::Principal::gateway(), vault::gateway_key_permissions(),
                               vault::gateway_secret_permissions()}));
  }

  static Group group(const std::string& name = "Plant7",
                     CertificateType type = CertificateType::OpcUaApplication) {
    Group group;
    group.name = name;
    group.type = type;
    group.subject = "CN=" + name + " CA,O=Acme";
    group.issued = {12, 2048, Hash::Sha256};
    group.issuer = {36, 2048, Hash::Sha256};
    group.crl_distribution_point = "http://pki.acme.example/certs/crl/%serial%/%group%.crl";
    group.authority_information_access = "http://pki.acme.example/certs/issuer/%serial%/%group%.cer";
    group.ocsp_responder = "http://pki.acme.example/certs/ocsp";
    return group;
  }

  static OpcUaApplication line2() {
    OpcUaApplication application;
    application.uri = "urn:plant7:acme:line2";
    application.names = {{"en", "Line 2"}};
    application.product_uri = "https://acme.example/line";
    application.discovery_urls = {"opc.tcp://PLC2.acme.example:4840/ua", "opc.tcp://192.0.2.7:4840"};
    application.capabilities = {"DA", "HD"};
    return application;
  }

  static As2Station globex(std::set<certstore::Purpose> purposes = {certstore::Purpose::Sign}) {
    return {"Globex", "https://as2.globex.example/as2", std::move(purposes)};
  }

  /// A group with its issuer.
  IssuerVersion found_group(const Group& wanted = group()) {
    valued(service_.create_group(kAdministrator, wanted));
    return valued(service_.create_issuer(kAdministrator, wanted.name));
  }

  Application approved(const ApplicationDescription& description = line2()) {
    const Application made = valued(service_.register_application(kWriter, description));
    return valued(service_.approve_application(kAdministrator, made.id));
  }

  static certstore::SigningKey key_of(const std::string& kind = "rsa:2048") {
    const auto made = test::make_certificate({.common_name = "K", .key = kind});
    return {made.key, valued(certstore::encode<EVP_PKEY>(made.certificate.public_key(), i2d_PUBKEY))};
  }

  static Bytes signing_request(const std::function<void(certstore::CertificateProfile&)>& change = {},
                               const std::string& key = "rsa:2048") {
    certstore::CertificateProfile profile;
    profile.subject = valued(certstore::DistinguishedName::parse("CN=Line 2,O=Acme"));
    profile.alternative_names.uris = {"urn:plant7:acme:line2"};
    profile.alternative_names.dns_names = {"plc2.acme.example"};
    if (change) change(profile);
    return valued(certstore::make_certification_request(key_of(key), profile));
  }

  Request requested(const Application& application, const std::string& of = "Plant7") {
    return valued(service_.request_signing(kWriter, {application.id, of, signing_request()}));
  }
  Request issued(const Application& application, const std::string& of = "Plant7") {
    return valued(service_.approve_request(kApprover, requested(application, of).id));
  }
  Request requested_pair(const Application& application, KeyFormat format = KeyFormat::Pfx) {
    return valued(service_.request_key_pair(
        kWriter,
        {application.id, "Plant7", "CN=Line 2,O=Acme", {}, format, SecretBytes::copy_of(kPassword)}));
  }

  certstore::Crl crl(const IssuerVersion& issuer) {
    const PublishedCrl published = valued(service_.published_crl(issuer.group, issuer.certificate.serial()));
    const certstore::Crl crl = valued(certstore::Crl::parse(published.der));
    EXPECT_TRUE(crl.verify(issuer.certificate));
    return crl;
  }

  std::vector<std::string> secrets_in_vault() {
    std::vector<std::string> names;
    const auto in_use = valued(vault_->list_secrets(vault::Principal::local_operator(), "signet"));
    for (const vault::SecretInfo& secret : in_use) names.push_back(secret.id.name);
    const auto deleted = valued(vault_->list_deleted_secrets(vault::Principal::local_operator(), "signet"));
    for (const vault::DeletedSecret& secret : deleted) names.push_back("deleted " + secret.info.id.name);
    return names;
  }

  void pass(std::chrono::microseconds time) { clock_.set(clock_.now() + time); }

  gateway::TemporaryDirectory directory_;
  const std::unique_ptr<gateway::SqliteStore> store_ =
      valued(gateway::SqliteStore::open(directory_.path(), {}));
  const std::shared_ptr<gateway::Database> database_ = store_->database();
  gateway::SqliteKeyStore keys_{database_};
  gateway::SqliteSecretStore secrets_{database_};
  gateway::SqliteVaultCertificateStore certificates_{database_};
  gateway::SqliteTokenStore tokens_{database_};
  gateway::SqliteAuthorityStore rows_{database_};
  TestAudit audit_;
  gateway::AuditFileTrail trail_{directory_.path() / "audit.log"};
  FixedClock clock_{gateway::kNoon};
  const std::unique_ptr<vault::EmbeddedVault> vault_ = valued(vault::EmbeddedVault::open(
      keys_, secrets_, certificates_, audit_.log,
      valued(vault::MasterKey::create_file(directory_.path() / "master.key")), clock_, {&tokens_}));
  Authority service_{rows_, *vault_, audit_, trail_, clock_};
};

}  // namespace signet::authority
