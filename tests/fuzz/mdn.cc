#include "as2/mdn.h"

#include "tests/fuzz/slices.h"

/// A receipt that we understood says the same once written by us and read again.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

SIGNET_FUZZ_TARGET(mdn) {
  const auto entity = mime::read_entity(fuzz::as_slice(input));
  if (!entity) return;
  const auto content = parse_mdn(*entity);
  if (!content) return;

  const auto written = mime::read_entity(Slice::of(build_mdn(*content).entity()));
  require(written.has_value(), "what we write is an entity");
  const auto again = parse_mdn(*written);
  require(again.has_value(), "what we write is a receipt");
  require(again->disposition.outcome == content->disposition.outcome &&
              again->disposition.modifier == content->disposition.modifier &&
              again->disposition.fault == content->disposition.fault,
          "the disposition survives writing and reading");
  require(again->original_message_id == content->original_message_id,
          "the message's id survives writing and reading");
  const auto& recipient = content->final_recipient ? content->final_recipient : content->original_recipient;
  require(again->final_recipient == recipient, "the recipient survives writing and reading");
  require(again->mic == content->mic, "the MIC survives writing and reading");
}
