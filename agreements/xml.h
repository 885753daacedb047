#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"
#include "agreements/problem.h"
#include "base/result.h"

/// Accounts as XML. Element names are Azure's property names; the extension's are in a namespace of their
/// own. docs/agreements.md lists them; agreements/schema/ has the same as XSD.

namespace signet::agreements {

inline constexpr std::string_view kAccountNamespace = "urn:signet:account:2026";
inline constexpr std::string_view kExtensionNamespace = "urn:signet:ext:2026";

inline constexpr std::size_t kMaxXmlSize = std::size_t{64} << 20;  ///< octets
inline constexpr std::size_t kMaxXmlDepth = 64;                    ///< elements within elements
inline constexpr std::size_t kMaxXmlItems = 2'000'000;             ///< elements and attributes in all
inline constexpr std::size_t kMaxProblems = 1'000;  ///< after so many the parser says so and gives up

/// What surrounds the XML.
struct ParseContext {
  std::string file_name;  ///< for messages only
  std::filesystem::path
      base_directory;  ///< what x:file and caFile are relative to; empty: files are not read at all
};

/// What came of reading an account. There is an account exactly when no problem is an error.
struct ParseOutcome {
  std::optional<Account> account;
  std::optional<Account> draft;  ///< where there is no account: what was understood of it, for lint() alone
  std::vector<Problem> problems;
  Positions positions;  ///< for lint()
};

/// Reads an account and reports every problem at once.
///
/// Strict: what is not known is an error that names the nearest known thing, and so are a second value for
/// one setting, a missing required one, a value out of its range, a name used twice, and text where none
/// belongs. A DOCTYPE, an entity other than XML's five, a processing instruction, an encoding other than
/// UTF-8, broken UTF-8, and anything beyond the limits above are refused before any of it is looked at;
/// nothing is ever fetched. Comments are skipped. Names are checked for their form only: whether they resolve
/// is lint()'s question.
ParseOutcome parse_account(std::string_view xml, const ParseContext& context = {});

/// parse_account() of a file, its directory being the base. @error as read_file(), for the XML itself only
Result<ParseOutcome> parse_account_file(const std::filesystem::path& path);

/// The canonical form: what is required and what is not the default, in the order of docs/agreements.md,
/// certificates as base64 in the text. parse_account(write_account(a)) is a, and writing what was read from a
/// canonical document gives that document again, octet for octet.
std::string write_account(const Account& account);

}  // namespace signet::agreements
