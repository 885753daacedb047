#include "as2/cem/certificate_exchange.h"

#include "tests/fuzz/fuzz_target.h"

/// A multipart with the boundary "b", or XML alone. What was understood can be said again.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

namespace {

Result<cem::Exchange> again(const cem::Exchange& exchange, const SpoolArea& area) {
  if (const auto* response = std::get_if<cem::Response>(&exchange)) {
    const cem::Composed composed = cem::compose(*response);
    return cem::parse(composed.content_type, Slice::of(composed.body), area);
  }
  const auto composed = cem::compose(std::get<cem::Request>(exchange));
  require(composed.has_value(), "a request can be made");
  return cem::parse(composed->content_type, Slice::of(composed->body), area);
}

}  // namespace

SIGNET_FUZZ_TARGET(certificate_exchange) {
  const SpoolArea area;
  for (const char* type : {"multipart/related; type=\"application/ediint-cert-exchange+xml\"; boundary=b",
                           "application/ediint-cert-exchange+xml"}) {
    const auto exchange = cem::parse(type, Slice::of(std::string(as_text(input))), area);
    if (!exchange) {
      require(!exchange.error().detail.empty(), "a refusal has words");
      continue;
    }
    const auto repeated = again(*exchange, area);
    require(repeated.has_value() && repeated->index() == exchange->index(), "it can be said again");
  }
}
