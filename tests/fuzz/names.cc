#include "as2/disposition.h"
#include "as2/message_id.h"
#include "as2/mic.h"
#include "as2/name.h"
#include "tests/fuzz/fuzz_target.h"

/// AS2 names, Message-IDs, MICs and dispositions: what one field's value says survives writing and reading.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

namespace {

bool is_printable_ascii(std::string_view text) {
  return text.find_first_not_of(
             " !\"#$%&'()*+,-./"
             "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") ==
         std::string_view::npos;
}

void check_name(std::string_view text) {
  const auto name = As2Name::parse(text);
  if (!name) return;
  require(!name->text().empty() && name->text().size() <= 128 && is_printable_ascii(name->text()),
          "a name is short ASCII");
  const auto again = As2Name::parse(name->field_value());
  require(again && *again == *name, "a name survives writing and reading");
  const auto same = As2Name::of(name->text());
  require(same && *same == *name, "a name is the name of its text");
}

void check_message_id(std::string_view text) {
  const auto id = MessageId::parse(text);
  if (!id) return;
  require(id->text().size() <= 998 && is_printable_ascii(id->text()) && !id->bare().empty(),
          "an id is one line of ASCII");
  const auto again = MessageId::parse(id->text());
  require(again && again->text() == id->text() && *again == *id, "an id survives writing and reading");
}

void check_mic(std::string_view text) {
  const auto mic = parse_mic(text);
  if (!mic) return;
  require(mic->value.size() == digest_size(mic->hash), "a MIC has its hash's length");
  const auto again = parse_mic(to_string(*mic));
  require(again && *again == *mic, "a MIC survives writing and reading");
}

void check_disposition(std::string_view text) {
  const auto disposition = parse_disposition(text);
  if (!disposition) return;
  const auto again = parse_disposition(disposition->text);
  require(again && again->outcome == disposition->outcome && again->modifier == disposition->modifier,
          "a disposition survives writing and reading");
  require(
      !disposition->accepted() || !disposition->fault || disposition->outcome == Outcome::ProcessedWarning,
      "what is accepted has no fault but a warning");
}

}  // namespace

SIGNET_FUZZ_TARGET(names) {
  const std::string_view text = as_text(input);
  check_name(text);
  check_message_id(text);
  check_mic(text);
  check_disposition(text);
}
