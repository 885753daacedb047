// Which certificates and keys may be used, when, and what happens when one may not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "as2/compose.h"
#include "base/file.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using agreements::CertificateRole;
using agreements::DatedCertificate;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string thumbprint(const agreements::CertificateEntry& entry) {
  return need(certstore::Certificate::parse(entry.public_certificate)).thumbprint_sha256();
}

agreements::CertificateEntry public_half(agreements::CertificateEntry entry) {
  entry.key.reset();
  return entry;
}

Time day(const char* date) { return need(parse_time(date)); }

void set_enabled(TestGateway& gateway, const std::string& key, bool enabled) {
  vault::KeyUpdate update;
  update.attributes.enabled = enabled;
  need(gateway.home().vault().update(vault::Principal::local_operator(),
                                     {std::string(gateway::kDefaultVault), key, ""}, update));
}

/// Globex with one key to decrypt and another to sign receipts.
void separate_keys(TradingPair& pair) {
  auto [acmes, globexes] = pair.accounts();
  const auto signs = pair.globex.add_key("globex-sign", CertificateSpec{.common_name = "Globex signs"});
  globexes.certificates.push_back(signs);
  globexes.agreements.front().send_agreement.security_settings.signing_certificate_name = "globex-sign";
  acmes.certificates.push_back(public_half(signs));
  acmes.agreements.front().receive_agreement.security_settings.signing_certificate_name = "globex-sign";
  pair.acme.apply(acmes);
  pair.globex.apply(globexes);
}

class Keys : public testing::Test {
 protected:
  MessageRecord record() { return pair_.globex.messages().at(0); }
  void expect_nothing_delivered() {
    pair_.globex.drain();
    EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
  }
  TradingPair pair_;
};

// ---- The vault says no

TEST_F(Keys, WithoutPermissionToDecryptNothingIsTakenAndTheRecordSaysWhichIsMissing) {
  const WireMessage message = pair_.compose("an order");
  pair_.globex.set_key_permissions("sign,get,list");
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 503) << "the message may be perfectly good: the partner is to send it again";
  EXPECT_EQ(record().state, MessageState::Refused);
  EXPECT_THAT(record().reason, AllOf(HasSubstr("'decrypt'"), HasSubstr("'signet'"), HasSubstr("gateway")));
  EXPECT_EQ(text_of(answer.body).find("decrypt"), std::string::npos)
      << "the partner is not told of our permissions";
  expect_nothing_delivered();

  const auto lines = pair_.globex.audit_lines();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find("\"denied\"") != std::string::npos && line.find(record().id) != std::string::npos;
  })) << lines.back();

  // Given back, the same message goes through at once.
  pair_.globex.set_key_permissions("decrypt,sign,get,list");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Keys, WithoutPermissionToSignTheReceiptNothingIsAccepted) {
  const WireMessage message = pair_.compose("an order");
  pair_.globex.set_key_permissions("decrypt,get,list");
  EXPECT_EQ(answer_to(message).status, 503);
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  expect_nothing_delivered();
  pair_.globex.set_key_permissions("decrypt,sign,get,list");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Keys, WithoutPermissionToGetNothingIsAccepted) {
  const WireMessage message = pair_.compose("an order");
  pair_.globex.restart();
  pair_.globex.set_key_permissions("decrypt,sign,list");
  WireMessage to_new_port = message;
  to_new_port.url = pair_.globex.url();
  EXPECT_EQ(answer_to(to_new_port).status, 503);
  EXPECT_EQ(record().state, MessageState::Refused);
  EXPECT_THAT(record().reason, HasSubstr("'get'"));
  expect_nothing_delivered();
}

TEST_F(Keys, WithoutPermissionToSignNothingIsSent) {
  pair_.acme.set_key_permissions("decrypt,get,list");
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::PermissionDenied);
  EXPECT_THAT(sent.error().detail, AllOf(HasSubstr("'sign'"), HasSubstr("'signet'")));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  EXPECT_THAT(pair_.acme.messages(), IsEmpty());
}

TEST_F(Keys, ADisabledKeyDecryptsNothing) {
  separate_keys(pair_);
  const WireMessage message = pair_.compose("an order");
  set_enabled(pair_.globex, "globex-rsa-2048", false);
  EXPECT_EQ(answer_to(message).status, 503);
  EXPECT_THAT(record().reason, AllOf(HasSubstr("globex-rsa-2048"), HasSubstr("enable it")));
  expect_nothing_delivered();
  set_enabled(pair_.globex, "globex-rsa-2048", true);
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Keys, ADisabledKeySignsNoReceiptSoNothingIsAccepted) {
  separate_keys(pair_);
  const WireMessage message = pair_.compose("an order");
  set_enabled(pair_.globex, "globex-sign", false);
  EXPECT_EQ(answer_to(message).status, 503);
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  expect_nothing_delivered();
}

TEST_F(Keys, EveryUseOfAKeyForAMessageIsInTheAuditLogUnderThatMessage) {
  const auto sent = need(pair_.send("an order"));
  const auto received = pair_.globex.wait_delivered(sent.message_id);
  const auto uses = [](TestGateway& gateway, const std::string& id) {
    std::size_t count = 0;
    for (const std::string& line : gateway.audit_lines())
      if (line.find(id) != std::string::npos && line.find("\"success\"") != std::string::npos) ++count;
    return count;
  };
  EXPECT_EQ(uses(pair_.acme, sent.id), 1U) << "one signature";
  EXPECT_EQ(uses(pair_.globex, received.id), 2U) << "one decryption, one signature";
}

TEST_F(Keys, ANewVersionOfAKeyChangesNothingUntilThereIsACertificateForIt) {
  const WireMessage message = pair_.compose("an order");
  need(pair_.globex.home().vault().create_key(vault::Principal::local_operator(), gateway::kDefaultVault,
                                              "globex-rsa-2048", vault::KeyKind::EcP256, {}));
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
  const auto sent = need(pair_.send("another order"));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
}

// ---- Time

TEST_F(Keys, AnExpiredSignerIsRefusedWithItsDates) {
  auto [acmes, globexes] = pair_.accounts();
  const auto old = pair_.acme.add_key(
      "acme-2022",
      CertificateSpec{.common_name = "Acme 2022", .not_before = "2022-01-01", .not_after = "2023-01-01"});
  acmes.certificates.push_back(old);
  acmes.agreements.front().send_agreement.security_settings.signing_certificate_name = "acme-2022";
  globexes.certificates.push_back(public_half(old));
  globexes.agreements.front().receive_agreement.security_settings.signing_certificate_name = "acme-2022";
  pair_.acme.apply(acmes);
  pair_.globex.apply(globexes);

  pair_.acme.clock.set(day("2022-06-01"));
  const WireMessage message = pair_.compose("an order");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("processed/error: authentication-failed"));
  EXPECT_THAT(record().reason,
              AllOf(HasSubstr("2022-01-01"), HasSubstr("2023-01-01"), HasSubstr("Acme 2022")));
  expect_nothing_delivered();

  // We would not have signed with it ourselves either.
  pair_.acme.clock.set(std::nullopt);
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().detail, AllOf(HasSubstr("acme-2022"), HasSubstr("replace it")));
}

TEST_F(Keys, NothingIsEncryptedForAnExpiredCertificate) {
  auto [acmes, globexes] = pair_.accounts();
  acmes.certificates.push_back(public_half(pair_.globex.add_key(
      "globex-2022",
      CertificateSpec{.common_name = "Globex 2022", .not_before = "2022-01-01", .not_after = "2023-01-01"})));
  acmes.agreements.front().send_agreement.security_settings.encryption_certificate_name = "globex-2022";
  pair_.acme.apply(acmes);
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().detail, AllOf(HasSubstr("globex-2022"), HasSubstr("2023-01-01")));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
}

TEST_F(Keys, AReceiptSignedWithAnExpiredCertificateProvesNothing) {
  auto [acmes, globexes] = pair_.accounts();
  const auto old = pair_.globex.add_key(
      "globex-2022",
      CertificateSpec{.common_name = "Globex 2022", .not_before = "2022-01-01", .not_after = "2023-01-01"});
  globexes.certificates.push_back(old);
  globexes.agreements.front().receive_agreement.certificates.push_back(
      {CertificateRole::SignMdn, {{"globex-2022", std::nullopt, std::nullopt}}});
  acmes.certificates.push_back(public_half(old));
  acmes.agreements.front().send_agreement.certificates.push_back(
      {CertificateRole::VerifyMdn, {{"globex-2022", std::nullopt, std::nullopt}}});
  pair_.acme.apply(acmes);
  pair_.globex.apply(globexes);
  pair_.globex.clock.set(day("2022-06-01"));
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_THAT(sent.reason, AllOf(HasSubstr("Globex 2022"), HasSubstr("2023-01-01")));
}

// ---- Rollover: in all six places, old and new overlap from February to March

class Rollover : public testing::Test {
 protected:
  void SetUp() override {
    const auto add = [](TestGateway& gateway, const std::string& name) {
      return gateway.add_key(name, CertificateSpec{.common_name = name});
    };
    acme_old_ = add(pair_.acme, "acme-old");
    acme_new_ = add(pair_.acme, "acme-new");
    globex_old_ = add(pair_.globex, "globex-old");
    globex_new_ = add(pair_.globex, "globex-new");
    apply(pair_.acme, pair_.accounts().first, {acme_old_, acme_new_}, {globex_old_, globex_new_});
    apply(pair_.globex, pair_.accounts().second, {globex_old_, globex_new_}, {acme_old_, acme_new_});
  }

  using OldAndNew = std::pair<agreements::CertificateEntry, agreements::CertificateEntry>;
  static void apply(TestGateway& gateway, Account account, const OldAndNew& ours, const OldAndNew& theirs) {
    account.certificates = {ours.first, ours.second, public_half(theirs.first), public_half(theirs.second)};
    Agreement& agreement = account.agreements.front();
    agreement.receive_agreement.security_settings.signing_certificate_name.clear();
    agreement.receive_agreement.security_settings.encryption_certificate_name.clear();
    agreement.send_agreement.security_settings.signing_certificate_name.clear();
    agreement.send_agreement.security_settings.encryption_certificate_name.clear();
    const auto dated = [](const OldAndNew& both) {
      return std::vector<DatedCertificate>{{both.first.name, std::nullopt, day("2026-03-01")},
                                           {both.second.name, day("2026-02-01"), std::nullopt}};
    };
    agreement.receive_agreement.certificates = {{CertificateRole::VerifyMessage, dated(theirs)},
                                                {CertificateRole::Decrypt, dated(ours)},
                                                {CertificateRole::SignMdn, dated(ours)}};
    agreement.send_agreement.certificates = {{CertificateRole::SignMessage, dated(ours)},
                                             {CertificateRole::Encrypt, dated(theirs)},
                                             {CertificateRole::VerifyMdn, dated(theirs)}};
    gateway.apply(account);
  }

  void set_both(const char* date) {
    pair_.acme.clock.set(day(date));
    pair_.globex.clock.set(day(date));
  }
  /// The key that Globex last decrypted with.
  std::string decrypted_with() {
    const auto lines = pair_.globex.audit_lines();
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
      if (line->find("\"decrypt\"") != std::string::npos)
        return line->find("globex-new") != std::string::npos ? "globex-new" : "globex-old";
    return "";
  }

  TradingPair pair_;
  agreements::CertificateEntry acme_old_, acme_new_, globex_old_, globex_new_;
};

TEST_F(Rollover, TheNewestActiveCertificateIsUsedInEachRole) {
  struct Stage {
    const char* date;
    const agreements::CertificateEntry& acmes;
    const agreements::CertificateEntry& globexes;
  };
  for (const Stage& stage :
       {Stage{"2026-01-15", acme_old_, globex_old_}, Stage{"2026-02-15", acme_new_, globex_new_},
        Stage{"2026-03-15", acme_new_, globex_new_}}) {
    SCOPED_TRACE(stage.date);
    set_both(stage.date);
    const auto sent = need(pair_.send("an order"));
    ASSERT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
    EXPECT_EQ(sent.receipt_signer_thumbprint, thumbprint(stage.globexes));
    EXPECT_EQ(pair_.globex.message(sent.message_id).signer_thumbprint, thumbprint(stage.acmes));
    EXPECT_EQ(decrypted_with(), stage.globexes.name);
  }
}

TEST_F(Rollover, TheOldOneIsAcceptedInTheOverlapAndNotAfterIt) {
  set_both("2026-01-15");
  const WireMessage first = pair_.compose("signed by the old one, encrypted for the old one");
  const WireMessage second = pair_.compose("the same, and late");
  pair_.globex.clock.set(day("2026-02-15"));
  EXPECT_THAT(disposition_of(answer_to(first)), EndsWith("; processed"));
  EXPECT_EQ(pair_.globex.message(first.message_id()).signer_thumbprint, thumbprint(acme_old_));
  pair_.globex.clock.set(day("2026-03-15"));
  EXPECT_THAT(disposition_of(answer_to(second)), EndsWith("processed/error: decryption-failed"));

  // The signer alone, with a partner who knows of our new one already.
  auto account = pair_.acme.account();
  account.agreements.front().send_agreement.certificates[1].certificates = {
      {"globex-new", std::nullopt, std::nullopt}};
  pair_.acme.apply(account);
  EXPECT_THAT(disposition_of(answer_to(pair_.compose("signed by the old one"))),
              EndsWith("processed/error: authentication-failed"));
}

TEST_F(Rollover, AReceiptByTheOldOneIsAcceptedInTheOverlapAndNotAfterIt) {
  auto account = pair_.globex.account();
  account.agreements.front().receive_agreement.certificates[2].certificates = {
      {"globex-old", std::nullopt, std::nullopt}};
  pair_.globex.apply(account);
  set_both("2026-02-15");
  const auto in_time = need(pair_.send("an order"));
  EXPECT_EQ(in_time.state, MessageState::Confirmed) << in_time.reason;
  EXPECT_EQ(in_time.receipt_signer_thumbprint, thumbprint(globex_old_));
  set_both("2026-03-15");
  const auto late = need(pair_.send("an order"));
  EXPECT_EQ(late.state, MessageState::Failed);
  EXPECT_THAT(late.reason, HasSubstr("signature does not hold"));
}

TEST_F(Rollover, ARoleWithNothingActiveSaysSo) {
  auto account = pair_.acme.account();
  account.agreements.front().send_agreement.certificates[0].certificates = {
      {"acme-new", day("2026-02-01"), std::nullopt}};
  pair_.acme.apply(account);
  set_both("2026-01-15");
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().detail,
              AllOf(HasSubstr("'trade'"), HasSubstr("'signMessage'"), HasSubstr("2026-01-15")));
}

// ---- Weak algorithms, by exception only

class WeakAlgorithms : public testing::Test {
 protected:
  static agreements::WeakException exception(agreements::WeakAlgorithm algorithm) {
    return {algorithm, "their system is from 2009", day("2026-06-30")};
  }

  /// A message signed with SHA-1 by a key outside of any vault, as an old partner would.
  WireMessage signed_with_sha1() {
    as2::ComposeSettings settings{need(as2::As2Name::of("Acme")), need(as2::As2Name::of("Globex")),
                                  as2::MessageId::generate("acme")};
    settings.signer = old_key_;
    settings.sign.hash = Hash::Sha1;
    settings.receipt.wanted = settings.receipt.signed_wanted = true;
    settings.receipt.notify_to = "acme";
    settings.receipt.hashes = {{Hash::Sha1, "sha1"}, {Hash::Sha256, "sha-256"}};
    settings.spool = pair_.acme.home().spool_area();
    const auto composed = need(as2::compose(Slice::of("an order"), settings));
    return {pair_.globex.url(), composed.headers, composed.body, {}};
  }
  void trust_old_key(const std::vector<agreements::WeakException>& exceptions) {
    auto account = pair_.accounts().second;
    account.certificates.push_back({"acme-sha1", old_key_.certificate.der(), std::nullopt, {}});
    OneWayAgreement& receive = account.agreements.front().receive_agreement;
    receive.security_settings.signing_certificate_name = "acme-sha1";
    receive.validation_settings.encrypt_message = false;
    receive.allow_weak = exceptions;
    pair_.globex.apply(account);
  }

  TradingPair pair_;
  const certstore::PrivateCertificate old_key_ = make_certificate({.common_name = "Acme SHA-1"});
};

TEST_F(WeakAlgorithms, Sha1IsRefusedAcceptedByExceptionAndRefusedAfterItsEnd) {
  trust_old_key({});
  pair_.globex.clock.set(day("2026-05-01"));
  EXPECT_THAT(disposition_of(answer_to(signed_with_sha1())),
              EndsWith("processed/error: authentication-failed"));
  EXPECT_THAT(pair_.globex.messages().at(0).reason, HasSubstr("SHA1"));

  trust_old_key({exception(agreements::WeakAlgorithm::SHA1)});
  const HttpAnswer accepted = answer_to(signed_with_sha1());
  EXPECT_THAT(disposition_of(accepted), EndsWith("; processed"));
  EXPECT_THAT(field_in(text_of(accepted.body), "Received-Content-MIC"), EndsWith(", sha1"));

  pair_.globex.clock.set(day("2026-06-30"));
  EXPECT_THAT(disposition_of(answer_to(signed_with_sha1())),
              EndsWith("processed/error: authentication-failed"));

  // The other exception is none for this.
  pair_.globex.clock.set(day("2026-05-01"));
  trust_old_key({exception(agreements::WeakAlgorithm::DES3)});
  EXPECT_THAT(disposition_of(answer_to(signed_with_sha1())),
              EndsWith("processed/error: authentication-failed"));
}

TEST_F(WeakAlgorithms, TripleDesIsRefusedAcceptedByExceptionAndRefusedAfterItsEnd) {
  const auto agree = [&](bool receiver_excepts) {
    pair_.agree([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.encryption_algorithm = agreements::EncryptionAlgorithm::DES3;
      send.allow_weak = {exception(agreements::WeakAlgorithm::DES3)};
      if (receiver_excepts) receive.allow_weak = {exception(agreements::WeakAlgorithm::DES3)};
    });
  };
  pair_.acme.clock.set(day("2026-05-01"));
  pair_.globex.clock.set(day("2026-05-01"));
  agree(false);
  EXPECT_THAT(need(pair_.send("an order")).disposition,
              EndsWith("processed/error: insufficient-message-security"));
  EXPECT_THAT(pair_.globex.messages().at(0).reason, HasSubstr("DES-EDE3-CBC"));

  agree(true);
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(sent.state, MessageState::Confirmed) << sent.reason;
  EXPECT_THAT(sent.security, HasSubstr("3DES"));

  pair_.globex.clock.set(day("2026-07-01"));
  EXPECT_THAT(need(pair_.send("an order")).disposition,
              EndsWith("processed/error: insufficient-message-security"));

  // Nor do we send it ourselves any longer.
  pair_.acme.clock.set(day("2026-07-01"));
  const auto late = pair_.send("an order");
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().detail, AllOf(HasSubstr("DES3"), HasSubstr("exception")));
}

TEST_F(WeakAlgorithms, WeShallNotSendThemWithoutAnExceptionOfOurOwn) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.validation_settings.encryption_algorithm = agreements::EncryptionAlgorithm::DES3;
  });
  EXPECT_THAT(pair_.send("an order").error().detail, HasSubstr("DES3"));
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.validation_settings.signing_algorithm = agreements::SigningAlgorithm::SHA1;
  });
  EXPECT_THAT(pair_.send("an order").error().detail, HasSubstr("SHA1"));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
}

TEST_F(WeakAlgorithms, TheVaultSignsWithSha1ForNobody) {
  pair_.agree([](OneWayAgreement& send, OneWayAgreement&) {
    send.validation_settings.signing_algorithm = agreements::SigningAlgorithm::SHA1;
    send.allow_weak = {exception(agreements::WeakAlgorithm::SHA1)};
  });
  pair_.acme.clock.set(day("2026-05-01"));
  const auto sent = pair_.send("an order");
  ASSERT_FALSE(sent);
  EXPECT_THAT(to_lower(sent.error().detail), AllOf(HasSubstr("sha1"), HasSubstr("vault")));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
}

}  // namespace
}  // namespace signet::test
