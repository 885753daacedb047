#pragma once

#include "as2/cms/describe.h"
#include "as2/inspect.h"

/// The part of inspect() that looks at one signature. Internal to as2.

namespace signet::as2 {

/// A SignedData and what it is said to be over.
struct SignatureInput {
  Slice signed_data;
  bool detached = true;
  Slice content;  ///< what a detached one signs, or what an opaque one holds
};

struct SignatureFinding {
  bool canonical =
      false;  ///< the content's canonical form is what was signed, and not the content as it came
  std::optional<Hash> hash;  ///< the first signer's
};

/// The facts of a SignedData.
void describe_signature(const cms::CmsDescription& description, const InspectMaterial& material,
                        ExplainedLayer& layer);

/// Holds the signature against the content and against every certificate at hand, and says in checks and
/// remarks what holds, what does not, and who signed.
SignatureFinding check_signature(const cms::CmsDescription& description, const SignatureInput& input,
                                 const InspectMaterial& material, const SpoolArea& spool,
                                 ExplainedLayer& layer);

/// "CN=Acme, O=... (issuer ..., serial ..., valid until ..., SHA-256 ...)".
std::string describe_certificate(const certstore::Certificate& certificate);

/// The octets with every line end made CRLF.
Result<Slice> canonical_octets(const Slice& octets, const SpoolArea& spool);

}  // namespace signet::as2
