#include "certstore/x509/ocsp.h"

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/test_party.h"

/// Requests of anybody, and what a responder answers: bounded, and by nobody who did not sign it.

using namespace signet;
using namespace signet::certstore;
using fuzz::require;

SIGNET_FUZZ_TARGET(ocsp) {
  static const Certificate stranger = fuzz::test_certificate("gateway");
  const Time now = parse_time("2026-11-28").value();
  const auto request = OcspRequest::parse(input);
  if (request) {
    require(!request->wanted.empty() && request->wanted.size() <= 32, "1 to 32 questions");
    require(request->nonce.size() <= 32, "a nonce of 32 octets at most");
    for (const OcspCertificateId& id : request->wanted) {
      require(!id.der.empty() && id.serial.size() <= 65,
              "a question is about a serial number, of bounded length");
      static_cast<void>(id.is_of(stranger));
    }
  }
  const auto answer = read_ocsp_response(input, stranger, stranger, {}, now);
  require(!answer, "nobody signed an answer but who did");
  require(!answer.error().detail.empty(), "a refusal has words");
}
