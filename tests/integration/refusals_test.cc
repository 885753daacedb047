// Everything that is turned away, what its sender hears, and what the operator reads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/integration/loopback_listener.h"
#include "tests/support/test_gateway.h"

namespace signet::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string header_of(const HttpAnswer& answer, std::string_view name) {
  return std::string(answer.headers.value(name).value_or(""));
}

/// The header without one field, as raw octets: curl would put fields of its own in their place.
std::string raw_without(const WireMessage& message, std::string_view field) {
  WireMessage shortened = message;
  shortened.headers.remove(field);
  return raw_request(shortened);
}

class Refusals : public testing::Test {
 protected:
  void terms(const TradingPair::Terms& terms) { pair_.agree(terms); }
  /// Messages in clear and without a signature, both ways of saying so.
  void plain_terms(const TradingPair::Terms& further = {}) {
    terms([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.sign_message = send.validation_settings.encrypt_message = false;
      receive.validation_settings.sign_message = receive.validation_settings.encrypt_message = false;
      if (further) further(send, receive);
    });
  }
  void signed_terms(const TradingPair::Terms& further = {}) {
    terms([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.encrypt_message = receive.validation_settings.encrypt_message = false;
      if (further) further(send, receive);
    });
  }

  /// The newest record at Globex.
  MessageRecord record() { return pair_.globex.messages().at(0); }
  /// Nothing was handed over, and the record says why.
  void expect_refused(const testing::Matcher<const std::string&>& reason) {
    const MessageRecord refused = record();
    EXPECT_EQ(refused.state, MessageState::Refused);
    EXPECT_THAT(refused.reason, reason);
    EXPECT_FALSE(refused.request_id.empty());
    pair_.globex.drain();
    EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
  }
  [[nodiscard]] std::size_t signatures_by_globex() const {
    std::size_t count = 0;
    for (const std::string& line : pair_.globex.audit_lines())
      if (line.find("\"sign\"") != std::string::npos && line.find("\"success\"") != std::string::npos)
        ++count;
    return count;
  }

  TradingPair pair_;
};

// ---- Not a message for us

TEST_F(Refusals, AStrangerGetsAnUnsignedReceiptAndNeverOurSignature) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("AS2-From", "Stranger");
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(header_of(answer, "Content-Type"), StartsWith("multipart/report"));
  EXPECT_EQ(disposition_of(answer),
            "automatic-action/MDN-sent-automatically; processed/error: unknown-trading-relationship");
  EXPECT_EQ(header_of(answer, "AS2-To"), "Stranger");
  EXPECT_EQ(signatures_by_globex(), 0U);
  expect_refused(HasSubstr("no agreement for messages from 'Stranger' to 'Globex'"));
}

// [RFC4130 6.2]
TEST_F(Refusals, AStrangerWhoSendsToHimselfIsToldSo) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("AS2-From", "Globex");
  EXPECT_EQ(disposition_of(answer_to(message)),
            "automatic-action/MDN-sent-automatically; failed/failure: sender-equals-receiver");
  EXPECT_EQ(signatures_by_globex(), 0U);
  expect_refused(HasSubstr("no agreement for messages from 'Globex' to 'Globex'"));
}

TEST_F(Refusals, AStrangerWhoAsksForNoReceiptGetsAnHttpError) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("AS2-From", "Stranger");
  message.headers.remove("Disposition-Notification-To");
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(text_of(answer.body), HasSubstr("unknown-trading-relationship"));
  EXPECT_EQ(signatures_by_globex(), 0U);
}

TEST(RefusalsByPolicy, AStrangerGetsAnHttpErrorWhereTheGatewayIsSetSo) {
  TradingPair pair({.name = "Acme"},
                   {.name = "Globex", .stranger_answer = gateway::StrangerAnswer::HttpError});
  WireMessage message = pair.compose("an order");
  message.headers.set("AS2-To", "Somebody Else");
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(header_of(answer, "Content-Type"), StartsWith("text/plain"));
  EXPECT_THAT(pair.globex.messages().at(0).reason, HasSubstr("no agreement"));
  EXPECT_THAT(pair.globex.delivered("trade"), IsEmpty());
}

TEST_F(Refusals, NamesAreComparedWithRegardToCase) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("AS2-From", "ACME");
  EXPECT_THAT(disposition_of(answer_to(message)), HasSubstr("unknown-trading-relationship"));
}

TEST_F(Refusals, AMissingFieldIsNamedInTheAnswerAndInTheRecord) {
  for (const std::string field : {"AS2-From", "AS2-To", "Message-ID", "Content-Type"}) {
    SCOPED_TRACE(field);
    const WireMessage message = pair_.compose("an order");
    const std::string answer = post_raw(pair_.globex.port(), raw_without(message, field));
    EXPECT_EQ(status_of(answer), 400);
    EXPECT_THAT(answer, HasSubstr("the header field " + field + " is missing"));
    EXPECT_THAT(answer, HasSubstr("Request-Id: " + record().request_id));
    EXPECT_EQ(record().state, MessageState::Refused);
    EXPECT_THAT(record().reason, HasSubstr(field));
  }
  EXPECT_EQ(signatures_by_globex(), 0U);
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
}

TEST_F(Refusals, ANameThatIsNoAs2NameIsTurnedAway) {
  for (const std::string& name :
       {std::string(129, 'A'), std::string("\"no end"), std::string("M\xC3\xBCller")}) {
    WireMessage message = pair_.compose("an order");
    message.headers.set("AS2-From", name);
    EXPECT_EQ(status_of(post_raw(pair_.globex.port(), raw_request(message))), 400) << name;
    EXPECT_THAT(record().reason, HasSubstr("AS2-From is not an AS2 name"));
  }
}

TEST_F(Refusals, AnswersOtherMethodsAndPathsHarmlessly) {
  const auto ask = [&](const std::string& method, const std::string& target) {
    return post_raw(pair_.globex.port(),
                    method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  };
  EXPECT_EQ(status_of(ask("GET", "/as2")), 200);
  const std::string head = ask("HEAD", "/as2");
  EXPECT_EQ(status_of(head), 200);
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 0\r\n"));
  for (const std::string method : {"PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string answer = ask(method, "/as2");
    EXPECT_EQ(status_of(answer), 405) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD, POST"));
  }
  EXPECT_EQ(status_of(ask("BREW", "/as2")), 501);
  EXPECT_EQ(status_of(ask("POST", "/other")), 404);
  EXPECT_EQ(status_of(ask("GET", "/")), 404);
  EXPECT_EQ(status_of(ask("POST", "/as2")), 400);
  for (const MessageRecord& record : pair_.globex.messages()) EXPECT_EQ(record.state, MessageState::Refused);
}

TEST_F(Refusals, ABodyOverTheAgreementsLimitIsNotOpened) {
  terms([](OneWayAgreement&, OneWayAgreement& receive) { receive.limits.max_message_size = 4096; });
  const WireMessage message = pair_.acme.compose("trade", Slice::of(noise(5000)));
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 413);
  const auto refused = pair_.globex.wait_for_state(message.message_id(), MessageState::Refused);
  EXPECT_EQ(refused.agreement, "trade");
  EXPECT_THAT(refused.reason, HasSubstr("longer than 4096 octets"));
  EXPECT_EQ(refused.request_id, header_of(answer, "X-Request-Id"));
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
  EXPECT_EQ(need(pair_.send("small")).state, MessageState::Confirmed);
}

TEST(RefusalsByPolicy, ABodyOverTheListenersLimitIsNotEvenRead) {
  TradingPair pair({.name = "Acme"}, {.name = "Globex", .body_limit = 4096});
  const WireMessage message = pair.acme.compose("trade", Slice::of(noise(5000)));
  EXPECT_EQ(status_of(post_raw(pair.globex.port(), raw_request(message))), 413);
  EXPECT_THAT(pair.globex.wait_for_state(message.message_id(), MessageState::Refused).reason,
              HasSubstr("longer than 4096 octets"));
  EXPECT_EQ(need(pair.send("small")).state, MessageState::Confirmed);
}

TEST_F(Refusals, ABodyThatHttpHasCompressedIsNotTaken) {  // [RFC9110 15.5.16]
  WireMessage message = pair_.compose("an order");
  for (const std::string coding : {"gzip", "deflate", "identity, br"}) {
    SCOPED_TRACE(coding);
    message.headers.set("Content-Encoding", coding);
    const HttpAnswer answer = answer_to(message);
    EXPECT_EQ(answer.status, 415);
    EXPECT_THAT(text_of(answer.body), HasSubstr("Content-Encoding, got '" + coding + "'"));
    expect_refused(HasSubstr("compress the message itself"));
    EXPECT_EQ(record().agreement, "trade");
  }
  message.headers.set("Content-Encoding", "Identity");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Refusals, APartOfAMessageIsNotTaken) {  // AS2 Restart
  WireMessage message = pair_.compose("an order");
  const auto size = message.body.size();
  for (const std::string& range :
       {"bytes 1000-" + std::to_string(size + 999) + "/" + std::to_string(size + 1000),
        std::string("bytes */7"), "bytes 0-" + std::to_string(size - 1) + "/*", std::string("nonsense")}) {
    SCOPED_TRACE(range);
    message.headers.set("Content-Range", range);
    const HttpAnswer answer = answer_to(message);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(text_of(answer.body), HasSubstr("send all of it in one request"));
    expect_refused(AllOf(HasSubstr(range), HasSubstr("AS2 Restart")));
  }
  message.headers.set("Content-Range",
                      "bytes 0-" + std::to_string(size - 1) + "/" + std::to_string(size));  // all of it
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Refusals, SomethingElseThanAMessageIsNotTaken) {
  for (const auto& [type, body] : {std::pair<std::string, std::string>{"text/html", "<h1>hello</h1>"},
                                   {"application/pkcs7-mime; smime-type=enveloped-data", "not CMS at all"},
                                   {"multipart/signed; boundary=x", "no boundary in here"},
                                   {"multipart/signed", "and not even a parameter"},
                                   {"application/pkcs7-mime", ""},
                                   {"this is no type", "x"}}) {
    SCOPED_TRACE(type);
    WireMessage message = pair_.compose("an order");
    message.headers.set("Content-Type", type);
    message.body = Slice::of(std::string_view(body));
    const HttpAnswer answer = answer_to(message);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(disposition_of(answer), HasSubstr("processed/error: "));
    EXPECT_EQ(record().state, MessageState::Refused);
    EXPECT_THAT(record().reason, Not(IsEmpty()));
  }
  pair_.globex.drain();
  EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());
}

// ---- Every disposition that we send, by a message that deserves it

TEST_F(Refusals, DecryptionFailedForAnotherRecipient) {
  const auto other = make_certificate({.common_name = "Not Globex"});
  Account account = pair_.acme.account();
  account.certificates.push_back({"not-globex", other.certificate.der(), std::nullopt, {}});
  account.agreements.front().send_agreement.security_settings.encryption_certificate_name = "not-globex";
  pair_.acme.apply(account);
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_EQ(sent.disposition, "automatic-action/MDN-sent-automatically; processed/error: decryption-failed");
  EXPECT_THAT(sent.reason, HasSubstr("decryption-failed"));
  expect_refused(Not(IsEmpty()));
}

TEST_F(Refusals, DecryptionFailedForEveryChangedOctetOfCiphertext) {
  for (const auto cipher : {agreements::ContentCipher::AES256GCM, agreements::ContentCipher::AES256CBC}) {
    terms([&](OneWayAgreement& send, OneWayAgreement&) { send.encryption.content_cipher = cipher; });
    std::string first;
    for (const std::size_t from_end : {1U, 17U, 300U, 900U}) {
      WireMessage message = pair_.acme.compose("trade", Slice::of(noise(2000)));
      std::string body = text_of(message.body);
      body[body.size() - from_end] = static_cast<char>(body[body.size() - from_end] ^ 1);
      message.body = Slice::of(std::string_view(body));
      const HttpAnswer answer = answer_to(message);
      EXPECT_THAT(disposition_of(answer), EndsWith("processed/error: decryption-failed")) << from_end;
      // What people read must not tell more than the disposition does.
      const std::string text = text_of(answer.body);
      const std::string told = text.substr(0, text.find("Reporting-UA")).substr(text.find("\r\n\r\n"));
      if (first.empty()) first = told.substr(0, told.find("--"));
      EXPECT_EQ(told.substr(0, told.find("--")), first);
    }
  }
  expect_refused(Not(IsEmpty()));
}

TEST_F(Refusals, AuthenticationFailedForAnotherSigner) {
  Account account = pair_.acme.account();
  account.certificates.push_back(pair_.acme.add_key("acme-other", CertificateSpec{.common_name = "Acme"}));
  account.agreements.front().send_agreement.security_settings.signing_certificate_name = "acme-other";
  pair_.acme.apply(account);
  const auto sent = need(pair_.send("an order"));
  EXPECT_EQ(sent.state, MessageState::Failed);
  EXPECT_EQ(sent.disposition,
            "automatic-action/MDN-sent-automatically; processed/error: authentication-failed");
  expect_refused(Not(IsEmpty()));
}

// [RFC4130 7.4.3], checklist 60, 66: a refusal proves what it refuses, and says why to people too.
TEST_F(Refusals, ARefusedMessageOfAProvenSenderHasItsMicInTheReceipt) {
  terms([](OneWayAgreement& send, OneWayAgreement&) { send.validation_settings.encrypt_message = false; });
  const HttpAnswer answer = answer_to(pair_.compose("an order"));
  const std::string receipt = text_of(answer.body);
  EXPECT_THAT(disposition_of(answer), EndsWith("processed/error: insufficient-message-security"));
  EXPECT_EQ(field_in(receipt, "Received-Content-MIC"), record().mic + ", sha-256");
  EXPECT_THAT(receipt, AllOf(HasSubstr("not accepted: insufficient-message-security"),
                             HasSubstr("It is not signed, encrypted or compressed as is agreed")));
  expect_refused(HasSubstr("encrypted"));
}

TEST_F(Refusals, IntegrityCheckFailedForAChangedContent) {
  signed_terms();
  WireMessage message = pair_.compose("pay 1000");
  std::string body = text_of(message.body);
  body.replace(body.find("1000"), 4, "9000");
  message.body = Slice::of(std::string_view(body));
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(disposition_of(answer),
            "automatic-action/MDN-sent-automatically; processed/error: integrity-check-failed");
  expect_refused(Not(IsEmpty()));
}

TEST_F(Refusals, DecompressionFailedForABrokenStreamAndForABomb) {
  plain_terms([](OneWayAgreement& send, OneWayAgreement& receive) {
    send.validation_settings.compress_message = true;
    receive.limits.max_decompressed_size = 100'000;
  });
  WireMessage broken = pair_.acme.compose("trade", Slice::of(noise(3000)));
  std::string body = text_of(broken.body);
  const std::size_t at = body.find_first_of("bdfhjlnprtvxz", body.size() / 2);  // and no line end of base64's
  body[at] = static_cast<char>(body[at] ^ 1);
  broken.body = Slice::of(std::string_view(body));
  EXPECT_THAT(disposition_of(answer_to(broken)), EndsWith("processed/error: decompression-failed"));
  expect_refused(Not(IsEmpty()));

  const WireMessage bomb = pair_.acme.compose("trade", Slice::of(Bytes(200'000)));
  EXPECT_LT(bomb.body.size(), 2000U);
  EXPECT_THAT(disposition_of(answer_to(bomb)), EndsWith("processed/error: decompression-failed"));
  EXPECT_THAT(record().reason, HasSubstr("100000"));
}

TEST_F(Refusals, InsufficientSecurityForALayerThatIsMissing) {
  struct Case {
    const char* missing;
    std::function<void(OneWayAgreement&)> send;
  };
  for (const Case& c :
       {Case{"signed", [](OneWayAgreement& way) { way.validation_settings.sign_message = false; }},
        Case{"encrypted", [](OneWayAgreement& way) { way.validation_settings.encrypt_message = false; }},
        Case{"compressed", [](OneWayAgreement& way) { way.validation_settings.compress_message = false; }}}) {
    SCOPED_TRACE(c.missing);
    terms([&](OneWayAgreement& send, OneWayAgreement& receive) {
      send.validation_settings.compress_message = receive.validation_settings.compress_message = true;
      send.encryption.content_cipher = agreements::ContentCipher::AES256GCM;
      c.send(send);
    });
    const auto sent = need(pair_.send("an order"));
    EXPECT_EQ(sent.state, MessageState::Failed);
    EXPECT_EQ(sent.disposition,
              "automatic-action/MDN-sent-automatically; processed/error: insufficient-message-security");
    expect_refused(HasSubstr(c.missing));
  }
}

TEST_F(Refusals, InsufficientSecurityForAWeakerCipherThanTheAgreementNames) {
  using agreements::ContentCipher;
  using agreements::EncryptionAlgorithm;
  const auto outcome = [&](EncryptionAlgorithm agreed, ContentCipher used) {
    terms([&](OneWayAgreement& send, OneWayAgreement& receive) {
      receive.validation_settings.encryption_algorithm = agreed;
      send.encryption.content_cipher = used;
    });
    return disposition_of(answer_to(pair_.compose("an order")));
  };
  for (const auto& [agreed, used] : {std::pair{EncryptionAlgorithm::AES256, ContentCipher::AES128CBC},
                                     std::pair{EncryptionAlgorithm::AES256, ContentCipher::AES192GCM},
                                     std::pair{EncryptionAlgorithm::AES192, ContentCipher::AES128GCM}}) {
    EXPECT_THAT(outcome(agreed, used), EndsWith("processed/error: insufficient-message-security"));
    expect_refused(AllOf(HasSubstr("which is not allowed"), HasSubstr("or AES-256-GCM")));
  }
  for (const auto& [agreed, used] : {std::pair{EncryptionAlgorithm::NotSpecified, ContentCipher::AES128CBC},
                                     std::pair{EncryptionAlgorithm::AES128, ContentCipher::AES128CBC},
                                     std::pair{EncryptionAlgorithm::AES128, ContentCipher::AES256GCM},
                                     std::pair{EncryptionAlgorithm::AES256, ContentCipher::AES256CBC}})
    EXPECT_THAT(outcome(agreed, used), EndsWith("; processed"));
}

TEST_F(Refusals, AnUnsignedMessageOutOfCbcHearsNothingThatAGuessedPaddingWouldNot) {
  terms([](OneWayAgreement& send, OneWayAgreement&) { send.validation_settings.sign_message = false; });
  EXPECT_THAT(need(pair_.send("an order")).disposition, EndsWith("processed/error: decryption-failed"));
  expect_refused(HasSubstr("signed"));
}

TEST_F(Refusals, UnexpectedProcessingErrorForWhatCannotBeRead) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("Content-Type", "application/pkcs7-mime");
  message.body = Slice::of("neither DER nor BER");
  EXPECT_EQ(disposition_of(answer_to(message)),
            "automatic-action/MDN-sent-automatically; processed/error: unexpected-processing-error");
  expect_refused(Not(IsEmpty()));
}

TEST_F(Refusals, InvalidMessageIdForOneThatIsTooLong) {
  WireMessage message = pair_.compose("an order");
  message.headers.set("Message-ID", "<" + std::string(1000, 'x') + "@acme>");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("processed/error: invalid-message-id"));
  expect_refused(HasSubstr("the Message-ID is not one"));
}

TEST_F(Refusals, FailureForAReceiptThatCannotBeMadeAsAsked) {
  WireMessage message = pair_.compose("an order");
  message.headers.set(
      "Disposition-Notification-Options",
      "signed-receipt-protocol=required, pgp-signature; signed-receipt-micalg=required, sha256");
  EXPECT_EQ(disposition_of(answer_to(message)),
            "automatic-action/MDN-sent-automatically; failed/Failure: unsupported format");
  expect_refused(HasSubstr("pkcs7-signature"));

  message.headers.set("Disposition-Notification-Options",
                      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, "
                      "sha3-256, whirlpool");
  EXPECT_EQ(disposition_of(answer_to(message)),
            "automatic-action/MDN-sent-automatically; failed/Failure: unsupported MIC-algorithms");
  expect_refused(HasSubstr("sha3-256"));

  message.headers.set(
      "Disposition-Notification-Options",
      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, md5, sha1");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("unsupported MIC-algorithms"));
  expect_refused(HasSubstr("weak"));

  // One known name among unknown ones is enough.
  message.headers.set(
      "Disposition-Notification-Options",
      "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha3-256, sha-384");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Refusals, FailureForAReceiptThatIsToGoByAnotherSchemeThanHttp) {
  WireMessage message = pair_.compose("an order");
  for (const std::string url :
       {"mailto:edi@acme.example", "FTP://acme.example/mdn", "file:///etc/passwd", "localhost:4080/mdn"}) {
    SCOPED_TRACE(url);
    message.headers.set("Receipt-Delivery-Option", url);
    EXPECT_EQ(disposition_of(answer_to(message)),
              "automatic-action/MDN-sent-automatically; failed/Failure: unsupported format");
    expect_refused(AllOf(HasSubstr(url), HasSubstr("http and https URLs only")));
  }
  message.headers.set("Receipt-Delivery-Option", "/no/scheme");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Refusals, AnotherSchemeIsNoMatterWhereTheAgreementSaysWhereReceiptsGo) {
  terms([](OneWayAgreement&, OneWayAgreement& receive) {
    receive.validation_settings.override_message_properties = true;
  });
  WireMessage message = pair_.compose("an order");
  message.headers.set("Receipt-Delivery-Option", "mailto:edi@acme.example");
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
}

TEST_F(Refusals, ARefusalIsSignedForAPartnerWhoAsksForThat) {
  WireMessage message = pair_.compose("an order");
  std::string body = text_of(message.body);
  body[body.size() - 5] = static_cast<char>(body[body.size() - 5] ^ 1);
  message.body = Slice::of(std::string_view(body));
  EXPECT_THAT(header_of(answer_to(message), "Content-Type"), StartsWith("multipart/signed"));
  EXPECT_EQ(signatures_by_globex(), 1U);
}

TEST_F(Refusals, ForAMessageWithoutAReceiptIsAnHttpError) {
  WireMessage message = pair_.compose("an order");
  message.headers.remove("Disposition-Notification-To");
  message.headers.remove("Disposition-Notification-Options");
  std::string body = text_of(message.body);
  body[body.size() - 5] = static_cast<char>(body[body.size() - 5] ^ 1);
  message.body = Slice::of(std::string_view(body));
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(text_of(answer.body), HasSubstr("decryption-failed"));
  expect_refused(Not(IsEmpty()));
}

TEST_F(Refusals, ReceiptsForUnsignedMessagesAreAsTheAgreementSays) {
  using agreements::ReceiptForUnsigned;
  const auto answer_with = [&](ReceiptForUnsigned policy) {
    plain_terms([&](OneWayAgreement&, OneWayAgreement& receive) {
      receive.receipt_policy.receipt_for_unsigned_messages = policy;
    });
    return answer_to(pair_.compose("an order"));
  };
  EXPECT_THAT(header_of(answer_with(ReceiptForUnsigned::AsRequested), "Content-Type"),
              StartsWith("multipart/signed"));
  EXPECT_THAT(header_of(answer_with(ReceiptForUnsigned::Unsigned), "Content-Type"),
              StartsWith("multipart/report"));
  const HttpAnswer none = answer_with(ReceiptForUnsigned::None);
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.body.size(), 0U);
}

TEST_F(Refusals, AnAsynchronousReceiptIsGivenAtOnceAndNothingIsConnectedTo) {
  const LoopbackListener listener;
  WireMessage message = pair_.compose("an order");
  message.headers.add("Receipt-Delivery-Option", listener.url());
  const HttpAnswer answer = answer_to(message);
  EXPECT_THAT(disposition_of(answer), EndsWith("; processed"));
  pair_.globex.wait_delivered(message.message_id());
  EXPECT_FALSE(listener.somebody_waits());
}

// ---- Our own troubles

TEST_F(Refusals, AFailedCommitIs503AndNothingIsTaken) {
  const WireMessage message = pair_.compose("an order");
  pair_.globex.store().before_commit = [] { return fail(ErrorKind::IoFailure, "the disk is read-only"); };
  const HttpAnswer answer = answer_to(message);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(header_of(answer, "Retry-After"), "60");
  EXPECT_THAT(text_of(answer.body),
              AllOf(HasSubstr("send it again"), Not(HasSubstr("read-only")), Not(HasSubstr("processed"))));
  EXPECT_THAT(pair_.globex.messages(), IsEmpty());
  EXPECT_THAT(pair_.globex.delivered("trade"), IsEmpty());

  pair_.globex.store().before_commit = nullptr;
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
  pair_.globex.wait_delivered(message.message_id());
  EXPECT_EQ(pair_.globex.delivered("trade").size(), 1U);
}

TEST_F(Refusals, ACommitWhoseAnswerWasLostIsDeliveredOnce) {
  const WireMessage message = pair_.compose("an order");
  pair_.globex.store().after_commit = [] { return fail(ErrorKind::IoFailure, "the disk went away"); };
  EXPECT_EQ(answer_to(message).status, 503);
  pair_.globex.store().after_commit = nullptr;
  EXPECT_THAT(disposition_of(answer_to(message)), EndsWith("; processed"));
  pair_.globex.restart();
  pair_.globex.wait_delivered(message.message_id());
  EXPECT_EQ(pair_.globex.delivered("trade").size(), 1U);
}

}  // namespace
}  // namespace signet::test
