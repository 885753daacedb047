#include <fmt/format.h>

#include <thread>

#include "certstore/x509/profile.h"
#include "tests/unit/authority/authority_fixture.h"

/// Applications and requests, their lists, and what happens to both when things go wrong.

namespace signet::authority {
namespace {

using certstore::KeyUse;
using certstore::Purpose;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Requests : public AuthorityTest {};

TEST_F(Requests, AnApplicationsDescriptionIsChecked) {
  const std::vector<std::pair<std::string, std::function<void(OpcUaApplication&)>>> wrong = {
      {"applicationUri", [](OpcUaApplication& one) { one.uri = "line2"; }},
      {"applicationNames", [](OpcUaApplication& one) { one.names.clear(); }},
      {"productUri", [](OpcUaApplication& one) { one.product_uri = ""; }},
      {"discoveryUrls", [](OpcUaApplication& one) { one.discovery_urls.clear(); }},
      {"discoveryUrls", [](OpcUaApplication& one) { one.discovery_urls = {"urn:x:y"}; }},
      {"serverCapabilities", [](OpcUaApplication& one) { one.capabilities.clear(); }},
      {"serverCapabilities", [](OpcUaApplication& one) { one.capabilities = {"D,A"}; }},
      {"client", [](OpcUaApplication& one) { one.type = OpcUaType::Client; }},
  };
  for (const auto& [text, change] : wrong) {
    OpcUaApplication application = line2();
    change(application);
    EXPECT_TRUE(
        fails_with(service_.register_application(kWriter, application), ErrorKind::InvalidInput, text))
        << text;
  }
  for (const As2Station& station :
       {As2Station{"", "https://a.example/", {Purpose::Sign}},
        As2Station{"A\"B", "https://a.example/", {Purpose::Sign}},
        As2Station{"A", "ftp://a.example/", {Purpose::Sign}}, As2Station{"A", "https://a.example/", {}}})
    EXPECT_TRUE(fails_with(service_.register_application(kWriter, station), ErrorKind::InvalidInput));
}

TEST_F(Requests, ApplicationsAreFoundByPatternsPageByPage) {
  for (int at = 0; at < 7; ++at) {
    OpcUaApplication application = line2();
    application.uri = fmt::format("urn:plant7:acme:line{}", at);
    application.names = {{"en", fmt::format("Line {}", at)}};
    approved(application);
  }
  approved(globex());
  valued(service_.register_application(kWriter, line2()));
  ApplicationFilter filter;
  filter.uri = "urn:%:line[13-5]";
  PageRequest page{0, 3};
  const auto first = valued(service_.applications(kReader, filter, page));
  ASSERT_THAT(first.items, SizeIs(3));
  page.after = first.next.value();
  const auto second = valued(service_.applications(kReader, filter, page));
  EXPECT_THAT(second.items, SizeIs(1));
  EXPECT_FALSE(second.next);
  EXPECT_THAT(valued(service_.applications(kReader, {.name = "GLOBEX"}, {})).items, SizeIs(1));
  EXPECT_THAT(valued(service_.applications(kReader, {}, {})).items, SizeIs(8));  // approved ones alone
  EXPECT_THAT(valued(service_.applications(kReader, {.states = {}}, {})).items, SizeIs(9));
  EXPECT_THAT(valued(service_.applications(kReader, {.capabilities = {"da"}}, {})).items, SizeIs(7));
  EXPECT_TRUE(fails_with(service_.applications(kReader, {.name = "[a"}, {}), ErrorKind::InvalidInput));
  EXPECT_TRUE(fails_with(service_.applications(kReader, {}, {0, 1001}), ErrorKind::InvalidInput));
}

TEST_F(Requests, RequestsAreFoundPageByPage) {
  found_group();
  const Application application = approved();
  for (int at = 0; at < 5; ++at) requested(application);
  const auto first = valued(service_.requests(kReader, {.group = "PLANT7"}, {0, 3}));
  ASSERT_THAT(first.items, SizeIs(3));
  const auto second =
      valued(service_.requests(kReader, {.application = application.id}, {first.next.value(), 3}));
  EXPECT_THAT(second.items, SizeIs(2));
  EXPECT_FALSE(second.next);
  valued(service_.reject_request(kApprover, second.items[0].id, "not ours"));
  EXPECT_THAT(valued(service_.requests(kReader, {.states = {RequestState::Rejected}}, {})).items, SizeIs(1));
  EXPECT_THAT(
      valued(service_.requests(kReader, {.states = {RequestState::New, RequestState::Rejected}}, {})).items,
      SizeIs(5));
}

TEST_F(Requests, OneThatIsRejectedIsKnownWhenItComesAgain) {
  found_group();
  const Application application = approved();
  const SigningOrder order{application.id, "PLANT7", signing_request()};
  EXPECT_THAT(valued(service_.requests_for(kReader, order)), testing::IsEmpty());
  const Request made = valued(service_.request_signing(kWriter, order));
  const Bytes another = signing_request([](certstore::CertificateProfile& profile) {
    profile.alternative_names.dns_names = {"plc3.acme.example"};
  });
  valued(service_.request_signing(kWriter, {application.id, "Plant7", another}));
  valued(service_.reject_request(kApprover, made.id, "wrong device"));
  const auto known = valued(service_.requests_for(kReader, order));
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].id, made.id);
  EXPECT_EQ(known[0].reason, "wrong device");
  EXPECT_THAT(known[0].signing_request, testing::IsEmpty());
  valued(service_.request_signing(kWriter, order));
  EXPECT_EQ(valued(service_.requests_for(kReader, order)).at(0).state, RequestState::New);
}

TEST_F(Requests, AStationsKeyUsageFollowsItsPurposes) {
  found_group(group("Partners", CertificateType::As2Station));
  const auto certificate_for = [&](std::set<Purpose> purposes, const std::string& key) {
    const Application station = approved(globex(std::move(purposes)));
    const Request request =
        valued(service_.request_signing(kWriter, {station.id, "Partners", signing_request({}, key)}));
    return *valued(service_.approve_request(kApprover, request.id)).certificate;
  };
  const auto uses = [](const Certificate& certificate) {
    return certstore::profile_of(certificate).key_uses;
  };
  EXPECT_EQ(uses(certificate_for({Purpose::Sign}, "rsa:2048")),
            (certstore::KeyUses{KeyUse::DigitalSignature, KeyUse::NonRepudiation}));
  EXPECT_EQ(uses(certificate_for({Purpose::Encrypt}, "rsa:2048")),
            (certstore::KeyUses{KeyUse::KeyEncipherment}));
  EXPECT_EQ(uses(certificate_for({Purpose::Encrypt}, "ec:P-256")),
            (certstore::KeyUses{KeyUse::KeyAgreement}));
  EXPECT_EQ(uses(certificate_for({Purpose::Tls}, "rsa:2048")),
            (certstore::KeyUses{KeyUse::DigitalSignature, KeyUse::KeyEncipherment}));
  const Certificate all = certificate_for({Purpose::Sign, Purpose::Encrypt, Purpose::Tls}, "rsa:2048");
  for (const Purpose purpose : {Purpose::Sign, Purpose::Encrypt, Purpose::Tls})
    EXPECT_THAT(certstore::examine(all, purpose, clock_.now()), IsEmpty());
  EXPECT_THAT(certstore::profile_of(all).extended_key_usages, SizeIs(3));
}

TEST_F(Requests, AGroupTakesItsKindOfApplicationAndOfKeyAlone) {
  found_group();
  const Application station = approved(globex());
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, {station.id, "Plant7", signing_request()}),
                         ErrorKind::AlreadyExists, "station"));
  const Application application = approved();
  EXPECT_TRUE(fails_with(
      service_.request_signing(kWriter, {application.id, "Plant7", signing_request({}, "ec:P-256")}),
      ErrorKind::InvalidInput, "RSA"));
  Bytes broken = signing_request();
  broken.back() ^= 1;
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, {application.id, "Plant7", broken}),
                         ErrorKind::CryptoFailure));
  EXPECT_TRUE(fails_with(
      service_.request_signing(kWriter, {application.id, "Plant7", signing_request([](auto& profile) {
                                           profile.subject = valued(
                                               certstore::DistinguishedName::parse("CN=Plant7 CA,O=Acme"));
                                         })}),
      ErrorKind::InvalidInput, "issuer's own"));
  EXPECT_TRUE(fails_with(service_.request_signing(kWriter, {application.id, "Plant8", signing_request()}),
                         ErrorKind::NotFound));
}

TEST_F(Requests, WhatCanNeverBeIssuedHasFailedAndSaysWhy) {
  found_group();
  const Application application = approved();
  const Request request = requested(application);
  OpcUaApplication renamed = line2();
  renamed.uri = "urn:plant7:acme:line3";
  valued(service_.change_application(kWriter, application.id, renamed));
  valued(service_.approve_application(kAdministrator, application.id));
  const Request failed = valued(service_.approve_request(kApprover, request.id));
  EXPECT_EQ(failed.state, RequestState::Failed);
  EXPECT_NE(failed.reason.find("urn:plant7:acme:line3"), std::string::npos);
  EXPECT_FALSE(failed.certificate);
  valued(service_.purge_request(kAdministrator, request.id));
  EXPECT_TRUE(fails_with(service_.request(kReader, request.id), ErrorKind::NotFound));
}

TEST_F(Requests, TheEndOfAnApplicationEndsItsRequestsAndDestroysItsKeys) {
  const IssuerVersion issuer = found_group();
  const Application application = approved();
  const Request waiting = requested_pair(application);
  const Request pair = requested_pair(application);
  valued(service_.approve_request(kApprover, pair.id));
  const Request taken = issued(application);
  valued(service_.accept_request(kWriter, taken.id));
  EXPECT_THAT(secrets_in_vault(), SizeIs(2));
  valued(service_.unregister_application(kWriter, application.id));
  EXPECT_THAT(secrets_in_vault(), IsEmpty());
  EXPECT_EQ(valued(service_.request(kReader, waiting.id)).state, RequestState::Removed);
  EXPECT_TRUE(valued(service_.request(kReader, pair.id)).revocation_requested);
  const auto revoked = valued(service_.revoke_group(kApprover, "Plant7", false));
  EXPECT_THAT(revoked, SizeIs(2));
  EXPECT_EQ(crl(issuer).entries().front().reason, RevocationReason::CessationOfOperation);
}

TEST_F(Requests, ARejectedOrRemovedOneHoldsNothingAnyMore) {
  found_group();
  const Application application = approved();
  const Request rejected = requested_pair(application);
  const Request removed = requested_pair(application);
  EXPECT_TRUE(
      fails_with(service_.reject_request(kApprover, rejected.id, " "), ErrorKind::InvalidInput, "reason"));
  EXPECT_EQ(valued(service_.reject_request(kApprover, rejected.id, "not ours")).reason, "not ours");
  valued(service_.remove_request(kWriter, removed.id));
  EXPECT_THAT(secrets_in_vault(), IsEmpty());
  const Request signing = requested(application);
  EXPECT_THAT(valued(service_.reject_request(kApprover, signing.id, "no")).signing_request, IsEmpty());
}

TEST_F(Requests, NoKeyIsMadeWhereItCouldNotBeDestroyed) {
  found_group();
  const Application application = approved();
  vault::VaultSettings settings;
  settings.purge_protection = true;
  valued(vault_->set_settings(vault::Principal::local_operator(), "signet", settings));
  EXPECT_TRUE(fails_with(
      service_.request_key_pair(
          kWriter, {application.id, "Plant7", "CN=x", {}, KeyFormat::Pfx, SecretBytes::copy_of(kPassword)}),
      ErrorKind::Unsupported, "purge protection"));
}

TEST_F(Requests, WhatARequestThatWasCutShortLeftInTheVaultIsDestroyedInTime) {
  found_group();
  const Application application = approved();
  const Request kept = requested_pair(application);
  vault::SecretSettings settings;
  settings.content_type = "certificate request";
  const std::string orphan = "request-00000000-0000-4000-8000-000000000000-password";
  valued(vault_->set_secret(vault::Principal::authority(), "signet", orphan, SecretBytes::copy_of("x"),
                            settings));
  valued(vault_->set_secret(vault::Principal::authority(), "signet", "request-of-somebody",
                            SecretBytes::copy_of("x"), {}));
  valued(service_.keep_up());
  EXPECT_THAT(secrets_in_vault(), SizeIs(3));
  pass(std::chrono::minutes(61));
  valued(service_.keep_up());
  EXPECT_THAT(secrets_in_vault(),
              UnorderedElementsAre("request-" + kept.id + "-password", "request-of-somebody"));
}

TEST_F(Requests, OfTwoWhoDecideAtOnceOneDecides) {
  found_group();
  const Application application = approved();
  const Request request = requested_pair(application);
  Authority other(rows_, *vault_, audit_.log, trail_, clock_);
  // Between what the first one read and what it writes, the second one rejects.
  audit_.before_next = [&] { valued(other.reject_request(kApprover, request.id, "no")); };
  EXPECT_TRUE(fails_with(service_.approve_request({"Alf", {Role::Approver}}, request.id),
                         ErrorKind::AlreadyExists, "Rejected"));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::Rejected);
  pass(std::chrono::hours(2));
  valued(service_.keep_up());
  EXPECT_THAT(secrets_in_vault(), IsEmpty());  // the key of the one that lost, too
}

TEST_F(Requests, ListsThatAreMadeAtOnceFollowOneAnother) {
  const IssuerVersion issuer = found_group();
  const Application application = approved();
  std::vector<Request> requests;
  for (int at = 0; at < 6; ++at) requests.push_back(issued(application));
  // A process of its own, as far as the store can tell.
  const auto second_store = valued(gateway::SqliteStore::open(directory_.path(), {}));
  gateway::SqliteAuthorityStore second_rows(second_store->database());
  Authority second(second_rows, *vault_, audit_.log, trail_, clock_);
  const auto revoke = [&](Authority& service, std::size_t from) {
    for (std::size_t at = from; at < requests.size(); at += 2)
      EXPECT_TRUE(service.revoke(kApprover, requests[at].id, RevocationReason::Superseded));
  };
  std::thread thread([&] { revoke(second, 0); });
  revoke(service_, 1);
  thread.join();
  EXPECT_EQ(crl(issuer).entries().size(), 6U);
  EXPECT_EQ(crl(issuer).number(), "07");
}

TEST_F(Requests, EveryTransitionIsRecorded) {
  found_group();
  const Application application = approved();
  const Request request = issued(application);
  valued(service_.accept_request(kWriter, request.id));
  valued(service_.revoke(kApprover, request.id, RevocationReason::Superseded));
  EXPECT_THAT(audit_.of("createGroup"), SizeIs(1));
  EXPECT_THAT(audit_.of("createIssuer"), SizeIs(1));
  EXPECT_THAT(audit_.of("registerApplication"), SizeIs(1));
  EXPECT_THAT(audit_.of("approveApplication"), SizeIs(1));
  EXPECT_THAT(audit_.of("requestSigning"), SizeIs(1));
  EXPECT_THAT(audit_.of("approveRequest"), ElementsAre(testing::StartsWith("anna success New -> Approved")));
  EXPECT_THAT(audit_.of("acceptRequest"), ElementsAre("walter success Approved -> Accepted"));
  EXPECT_THAT(audit_.of("revokeRequest"), ElementsAre(testing::HasSubstr("superseded")));
  audit_.failure = Error{ErrorKind::IoFailure, "disk full"};
  EXPECT_TRUE(
      fails_with(service_.register_application(kWriter, line2()), ErrorKind::IoFailure, "audit record"));
}

TEST_F(Requests, AReasonThatWasGivenGivesWayToKeyCompromiseAlone) {
  found_group();
  const Request request = issued(approved());
  const auto ask = [&](RevocationReason reason) {
    return service_.request_revocation(kWriter, request.id, reason);
  };
  valued(ask(RevocationReason::Superseded));
  EXPECT_TRUE(
      fails_with(ask(RevocationReason::CessationOfOperation), ErrorKind::AlreadyExists, "superseded"));
  EXPECT_EQ(valued(ask(RevocationReason::KeyCompromise)).revocation_reason, RevocationReason::KeyCompromise);
  EXPECT_TRUE(fails_with(ask(RevocationReason::Superseded), ErrorKind::AlreadyExists, "keyCompromise"));
}

TEST_F(Requests, TwoWhoRevokeAtOnceLearnWhoWasFirst) {
  const IssuerVersion issuer = found_group();
  const Request request = issued(approved());
  audit_.before_next = [&] { valued(service_.revoke(kApprover, request.id, RevocationReason::Superseded)); };
  EXPECT_TRUE(fails_with(service_.revoke(kApprover, request.id, RevocationReason::KeyCompromise),
                         ErrorKind::AlreadyExists, "Revoked"));
  EXPECT_THAT(crl(issuer).entries(), testing::SizeIs(1));
}

TEST_F(Requests, OneThatComesWhileItsApplicationGoesGoesWithIt) {
  found_group();
  const Application application = approved();
  Request late;
  audit_.before_next = [&] { late = requested(application); };
  valued(service_.unregister_application(kWriter, application.id));
  EXPECT_EQ(valued(service_.request(kReader, late.id)).state, RequestState::Removed);
}

TEST_F(Requests, AVaultThatCameToKeepEverythingStopsTheApprovalOfAKeyPair) {
  found_group();
  const Request request = requested_pair(approved());
  valued(vault_->set_settings(vault::Principal::local_operator(), "signet", {90, true}));
  EXPECT_TRUE(fails_with(service_.approve_request(kApprover, request.id), ErrorKind::Unsupported,
                         "purge protection"));
  EXPECT_EQ(valued(service_.request(kReader, request.id)).state, RequestState::New);
}

}  // namespace
}  // namespace signet::authority
