#include "as2/mdn.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

MdnContent sample() {
  MdnContent content;
  content.original_message_id = *MessageId::parse("<sent-1@partner.test>");
  content.final_recipient = *As2Name::of("GATEWAY A");
  content.disposition = Disposition::processed();
  content.mic = Mic{Hash::Sha256, digest(Hash::Sha256, as_bytes("x"))};
  content.mic_spelling = "SHA256";
  content.human_text = "The message was received.\nThank you.";
  content.reporting_ua = "Signet 0.1";
  content.extension_fields.add("X-Extra", "1");
  return content;
}

mime::Entity entity_of(std::string_view text) {
  auto entity = mime::read_entity(Slice::of(text));
  EXPECT_TRUE(entity);
  return *entity;
}

Result<MdnContent> parse_text(std::string_view text) { return parse_mdn(entity_of(text)); }

/// A report around these fields.
std::string report(std::string_view fields) {
  return "Content-Type: multipart/report; report-type=disposition-notification; boundary=\"r\"\r\n\r\n"
         "--r\r\nContent-Type: text/plain\r\n\r\nreceived\r\n"
         "--r\r\nContent-Type: message/disposition-notification\r\n\r\n" +
         std::string(fields) + "\r\n--r--\r\n";
}

// Checklist 59-66
TEST(Mdn, IsBuiltToTheOctet) {
  const BuiltMdn built = build_mdn(sample(), "signet-b");
  EXPECT_EQ(built.headers.serialise(),
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=signet-b\r\n");
  EXPECT_EQ(as_text(built.body),
            "--signet-b\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "The message was received.\r\nThank you.\r\n"
            "\r\n--signet-b\r\n"
            "Content-Type: message/disposition-notification\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "Reporting-UA: Signet 0.1\r\n"
            "Original-Recipient: rfc822; \"GATEWAY A\"\r\n"
            "Final-Recipient: rfc822; \"GATEWAY A\"\r\n"
            "Original-Message-ID: <sent-1@partner.test>\r\n"
            "Disposition: automatic-action/MDN-sent-automatically; processed\r\n"
            "Received-Content-MIC: LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=, SHA256\r\n"
            "X-Extra: 1\r\n"
            "\r\n--signet-b--\r\n");
}

TEST(Mdn, ComesBackFromWhatWasBuilt) {
  const BuiltMdn built = build_mdn(sample());
  const auto parsed = parse_text(as_text(built.entity()));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  const MdnContent original = sample();
  EXPECT_EQ(parsed->original_message_id->text(), original.original_message_id->text());
  EXPECT_EQ(parsed->original_recipient, original.final_recipient);
  EXPECT_EQ(parsed->final_recipient, original.final_recipient);
  EXPECT_EQ(parsed->disposition.outcome, Outcome::Processed);
  EXPECT_EQ(parsed->mic, original.mic);
  EXPECT_EQ(parsed->mic_spelling, "SHA256");
  EXPECT_EQ(parsed->human_text, "The message was received.\r\nThank you.\r\n");
  EXPECT_EQ(parsed->reporting_ua, "Signet 0.1");
  EXPECT_EQ(parsed->extension_fields, original.extension_fields);
}

TEST(Mdn, CanBeReadFromAnHttpMessageToo) {
  const BuiltMdn built = build_mdn(sample());
  const Slice body = Slice::of(built.body);
  EXPECT_TRUE(parse_mdn(mime::Entity{built.headers, body, body}));
}

TEST(Mdn, IsKnownByItsHeaders) {
  EXPECT_TRUE(is_mdn(build_mdn({}).headers));
  mime::Headers headers;
  EXPECT_FALSE(is_mdn(headers));
  headers.set("Content-Type", "Multipart/Report; boundary=b; Report-Type=Disposition-Notification");
  EXPECT_TRUE(is_mdn(headers));
  headers.set("Content-Type", "multipart/report; report-type=delivery-status; boundary=b");
  EXPECT_FALSE(is_mdn(headers));
  headers.set("Content-Type", "multipart/mixed; report-type=disposition-notification; boundary=b");
  EXPECT_FALSE(is_mdn(headers));
}

TEST(Mdn, HasABoundaryThatNobodyCanGuess) {
  EXPECT_NE(random_boundary(), random_boundary());
  EXPECT_EQ(random_boundary().size(), 39U);
}

// Threat T25: what a stranger sent cannot add a field to our receipt.
TEST(Mdn, CannotBeGivenMoreFieldsThroughItsValues) {
  MdnContent content = sample();
  content.reporting_ua = "x\r\nDisposition: automatic-action/MDN-sent-automatically; failed";
  content.mic_spelling = "sha256\r\n\r\n--b--";
  content.human_text =
      "text\r\n--signet-guess\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: "
      "failed\x1b";
  const auto parsed = parse_text(as_text(build_mdn(content).entity()));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->disposition.outcome, Outcome::Processed);
  EXPECT_EQ(parsed->human_text.find('\x1b'), std::string::npos);
}

TEST(Mdn, SaysUnicodeToPeople) {
  MdnContent content = sample();
  content.human_text = "Grüße";
  const BuiltMdn built = build_mdn(content, "b");
  EXPECT_NE(as_text(built.body).find("charset=utf-8\r\nContent-Transfer-Encoding: 8bit"),
            std::string_view::npos);
  EXPECT_EQ(parse_text(as_text(built.entity()))->human_text, "Grüße\r\n");
}

// IBM Sterling: LF only, Report-Type, no brackets.
TEST(Mdn, MayHaveBareLf) {
  std::string text = report(
      "Final-Recipient: rfc822;GATEWAY\nOriginal-Message-ID: a@b\nDisposition: "
      "automatic-action/MDN-sent-automatically;processed\n");
  std::erase(text, '\r');
  const auto parsed = parse_text(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->final_recipient->text(), "GATEWAY");
  EXPECT_EQ(*parsed->original_message_id, *MessageId::parse("<a@b>"));
}

TEST(Mdn, MayLackEverythingButItsDisposition) {
  const auto parsed =
      parse_text(report("Disposition: automatic-action/MDN-sent-automatically; processed\r\n"));
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->original_message_id);
  EXPECT_FALSE(parsed->final_recipient);
  EXPECT_FALSE(parsed->mic);
}

TEST(Mdn, MayHaveARecipientWithoutTypeAndFoldedFields) {
  const std::string mic = base64(digest(Hash::Sha512, as_bytes("x")));
  const auto parsed = parse_text(
      report("\r\nfinal-recipient: GATEWAY\r\noriginal-recipient: RFC822 ; \"G W\"\r\nDISPOSITION: "
             "automatic-action/\r\n MDN-sent-automatically;\r\n\tprocessed\r\nReceived-content-MIC: " +
             mic.substr(0, 60) + "\r\n " + mic.substr(60) + ",sha512\r\n"));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->final_recipient->text(), "GATEWAY");
  EXPECT_EQ(parsed->original_recipient->text(), "G W");
  EXPECT_EQ(parsed->disposition.outcome, Outcome::Processed);
  ASSERT_TRUE(parsed->mic);
  EXPECT_EQ(parsed->mic->value, digest(Hash::Sha512, as_bytes("x")));
}

TEST(Mdn, MayHaveItsNotificationInATransferEncoding) {
  const std::string fields =
      base64_lines(as_bytes("Disposition: automatic-action/MDN-sent-automatically; processed\r\n"));
  const auto parsed = parse_text(
      "Content-Type: multipart/report; boundary=r\r\n\r\nContent-Type: multipart/report; boundary=r\r\n\r\n"
      "--r\r\nContent-Type: message/disposition-notification\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      fields + "--r--");
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_TRUE(parsed->disposition.accepted());
}

TEST(Mdn, WithAMicThatCannotBeReadHasNoneButItsText) {
  const auto parsed =
      parse_text(report("Disposition: automatic-action/MDN-sent-automatically; "
                        "processed\r\nReceived-Content-MIC: MIC_OF_ORIGINAL, sha-256\r\n"));
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->mic);
  EXPECT_EQ(parsed->mic_text, "MIC_OF_ORIGINAL, sha-256");
}

// Threat T21
TEST(Mdn, ThatContradictsItselfIsRefused) {
  const std::string ok = "Disposition: automatic-action/MDN-sent-automatically; processed\r\n";
  const std::string mic = "Received-Content-MIC: AAAA, sha1\r\n";
  EXPECT_FALSE(
      parse_text(report(ok + "Disposition: automatic-action/MDN-sent-automatically; failed/failure: x\r\n")));
  EXPECT_FALSE(parse_text(report(ok + ok)));
  EXPECT_FALSE(parse_text(report(ok + mic + mic)));
  EXPECT_FALSE(parse_text(report(ok + "Original-Message-ID: <a>\r\nOriginal-Message-ID: <b>\r\n")));
  const std::string part = "--r\r\nContent-Type: message/disposition-notification\r\n\r\n" + ok + "\r\n";
  EXPECT_FALSE(parse_text("Content-Type: multipart/report; boundary=r\r\n\r\n" + part + part + "--r--"));
}

TEST(Mdn, ThatIsNoneIsRefused) {
  EXPECT_FALSE(parse_text("Content-Type: text/plain\r\n\r\nOK"));
  EXPECT_FALSE(parse_text("200 OK"));
  EXPECT_FALSE(parse_text("Content-Type: multipart/report\r\n\r\n--r--"));
  EXPECT_FALSE(parse_text(
      "Content-Type: multipart/report; boundary=r\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\nx\r\n--r--"));
  EXPECT_FALSE(parse_text(report("")));
  EXPECT_FALSE(parse_text(report("no field\r\n")));
  EXPECT_FALSE(parse_text(report("Reporting-UA: x\r\n")));
}

TEST(Mdn, ThatIsTooLargeIsRefused) {
  const std::string ok = "Disposition: automatic-action/MDN-sent-automatically; processed\r\n";
  EXPECT_EQ(parse_text(report(ok) + std::string(1100000, 'x')).error().kind, ErrorKind::LimitExceeded);
  std::string many = ok;
  for (int i = 0; i < 300; ++i) many += "X: y\r\n";
  EXPECT_EQ(parse_text(report(many)).error().kind, ErrorKind::LimitExceeded);
}

TEST(Mdn, SurvivesEveryPrefix) {
  const std::string whole(as_text(build_mdn(sample(), "b").entity()));
  for (std::size_t i = 0; i + 4 < whole.size(); ++i) {
    const auto entity = mime::read_entity(Slice::of(whole.substr(0, i)));
    EXPECT_FALSE(entity && parse_mdn(*entity)) << i;
  }
}

}  // namespace
}  // namespace signet::as2
