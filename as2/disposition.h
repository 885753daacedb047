#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "as2/fault.h"
#include "as2/mime/headers.h"
#include "base/result.h"

/// The words in which a receipt says how a message fared [RFC4130 7.4.3-7.5].

namespace signet::as2 {

enum class Outcome {
  Processed,         ///< accepted
  ProcessedWarning,  ///< accepted, and something is to be known about it
  Error,             ///< received, and not accepted
  Failure,           ///< the receipt itself could not be made as asked
};

/// "processed", "processed/warning", "processed/error", "failed": for logs and people.
std::string_view to_string(Outcome outcome);

struct Disposition {
  Outcome outcome = Outcome::Error;
  std::string modifier;        ///< what follows "error:", "warning:" or "failure:"; printable
  std::optional<Fault> fault;  ///< what the modifier means, when we know
  std::string text;            ///< the whole field's value

  /// Whether the partner says that the payload is now his: Processed or ProcessedWarning.
  [[nodiscard]] bool accepted() const {
    return outcome == Outcome::Processed || outcome == Outcome::ProcessedWarning;
  }

  /// "automatic-action/MDN-sent-automatically; processed"
  static Disposition processed();
  static Disposition of(Fault fault);
};

/// The field's value that tells a partner of this fault.
std::string_view disposition_for(Fault fault);

/// What the fault means, in a sentence for the people who read a receipt. As little as the modifier does it
/// tell which of several checks failed.
std::string_view explanation_of(Fault fault);

/// Reads a Disposition field's value: any case, white space around every mark, "processed" left out before
/// "error:", misspellings that are in use. An unknown modifier is an error, since nothing else is safe to
/// make of it.
///
/// @error InvalidInput  no disposition type that AS2 knows.
Result<Disposition> parse_disposition(std::string_view field_value);

/// The same, from the fields of a disposition notification: Error, Warning and Failure fields [RFC3798 3.2.7]
/// fill in a missing modifier, and make a bare "processed" what they say.
///
/// @error InvalidInput  no Disposition field, two of them, or one that cannot be read.
Result<Disposition> read_disposition(const mime::Headers& fields);

}  // namespace signet::as2
