#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/openssl.h"
#include "certstore/x509/issue.h"
#include "tests/unit/vault/vault_fixture.h"

namespace signet::vault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EmbeddedCertificates : public VaultFixture {
 protected:
  static CertificatePolicy policy(std::string_view issuer = kSelfIssuer) {
    CertificatePolicy wanted;
    wanted.kind = KeyKind::EcP256;
    wanted.subject = "CN=as2.acme.example, O=Acme";
    wanted.issuer = issuer;
    return wanted;
  }
  Result<CertificateOperation> create(const std::optional<CertificatePolicy>& wanted,
                                      std::string_view name = "c1") {
    return vault_->create_certificate(kOperator, "kv1", name, wanted, {true, {{"team", "edi"}}});
  }
  VaultCertificate get(std::string_view name = "c1", std::string_view version = "") {
    return vault_->get_certificate(kOperator, {"kv1", std::string(name), std::string(version)}).value();
  }
  std::string secret(std::string_view name = "c1", std::string_view version = "") {
    grant_secrets("get");
    const auto value = vault_->get_secret(kGateway, {"kv1", std::string(name), std::string(version)});
    return value ? std::string(as_text(value->value.view())) : "refused: " + value.error().detail;
  }
  void grant_secrets(std::string_view words) {
    AccessPolicy granted{"kv1", kGateway, parse_key_permissions("decrypt,sign,get,list").value()};
    granted.secrets = parse_secret_permissions(words).value();
    ASSERT_TRUE(vault_->set_policy(kOperator, granted));
  }
  void grant_certificates(std::string_view words) {
    AccessPolicy granted{"kv1", kGateway};
    granted.certificates = parse_certificate_permissions(words).value();
    ASSERT_TRUE(vault_->set_policy(kOperator, granted));
  }
  /// What an authority makes of a request.
  static certstore::Certificate issue(const Bytes& request, const certstore::PrivateCertificate& authority) {
    const unsigned char* at = request.data();
    const Handle<X509_REQ, X509_REQ_free> parsed(
        d2i_X509_REQ(nullptr, &at, static_cast<long>(request.size())));
    const X509Ptr made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
    X509_set_subject_name(made.get(), X509_REQ_get_subject_name(parsed.get()));
    X509_set_issuer_name(made.get(), X509_get_subject_name(authority.certificate.native()));
    X509_set_pubkey(made.get(), X509_REQ_get0_pubkey(parsed.get()));
    ASN1_TIME_set_string(X509_getm_notBefore(made.get()), "20261101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(made.get()), "20271101000000Z");
    EXPECT_GT(X509_sign(made.get(), authority.key.native(), EVP_sha256()), 0);
    unsigned char* der = nullptr;
    const int size = i2d_X509(made.get(), &der);
    const OpensslMemory owner(der);
    return certstore::Certificate::parse(ByteView(der, static_cast<std::size_t>(size))).value();
  }
  static CertificateFile pem_file(const certstore::PrivateCertificate& made) {
    const std::string pem = test::private_key_pem(made.key) + made.certificate.pem();
    return read_certificate_file(as_bytes(pem), std::nullopt).value();
  }
  const certstore::PrivateCertificate authority_ =
      test::make_certificate({.common_name = "CA", .key = "ec:P-256", .authority = true});
};

/// A PFX as another program reads it: with an empty passphrase.
ImportedKey open_pfx(const std::string& base64_text) {
  const Bytes der = parse_base64(base64_text).value();
  return read_key_file(der, SecretBytes::copy_of("")).value();
}

TEST_F(EmbeddedCertificates, SelfIssuedOnesAreCompleteAtOnce) {
  const auto operation = create(policy());
  ASSERT_TRUE(operation) << operation.error().detail;
  EXPECT_EQ(operation->status, OperationStatus::Completed);
  const VaultCertificate made = get();
  ASSERT_EQ(made.info.chain.size(), 1U);
  EXPECT_EQ(made.info.chain[0].subject(), "CN=as2.acme.example,O=Acme");
  EXPECT_TRUE(made.info.chain[0].self_signed());
  EXPECT_EQ(made.info.settings.tags, (Tags{{"team", "edi"}}));
  EXPECT_EQ(to_rfc3339(made.info.chain[0].not_after()), "2027-11-20T23:55:00.000Z");
  EXPECT_EQ(audit_.last().object, AuditObject::Certificate);
  EXPECT_EQ(audit_.last().operation, "createCertificate");
}

TEST_F(EmbeddedCertificates, HaveAKeyAndASecretOfTheSameNameAndVersion) {
  ASSERT_TRUE(create(policy()));
  const VaultCertificate made = get();
  const KeyInfo key = vault_->get(kOperator, {"kv1", "c1", made.info.id.version}).value();
  EXPECT_TRUE(key.managed);
  EXPECT_EQ(key.ops, (KeyOps{KeyOp::Sign, KeyOp::Verify}));
  EXPECT_EQ(key.attributes.expires, made.info.chain[0].not_after());
  EXPECT_TRUE(made.info.chain[0].has_public_key(handle(key.id).native()));
  const SecretInfo info = vault_->list_secrets(kOperator, "kv1").value().at(0);
  EXPECT_TRUE(info.managed);
  EXPECT_EQ(info.id, made.info.id);
  EXPECT_EQ(info.settings.content_type, "application/x-pkcs12");
  const ImportedKey pfx = open_pfx(secret());
  EXPECT_EQ(pfx.certificates.at(0), made.info.chain[0]);
  EXPECT_EQ(pfx.key.kind, KeyKind::EcP256);
}

TEST_F(EmbeddedCertificates, AsPemTheSecretIsKeyAndCertificates) {
  CertificatePolicy pem = policy();
  pem.content = CertificateContent::Pem;
  ASSERT_TRUE(create(pem));
  EXPECT_THAT(secret(), testing::StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  const auto file = read_certificate_file(as_bytes(secret()), std::nullopt);
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->contents.certificates.at(0), get().info.chain[0]);
}

TEST_F(EmbeddedCertificates, KeysThatAreNotExportableStayInTheVault) {
  for (const CertificateContent content : {CertificateContent::Pkcs12, CertificateContent::Pem}) {
    CertificatePolicy kept = policy();
    kept.exportable = false;
    kept.content = content;
    ASSERT_TRUE(create(kept));
    const std::string value = secret();
    EXPECT_THAT(value, testing::Not(HasSubstr("PRIVATE")));
    const Bytes octets = content == CertificateContent::Pem ? to_bytes(value) : parse_base64(value).value();
    EXPECT_TRUE(fails_with(read_key_file(octets, SecretBytes::copy_of("")), ErrorKind::InvalidInput,
                           "no private key"));
  }
}

TEST_F(EmbeddedCertificates, AKeyThatIsReusedBecomesNoMoreExportableThanItWas) {
  CertificatePolicy kept = policy();
  kept.exportable = false;
  ASSERT_TRUE(create(kept));
  kept.reuse_key = true;
  ASSERT_TRUE(create(kept));
  const auto versions = vault_->certificate_versions(kOperator, "kv1", "c1").value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_TRUE(versions[0].chain[0].has_public_key(versions[1].chain[0].public_key()));
  kept.exportable = true;
  EXPECT_TRUE(fails_with(create(kept), ErrorKind::InvalidInput, "not exportable and stays so"));
  kept.reuse_key = false;
  ASSERT_TRUE(create(kept));
  EXPECT_FALSE(get().info.chain[0].has_public_key(versions[0].chain[0].public_key()));
}

TEST_F(EmbeddedCertificates, AKeyThatIsDisabledIsNotReused) {
  CertificatePolicy kept = policy();
  kept.reuse_key = true;
  ASSERT_TRUE(create(kept));
  const CertificateId first = get().info.id;
  ASSERT_TRUE(vault_->update_certificate(kOperator, first, {false, {}}));
  EXPECT_TRUE(fails_with(create(kept), ErrorKind::Disabled, "set reuse_key to false"));
  EXPECT_EQ(audit_.last().result, AuditResult::Denied);
  EXPECT_EQ(get().info.id, first);
  kept.reuse_key = false;
  ASSERT_TRUE(create(kept));
  EXPECT_TRUE(get().info.settings.enabled);
}

TEST_F(EmbeddedCertificates, TakeChainsThatCanBeReadBack) {
  const auto begun = create(policy(kUnknownIssuer));
  std::vector<certstore::Certificate> chain{issue(begun->request, authority_)};
  chain.resize(kMostInChain + 1, authority_.certificate);
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", chain, {}),
                         ErrorKind::LimitExceeded, "21 certificates"));
  chain.pop_back();
  EXPECT_TRUE(vault_->merge_certificate(kOperator, "kv1", "c1", chain, {}));

  CertificateFile file = pem_file(authority_);
  file.contents.certificates.resize(kMostInChain + 1, authority_.certificate);
  EXPECT_TRUE(fails_with(vault_->import_certificate(kOperator, "kv1", "c2", file, {}, {}),
                         ErrorKind::LimitExceeded, "21 certificates"));
  std::string names = "DNS:a.example";
  for (int i = 0; i < 8000; ++i) names += fmt::format(",DNS:host-{}.example", i);
  const auto large = test::make_certificate({.key = "ec:P-256", .subject_alternative_name = names});
  file.contents.certificates = {authority_.certificate, large.certificate, large.certificate};
  EXPECT_TRUE(fails_with(vault_->import_certificate(kOperator, "kv1", "c2", file, {}, {}),
                         ErrorKind::LimitExceeded, "octets"));
}

TEST_F(EmbeddedCertificates, FurtherVersionsNeedNoPolicy) {
  EXPECT_TRUE(fails_with(create(std::nullopt), ErrorKind::InvalidInput, "needs a policy"));
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(create(std::nullopt, "C1"));
  EXPECT_EQ(vault_->certificate_versions(kOperator, "kv1", "c1")->size(), 2U);
  EXPECT_EQ(get("C1").info.id.name, "c1");
  EXPECT_EQ(vault_->list_certificates(kOperator, "kv1", false)->size(), 1U);
}

TEST_F(EmbeddedCertificates, AreNotMadeUnderNamesThatAreTaken) {
  VaultFixture::create(KeyKind::EcP256, "key");
  EXPECT_TRUE(fails_with(create(policy(), "key"), ErrorKind::AlreadyExists, "there is a key"));
  ASSERT_TRUE(vault_->set_secret(kOperator, "kv1", "secret", SecretBytes::copy_of("x"), {}));
  EXPECT_TRUE(fails_with(create(policy(), "SECRET"), ErrorKind::AlreadyExists, "there is a secret"));
  EXPECT_TRUE(fails_with(create(policy(), "issuers"), ErrorKind::InvalidInput, "meaning of its own"));
}

TEST_F(EmbeddedCertificates, AreOrderedOnlyAtIssuersThatCanBeAsked) {
  EXPECT_TRUE(fails_with(create(policy("ca")), ErrorKind::NotFound, "ca"));
  IssuerUpdate issuer;
  issuer.provider = "Test";
  ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_TRUE(fails_with(create(policy("ca")), ErrorKind::Unsupported, "its provider is 'Test'"));
  issuer.provider = "digicert";
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_TRUE(fails_with(create(policy("ca")), ErrorKind::InvalidInput, "has no directory"));
  issuer.directory = "http://ca.example/dir";
  EXPECT_TRUE(fails_with(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer),
                         ErrorKind::InvalidInput, "https URL"));
  issuer.directory.reset();
  issuer.organisation = "https://ca.example/dir";
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_EQ(directory_of(vault_->certificate_issuer(kOperator, "kv1", "ca").value()),
            "https://ca.example/dir");
  issuer.enabled = false;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_TRUE(fails_with(create(policy("ca")), ErrorKind::Disabled, "enable it"));
  issuer.enabled = true;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "ca", issuer));
  EXPECT_EQ(create(policy("ca"))->status, OperationStatus::InProgress);
}

TEST_F(EmbeddedCertificates, WhatAnIssuerGaveBecomesTheVersionThatWasOrdered) {
  IssuerUpdate issuer;
  issuer.provider = "ACME";
  issuer.directory = "https://ca.example/dir";
  ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "ca", issuer));
  ASSERT_TRUE(create(policy("ca")));
  PendingOrder order = vault_->pending_orders()->at(0);
  order.order = "https://ca.example/order/1";
  order.operation.details = "it is looked at";
  ASSERT_TRUE(vault_->note_order(order));
  EXPECT_EQ(vault_->pending_orders()->at(0).order, order.order);
  const certstore::Certificate own = issue(order.wanted.request, authority_);
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", {own}, {}),
                         ErrorKind::PermissionDenied, "nothing is merged"));
  EXPECT_TRUE(fails_with(vault_->complete_order(order, {authority_.certificate}), ErrorKind::InvalidInput,
                         "none of the 1 certificates"));
  const auto made = vault_->complete_order(order, {own, authority_.certificate});
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->info.chain.size(), 2U);
  EXPECT_EQ(made->info.settings.tags, (Tags{{"team", "edi"}}));
  EXPECT_EQ(audit_.last().operation, "completeCertificate");
  EXPECT_EQ(vault_->certificate_operation(kOperator, "kv1", "c1")->status, OperationStatus::Completed);
  EXPECT_TRUE(vault_->pending_orders()->empty());
  EXPECT_TRUE(fails_with(vault_->fail_order(order, {}), ErrorKind::NotFound, "is over"));
}

TEST_F(EmbeddedCertificates, TheirKeysAndSecretsAreChangedWithThemAlone) {
  ASSERT_TRUE(create(policy()));
  const auto refused = [](const auto& result) {
    return fails_with(result, ErrorKind::PermissionDenied, "belongs to the certificate");
  };
  EXPECT_TRUE(refused(vault_->create_key(kOperator, "kv1", "c1", KeyKind::EcP256, {})));
  EXPECT_TRUE(refused(vault_->update(kOperator, {"kv1", "c1", {}}, {})));
  EXPECT_TRUE(refused(vault_->set_secret(kOperator, "kv1", "C1", SecretBytes::copy_of("x"), {})));
  EXPECT_TRUE(refused(vault_->update_secret(kOperator, {"kv1", "c1", {}}, {})));
  EXPECT_TRUE(refused(vault_->delete_secret(kOperator, "kv1", "c1")));
  EXPECT_TRUE(refused(vault_->rotate_key(kOperator, "kv1", "c1")));
  EXPECT_TRUE(refused(vault_->set_rotation_policy(kOperator, "kv1", "c1", default_rotation_policy())));
}

TEST_F(EmbeddedCertificates, NothingIsRestoredUnderTheNameOfOneThatIsPending) {
  VaultFixture::create(KeyKind::EcP256, "c1");
  ASSERT_TRUE(vault_->set_secret(kOperator, "kv1", "c1", SecretBytes::copy_of("x"), {}));
  const Bytes key = vault_->backup_key(kOperator, "kv1", "c1").value();
  const Bytes secret = vault_->backup_secret(kOperator, "kv1", "c1").value();
  ASSERT_TRUE(vault_->delete_key(kOperator, "kv1", "c1"));
  ASSERT_TRUE(vault_->purge_key(kOperator, "kv1", "c1"));
  ASSERT_TRUE(vault_->delete_secret(kOperator, "kv1", "c1"));
  ASSERT_TRUE(vault_->purge_secret(kOperator, "kv1", "c1"));
  ASSERT_TRUE(create(policy(kUnknownIssuer)));
  const auto refused = [](const auto& result) {
    return fails_with(result, ErrorKind::PermissionDenied, "belongs to the certificate");
  };
  EXPECT_TRUE(refused(vault_->restore_key(kOperator, "kv1", key)));
  EXPECT_TRUE(refused(vault_->restore_secret(kOperator, "kv1", secret)));
}

TEST_F(EmbeddedCertificates, ADisabledOneDisablesItsKeyAndItsSecret) {
  ASSERT_TRUE(create(policy()));
  const CertificateId id = get().info.id;
  ASSERT_TRUE(vault_->update_certificate(kOperator, id, {false, Tags{}}));
  EXPECT_FALSE(get().info.settings.enabled);
  EXPECT_TRUE(get().info.settings.tags.empty());
  EXPECT_FALSE(vault_->get(kOperator, id)->attributes.enabled);
  EXPECT_THAT(secret(), HasSubstr("disabled"));
  ASSERT_TRUE(vault_->update_certificate(kOperator, id, {true, {}}));
  EXPECT_THAT(secret(), testing::Not(HasSubstr("refused")));
  EXPECT_TRUE(
      fails_with(vault_->update_certificate(kOperator, {"kv1", "c2", {}}, {}), ErrorKind::NotFound, "c2"));
}

TEST_F(EmbeddedCertificates, OfUnknownIssuersAreCompletedByAMerge) {
  const auto begun = create(policy(kUnknownIssuer));
  ASSERT_TRUE(begun) << begun.error().detail;
  EXPECT_EQ(begun->status, OperationStatus::InProgress);
  EXPECT_TRUE(get().info.chain.empty());
  EXPECT_FALSE(get().info.settings.enabled);
  EXPECT_TRUE(get().pending);
  EXPECT_TRUE(vault_->list_certificates(kOperator, "kv1", false)->empty());
  EXPECT_EQ(vault_->list_certificates(kOperator, "kv1", true)->size(), 1U);
  EXPECT_FALSE(vault_->get(kOperator, {"kv1", "c1", {}}));

  const certstore::Certificate own = issue(begun->request, authority_);
  const auto merged = vault_->merge_certificate(kOperator, "kv1", "c1", {authority_.certificate, own},
                                                {{}, Tags{{"a", "b"}}});
  ASSERT_TRUE(merged) << merged.error().detail;
  EXPECT_THAT(merged->info.chain, ElementsAre(own, authority_.certificate));
  EXPECT_EQ(merged->info.settings.tags, (Tags{{"a", "b"}}));
  EXPECT_TRUE(merged->info.settings.enabled);
  EXPECT_EQ(vault_->certificate_operation(kOperator, "kv1", "c1")->status, OperationStatus::Completed);
  EXPECT_EQ(open_pfx(secret()).certificates.size(), 2U);
  grant("sign,get");
  EXPECT_TRUE(vault_->sign(kGateway, merged->info.id, SignatureAlgorithm::ES256,
                           digest(Hash::Sha256, as_bytes("x"))));
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", {own}, {}),
                         ErrorKind::AlreadyExists, "is completed"));
}

TEST_F(EmbeddedCertificates, AMergeTakesOnlyACertificateForTheRequestsKey) {
  ASSERT_TRUE(create(policy(kUnknownIssuer)));
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", {authority_.certificate}, {}),
                         ErrorKind::InvalidInput, "none of the 1 certificates"));
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", {}, {}), ErrorKind::InvalidInput,
                         "none of"));
  EXPECT_TRUE(fails_with(vault_->merge_certificate(kOperator, "kv1", "c2", {authority_.certificate}, {}),
                         ErrorKind::NotFound, "c2"));
  EXPECT_EQ(vault_->certificate_operation(kOperator, "kv1", "c1")->status, OperationStatus::InProgress);
}

TEST_F(EmbeddedCertificates, HaveOneOperationAtATime) {
  const auto begun = create(policy(kUnknownIssuer));
  ASSERT_TRUE(begun);
  EXPECT_TRUE(fails_with(create(policy()), ErrorKind::AlreadyExists, "in progress"));
  EXPECT_TRUE(fails_with(vault_->import_certificate(kOperator, "kv1", "c1", pem_file(authority_), {}, {}),
                         ErrorKind::AlreadyExists, "in progress"));
  const auto cancelled = vault_->cancel_certificate_operation(kOperator, "kv1", "c1");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->status, OperationStatus::Cancelled);
  EXPECT_TRUE(cancelled->cancellation_requested);
  EXPECT_TRUE(fails_with(vault_->cancel_certificate_operation(kOperator, "kv1", "c1"),
                         ErrorKind::AlreadyExists, "is cancelled"));
  EXPECT_TRUE(
      fails_with(vault_->merge_certificate(kOperator, "kv1", "c1", {issue(begun->request, authority_)}, {}),
                 ErrorKind::AlreadyExists, "is cancelled"));
  EXPECT_TRUE(create(policy()));
}

TEST_F(EmbeddedCertificates, AnOperationThatIsDeletedLeavesNothingWhereThereWasNoVersion) {
  ASSERT_TRUE(create(policy(kUnknownIssuer)));
  EXPECT_EQ(vault_->delete_certificate_operation(kOperator, "kv1", "c1")->status,
            OperationStatus::InProgress);
  EXPECT_TRUE(fails_with(vault_->get_certificate(kOperator, {"kv1", "c1", {}}), ErrorKind::NotFound, "c1"));
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(vault_->delete_certificate_operation(kOperator, "kv1", "c1"));
  EXPECT_FALSE(get().pending);
  EXPECT_TRUE(
      fails_with(vault_->certificate_operation(kOperator, "kv1", "c1"), ErrorKind::NotFound, "pending"));
}

TEST_F(EmbeddedCertificates, AreTakenInWithTheirKeys) {
  const auto made = test::make_certificate({.common_name = "Imported",
                                            .key = "ec:P-384",
                                            .key_usage = "digitalSignature,keyAgreement",
                                            .subject_alternative_name = "DNS:a.example,IP:127.0.0.1"});
  const auto imported = vault_->import_certificate(kOperator, "kv1", "c1", pem_file(made), {}, {});
  ASSERT_TRUE(imported) << imported.error().detail;
  EXPECT_EQ(imported->info.chain.at(0), made.certificate);
  EXPECT_EQ(imported->policy.issuer, kUnknownIssuer);
  EXPECT_EQ(imported->policy.subject, "CN=Imported");
  EXPECT_EQ(imported->policy.content, CertificateContent::Pem);
  EXPECT_THAT(imported->policy.alternative_names.dns_names, ElementsAre("a.example"));
  EXPECT_EQ(imported->policy.validity_months, 240);
  EXPECT_EQ(vault_->get(kOperator, imported->info.id)->ops,
            (KeyOps{KeyOp::Sign, KeyOp::Verify, KeyOp::Decrypt}));
  EXPECT_FALSE(imported->pending);
}

TEST_F(EmbeddedCertificates, WhatIsTakenInGetsAPolicyThatIsAllowed) {
  const auto made = test::make_certificate({.key = "ec:P-256",
                                            .key_usage = "digitalSignature,keyCertSign",
                                            .subject_alternative_name = "DNS:a.example,DNS:not a name",
                                            .authority = true});
  const auto unchanged = [](CertificatePolicy derived) -> Result<CertificatePolicy> { return derived; };
  const auto imported = vault_->import_certificate(kOperator, "kv1", "c1", pem_file(made), unchanged, {});
  ASSERT_TRUE(imported) << imported.error().detail;
  EXPECT_THAT(imported->policy.alternative_names.dns_names, ElementsAre("a.example"));
  EXPECT_TRUE(vault_->update_certificate_policy(kOperator, "kv1", "c1", unchanged));
}

TEST_F(EmbeddedCertificates, ThePolicyOfAnImportMayBeChangedButNotAgainstTheFile) {
  const auto made = test::make_certificate({.key = "ec:P-256"});
  const auto with = [&](auto change) {
    return vault_->import_certificate(kOperator, "kv1", "c1", pem_file(made),
                                      [change](CertificatePolicy derived) -> Result<CertificatePolicy> {
                                        change(derived);
                                        return derived;
                                      },
                                      {});
  };
  EXPECT_TRUE(fails_with(with([](CertificatePolicy& p) { p.kind = KeyKind::Rsa2048; }),
                         ErrorKind::InvalidInput, "the file has one of EC-P-256"));
  EXPECT_TRUE(fails_with(with([](CertificatePolicy& p) { p.validity_months = 0; }), ErrorKind::InvalidInput,
                         "months"));
  const auto kept = with([](CertificatePolicy& p) { p.exportable = false; });
  ASSERT_TRUE(kept) << kept.error().detail;
  EXPECT_THAT(secret(), testing::Not(HasSubstr("PRIVATE")));
}

TEST_F(EmbeddedCertificates, FilesWithoutACertificateOrWithAWeakKeyAreRefused) {
  const auto made = test::make_certificate({.key = "ec:P-256"});
  const std::string key_alone = test::private_key_pem(made.key);
  EXPECT_TRUE(fails_with(read_certificate_file(as_bytes(key_alone), std::nullopt), ErrorKind::InvalidInput,
                         "no certificate"));
  EXPECT_FALSE(read_certificate_file(as_bytes(made.certificate.pem()), std::nullopt));
  const auto weak = test::make_certificate({.common_name = "weak", .key = "rsa:1024"});
  const std::string weak_file = test::private_key_pem(weak.key) + weak.certificate.pem();
  EXPECT_FALSE(read_certificate_file(as_bytes(weak_file), std::nullopt));
  CertificateFile file = pem_file(made);
  file.contents.certificates = {weak.certificate};
  const auto refused = vault_->import_certificate(kOperator, "kv1", "c1", file, {}, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("1024"));
}

TEST_F(EmbeddedCertificates, PoliciesChangeForTheVersionsToCome) {
  ASSERT_TRUE(create(policy()));
  const auto changed = vault_->update_certificate_policy(kOperator, "kv1", "c1", [](CertificatePolicy p) {
    p.subject = "CN=new";
    return Result<CertificatePolicy>(p);
  });
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(get().info.chain[0].subject(), "CN=as2.acme.example,O=Acme");
  EXPECT_EQ(vault_->certificate_policy(kOperator, "kv1", "c1")->subject, "CN=new");
  ASSERT_TRUE(create(std::nullopt));
  EXPECT_EQ(get().info.chain[0].subject(), "CN=new");
  EXPECT_TRUE(fails_with(vault_->update_certificate_policy(kOperator, "kv1", "c1",
                                                           [](CertificatePolicy p) {
                                                             p.subject = "none";
                                                             return Result<CertificatePolicy>(p);
                                                           }),
                         ErrorKind::InvalidInput, "the name 'none'"));
  EXPECT_FALSE(vault_->certificate_policy(kOperator, "kv1", "c2"));
}

TEST_F(EmbeddedCertificates, AreDeletedAndRecoveredWithTheirKeysAndSecrets) {
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(create(std::nullopt));
  const CertificateId id = get().info.id;
  const auto deleted = vault_->delete_certificate(kOperator, "kv1", "C1");
  ASSERT_TRUE(deleted) << deleted.error().detail;
  EXPECT_EQ(deleted->certificate.info.id, id);
  EXPECT_EQ(deleted->certificate.policy.subject, policy().subject);
  EXPECT_EQ(deleted->deletion.scheduled_purge - deleted->deletion.deleted, std::chrono::days(90));
  EXPECT_TRUE(fails_with(vault_->get_certificate(kOperator, {"kv1", "c1", {}}), ErrorKind::NotFound, "c1"));
  EXPECT_TRUE(fails_with(vault_->get(kOperator, id), ErrorKind::NotFound, "c1"));
  EXPECT_EQ(vault_->list_deleted_certificates(kOperator, "kv1")->size(), 1U);
  EXPECT_EQ(vault_->list_deleted_keys(kOperator, "kv1")->size(), 1U);
  EXPECT_TRUE(fails_with(create(policy()), ErrorKind::DeletedButRecoverable, "recover it"));
  EXPECT_TRUE(fails_with(vault_->import_certificate(kOperator, "kv1", "c1", pem_file(authority_), {}, {}),
                         ErrorKind::DeletedButRecoverable, "recover it"));

  const auto refused = [](const auto& result) {
    return fails_with(result, ErrorKind::PermissionDenied, "belongs to the certificate");
  };
  EXPECT_TRUE(refused(vault_->recover_key(kOperator, "kv1", "c1")));
  EXPECT_TRUE(refused(vault_->recover_secret(kOperator, "kv1", "c1")));
  ASSERT_TRUE(vault_->recover_certificate(kOperator, "kv1", "c1"));
  EXPECT_EQ(get().info.id, id);
  EXPECT_EQ(vault_->certificate_versions(kOperator, "kv1", "c1")->size(), 2U);
  EXPECT_EQ(open_pfx(secret()).certificates.at(0), get().info.chain[0]);
  EXPECT_TRUE(refused(vault_->delete_key(kOperator, "kv1", "c1")));
  EXPECT_TRUE(fails_with(vault_->recover_certificate(kOperator, "kv1", "c1"), ErrorKind::NotFound, "c1"));
}

TEST_F(EmbeddedCertificates, ArePurgedByWhoMayAndWhenTheirTimeIsOver) {
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "c1"));
  EXPECT_TRUE(
      fails_with(vault_->purge_certificate(kGateway, "kv1", "c1"), ErrorKind::PermissionDenied, "purge"));
  grant_certificates("purge");
  ASSERT_TRUE(vault_->purge_certificate(kGateway, "kv1", "c1"));
  EXPECT_TRUE(vault_->list_deleted_keys(kOperator, "kv1")->empty());
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(vault_->delete_certificate(kOperator, "kv1", "c1"));
  clock_.set(clock_.now() + std::chrono::days(90));
  EXPECT_TRUE(fails_with(vault_->recover_certificate(kOperator, "kv1", "c1"), ErrorKind::NotFound, "c1"));
  EXPECT_TRUE(vault_->list_deleted_keys(kOperator, "kv1")->empty());
  EXPECT_TRUE(create(policy()));
}

TEST_F(EmbeddedCertificates, BackupsHoldEverythingAndOpenHereAlone) {
  ASSERT_TRUE(create(policy()));
  ASSERT_TRUE(create(std::nullopt));
  EXPECT_TRUE(
      fails_with(vault_->backup_certificate(kGateway, "kv1", "c1"), ErrorKind::PermissionDenied, "backup"));
  grant_certificates("backup,restore,get,delete,purge,list");
  Bytes blob = vault_->backup_certificate(kGateway, "kv1", "c1").value();
  const VaultCertificate before = get();
  const std::string value = secret();
  grant_certificates("backup,restore,get,delete,purge,list");
  EXPECT_TRUE(
      fails_with(vault_->restore_certificate(kGateway, "kv1", blob), ErrorKind::AlreadyExists, "already"));
  ASSERT_TRUE(vault_->delete_certificate(kGateway, "kv1", "c1"));
  EXPECT_TRUE(
      fails_with(vault_->restore_certificate(kGateway, "kv1", blob), ErrorKind::DeletedButRecoverable, "c1"));
  ASSERT_TRUE(vault_->purge_certificate(kGateway, "kv1", "c1"));
  const auto restored = vault_->restore_certificate(kGateway, "kv1", blob);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->info.id, before.info.id);
  EXPECT_EQ(restored->info.chain, before.info.chain);
  EXPECT_EQ(restored->policy.subject, before.policy.subject);
  EXPECT_EQ(secret(), value);
  EXPECT_TRUE(vault_->get(kOperator, before.info.id)->managed);
  EXPECT_EQ(vault_->certificate_versions(kOperator, "kv1", "c1")->size(), 2U);
  grant_certificates("restore,delete,purge");
  ASSERT_TRUE(vault_->delete_certificate(kGateway, "kv1", "c1"));
  ASSERT_TRUE(vault_->purge_certificate(kGateway, "kv1", "c1"));
  blob[blob.size() / 2] ^= 1U;
  EXPECT_TRUE(
      fails_with(vault_->restore_certificate(kGateway, "kv1", blob), ErrorKind::InvalidInput, "no backup"));
}

TEST_F(EmbeddedCertificates, NeedThePermissionOfEachOperationBeforeAnythingIsLookedAt) {
  ASSERT_TRUE(create(policy()));
  const auto denied = [](const auto& result, const std::string& permission) {
    return fails_with(result, ErrorKind::PermissionDenied,
                      "lacks the certificate permission '" + permission + "'");
  };
  for (const std::string name : {"c1", "absent"}) {
    EXPECT_TRUE(denied(vault_->create_certificate(kGateway, "kv1", name, policy(), {}), "create"));
    EXPECT_TRUE(
        denied(vault_->import_certificate(kGateway, "kv1", name, pem_file(authority_), {}, {}), "import"));
    EXPECT_TRUE(denied(vault_->merge_certificate(kGateway, "kv1", name, {}, {}), "create"));
    EXPECT_TRUE(denied(vault_->get_certificate(kGateway, {"kv1", name, {}}), "get"));
    EXPECT_TRUE(denied(vault_->certificate_policy(kGateway, "kv1", name), "get"));
    EXPECT_TRUE(denied(vault_->certificate_operation(kGateway, "kv1", name), "get"));
    EXPECT_TRUE(denied(vault_->certificate_versions(kGateway, "kv1", name), "list"));
    EXPECT_TRUE(denied(vault_->update_certificate(kGateway, {"kv1", name, {}}, {}), "update"));
    EXPECT_TRUE(denied(vault_->update_certificate_policy(kGateway, "kv1", name, {}), "update"));
    EXPECT_TRUE(denied(vault_->cancel_certificate_operation(kGateway, "kv1", name), "update"));
    EXPECT_TRUE(denied(vault_->delete_certificate_operation(kGateway, "kv1", name), "update"));
  }
  EXPECT_TRUE(denied(vault_->list_certificates(kGateway, "kv1", true), "list"));
  EXPECT_TRUE(denied(vault_->certificate_contacts(kGateway, "kv1"), "managecontacts"));
  EXPECT_TRUE(denied(vault_->set_certificate_issuer(kGateway, "kv1", "i1", {}), "setissuers"));
  EXPECT_TRUE(denied(vault_->list_certificate_issuers(kGateway, "kv1"), "listissuers"));
  grant_certificates("manageissuers");
  EXPECT_TRUE(vault_->list_certificate_issuers(kGateway, "kv1"));
  EXPECT_TRUE(denied(vault_->get_certificate(kGateway, {"kv1", "c1", {}}), "get"));
}

TEST_F(EmbeddedCertificates, AreNotMadeWithoutAnAuditRecord) {
  audit_.failure = Error{ErrorKind::IoFailure, "disk"};
  EXPECT_TRUE(fails_with(create(policy()), ErrorKind::IoFailure, "disk"));
  audit_.failure.reset();
  EXPECT_TRUE(vault_->list_certificates(kOperator, "kv1", true)->empty());
}

TEST_F(EmbeddedCertificates, ContactsAreOneListForAVault) {
  EXPECT_TRUE(fails_with(vault_->certificate_contacts(kOperator, "kv1"), ErrorKind::NotFound,
                         "no certificate contacts"));
  const std::vector<CertificateContact> contacts{{"edi@acme.example", "EDI", "1"},
                                                 {"it@acme.example", "", ""}};
  ASSERT_TRUE(vault_->set_certificate_contacts(kOperator, "kv1", contacts));
  EXPECT_EQ(vault_->certificate_contacts(kOperator, "kv1").value(), contacts);
  EXPECT_TRUE(fails_with(vault_->set_certificate_contacts(kOperator, "kv1", {{"nobody", "", ""}}),
                         ErrorKind::InvalidInput, "no mail address"));
  EXPECT_TRUE(fails_with(vault_->set_certificate_contacts(kOperator, "kv1", {}), ErrorKind::InvalidInput,
                         "delete them"));
  EXPECT_EQ(vault_->delete_certificate_contacts(kOperator, "kv1").value(), contacts);
  EXPECT_FALSE(vault_->delete_certificate_contacts(kOperator, "kv1"));
}

TEST_F(EmbeddedCertificates, IssuersKeepTheirPasswordsToThemselves) {
  IssuerUpdate issuer;
  issuer.provider = "Test";
  issuer.account = "4711";
  issuer.password = SecretBytes::copy_of("open sesame");
  issuer.administrators = {{"Ada", "L", "ada@acme.example", ""}};
  ASSERT_TRUE(vault_->set_certificate_issuer(kOperator, "kv1", "i1", issuer));
  const StoredIssuer stored = certificates_.load_issuer("kv1", "i1").value();
  EXPECT_FALSE(stored.sealed_password.empty());
  EXPECT_EQ(as_text(stored.sealed_password).find("open sesame"), std::string_view::npos);
  for (const AuditRecord& record : audit_.records())
    EXPECT_THAT(record.detail, testing::Not(HasSubstr("sesame")));
  IssuerUpdate update;
  update.enabled = false;
  ASSERT_TRUE(vault_->update_certificate_issuer(kOperator, "kv1", "I1", update));
  const CertificateIssuer shown = vault_->certificate_issuer(kOperator, "kv1", "i1").value();
  EXPECT_EQ(shown.account, "4711");
  EXPECT_FALSE(shown.enabled);
  EXPECT_EQ(certificates_.load_issuer("kv1", "i1")->sealed_password, stored.sealed_password);
  EXPECT_EQ(vault_->list_certificate_issuers(kOperator, "kv1")->size(), 1U);
  EXPECT_TRUE(vault_->delete_certificate_issuer(kOperator, "kv1", "i1"));
  EXPECT_TRUE(fails_with(vault_->certificate_issuer(kOperator, "kv1", "i1"), ErrorKind::NotFound, "i1"));
  EXPECT_TRUE(fails_with(vault_->set_certificate_issuer(kOperator, "kv1", "self", issuer),
                         ErrorKind::InvalidInput, "meaning of its own"));
  EXPECT_TRUE(fails_with(vault_->set_certificate_issuer(kOperator, "kv1", "i2", {}), ErrorKind::InvalidInput,
                         "provider"));
}

}  // namespace
}  // namespace signet::vault
