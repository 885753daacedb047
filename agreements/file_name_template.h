#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

/// The file's name that a document goes to the guest under, when the agreement gives it one:
/// fileNameTemplate.

namespace signet::agreements {

/// What a template's macros stand for.
struct FileNameFacts {
  std::string source_file_name;  ///< %SourceFileName%: the document's own name; empty: it has none
  std::string message_id;        ///< %MessageID%, without brackets
  Time now{};                    ///< %datetime%, as 2026-11-21T083000 in UTC
};

/// The name that the template makes. Macros are BizTalk's, in any case; everything else stands for itself.
///
/// @error InvalidInput  a macro that is not known, one that there is nothing for, or a character that no
/// file's name may have (a control character, '/', '\\').
Result<std::string> fill_file_name(std::string_view file_name_template, const FileNameFacts& facts);

}  // namespace signet::agreements
