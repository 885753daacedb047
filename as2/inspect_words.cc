#include <fmt/format.h>

#include <algorithm>

#include "as2/inspect.h"

/// The sentences of inspect() that do not depend on how a message is walked.

namespace signet::as2 {
namespace {

std::string explain(Fault fault) {
  switch (fault) {
    case Fault::DecryptionFailed:
      return "The receiver could not decrypt the message: most often it was encrypted with a certificate "
             "that "
             "the receiver has "
             "replaced. Compare the recipient's serial number with the certificate that the receiver uses "
             "now.";
    case Fault::AuthenticationFailed:
      return "The receiver could not verify who signed: most often it does not have our current signing "
             "certificate. Compare the "
             "signer's serial number with what the receiver has on file.";
    case Fault::IntegrityCheckFailed:
      return "The receiver found that the content is not what was signed: something on the way changed it "
             "(line ends, transfer "
             "encoding, a proxy), or the receiver's software makes another canonical form. Some products say "
             "this of a wrong "
             "certificate, too.";
    case Fault::DecompressionFailed:
      return "The receiver could not decompress the message: does the agreement on its side allow "
             "compression, and in this order?";
    case Fault::InsufficientMessageSecurity:
      return "The receiver demands a signature or an encryption that the message does not have: compare the "
             "two agreements.";
    case Fault::UnknownTradingRelationship:
      return "The receiver knows no agreement for this AS2-From and AS2-To; they are compared with regard to "
             "case and spaces.";
    case Fault::InvalidMessageId:
      return "The receiver refuses the form of the Message-ID.";
    case Fault::IllegalFileName:
      return "The receiver refuses the file's name.";
    case Fault::DuplicateFileName:
      return "The receiver had a file of this name before.";
    case Fault::DuplicateDocument:
      return "The receiver had this document, or this Message-ID, before: it was received, and not processed "
             "again.";
    case Fault::SenderEqualsReceiver:
      return "AS2-From and AS2-To are the same name.";
    case Fault::UnsupportedFormat:
      return "The receipt was asked for in a format that the receiver does not have; the message itself may "
             "be good.";
    case Fault::UnsupportedMicAlgorithms:
      return "The receipt was asked for with hash algorithms that the receiver does not have: offer others "
             "in "
             "Disposition-Notification-Options.";
    case Fault::UnexpectedProcessingError:
      return "Something failed on the receiver's side that it does not tell (disk, configuration, its own "
             "software): ask it "
             "for its log of this Message-ID.";
  }
  return "";
}

}  // namespace

std::string_view to_string(CheckResult result) {
  switch (result) {
    case CheckResult::Held:
      return "held";
    case CheckResult::Failed:
      return "failed";
    case CheckResult::NotChecked:
      return "not-checked";
  }
  return "not-checked";
}

bool Explanation::held() const {
  return std::none_of(layers.begin(), layers.end(), [](const ExplainedLayer& layer) {
    return std::any_of(layer.checks.begin(), layer.checks.end(),
                       [](const Check& check) { return check.result == CheckResult::Failed; });
  });
}

std::string explain(const Disposition& disposition) {
  switch (disposition.outcome) {
    case Outcome::Processed:
      return "The message was received, and its receiver takes responsibility for it. (That says nothing "
             "about its "
             "business content.)";
    case Outcome::ProcessedWarning:
      return "The message was accepted, with a warning. " +
             (disposition.fault ? explain(*disposition.fault) : "Its words are above.");
    case Outcome::Error:
      return "The message was received and not accepted. " +
             (disposition.fault ? explain(*disposition.fault)
                                : "It gives a reason of its own making; its words are above.");
    case Outcome::Failure:
      return "The receiver could not make the receipt as it was asked for. " +
             (disposition.fault ? explain(*disposition.fault)
                                : "It gives a reason of its own making; its words are above.");
  }
  return "";
}

namespace {

/// The digest in a MIC whose algorithm nobody knows may still be told by its octets.
std::optional<Bytes> digest_in(std::string_view given) {
  if (given.size() > 1024) return std::nullopt;
  auto octets = parse_base64(given.substr(0, given.find(',')));
  if (!octets || octets->empty()) return std::nullopt;
  return *std::move(octets);
}

std::string explain_match(const MicMatch& match, std::string_view given) {
  const MicVariant& variant = *match.variant;
  std::string text = fmt::format("It is the {} of {}, {} ({} octets).", to_string(match.hash), variant.covers,
                                 to_string(variant.line_ends), variant.size);
  if (!variant.meaning.empty()) text += " " + variant.meaning;
  switch (variant.line_ends) {
    case LineEnds::AsReceived:
      break;
    case LineEnds::Crlf:
      text +=
          " Its software makes every line end CRLF before hashing, as for a text without "
          "Content-Transfer-Encoding: binary; "
          "sending text with CRLF line ends, or in base64, avoids the difference.";
      break;
    case LineEnds::Lf:
      text += " Its software hashes text with Unix line ends; sending in base64 avoids the difference.";
      break;
    case LineEnds::WithCrlfAtEnd:
      text +=
          " It counts the line end before the boundary as content, which belongs to the boundary (RFC 2046 "
          "section 5.1.1).";
      break;
    case LineEnds::WithoutLineEndAtEnd:
      text += " It drops the last line end of the content.";
      break;
  }
  const std::size_t comma = given.find(',');
  const auto named =
      comma == std::string_view::npos ? std::nullopt : parse_hash_name(trim(given.substr(comma + 1)));
  if (named && *named != match.hash)
    text += fmt::format(" And it is called {}, which it is not.", to_string(*named));
  return text;
}

}  // namespace

MicComparison compare_mic(const Explanation& message, std::span<const MicVariant> variants,
                          std::string_view given) {
  MicComparison comparison;
  comparison.given = printable(trim(given), 300);
  const auto value = digest_in(given);
  if (!value) {
    comparison.verdict = "It cannot be read: a MIC is a digest in base64, a comma and the algorithm's name.";
    return comparison;
  }
  const auto parsed = parse_mic(given);
  const auto match = find_mic(variants, *value);
  if (match) comparison.variant = match->variant->id;
  comparison.equal = message.mic && parsed && *parsed == *message.mic;
  if (comparison.equal) {
    comparison.verdict = fmt::format("It is the MIC of this message: {}.", message.mic_rule);
    return comparison;
  }
  // The rules leave the algorithm of an unsigned message to what was asked for.
  if (message.mic && match && parsed && match->hash == parsed->hash &&
      variants.front().id == match->variant->id) {
    comparison.equal = true;
    comparison.verdict = fmt::format("It is over the right octets ({}), with {} where we would have used {}.",
                                     message.mic_rule, to_string(match->hash), to_string(message.mic->hash));
    return comparison;
  }
  const std::string ours = message.mic ? fmt::format("It is not the MIC of this message, which is {} ({}). ",
                                                     to_string(*message.mic), message.mic_rule)
                                       : "The message did not open, so its MIC is not known. ";
  comparison.verdict = ours + (match ? explain_match(*match, given)
                                     : "No way of hashing that has been seen in the field gives it either: "
                                       "the other side has other octets, or "
                                       "it belongs to another message (compare the Original-Message-ID).");
  return comparison;
}

}  // namespace signet::as2
