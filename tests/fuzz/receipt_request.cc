#include "as2/receipt_request.h"

#include "tests/fuzz/fuzz_target.h"

/// What receipt a partner wants is always understood in some way, within bounds, and asked for by us in words
/// that mean the same. The input is a header block.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

SIGNET_FUZZ_TARGET(receipt_request) {
  const auto block = mime::parse_headers(as_text(input));
  if (!block) return;
  const ReceiptRequest request = parse_receipt_request(block->headers);
  require(request.wanted == block->headers.has("Disposition-Notification-To"),
          "a receipt is wanted when its field is there");
  require(request.hashes.size() + request.unknown_hashes.size() <= 32, "the hash names are bounded");
  if (!request.wanted || !request.protocol_supported || (request.signed_wanted && request.hashes.empty()))
    return;

  mime::Headers headers = block->headers;
  write_receipt_request(request, headers);
  const ReceiptRequest again = parse_receipt_request(headers);
  require(again.wanted && again.signed_wanted == request.signed_wanted && again.protocol_supported,
          "the wish survives writing and reading");
  require(!request.signed_wanted || again.hashes == request.hashes, "the hashes survive writing and reading");
  require(again.async_url == request.async_url && again.notify_to == request.notify_to,
          "the addresses survive writing and reading");
}
