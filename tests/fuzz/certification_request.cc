#include "certstore/x509/certification_request.h"

#include "certstore/x509/issue.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/test_party.h"

/// What was asked for is what a profile can say: we can ask for it, too, unless it contradicts itself.

using namespace signet;
using namespace signet::certstore;
using fuzz::require;

SIGNET_FUZZ_TARGET(certification_request) {
  const auto request = CertificationRequest::parse(input);
  if (!request) {
    require(!request.error().detail.empty(), "a refusal has words");
    return;
  }
  const auto again = CertificationRequest::parse(request->der);
  require(again && again->public_key == request->public_key, "a request is its DER");
  require(again->profile.alternative_names == request->profile.alternative_names,
          "it asks for the same again");
  require(is_utf8(request->profile.subject.text()), "names are UTF-8");
  const bool strong = request->key_type == KeyType::Rsa ? request->key_bits >= 2048 : !request->curve.empty();
  require(request->key_type != KeyType::Other && strong, "its key is one that we would certify");
  static_cast<void>(check_profile(request->profile));
}
