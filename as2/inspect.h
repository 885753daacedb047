#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "as2/capture.h"
#include "as2/cms/compress.h"
#include "as2/cms/decrypt.h"
#include "as2/cms/verify.h"
#include "as2/mdn.h"
#include "as2/mic_variants.h"
#include "as2/open.h"
#include "base/stream.h"

/// A message or receipt explained layer by layer, for an operator who wants to know why it was refused. Where
/// open() stops at the first thing that is wrong and tells the partner as little as it can, this goes on and
/// says all it sees. Nothing it finds may decide about a message.

namespace signet::as2 {

/// Something that was found. A fact with parts has no value, or one that sums them up.
struct Fact {
  std::string name;  ///< lower case with spaces: "key transport"
  std::string value;
  std::vector<Fact> parts{};
};

enum class CheckResult { Held, Failed, NotChecked };
/// "held", "failed", "not-checked".
std::string_view to_string(CheckResult result);

struct Check {
  CheckResult result = CheckResult::NotChecked;
  std::string text;  ///< a sentence; for NotChecked it says what would be needed
};

struct ExplainedLayer {
  std::string
      kind;  ///< "transport", "as2", "encrypted", "signed", "compressed", "receipt", "payload": for programs
  std::string title;  ///< for people
  std::vector<Fact> facts;
  std::vector<std::string> remarks;  ///< what is odd, a sentence each
  std::vector<Check> checks;
};

struct NamedCertificate {
  std::string name;  ///< in the account
  certstore::Certificate certificate;
};

struct NamedKey {
  std::string name;  ///< in the account
  certstore::PrivateCertificate own;
};

/// What a message may be opened with. Empty: nothing is decrypted, and signatures are held only against what
/// the message carries itself.
struct InspectMaterial {
  std::vector<NamedKey> decryption;       ///< ours, by the agreement
  std::vector<NamedCertificate> signers;  ///< by the agreement: one of them must have signed
  std::vector<NamedCertificate> known;    ///< everything else that the account holds: to say whose it is
  bool signers_agreed =
      false;  ///< whether `signers` comes from an agreement; otherwise nobody in particular is expected
  cms::VerifyPolicy verify;
  cms::DecryptPolicy decrypt;
  cms::DecompressLimits decompress;
};

struct InspectOptions {
  CompressedMic compressed_mic = CompressedMic::WithHeaders;
  Hash default_mic_hash = Hash::Sha256;  ///< of a message that is not signed and names no hash
  std::size_t max_layers = 8;
  SpoolArea spool;  ///< where layers are kept; what must not touch a disk needs a memory_limit equal to the
                    ///< size_limit
};

struct Explanation {
  std::vector<ExplainedLayer> layers;  ///< outermost first
  std::vector<LayerKind>
      security;           ///< the layers of encryption, signature and compression met, outermost first
  bool complete = false;  ///< the payload, or the receipt, was reached
  std::optional<MdnContent> receipt;    ///< when it is one
  std::optional<mime::Entity> payload;  ///< when it was reached and is no receipt
  std::vector<MicBase> mic_bases;       ///< octets that a MIC may be over, the one by the rules first
  std::optional<Mic> mic;  ///< by the rules of compute_mic(); absent for receipts and what did not open
  std::string mic_rule;    ///< which rule that was, for people

  /// Whether no check failed.
  [[nodiscard]] bool held() const;
};

/// Total: whatever cannot be read is told in the explanation.
Explanation inspect(const Capture& capture, const InspectMaterial& material, const InspectOptions& options);

/// What a disposition means, and what to do about it: a sentence or two.
std::string explain(const Disposition& disposition);

/// A MIC from a receipt or from an operator, held against a message.
struct MicComparison {
  std::string given;                   ///< as written
  bool equal = false;                  ///< it is the MIC by the rules
  std::optional<std::string> variant;  ///< the id of the variant that it is
  std::string
      verdict;  ///< sentences: whether it is ours; else what the other side hashed, and what that means
};
MicComparison compare_mic(const Explanation& message, std::span<const MicVariant> variants,
                          std::string_view given);

}  // namespace signet::as2
