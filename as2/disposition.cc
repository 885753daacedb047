#include "as2/disposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace signet::as2 {
namespace {

constexpr std::string_view kProcessed = "automatic-action/MDN-sent-automatically; processed";
constexpr std::size_t kMaxModifier = 500;

/// What modifiers mean, without case, and with every run of spaces and underscores a hyphen.
constexpr std::array<std::pair<std::string_view, Fault>, 20> kModifiers = {{
    {"decryption-failed", Fault::DecryptionFailed},
    {"authentication-failed", Fault::AuthenticationFailed},
    {"integrity-check-failed", Fault::IntegrityCheckFailed},
    {"decompression-failed", Fault::DecompressionFailed},
    {"decompresion-failed", Fault::DecompressionFailed},  // OpenAS2
    {"insufficient-message-security", Fault::InsufficientMessageSecurity},
    {"signed-message-required", Fault::InsufficientMessageSecurity},  // OpenAS2
    {"unknown-trading-relationship", Fault::UnknownTradingRelationship},
    {"unknown-trading-partner", Fault::UnknownTradingRelationship},  // mendelson, pyas2
    {"invalid-message-id", Fault::InvalidMessageId},
    {"illegal-filename", Fault::IllegalFileName},
    {"duplicate-filename", Fault::DuplicateFileName},
    {"duplicate-document", Fault::DuplicateDocument},
    {"sender-equals-receiver", Fault::SenderEqualsReceiver},
    {"unsupported-format", Fault::UnsupportedFormat},
    {"unsupported-mic-algorithms", Fault::UnsupportedMicAlgorithms},
    {"unsupported-mic-algorithm", Fault::UnsupportedMicAlgorithms},
    {"unexpected-processing-error", Fault::UnexpectedProcessingError},
    {"unexpected-error", Fault::UnexpectedProcessingError},
    {"error-storing-transaction", Fault::UnexpectedProcessingError},  // phase2
}};

std::optional<Fault> fault_of(std::string_view modifier) {
  std::string word;
  for (const char c : to_lower(trim(modifier.substr(0, modifier.find_first_of(",;"))))) {
    const bool gap = c == ' ' || c == '\t' || c == '_' || c == '-';
    if (gap && !word.empty() && word.back() == '-') continue;
    word.push_back(gap ? '-' : c);
  }
  for (const auto& [known, fault] : kModifiers)
    if (word == known) return fault;
  return std::nullopt;
}

/// "processed/error: modifier" in its three pieces, trimmed; the first two in lower case.
struct Words {
  std::string type;
  std::string kind;
  std::string_view modifier;
};
Words words_of(std::string_view text) {
  Words words;
  const std::size_t colon = text.find(':');
  std::string_view front = text.substr(0, colon);
  if (colon != std::string_view::npos) words.modifier = trim(text.substr(colon + 1));
  const std::size_t slash = front.find('/');
  words.type = to_lower(trim(front.substr(0, slash)));
  if (slash != std::string_view::npos) words.kind = to_lower(trim(front.substr(slash + 1)));
  const bool short_form =
      words.kind.empty() && (words.type == "error" || words.type == "failure" || words.type == "warning");
  if (short_form) {  // Drummond 3Q13#1 met "...; error: authentication-failed"
    words.kind = std::move(words.type);
    words.type = words.kind == "failure" ? "failed" : "processed";
  }
  return words;
}

std::optional<Outcome> outcome_of(const Words& words) {
  if (words.type == "failed" || words.type == "failure" || words.type == "denied" || words.type == "deleted")
    return Outcome::Failure;
  if (words.type != "processed") return std::nullopt;
  if (words.kind.empty()) return words.modifier.empty() ? Outcome::Processed : Outcome::Error;
  if (words.kind == "warning") return Outcome::ProcessedWarning;
  if (words.kind == "failure" || words.kind == "failed") return Outcome::Failure;
  return Outcome::Error;
}

/// What stands behind the action and sending modes; all of it when they are left out.
std::string_view without_mode(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return trim(text);
  const std::string front = to_lower(text.substr(0, semicolon));
  const bool is_mode =
      front.find("action") != std::string::npos || front.find("mdn-sent") != std::string::npos;
  return trim(is_mode ? text.substr(semicolon + 1) : text.substr(0, semicolon));
}

void set_modifier(Disposition& disposition, std::string_view modifier) {
  disposition.modifier = printable(modifier, kMaxModifier);
  disposition.fault = fault_of(modifier);
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Processed:
      return "processed";
    case Outcome::ProcessedWarning:
      return "processed/warning";
    case Outcome::Error:
      return "processed/error";
    case Outcome::Failure:
      return "failed";
  }
  return "failed";
}

std::string_view disposition_for(Fault fault) {
  switch (fault) {
    case Fault::DecryptionFailed:
      return "automatic-action/MDN-sent-automatically; processed/error: decryption-failed";
    case Fault::AuthenticationFailed:
      return "automatic-action/MDN-sent-automatically; processed/error: authentication-failed";
    case Fault::IntegrityCheckFailed:
      return "automatic-action/MDN-sent-automatically; processed/error: integrity-check-failed";
    case Fault::DecompressionFailed:
      return "automatic-action/MDN-sent-automatically; processed/error: decompression-failed";
    case Fault::InsufficientMessageSecurity:
      return "automatic-action/MDN-sent-automatically; processed/error: insufficient-message-security";
    case Fault::UnknownTradingRelationship:
      return "automatic-action/MDN-sent-automatically; processed/error: unknown-trading-relationship";
    case Fault::InvalidMessageId:
      return "automatic-action/MDN-sent-automatically; processed/error: invalid-message-id";
    case Fault::IllegalFileName:
      return "automatic-action/MDN-sent-automatically; processed/error: illegal-filename";
    case Fault::DuplicateFileName:
      return "automatic-action/MDN-sent-automatically; processed/error: duplicate-filename";
    case Fault::DuplicateDocument:
      return "automatic-action/MDN-sent-automatically; processed/warning: duplicate-document";
    case Fault::SenderEqualsReceiver:
      return "automatic-action/MDN-sent-automatically; failed/failure: sender-equals-receiver";
    case Fault::UnsupportedFormat:
      return "automatic-action/MDN-sent-automatically; failed/Failure: unsupported format";
    case Fault::UnsupportedMicAlgorithms:
      return "automatic-action/MDN-sent-automatically; failed/Failure: unsupported MIC-algorithms";
    case Fault::UnexpectedProcessingError:
      return "automatic-action/MDN-sent-automatically; processed/error: unexpected-processing-error";
  }
  return "automatic-action/MDN-sent-automatically; processed/error: unexpected-processing-error";
}

std::string_view explanation_of(Fault fault) {
  switch (fault) {
    case Fault::DecryptionFailed:
      return "It could not be decrypted: see that it is encrypted for the certificate that is agreed on now.";
    case Fault::AuthenticationFailed:
      return "Its signature does not prove that it comes from the agreed partner: see that it is signed with "
             "the "
             "agreed certificate's key, and that the certificate is valid.";
    case Fault::IntegrityCheckFailed:
      return "Its content is not what was signed: something on the way changed it, or it was signed in "
             "another "
             "form than it was sent in.";
    case Fault::DecompressionFailed:
      return "It could not be decompressed, or holds more than is agreed.";
    case Fault::InsufficientMessageSecurity:
      return "It is not signed, encrypted or compressed as is agreed, or with algorithms that are too weak.";
    case Fault::UnknownTradingRelationship:
      return "There is no agreement for its AS2-From and AS2-To, which are compared with regard to case.";
    case Fault::InvalidMessageId:
      return "Its Message-ID does not have the form <unique@domain>.";
    case Fault::IllegalFileName:
      return "The name that it gives its file cannot be used.";
    case Fault::DuplicateFileName:
      return "A file of the name that it gives had come before.";
    case Fault::DuplicateDocument:
      return "A message with the same Message-ID had come before.";
    case Fault::SenderEqualsReceiver:
      return "Its AS2-From and AS2-To are the same.";
    case Fault::UnsupportedFormat:
      return "It, or the receipt that it asks for, has a format that is not supported.";
    case Fault::UnsupportedMicAlgorithms:
      return "It asks for a receipt with none but hash algorithms that are unknown or too weak: ask for "
             "sha-256.";
    case Fault::UnexpectedProcessingError:
      return "It could not be read or processed: ask the receiver for the reason that stands under this "
             "Message-ID in the log.";
  }
  return "";
}

Disposition Disposition::processed() {
  return Disposition{Outcome::Processed, {}, std::nullopt, std::string(kProcessed)};
}

Disposition Disposition::of(Fault fault) {
  Disposition disposition;
  disposition.text = disposition_for(fault);
  const Words words = words_of(without_mode(disposition.text));
  disposition.outcome = outcome_of(words).value_or(Outcome::Error);
  disposition.modifier = words.modifier;
  disposition.fault = fault;
  return disposition;
}

Result<Disposition> parse_disposition(std::string_view field_value) {
  const Words words = words_of(without_mode(field_value));
  const auto outcome = outcome_of(words);
  if (!outcome)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("a Disposition should say 'processed' or 'failed' and is '{}'", printable(field_value)));
  Disposition disposition;
  disposition.outcome = *outcome;
  disposition.text = field_value;
  // "processed/authentication-failed": a peer that left out the kind
  const bool kind_known =
      words.kind == "error" || words.kind == "warning" || words.kind == "failure" || words.kind == "failed";
  set_modifier(disposition,
               words.modifier.empty() && !kind_known ? std::string_view(words.kind) : words.modifier);
  return disposition;
}

Result<Disposition> read_disposition(const mime::Headers& fields) {
  const auto values = fields.all("Disposition");
  if (values.size() != 1)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a receipt should have one Disposition field and has {}", values.size()));
  SIGNET_TRY(Disposition disposition, parse_disposition(values.front()));

  constexpr std::array<std::pair<std::string_view, Outcome>, 3> worst_first = {
      {{"Failure", Outcome::Failure}, {"Error", Outcome::Error}, {"Warning", Outcome::ProcessedWarning}}};
  for (const auto& [name, outcome] : worst_first) {
    const auto explanation = fields.value(name);
    if (!explanation) continue;
    if (disposition.outcome < outcome) disposition.outcome = outcome;
    if (disposition.modifier.empty()) set_modifier(disposition, *explanation);
  }
  return disposition;
}

}  // namespace signet::as2
