#include <vector>

#include "as2/cms/content_info.h"
#include "as2/cms/describe.h"
#include "as2/cms/verify.h"
#include "tests/fuzz/slices.h"
#include "tests/fuzz/test_party.h"

/// Whatever a CMS message says of itself, nothing counts as signed by the partner over a content that he
/// never signed, and an opaque signature that does not hold writes nothing.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

SIGNET_FUZZ_TARGET(cms_outside) {
  static const std::vector<certstore::Certificate> partner = {fuzz::test_certificate("partner")};
  static const Slice content = Slice::of(std::string_view("What nobody ever signed.\r\n"));
  const Slice message = fuzz::as_slice(input);

  const auto type = cms::detect_type(message);
  const auto description = cms::describe(message);
  require(type.has_value() == description.has_value(), "what has a type can be described");
  if (description) {
    require(description->type == *type, "a description is of the same type");
    require(description->size <= input.size() && description->content_size <= description->size,
            "sizes are of what is there");
    require(description->signers.size() <= cms::kMaxDescribed &&
                description->recipients.size() <= cms::kMaxDescribed &&
                description->certificates.size() <= cms::kMaxDescribed,
            "a description is bounded");
  }
  require(!cms::verify_detached(input, content, partner, {}),
          "no signature holds over what was never signed");

  MemorySink out;
  const auto signer = cms::verify_opaque(message, partner, {}, out);
  require(signer || out.bytes().empty(), "content that is not verified is not written");
  require(!signer || signer->certificate() == partner.front(), "the signer is the partner");

  MemorySink unverified;
  if (cms::extract_unverified(message, unverified))
    require(unverified.bytes().size() <= input.size(), "content comes out of the message");
}
