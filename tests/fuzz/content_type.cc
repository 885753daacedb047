#include "as2/mime/content_type.h"

#include "as2/mime/headers.h"
#include "tests/fuzz/fuzz_target.h"

/// A Content-Type or Content-Disposition means the same once written by us and read again; a file's name from
/// a stranger becomes one that can stand in a directory.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

namespace {

constexpr std::size_t kMaxWritten = 64 * 1024;  // what the parser takes

bool all_utf8(const mime::Parameters& parameters) {
  for (const mime::Parameter& parameter : parameters.list())
    if (!is_utf8(parameter.value)) return false;
  return true;
}

/// What was written reads as it was, and is written so again; only octets in no known character set come back
/// as UTF-8.
void check_parameters(const mime::Parameters& read, const mime::Parameters& again) {
  require(again.to_string() == read.to_string(), "parameters survive writing and reading");
  require(!all_utf8(read) || again == read, "parameters in UTF-8 are the same after writing and reading");
}

void check_file_name(std::string_view text) {
  const std::string name = mime::decode_words(text);
  require(is_utf8(name), "decoded words are UTF-8");
  const std::string safe = mime::safe_file_name(name);
  require(!safe.empty() && safe.size() <= 120 && is_utf8(safe), "a safe name is short UTF-8");
  require(safe.find_first_of("/\\:*?\"<>|") == std::string::npos && safe.front() != '.',
          "a safe name stays in its directory");
  require(mime::safe_file_name(safe) == safe, "a safe name needs no change");
}

}  // namespace

SIGNET_FUZZ_TARGET(content_type) {
  const std::string_view text = as_text(input);
  if (const auto type = mime::parse_content_type(text)) {
    const std::string written = type->to_string();
    const auto again = mime::parse_content_type(written);
    if (written.size() <= kMaxWritten) {
      require(again && again->media_type() == type->media_type(),
              "a content type survives writing and reading");
      check_parameters(type->parameters, again->parameters);
    }
  }
  if (const auto disposition = mime::parse_content_disposition(text)) {
    const std::string written = disposition->to_string();
    const auto again = mime::parse_content_disposition(written);
    if (written.size() <= kMaxWritten) {
      require(again && again->type == disposition->type, "a disposition survives writing and reading");
      check_parameters(disposition->parameters, again->parameters);
    }
    mime::Headers headers;
    headers.add("Content-Disposition", text);
    if (const auto name = mime::file_name(headers)) check_file_name(*name);
  }
  check_file_name(text);
}
