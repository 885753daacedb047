#include "as2/disposition.h"

#include <gtest/gtest.h>

namespace signet::as2 {
namespace {

const std::string kMode = "automatic-action/MDN-sent-automatically; ";

Disposition parsed(std::string_view text) {
  const auto disposition = parse_disposition(text);
  EXPECT_TRUE(disposition) << text;
  return disposition ? *disposition : Disposition{};
}

Disposition with_field(std::string_view disposition, std::string_view name, std::string_view value) {
  mime::Headers fields;
  fields.add("Disposition", disposition);
  fields.add(name, value);
  const auto read = read_disposition(fields);
  EXPECT_TRUE(read) << disposition;
  return read ? *read : Disposition{};
}

// Checklist 80-93: the exact words.
TEST(Disposition, IsWrittenInTheWordsOfTheStandards) {
  EXPECT_EQ(Disposition::processed().text, kMode + "processed");
  EXPECT_EQ(disposition_for(Fault::DecryptionFailed), kMode + "processed/error: decryption-failed");
  EXPECT_EQ(disposition_for(Fault::AuthenticationFailed), kMode + "processed/error: authentication-failed");
  EXPECT_EQ(disposition_for(Fault::IntegrityCheckFailed), kMode + "processed/error: integrity-check-failed");
  EXPECT_EQ(disposition_for(Fault::DecompressionFailed), kMode + "processed/error: decompression-failed");
  EXPECT_EQ(disposition_for(Fault::UnexpectedProcessingError),
            kMode + "processed/error: unexpected-processing-error");
  EXPECT_EQ(disposition_for(Fault::InsufficientMessageSecurity),
            kMode + "processed/error: insufficient-message-security");
  EXPECT_EQ(disposition_for(Fault::UnknownTradingRelationship),
            kMode + "processed/error: unknown-trading-relationship");
  EXPECT_EQ(disposition_for(Fault::DuplicateDocument), kMode + "processed/warning: duplicate-document");
  EXPECT_EQ(disposition_for(Fault::UnsupportedFormat), kMode + "failed/Failure: unsupported format");
  EXPECT_EQ(disposition_for(Fault::UnsupportedMicAlgorithms),
            kMode + "failed/Failure: unsupported MIC-algorithms");
}

TEST(Disposition, OfEveryFaultComesBackFromTheWire) {
  for (const Fault fault :
       {Fault::DecryptionFailed, Fault::AuthenticationFailed, Fault::IntegrityCheckFailed,
        Fault::DecompressionFailed, Fault::InsufficientMessageSecurity, Fault::UnknownTradingRelationship,
        Fault::InvalidMessageId, Fault::IllegalFileName, Fault::DuplicateFileName, Fault::DuplicateDocument,
        Fault::SenderEqualsReceiver, Fault::UnsupportedFormat, Fault::UnsupportedMicAlgorithms,
        Fault::UnexpectedProcessingError}) {
    const Disposition ours = Disposition::of(fault);
    const Disposition theirs = parsed(disposition_for(fault));
    EXPECT_EQ(theirs.fault, fault) << ours.text;
    EXPECT_EQ(theirs.outcome, ours.outcome);
    EXPECT_EQ(theirs.modifier, ours.modifier);
    EXPECT_EQ(theirs.text, ours.text);
    EXPECT_EQ(theirs.accepted(), fault == Fault::DuplicateDocument);
  }
}

// Checklist 63, 64
TEST(Disposition, OfSuccessIsReadInAnyCaseAndSpacing) {
  for (const std::string_view text :
       {"automatic-action/MDN-sent-automatically; processed",
        "automatic-action/mdn-sent-automatically;processed", "manual-action/MDN-sent-manually; processed",
        "AUTOMATIC-ACTION / MDN-SENT-AUTOMATICALLY ;\tPROCESSED ", "processed", " Processed"}) {
    EXPECT_EQ(parsed(text).outcome, Outcome::Processed) << text;
    EXPECT_TRUE(parsed(text).accepted());
  }
}

// Checklist 84, 87, 94, 96
TEST(Disposition, OfErrorsIsReadInEveryFormThatWasSeen) {
  const auto fault = [](std::string_view tail) { return parsed(kMode + std::string(tail)).fault; };
  EXPECT_EQ(fault("processed/Error:integrity-check-failed"), Fault::IntegrityCheckFailed);
  EXPECT_EQ(fault("processed / ERROR : Decryption-Failed"), Fault::DecryptionFailed);
  EXPECT_EQ(fault("processed/error: decompresion-failed"), Fault::DecompressionFailed);
  EXPECT_EQ(fault("processed/error: unknown-trading-partner"), Fault::UnknownTradingRelationship);
  EXPECT_EQ(fault("error: authentication-failed"), Fault::AuthenticationFailed);
  EXPECT_EQ(fault("failed/failure: unsupported MIC-algorithms"), Fault::UnsupportedMicAlgorithms);
  EXPECT_EQ(fault("failed/Failure:  unsupported   format"), Fault::UnsupportedFormat);
  EXPECT_EQ(fault("processed/error: authentication failed"), Fault::AuthenticationFailed);
  EXPECT_EQ(fault("processed/error: decryption-failed, see the log"), Fault::DecryptionFailed);
  EXPECT_EQ(fault("processed/error: never heard of"), std::nullopt);
  EXPECT_EQ(parsed(kMode + "processed/error: never heard of").modifier, "never heard of");
  EXPECT_EQ(parsed(kMode + "error: x").outcome, Outcome::Error);
  EXPECT_EQ(parsed(kMode + "processed/error").outcome, Outcome::Error);
  EXPECT_EQ(parsed(kMode + "failed").outcome, Outcome::Failure);
  EXPECT_EQ(parsed("failed/failure: sender-equals-receiver").outcome, Outcome::Failure);
}

TEST(Disposition, WithAWarningIsAccepted) {
  const Disposition warning =
      parsed(kMode + "processed/warning: authentication-failed, processing continued");
  EXPECT_EQ(warning.outcome, Outcome::ProcessedWarning);
  EXPECT_EQ(warning.fault, Fault::AuthenticationFailed);
  EXPECT_TRUE(warning.accepted());
}

TEST(Disposition, WithAModifierThatNobodyKnowsIsNotAccepted) {
  for (const std::string_view tail :
       {"processed/whatever", "processed/decryption-failed", "processed: authentication-failed",
        "processed/failure: x", "processed/warnin: x"})
    EXPECT_FALSE(parsed(kMode + std::string(tail)).accepted()) << tail;
  EXPECT_EQ(parsed(kMode + "processed/decryption-failed").fault, Fault::DecryptionFailed);
}

TEST(Disposition, OfNoKnownTypeIsRefused) {
  for (const std::string_view text :
       {"", ";", "automatic-action/MDN-sent-automatically", "automatic-action/MDN-sent-automatically; ",
        "automatic-action/MDN-sent-automatically; displayed", "x; processed", "unprocessed", "not processed"})
    EXPECT_FALSE(parse_disposition(text)) << text;
}

// Checklist 95 [RFC3798 3.2.7]
TEST(Disposition, IsFilledInByErrorWarningAndFailureFields) {
  const Disposition error = with_field(kMode + "processed/error", "Error", "decryption-failed");
  EXPECT_EQ(error.outcome, Outcome::Error);
  EXPECT_EQ(error.fault, Fault::DecryptionFailed);
  EXPECT_EQ(with_field(kMode + "processed/warning", "warning", "duplicate-document").fault,
            Fault::DuplicateDocument);
  EXPECT_EQ(with_field(kMode + "failed", "Failure", "unsupported format").fault, Fault::UnsupportedFormat);
  EXPECT_EQ(with_field(kMode + "processed", "Error", "x").outcome, Outcome::Error);
  EXPECT_EQ(with_field(kMode + "processed", "Failure", "x").outcome, Outcome::Failure);
  EXPECT_EQ(with_field(kMode + "processed", "Warning", "x").outcome, Outcome::ProcessedWarning);
  EXPECT_EQ(with_field(kMode + "processed/error: a", "Warning", "x").outcome, Outcome::Error);
}

// "mdn-two-dispositions"
TEST(Disposition, MustBeThereOnce) {
  mime::Headers fields;
  EXPECT_FALSE(read_disposition(fields));
  fields.add("Disposition", kMode + "processed");
  EXPECT_TRUE(read_disposition(fields));
  fields.add("disposition", kMode + "failed/failure: x");
  EXPECT_FALSE(read_disposition(fields));
}

TEST(Disposition, SurvivesEveryPrefixAndKeepsControlCharactersOut) {
  const std::string sample = kMode + "processed/error: a\x1b[2J:b;c/d";
  for (std::size_t i = 0; i <= sample.size(); ++i) {
    (void)parse_disposition(sample.substr(0, i));
    (void)parse_disposition(sample.substr(i));
  }
  EXPECT_EQ(parsed(sample).modifier.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace signet::as2
