#include "agreements/file_name_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace signet::agreements {
namespace {

std::string compact_time(Time time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time)).substr(0, 19);
  std::erase(text, ':');
  return text;
}

Result<std::string> value_of(std::string_view macro, const FileNameFacts& facts) {
  const std::string name = to_lower(macro);
  if (name == "datetime") return compact_time(facts.now);
  if (name == "messageid") return facts.message_id;
  if (name != "sourcefilename")
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("'%{}%' is none of %SourceFileName%, %MessageID% and %datetime%", printable(macro)));
  if (facts.source_file_name.empty())
    return fail(ErrorKind::InvalidInput,
                "the document has no name of its own to put in for %SourceFileName%");
  return facts.source_file_name;
}

bool may_stand_in_a_name(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '/' && c != '\\';
}

}  // namespace

Result<std::string> fill_file_name(std::string_view file_name_template, const FileNameFacts& facts) {
  std::string name;
  for (std::string_view rest = file_name_template; !rest.empty();) {
    const std::size_t begin = std::min(rest.find('%'), rest.size());
    name += rest.substr(0, begin);
    rest.remove_prefix(begin);
    if (rest.empty()) break;
    const std::size_t end = rest.find('%', 1);
    if (end == std::string_view::npos)
      return fail(ErrorKind::InvalidInput, "a '%' begins a macro that does not end");
    SIGNET_TRY(const std::string value, value_of(rest.substr(1, end - 1), facts));
    name += value;
    rest.remove_prefix(end + 1);
  }
  if (!std::all_of(name.begin(), name.end(), may_stand_in_a_name))
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' has a character that no file's name may have", printable(name)));
  return name;
}

}  // namespace signet::agreements
